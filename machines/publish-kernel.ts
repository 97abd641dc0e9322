/**
 * @module publish-kernel: every decision of a publish, as pure functions.
 *
 * A publish writes every share of one new version with a test-and-set: the new bytes land only
 * where the place still holds what the servermap saw there. `planWrites` chooses who gets what,
 * `applyWrite` keeps the books, `decideOutcome` reads them (`publish.py` `update_goal`,
 * `_got_write_answer`, `_done`; what differs from Tahoe is marked with the reason).
 */
import type { Failure } from './failure.ts';
import { type Expectation, isLike, isStale } from './publish-claims.ts';
import type { WriteReport, WriteStatus, WriteTest } from './reports.ts';
import {
  bestVersion,
  type Hex,
  highestSeqnum,
  newerUnrecoverable,
  type ServerId,
  type Servermap,
  sharesOf,
  type Version,
} from './servermap.ts';

export type { WriteReport, WriteTest } from './reports.ts';

export interface Write {
  readonly server: ServerId;
  readonly shnum: number;
  readonly test: WriteTest;
  readonly status: WriteStatus;
  /** Counts from 0; the same place is tried again when it held a version that we know. */
  readonly attempt: number;
  /** What went wrong with it last. */
  readonly failure: Failure | null;
}

/** A share that nobody expected: somebody else has written. */
export interface Surprise {
  readonly server: ServerId;
  readonly shnum: number;
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

function samePlace(
  a: { server: ServerId; shnum: number },
  b: { server: ServerId; shnum: number },
): boolean {
  return a.server === b.server && a.shnum === b.shnum;
}

/**
 * Versions that a write would destroy without having built on them: newer than anything readable,
 * or as new as the base, and perhaps acknowledged.
 */
export function newerEvidence(
  input: Pick<PublishPlanInput, 'map' | 'happy' | 'force'>,
): readonly Version[] {
  const { map, force } = input;
  if (force) return [];
  const rivals = Object.values(map.versions).filter((version) => mayRivalBase(input, version));
  return [...newerUnrecoverable(map), ...rivals];
}

/**
 * Whether `version` has the base's seqnum and may have been acknowledged. If it was, a quorum holds
 * it (silent servers may be among them), and none of its shares is missing everywhere: one whose
 * server fails gets another server, and only a higher seqnum replaces one.
 */
function mayRivalBase(
  { map, happy }: Pick<PublishPlanInput, 'map' | 'happy'>,
  { id, seqnum, total }: Version,
): boolean {
  const base = bestVersion(map);
  if (base === undefined || id === base.id || seqnum !== base.seqnum) return false;
  const shares = sharesOf(map, id);
  const holders = new Set([...shares.values()].flat());
  const silent = map.servers.filter(
    (server) => !holders.has(server.id) && server.status !== 'good' && server.status !== 'empty',
  ).length;
  const quorum = Math.min(happy, total, map.servers.length);
  return holders.size + silent >= quorum && (silent > 0 || shares.size >= total);
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

/** The books after `report`. */
export function applyWrite(record: PublishRecord, report: WriteReport): PublishRecord {
  const write = record.writes.find((w) => samePlace(w, report));
  if (write?.status !== 'writing') return record;
  const failures = report.failure === null ? record.failures : [...record.failures, report.failure];
  const settled = { ...write, status: report.status, failure: report.failure ?? write.failure };
  const books = withWrite({ ...record, failures }, settled);
  switch (report.status) {
    case 'accepted':
      return noteBystanders(books, report);
    case 'surprised':
      return noteBystanders(noteSurprise(books, settled, report), report);
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
  const next = { ...record, writes, avoided: [...record.avoided, server] };
  // After a surprise somebody else's version counts: ours is not spread any further.
  return next.surprises.length > 0 ? next : withHomes(next);
}

/** The place held something else than its test: our own share, another writer's, or an old one. */
function noteSurprise(record: PublishRecord, write: Write, report: WriteReport): PublishRecord {
  const { server, shnum } = write;
  const found = report.seen.find((share) => share.shnum === shnum)?.checkstring ?? null;
  if (found !== null && found === record.version?.checkstring) {
    return withWrite(record, { ...write, status: 'accepted' });
  }
  if (found !== null && report.proven.includes(shnum) && !isStale(record, found)) {
    return { ...record, surprises: [...record.surprises, { server, shnum, found }] };
  }
  // The share is gone or damaged, or the map ended before it came to this server.
  if (record.wholeShares && record.surprises.length > 0) return record;
  const attempt = write.attempt + 1;
  if (record.wholeShares && attempt < attemptsMax) {
    return withWrite(record, { ...write, test: testFor(found), status: 'planned', attempt });
  }
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
  let books = record;
  for (const { shnum, checkstring } of report.seen) {
    if (shnum >= record.total || shnum === report.shnum) continue;
    if (checkstring === record.version?.checkstring) continue;
    const write = record.writes.find((w) => samePlace(w, { server, shnum }));
    if (write?.test.kind === 'begins' && isLike(write.test.head, checkstring)) continue;
    if (report.proven.includes(shnum) && !isStale(record, checkstring)) {
      const surprise = { server, shnum, found: checkstring };
      books = { ...books, surprises: [...books.surprises, surprise] };
    } else if (write === undefined && record.wholeShares && books.surprises.length === 0) {
      // An old or damaged share that the map did not come to: it would stay behind.
      const added: Write = planned(server, shnum, testFor(checkstring));
      books = { ...books, writes: [...books.writes, added] };
    }
  }
  return books;
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

/** The books once the new version is encoded and signed. */
export function withPrepared(record: PublishRecord, version: Version): PublishRecord {
  return { ...record, version };
}

/** The books once every planned write is under way. */
export function startPlanned(record: PublishRecord): PublishRecord {
  const writes = record.writes.map((w) =>
    w.status === 'planned' ? { ...w, status: 'writing' as const } : w,
  );
  return { ...record, writes };
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

export function plannedWrites(record: PublishRecord): readonly Write[] {
  return record.writes.filter(({ status }) => status === 'planned');
}

/** Whether no write is planned or under way. */
export function isSettled(record: PublishRecord): boolean {
  return record.writes.every(({ status }) => status !== 'planned' && status !== 'writing');
}

export type PublishKind = 'published' | 'uncoordinated' | 'indeterminate' | 'notEnoughServers';

/** How a settled publish ends. */
export function decideOutcome(record: PublishRecord): PublishKind {
  if (record.surprises.length > 0) return 'uncoordinated';
  const accepted = record.writes.filter(({ status }) => status === 'accepted');
  if (isPlaced(record, accepted)) return 'published';
  const maybe = record.writes.filter(({ status }) => status === 'unknown');
  return isPlaced(record, [...accepted, ...maybe]) ? 'indeterminate' : 'notEnoughServers';
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
