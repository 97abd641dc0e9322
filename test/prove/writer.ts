/**
 * @module writer: one of several writers of a file, led by the shipped kernel.
 *
 * It reads some servers, picks its base as the engine does (`bestVersion`), plans with
 * `planWrites`, keeps its books with `applyWrite` and is told how it ended by `decideOutcome`
 * alone. A write may land, find something else, fail without effect, or lose its answer after its
 * effect. Told that somebody else is writing, it begins again while it has attempts left, as
 * `modify` does.
 *
 * Writers are interned and the fates of each are worked out once, which is what makes it feasible
 * to go through millions of worlds.
 */
import type { SeenShare } from '../../machines/io.ts';
import {
  applyWrite,
  canSucceed,
  decideOutcome,
  isSettled,
  newerEvidence,
  type PublishKind,
  type PublishPlanInput,
  type PublishRecord,
  planWrites,
  type Write,
  withPrepared,
} from '../../machines/publish-kernel.ts';
import { bestVersion, type Servermap, type Version } from '../../machines/servermap.ts';
import { goodSlot, mapOf, versionOf } from '../support/facts.ts';

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
  /** Whether a version that is newer and can not be read is written over. */
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
  /** Counts from 0. */
  readonly attempt: number;
  readonly phase: 'reading' | 'writing' | 'ended';
  /** What each server said when it was asked, by share number; null before. */
  readonly heard: readonly (string | null)[];
  /** The versions that had been told "published" when it began; null before. */
  readonly acked: string | null;
  /** The servers that its writes can not reach. */
  readonly unreached: readonly string[];
  /** Its version, once planned. */
  readonly mark: Mark | null;
  readonly record: PublishRecord | null;
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
    const version = versionOf(seqnum, name, { required, total });
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

  newWriter(index: number, attempt = 0): Writer {
    return {
      index,
      attempt,
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

  nameOf(index: number, attempt = 0): string {
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
    const what = `${this.nameOf(writer.index, writer.attempt)}'s write to ${server}:${shnum}`;
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
    const answered = this.#started(writer, applyWrite(record, { ...report, status }), fate);
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
      ...ends.flatMap((end) => this.#started(writer, applyWrite(record, end), lost)),
    ];
  }

  /** What a writer may do that reads no more. */
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
    const input = this.#planInput(writer);
    const base = bestVersion(input.map);
    const record = planWrites(input);
    const name = this.nameOf(writer.index, writer.attempt);
    if (base === undefined || newerEvidence(input).length > 0 || !canSucceed(record)) {
      const told = `${name} writes nothing`;
      const isContended = base === undefined || newerEvidence(input).length > 0;
      return [{ ...fate, told, id: this.#endedId({ ...writer, outcome: 'refused' }, isContended) }];
    }
    const baseMark = this.#markOfVersion(writer, base);
    const mark = this.markOf(name, record.seqnum, baseMark);
    return this.#unreachable(record).flatMap((unreached) => {
      const without = unreached.length === 0 ? '' : ` and can not reach ${unreached.join()}`;
      const told = `${name} writes over ${this.made(baseMark).name}${without}`;
      const next: Writer = { ...writer, phase: 'writing', mark, unreached };
      return this.#started(next, withPrepared(record, this.made(mark).version), { ...fate, told });
    });
  }

  #markOfVersion(writer: Writer, version: Version): Mark {
    const marks = writer.heard.flatMap((row) => [...(row ?? '')]);
    return marks.find((m) => m !== '-' && this.made(m).version.id === version.id) as Mark;
  }

  #planInput({ heard }: Writer): PublishPlanInput {
    const { required, total, writes, ignoresNewer } = this.model;
    return {
      map: this.mapOf(heard),
      required,
      total,
      happy: writes,
      wholeShares: true,
      force: ignoresNewer,
    };
  }

  /** The map of somebody who heard these rows; the other servers did not answer. */
  mapOf(heard: readonly (string | null)[]): Servermap {
    const slots = heard.flatMap((row, server) =>
      [...(row ?? '')].flatMap((mark, shnum) =>
        mark === '-' ? [] : [goodSlot(`s${server}`, shnum, this.made(mark).version)],
      ),
    );
    const marks = new Set(heard.flatMap((row) => [...(row ?? '')]));
    marks.delete('-');
    const failed = heard.flatMap((row, i) => (row === null ? [[`s${i}`, 'failed']] : []));
    const versions = [...marks].map((mark) => this.made(mark).version);
    return mapOf(heard.length, slots, versions, Object.fromEntries(failed));
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
    const failed = applyWrite(books, report);
    if (writer.unreached.includes(server)) return this.#started(writer, failed, fate);
    const fates = this.#started(writer, books, fate);
    if (fate.failures === 0) return fates;
    const told = `${fate.told}; its write to ${server}:${shnum} fails`;
    return [
      ...fates,
      ...this.#started(writer, failed, { ...fate, told, failures: fate.failures - 1 }),
    ];
  }

  /** The writer with these books; it is told how it ended when everything is answered. */
  #toldId(writer: Writer, record: PublishRecord): number {
    if (!isSettled(record)) return this.idOf({ ...writer, record });
    const outcome = decideOutcome(record);
    return this.#endedId({ ...writer, record, outcome }, outcome === 'uncoordinated');
  }

  /** The writer at its end, or once more at its beginning. */
  #endedId(writer: Writer, isContended: boolean): number {
    const next = writer.attempt + 1;
    if (isContended && next < this.model.attempts) {
      return this.idOf(this.newWriter(writer.index, next));
    }
    return this.idOf({ ...writer, phase: 'ended' });
  }

  /** Equal for two writers if the same can become of both. */
  #keyOf(writer: Writer): string {
    const { index, attempt, phase, heard, acked, mark, unreached, record, outcome } = writer;
    const who = `${index}${attempt}`;
    if (phase === 'reading') return `${who}${acked ?? '?'}|${heard}`;
    if (phase === 'ended') {
      // Nobody will look again at the books of a writer that has not been told "published".
      return outcome === 'published' ? `${who}=${mark}${acked}` : `${who}${outcome}`;
    }
    const { writes, surprises, avoided, replaceable } = record as PublishRecord;
    const isLost = surprises.length > 0;
    // Without a further fault no share will need a new home: who was out of reach is forgotten.
    const { failures, losses } = this.model;
    const mayFail = losses > 0 || (failures !== 'servers' && failures > 0);
    const slots = writes
      .filter(({ status }) => status === 'writing' || (!isLost && (mayFail || status !== 'failed')))
      .map(({ server, shnum, status, test, attempt: tried }) => {
        const head =
          test.kind === 'absent' ? '' : `${test.head.slice(17, 18)}${test.head.slice(-2)}`;
        return `${server}${shnum}${status[0]}${head}${tried}`;
      })
      .sort();
    if (isLost) return `${who}!${mark}${slots}`;
    const out = mayFail ? `${unreached}|${[...avoided].sort()}` : '';
    return `${who}w${mark}${slots}|${out}|${acked}|${replaceable.map((h) => h.slice(-2)).sort()}`;
  }

  /** A row, or what is left to the reader of a trace of it: `o-b`. */
  spelled(row: string): string {
    return [...row].map((mark) => (mark === '-' ? '-' : this.made(mark).name)).join('');
  }
}
