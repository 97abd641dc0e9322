/**
 * @module aliases: `add-alias`, `create-alias`, `list-aliases` and `remove-alias`: names for
 * directories, kept in the client's folder as Tahoe keeps them.
 */
import { type Command, Option } from 'commander';
import { type Call, type Perform, requireOneCapStdin } from '../call.ts';
import { prepare, withFormatOption } from '../cap-first.ts';
import { isInputError, NameTakenError, UnknownAliasError, UsageError } from '../complaint.ts';
import { outcomeText } from '../outcome-text.ts';
import { oneLine, table } from '../plain-text.ts';

const where = `
Aliases are in the file private/aliases of the grid's folder, which only its owner
can read; a Tahoe node has the same file. ALIAS:PATH stands where a cap is taken; a
PATH alone begins at the alias tahoe:, if there is one.`;

export function addAliasCommands(program: Command, perform: Perform): void {
  addAddCommand(program, perform);
  addCreateCommand(program, perform);
  addListCommand(program, perform);
  addRemoveCommand(program, perform);
}

function addAddCommand(program: Command, perform: Perform): void {
  program
    .command('add-alias')
    .description('give a directory a name that stands for its cap')
    .argument('<ALIAS>', 'a new name')
    .argument('<DIR>', 'a cap of a directory, with a path behind it or not')
    .addHelpText('after', where)
    .action(
      perform(async (call, given: string, argument: string) => {
        requireOneCapStdin(given, argument);
        const { aliasNameFrom } = await import('../../description/aliases.ts');
        const name = aliasNameFrom(given);
        const cap = await directoryCap(call, argument);
        await addNew(await call.clientFolder(), name, cap);
        return { json: { alias: name }, text: `${name}: added\n`, isOutcome: true };
      }),
    );
}

/** @throws NameTakenError */
async function addNew(folder: string, name: string, cap: string): Promise<void> {
  const { addAlias } = await import('../../description/aliases.ts');
  if (!(await addAlias(folder, name, cap))) {
    const advice = `if it leads to no directory: remove-alias ${name}, then again`;
    throw new NameTakenError('alias', name, advice);
  }
}

/** The text of the cap, as it is written everywhere. @throws UsageError for a file's */
async function directoryCap(call: Call, argument: string): Promise<string> {
  const { immutableCapOf } = await import('../../directory/immutable.ts');
  const { capIn } = await import('../cap-text.ts');
  const cap = await call.capText(argument);
  const { what, readwrite, readonly } = await held(cap);
  if (what.startsWith('directory')) return (readwrite ?? readonly) as string;
  if (immutableCapOf(cap) === undefined) capIn(cap);
  throw new UsageError('DIR: is no cap that a directory can be listed with');
}

/** What a cap leads to, and the texts of both caps, by Tahoe's names for them. */
async function held(cap: string) {
  const { targetOf } = await import('../../directory/target.ts');
  const target = targetOf({ rw: cap }, true);
  if ('problem' in target) return { access: '??', what: 'no cap' };
  const { kind, format = '', caps } = target;
  return {
    access: caps.write === undefined ? 'r-' : 'rw',
    what: `${kind} ${format}`.trim(),
    ...(caps.write !== undefined && { readwrite: caps.write }),
    ...(caps.read !== undefined && { readonly: caps.read }),
  };
}

function addCreateCommand(program: Command, perform: Perform): void {
  const command = program
    .command('create-alias')
    .description('make a new directory, and give it a name that stands for its cap')
    .argument('<ALIAS>', 'a new name')
    .addHelpText('after', where);
  withFormatOption(command).action(
    perform(async (call, given: string, options: { readonly format?: 'sdmf' | 'mdmf' }) => {
      const { aliasNameFrom, removeAlias } = await import('../../description/aliases.ts');
      const { formatCap, writeCapOf } = await import('../../caps.ts');
      const name = aliasNameFrom(given);
      const folder = await call.clientFolder();
      const { grid, how } = await prepare(call, { ...options, output: name });
      // The cap is kept before there is anything that would be lost without it.
      const cap = formatCap(writeCapOf(how.key, how.format ?? grid.format, true));
      await addNew(folder, name, cap);
      try {
        const made = await call.watch((more) => grid.createDirectory({ ...more, ...how }));
        const outcome = made.file?.created;
        if (outcome === undefined) throw new Error('a new directory has a file');
        const { verifyCap } = made;
        return {
          json: { alias: name, verifyCap, ...outcome },
          text: `${name}: a new directory: ${outcomeText(outcome)}\n`,
          isOutcome: true,
        };
      } catch (error) {
        if (isInputError(error)) await removeAlias(folder, name);
        // Who knows what has reached a server; only this cap leads to it.
        else await call.tell(keptNote(name));
        throw error;
      }
    }),
  );
}

/** Its key is gone with this process, so that only another cap can be made anew. */
function keptNote(name: string): string {
  return `${name}: is kept, and may lead to no directory; to make another: remove-alias ${name}, then again`;
}

interface ListOptions {
  readonly caps?: boolean;
  readonly names?: boolean;
}

/** Whether a shell takes it as it is: `--names` is what completion puts on a command line. */
function isPlain(name: string): boolean {
  return /^[\p{L}\p{N}_.+-]+$/u.test(name);
}

function addListCommand(program: Command, perform: Perform): void {
  program
    .command('list-aliases')
    .description('list the names that stand for caps of directories')
    .option('--caps', 'print the caps too; they are secrets')
    .addOption(new Option('--names', 'print no more than the names').conflicts('caps'))
    .addHelpText('after', where)
    .action(
      perform(async (call, { caps: tells = false, names = false }: ListOptions) => {
        const aliases = [...(await call.aliases())];
        const rows = await Promise.all(
          aliases.map(async ([name, cap]) => ({ name, cap, ...(await held(cap)) })),
        );
        rows.sort((a, b) => (a.name < b.name ? -1 : 1));
        if (names) {
          const known = rows.map(({ name }) => name).filter(isPlain);
          return { json: { names: known }, text: known.map((name) => `${name}:\n`).join('') };
        }
        const lines = rows.map(({ name, cap, access, what }) => [
          ...[access, what, `${oneLine(name)}:`],
          ...(tells ? [oneLine(cap)] : []),
        ]);
        const entries = rows.map(({ name, access, what, readwrite, readonly }) => {
          return [name, { access, what, ...(tells && { readwrite, readonly }) }];
        });
        return {
          json: { aliases: Object.fromEntries(entries) },
          text: rows.length === 0 ? '' : `${table(lines, '')}\n`,
          ...(tells && { tellsCaps: true as const }),
        };
      }),
    );
}

function addRemoveCommand(program: Command, perform: Perform): void {
  program
    .command('remove-alias')
    .description('forget a name; the directory stays, and may be lost without its cap')
    .argument('<ALIAS>', 'the name')
    .addHelpText('after', where)
    .action(
      perform(async (call, given: string) => {
        const { aliasNameFrom, readAliases, removeAlias } = await import(
          '../../description/aliases.ts'
        );
        const name = aliasNameFrom(given);
        const folder = await call.clientFolder();
        if (!(await removeAlias(folder, name))) {
          throw new UnknownAliasError(name, [...(await readAliases(folder)).keys()].sort());
        }
        return { json: { alias: name }, text: `${name}: removed\n`, isOutcome: true };
      }),
    );
}
