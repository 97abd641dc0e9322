/**
 * @module lease: `lease renew`, which keeps files for another 31 days.
 */
import type { Command } from 'commander';
import type { Grid } from '../../grid.ts';
import { redacted } from '../../redacted.ts';
import { type Call, type Perform, requireOneCapStdin } from '../call.ts';
import { exitCodeOf, jsonOf, lineAt } from '../complaint.ts';
import { worstOf } from '../exit-codes.ts';
import { leaseExitCode, leaseText } from '../lease-view.ts';
import { placeFrom } from '../place.ts';

/** What has come of one of the files. */
interface Renewal {
  readonly line: string;
  readonly json: object;
  readonly exitCode: number;
}

export function addLeaseCommand(program: Command, perform: Perform): void {
  program
    .command('lease')
    .description('keep files from lapsing')
    .command('renew')
    .description('renew the leases of files for 31 days; exits with 3 if some may lapse')
    .argument('<CAP...>', 'any caps of files or directories, with paths behind them or not')
    .action(
      perform(async (call, caps: readonly string[]) => {
        requireOneCapStdin(...caps);
        const grid = await call.openGrid('write');
        const renewals: Renewal[] = [];
        // One after the other: a file is asked for on all servers at once.
        for (const argument of caps) renewals.push(await renew(call, grid, argument));
        return {
          json: { files: renewals.map(({ json }) => json) },
          text: renewals.map(({ line }) => `${line}\n`).join(''),
          isOutcome: true,
          exitCode: worstOf(renewals.map(({ exitCode }) => exitCode)),
        };
      }),
    );
}

/** What is wrong with one file is no reason to let the others lapse. */
async function renew(call: Call, grid: Grid, argument: string): Promise<Renewal> {
  try {
    const { openerOf } = await import('../readable.ts');
    const open = openerOf(await placeFrom(call, argument));
    const outcome = await call.watch(async (options) =>
      (await open(grid, options)).renewLeases(options),
    );
    return {
      line: `${redacted(argument)}: ${leaseText(outcome, grid.servers)}`,
      json: { cap: argument, ...outcome },
      exitCode: leaseExitCode(outcome),
    };
  } catch (error) {
    call.signal.throwIfAborted();
    return {
      line: lineAt(redacted(argument), error),
      json: { cap: argument, ...jsonOf(error) },
      exitCode: exitCodeOf(error),
    };
  }
}
