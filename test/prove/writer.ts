/**
 * @module writer: one of several writers of a file, led by the shipped kernels.
 *
 * What it does next is for `write-kernel.ts` to say: look (a second time, when something stands in
 * the way), write, begin again or end. Whether a publish writes anything is for its chart to say,
 * what it writes and how it ends for `publish-kernel.ts`. Here is only what they are told: a map of
 * the servers that were heard, and of each write that it landed, found something else, failed
 * without effect, or lost its answer after its effect. The base can always be read, and a modifier
 * always changes it.
 *
 * Writers are interned and the fates of each are worked out once, which is what makes it feasible
 * to go through millions of worlds.
 */
import { initialTransition } from 'xstate';
import type { SeenShare } from '../../machines/io.ts';
import { publishMachine } from '../../machines/publish.machine.ts';
import type { PublishKind, PublishRecord, Write } from '../../machines/publish-kernel.ts';
import * as publishKernel from '../../machines/publish-kernel.ts';
import type { WriteReport } from '../../machines/reports.ts';
import { bestVersion, type Servermap, type Version } from '../../machines/servermap.ts';
import {
  apply,
  decide,
  start,
  type WriteDecision,
  type WriteRecord,
} from '../../machines/write-kernel.ts';
import { deadlines, goodAt, mapOf, serversOf, versionOf } from '../support/facts.ts';

export interface WritersModel {
  readonly servers: number;
  /** k. */
  readonly required: number;
  /** N; one share of the first version is on each of the first N servers. */
  readonly total: number;
  /** R: answers that a reader waits for. */
  readonly reads: number;
  /** W: servers that have to hold a version before its writer is told so. */
  readonly writes: number;
  /** Whether a version that is newer and can not be read is written over: by force. */
  readonly ignoresNewer: boolean;
  /**
   * How many writes may fail without effect, each by itself; or `servers`: any set of servers may
   * be out of a writer's reach from its first write on (fewer worlds, for larger grids).
   */
  readonly failures: number | 'servers';
  /** How many writes may have their effect and lose their answer. */
  readonly losses: number;
  readonly writers: number;
  /** How often each tries at most, up to 3: 1 is `overwrite`, more is `modify`. */
  readonly attempts: number;
}

/** A version of the file, as one character in the row of a server; `-` is no share. */
export type Mark = string;

interface Made {
  /**
   * What traces call it: `o` the first; `a`, `b` of first attempts, `A`, `B` of second ones, `α`,
   * `β` of third.
   */
  readonly name: string;
  readonly version: Version;
  readonly base: Mark | null;
}

export interface Writer {
  readonly index: number;
  /** Of the operation. */
  readonly books: WriteRecord;
  readonly phase: 'reading' | 'writing' | 'ended';
  /** What each server said when it was asked, by share number; null before. */
  readonly heard: readonly (string | null)[];
  /** The versions that had been told "published" when its look began; null before. */
  readonly acked: string | null;
  /** The servers that its writes can not reach. */
  readonly unreached: readonly string[];
  /** Its version, once planned. */
  readonly mark: Mark | null;
  readonly record: PublishRecord | null;
  /** `refused`: nothing was written. */
  readonly outcome: PublishKind | 'refused' | null;
}

/** What becomes of a writer in one step, of the row it wrote to, and of the faults to come. */
export interface Fate {
  readonly id: number;
  readonly row: number;
  readonly failures: number;
  readonly losses: number;
  readonly told: string;
}

/** Values by number: equal ones have one. */
class Interned<T> {
  readonly items: T[] = [];
  readonly #ids = new Map<string, number>();

  idOf(key: string, item: T): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.items.length);
    return this.items.push(item) - 1;
  }
}

/** All writers that were met in one exploration, and what each may come to. */
export class Cast {
  readonly model: WritersModel;
  readonly #rows = new Interned<string>();
  readonly #writers = new Interned<Writer>();
  readonly #made = new Interned<Made>();
  readonly #fates = new Map<string, readonly Fate[]>();

  constructor(model: WritersModel) {
    this.model = model;
    this.markOf('o', 1, null);
  }

  rowId(row: string): number {
    return this.#rows.idOf(row, row);
  }

  row(id: number): string {
    return this.#rows.items[id] as string;
  }

  writer(id: number): Writer {
    return this.#writers.items[id] as Writer;
  }

  /** Marks begin beyond the letters, so that none is taken for a name. */
  markOf(name: string, seqnum: number, base: Mark | null): Mark {
    const { required, total } = this.model;
    const parent = base === null ? null : this.made(base).version;
    const version = versionOf(seqnum, name, { required, total, parent });
    const id = this.#made.idOf(`${name}${seqnum}${base}`, { name, version, base });
    return String.fromCharCode(0x100 + id);
  }

  made(mark: Mark): Made {
    return this.#made.items[mark.charCodeAt(0) - 0x100] as Made;
  }

  /** Whether the newer one holds what the older one does. */
  isBuiltOn(newer: Mark | null, older: Mark): boolean {
    if (newer === null) return false;
    return newer === older || this.isBuiltOn(this.made(newer).base, older);
  }

  firstRows(): readonly number[] {
    const { servers, total } = this.model;
    return Array.from({ length: servers }, (_, i) => {
      const row = Array.from({ length: total }, (_, n) =>
        n === i ? String.fromCharCode(0x100) : '-',
      );
      return this.rowId(row.join(''));
    });
  }

  newWriter(index: number): Writer {
    const { servers, required, total, writes, ignoresNewer, attempts } = this.model;
    const task = {
      change: { kind: attempts === 1 ? 'overwrite' : 'modify' },
      format: 'mdmf',
      servers: serversOf(servers),
      required,
      total,
      happy: writes,
      force: ignoresNewer,
      attemptsMax: attempts,
    } as const;
    return this.#reader(index, start(task, true, null));
  }

  /** Who is about to ask the servers, whatever came before. */
  #reader(index: number, books: WriteRecord): Writer {
    return {
      index,
      books,
      phase: 'reading',
      heard: Array.from({ length: this.model.servers }, () => null),
      acked: null,
      unreached: [],
      mark: null,
      record: null,
      outcome: null,
    };
  }

  idOf(writer: Writer): number {
    return this.#writers.idOf(this.#keyOf(writer), writer);
  }

  nameOf({ index, books }: Pick<Writer, 'index' | 'books'>): string {
    return this.nameAt(index, books.attempt);
  }

  /** Of each of its attempts. */
  nameAt(index: number, attempt: number): string {
    return String.fromCharCode('aAα'.charCodeAt(attempt) + index);
  }

  /** The writer once it has heard `row` from server `at`; `acked` is what had been acknowledged. */
  hears(id: number, at: number, row: number, acked: string): number {
    const writer = this.writer(id);
    const heard = writer.heard.with(at, this.row(row));
    return this.idOf({ ...writer, heard, acked: writer.acked ?? acked });
  }

  /** What may come of the write at `place` in the books of `id`, when its server holds `row`. */
  writeFates(id: number, place: number, row: number, failures: number, losses: number) {
    const key = `${id},${place},${row},${failures},${losses}`;
    const known = this.#fates.get(key);
    if (known !== undefined) return known;
    const fates = this.#writeFates(this.writer(id), place, row, failures, losses);
    this.#fates.set(key, fates);
    return fates;
  }

  #writeFates(
    writer: Writer,
    place: number,
    rowId: number,
    failures: number,
    losses: number,
  ): readonly Fate[] {
    const record = writer.record as PublishRecord;
    const { server, shnum, test } = record.writes[place] as Write;
    const row = this.row(rowId);
    const seen: readonly SeenShare[] = [...row].flatMap((mark, n) =>
      mark === '-' ? [] : [{ shnum: n, checkstring: this.made(mark).version.checkstring }],
    );
    const held = seen.find((share) => share.shnum === shnum)?.checkstring ?? '';
    const wrote = test.kind === 'absent' ? held === '' : held !== '' && held.startsWith(test.head);
    const after = this.rowId(row.slice(0, shnum) + writer.mark + row.slice(shnum + 1));
    const what = `${this.nameOf(writer)}'s write to ${server}:${shnum}`;
    // Its child has read what it was shown.
    const proven = seen.map((share) => share.shnum);
    const report = { server, shnum, seen, proven, failure: null };
    const status = wrote ? 'accepted' : 'surprised';
    const fate = {
      row: wrote ? after : rowId,
      failures,
      losses,
      told: wrote ? `${what} lands` : `${what} finds ${this.spelled(row)}`,
    };
    const answered = this.#started(writer, withReport(record, { ...report, status }), fate);
    if (losses === 0 || !wrote) return answered;
    // All shares there are read again: that tells what the answer would have told, or fails, too.
    const { checkstring } = record.version as Version;
    const reread = seen.filter((share) => share.shnum !== shnum);
    const ends = [
      { ...report, seen: [...reread, { shnum, checkstring }], status: 'accepted' },
      { ...report, seen: [], status: 'unknown' },
    ] as const;
    const lost = { ...fate, losses: losses - 1, told: `${what} lands and its answer is lost` };
    return [
      ...answered,
      ...ends.flatMap((end) => this.#started(writer, withReport(record, end), lost)),
    ];
  }

  /** What may come of a look: another one, writes, or the end. */
  planFates(id: number, failures: number, losses: number): readonly Fate[] {
    const key = `${id},${failures},${losses}`;
    const known = this.#fates.get(key);
    if (known !== undefined) return known;
    const all = this.#planFates(this.writer(id), { row: -1, failures, losses, told: '' });
    const fates = [...new Map(all.map((fate) => [`${fate.id},${fate.failures}`, fate])).values()];
    this.#fates.set(key, fates);
    return fates;
  }

  #planFates(writer: Writer, fate: Omit<Fate, 'id'>): readonly Fate[] {
    const look = decide(writer.books) as Extract<WriteDecision, { kind: 'map' }>;
    const map = { ...this.mapOf(writer.heard), mode: look.mode };
    const name = this.nameOf(writer);
    const [books, next] = carriedOn(apply(writer.books, { type: 'mapped', map }));
    if (next.kind !== 'publish') return [this.#withoutWrite({ ...writer, books }, fate)];
    const [{ context, output }] = initialTransition(publishMachine, {
      ...next.plan,
      recipe: next.recipe,
      deadlines,
    });
    if (output !== undefined) {
      const [after] = carriedOn(apply(books, { type: 'published', report: output }));
      return [this.#withoutWrite({ ...writer, books: after }, fate)];
    }
    const { record } = context;
    const base = bestVersion(next.plan.map);
    const baseMark = base === undefined ? null : this.#markOfVersion(writer, base);
    const mark = this.markOf(name, record.seqnum, baseMark);
    const { version } = this.made(mark);
    const over = baseMark === null ? 'what it can not read' : this.made(baseMark).name;
    return this.#unreachable(record).flatMap((unreached) => {
      const without = unreached.length === 0 ? '' : ` and can not reach ${unreached.join()}`;
      const told = `${name} writes over ${over}${without}`;
      const begun: Writer = { ...writer, books, phase: 'writing', mark, unreached };
      return this.#started(begun, publishKernel.apply(record, { type: 'prepared', version }), {
        ...fate,
        told,
      });
    });
  }

  /** What comes of a look after which nothing is written. */
  #withoutWrite(writer: Writer, fate: Omit<Fate, 'id'>): Fate {
    const isSecondLook = decide(writer.books).kind === 'map' && writer.books.map !== null;
    const does = isSecondLook ? 'asks everybody again' : 'writes nothing';
    const told = `${this.nameOf(writer)} ${does}`;
    return { ...fate, told, id: this.#nextId({ ...writer, outcome: 'refused' }) };
  }

  #markOfVersion(writer: Writer, version: Version): Mark {
    const marks = writer.heard.flatMap((row) => [...(row ?? '')]);
    return marks.find((m) => m !== '-' && this.made(m).version.id === version.id) as Mark;
  }

  /** The map of somebody who heard these rows; the other servers did not answer. */
  mapOf(heard: readonly (string | null)[]): Servermap {
    const holdings = heard.flatMap((row, server) =>
      [...(row ?? '')].flatMap((mark, shnum) =>
        mark === '-' ? [] : [goodAt(`s${server}`, shnum, this.made(mark).version)],
      ),
    );
    const marks = new Set(heard.flatMap((row) => [...(row ?? '')]));
    marks.delete('-');
    const failed = heard.flatMap((row, i) => (row === null ? [[`s${i}`, 'failed']] : []));
    const versions = [...marks].map((mark) => this.made(mark).version);
    return mapOf(heard.length, holdings, versions, Object.fromEntries(failed));
  }

  /** The sets of servers that may be out of reach: all that leave a quorum. */
  #unreachable(record: PublishRecord): readonly (readonly string[])[] {
    const sets: (readonly string[])[] = [[]];
    if (this.model.failures !== 'servers') return sets;
    const reached = record.servers.filter((server) => !record.avoided.includes(server));
    for (const server of reached) {
      for (const set of [...sets]) {
        if (reached.length - set.length > record.quorum) sets.push([...set, server]);
      }
    }
    return sets;
  }

  /**
   * The planned writes under way, those that are to fail having failed. A failure has no effect, so
   * it may as well come at once: one that came later, after a surprise, could do no more than the
   * death of the writer does.
   */
  #started(writer: Writer, record: PublishRecord, fate: Omit<Fate, 'id'>): readonly Fate[] {
    const at = record.writes.findIndex(({ status }) => status === 'planned');
    if (at < 0) return [{ ...fate, id: this.#toldId(writer, record) }];
    const write = { ...(record.writes[at] as Write), status: 'writing' as const };
    const books = { ...record, writes: record.writes.with(at, write) };
    const { server, shnum } = write;
    const none = { seen: [], proven: [], failure: null };
    const report = { server, shnum, status: 'failed', ...none } as const;
    const failed = withReport(books, report);
    if (writer.unreached.includes(server)) return this.#started(writer, failed, fate);
    const fates = this.#started(writer, books, fate);
    if (fate.failures === 0) return fates;
    const told = `${fate.told}; its write to ${server}:${shnum} fails`;
    return [
      ...fates,
      ...this.#started(writer, failed, { ...fate, told, failures: fate.failures - 1 }),
    ];
  }

  /** The writer with this record; it is told how it ended when everything is answered. */
  #toldId(writer: Writer, record: PublishRecord): number {
    const { kind: outcome } = publishKernel.decide(record);
    if (outcome === 'wait' || outcome === 'write') return this.idOf({ ...writer, record });
    const report = publishKernel.reportOf(record, outcome, []);
    const [books] = carriedOn(apply(writer.books, { type: 'published', report }));
    return this.#nextId({ ...writer, books, record, outcome });
  }

  /** The writer about to look again, or at its end. */
  #nextId(writer: Writer): number {
    const isLooking = decide(writer.books).kind === 'map';
    return this.idOf(
      isLooking ? this.#reader(writer.index, writer.books) : { ...writer, phase: 'ended' },
    );
  }

  /** Equal for two writers if the same can become of both. */
  #keyOf(writer: Writer): string {
    const { index, books, phase, heard, acked, mark, unreached, record, outcome } = writer;
    const { failures, losses, ignoresNewer, attempts } = this.model;
    // What earlier looks have left behind: the newest version that they saw, or, where it is not
    // written over, its seqnum alone.
    const seen = (ignoresNewer ? books.newest?.checkstring : books.newest?.seqnum) ?? '';
    const attempt = `${index}${books.attempt}`;
    if (phase === 'reading') {
      const look = books.map === null ? '' : '+';
      return `${attempt}${look}${seen},${acked ?? '?'}|${heard}`;
    }
    if (phase === 'ended') {
      // Nobody will look again at the books of a writer that has not been told "published".
      return outcome === 'published' ? `${attempt}=${mark}${acked}` : `${attempt}${outcome}`;
    }
    // Where it is not written over, that seqnum is one less than the new version's.
    const who = ignoresNewer && attempts > 1 ? `${attempt}${seen},` : attempt;
    const { writes, surprises, avoided, replaceable } = record as PublishRecord;
    const isLost = surprises.length > 0;
    // Without a further fault no share will need a new home: who was out of reach is forgotten.
    const mayFail = losses > 0 || (failures !== 'servers' && failures > 0);
    const places = writes
      .filter(({ status }) => status === 'writing' || (!isLost && (mayFail || status !== 'failed')))
      .map(({ server, shnum, status, test, attempt: tried }) => {
        const head =
          test.kind === 'absent' ? '' : `${test.head.slice(17, 18)}${test.head.slice(-2)}`;
        return `${server}${shnum}${status[0]}${head}${tried}`;
      })
      .sort();
    if (isLost) return `${who}!${mark}${places}`;
    const out = mayFail ? `${unreached}|${[...avoided].sort()}` : '';
    return `${who}w${mark}${places}|${out}|${acked}|${replaceable.map((h) => h.slice(-2)).sort()}`;
  }

  /** A row, or what is left to the reader of a trace of it: `o-b`. */
  spelled(row: string): string {
    return [...row].map((mark) => (mark === '-' ? '-' : this.made(mark).name)).join('');
  }
}

/** The books of a publish after `report`, taken as its chart takes it. */
function withReport(record: PublishRecord, report: WriteReport): PublishRecord {
  const mode = publishKernel.modeOf(record, report);
  return publishKernel.apply(record, { type: 'settled', report, mode });
}

/** The books, and the decision, once nothing is left to do that no other writer can see. */
function carriedOn(books: WriteRecord): readonly [WriteRecord, WriteDecision] {
  const next = decide(books);
  switch (next.kind) {
    case 'read': {
      const end = { kind: 'delivered', version: next.base } as const;
      return carriedOn(apply(books, { type: 'read', end }));
    }
    case 'modify':
      return carriedOn(apply(books, { type: 'modified', result: { ok: true, isChanged: true } }));
    case 'backOff':
      return carriedOn(apply(books, { type: 'waited' }));
    default:
      return [books, next];
  }
}
