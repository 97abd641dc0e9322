/**
 * @module remembered: what a writer knows of the servers from its own last write.
 *
 * After a write that nothing disturbed, every server that was written to holds just that version:
 * it has said so, and its tests were of all that it had. The next write of the file may begin with
 * that and ask nobody; its own tests tell whether it is still so. If not, it collides, and a fresh
 * map is made. Then its base may be older than what was acknowledged since: such a version never
 * wins a quorum (docs/publish.md, "From memory").
 */
import type { PublishReport } from './publish-kernel.ts';
import type { ServerId, Servermap, Version } from './servermap.ts';

/** How the servers stand after a publish over `map`; null if more than the new version is left. */
export function mapAfter(map: Servermap, report: PublishReport): Servermap | null {
  const { kind, version, writes, surprises } = report;
  if (kind !== 'published' || version === null || surprises.length > 0) return null;
  if (writes.some(({ status }) => status !== 'accepted')) return null;
  const isPlaced = (server: ServerId, shnum?: number) =>
    writes.some((one) => one.server === server && (shnum === undefined || one.shnum === shnum));
  if (map.holdings.some(({ server, shnum }) => !isPlaced(server, shnum))) return null;
  if (map.servers.some(({ status }) => status === 'failed')) return null;
  return {
    ...{ mode: 'write', outcome: 'enough', privateKey: 'unneeded' },
    servers: map.servers.map((server) =>
      isPlaced(server.id) ? { id: server.id, status: 'good', failure: null } : server,
    ),
    holdings: writes.map(({ server, shnum }) => {
      return { server, shnum, verdict: { kind: 'good', version: version.id } };
    }),
    versions: { [version.id]: version },
  };
}

/** Who writes from memory does not see who died: so many may, on one base, and it can be read. */
const deathsToSpare = 3;

/** Whether `map`, of an earlier write, will do: of these servers, and nothing newer is known. */
export function isStillGood(
  map: Servermap,
  servers: readonly ServerId[],
  newest: Version | null,
): boolean {
  const [version] = Object.values(map.versions);
  if (version === undefined || version.seqnum < (newest?.seqnum ?? 0)) return false;
  const { required, total } = version;
  if (total - deathsToSpare * (required - 1) < required) return false;
  return (
    servers.length === map.servers.length && map.servers.every(({ id }, i) => id === servers[i])
  );
}
