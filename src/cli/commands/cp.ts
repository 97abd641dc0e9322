/**
 * @module cp: `cp`, files and whole directories, from here to a grid, from a grid to here, and from
 * one place on a grid to another. Whose contents go where a directory goes is Tahoe's rule.
 */
import type { Command } from 'commander';
import { aliasPathIn } from '../alias.ts';
import { type Call, isCapStdin, type Perform, type Report } from '../call.ts';
import { jsonOf, lineAt, UsageError } from '../complaint.ts';
import type { Copying, Place } from '../copy/copying.ts';
import type { Entry } from '../copy/entry.ts';
import { EXIT_FAILED } from '../exit-codes.ts';
import { ofGrid } from '../grid-folders.ts';
import { requirePaths } from '../paths.ts';
import { counted, oneLine } from '../plain-text.ts';
import { holdsCap } from '../redaction.ts';

const help = `
FROM and TO are paths here, or CAPs with a path behind them or not. ./a:b and ./@x are
paths here. A FROM that has a name goes into the directory TO under that name, with all
that is in it; a cap or ALIAS: alone has none, and stands for what is in it. A TO that
is not there is made: a file for a single file, else a directory.

On the grid, a mutable file that is there gets the new contents and keeps its caps; any
other file gets a new link. New files are mutable, and each takes the time to make a
key; immutable files that are on the grid are linked, not copied. Links here are
followed. What cannot be copied is told, and so are folders of the grid that is copied
to; the rest is copied, and the exit code is 1.`;

export function addCopyCommand(program: Command, perform: Perform): void {
  program
    .command('cp')
    .description('copy files and directories to a grid, from it, or on it')
    .usage('[options] <FROM...> <TO>')
    .argument('<PATHS...>', 'what to copy, and last where to')
    .option('-r, --recursive', 'directories too, with all that is below them')
    .addHelpText('after', help)
    .action(
      perform(async (call, paths: readonly string[], { recursive = false }: Options) => {
        const to = paths.at(-1) as string;
        const from = paths.slice(0, -1);
        if (from.length === 0) throw new UsageError('TO: is missing');
        if (paths.filter(isCapStdin).length > 1)
          throw new UsageError('two caps cannot both be "-"');
        requirePaths(
          'PATHS',
          paths.filter((path) => !isOnGrid(path)),
        );
        if (!isOnGrid(to) && !from.every(isOnGrid)) {
          throw new UsageError('FROM and TO are both here; say ALIAS:PATH for what is on a grid');
        }
        const { Copying } = await import('../copy/copying.ts');
        return call.watch(async (_, show) => {
          const shown = (done: number, total: number) => show({ phase: 'copying', done, total });
          const copying = new Copying({ signal: call.signal }, shown);
          try {
            const sources = await sourcesOf(call, from, isOnGrid(to), copying);
            await copyTo(call, to, sources, { recursive, copying });
          } finally {
            const { unlinked } = copying;
            if (unlinked.length > 0) {
              await call.tell(`uploaded, and linked nowhere: ${oneLine(unlinked.join(', '))}`);
            }
          }
          return reportOf(copying);
        });
      }),
    );
}

interface Options {
  readonly recursive?: boolean;
}

/** A cap, wherever it is, or a path behind an alias; all else is a path here. */
function isOnGrid(argument: string): boolean {
  if (/^\.{0,2}\//.test(argument)) return false;
  const isDrive = process.platform === 'win32' && /^[a-z]:/i.test(argument);
  if (argument === '-' || argument.startsWith('@') || holdsCap(argument)) return true;
  return /^(?:ro\.|imm\.)?URI(?::|%3A)|^https?:/i.test(argument) || isAlias(argument, isDrive);
}

function isAlias(argument: string, isDrive: boolean): boolean {
  return !isDrive && aliasPathIn(argument) !== undefined;
}

/** @throws for a source that is not there: then nothing is copied */
async function sourcesOf(
  call: Call,
  from: readonly string[],
  isUpload: boolean,
  { options }: Copying,
): Promise<readonly Entry[]> {
  const { localEntry } = await import('../copy/local.ts');
  const here = { call, isOfGrid: ofGrid(call) };
  const sources: Entry[] = [];
  for (const argument of from) {
    if (!isOnGrid(argument)) {
      sources.push(await localEntry(here, argument));
      continue;
    }
    const address = await call.address(argument);
    const { gridEntry } = await import('../copy/on-grid.ts');
    const grid = await call.openGrid(isUpload ? 'write' : 'read');
    sources.push(await gridEntry(grid, address, options));
  }
  return sources;
}

interface How extends Required<Options> {
  readonly copying: Copying;
}

async function copyTo(call: Call, to: string, sources: readonly Entry[], how: How) {
  const { recursive, copying } = how;
  const directory = sources.find(({ kind }) => kind === 'directory');
  if (!recursive && directory !== undefined) {
    // A cap is not printed.
    throw new UsageError(`${directory.name ?? 'FROM'}: is a directory; say --recursive`);
  }
  const [only] = sources;
  // A directory would be made for nothing.
  if (sources.length === 1 && only?.kind === 'refused') throw only.problem;
  const single = sources.length === 1 && only?.kind === 'file' ? only : undefined;
  const place = await placeOf(call, to, copying);
  if (place.kind === 'directory' || (single === undefined && place.kind === 'missing')) {
    await copying.copy(sources, await place.folder());
  } else if (single === undefined) {
    throw new UsageError('TO: is a file, and one file only can be copied to that');
  } else if (to.endsWith('/')) {
    throw new UsageError('TO: is no directory, and ends with a slash');
  } else {
    await place.take(single);
  }
  // Where only one thing was to be done, that it failed is all there is to say.
  const [failed, ...more] = copying.failed;
  if (single && failed && more.length === 0) throw failed.error;
}

async function placeOf(call: Call, to: string, copying: Copying): Promise<Place> {
  if (!isOnGrid(to)) return (await import('../copy/local.ts')).localPlace(to, copying);
  const { gridPlace } = await import('../copy/on-grid.ts');
  const address = await call.address(to);
  return gridPlace(await call.openGrid('write'), address, copying);
}

/** Of one run; what it could not copy is for people on stderr. */
function reportOf({ done, failed }: Copying): Report {
  const { files, linked, directories, bytes } = done;
  const links = linked === 0 ? '' : `, ${linked} of them linked`;
  const made =
    directories === 0
      ? ''
      : `; ${directories} new ${directories === 1 ? 'directory' : 'directories'}`;
  const problems = failed.map(({ where, error }) => lineAt(where, error));
  return {
    json: {
      ...done,
      failed: failed.map(({ where, error }) => ({ where, ...jsonOf(error).error })),
    },
    text: `${counted(files, 'file')}, ${counted(bytes, 'byte')}${links}${made}\n`,
    isOutcome: true,
    ...(failed.length > 0 && { note: problems.join('\n'), exitCode: EXIT_FAILED }),
  };
}
