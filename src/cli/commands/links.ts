/**
 * @module links: `ln`, `mv` and `unlink`: names in directories.
 */
import { type Command, Option } from 'commander';
import type { Replace } from '../../directory/edits.ts';
import type { EditOutcome } from '../../directory.ts';
import { type Perform, type Report, requireOneCapStdin } from '../call.ts';
import { UsageError } from '../complaint.ts';
import { outcomeText } from '../outcome-text.ts';
import { parentOf, placeFrom } from '../place.ts';

interface Options {
  readonly replace?: 'any' | 'only-files';
  readonly to?: string;
}

const DIR = 'a write cap of a directory, with a path behind it or not';

export function addLinkCommands(program: Command, perform: Perform): void {
  addLinkCommand(program, perform);
  addMoveCommand(program, perform);
  program
    .command('unlink')
    .description('take a name out of a directory; what it led to stays where it is')
    .argument('<DIR>', DIR)
    .argument('[PATH]', 'the name, behind those of directories on the way')
    .action(
      perform(async (call, argument: string, path: string | undefined) => {
        const place = await placeFrom(call, argument, path);
        const grid = await call.openGrid('write');
        const edit = await call.watch(async (options) => {
          const { parent, name } = await parentOf(grid, place, options);
          return parent.unlink(name, options);
        });
        return reportOf([edit]);
      }),
    );
}

function addLinkCommand(program: Command, perform: Perform): void {
  program
    .command('ln')
    .description('give what a cap leads to a name in a directory')
    .argument('<CHILD>', 'a cap of any kind')
    .argument('<DIR>', DIR)
    .argument('[PATH]', 'the name, behind those of directories on the way')
    .addOption(replaceOption())
    .action(
      perform(
        async (
          call,
          child: string,
          argument: string,
          path: string | undefined,
          { replace }: Options,
        ) => {
          requireOneCapStdin(child, argument);
          const { cap, names } = await call.address(child);
          if (names.length > 0) throw new UsageError('CHILD: a path stands behind the cap');
          const place = await placeFrom(call, argument, path);
          const grid = await call.openGrid('write');
          const edit = await call.watch(async (options) => {
            const { parent, name } = await parentOf(grid, place, options);
            return parent.add(name, cap, { ...options, replace: replaceFor(replace) });
          });
          return reportOf([edit]);
        },
      ),
    );
}

function addMoveCommand(program: Command, perform: Perform): void {
  program
    .command('mv')
    .description('give a child another name, there or in another directory')
    .argument('<DIR>', DIR)
    .argument('<FROM>', 'the path of the child')
    .argument('<TO>', 'its new path')
    .option('--to <DIR>', 'the directory that the new path begins at; the same one by default')
    .addOption(replaceOption())
    .addHelpText(
      'after',
      `
To another directory, the child is linked there and then unlinked here. If that is
interrupted it has both names; the same command again does the rest.`,
    )
    .action(
      perform(
        async (
          call,
          argument: string,
          from: string,
          to: string,
          { replace, to: other }: Options,
        ) => {
          if (other !== undefined) requireOneCapStdin(argument, other);
          const { namesOf } = await import('../../directory/names.ts');
          const root = await placeFrom(call, argument);
          const otherRoot = other === undefined ? root : await placeFrom(call, other);
          const source = { ...root, names: [...root.names, ...namesOf(from)] };
          const target = { ...otherRoot, names: [...otherRoot.names, ...namesOf(to)] };
          const grid = await call.openGrid('write');
          const { added, unlinked } = await call.watch(async (options) => {
            const { parent, name } = await parentOf(grid, source, options);
            const there = await parentOf(grid, target, options);
            return parent.move(name, there.parent, there.name, {
              ...options,
              replace: replaceFor(replace),
            });
          });
          return reportOf(unlinked === undefined ? [added] : [added, unlinked]);
        },
      ),
    );
}

function replaceOption(): Option {
  return new Option(
    '--replace <what>',
    'also a child that has the name; without it, none is replaced',
  ).choices(['any', 'only-files']);
}

function replaceFor(what: Options['replace']): Replace {
  return what === 'any' ? true : (what ?? false);
}

/** What each edit has come to, a line for each. */
function reportOf(edits: readonly EditOutcome[]): Report {
  const lines = edits.map(({ write }) =>
    write === undefined ? 'nothing had to be changed' : outcomeText(write),
  );
  return { json: edits, text: lines.map((line) => `${line}\n`).join('') };
}
