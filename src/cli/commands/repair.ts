/**
 * @module repair: `repair`, which puts back what is missing or bad of a file.
 */
import type { Command } from 'commander';
import type { Finding } from '../../finding.ts';
import type { Grid } from '../../grid.ts';
import type { RepairCallOptions } from '../../mutable-file.ts';
import type { RepairOutcome } from '../../runtime/outcome.ts';
import type { AnyCap } from '../any-cap.ts';
import type { Perform } from '../call.ts';
import { EXIT_UNHEALTHY } from '../exit-codes.ts';
import { findingLines } from '../finding.ts';
import { counted, inRuns, oneLine } from '../plain-text.ts';
import { servermapJson } from '../servermap-view.ts';

export function addRepairCommand(program: Command, perform: Perform): void {
  program
    .command('repair')
    .description('put back what is missing or bad of a file; exits with 3 if it is not whole then')
    .argument('<CAP>', 'a write cap; of an immutable file any, to be told whether it is whole')
    .option(
      '--force',
      'even if a version would be lost: a newer one that cannot be read, or a fork',
    )
    .action(
      perform(async (call, argument: string, { force = false }: { force?: boolean }) => {
        const cap = await call.anyCap(argument, 'write');
        const grid = await call.openGrid('write');
        const outcome = await call.watch((options) => repaired(grid, cap, { ...options, force }));
        const { before, isHealthy } = outcome;
        const { findingOf, tahoeCheck } = await import('../../finding.ts');
        const after = { ...findingOf(outcome.after), isHealthy };
        const was = tahoeCheck(before, cap, grid.encoding);
        const is = tahoeCheck(after, cap, grid.encoding);
        const { seqnum, way, placed, missing, failures } = outcome;
        return {
          json: {
            ...{ 'storage-index': was['storage-index'] },
            ...{ 'repair-attempted': way !== 'nothing' || !isHealthy },
            ...{ 'repair-successful': isHealthy },
            ...{ 'pre-repair-results': was, 'post-repair-results': is },
            ...{ healthy: isHealthy, seqnum, way, placed, missing, failures },
            servermap: servermapJson(after.map, grid.servers),
          },
          text: [
            ...doneLines(outcome),
            ...findingLines(after, grid.servers),
            ...(isHealthy || force || failures.length > 0 ? [] : hintLines(after)),
            '',
          ].join('\n'),
          isOutcome: true,
          exitCode: isHealthy ? 0 : EXIT_UNHEALTHY,
        };
      }),
    );
}

type Repaired = Omit<RepairOutcome, 'before'> & { readonly before: Finding };

/** Of what is immutable there is nothing to do, or nothing can be done. */
async function repaired(grid: Grid, cap: AnyCap, options: RepairCallOptions): Promise<Repaired> {
  const { isImmutable } = await import('../any-cap.ts');
  if (!isImmutable(cap)) return grid.open(cap).repair(options);
  // There is nothing to force.
  const { force: _, ...rest } = options;
  const before = await grid.openImmutable(cap).repair(rest);
  const { map: after, isHealthy } = before;
  const nothing = { seqnum: 0, way: 'nothing', placed: [], missing: [], failures: [] } as const;
  return { ...nothing, before, after, isHealthy };
}

/** What was written, and what went wrong with it. */
function doneLines({ way, seqnum, placed, missing, failures }: Repaired): readonly string[] {
  const shares = counted(placed.length, 'share');
  const done = {
    nothing: 'nothing was written',
    again: `version ${seqnum}: ${shares} placed again`,
    merge: `version ${seqnum}, a new one: ${shares} placed`,
  };
  const short = missing.length === 0 ? [] : [`no place was found for share ${inRuns(missing)}`];
  return [done[way], ...short, ...failures.map(({ detail }) => `failed: ${oneLine(detail)}`)];
}

/** Why a repair leaves bad shares where they are, though nothing went wrong. */
function hintLines({ bad }: Finding): readonly string[] {
  if (bad.length === 0) return [];
  return ['what is bad may be of a newer version, and stays; --force writes over it'];
}
