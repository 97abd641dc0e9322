/**
 * @module stale: shares of old versions, which stay where they are.
 */
import { type PublishReport, placedOf } from './publish-kernel.ts';
import { bestVersion, type Place, type Servermap, type Version } from './servermap.ts';

/** A share that a write could not replace: it is, or may still be, of an older version. */
export interface StaleShare extends Place {
  /** Why it was not replaced, in words. */
  readonly reason: string;
}

/**
 * Shares that `map` saw, or that a server spoke of by refusing the write enabler, and that hold
 * no share of the new version.
 */
export function staleShares(map: Servermap, report: PublishReport): readonly StaleShare[] {
  const keyOf = ({ server, shnum }: Place) => `${shnum}@${server}`;
  const accepted = new Set(placedOf(report).map(keyOf));
  const places = new Map<string, StaleShare>();
  for (const { server, shnum, status } of report.writes) {
    if (status !== 'refused') continue;
    places.set(keyOf({ server, shnum }), { server, shnum, reason: 'refused' });
  }
  for (const { server, shnum, verdict } of map.holdings) {
    const reason = verdict.kind === 'good' ? 'not among the shares to be written' : verdict.reason;
    places.set(keyOf({ server, shnum }), { server, shnum, reason });
  }
  for (const write of report.writes) {
    const place = places.get(keyOf(write));
    if (place !== undefined && write.failure !== null) {
      places.set(keyOf(write), { ...place, reason: write.failure.detail });
    }
  }
  return [...places].flatMap(([key, place]) => (accepted.has(key) ? [] : [place]));
}

/** A good share of a version that is older than the one a reader gets. */
export interface StaleHolding extends Place {
  /** Of the version that it is a share of. */
  readonly seqnum: number;
}

/** Good shares of versions that are older than the one a reader gets. */
export function staleHoldings(map: Servermap): readonly StaleHolding[] {
  const best = bestVersion(map)?.seqnum ?? 0;
  return map.holdings.flatMap(({ server, shnum, verdict }) => {
    if (verdict.kind !== 'good') return [];
    const { seqnum } = map.versions[verdict.version] as Version;
    return seqnum < best ? [{ server, shnum, seqnum }] : [];
  });
}
