/**
 * @module check: `check`, whether a file is whole; with --verify, every byte of every share.
 */
import type { Command } from 'commander';
import type { Perform } from '../call.ts';
import { EXIT_FAILED, EXIT_UNHEALTHY } from '../exit-codes.ts';
import { findingJson, findingLines } from '../finding.ts';
import { leaseExitCode, leaseText } from '../lease-view.ts';

interface Options {
  readonly verify?: boolean;
  readonly addLease?: boolean;
}

export function addCheckCommand(program: Command, perform: Perform): void {
  program
    .command('check')
    .description('say whether all shares of a file are there and good; exits with 3 if not')
    .argument('<CAP>', 'any cap')
    .option('--verify', 'read every byte of every share')
    .option('--add-lease', 'and renew the leases of all shares, for 31 days')
    .action(
      perform(async (call, argument: string, { verify = false, addLease = false }: Options) => {
        const cap = await call.anyCap(argument);
        const grid = await call.openGrid(addLease ? 'write' : 'read');
        const { openAny } = await import('../any-cap.ts');
        const { isAnyoneHeard, lookAt } = await import('../../finding.ts');
        const file = openAny(grid, cap);
        const finding = await call.watch((options) => lookAt(file, verify, options));
        const leases = addLease
          ? await call.watch((options) => file.renewLeases(options))
          : undefined;
        const mayLapse = leases === undefined ? 0 : leaseExitCode(leases);
        const heard = isAnyoneHeard(finding) ? EXIT_UNHEALTHY : EXIT_FAILED;
        return {
          json: { ...(await findingJson(finding, cap, grid)), verified: verify, leases },
          text: [
            ...findingLines(finding, grid.servers),
            ...(leases === undefined ? [] : [leaseText(leases, grid.servers)]),
            '',
          ].join('\n'),
          isOutcome: true,
          exitCode: finding.isHealthy ? mayLapse : heard,
        };
      }),
    );
}
