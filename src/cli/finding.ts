/**
 * @module cli-finding: what a check has found of a file, for people, and for programs.
 */
import type { Cap } from '../caps.ts';
import type { Finding } from '../finding.ts';
import type { Grid } from '../grid.ts';
import type { ImmutableCap } from '../immutable/caps.ts';
import { oneLine } from './plain-text.ts';
import { type Named, servermapJson, serverName, versionLines } from './servermap-view.ts';

/** What is wrong, the versions, and the verdict. */
export function findingLines(
  { map, bad, stale, isHealthy }: Finding,
  servers: readonly Named[],
): readonly string[] {
  const bads = bad.map(
    ({ server, shnum, reason }) =>
      `bad: share ${shnum} on ${serverName(servers, server)}: ${oneLine(reason)}`,
  );
  const old = stale.map(
    ({ server, shnum, seqnum }) =>
      `stale: share ${shnum} on ${serverName(servers, server)}: version ${seqnum}`,
  );
  return [...bads, ...old, ...versionLines(map), isHealthy ? 'healthy' : 'not healthy'];
}

/** The verdict as Tahoe's own, and beside it what only we tell. */
export async function findingJson(
  finding: Finding,
  cap: Cap | ImmutableCap,
  grid: Grid,
): Promise<object> {
  const { tahoeCheck } = await import('../finding.ts');
  const { map, bad, stale, isHealthy } = finding;
  return {
    ...tahoeCheck(finding, cap, grid.encoding),
    healthy: isHealthy,
    bad,
    stale,
    servermap: servermapJson(map, grid.servers),
  };
}
