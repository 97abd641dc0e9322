/**
 * @module check: `check`, whether a file is whole; with --verify, every byte of every share.
 */
import type { Command } from 'commander';
import { bestVersion, type Servermap, sharesOf } from '../../../machines/servermap.ts';
import type { Verification } from '../../../machines/verify-kernel.ts';
import type { Perform } from '../call.ts';
import { EXIT_FAILED } from '../complaint.ts';
import { oneLine } from '../plain-text.ts';
import { servermapJson, serverName, versionLines } from '../servermap-view.ts';

type Finding = Pick<Verification, 'map' | 'bad' | 'stale' | 'isHealthy'>;

export function addCheckCommand(program: Command, perform: Perform): void {
  program
    .command('check')
    .description('say whether all shares of a file are there and good; exits with 1 if not')
    .argument('<CAP>', 'any cap')
    .option('--verify', 'read every block of every share')
    .action(
      perform(async (call, argument: string, { verify = false }: { verify?: boolean }) => {
        const cap = await call.cap(argument);
        const grid = await call.openGrid('read');
        const file = grid.open(cap);
        const { map, bad, stale, isHealthy } = await call.watch(
          async (options): Promise<Finding> =>
            verify
              ? file.verify(options)
              : await findingOf(await file.servermap({ ...options, mode: 'check' })),
        );
        const lines = bad.map(
          ({ server, shnum, reason }) =>
            `bad: share ${shnum} on ${serverName(grid.servers, server)}: ${oneLine(reason)}`,
        );
        const old = stale.map(
          ({ server, shnum, seqnum }) =>
            `stale: share ${shnum} on ${serverName(grid.servers, server)}: version ${seqnum}`,
        );
        const verdict = isHealthy ? 'healthy' : 'not healthy';
        return {
          json: {
            healthy: isHealthy,
            verified: verify,
            bad,
            stale,
            servermap: servermapJson(map, grid.servers),
          },
          text: [...lines, ...old, ...versionLines(map), verdict, ''].join('\n'),
          exitCode: isHealthy ? 0 : EXIT_FAILED,
        };
      }),
    );
}

/** As far as headers and signatures tell. */
async function findingOf(map: Servermap): Promise<Finding> {
  const { staleHoldings } = await import('../../../machines/stale.ts');
  const best = bestVersion(map);
  const bad = map.holdings.flatMap(({ server, shnum, verdict }) =>
    verdict.kind === 'good' ? [] : [{ server, shnum, reason: verdict.reason }],
  );
  const isWhole = best !== undefined && sharesOf(map, best.id).size === best.total;
  return {
    map,
    bad,
    stale: staleHoldings(map),
    isHealthy: isWhole && bad.length === 0 && hasOneVersion(map),
  };
}

function hasOneVersion({ versions }: Servermap): boolean {
  return Object.keys(versions).length === 1;
}
