/**
 * @module read-version-kernel: every decision of a read of one version.
 *
 * Ranges are read in order. Out of good shares, everybody is asked once a range, and the reading
 * goes on where it was; what proved corrupt stays out.
 */
import { type Failure, internalFailure } from './failure.ts';
import type { BlockRun } from './io.ts';
import {
  currentWindow,
  type RetrieveReport,
  type Windows,
  windowsAhead,
} from './retrieve-kernel.ts';
import type { Span } from './rewrite.ts';
import {
  type MarkedHolding,
  type ServerId,
  type Servermap,
  sharesOf,
  type Version,
  withMarked,
} from './servermap.ts';

/** The segments that hold `range`, which is not empty: `endSegment` is one past the last. */
export function segmentsOf({ segmentSize }: Version, { from, to }: Span) {
  return {
    firstSegment: Math.floor(from / segmentSize),
    endSegment: Math.ceil(to / segmentSize),
  };
}

/** Bytes of plaintext, of a few segments of a large file, or of many small ones. */
const bytes: Windows = { first: 1 << 20, longest: 1 << 22, ahead: 7 << 20 };
/** Segments that are fetched and checked at once, however short. */
const windowSegmentsMax = 1024;

/** How many segments to fetch at once. */
export function windowsOf({ segmentSize }: Version): Windows {
  const fitting = (length: number) => Math.max(1, Math.floor(length / Math.max(1, segmentSize)));
  const first = Math.min(windowSegmentsMax, fitting(bytes.first));
  const longest = Math.min(windowSegmentsMax, fitting(bytes.longest));
  return { first, longest, ahead: fitting(bytes.ahead) };
}

/** The blocks that a read of these ranges begins with, each at the lowest of the k shares. */
export function firstBlocks(
  map: Servermap,
  version: Version,
  ranges: readonly Span[],
): readonly BlockRun[] {
  const windows = windowsOf(version);
  const lowest = [...sharesOf(map, version.id)].slice(0, version.required);
  return ranges.flatMap((range) => {
    const { firstSegment, endSegment } = segmentsOf(version, range);
    const at = { nextSegment: firstSegment, endSegment, window: windows.first, windows };
    const run = { ...currentWindow(at), ahead: windowsAhead(at) };
    return lowest.map(([shnum, servers]) => {
      const server = servers[0] as ServerId;
      return { server, shnum, ...run };
    });
  });
}

/** The books of reading ranges of one version. */
export interface VersionRead {
  /** The one that is read: no other takes its place. */
  readonly version: Version;
  /** Where shares of it are: made anew, of everybody, when good ones run out. */
  readonly map: Servermap;
  /** What is left to read, none of it empty; the first is under way. */
  readonly ranges: readonly Span[];
  /** The first segment of that range that was not delivered. */
  readonly nextSegment: number;
  /** Of all ranges. */
  readonly segmentsDelivered: number;
  /** Whether everybody was asked since the range was begun. */
  readonly hasAskedAll: boolean;
  /** Shares that proved corrupt, before too. */
  readonly marked: readonly MarkedHolding[];
  /** How the last retrieve ended, if it ran out of shares and nothing was done about it. */
  readonly shortage: RetrieveReport | null;
  /** What ends the reading other than too few shares; null until then. */
  readonly failure: Failure | null;
}

/** The books of a new reading of a version. */
export function start(
  map: Servermap,
  version: Version,
  ranges: readonly Span[],
  marked: readonly MarkedHolding[],
): VersionRead {
  const nothing = { segmentsDelivered: 0, shortage: null, failure: null };
  return withRanges({ version, map, marked, ...nothing }, ranges);
}

function withRanges(
  record: Omit<VersionRead, 'ranges' | 'nextSegment' | 'hasAskedAll'>,
  ranges: readonly Span[],
): VersionRead {
  const [first] = ranges;
  const nextSegment = first === undefined ? 0 : segmentsOf(record.version, first).firstSegment;
  return { ...record, ranges, nextSegment, hasAskedAll: false };
}

/** What its children report. */
export type VersionReadFact =
  | { readonly type: 'retrieved'; readonly report: RetrieveReport }
  /** Everybody was asked. */
  | { readonly type: 'mapped'; readonly map: Servermap }
  /** A bug in what the runtime provides. */
  | { readonly type: 'failed'; readonly failure: Failure };

/** How it ended. */
export type VersionReadEnd =
  | { readonly kind: 'delivered'; readonly version: Version }
  | {
      readonly kind: 'notEnoughShares';
      readonly version: Version;
      readonly report: RetrieveReport;
      /** Of everybody, with what proved corrupt. */
      readonly map: Servermap;
      readonly marked: readonly MarkedHolding[];
      readonly segmentsDelivered: number;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What it does next, or how it ended. */
export type VersionReadDecision =
  | { readonly kind: 'retrieve' }
  /** Ask everybody before giving up: slow servers, or shares that moved. */
  | { readonly kind: 'remap' }
  | VersionReadEnd;

/** What to do next. */
export function decide(record: VersionRead): VersionReadDecision {
  const { version, ranges, shortage, failure, marked, segmentsDelivered } = record;
  if (failure !== null) return { kind: 'failed', failure };
  if (ranges.length === 0) return { kind: 'delivered', version };
  if (shortage === null) return { kind: 'retrieve' };
  if (!record.hasAskedAll) return { kind: 'remap' };
  const map = withMarked(record.map, marked);
  const found = { report: shortage, map, marked, segmentsDelivered };
  return { kind: 'notEnoughShares', version, ...found };
}

/** The books after `fact`. */
export function apply(record: VersionRead, fact: VersionReadFact): VersionRead {
  switch (fact.type) {
    case 'retrieved':
      return afterRetrieve(record, fact.report);
    case 'mapped':
      return { ...record, map: fact.map, hasAskedAll: true, shortage: null };
    case 'failed':
      return { ...record, failure: fact.failure };
  }
}

function afterRetrieve(record: VersionRead, report: RetrieveReport): VersionRead {
  const segmentsDelivered = record.segmentsDelivered + report.segmentsDelivered;
  const next: VersionRead = { ...record, segmentsDelivered };
  switch (report.kind) {
    case 'delivered':
      return withRanges(next, record.ranges.slice(1));
    case 'notEnoughShares':
      return {
        ...next,
        nextSegment: record.nextSegment + report.segmentsDelivered,
        marked: [...record.marked, ...corruptShares(report, record.version)],
        shortage: report,
      };
    case 'cancelled':
    case 'internal':
      return { ...next, failure: report.failure ?? internalFailure(report.kind) };
  }
}

/** The shares that a retrieve found corrupt, for the next map to know. */
export function corruptShares(report: RetrieveReport, version: Version): readonly MarkedHolding[] {
  return report.sources
    .filter(({ status }) => status === 'corrupt')
    .map(({ server, shnum, failure }) => ({
      server,
      shnum,
      reason: failure?.detail ?? 'corrupt',
      version: version.id,
    }));
}
