/**
 * @module read-kernel: every decision of a read of a file: which version, and whether to begin
 * again when that one can not be had.
 */
import type { Failure } from './failure.ts';
import { type Beyond, beyondReading } from './limits.ts';
import { oncePer } from './once.ts';
import {
  chooseForReader,
  type Membership,
  type Quorum,
  quorumOf,
  worthRemembering,
} from './quorum.ts';
import type { VersionReadEnd } from './read-version-kernel.ts';
import type { RetrieveReport } from './retrieve-kernel.ts';
import type { Span } from './rewrite.ts';
import {
  bestVersion,
  type Hex,
  isNamed,
  type MarkedHolding,
  newestOf,
  type ServerId,
  type Servermap,
  type Version,
} from './servermap.ts';
import { type Excess, resolveRange, type WantedRange } from './wanted-range.ts';

export { type Excess, resolveRange, type WantedRange } from './wanted-range.ts';

/** What an operation knows of the grid before it asks anybody. */
export interface GridView {
  /** In permuted order. */
  readonly servers: readonly ServerId[];
  /** k and N to begin with: a file has its own. */
  readonly required: number;
  /** N to begin with. */
  readonly total: number;
  /** S, W and d, of which every quorum is counted. */
  readonly membership: Membership;
}

/** The version that is wanted, whatever else is there; by its seqnum alone where that is enough. */
export interface WantedVersion {
  /** Counts up with every write, from 1. */
  readonly seqnum: number;
  /** 32 bytes; null: any with this seqnum, the best of them if there are several. */
  readonly rootHash: Hex | null;
}

/** The books of reading a file. */
export interface ReadRecord {
  /** N of the grid, and what makes a quorum of it. */
  readonly grid: Pick<GridView, 'total' | 'membership'>;
  /** As the caller asked: not yet cut to the version that is chosen. */
  readonly wanted: WantedRange;
  /** Null: the newest. */
  readonly version: WantedVersion | null;
  /** Whether what was delivered can be taken back: a collector can forget, a stream can not. */
  readonly canTakeBack: boolean;
  /** How often it may begin. */
  readonly attemptsMax: number;
  /** Counts from 0. */
  readonly attempt: number;
  /** Maps made in this attempt. */
  readonly looks: number;
  /** The last of them, with what proved corrupt since. */
  readonly map: Servermap | null;
  /** Versions that could not be read in this attempt. */
  readonly tried: readonly Version[];
  /** Shares that proved corrupt in this attempt. */
  readonly marked: readonly MarkedHolding[];
  /** How the last reading of a version ended. */
  readonly end: VersionReadEnd | null;
  /** The newest version that was seen and may be acknowledged. */
  readonly newest: Version | null;
}

/** A read begins again once, if nobody says otherwise. */
const readAttemptsMax = 2;

/** The books of a new read. */
export function start(
  { total, membership }: ReadRecord['grid'],
  wanted: WantedRange,
  canTakeBack: boolean,
  version: WantedVersion | null = null,
  attemptsMax = readAttemptsMax,
): ReadRecord {
  return {
    grid: { total, membership },
    wanted,
    version,
    canTakeBack,
    attemptsMax,
    attempt: 0,
    looks: 0,
    map: null,
    tried: [],
    marked: [],
    end: null,
    newest: null,
  };
}

/** What the children of a read report. */
export type ReadFact =
  | { readonly type: 'mapped'; readonly map: Servermap }
  | { readonly type: 'read'; readonly end: VersionReadEnd }
  /** A bug in what the runtime provides. */
  | { readonly type: 'failed'; readonly failure: Failure }
  /** All of it begins again. */
  | { readonly type: 'startedOver' };

/** How a read ended. */
export type ReadEnd =
  | {
      readonly kind: 'delivered';
      readonly version: Version;
      /** Whether it surely contains what was acknowledged when the read began. */
      readonly isConfirmed: boolean;
    }
  | { readonly kind: 'unrecoverable'; readonly map: Servermap }
  /** The wanted version is not there, or too little of it. */
  | {
      readonly kind: 'versionUnavailable';
      readonly wanted: WantedVersion;
      readonly map: Servermap;
    }
  | { readonly kind: 'outOfRange'; readonly excess: Excess }
  | { readonly kind: 'beyondLimit'; readonly beyond: Beyond }
  | {
      readonly kind: 'notEnoughShares';
      readonly version: Version;
      readonly report: RetrieveReport;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What a read does next, or how it ended. */
export type ReadDecision =
  /**
   * `check` is the second look: everybody is asked once before it gives up, or takes what nobody
   * confirms.
   */
  | { readonly kind: 'map'; readonly mode: 'read' | 'check' }
  | {
      readonly kind: 'read';
      readonly map: Servermap;
      readonly version: Version;
      readonly range: Span;
      /** Whether it surely contains what was acknowledged when the read began. */
      readonly isConfirmed: boolean;
    }
  /** A writer may have replaced the version under us: once more, from the start. */
  | { readonly kind: 'startOver' }
  | ReadEnd;

/** What to do next. */
export const decide = oncePer(decideOn);

function decideOn(record: ReadRecord): ReadDecision {
  const { map, end } = record;
  if (end?.kind === 'failed') return end;
  if (map === null) return { kind: 'map', mode: 'read' };
  if (end?.kind === 'delivered') return { ...end, isConfirmed: isConfirmed(record, end.version) };
  if (end !== null) return afterShortage(record, map, end);
  const chosen = choose(record, map);
  // A map counts with the N of the grid, and the file may have another.
  const isEnough = chosen?.isConfirmed || record.version !== null || map.outcome === 'exhausted';
  if (chosen !== undefined && (isEnough || record.looks >= 2)) return readOf(record, map, chosen);
  if (record.looks < 2) return { kind: 'map', mode: 'check' };
  const { version: wanted } = record;
  if (wanted !== null) return { kind: 'versionUnavailable', wanted, map };
  return { kind: 'unrecoverable', map };
}

interface Chosen {
  readonly version: Version;
  readonly isConfirmed: boolean;
}

/**
 * The newest version that is confirmed; where there is none, the best that can be read. A version
 * that is wanted is read if it can be, whatever else is there and whoever is silent.
 */
function choose({ grid, version: wanted }: ReadRecord, map: Servermap): Chosen | undefined {
  const confirmed = confirmedIn(map, grid);
  const version = wanted === null ? (confirmed ?? bestVersion(map)) : bestNamed(map, wanted);
  return version && { version, isConfirmed: version.id === confirmed?.id };
}

function bestNamed({ holdings, versions }: Servermap, wanted: WantedVersion): Version | undefined {
  const named = Object.values(versions).filter((version) => isNamed(version, wanted));
  return bestVersion({ holdings, versions: Object.fromEntries(named.map((it) => [it.id, it])) });
}

function isConfirmed({ map, grid }: ReadRecord, { id }: Version): boolean {
  return map !== null && confirmedIn(map, grid)?.id === id;
}

/** What surely contains all that was acknowledged when `map` was begun. */
function confirmedIn(map: Servermap, grid: ReadRecord['grid']): Version | undefined {
  return chooseForReader(map, quorumIn(grid, map));
}

/** What is to be remembered of `map`: it may have been acknowledged, and nothing newer has. */
export function newestIn(map: Servermap, grid: ReadRecord['grid']): Version | undefined {
  return worthRemembering(map, quorumIn(grid, map));
}

/** That of the file in `map`, if there is one: it keeps its N. */
export function quorumIn({ total, membership }: ReadRecord['grid'], map: Servermap): Quorum {
  return quorumOf(membership, bestVersion(map)?.total ?? total);
}

function readOf(
  { wanted }: ReadRecord,
  map: Servermap,
  { version, isConfirmed }: Chosen,
): ReadDecision {
  const { range, excess } = resolveRange(wanted, version.dataLength);
  if (excess !== null) return { kind: 'outOfRange', excess };
  if (range.from === range.to) return { kind: 'delivered', version, isConfirmed };
  const beyond = beyondReading(version);
  if (beyond !== null) return { kind: 'beyondLimit', beyond };
  return { kind: 'read', map, version, range, isConfirmed };
}

/**
 * A version whose shares turn out to be too few good ones before any of it is given out is not one
 * that can be read: the newest of what is left then is.
 */
function afterShortage(
  record: ReadRecord,
  map: Servermap,
  { version, report, segmentsDelivered }: Extract<VersionReadEnd, { kind: 'notEnoughShares' }>,
): ReadDecision {
  const { attempt, attemptsMax, canTakeBack, tried } = record;
  const next = choose(record, map);
  const isTried = tried.some(({ id }) => id === next?.version.id);
  if (segmentsDelivered === 0 && next !== undefined && !isTried) return readOf(record, map, next);
  if (attempt + 1 < attemptsMax && (canTakeBack || segmentsDelivered === 0)) {
    return { kind: 'startOver' };
  }
  return { kind: 'notEnoughShares', version, report };
}

/** The books after `fact`. */
export function apply(record: ReadRecord, fact: ReadFact): ReadRecord {
  switch (fact.type) {
    case 'mapped': {
      const { map } = fact;
      const newest = newestOf(record.newest, newestIn(map, record.grid));
      return { ...record, map, looks: record.looks + 1, newest };
    }
    case 'read': {
      const { end } = fact;
      if (end.kind !== 'notEnoughShares') return { ...record, end };
      const { version, map, marked } = end;
      const tried = [...record.tried, version];
      return { ...record, end, map, tried, marked };
    }
    case 'failed':
      return { ...record, end: { kind: 'failed', failure: fact.failure } };
    case 'startedOver': {
      const { grid, wanted, canTakeBack, version, attemptsMax, attempt, newest } = record;
      const again = start(grid, wanted, canTakeBack, version, attemptsMax);
      return { ...again, attempt: attempt + 1, newest };
    }
  }
}
