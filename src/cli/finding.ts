/**
 * @module cli-finding: what a check has found of a file, for people, and for programs.
 */
import { type Holding, type Servermap, silentIn, type Verdict } from '../../machines/servermap.ts';
import type { Finding } from '../finding.ts';
import type { Grid } from '../grid.ts';
import type { AnyCap } from './any-cap.ts';
import { oneLine } from './plain-text.ts';
import { type Named, servermapJson, serverName, versionLines } from './servermap-view.ts';

/** What is wrong, who did not answer, the versions, and the verdict. */
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
  const silent = silentIn(map).map((id) => `no answer: ${serverName(servers, id)}`);
  const verdict = isHealthy ? 'healthy' : 'not healthy';
  // Of a literal nobody was asked.
  const versions = map.servers.length === 0 ? [] : versionLines(judged({ map, bad }));
  return [...bads, ...old, ...silent, ...versions, verdict];
}

/** The verdict as Tahoe's own, and beside it what only we tell. */
export async function findingJson(finding: Finding, cap: AnyCap, grid: Grid): Promise<object> {
  const { tahoeCheck } = await import('../finding.ts');
  const { bad, stale, isHealthy } = finding;
  return {
    ...tahoeCheck(finding, cap, grid.encoding),
    healthy: isHealthy,
    bad,
    stale,
    servermap: servermapJson(judged(finding), grid.servers),
  };
}

/** The map goes by headers and signatures; what was found of a share's bytes counts for more. */
function judged({ map, bad }: Pick<Finding, 'map' | 'bad'>): Servermap {
  const holdings = map.holdings.map((holding): Holding => {
    const { server, shnum, verdict } = holding;
    const found = bad.find((share) => share.server === server && share.shnum === shnum);
    if (verdict.kind !== 'good' || found === undefined) return holding;
    const { reason, isUnread } = found;
    const now: Verdict = isUnread
      ? { kind: 'unverified', reason }
      : { kind: 'bad', reason, head: '' };
    return { server, shnum, verdict: now };
  });
  return { ...map, holdings };
}
