/**
 * @module quorum-cast: versions, rows, requests and writers over a quorum, each by a number.
 *
 * What a writer builds on is for `quorum.ts` to say, what it sends and how it ends for
 * `publish-kernel.ts`. Here is only what they are told: the rows of the servers that were heard,
 * and of each request that it landed, found something else, or was given up. What each writer may
 * come to is worked out once.
 *
 * Whatever no decision depends on is left out of a writer's books, so that writers which differ in
 * nothing else are one: what surprised it, why its requests failed, and the last of them.
 */
import type { SeenShare } from '../../machines/io.ts';
import type { PublishRecord, Surprise, Target } from '../../machines/publish-kernel.ts';
import * as publish from '../../machines/publish-kernel.ts';
import type { Quorum } from '../../machines/quorum.ts';
import * as rules from '../../machines/quorum.ts';
import * as repair from '../../machines/repair-kernel.ts';
import type { WriteReport } from '../../machines/reports.ts';
import {
  type Holding,
  noParentTag,
  type Servermap,
  type Version,
} from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, versionOf } from '../support/facts.ts';
import type { Kernels, QuorumModel } from './quorum-model.ts';
import {
  type Flight,
  Interned,
  type Known,
  keyOf,
  landed,
  type Made,
  type Mark,
  none,
  type Passed,
  type Planned,
  type Slot,
  type Writer,
} from './quorum-parts.ts';
import { planRepair } from './quorum-repair.ts';
import { newestAtFirst } from './quorum-start.ts';
import { marksIn, tokensOf } from './quorum-tokens.ts';

export const shippedKernels: Kernels = { ...publish, ...rules, repair };

/** Versions of one exploration, rotten ones apart. */
export const marksMax = 1 << 16;

/** Ranks of versions of one number: there is always one between two. */
const rankMax = 0xffff;

export class QuorumCast {
  readonly model: QuorumModel;
  readonly quorum: Quorum;
  readonly #kernels: Kernels;
  readonly #made = new Interned<Made>();
  readonly #rows = new Interned<readonly Mark[]>();
  readonly #kinds = new Interned<Omit<Flight, 'at' | 'kind'>>();
  readonly #flights = new Interned<readonly Flight[]>();
  readonly #writers = new Interned<Known>();
  readonly #after = new Map<number, number>();

  constructor(model: QuorumModel, kernels = shippedKernels) {
    this.model = model;
    this.#kernels = kernels;
    const { servers, size: happy, losable } = model;
    this.quorum = rules.quorumOf({ servers, happy, losable }, happy);
    for (let mark = 0; mark <= newestAtFirst(model); mark++) {
      this.markOf(mark + 1, (rankMax + 1) / 2, mark - 1, model.parents !== 'none');
    }
    this.flightsId([]);
  }

  // --- versions ---------------------------------------------------------------------------------

  markOf(seqnum: number, rank: number, base: Mark, isNaming: boolean): Mark {
    const { required, total } = this.model;
    return this.#made.idOf(`${seqnum},${rank},${base},${isNaming}`, () => {
      const parent = base === none ? null : this.made(base).version;
      const letter = String.fromCharCode(rank);
      const version = versionOf(seqnum, letter, { required, total, ...(isNaming && { parent }) });
      const mark = this.#made.items.length;
      if (mark >= marksMax) throw new RangeError('more versions than fingerprints have room for');
      const order = (seqnum * (rankMax + 1) + rank) * 2;
      return { version, base, rank, plain: mark, isNaming, order };
    });
  }

  made(mark: Mark): Made {
    return this.#made.items[mark] as Made;
  }

  /** A share of `mark` that has rotted. */
  rotten(mark: Mark): Mark {
    return this.#made.idOf(`${mark} rots`, () => {
      const made = this.made(mark);
      return { ...made, plain: mark, order: made.order + 1 };
    });
  }

  /** Whether `mark` is a share of `version`, rotten or not. */
  isOf(mark: Mark, version: Mark): boolean {
    return mark !== none && this.made(mark).plain === version;
  }

  isRotten(mark: Mark): boolean {
    return this.made(mark).plain !== mark;
  }

  /** Whether `newer` holds what `older` does, in truth. */
  isBuiltOn(newer: Mark, older: Mark): boolean {
    for (let at = newer; at !== none; at = this.made(at).base) if (at === older) return true;
    return false;
  }

  /** What `mark` was built on, and that, and so on. */
  parentsOf(mark: Mark): readonly Version[] {
    const { base } = this.made(mark);
    return base === none ? [] : [this.made(base).version, ...this.parentsOf(base)];
  }

  /** `mark` and its parents, as one sees them who knows all parents, also of who names none. */
  lineageOf(mark: Mark): readonly Version[] {
    const all = mark === none ? [] : [this.made(mark).version, ...this.parentsOf(mark)];
    return all.map((one, i) => ({ ...one, parentTag: all[i + 1]?.tag ?? noParentTag }));
  }

  /** A rank for every place that one more version can have among `ranks`, ascending. */
  ranksAmong(ranks: readonly number[]): readonly number[] {
    const bounds = [0, ...ranks, rankMax + 1];
    return bounds.slice(1).map((above, i) => {
      const rank = ((bounds[i] as number) + above) >> 1;
      if (rank === bounds[i]) throw new RangeError('too many versions of one number');
      return rank;
    });
  }

  // --- rows -------------------------------------------------------------------------------------

  rowId(row: readonly Mark[]): number {
    return this.#rows.idOf(keyOf(row), () => row);
  }

  row(id: number): readonly Mark[] {
    return this.#rows.items[id] as readonly Mark[];
  }

  /** What the row `id` becomes when `flight` lands; none: it does not. */
  rowAfter(id: number, { kind, from, mark, shnums }: Flight): number {
    const key = id * 0x400_0000 + kind;
    const known = this.#after.get(key);
    if (known !== undefined) return known;
    const row = this.row(id);
    const expected = this.row(from);
    const isTested = (n: number) => this.model.tests === 'server' || (shnums & (1 << n)) !== 0;
    const isMet = row.every((m, n) => !isTested(n) || this.#plain(m) === expected[n]);
    const after = isMet
      ? this.rowId(row.map((m, n) => ((shnums & (1 << n)) !== 0 ? mark : m)))
      : none;
    this.#after.set(key, after);
    return after;
  }

  #plain(mark: Mark): Mark {
    return mark === none ? none : this.made(mark).plain;
  }

  // --- requests ---------------------------------------------------------------------------------

  flightsId(flights: readonly Flight[]): number {
    const keyed = flights.map((flight) => [flight.kind * 32 + flight.at, flight] as const);
    keyed.sort(([a], [b]) => a - b);
    return this.#flights.idOf(keyOf(keyed.map(([key]) => key)), () => keyed.map(([, f]) => f));
  }

  flights(id: number): readonly Flight[] {
    return this.#flights.items[id] as readonly Flight[];
  }

  #flightsOf({ record, mark }: Writer): readonly Flight[] {
    if (record === null) return [];
    return record.targets.flatMap(({ status, held, shnums }, at) => {
      if (status !== 'writing') return [];
      const from = this.rowId(this.#heldRow(record, mark, held));
      const bits = shnums.reduce((sum, n) => sum | (1 << n), 0);
      const key = keyOf([from, mark, bits]);
      const one = { from, mark, shnums: bits };
      return [{ ...one, at, kind: this.#kinds.idOf(key, () => one) }];
    });
  }

  #slotsOf({ record, mark }: Writer): readonly (Slot | null)[] {
    if (record === null || !this.model.covers) return [];
    return record.targets.map(({ status, held, placed }) => {
      if (status === 'closed' || placed.length > 0) return null;
      const [there] = this.#heldRow(record, mark, held);
      return { isSent: status === 'writing', held: there as Mark };
    });
  }

  #heldRow(record: PublishRecord, own: Mark, held: Target['held']): readonly Mark[] {
    return Array.from({ length: record.total }, (_, n) => {
      const head = held.find(({ shnum }) => shnum === n)?.head;
      return head === undefined ? none : this.markOfHead(record, own, head);
    });
  }

  /** The version whose shares begin with `head`, by what the writer knows. */
  markOfHead({ versions }: PublishRecord, own: Mark, head: string): Mark {
    if (own !== none && this.made(own).version.checkstring === head) return own;
    const version = Object.values(versions).find((one) => one.checkstring === head);
    const items = this.#made.items;
    for (let at = items.length - 1; at >= 0; at--) {
      const made = items[at] as Made;
      if (made.plain !== at) continue;
      if (version === undefined ? made.version.checkstring === head : made.version === version) {
        return at;
      }
    }
    throw new Error(`no version begins with ${head}`);
  }

  // --- writers ----------------------------------------------------------------------------------

  known(id: number): Known {
    return this.#writers.items[id] as Known;
  }

  newWriter(index: number): number {
    const { parents, writers, repairs } = this.model;
    if (index >= writers) return this.#idOf(this.#looker('reader', 0));
    if (index >= writers - repairs) return this.#idOf(this.#looker('repairer', 0));
    const isNaming = parents === 'all' || (parents === 'some' && index % 2 === 0);
    return this.#idOf(this.#looker(isNaming ? 'writer' : 'nameless', 0));
  }

  #looker(role: Writer['role'], attempt: number): Writer {
    const heard = this.#nothingHeard();
    const nothing = { passed: [], acked: none, mark: none, record: null, pending: [] };
    return { role, attempt, phase: 'looking', heard, isWarm: false, ...nothing };
  }

  hears(id: number, at: number, row: number, acked: Mark): number {
    const { writer, next } = this.known(id);
    const since = writer.acked === none ? acked : writer.acked;
    const key = (row * 32 + at) * 0x1_0000 + since;
    const known = next.get(key);
    if (known !== undefined) return known;
    const heard = writer.heard.with(at, row);
    const id2 = this.#idOf({ ...writer, heard, acked: since });
    next.set(key, id2);
    return id2;
  }

  /** The look of `id` goes on while the server `at` comes to hold something else than `row`. */
  passes(id: number, at: number, row: number, acked: Mark): number {
    const { writer, next } = this.known(id);
    // Apart from what the same writer comes to when it hears, or forgets.
    return this.#once(next, 2 ** 50 + (row * 32 + at) * 0x1_0000 + acked, () => {
      const passed = this.#passedBy(writer);
      const more = passed.with(at, [...(passed[at] as readonly Passed[]), { row, acked }]);
      return this.#idOf({ ...writer, passed: more });
    });
  }

  #passedBy({ passed, heard }: Writer): Writer['passed'] {
    return passed.length > 0 ? passed : heard.map(() => []);
  }

  /** The look of `id` is over. */
  planned(id: number): Planned {
    const known = this.known(id);
    known.plan ??= this.#planned(known.writer);
    return known.plan;
  }

  #planned({ heard, role, isWarm }: Writer): Planned {
    const { required, total } = this.model;
    const { quorum } = this;
    const { chooseBase, chooseForReader, decide, start } = this.#kernels;
    const map = this.mapOf(heard);
    if (role === 'repairer') return this.#planRepair(heard, map);
    // Nobody is given what is only remembered.
    const read = isWarm ? none : this.#markIn(heard, chooseForReader(map, quorum));
    const base = role === 'reader' ? undefined : chooseBase(map, quorum);
    if (base === undefined) return { base: none, read, record: null, isNeedless: false };
    const plan = { map, base, quorum, required, total, wholeShares: true, force: false };
    const record = start(isWarm ? { ...plan, asksOnce: true } : plan);
    const mark = base === null ? none : this.#markIn(heard, base);
    const isReady = decide(record).kind === 'prepare';
    return { base: mark, read, record: isReady ? record : null, isNeedless: false };
  }

  #planRepair(heard: readonly number[], map: Servermap): Planned {
    const { servers, size: happy, losable } = this.model;
    const plan = planRepair(this.#kernels, map, { servers, happy, losable });
    const base = plan.base === null ? none : this.#markIn(heard, plan.base);
    return { ...plan, base, read: none };
  }

  /** What the heard rows would be given to a reader, whoever looked. */
  readIn(heard: readonly number[]): Mark {
    return this.#markIn(heard, this.#kernels.chooseForReader(this.mapOf(heard), this.quorum));
  }

  #markIn(heard: readonly number[], version: Version | undefined): Mark {
    const marks = heard.flatMap((row) => (row === none ? [] : this.row(row)));
    return (
      marks.find((m) => m !== none && !this.isRotten(m) && this.made(m).version === version) ?? none
    );
  }

  /** The writer `id` with its plan, which it writes as `mark`. */
  begun(id: number, mark: Mark): number {
    const { writer, next } = this.known(id);
    const key = -1 - mark;
    const made = next.get(key);
    if (made !== undefined) return made;
    const { version } = this.made(mark);
    const planned = this.planned(id).record as PublishRecord;
    const marks = writer.heard.flatMap((row) => (row === none ? [] : this.row(row)));
    const above = [...marks, mark].flatMap((one) => (one === none ? [] : this.#above(one)));
    const versions = {
      ...Object.fromEntries(above.map((one) => [one.id, one])),
      ...planned.versions,
    };
    const known: PublishRecord = { ...planned, versions };
    const record = this.#kernels.apply(known, { type: 'prepared', version });
    const pending = writer.heard.map(() => none);
    const begun = this.#carriedOn({
      ...writer,
      ...{ phase: 'writing', heard: [], isWarm: false, acked: none, mark, record, pending },
    });
    next.set(key, begun);
    return begun;
  }

  /** The writer once all that may be sent is on its way; or at the end of its attempt. */
  #carriedOn(writer: Writer): number {
    const { apply, decide } = this.#kernels;
    const record = writer.record as PublishRecord;
    const next = decide(record);
    switch (next.kind) {
      case 'write':
        return this.#carriedOn({ ...writer, record: apply(record, { ...next, type: 'sent' }) });
      case 'prepare':
      case 'wait':
        return this.#idOf({ ...writer, record: this.withoutPast(record) });
      case 'published':
        return this.model.remembers ? this.#given(writer) : this.#ended(writer);
      default:
        return this.#given(writer);
    }
  }

  /** The books without what no decision depends on any more. */
  withoutPast(record: PublishRecord): PublishRecord {
    const { total, writers, attempts, covers, defers } = this.model;
    // Which numbers are where decides what goes beside them; with one number nothing does.
    const isPlain = total === 1;
    // A server is asked four times at most, but for `defers`, and surprises once per version.
    const isCounted = !defers && (!isPlain || (!covers && writers * attempts > 4));
    const targets = record.targets.map((target): Target => {
      const isClosed = target.status === 'closed';
      return {
        ...target,
        ...{ last: null, failure: null },
        shnums: target.status === 'writing' ? target.shnums : [],
        held: isClosed && isPlain ? [] : target.held,
        isHeard: target.isHeard && !isClosed,
        attempt: isClosed || !isCounted ? 0 : target.attempt,
      };
    });
    // That there was one is all that matters of surprises.
    const surprises = record.surprises.map((): Surprise => ({ server: '', shnum: 0, found: '' }));
    const versions = covers ? this.#needed(record, targets) : record.versions;
    const past = { mayHaveLanded: [], failures: [] };
    return { ...record, versions, targets, surprises: surprises.slice(0, 1), ...past };
  }

  /** The same with so many attempts begun before. */
  withAttempt(id: number, attempt: number): number {
    const { writer, next } = this.known(id);
    return this.#once(next, 2 ** 40 + attempt, () =>
      writer.phase === 'ended'
        ? this.#idOf(this.#looker('writer', attempt))
        : this.#idOf({ ...writer, attempt }),
    );
  }

  /** Versions that are held, or written, and what these were built on. */
  #needed(record: PublishRecord, targets: readonly Target[]): PublishRecord['versions'] {
    const needed: Record<string, Version> = {};
    const add = (version: Version | undefined) => {
      for (let at = version; at !== undefined && needed[at.id] === undefined; ) {
        needed[at.id] = at;
        const tag = at.parentTag;
        at = Object.values(record.versions).find((one) => one.tag === tag);
      }
    };
    add(record.version ?? undefined);
    for (const { held } of targets) {
      for (const { share } of held) if (share.kind === 'good') add(record.versions[share.version]);
    }
    return needed;
  }

  #ended(writer: Writer): number {
    const nothing = { heard: [], passed: [], isWarm: false, acked: none, mark: none, record: null };
    return this.#idOf({ ...writer, ...nothing, pending: [], phase: 'ended', attempt: 0 });
  }

  /** The writer when its attempt is over: it tries again, or ends. */
  #given(writer: Writer): number {
    const attempt = writer.attempt + 1;
    if (attempt >= this.model.attempts) return this.#ended(writer);
    const looker = this.#looker(writer.role, attempt);
    if (!this.model.remembers) return this.#idOf(looker);
    const heard = this.#rememberedBy(writer);
    return this.#idOf({ ...looker, heard, isWarm: heard.some((row) => row !== none) });
  }

  /** Of each server what it was last seen to hold; none if its last request is not answered. */
  #rememberedBy({ record, mark }: Writer): readonly number[] {
    if (record === null) return this.#nothingHeard();
    return record.targets.map(({ status, isHeard, placed, held }) => {
      const isKnown = status === 'open' && (isHeard || placed.length > 0);
      return isKnown ? this.rowId(this.#heldRow(record, mark, held)) : none;
    });
  }

  #nothingHeard(): readonly number[] {
    return Array.from({ length: this.model.servers }, () => none);
  }

  /** The writer `id`, which looks, whatever it remembers. */
  forgets(id: number): number {
    const { writer, next } = this.known(id);
    return this.#once(next, 2 ** 51, () => this.#idOf(this.#looker(writer.role, writer.attempt)));
  }

  /** The writer once its attempt was left, as by one that died; none: it was the last. */
  left(id: number): number {
    const { writer } = this.known(id);
    return writer.attempt + 1 < this.model.attempts ? this.#given(writer) : none;
  }

  spent(id: number): number {
    const { writer, next } = this.known(id);
    return this.#memo(next, 0, 0, 3, () => this.#given(writer));
  }

  /** The request to `at` has landed, or found `found`; its answer is on its way. */
  pending(id: number, at: number, found: number): number {
    const { writer, next } = this.known(id);
    return this.#memo(next, at, found + 2, 2, () =>
      this.#idOf({ ...writer, pending: writer.pending.with(at, found) }),
    );
  }

  /** It is known now that the request to `at` has landed. */
  accepted(id: number, at: number): number {
    return this.#told(id, at, none, () => ({ ...this.#report(at, []), status: 'accepted' }));
  }

  /** It is known now that the server `at` held `row` instead. */
  surprised(id: number, at: number, row: number): number {
    return this.#told(id, at, row, () => ({
      ...this.#report(at, this.row(row)),
      status: 'surprised',
    }));
  }

  /** The request to `at` is given up; it may have landed, or land yet. */
  gaveUp(id: number, at: number): number {
    return this.#told(id, at, landed, () => ({ ...this.#report(at, []), status: 'unknown' }));
  }

  #report(at: number, row: readonly Mark[]): Omit<WriteReport, 'status'> {
    return {
      server: `s${at}`,
      isReread: false,
      seen: this.seen(row),
      proven: [...row].flatMap((mark, shnum) =>
        mark === none || this.isRotten(mark)
          ? []
          : [
              { shnum, version: this.made(mark).version },
              // Of a number that nothing has.
              ...this.#above(mark).map((version) => ({ shnum: this.model.total, version })),
            ],
      ),
      failure: null,
    };
  }

  /** Of what `mark` was built on what writers are to know. */
  #above(mark: Mark): readonly Version[] {
    return this.model.covers ? this.parentsOf(mark) : [];
  }

  #told(id: number, at: number, what: number, report: () => WriteReport): number {
    const { writer, next } = this.known(id);
    return this.#memo(next, at, what + 2, 1, () => {
      const books = writer.record as PublishRecord;
      const record = this.#kernels.apply(books, { type: 'settled', report: report() });
      return this.#carriedOn({ ...writer, record, pending: writer.pending.with(at, none) });
    });
  }

  #memo(
    next: Map<number, number>,
    at: number,
    what: number,
    event: number,
    make: () => number,
  ): number {
    return this.#once(next, (what * 32 + at) * 4 + event, make);
  }

  #once(next: Map<number, number>, key: number, make: () => number): number {
    const known = next.get(key);
    if (known !== undefined) return known;
    const made = make();
    next.set(key, made);
    return made;
  }

  seen(row: readonly Mark[]): readonly SeenShare[] {
    return row.flatMap((mark, shnum) =>
      mark === none ? [] : [{ shnum, checkstring: this.made(mark).version.checkstring }],
    );
  }

  /** The map of somebody who heard these rows; the other servers did not answer. */
  mapOf(heard: readonly number[]): Servermap {
    const rows = heard.map((row) => (row === none ? [] : this.row(row)));
    const holdings = rows.flatMap((row, server) =>
      row.flatMap((mark, shnum): Holding | readonly Holding[] => {
        if (mark === none) return [];
        const { version } = this.made(mark);
        if (!this.isRotten(mark)) return goodAt(`s${server}`, shnum, version);
        return { server: `s${server}`, shnum, verdict: bad(version.checkstring) };
      }),
    );
    const marks = new Set(rows.flat().filter((mark) => mark !== none && !this.isRotten(mark)));
    const failed = heard.flatMap((row, i) => (row === none ? [[`s${i}`, 'failed']] : []));
    const versions = [...marks].map((mark) => this.made(mark).version);
    return mapOf(heard.length, holdings, versions, Object.fromEntries(failed));
  }

  #idOf(writer: Writer): number {
    const tokens = tokensOf(writer, this);
    const { globals, versions, locals, past } = tokens;
    const passed = past.flatMap((all) => [all.length, ...all.flat()]);
    const lengths = [globals.length, versions.length, ...locals.map(({ length }) => length)];
    const key = keyOf([...lengths, ...globals, ...versions, ...locals.flat(), ...passed]);
    return this.#writers.idOf(key, () => {
      const own = [...marksIn([...globals, ...locals.flat()]), ...versions];
      return {
        writer,
        ...tokens,
        flights: this.#flightsOf(writer),
        slots: this.#slotsOf(writer),
        own: [...new Set(own)],
        marks: [...new Set([...own, ...marksIn(past.flat(2))])],
        next: new Map(),
        plan: null,
      };
    });
  }
}
