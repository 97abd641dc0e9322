/**
 * @module verify-immutable-kernel: every decision of a look at the shares of an immutable file, and
 * what it finds.
 *
 * Whoever made the file vouches for it by the hash in its cap, and may have cheated: each share as
 * its own hashes say, and some k of them another file than others. So a share is good only if it is
 * what comes out when k of them are decoded and all are encoded again.
 */
import { type Failure, internalFailure } from './failure.ts';
import { type Beyond, beyondReading } from './limits.ts';
import { oncePer } from './once.ts';
import type { RetrieveReport, ShareSource } from './retrieve-kernel.ts';
import {
  type Holding,
  isRecoverable,
  type Place,
  type Servermap,
  sharesOf,
  type Verdict,
  type Version,
} from './servermap.ts';
import { type BadShare, badIn } from './verify-kernel.ts';

/** The books of a look at an immutable file. */
export interface VerifyImmutableRecord {
  /** Of everybody, with what was found of each share since. */
  readonly map: Servermap | null;
  /** Whether every block of every share was looked at. */
  readonly isLookedAt: boolean;
  /** Whether k shares were decoded, and all encoded again. */
  readonly isEncoded: boolean;
  /** What ends the look other than bad shares; null until then. */
  readonly failure: Failure | null;
}

/** The books of a new look. */
export const start: VerifyImmutableRecord = {
  map: null,
  isLookedAt: false,
  isEncoded: false,
  failure: null,
};

/** What the children of a look report. */
export type VerifyImmutableFact =
  | { readonly type: 'mapped'; readonly map: Servermap }
  /** Every block of every share. */
  | { readonly type: 'lookedAt'; readonly report: RetrieveReport }
  /** All segments, of k shares. */
  | { readonly type: 'encoded'; readonly report: RetrieveReport }
  /** A bug in what the runtime provides. */
  | { readonly type: 'failed'; readonly failure: Failure };

/** What a look at the shares of an immutable file has found. */
export interface ImmutableFinding {
  /** The verdict on each share is that of the whole look. */
  readonly map: Servermap;
  /** Where good shares are. */
  readonly good: readonly Place[];
  /** Where bad ones are, and why. */
  readonly bad: readonly BadShare[];
  /** There are no old versions. */
  readonly stale: readonly [];
  /** Whether all N shares are there, and none is bad. */
  readonly isHealthy: boolean;
  /** Whether k different shares are good. */
  readonly isRecoverable: boolean;
}

/** How a look ended. */
export type VerifyImmutableEnd =
  | { readonly kind: 'verified'; readonly finding: ImmutableFinding }
  | { readonly kind: 'beyondLimit'; readonly beyond: Beyond }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What a look does next, or how it ended. */
export type VerifyImmutableDecision =
  | { readonly kind: 'map' }
  | { readonly kind: 'look'; readonly map: Servermap; readonly version: Version }
  | { readonly kind: 'encode'; readonly map: Servermap; readonly version: Version }
  | VerifyImmutableEnd;

/** What to do next. */
export const decide = oncePer(decideOn);

function decideOn(record: VerifyImmutableRecord): VerifyImmutableDecision {
  const { map, isLookedAt, isEncoded, failure } = record;
  if (failure !== null) return { kind: 'failed', failure };
  if (map === null) return { kind: 'map' };
  const version = versionIn(map);
  if (version === undefined) return { kind: 'verified', finding: findingIn(map) };
  const beyond = beyondReading(version);
  if (beyond !== null) return { kind: 'beyondLimit', beyond };
  if (!isLookedAt) return { kind: 'look', map, version };
  if (!isEncoded && isRecoverable(map, version)) return { kind: 'encode', map, version };
  return { kind: 'verified', finding: findingIn(map) };
}

/** The books after `fact`. */
export function apply(
  record: VerifyImmutableRecord,
  fact: VerifyImmutableFact,
): VerifyImmutableRecord {
  switch (fact.type) {
    case 'mapped':
      return { ...record, map: fact.map };
    case 'lookedAt':
      return { ...judged(record, fact.report), isLookedAt: true };
    case 'encoded':
      return { ...judged(record, fact.report), isEncoded: true };
    case 'failed':
      return { ...record, failure: fact.failure };
  }
}

/** What the map shows: there is one version, if any good share was seen. */
export function findingIn(map: Servermap): ImmutableFinding {
  const version = versionIn(map);
  const bad = badIn(map);
  const good = map.holdings
    .filter(({ verdict }) => verdict.kind === 'good')
    .map(({ server, shnum }) => ({ server, shnum }));
  const isAll = version !== undefined && sharesOf(map, version.id).size === version.total;
  return {
    ...{ map, good, bad, stale: [] },
    isHealthy: bad.length === 0 && isAll,
    isRecoverable: version !== undefined && isRecoverable(map, version),
  };
}

function versionIn({ versions }: Servermap): Version | undefined {
  return Object.values(versions)[0];
}

/** The books once shares are what `report` says. */
function judged(record: VerifyImmutableRecord, report: RetrieveReport): VerifyImmutableRecord {
  const { kind, sources, failure } = report;
  const map = record.map as Servermap;
  // That good shares run out is a finding.
  if (kind === 'delivered' || kind === 'notEnoughShares') {
    return { ...record, map: withVerdicts(map, (holding) => verdictOf(holding, sources)) };
  }
  // Blocks as their hashes say, of segments that are not: no share can be relied on.
  if (failure?.kind === 'corrupt') {
    const verdict = badFor(failure.detail);
    return { ...record, map: withVerdicts(map, () => verdict) };
  }
  return { ...record, failure: failure ?? internalFailure(kind) };
}

/** `map` with other verdicts on what was good. */
function withVerdicts(map: Servermap, verdictOn: (holding: Holding) => Verdict): Servermap {
  const holdings = map.holdings.map((holding) =>
    holding.verdict.kind === 'good' ? { ...holding, verdict: verdictOn(holding) } : holding,
  );
  return { ...map, holdings };
}

function verdictOf({ server, shnum, verdict }: Holding, sources: readonly ShareSource[]): Verdict {
  const source = sources.find((it) => it.server === server && it.shnum === shnum);
  const reason = source?.failure?.detail ?? 'unknown';
  if (source?.status === 'corrupt') return badFor(reason);
  return source?.status === 'failed' ? { kind: 'unverified', reason } : verdict;
}

function badFor(reason: string): Verdict {
  return { kind: 'bad', reason, head: '' };
}
