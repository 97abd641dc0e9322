/**
 * @module check: `check`, whether a file is whole; with --verify, every byte of every share.
 */
import type { Command } from 'commander';
import { UnrecoverableFileError } from '../../errors.ts';
import type { Finding } from '../../finding.ts';
import type { MutableFile } from '../../mutable-file.ts';
import type { OperationOptions } from '../../runtime/options.ts';
import type { Perform } from '../call.ts';
import { EXIT_FAILED, EXIT_UNHEALTHY } from '../complaint.ts';
import { findingJson, findingLines } from '../finding.ts';

export function addCheckCommand(program: Command, perform: Perform): void {
  program
    .command('check')
    .description('say whether all shares of a file are there and good; exits with 3 if not')
    .argument('<CAP>', 'any cap')
    .option('--verify', 'read every block of every share')
    .action(
      perform(async (call, argument: string, { verify = false }: { verify?: boolean }) => {
        const cap = await call.cap(argument);
        const grid = await call.openGrid('read');
        const file = grid.open(cap);
        const look = verify ? verified : mapped;
        const finding = await call.watch((options) => look(file, options));
        const { isAnyoneHeard } = await import('../../finding.ts');
        const heard = isAnyoneHeard(finding) ? EXIT_UNHEALTHY : EXIT_FAILED;
        return {
          json: { ...(await findingJson(finding, cap, grid)), verified: verify },
          text: [...findingLines(finding, grid.servers), ''].join('\n'),
          exitCode: finding.isHealthy ? 0 : heard,
        };
      }),
    );
}

async function mapped(file: MutableFile, options: OperationOptions): Promise<Finding> {
  const { findingOf } = await import('../../finding.ts');
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
