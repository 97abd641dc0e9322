/**
 * @module download-kernel: every decision of reading an immutable file.
 *
 * Its cap says how large it is and how many shares it takes, and there is but one version of it:
 * any k good shares will do, of whomever.
 */
import type { Failure } from './failure.ts';
import { type Beyond, beyondReading } from './limits.ts';
import { oncePer } from './once.ts';
import type { VersionReadEnd } from './read-version-kernel.ts';
import type { RetrieveReport } from './retrieve-kernel.ts';
import type { Span } from './rewrite.ts';
import { bestVersion, type Servermap, silentIn, type Version } from './servermap.ts';
import { type Excess, resolveRange, type WantedRange } from './wanted-range.ts';

/** The books of reading an immutable file. */
export interface DownloadRecord {
  /** As the caller asked: not yet cut to `size`. */
  readonly wanted: WantedRange;
  /** Bytes of contents, as the cap says. */
  readonly size: number;
  /** Maps made. */
  readonly looks: number;
  /** The last of them. */
  readonly map: Servermap | null;
  /** How the reading ended. */
  readonly end: VersionReadEnd | null;
}

/** The books of a new download. */
export function start(wanted: WantedRange, size: number): DownloadRecord {
  return { wanted, size, looks: 0, map: null, end: null };
}

/** What the children of a download report. */
export type DownloadFact =
  | { readonly type: 'mapped'; readonly map: Servermap }
  | { readonly type: 'read'; readonly end: VersionReadEnd }
  /** A bug in what the runtime provides. */
  | { readonly type: 'failed'; readonly failure: Failure };

/** How a download ended. */
export type DownloadEnd =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'unrecoverable'; readonly map: Servermap }
  | { readonly kind: 'outOfRange'; readonly excess: Excess }
  | { readonly kind: 'beyondLimit'; readonly beyond: Beyond }
  | { readonly kind: 'notEnoughShares'; readonly report: RetrieveReport }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What a download does next, or how it ended. */
export type DownloadDecision =
  /** `anything` ends with k good shares; `check` asks everybody, and waits longer for each. */
  | { readonly kind: 'map'; readonly mode: 'anything' | 'check' }
  | {
      readonly kind: 'read';
      readonly map: Servermap;
      readonly version: Version;
      readonly range: Span;
    }
  | DownloadEnd;

/** What to do next. */
export const decide = oncePer(decideOn);

function decideOn({ wanted, size, looks, map, end }: DownloadRecord): DownloadDecision {
  if (end?.kind === 'failed') return end;
  if (end?.kind === 'notEnoughShares') return { kind: 'notEnoughShares', report: end.report };
  const { range, excess } = resolveRange(wanted, size);
  if (excess !== null) return { kind: 'outOfRange', excess };
  if (end?.kind === 'delivered' || range.from === range.to) return { kind: 'delivered' };
  if (map === null) return { kind: 'map', mode: 'anything' };
  const version = bestVersion(map);
  if (version === undefined) {
    return looks < 2 && isUncertain(map)
      ? { kind: 'map', mode: 'check' }
      : { kind: 'unrecoverable', map };
  }
  const beyond = beyondReading(version);
  if (beyond !== null) return { kind: 'beyondLimit', beyond };
  return { kind: 'read', map, version, range };
}

/** Whether another look may find more: somebody did not answer, or not all of it came. */
function isUncertain(map: Servermap): boolean {
  const { holdings } = map;
  return silentIn(map).length > 0 || holdings.some(({ verdict }) => verdict.kind === 'unverified');
}

/** The books after `fact`. */
export function apply(record: DownloadRecord, fact: DownloadFact): DownloadRecord {
  switch (fact.type) {
    case 'mapped':
      return { ...record, map: fact.map, looks: record.looks + 1 };
    case 'read':
      return { ...record, end: fact.end };
    case 'failed':
      return { ...record, end: { kind: 'failed', failure: fact.failure } };
  }
}
