/**
 * @module repair-kernel: every decision of a repair: what is wrong, and the fewest writes that
 * help.
 *
 * Everybody is asked, and every block of the best version is judged. What is missing or bad of it
 * is placed again, byte for byte, with no new seqnum. Only shares that this may not replace (a
 * rival that is as new, say) take a new version, which is the best one written over itself. What
 * would lose something is refused: a newer version that cannot be read, a fork, or what may be
 * acknowledged.
 */
import { type Failure, internalFailure } from './failure.ts';
import { beyondMemory, beyondReading } from './limits.ts';
import { oncePer } from './once.ts';
import {
  firstRequests,
  type PublishReport,
  placedOf,
  start as startPublish,
} from './publish-kernel.ts';
import type { PublishPlan } from './publish-record.ts';
import { isHeard, quorumOf, reachOf, rivalsOf, viewOf } from './quorum.ts';
import { type GridView, newestIn } from './read-kernel.ts';
import { corruptShares, type VersionReadEnd } from './read-version-kernel.ts';
import type { RetrieveReport, ShareSource } from './retrieve-kernel.ts';
import { keptOf, type Recipe, type Span, wholeRange } from './rewrite.ts';
import {
  bestVersion,
  type Format,
  type Hex,
  newerUnrecoverable,
  newestOf,
  type Place,
  recoverableVersions,
  type ServerId,
  type Servermap,
  sharesOf,
  type Version,
  withMarked,
} from './servermap.ts';
import { type Verification, verificationOf } from './verify-kernel.ts';
import { knownMap, type Obstacle } from './write-kernel.ts';

/** What a repair is told, and does not change. */
export interface RepairTask {
  /** Of the cap. */
  readonly format: Format;
  /** Whom to ask, and what makes a quorum. */
  readonly grid: GridView;
  /** Repair even if something would be lost by that. */
  readonly force: boolean;
  /** The newest version that is acknowledged, or that was seen and may be. */
  readonly newest: Version | null;
}

/** The books of a repair. */
export interface RepairRecord extends RepairTask {
  /** From before, or by the map: without it a repair can find but not write. */
  readonly hasPrivateKey: boolean;
  /** Of everybody. */
  readonly map: Servermap | null;
  /** What every block of every share of a version turned out to be. */
  readonly judged: Readonly<Record<Hex, RetrieveReport>>;
  /** Whether the contents of the best version have been read. */
  readonly isRead: boolean;
  /** Null until it is; one that fell short is an obstacle. */
  readonly published: PublishReport | null;
  /** Of everybody, after that. */
  readonly after: Servermap | null;
  /** The first one, which ends the repair; null while there is none. */
  readonly obstacle: RepairObstacle | null;
}

/** What stands in the way of a repair. */
export type RepairObstacle =
  | Obstacle
  /** These would be lost. */
  | { readonly kind: 'atStake'; readonly versions: readonly Version[]; readonly map: Servermap };

/** The books of a new repair. */
export function start(task: RepairTask, hasPrivateKey: boolean): RepairRecord {
  const nothing = { map: null, judged: {}, isRead: false, published: null };
  return { ...task, hasPrivateKey, ...nothing, after: null, obstacle: null };
}

/** What the children of a repair report. */
export type RepairFact =
  | { readonly type: 'mapped'; readonly map: Servermap }
  | { readonly type: 'judged'; readonly version: Hex; readonly report: RetrieveReport }
  | { readonly type: 'read'; readonly end: VersionReadEnd }
  | { readonly type: 'published'; readonly report: PublishReport }
  | { readonly type: 'confirmed'; readonly map: Servermap }
  /** A bug in what the runtime provides. */
  | { readonly type: 'failed'; readonly failure: Failure };

/** How it was done: nothing had to be, or could be; the same version again; or a new one. */
export type RepairWay = 'nothing' | 'again' | 'merge';

/** What a repair found, wrote, and left. */
export interface RepairFinding {
  /** `merge` alone takes a new seqnum. */
  readonly way: RepairWay;
  /** What was found at first. */
  readonly before: Verification;
  /** Null where nothing was written. */
  readonly report: PublishReport | null;
  /** Places that have been written. */
  readonly placed: readonly Place[];
  /** Who holds what now. */
  readonly after: Servermap;
}

/** How a repair ended. */
export type RepairEnd =
  | { readonly kind: 'repaired'; readonly finding: RepairFinding }
  | { readonly kind: 'failed'; readonly obstacle: RepairObstacle };

/** What a repair does next, or how it ended. */
export type RepairDecision =
  | { readonly kind: 'map' }
  | { readonly kind: 'judge'; readonly map: Servermap; readonly version: Version }
  | {
      readonly kind: 'read';
      readonly map: Servermap;
      readonly version: Version;
      readonly ranges: readonly Span[];
    }
  | { readonly kind: 'publish'; readonly plan: PublishPlan; readonly recipe: Recipe }
  | { readonly kind: 'confirm'; readonly map: Servermap }
  | RepairEnd;

/** What to do next. */
export const decide = oncePer(decideOn);

function decideOn(record: RepairRecord): RepairDecision {
  const { obstacle, map, judged, published, after } = record;
  if (obstacle !== null) return failed(obstacle);
  if (map === null) return { kind: 'map' };
  const known = judgedMap(map, judged);
  if (published !== null) {
    if (after === null) return { kind: 'confirm', map: known };
    return repaired(record, known, published, after);
  }
  const readable = judgedMap(map, blocksOf(judged));
  const version = bestVersion(readable);
  if (version === undefined) return failed({ kind: 'unrecoverable', map: known });
  const beyond = beyondReading(version);
  if (beyond !== null) return failed({ kind: 'beyondLimit', beyond });
  if (judged[version.id] === undefined) return { kind: 'judge', map: known, version };
  const maps = { known, readable };
  const isAgain = !needsMerge(record, known, version);
  const atStake = record.force ? null : obstacleIn(record, maps, version, isAgain);
  return atStake === null ? repairOf(record, maps, version, isAgain) : failed(atStake);
}

/** The maps of a repair: what is good as a share, and what is good enough to be read. */
interface Maps {
  readonly known: Servermap;
  /** With the shares that lack nothing but the private key. */
  readonly readable: Servermap;
}

/** What was found of the blocks alone: a share without the private key can be read. */
function blocksOf(judged: RepairRecord['judged']): RepairRecord['judged'] {
  const isKeyless = ({ failure }: ShareSource) => failure?.kind === 'keyless';
  return Object.fromEntries(
    Object.entries(judged).map(([id, report]) => {
      return [id, { ...report, sources: report.sources.filter((it) => !isKeyless(it)) }];
    }),
  );
}

function failed(obstacle: RepairObstacle): RepairEnd {
  return { kind: 'failed', obstacle };
}

/**
 * What is known when blocks have been judged: what is corrupt is bad; of a server that did not
 * give its blocks in time nothing is known.
 */
function judgedMap(map: Servermap, judged: RepairRecord['judged']): Servermap {
  const marked = marksIn(map, judged);
  const silent = new Map(
    Object.values(judged).flatMap(({ sources }) =>
      sources.flatMap(({ server, status, failure }) =>
        status === 'failed' ? [[server, failure] as const] : [],
      ),
    ),
  );
  const { holdings } = withMarked(map, marked);
  return {
    ...map,
    servers: map.servers.map((server) =>
      silent.has(server.id)
        ? { ...server, status: 'failed', failure: silent.get(server.id) ?? null }
        : server,
    ),
    holdings: holdings.filter(({ server }) => !silent.has(server)),
  };
}

// --- what would be lost -------------------------------------------------------------------------

function obstacleIn(
  { newest, grid }: RepairRecord,
  { known, readable: map }: Maps,
  version: Version,
  isAgain: boolean,
): RepairObstacle | null {
  if (newest !== null && newest.seqnum > version.seqnum) {
    return { kind: 'versionLost', lost: newest, map };
  }
  const versions = [...newerUnrecoverable(map), ...forksOf(map, version)];
  if (versions.length > 0) return { kind: 'atStake', versions, map };
  const quorum = quorumOf(grid.membership, version.total);
  // Where too few answer, no version stands in the way: there are not enough servers to write to.
  if (map.servers.filter(isHeard).length < quorum.size) return null;
  const isSafe = reachOf(viewOf(known, quorum), version, isAgain).size >= quorum.size;
  return isSafe ? null : { kind: 'noBase', rivals: rivalsOf(map), map };
}

/** Other versions that can be read, and as new as `version`, which is the best of them. */
function forksOf(map: Servermap, { id, seqnum }: Version): readonly Version[] {
  return recoverableVersions(map).filter((other) => other.seqnum === seqnum && other.id !== id);
}

// --- what to write ------------------------------------------------------------------------------

function repairOf(
  record: RepairRecord,
  { known: map, readable }: Maps,
  version: Version,
  isAgain: boolean,
): RepairDecision {
  const plan = planOf(record, map, version, isAgain);
  const isPossible = firstRequests(startPublish(plan)).length > 0;
  const isShort = sharesOf(map, version.id).size < version.total;
  if (isAgain && !isPossible && !isShort) return nothingToDo(record, map, version);
  const obstacle = writingObstacle(record, map, version);
  if (obstacle !== null) return failed(obstacle);
  const { id, required, total } = version;
  const ranges = wholeRange(version);
  // Where too few servers can be written to, the publish says so, and nothing is read for it.
  if (isPossible && !record.isRead && ranges.length > 0) {
    return { kind: 'read', map: readable, version, ranges };
  }
  const parts = keptOf(version);
  const recipe: Recipe = isAgain
    ? { kind: 'again', version: id, places: placesOf(readable, version), parts }
    : { kind: 'whole', required, total, parts };
  return { kind: 'publish', plan, recipe };
}

/** What keeps from making shares of `version`. */
function writingObstacle(
  { hasPrivateKey, format }: RepairRecord,
  map: Servermap,
  version: Version,
): Obstacle | null {
  if (!hasPrivateKey) return { kind: 'missingPrivateKey', map };
  if (version.format !== format) return { kind: 'wrongFormat', cap: format, file: version.format };
  const beyond = beyondMemory(version.dataLength);
  return beyond === null ? null : { kind: 'beyondLimit', beyond };
}

function planOf(
  { grid, force, newest }: RepairRecord,
  map: Servermap,
  version: Version,
  isAgain: boolean,
): PublishPlan {
  const { required, total } = version;
  return {
    map: knownMap(newest, map),
    base: version,
    quorum: quorumOf(grid.membership, total),
    ...{ required, total, wholeShares: true },
    ...(isAgain ? { force: false, isAgain } : { force }),
    spread: Math.min(total, map.servers.length),
  };
}

/** Whether a new version can replace what the same one can not, or has to be the newest. */
function needsMerge(
  { grid, force, newest }: RepairRecord,
  map: Servermap,
  version: Version,
): boolean {
  if (newest !== null && newest.seqnum > version.seqnum) return true;
  const view = viewOf(map, quorumOf(grid.membership, version.total));
  const [again, anew] = [reachOf(view, version, true), reachOf(view, version)];
  const isReached = (id: ServerId) => force || anew.has(id);
  // What nobody can test for stays, whatever is written.
  const isOpen = (id: ServerId) =>
    map.holdings.every(
      ({ server, shnum, verdict }) =>
        server !== id || (shnum < version.total && verdict.kind !== 'unverified'),
    );
  const isLeft = (id: ServerId) => !again.has(id) && isReached(id) && isOpen(id);
  return map.servers.some((server) => isHeard(server) && isLeft(server.id));
}

function placesOf(map: Servermap, version: Version): readonly Place[] {
  return [...sharesOf(map, version.id)].flatMap(([shnum, servers]) =>
    servers.map((server) => ({ server, shnum })),
  );
}

// --- how it ends --------------------------------------------------------------------------------

function nothingToDo(record: RepairRecord, map: Servermap, version: Version): RepairEnd {
  const before = foundIn(record, version);
  return {
    kind: 'repaired',
    finding: { way: 'nothing', before, report: null, placed: [], after: map },
  };
}

function repaired(
  record: RepairRecord,
  map: Servermap,
  report: PublishReport,
  after: Servermap,
): RepairEnd {
  const [base, version] = [report.base as Version, report.version as Version];
  const way = version.id === base.id ? 'again' : 'merge';
  const before = foundIn(record, base);
  // What was there already counts as placed, too.
  const there = placesOf(map, version);
  const placed = placedOf(report)
    .filter((place) => !isAmong(there, place))
    .map(({ server, shnum }) => ({ server, shnum }));
  return { kind: 'repaired', finding: { way, before, report, placed, after } };
}

/** What was found when the version was judged. */
function foundIn({ map, judged }: RepairRecord, version: Version): Verification {
  return verificationOf(map as Servermap, version, judged[version.id] as RetrieveReport);
}

function isAmong(places: readonly Place[], { server, shnum }: Place): boolean {
  return places.some((place) => place.server === server && place.shnum === shnum);
}

/** The shares whose blocks are corrupt: what a reader of the contents is not to be given. */
export function marksToRead({ map, judged }: RepairRecord) {
  return marksIn(map, blocksOf(judged));
}

/** The shares that were found corrupt, and that are still there. */
export function marksLeft({ map, judged, published }: RepairRecord) {
  return marksIn(map, judged).filter(
    (place) => published === null || !isAmong(placedOf(published), place),
  );
}

function marksIn(map: Servermap | null, judged: RepairRecord['judged']) {
  return Object.entries(judged).flatMap(([id, report]) =>
    corruptShares(report, map?.versions[id] as Version),
  );
}

// --- the books ----------------------------------------------------------------------------------

/** The books after `fact`. */
export function apply(record: RepairRecord, fact: RepairFact): RepairRecord {
  switch (fact.type) {
    case 'mapped': {
      const hasPrivateKey = record.hasPrivateKey || fact.map.privateKey === 'found';
      return { ...record, map: fact.map, hasPrivateKey };
    }
    case 'judged': {
      const { version, report } = fact;
      if (report.kind === 'delivered' || report.kind === 'notEnoughShares') {
        return { ...record, judged: { ...record.judged, [version]: report } };
      }
      const failure = report.failure ?? internalFailure(report.kind);
      return { ...record, obstacle: { kind: 'failed', failure } };
    }
    case 'read':
      return afterRead(record, fact.end);
    case 'published': {
      const { report } = fact;
      if (report.kind === 'published') return { ...record, published: report };
      return { ...record, obstacle: { kind: 'notPublished', report } };
    }
    case 'confirmed':
      return { ...record, after: fact.map };
    case 'failed':
      return { ...record, obstacle: { kind: 'failed', failure: fact.failure } };
  }
}

function afterRead(record: RepairRecord, end: VersionReadEnd): RepairRecord {
  switch (end.kind) {
    case 'delivered':
      return { ...record, isRead: true };
    case 'notEnoughShares': {
      const { version, report } = end;
      return { ...record, obstacle: { kind: 'notEnoughShares', version, report } };
    }
    case 'failed':
      return { ...record, obstacle: end };
  }
}

/** The newest version that this repair has seen or made and that may be acknowledged. */
export function newestSeen({ map, grid, newest, published }: RepairRecord): Version | null {
  const seen = map === null ? null : newestOf(newest, newestIn(map, grid));
  return newestOf(seen, published?.version ?? undefined);
}
