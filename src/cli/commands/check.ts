/**
 * @module check: `check`, whether a file is whole; with --verify, every byte of every share.
 */
import type { Command } from 'commander';
import { UnrecoverableFileError } from '../../errors.ts';
import type { MutableFile } from '../../mutable-file.ts';
import type { OperationOptions } from '../../runtime/options.ts';
import type { Perform } from '../call.ts';
import { EXIT_FAILED, EXIT_UNHEALTHY } from '../complaint.ts';
import { type Finding, findingJson, findingLines, findingOf, isAnyoneHeard } from '../finding.ts';
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
    .option('--verify', 'read every block of every share')
    .option('--add-lease', 'and renew the leases of all shares, for 31 days')
    .action(
      perform(async (call, argument: string, { verify = false, addLease = false }: Options) => {
        const cap = await call.cap(argument);
        const grid = await call.openGrid(addLease ? 'write' : 'read');
        const file = grid.open(cap);
        const look = verify ? verified : mapped;
        const finding = await call.watch((options) => look(file, options));
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
          exitCode: finding.isHealthy ? mayLapse : heard,
        };
      }),
    );
}

async function mapped(file: MutableFile, options: OperationOptions): Promise<Finding> {
  return findingOf(await file.servermap({ ...options, mode: 'check' }));
}

/** That nothing can be read is a finding. */
async function verified(file: MutableFile, options: OperationOptions): Promise<Finding> {
  try {
    return await file.verify(options);
  } catch (error) {
    if (!(error instanceof UnrecoverableFileError)) throw error;
    return mapped(file, options);
  }
}
