/**
 * @module publish-kernel: every decision of a publish, as pure functions.
 *
 * A publish writes every share of one new version with a test-and-set: the new bytes land only
 * where the place still holds what the servermap saw there. `planWrites` chooses who gets what,
 * `apply(record, fact)` keeps the books, `decide(record)` reads them (`publish.py` `update_goal`,
 * `_got_write_answer`, `_done`; what differs from Tahoe is marked with the reason).
 */
import type { Failure } from './failure.ts';
import { type Expectation, isLike, isStale } from './publish-claims.ts';
import type { SeenShare, WriteReport, WriteStatus, WriteTest } from './reports.ts';
import {
  bestVersion,
  type Hex,
  highestSeqnum,
  type Place,
  type ServerId,
  type Servermap,
  type Version,
} from './servermap.ts';

export type { WriteReport, WriteTest } from './reports.ts';

export interface Write extends Place {
  readonly test: WriteTest;
  readonly status: WriteStatus;
  /** Counts from 0; the same place is tried again when it held a version that we know. */
  readonly attempt: number;
  /** What went wrong with it last. */
  readonly failure: Failure | null;
}

/** A share that nobody expected: somebody else has written. */
export interface Surprise extends Place {
  readonly found: Hex;
}

export interface PublishGoal {
  readonly required: number;
  readonly total: number;
  /** Distinct servers that must hold the new version: min(happy, N, servers in the grid). */
  readonly quorum: number;
  readonly seqnum: number;
  /**
   * Whether whole shares are written, so that any share can go to any server; an in-place update
   * can only change the shares of the version that it builds on.
   */
  readonly wholeShares: boolean;
}

/** The books of one publish. */
export interface PublishRecord extends PublishGoal {
  /** In permuted order. */
  readonly servers: readonly ServerId[];
  /** Servers not to be given anything (more): they failed, in the map or here. */
  readonly avoided: readonly ServerId[];
  /** Checkstrings of the versions that may be replaced wherever they turn up: the base's. */
  readonly replaceable: readonly Hex[];
  /** What the new version names as its parent: the base; null where there is none. */
  readonly base: Hex | null;
  /** The new version, once prepared. */
  readonly version: Version | null;
  readonly writes: readonly Write[];
  readonly surprises: readonly Surprise[];
  readonly failures: readonly Failure[];
}

export interface PublishPlanInput {
  readonly map: Servermap;
  readonly required: number;
  readonly total: number;
  readonly happy: number;
  readonly wholeShares: boolean;
  /** Write over versions that are newer than anything readable. */
  readonly force: boolean;
}

/** How often one place is tried when it turns out to hold a version that the map knows. */
const attemptsMax = 3;

/** The books before the first write: every known place, and a home for every homeless share. */
export function planWrites(input: PublishPlanInput): PublishRecord {
  const { map, required, total, happy, wholeShares } = input;
  const servers = map.servers.map(({ id }) => id);
  const record: PublishRecord = {
    required,
    total,
    quorum: Math.min(happy, total, servers.length),
    seqnum: highestSeqnum(map) + 1,
    wholeShares,
    servers,
    avoided: map.servers.filter(({ status }) => status === 'failed').map(({ id }) => id),
    replaceable: replaceableVersions(input).map(({ checkstring }) => checkstring),
    base: bestVersion(map)?.id ?? null,
    version: null,
    writes: knownPlaces(input),
    surprises: [],
    failures: [],
  };
  return withHomes(record);
}

/**
 * The base; with `force`, every version. A rival of the base is replaced only where the map saw it.
 * In any other place its writer is still at work, and may yet be told that it has succeeded.
 */
function replaceableVersions({ map, force }: PublishPlanInput): readonly Version[] {
  const base = bestVersion(map);
  return force ? Object.values(map.versions) : base === undefined ? [] : [base];
}

/** One write per place whose content is known, whichever version it holds, good or bad. */
function knownPlaces({ map, total, wholeShares }: PublishPlanInput): readonly Write[] {
  const base = bestVersion(map)?.id;
  return map.holdings.flatMap(({ server, shnum, verdict }) => {
    // A share number beyond N belongs to another encoding; an unverified share cannot be tested.
    if (shnum >= total || verdict.kind === 'unverified') return [];
    if (verdict.kind === 'bad') {
      return wholeShares ? [planned(server, shnum, testFor(verdict.head))] : [];
    }
    // Segments of the new version in a share of an older one would make a share of neither.
    if (!wholeShares && verdict.version !== base) return [];
    return [
      planned(server, shnum, testFor((map.versions[verdict.version] as Version).checkstring)),
    ];
  });
}

/** Whether `write` holds, or may yet come to hold, its share. */
function isHome({ status }: Write): boolean {
  return status === 'planned' || status === 'writing' || status === 'accepted';
}

/**
 * `record` with a planned write for every share number that has no home, and for copies while the
 * homes are on fewer servers than the quorum asks for (a grid may have grown since the last write).
 * Servers that hold fewest come first, then permuted order; unlike Tahoe, a share whose server
 * failed is homeless again.
 */
function withHomes(record: PublishRecord): PublishRecord {
  if (!record.wholeShares) return record;
  const homes = record.writes.filter(isHome);
  const homeless = Array.from({ length: record.total }, (_, shnum) => shnum).filter(
    (shnum) => !homes.some((write) => write.shnum === shnum),
  );
  const load = new Map(record.servers.map((server) => [server, 0]));
  for (const { server } of homes) load.set(server, (load.get(server) ?? 0) + 1);
  const candidates = record.servers
    .filter((server) => !record.avoided.includes(server))
    .sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0));
  const idle = candidates.filter((server) => load.get(server) === 0).length;
  const lacking = Math.min(record.quorum - new Set(homes.map(({ server }) => server)).size, idle);
  const copies = crowdedShnums(homes).slice(0, Math.max(0, lacking - homeless.length));
  // No place gets two writes: a write that is no home is on an avoided server, and copies go to
  // idle servers.
  const added = [...homeless, ...copies].flatMap((shnum, i) => {
    const server = candidates[i % candidates.length];
    return server === undefined ? [] : [planned(server, shnum, { kind: 'absent' })];
  });
  return { ...record, writes: [...record.writes, ...added] };
}

/** The shares of each server but its first. */
function crowdedShnums(homes: readonly Write[]): readonly number[] {
  const isFirst = (write: Write) => homes.find(({ server }) => server === write.server) === write;
  return homes.filter((write) => !isFirst(write)).map(({ shnum }) => shnum);
}

function samePlace(a: Place, b: Place): boolean {
  return a.server === b.server && a.shnum === b.shnum;
}

/**
 * Whether the plan can end well if every write succeeds. If not, nothing is written at all: half
 * a version on too few servers helps nobody.
 */
export function canSucceed(record: PublishRecord): boolean {
  const usable = record.writes.filter(({ server }) => !record.avoided.includes(server));
  return isPlaced(record, usable);
}

/** Whether these writes would put enough shares on enough distinct servers. */
function isPlaced(record: PublishRecord, writes: readonly Write[]): boolean {
  return (
    new Set(writes.map(({ server }) => server)).size >= record.quorum &&
    new Set(writes.map(({ shnum }) => shnum)).size >= record.required
  );
}

/** How a report is taken: once another writer was seen, nothing more is placed anywhere. */
export type WritingMode = 'placing' | 'yielding';

export type PublishFact =
  /** The new version is encoded and signed. */
  | { readonly type: 'prepared'; readonly version: Version }
  /** Every planned write is under way. */
  | { readonly type: 'begun' }
  | { readonly type: 'settled'; readonly report: WriteReport; readonly mode: WritingMode }
  /** The new version could not be made. */
  | { readonly type: 'failed'; readonly failure: Failure };

/** The books after `fact`. A report of a write that is not under way changes nothing. */
export function apply(record: PublishRecord, fact: PublishFact): PublishRecord {
  switch (fact.type) {
    case 'prepared':
      return { ...record, version: fact.version };
    case 'begun':
      return { ...record, writes: record.writes.map(begun) };
    case 'settled':
      return applyReport(record, fact.report, fact.mode);
    case 'failed':
      return { ...record, failures: [...record.failures, fact.failure] };
  }
}

function begun(write: Write): Write {
  return write.status === 'planned' ? { ...write, status: 'writing' } : write;
}

/** How `report` is to be taken: this one's surprise counts as well. */
export function modeOf(record: PublishRecord, report: WriteReport): WritingMode {
  const { surprises } = applyReport(record, report, 'yielding');
  return surprises.length > 0 ? 'yielding' : 'placing';
}

function applyReport(record: PublishRecord, report: WriteReport, mode: WritingMode): PublishRecord {
  const write = record.writes.find((w) => samePlace(w, report));
  if (write?.status !== 'writing') return record;
  const books = noteReport(record, write, report);
  return mode === 'placing' && record.wholeShares ? placedAgain(books, report) : books;
}

/** What `report` says, and no plan. */
function noteReport(record: PublishRecord, write: Write, report: WriteReport): PublishRecord {
  const failures = report.failure === null ? record.failures : [...record.failures, report.failure];
  const settled = { ...write, status: report.status, failure: report.failure ?? write.failure };
  const books = withWrite({ ...record, failures }, settled);
  switch (report.status) {
    case 'accepted':
      return noteBystanders(books, report);
    case 'surprised':
      return noteBystanders(noteFound(books, settled, report), report);
    case 'refused':
    case 'failed':
    case 'unknown':
      return withoutServer(books, report.server, report.failure);
  }
}

/** Nothing more goes to this server; when it contradicts itself, what it accepted is in doubt. */
function withoutServer(
  record: PublishRecord,
  server: ServerId,
  failure: Failure | null,
): PublishRecord {
  const isDoubtful = ({ server: at, status }: Write) =>
    failure?.kind === 'contradictory' && at === server && status === 'accepted';
  const writes = record.writes.map((w) =>
    isDoubtful(w) ? { ...w, status: 'unknown' as const } : w,
  );
  return { ...record, writes, avoided: [...record.avoided, server] };
}

/** The place held something else than its test: our own share, another writer's, or an old one. */
function noteFound(record: PublishRecord, write: Write, report: WriteReport): PublishRecord {
  const { server, shnum } = write;
  const found = foundIn(report);
  if (found === record.version?.checkstring) {
    return withWrite(record, { ...write, status: 'accepted' });
  }
  if (found !== null && report.proven.includes(shnum) && !isStale(record, found)) {
    return { ...record, surprises: [...record.surprises, { server, shnum, found }] };
  }
  // The share is gone or damaged, or the map ended before it came to this server.
  return record.wholeShares ? record : withReplaced(record, write);
}

function foundIn({ shnum, seen }: WriteReport): Hex | null {
  return seen.find((share) => share.shnum === shnum)?.checkstring ?? null;
}

/** The write is given up, and its server with it: what is there is not what was to be replaced. */
function withReplaced(record: PublishRecord, write: Write): PublishRecord {
  const { server, shnum } = write;
  const detail = `server ${server}: share ${shnum} is not what was seen there before`;
  const failure: Failure = { kind: 'replaced', detail };
  const books = { ...record, failures: [...record.failures, failure] };
  return withoutServer(withWrite(books, { ...write, status: 'failed' }), server, failure);
}

/**
 * Shares that the server holds beside the written one. Another writer's is a surprise even if a
 * write of ours to its place is under way: that write may get lost, and then never reports it.
 */
function noteBystanders(record: PublishRecord, report: WriteReport): PublishRecord {
  const { server } = report;
  const isRival = ({ shnum, checkstring }: SeenShare) => {
    if (shnum >= record.total || shnum === report.shnum) return false;
    if (checkstring === record.version?.checkstring) return false;
    const write = record.writes.find((w) => samePlace(w, { server, shnum }));
    if (write?.test.kind === 'begins' && isLike(write.test.head, checkstring)) return false;
    return report.proven.includes(shnum) && !isStale(record, checkstring);
  };
  const rivals = report.seen
    .filter(isRival)
    .map(({ shnum, checkstring }) => ({ server, shnum, found: checkstring }));
  return { ...record, surprises: [...record.surprises, ...rivals] };
}

/** The books with a planned write for whatever lacks one after `report`, which shows no rival. */
function placedAgain(record: PublishRecord, report: WriteReport): PublishRecord {
  switch (report.status) {
    case 'accepted':
      return withStrays(record, report);
    case 'surprised':
      return withStrays(triedAgain(record, report), report);
    case 'refused':
    case 'failed':
    case 'unknown':
      return withHomes(record);
  }
}

/** A share that is gone, damaged or old is written over: as it was found is the next test. */
function triedAgain(record: PublishRecord, report: WriteReport): PublishRecord {
  const write = record.writes.find((w) => samePlace(w, report)) as Write;
  // It is our own share that was found.
  if (write.status === 'accepted') return record;
  const attempt = write.attempt + 1;
  if (attempt === attemptsMax) return withHomes(withReplaced(record, write));
  const test = testFor(foundIn(report));
  return withWrite(record, { ...write, test, status: 'planned', attempt });
}

/** Old or damaged shares that the map did not come to: they would stay behind. */
function withStrays(record: PublishRecord, { server, seen }: WriteReport): PublishRecord {
  const isStray = ({ shnum, checkstring }: SeenShare) =>
    shnum < record.total &&
    checkstring !== record.version?.checkstring &&
    !record.writes.some((w) => samePlace(w, { server, shnum }));
  const added = seen
    .filter(isStray)
    .map(({ shnum, checkstring }) => planned(server, shnum, testFor(checkstring)));
  return { ...record, writes: [...record.writes, ...added] };
}

function testFor(found: Hex | null): WriteTest {
  return found === null || found === '' ? { kind: 'absent' } : { kind: 'begins', head: found };
}

function planned(server: ServerId, shnum: number, test: WriteTest): Write {
  return { server, shnum, test, status: 'planned', attempt: 0, failure: null };
}

/** `record` with the one write to that place replaced. */
function withWrite(record: PublishRecord, write: Write): PublishRecord {
  return { ...record, writes: record.writes.map((w) => (samePlace(w, write) ? write : w)) };
}

/** What the child that does a write may find on its server. */
export function expectationOf(record: PublishRecord, { server, shnum }: Write): Expectation {
  const { total, seqnum, replaceable, writes } = record;
  const heads = writes.flatMap((other) =>
    other.server === server && other.shnum !== shnum && other.test.kind === 'begins'
      ? [{ shnum: other.shnum, head: other.test.head }]
      : [],
  );
  return { total, seqnum, replaceable, heads };
}

/** How a publish ends whose writes have their answers. */
export type PublishKind = 'published' | 'uncoordinated' | 'indeterminate' | 'notEnoughServers';

export type PublishDecision =
  /** Writes that are planned, to begin at once. */
  | { readonly kind: 'write'; readonly writes: readonly Write[] }
  | { readonly kind: 'wait' }
  | { readonly kind: PublishKind };

/** What to do next, once the new version is prepared. */
export function decide(record: PublishRecord): PublishDecision {
  const having = (status: WriteStatus) => record.writes.filter((w) => w.status === status);
  const next = having('planned');
  if (next.length > 0) return { kind: 'write', writes: next };
  if (having('writing').length > 0) return { kind: 'wait' };
  if (record.surprises.length > 0) return { kind: 'uncoordinated' };
  const accepted = having('accepted');
  if (isPlaced(record, accepted)) return { kind: 'published' };
  const isOpen = isPlaced(record, [...accepted, ...having('unknown')]);
  return { kind: isOpen ? 'indeterminate' : 'notEnoughServers' };
}

/** Where the new version is, and which shares are nowhere. */
export interface PublishReport {
  readonly kind: PublishKind | 'newerVersionSeen' | 'unprepared' | 'cancelled';
  readonly seqnum: number;
  /** The new version, if it was prepared. */
  readonly version: Version | null;
  readonly required: number;
  readonly total: number;
  readonly quorum: number;
  readonly writes: readonly Write[];
  readonly surprises: readonly Surprise[];
  readonly failures: readonly Failure[];
  /** Share numbers that no server is known to hold in the new version. */
  readonly missing: readonly number[];
  /** For `newerVersionSeen`. */
  readonly newer: readonly Version[];
}

/** The writes that put a share of the new version in its place. */
export function placedOf({ writes }: Pick<PublishReport, 'writes'>): readonly Write[] {
  return writes.filter(({ status }) => status === 'accepted');
}

export function reportOf(
  record: PublishRecord,
  kind: PublishReport['kind'],
  newer: readonly Version[],
): PublishReport {
  const { seqnum, version, required, total, quorum, writes, surprises, failures } = record;
  const placed = new Set(placedOf(record).map((w) => w.shnum));
  const missing = Array.from({ length: total }, (_, n) => n).filter((n) => !placed.has(n));
  return {
    kind,
    seqnum,
    version,
    required,
    total,
    quorum,
    writes,
    surprises,
    failures,
    missing,
    newer,
  };
}
