/**
 * @module mkdir: `mkdir`, a new directory, in another or not. It prints the write cap, as `create`
 * does, and for the same reason.
 */
import type { Command } from 'commander';
import { ExistingChildError, InsufficientCapError, NoSuchChildError } from '../../errors.ts';
import { linkBelow, reached } from '../below.ts';
import type { Call, Perform } from '../call.ts';
import {
  capFirst,
  type Making,
  type MakingOptions,
  prepare,
  withMakingOptions,
} from '../cap-first.ts';
import type { Address } from '../cap-text.ts';
import { UsageError } from '../complaint.ts';
import { placeFrom } from '../place.ts';

export function addMkdirCommand(program: Command, perform: Perform): void {
  const command = program
    .command('mkdir')
    .description('make a new directory and print its write cap')
    .argument('[DIR]', 'the write cap of a directory to link it in, with a path behind it or not')
    .argument(
      '[PATH]',
      'its name there, behind those of directories on the way, which are made if need be',
    );
  withMakingOptions(command).action(
    perform(
      async (
        call,
        argument: string | undefined,
        path: string | undefined,
        options: MakingOptions,
      ) => {
        const place = argument === undefined ? undefined : await placeFrom(call, argument, path);
        const making = await prepare(call, options);
        const { grid, how } = making;
        const target = place && (await freePlace(call, making, place));
        return capFirst(call, making, { directory: true }, async () => {
          const made = await call.watch((more) => grid.createDirectory({ ...more, ...how }));
          if (target) {
            await call.watch((more) => linkBelow(grid, target, made, more));
          }
          if (made.file === undefined) throw new Error('a new directory has a file');
          return made.file;
        });
      },
    ),
  );
}

/** Where a directory can be linked: what is in the way is not found when it has been made. */
async function freePlace(call: Call, { grid }: Making, { cap, names }: Address) {
  const name = names.at(-1);
  if (name === undefined) throw new UsageError('PATH: says no name');
  return call.watch(async (options) => {
    const way = { cap, names: names.slice(0, -1) };
    const { directory, missing } = await reached(grid, way, options);
    const held = directory.file?.cap.kind ?? 'read';
    if (held !== 'write') throw new InsufficientCapError('adding', 'write', held);
    const place = { directory, missing: [...missing, name] };
    if (missing.length > 0) return place;
    try {
      const { kind } = await directory.get(name, options);
      throw new ExistingChildError(name, kind);
    } catch (error) {
      if (error instanceof NoSuchChildError) return place;
      throw error;
    }
  });
}
