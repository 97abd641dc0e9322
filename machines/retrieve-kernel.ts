/**
 * @module retrieve-kernel: which shares feed which segments.
 *
 * A window of segments is fetched from k shares at once, one contiguous range per share; a share
 * that fails or proves corrupt is replaced by another, and the blocks already in hand stay.
 * To *verify* is the same with every share instead of k (`retrieve.py`).
 */
import type { Failure } from './failure.ts';
import type { Window } from './io.ts';
import { oncePer } from './once.ts';
import type { BlockReport } from './reports.ts';
import type { Place } from './servermap.ts';

export type { BlockReport } from './reports.ts';

/** `verify` looks at every share, `read` at no more than it needs. */
export type Purpose = 'read' | 'verify';

/** Where a share stands in a retrieve. */
export type ShareStatus =
  | 'usable'
  /** Its blocks for the current window are being fetched. */
  | 'fetching'
  /** Its blocks for the current window are here and verified. */
  | 'held'
  | 'corrupt'
  | 'failed';

/** A share that can be read from, or could. */
export interface ShareSource extends Place {
  /** As of the window under way. */
  readonly status: ShareStatus;
  /** Why it is `corrupt` or `failed`; null of all others. */
  readonly failure: Failure | null;
}

/** The books of a retrieve. */
export interface RetrieveRecord {
  /** It decides how many shares a window is fetched from. */
  readonly purpose: Purpose;
  /** k: so many different shares that hold their blocks make a window that can be decoded. */
  readonly required: number;
  /** Every good share of the map, copies too; one that proved bad stays, and is not asked again. */
  readonly sources: readonly ShareSource[];
  /** The window under way starts here. */
  readonly nextSegment: number;
  /** One past the last segment wanted. */
  readonly endSegment: number;
  /** Segments of the window under way. */
  readonly window: number;
  /** By which `window` grows. */
  readonly windows: Windows;
}

/** In segments. The first bytes should come soon, and what a window costs by itself seldom. */
export interface Windows {
  /** Of the first window. */
  readonly first: number;
  /** Each is twice the one before, up to that. */
  readonly longest: number;
  /** How far beyond the one under way blocks may be asked for. */
  readonly ahead: number;
}

/** Shares that are verified at once: all of them may be 255, with a window of each in memory. */
export const verifyWidth = 10;

/** What a retrieve does next, or how it ended. */
export type RetrieveDecision =
  | { readonly kind: 'fetch'; readonly sources: readonly ShareSource[] }
  | { readonly kind: 'wait' }
  | { readonly kind: 'decode' }
  | { readonly kind: 'delivered' }
  | { readonly kind: 'notEnoughShares' };

/** Of a record, what says which window is under way. */
export type Windowed = Pick<RetrieveRecord, 'nextSegment' | 'endSegment' | 'window' | 'windows'>;

/** The segments that are being read now. */
export function currentWindow({ nextSegment, endSegment, window }: Windowed): Window {
  return { firstSegment: nextSegment, segmentCount: Math.min(window, endSegment - nextSegment) };
}

/** Those that come after it, as far as they may be asked for now. */
export function windowsAhead(record: Windowed): readonly Window[] {
  const { ahead } = record.windows;
  const all: Window[] = [];
  const start = afterWindow(record);
  for (let at = start; at.nextSegment < at.endSegment; at = afterWindow(at)) {
    const window = currentWindow(at);
    if (window.firstSegment + window.segmentCount > start.nextSegment + ahead) break;
    all.push(window);
  }
  return all;
}

function afterWindow<Record extends Windowed>(record: Record): Record {
  const { firstSegment, segmentCount } = currentWindow(record);
  const window = Math.min(2 * record.window, record.windows.longest);
  return { ...record, nextSegment: firstSegment + segmentCount, window };
}

/** Shares whose blocks of the window are here. */
export function heldShnums(record: RetrieveRecord): readonly number[] {
  return record.sources.filter(({ status }) => status === 'held').map(({ shnum }) => shnum);
}

/** What to do next. */
export const decide = oncePer(decideOn);

function decideOn(record: RetrieveRecord): RetrieveDecision {
  if (record.nextSegment >= record.endSegment) return { kind: 'delivered' };
  const held = new Set(heldShnums(record));
  const fetching = new Set(
    record.sources.filter(({ status }) => status === 'fetching').map(({ shnum }) => shnum),
  );
  const usable = usableSources(record, new Set([...held, ...fetching]));
  if (record.purpose === 'verify') return decideVerify(record, usable);
  if (held.size >= record.required) return { kind: 'decode' };
  const missing = record.required - held.size - fetching.size;
  if (missing > usable.length) return { kind: 'notEnoughShares' };
  if (missing > 0) return { kind: 'fetch', sources: usable.slice(0, missing) };
  return { kind: 'wait' };
}

/** Every copy of every share is looked at; fewer than k good ones are a finding, not an end. */
function decideVerify(record: RetrieveRecord, usable: readonly ShareSource[]): RetrieveDecision {
  const fetching = record.sources.filter(({ status }) => status === 'fetching').length;
  const next = usable.slice(0, verifyWidth - fetching);
  if (next.length > 0) return { kind: 'fetch', sources: next };
  if (fetching > 0) return { kind: 'wait' };
  return heldShnums(record).length > 0 ? { kind: 'decode' } : { kind: 'notEnoughShares' };
}

/** Candidates, low share numbers first: the k primary shares need no arithmetic to decode. */
function usableSources(record: RetrieveRecord, taken: ReadonlySet<number>): readonly ShareSource[] {
  const usable = record.sources.filter(({ status }) => status === 'usable');
  if (record.purpose === 'verify') return usable;
  const firstCopies = new Map<number, ShareSource>();
  for (const source of usable) {
    if (!taken.has(source.shnum) && !firstCopies.has(source.shnum)) {
      firstCopies.set(source.shnum, source);
    }
  }
  return [...firstCopies.values()].sort((a, b) => a.shnum - b.shnum);
}

function withSource(record: RetrieveRecord, next: ShareSource): RetrieveRecord {
  const isIt = (s: ShareSource) => s.server === next.server && s.shnum === next.shnum;
  return { ...record, sources: record.sources.map((s) => (isIt(s) ? next : s)) };
}

/** What the children of a retrieve report. */
export type RetrieveFact =
  /** These are being fetched. */
  | { readonly type: 'asked'; readonly sources: readonly ShareSource[] }
  | { readonly type: 'settled'; readonly report: BlockReport }
  /** The consumer has the current window. */
  | { readonly type: 'delivered' };

/** The books after `fact`. A report of a share that is not being fetched changes nothing. */
export function apply(record: RetrieveRecord, fact: RetrieveFact): RetrieveRecord {
  switch (fact.type) {
    case 'asked':
      return fact.sources.reduce((r, s) => withSource(r, { ...s, status: 'fetching' }), record);
    case 'settled':
      return applyReport(record, fact.report);
    case 'delivered':
      return advance(record);
  }
}

function applyReport(record: RetrieveRecord, report: BlockReport): RetrieveRecord {
  const source = record.sources.find(
    ({ server, shnum }) => server === report.server && shnum === report.shnum,
  );
  if (source?.status !== 'fetching') return record;
  return withSource(record, { ...source, status: report.status, failure: report.failure });
}

/** The shares that served a window serve on. */
function advance(record: RetrieveRecord): RetrieveRecord {
  return {
    ...afterWindow(record),
    sources: record.sources.map((s) => (s.status === 'held' ? { ...s, status: 'usable' } : s)),
  };
}

/** How a retrieve ended. */
export interface RetrieveReport {
  /** `internal`: decoding or the consumer has failed, and `failure` says how. */
  readonly kind: 'delivered' | 'notEnoughShares' | 'cancelled' | 'internal';
  /** k. */
  readonly required: number;
  /** Every share, as it stood at the end. */
  readonly sources: readonly ShareSource[];
  /** Those that the consumer has taken, from the first on. */
  readonly segmentsDelivered: number;
  /** Null unless `internal`. */
  readonly failure: Failure | null;
}
