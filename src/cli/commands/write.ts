/**
 * @module write: `put`, `update` and `append`.
 */
import type { Command } from 'commander';
import type { Spooled } from '../../contents/spool.ts';
import type { ChangeCallOptions, MutableFile } from '../../mutable-file.ts';
import type { WriteOutcome } from '../../runtime/outcome.ts';
import type { VersionName } from '../../version-name.ts';
import { type Call, type Perform, type Report, requireOneStdin } from '../call.ts';
import { wholeNumber } from '../numbers.ts';
import { outcomeText } from '../outcome-text.ts';
import { pathArgument } from '../paths.ts';
import { versionName } from '../version-argument.ts';

interface Options {
  readonly force?: boolean;
  readonly raw?: boolean;
  readonly base?: VersionName;
}

type Write = (
  file: MutableFile,
  contents: Spooled,
  options: ChangeCallOptions,
) => Promise<WriteOutcome>;

export function addWriteCommands(program: Command, perform: Perform): void {
  writeCommand(program, 'put', 'replace the contents of a file').action(
    perform((call, cap: string, contents: string | undefined, options: Options) =>
      write(call, cap, contents, options, (file, data, how) => file.overwrite(data, how)),
    ),
  );
  writeCommand(program, 'update', 'write over a part of a file, in place where that is possible')
    .requiredOption('--offset <bytes>', 'where to begin', wholeNumber)
    .action(
      perform(
        (call, cap: string, contents: string | undefined, options: Options & { offset: number }) =>
          write(call, cap, contents, options, (file, data, how) =>
            file.update(data, options.offset, how),
          ),
      ),
    );
  writeCommand(program, 'append', 'write behind the last byte of a file').action(
    perform((call, cap: string, contents: string | undefined, options: Options) =>
      write(call, cap, contents, options, (file, data, how) => file.append(data, how)),
    ),
  );
}

function writeCommand(program: Command, name: string, description: string): Command {
  const command = program
    .command(name)
    .description(description)
    .argument('<CAP>', 'a write cap')
    .argument('[FILE]', 'the contents; stdin if it is "-", or absent', pathArgument);
  return withWriteOptions(command);
}

/** Gives a command the options of whatever changes contents. */
export function withWriteOptions(command: Command): Command {
  return command
    .option(
      '--force',
      'even over a version that would be lost: a newer one that cannot be read, or a rival',
    )
    .option('--base <version>', 'only over that version, as `stat` prints it', versionName)
    .option('--raw', 'even over a directory, whose entries are then lost to Tahoe');
}

async function write(
  call: Call,
  capArgument: string,
  contentsArgument: string | undefined,
  { force = false, raw = false, base }: Options,
  work: Write,
): Promise<Report> {
  requireOneStdin(capArgument, contentsArgument);
  const cap = await call.cap(capArgument, 'write');
  const grid = await call.openGrid('write');
  return call.withContents(contentsArgument, async (contents) => {
    const file = grid.open(cap);
    const how = { force, raw, base };
    const outcome = await call.watch((options) => work(file, contents, { ...options, ...how }));
    return { json: outcome, text: `${outcomeText(outcome)}\n`, isOutcome: true };
  });
}
