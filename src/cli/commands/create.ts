/**
 * @module create: `create`, a new file. It prints the write cap: that is what it is for.
 */
import type { Command } from 'commander';
import type { Perform } from '../call.ts';
import { capFirst, type MakingOptions, prepare, withMakingOptions } from '../cap-first.ts';
import { pathArgument } from '../paths.ts';

export function addCreateCommand(program: Command, perform: Perform): void {
  const command = program
    .command('create')
    .description('make a new file and print its write cap')
    .argument('[FILE]', 'the contents; stdin if it is "-", or absent', pathArgument);
  withMakingOptions(command).action(
    perform(async (call, argument: string | undefined, options: MakingOptions) => {
      const making = await prepare(call, options);
      return call.withContents(argument, async (contents) => {
        const { grid, how } = making;
        const make = () => call.watch((more) => grid.create({ ...more, ...how, contents }));
        return capFirst(call, making, { directory: false, size: contents.size }, make);
      });
    }),
  );
}
