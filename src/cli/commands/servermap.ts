/**
 * @module servermap: `servermap`, who holds what, which versions, what is bad and why.
 */
import { type Command, Option } from 'commander';
import type { Mode } from '../../../machines/servermap.ts';
import type { Perform } from '../call.ts';
import { servermapJson, servermapText } from '../servermap-view.ts';

export function addServermapCommand(program: Command, perform: Perform): void {
  program
    .command('servermap')
    .description('say who holds which share of which version, and what is bad')
    .argument('<CAP>', 'any cap; the modes write and repair need a write cap')
    .addOption(
      new Option('--mode <mode>', 'how far to look')
        .choices(['read', 'write', 'check', 'repair', 'anything'])
        .default('check'),
    )
    .action(
      perform(async (call, argument: string, { mode }: { mode: Mode }) => {
        const cap = await call.cap(argument);
        const grid = await call.openGrid('read');
        const map = await call.watch((options) => grid.open(cap).servermap({ ...options, mode }));
        return { json: servermapJson(map, grid.servers), text: servermapText(map, grid.servers) };
      }),
    );
}
