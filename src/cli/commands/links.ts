/**
 * @module links: `ln`, `mv` and `unlink`: names in directories.
 */
import { type Command, Option } from 'commander';
import type { Child } from '../../directory/child.ts';
import type { Replace } from '../../directory/edits.ts';
import type { EditOutcome } from '../../directory.ts';
import { type Call, type Perform, type Report, requireOneCapStdin } from '../call.ts';
import type { Address } from '../cap-text.ts';
import { UsageError } from '../complaint.ts';
import { outcomeText } from '../outcome-text.ts';
import { type NamedPlace, parentOf, placeFrom } from '../place.ts';

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
    .argument('<CHILD>', 'a cap of any kind, or a path behind that of a directory')
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
          const { cap, names } = await call.address(child, true);
          const place = await placeFrom(call, argument, path);
          const grid = await call.openGrid('write');
          const edit = await call.watch(async (options) => {
            const from = names.length === 0 ? undefined : grid.openDirectory(cap);
            const linked = (await from?.find(names, options)) ?? cap;
            const { parent, name } = await parentOf(grid, place, options);
            return parent.add(name, linked, { ...options, replace: replaceFor(replace) });
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
    .usage('[options] <DIR> <FROM> <TO>\n       tahoe-mutable mv [options] <ALIAS:FROM> <ALIAS:TO>')
    .argument('<DIR>', DIR)
    .argument('<FROM>', 'the path of the child')
    .argument('[TO]', 'its new path')
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
          to: string | undefined,
          { replace, to: other }: Options,
        ) => {
          const { source, target } = await placesOf(call, argument, from, { to, other });
          const grid = await call.openGrid('write');
          const { added, unlinked } = await call.watch(async (options) => {
            const { parent, name } = await parentOf(grid, source, options);
            const there = await parentOf(grid, target, options);
            requireOutside(await parent.get(name, options), there);
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

/** `DIR FROM TO`, with another directory for the latter or not; or two places, `a:FROM b:TO`. */
async function placesOf(
  call: Call,
  argument: string,
  from: string,
  { to, other }: { readonly to: string | undefined; readonly other: string | undefined },
): Promise<{ readonly source: Address; readonly target: Address }> {
  if (to === undefined) {
    if (other !== undefined)
      throw new UsageError('--to: TO is missing, the path in that directory');
    requireOneCapStdin(argument, from);
    const source = await placeFrom(call, argument);
    const target = await placeFrom(call, from);
    // As Tahoe has it: into a directory, under the name that it has.
    const into = from.endsWith('/') || target.names.length === 0;
    return { source, target: into ? below(target, source.names.slice(-1)) : target };
  }
  if (other !== undefined) requireOneCapStdin(argument, other);
  const { namesOf } = await import('../../directory/names.ts');
  const root = await placeFrom(call, argument);
  const otherRoot = other === undefined ? root : await placeFrom(call, other);
  return { source: below(root, namesOf(from)), target: below(otherRoot, namesOf(to)) };
}

/** A directory that is moved below itself is reached by no path any more, nor is what is in it. */
function requireOutside({ caps }: Child, { way }: NamedPlace): void {
  if (caps.read === undefined || way.every(({ readCap }) => readCap !== caps.read)) return;
  throw new UsageError('TO: is in the directory that is to be moved there');
}

function below({ cap, names }: Address, more: readonly string[]): Address {
  return { cap, names: [...names, ...more] };
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
  return { json: { edits }, text: lines.map((line) => `${line}\n`).join(''), isOutcome: true };
}
