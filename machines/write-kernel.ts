/**
 * @module write-kernel: every decision of a write, between the charts that it invokes.
 *
 * Whatever is done next follows from the books, which hold the fresh map of this attempt; the base
 * is picked from it, every time. What stands in the way is an {@link Obstacle}, a value; another
 * writer may be why, and then it is worth another attempt, if there are any left.
 */
import type { Failure, Result } from './failure.ts';
import type { ReadTreesInput } from './io.ts';
import { beyondMemory, beyondReading, isEncodable } from './limits.ts';
import { contains, type Versions } from './lineage.ts';
import { oncePer } from './once.ts';
import type { PublishPlan, PublishReport } from './publish-kernel.ts';
import { chooseBase, isHeard, isOnQuorum, rivalsOf, worthRemembering } from './quorum.ts';
import { quorumIn } from './read-kernel.ts';
import { firstBlocks, type VersionReadEnd } from './read-version-kernel.ts';
import { isStillGood, mapAfter } from './remembered.ts';
import {
  inPlaceOf,
  keptOf,
  type Recipe,
  rangesToRead,
  recipeInPlace,
  recipeWhole,
  type Span,
  uniformBase,
  wholeRange,
} from './rewrite.ts';
import {
  bestVersion,
  type Format,
  highestSeqnum,
  isNamed,
  isRecoverable,
  type Mode,
  newestOf,
  type ServerId,
  type Servermap,
  silentIn,
  type Version,
  withMarked,
} from './servermap.ts';
import { type StaleShare, staleShares } from './stale.ts';
import type { Obstacle, WriteRecord, WriteTask } from './write-record.ts';

export type { Change, Obstacle, WriteRecord, WriteTask } from './write-record.ts';

/** @param remembered how the servers stood after the last write of this file, if that is known */
export function start(
  task: WriteTask,
  hasPrivateKey: boolean,
  newest: Version | null,
  remembered: Servermap | null = null,
): WriteRecord {
  const begun = { attempt: 0, hasPrivateKey, newest, marked: [], ...untouched };
  const record = { ...task, ...begun, ...fresh };
  if (remembered === null || !mayBeFromMemory(record)) return record;
  if (!isStillGood(remembered, task.servers, newest)) return record;
  const [version = null] = Object.values(remembered.versions);
  if (changeSeen(record, version) !== null) return record;
  return { ...record, map: remembered, isRemembered: true };
}

/** In bytes: with more to send, and again if it was in vain, a look costs next to nothing. */
const sizeFromMemory = 2 ** 19;

/** Whoever may end without a write, or shows the contents to somebody, has to ask. */
function mayBeFromMemory({ change, format, force, hasPrivateKey }: WriteRecord): boolean {
  if (force || !hasPrivateKey) return false;
  if (change.kind !== 'overwrite' && change.kind !== 'update') return false;
  if (change.size > sizeFromMemory) return false;
  // What is kept of an SDMF file is read with the look, as a rule.
  return change.kind === 'overwrite' || (format === 'mdmf' && change.size > 0);
}

/** Of a write that has not begun from memory, nor sent anything. */
const untouched = { forgotten: null, stumbled: [], isUntouched: true } as const;

/** An attempt knows nothing of the one before. */
const fresh = {
  map: null,
  isRemembered: false,
  trees: 'unread',
  isRead: false,
  modified: 'no',
  published: null,
  obstacle: null,
} as const;

/** What the children of a write report. */
export type WriteFact =
  | { readonly type: 'mapped'; readonly map: Servermap }
  | { readonly type: 'treesRead'; readonly areHeld: boolean }
  | { readonly type: 'read'; readonly end: VersionReadEnd }
  | { readonly type: 'modified'; readonly result: Result<{ readonly isChanged: boolean }> }
  | { readonly type: 'published'; readonly report: PublishReport }
  /** A bug, or the caller's own code has thrown. */
  | { readonly type: 'failed'; readonly failure: Failure }
  /** The wait after a collision is over. */
  | { readonly type: 'waited' }
  /** What was remembered was not so any more. */
  | { readonly type: 'forgotten' };

/** How a write ended; `unchanged`: nothing had to be written over `base`. */
export type WriteEnd =
  | {
      readonly kind: 'published';
      readonly report: PublishReport;
      /** Old shares that stay where they are. */
      readonly stale: readonly StaleShare[];
      readonly inPlace: boolean;
    }
  | { readonly kind: 'unchanged'; readonly base: Version }
  /** Every attempt met another writer. */
  | { readonly kind: 'gaveUp'; readonly obstacle: Obstacle }
  /** Trying again would not help. */
  | { readonly kind: 'failed'; readonly obstacle: Obstacle };

/** What a write does next, or how it ended. */
export type WriteDecision =
  | { readonly kind: 'map'; readonly mode: Mode }
  | ({ readonly kind: 'readTrees'; readonly base: Version } & Omit<ReadTreesInput, 'version'>)
  | {
      readonly kind: 'read';
      readonly map: Servermap;
      readonly base: Version;
      readonly ranges: readonly Span[];
    }
  | { readonly kind: 'modify'; readonly base: Version }
  | { readonly kind: 'publish'; readonly plan: PublishPlan; readonly recipe: Recipe }
  /** Another attempt may get by what is in the way. */
  | { readonly kind: 'backOff'; readonly obstacle: Obstacle }
  /** To begin again, with a fresh map. */
  | { readonly kind: 'forget' }
  | WriteEnd;

/** What to do next. */
export const decide = oncePer(decideOn);

function decideOn(record: WriteRecord): WriteDecision {
  const { published } = record;
  if (record.obstacle !== null) return afterObstacle(record, record.obstacle);
  const map = record.map ?? unaskedMap(record);
  if (published !== null) {
    const stale = staleShares(map, published);
    return { kind: 'published', report: published, stale, inPlace: isInPlace(record) };
  }
  const mode = wantedMode(record);
  if (mode !== null) return { kind: 'map', mode };
  const known = knownMap(record.newest, map);
  const obstacle = obstacleIn(record, map, known);
  if (obstacle !== null) return afterObstacle(record, obstacle);
  const base = baseOf(record, known) ?? null;
  if (base === null) return publishOf(record, known, null, wholeOf(record, [{ kind: 'new' }]));
  return decideOnBase(record, known, base);
}

/** Whether the servers are as they were: an update that had nothing to write. */
export function isAsBefore(record: WriteRecord): boolean {
  const { change, isUntouched, forgotten, map, obstacle } = record;
  if (change.kind !== 'update' || !isUntouched || obstacle?.kind === 'failed') return false;
  return forgotten === null || (map !== null && bestVersion(map)?.id === forgotten);
}

/**
 * How the servers stand now, for the next write to begin with, if nothing disturbed this one. After
 * one that began so in vain the next one looks: who writes in turns with others gains nothing.
 */
export function leftBy(record: WriteRecord): Servermap | null {
  const { map, published, forgotten } = record;
  if (published === null || forgotten !== null) return null;
  return mapAfter(map ?? unaskedMap(record), published);
}

/** What to do with the version that the new one is built on. */
function decideOnBase(record: WriteRecord, map: Servermap, base: Version): WriteDecision {
  const { change, modified, attempt } = record;
  const kept = notTwice(record, map, base);
  if (kept !== null) return kept;
  if (change.kind === 'update') {
    const { dataLength: size } = base;
    const offset = change.offset ?? size;
    if (offset > size) return afterObstacle(record, { kind: 'outOfRange', offset, size });
    if (change.size === 0) return { kind: 'unchanged', base };
    const tooMuch = beyondBase(base) ?? tooLarge(record.format, base, offset + change.size);
    if (tooMuch !== null) return afterObstacle(record, tooMuch);
    if (record.trees === 'unavailable' && record.isRemembered) return { kind: 'forget' };
    if (record.trees === 'unread' && mayBeInPlace(map)) {
      const recipe = recipeInPlace(base, offset, change.size);
      const next = firstBlocks(map, base, rangesToRead(base, recipe.parts));
      const run = inPlaceOf(base, recipe, offset + change.size);
      return { kind: 'readTrees', map, base, next, ...run };
    }
  }
  // Where the base is not on W servers, or after a collision, the contents are written even if they
  // need no change: the version that holds our change may be one that nobody was told is safe.
  const isSafe = attempt === 0 && isOnQuorum(map, quorumIn(record, map), base);
  if (modified === 'unchanged' && isSafe) return { kind: 'unchanged', base };
  const recipe = recipeOf(record, base);
  const ranges = change.kind === 'modify' ? wholeRange(base) : rangesToRead(base, recipe.parts);
  const unread = readFirst(record, map, base, ranges);
  if (unread !== null) return unread;
  if (change.kind === 'modify' && modified === 'no') return { kind: 'modify', base };
  return publishOf(record, map, base, recipe);
}

/** To read what is kept of the base; null: that has been done. */
function readFirst(
  record: WriteRecord,
  map: Servermap,
  base: Version,
  ranges: readonly Span[],
): WriteDecision | null {
  if (record.isRead || ranges.length === 0) return null;
  const tooMuch = beyondBase(base) ?? beyondRanges(ranges);
  return tooMuch === null ? { kind: 'read', map, base, ranges } : afterObstacle(record, tooMuch);
}

/**
 * What an earlier attempt has written is not written twice, for others may have seen it and gone on
 * from there. The base that contains it is written once more as it is: nobody was told that it is
 * safe. Where it may contain what was appended, the write ends. Who modifies is asked again.
 */
function notTwice(record: WriteRecord, map: Servermap, base: Version): WriteDecision | null {
  const { change, stumbled } = record;
  if (change.kind === 'modify') return null;
  const isAppend = change.kind === 'update' && change.offset === null;
  const isIn = ({ version }: PublishReport) => {
    // The very same bytes in the very same place: then it is all the same.
    if (version === null || (!isAppend && version.id === base.id)) return 'no';
    return contains(withOwn(map.versions, stumbled), base, version);
  };
  const report = stumbled.find((one) => (isAppend ? isIn(one) !== 'no' : isIn(one) === 'yes'));
  if (report === undefined) return null;
  const ranges = wholeRange(base);
  if (isIn(report) === 'unknown' || beyondRanges(ranges) !== null) {
    return afterObstacle(record, { kind: 'notPublished', report });
  }
  const recipe = wholeOf(base, keptOf(base));
  return readFirst(record, map, base, ranges) ?? publishOf(record, map, base, recipe);
}

/** With what this write has made, and made it of: of that, too, all may have been built upon. */
function withOwn(versions: Versions, stumbled: readonly PublishReport[]): Versions {
  const own = stumbled.flatMap(({ base, version }) => [base, version]);
  const entries = own.filter((one) => one !== null).map((one) => [one.id, one] as const);
  return { ...versions, ...Object.fromEntries(entries) };
}

/** Whether an earlier attempt has written it. */
function isOwn({ stumbled }: WriteRecord, { id }: Version): boolean {
  return stumbled.some(({ version }) => version?.id === id);
}

// --- the map ------------------------------------------------------------------------------------

/** Whom to ask, and for what; null: what is known is enough to go on. */
function wantedMode(record: WriteRecord): Mode | null {
  const { change, map, attempt, hasPrivateKey } = record;
  if (change.kind === 'create') return change.isNewKey || map !== null ? null : 'check';
  if (map === null) return attempt > 0 && hasPrivateKey ? 'check' : 'write';
  // Servers that were not asked may hold what is missing, so all are asked before that counts.
  return map.mode === 'write' && !isClear(record, map) ? 'repair' : null;
}

function isClear(record: WriteRecord, map: Servermap): boolean {
  const base = chooseBase(map, quorumIn(record, map));
  if (base === undefined || base === null || lostVersion(record, map) !== null) return false;
  return changeSeen(record, base) === null;
}

/** What to build on; null: nothing is there that would be lost. Undefined: there is no base. */
function baseOf(record: WriteRecord, map: Servermap): Version | null | undefined {
  if (record.change.kind === 'create') return null;
  if (record.force) return bestVersion(map) ?? null;
  const quorum = quorumIn(record, map);
  const heard = map.servers.filter(isHeard).length;
  // Where too few answer, no version stands in the way: there are not enough servers to write to.
  return heard < quorum.size ? bestVersion(map) : chooseBase(map, quorum);
}

/** The newest version that may be acknowledged, if what `map` gives to build on lacks it. */
function lostVersion(record: WriteRecord, map: Servermap): Version | null {
  const { newest } = record;
  const base = baseOf(record, map) ?? bestVersion(map);
  return newest !== null && newest.seqnum > (base?.seqnum ?? 0) ? newest : null;
}

/** The map of a file that nobody can have. */
function unaskedMap({ servers }: WriteRecord): Servermap {
  return {
    mode: 'write',
    outcome: 'enough',
    servers: servers.map((id) => ({ id, status: 'unasked', failure: null })),
    holdings: [],
    versions: {},
    privateKey: 'unneeded',
  };
}

/** With the newest version in it: when that is written over, by force, it has a lower seqnum. */
export function knownMap(newest: Version | null, map: Servermap): Servermap {
  if (newest === null || newest.seqnum <= highestSeqnum(map)) return map;
  return { ...map, versions: { ...map.versions, [newest.id]: newest } };
}

// --- what stands in the way ---------------------------------------------------------------------

/** What `found` has against the write; `map` is the same with a lost version in it. */
function obstacleIn(record: WriteRecord, found: Servermap, map: Servermap): Obstacle | null {
  const { change, force, format } = record;
  if (change.kind === 'create') {
    if (map.holdings.length === 0) return null;
    return { kind: 'fileExists', places: map.holdings, report: null };
  }
  const isSeen = Object.keys(found.versions).length > 0;
  // Whoever keeps some of the old contents has to read them.
  if (isSeen && change.kind !== 'overwrite' && bestVersion(found) === undefined) {
    return { kind: 'unrecoverable', map: found };
  }
  const lost = lostVersion(record, found);
  if (lost !== null && !force) {
    const isSilent = found.servers.every(({ status }) => status === 'failed');
    if (isSilent) return { kind: 'unrecoverable', map: found };
    return { kind: 'versionLost', lost, map: found };
  }
  const base = baseOf(record, map);
  const isAnyThere = Object.keys(map.versions).length > 0;
  // Only `create` may write where nothing is seen.
  if (!isAnyThere) return { kind: 'unrecoverable', map: found };
  if (!record.hasPrivateKey) return { kind: 'missingPrivateKey', map: found };
  const file = base ?? bestVersion(map);
  if (file !== undefined && file.format !== format) {
    return { kind: 'wrongFormat', cap: format, file: file.format };
  }
  return base === undefined
    ? { kind: 'noBase', rivals: rivalsOf(map), map }
    : changeSeen(record, base);
}

/**
 * What is said where `base` is not the version that was named. What this write has put on that one
 * before, from memory or at an earlier attempt, may be the base: it holds what is to be written.
 * Where it may be below the base, somebody else has gone on from there.
 */
function changeSeen(record: WriteRecord, base: Version | null): Obstacle | null {
  const { expected = null, stumbled } = record;
  if (expected === null || (base !== null && isNamed(base, expected))) return null;
  const [newest] = stumbled;
  if (newest === undefined) return { kind: 'versionChanged', expected, found: base };
  return base !== null && isOwn(record, base) ? null : { kind: 'notPublished', report: newest };
}

function beyondBase(base: Version): Obstacle | null {
  const beyond = beyondReading(base);
  return beyond === null ? null : { kind: 'beyondLimit', beyond };
}

/** Each range is gathered in memory. */
function beyondRanges(ranges: readonly Span[]): Obstacle | null {
  const beyonds = ranges.map(({ from, to }) => beyondMemory(to - from));
  const beyond = beyonds.find((found) => found !== null);
  return beyond === undefined ? null : { kind: 'beyondLimit', beyond };
}

function tooLarge(format: Format, { required, dataLength }: Version, end: number): Obstacle | null {
  const size = Math.max(dataLength, end);
  return isEncodable(format, required, size) ? null : { kind: 'tooLarge', format, required, size };
}

function afterObstacle(record: WriteRecord, found: Obstacle): WriteDecision {
  const obstacle = withStumbled(record, found);
  if (record.isRemembered && mayBeOutdated(obstacle)) return { kind: 'forget' };
  if (!isContention(obstacle)) return { kind: 'failed', obstacle };
  if (record.attempt + 1 < record.attemptsMax) return { kind: 'backOff', obstacle };
  return { kind: 'gaveUp', obstacle };
}

/** What says that nothing was written is no answer where an earlier attempt may be in force. */
function withStumbled({ stumbled: [report] }: WriteRecord, obstacle: Obstacle): Obstacle {
  if (report === undefined || !unwritten.includes(obstacle.kind)) return obstacle;
  return { kind: 'notPublished', report };
}

const unwritten = ['outOfRange', 'tooLarge', 'beyondLimit', 'wrongFormat', 'missingPrivateKey'];

/** Whether it may be that what is remembered is not so any more. */
function mayBeOutdated(obstacle: Obstacle): boolean {
  if (obstacle.kind !== 'notPublished') return obstacle.kind !== 'failed';
  return ['uncoordinated', 'notEnoughServers'].includes(obstacle.report.kind);
}

/** Versions any of which may be acknowledged, and the servers that could tell. */
export interface Standoff {
  /** Newest first. */
  readonly rivals: readonly Version[];
  /** Those that did not answer the map; one of them may settle it. */
  readonly silent: readonly ServerId[];
}

/** What keeps a writer from having a base; null if something else is in the way. */
export function standoffIn(obstacle: Obstacle): Standoff | null {
  if (obstacle.kind !== 'noBase') return null;
  return { rivals: obstacle.rivals, silent: silentIn(obstacle.map) };
}

/** Whether it is what another writer, half way, makes us see. */
export function isContention(obstacle: Obstacle): boolean {
  switch (obstacle.kind) {
    case 'notEnoughShares':
      return true;
    // When servers are silent, no other writer is about.
    case 'versionLost':
    case 'unrecoverable':
      return Object.keys(obstacle.map.versions).length > 0;
    case 'noBase':
      return true;
    case 'notPublished':
      return obstacle.report.kind === 'uncoordinated';
    default:
      return false;
  }
}

// --- what to write ------------------------------------------------------------------------------

/**
 * In place every share that is written is one of the base less. A writer that dies may leave k − 1
 * of its own: the others have to be enough to read the base.
 */
function mayBeInPlace(map: Servermap): boolean {
  const base = uniformBase(map);
  if (base === undefined || base.segmentSize === 0) return false;
  return base.total - (base.required - 1) >= base.required;
}

function isInPlace({ trees }: WriteRecord): boolean {
  return trees === 'held';
}

function recipeOf(record: WriteRecord, base: Version): Recipe {
  const { change, modified } = record;
  if (change.kind === 'update') {
    const offset = change.offset ?? base.dataLength;
    const make = isInPlace(record) ? recipeInPlace : recipeWhole;
    return make(base, offset, change.size);
  }
  return wholeOf(base, modified === 'unchanged' ? keptOf(base) : [{ kind: 'new' }]);
}

/** An existing file keeps its k and N, whatever the grid's: its shares have to fit together. */
function wholeOf(
  { required, total }: Pick<Version, 'required' | 'total'>,
  parts: Recipe['parts'],
): Recipe {
  return { kind: 'whole', required, total, parts };
}

function publishOf(
  record: WriteRecord,
  map: Servermap,
  base: Version | null,
  recipe: Recipe,
): WriteDecision {
  const { required, total } = base ?? record;
  const quorum = quorumIn(record, map);
  const goal = { base, quorum, required, total };
  const wholeShares = recipe.kind === 'whole';
  const { force, isRemembered } = record;
  const plan = { map, ...goal, wholeShares, force, ...(isRemembered && { asksOnce: true }) };
  return { kind: 'publish', plan, recipe };
}

// --- the books ----------------------------------------------------------------------------------

/** The books after `fact`. */
export function apply(record: WriteRecord, fact: WriteFact): WriteRecord {
  switch (fact.type) {
    case 'mapped': {
      const map = withMarked(fact.map, record.marked);
      const hasPrivateKey = record.hasPrivateKey || map.privateKey === 'found';
      const newest = newestOf(record.newest, worthRemembering(map, quorumIn(record, map)));
      return { ...record, map, isRemembered: false, hasPrivateKey, newest };
    }
    case 'treesRead':
      return { ...record, trees: fact.areHeld ? 'held' : 'unavailable' };
    case 'read':
      return afterRead(record, fact.end);
    case 'modified': {
      const { result } = fact;
      if (!result.ok) return { ...record, obstacle: { kind: 'failed', failure: result.failure } };
      return { ...record, modified: result.isChanged ? 'changed' : 'unchanged' };
    }
    case 'published':
      return afterPublish(withNewest(record, fact.report), fact.report);
    case 'failed':
      return { ...record, obstacle: { kind: 'failed', failure: fact.failure } };
    case 'waited':
      return { ...record, ...fresh, attempt: record.attempt + 1, stumbled: stumbledIn(record) };
    case 'forgotten':
      return { ...record, ...fresh, ...forgottenIn(record) };
  }
}

function forgottenIn(record: WriteRecord): Pick<WriteRecord, 'forgotten' | 'stumbled'> {
  const [forgotten = null] = Object.keys(record.map?.versions ?? {});
  return { forgotten, stumbled: stumbledIn(record) };
}

/** What k shares of have been about may be in force, or what somebody has built on it. */
function stumbledIn({ obstacle, stumbled }: WriteRecord): readonly PublishReport[] {
  if (obstacle?.kind !== 'notPublished') return stumbled;
  const { report } = obstacle;
  return report.mayHaveLanded.length >= report.required ? [report, ...stumbled] : stumbled;
}

function afterRead(record: WriteRecord, end: VersionReadEnd): WriteRecord {
  switch (end.kind) {
    case 'delivered':
      return { ...record, isRead: true };
    case 'notEnoughShares': {
      const { version, report, map, marked } = end;
      const next = { ...record, marked };
      // What has too few good shares is no base: the newest of what can be read is.
      const isOther = !isRecoverable(map, version) && bestVersion(map) !== undefined;
      // What was remembered is forgotten.
      if (isOther && !record.isRemembered) return { ...next, map, trees: 'unread', modified: 'no' };
      return { ...next, obstacle: { kind: 'notEnoughShares', version, report } };
    }
    case 'failed':
      return { ...record, obstacle: end };
  }
}

/** What was not acknowledged is a version like any other: the rules see to it. */
function withNewest(record: WriteRecord, { kind, version }: PublishReport): WriteRecord {
  if (kind !== 'published' || version === null) return record;
  return { ...record, newest: newestOf(record.newest, version) };
}

function afterPublish(before: WriteRecord, report: PublishReport): WriteRecord {
  const isUnsent = report.writes.every(({ status }) => status === 'planned');
  const record = { ...before, isUntouched: before.isUntouched && isUnsent };
  if (report.kind === 'published') return { ...record, published: report };
  // Nothing was sent: these servers are too few, and only whole shares can go to further ones.
  if (isInPlace(record) && report.kind === 'notEnoughServers' && isUnsent) {
    return { ...record, trees: 'unavailable', isRead: false };
  }
  const { change } = record;
  // Somebody has made it in between.
  const isMade = change.kind === 'create' && !change.isNewKey && report.kind === 'uncoordinated';
  const obstacle: Obstacle = isMade
    ? { kind: 'fileExists', places: report.surprises, report }
    : { kind: 'notPublished', report };
  return { ...record, obstacle };
}
