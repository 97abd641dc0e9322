/**
 * @module check: `check`, whether a file is whole; with --verify, every byte of every share.
 */
import type { Command } from 'commander';
import { UnrecoverableFileError } from '../../errors.ts';
import type { Finding } from '../../finding.ts';
import type { Grid } from '../../grid.ts';
import type { OperationOptions } from '../../runtime/options.ts';
import type { AnyCap } from '../any-cap.ts';
import type { Perform } from '../call.ts';
import { EXIT_FAILED, EXIT_UNHEALTHY } from '../complaint.ts';
import { findingJson, findingLines } from '../finding.ts';

export function addCheckCommand(program: Command, perform: Perform): void {
  program
    .command('check')
    .description('say whether all shares of a file are there and good; exits with 3 if not')
    .argument('<CAP>', 'any cap')
    .option('--verify', 'read every byte of every share')
    .action(
      perform(async (call, argument: string, { verify = false }: { verify?: boolean }) => {
        const cap = await call.anyCap(argument);
        const grid = await call.openGrid('read');
        const finding = await call.watch((options) => findingOn(grid, cap, verify, options));
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

async function findingOn(
  grid: Grid,
  cap: AnyCap,
  verify: boolean,
  options: OperationOptions,
): Promise<Finding> {
  const { isImmutable } = await import('../any-cap.ts');
  if (isImmutable(cap)) {
    const file = grid.openImmutable(cap);
    return verify ? file.verify(options) : file.check(options);
  }
  const { findingOf } = await import('../../finding.ts');
  const file = grid.open(cap);
  try {
    if (verify) return await file.verify(options);
  } catch (error) {
    // That nothing can be read is a finding.
    if (!(error instanceof UnrecoverableFileError)) throw error;
  }
  return findingOf(await file.servermap({ ...options, mode: 'check' }));
}
