/**
 * @module verify-kernel: every decision of a verification, and what it finds.
 */
import { type Failure, internalFailure } from './failure.ts';
import { type Beyond, beyondReading } from './limits.ts';
import type { RetrieveReport, ShareSource } from './retrieve-kernel.ts';
import { bestVersion, type Place, type Servermap, sharesOf, type Version } from './servermap.ts';
import { type StaleHolding, staleHoldings } from './stale.ts';

/** The books of a verification. */
export interface VerifyRecord {
  /** Of everybody. */
  readonly map: Servermap | null;
  /** Of every share of the newest version; null until its blocks were read. */
  readonly report: RetrieveReport | null;
  /** What ends it other than bad shares; null until then. */
  readonly failure: Failure | null;
}

/** The books of a new verification. */
export const start: VerifyRecord = { map: null, report: null, failure: null };

/** What the children of a verification report. */
export type VerifyFact =
  | { readonly type: 'mapped'; readonly map: Servermap }
  | { readonly type: 'verified'; readonly report: RetrieveReport }
  /** A bug in what the runtime provides. */
  | { readonly type: 'failed'; readonly failure: Failure };

/** How a verification ended. */
export type VerifyEnd =
  | { readonly kind: 'verified'; readonly verification: Verification }
  | { readonly kind: 'unrecoverable'; readonly map: Servermap }
  | { readonly kind: 'beyondLimit'; readonly beyond: Beyond }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What a verification does next, or how it ended. */
export type VerifyDecision =
  | { readonly kind: 'map' }
  | { readonly kind: 'verify'; readonly map: Servermap; readonly version: Version }
  | VerifyEnd;

/** What to do next. */
export function decide({ map, report, failure }: VerifyRecord): VerifyDecision {
  if (failure !== null) return { kind: 'failed', failure };
  if (map === null) return { kind: 'map' };
  const version = bestVersion(map);
  if (version === undefined) return { kind: 'unrecoverable', map };
  const beyond = beyondReading(version);
  if (beyond !== null) return { kind: 'beyondLimit', beyond };
  if (report === null) return { kind: 'verify', map, version };
  return { kind: 'verified', verification: verificationOf(map, version, report) };
}

/** The books after `fact`. */
export function apply(record: VerifyRecord, fact: VerifyFact): VerifyRecord {
  switch (fact.type) {
    case 'mapped':
      return { ...record, map: fact.map };
    case 'verified': {
      const { report } = fact;
      // That no share is good is a finding, too.
      if (report.kind === 'delivered' || report.kind === 'notEnoughShares') {
        return { ...record, report };
      }
      return { ...record, failure: report.failure ?? internalFailure(report.kind) };
    }
    case 'failed':
      return { ...record, failure: fact.failure };
  }
}

/** Whether all N shares of one version, and of no other, are there and good, as far as known. */
export function isWhole(map: Servermap): boolean {
  const best = bestVersion(map);
  return (
    best !== undefined &&
    Object.keys(map.versions).length === 1 &&
    map.holdings.every(({ verdict }) => verdict.kind === 'good') &&
    sharesOf(map, best.id).size === best.total
  );
}

/** The share numbers of the best version that are on no server. */
export function missingIn(map: Servermap): readonly number[] {
  const best = bestVersion(map);
  if (best === undefined) return [];
  const shares = sharesOf(map, best.id);
  return [...Array(best.total).keys()].filter((shnum) => !shares.has(shnum));
}

/** A share that is not good, and why. */
export interface BadShare extends Place {
  /** What is wrong with it, in words. */
  readonly reason: string;
  /** Its bytes did not arrive: nobody can say. */
  readonly isUnread?: true;
}

/** What is not good by the map alone. */
export function badIn({ holdings }: Servermap): readonly BadShare[] {
  return holdings.flatMap(({ server, shnum, verdict }) =>
    verdict.kind === 'good'
      ? []
      : [
          {
            ...{ server, shnum, reason: verdict.reason },
            ...unreadIf(verdict.kind === 'unverified'),
          },
        ],
  );
}

function unreadIf(isUnread: boolean): Pick<BadShare, 'isUnread'> {
  return isUnread ? { isUnread } : {};
}

/** What the look at every block of every share found. */
export interface Verification {
  /** Who holds what, as it was before the blocks were read. */
  readonly map: Servermap;
  /** Of the version that was verified: the newest that can be read. */
  readonly seqnum: number;
  /** Where its good shares are. */
  readonly good: readonly Place[];
  /** Bad shares, of any version. */
  readonly bad: readonly BadShare[];
  /** Good shares of older versions, which some write could not replace. */
  readonly stale: readonly StaleHolding[];
  /** Whether all N shares of one version, and of no other, are there and good. */
  readonly isHealthy: boolean;
}

/** What `report`, of every share of `version`, adds to what `map` says. */
export function verificationOf(
  map: Servermap,
  version: Version,
  report: RetrieveReport,
): Verification {
  const isBad = ({ status }: ShareSource) => status === 'corrupt' || status === 'failed';
  const good = report.sources
    .filter((source) => !isBad(source))
    .map(({ server, shnum }) => ({ server, shnum }));
  const bad = [
    ...badIn(map),
    ...report.sources.filter(isBad).map(({ server, shnum, status, failure }) => ({
      ...{ server, shnum, reason: failure?.detail ?? 'unknown' },
      ...unreadIf(status === 'failed'),
    })),
  ];
  return {
    map,
    seqnum: version.seqnum,
    good,
    bad,
    stale: staleHoldings(map),
    isHealthy:
      bad.length === 0 &&
      Object.keys(map.versions).length === 1 &&
      new Set(good.map(({ shnum }) => shnum)).size === version.total,
  };
}
