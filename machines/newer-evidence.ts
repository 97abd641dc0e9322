/**
 * @module newer-evidence: which versions forbid a write.
 *
 * Asked once, of the map, before anything is written: by the publish, and by the write around it
 * before it has read anything for nothing.
 */
import type { PublishPlanInput } from './publish-kernel.ts';
import { bestVersion, newerUnrecoverable, sharesOf, type Version } from './servermap.ts';

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
