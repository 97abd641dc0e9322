/**
 * @module walks: `deep-check`, `manifest` and `stats`: a directory and all that is below it, a line
 * for each object as soon as it was met.
 */
import type { Command } from 'commander';
import type { Perform } from '../call.ts';
import { wholeNumber } from '../numbers.ts';
import { pathArgument } from '../paths.ts';
import { placeFrom } from '../place.ts';
import type { WalkCallOptions, WalkCommand } from '../walk-run.ts';

export function addWalkCommands(program: Command, perform: Perform): void {
  const command = (name: WalkCommand, description: string) =>
    program
      .command(name)
      .description(description)
      .argument('<DIR>', 'a read or write cap of a directory, with a path behind it or not')
      .argument('[PATH]', 'names of directories below it')
      .option('--resume <FILE>', 'keep in FILE how far it is, and go on there', pathArgument)
      .option('--concurrency <n>', 'how many files to ask for at once; 4 by default', wholeNumber)
      .action(
        perform(
          async (call, argument: string, path: string | undefined, options: WalkCallOptions) => {
            const { runWalk } = await import('../walk-run.ts');
            return runWalk(call, await placeFrom(call, argument, path), name, options);
          },
        ),
      );
  command('deep-check', 'check every file below a directory; exits with 3 if one is not whole')
    .option('--verify', 'read every block of every share')
    .option('--repair', 'put back what is missing or bad')
    .option('--add-lease', 'renew the leases on all shares')
    .option('--caps', 'print the caps of the objects too; they are secrets');
  command('manifest', 'list everything below a directory with its cap, which is a secret');
  command('stats', 'count what is below a directory');
}
