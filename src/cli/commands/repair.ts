/**
 * @module repair: `repair`, which puts back what is missing or bad of a file.
 */
import type { Command } from 'commander';
import type { RepairOutcome } from '../../runtime/outcome.ts';
import type { Perform } from '../call.ts';
import { EXIT_UNHEALTHY } from '../complaint.ts';
import { findingLines, findingOf, tahoeCheck } from '../finding.ts';
import { counted, inRuns, oneLine } from '../plain-text.ts';
import { servermapJson } from '../servermap-view.ts';

export function addRepairCommand(program: Command, perform: Perform): void {
  program
    .command('repair')
    .description('put back what is missing or bad of a file; exits with 3 if it is not whole then')
    .argument('<CAP>', 'a write cap')
    .option(
      '--force',
      'even if a version would be lost: a newer one that cannot be read, or a fork',
    )
    .action(
      perform(async (call, argument: string, { force = false }: { force?: boolean }) => {
        const cap = await call.cap(argument, 'write');
        const grid = await call.openGrid('write');
        const file = grid.open(cap);
        const outcome = await call.watch((options) => file.repair({ ...options, force }));
        const { before, isHealthy } = outcome;
        const after = { ...(await findingOf(outcome.after)), isHealthy };
        const [was, is] = [await tahoeCheck(before, cap, grid), await tahoeCheck(after, cap, grid)];
        const { seqnum, way, placed, missing, failures } = outcome;
        return {
          json: {
            ...{ 'storage-index': Reflect.get(is, 'storage-index') },
            ...{ 'repair-attempted': way !== 'nothing' || !isHealthy },
            ...{ 'repair-successful': isHealthy },
            ...{ 'pre-repair-results': was, 'post-repair-results': is },
            ...{ healthy: isHealthy, seqnum, way, placed, missing, failures },
            servermap: servermapJson(after.map, grid.servers),
          },
          text: [...doneLines(outcome), ...findingLines(after, grid.servers), ''].join('\n'),
          exitCode: isHealthy ? 0 : EXIT_UNHEALTHY,
        };
      }),
    );
}

/** What was written, and what went wrong with it. */
function doneLines({ way, seqnum, placed, missing, failures }: RepairOutcome): readonly string[] {
  const shares = counted(placed.length, 'share');
  const done = {
    nothing: 'nothing was written',
    again: `version ${seqnum}: ${shares} placed again`,
    merge: `version ${seqnum}, a new one: ${shares} placed`,
  };
  const short = missing.length === 0 ? [] : [`no place was found for share ${inRuns(missing)}`];
  return [done[way], ...short, ...failures.map(({ detail }) => `failed: ${oneLine(detail)}`)];
}
