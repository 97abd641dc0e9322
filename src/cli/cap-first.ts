/**
 * @module cap-first: making what nobody else knows the cap of. The cap is on its way, to stdout or
 * into a file, before anything is made: where that fails, nothing has been made.
 */
import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Format } from '../caps.ts';
import type { SigningKey } from '../crypto/primitives.ts';
import { decodeText } from '../decode-text.ts';
import { BadKeyError } from '../errors.ts';
import type { Grid } from '../grid.ts';
import type { MutableFile } from '../mutable-file.ts';
import type { WriteOutcome } from '../runtime/outcome.ts';
import { errnoOf, removeQuietly } from '../storage/atomic-file.ts';
import type { Call, Report } from './call.ts';
import { errorAt, isInputError, NameTakenError, OutputError } from './complaint.ts';
import { outcomeText } from './outcome-text.ts';
import { pathArgument } from './paths.ts';
import { oneLine } from './plain-text.ts';
import { startOfFile } from './start-of.ts';
import { requireReader } from './stdout.ts';

export interface MakingOptions {
  readonly format?: Format;
  readonly privateKey?: string;
  readonly output?: string;
}

/** Gives a command the option of whatever makes something mutable. */
export function withFormatOption(command: Command): Command {
  return command.addOption(
    inAnyCase(
      new Option(
        '--format <format>',
        "MDMF can change in place; by default that of the grid's tahoe.cfg, or else mdmf",
      ).choices(['sdmf', 'mdmf']),
    ),
  );
}

/** Tahoe writes them in capitals, and takes both. */
function inAnyCase(option: Option): Option {
  const { parseArg } = option;
  return option.argParser((value, before) => parseArg?.(value.toLowerCase(), before));
}

/** Gives a command the options of whatever makes something, and gives its cap away. */
export function withMakingOptions(command: Command): Command {
  return withFormatOption(command)
    .option(
      '--private-key <PEM>',
      'a file with an RSA-2048 key; made anew by default',
      pathArgument,
    )
    .option(
      '-o, --output <FILE>',
      'put the write cap into a new file that only you can read, and do not print it',
      pathArgument,
    )
    .addHelpText('after', orderHelp);
}

const orderHelp = `
The write cap is printed, or in its file, before anything is made: where it cannot
go, nothing is. If the command fails after that, the cap may be one of no file.`;

/** A grid, and a key of what will be made on it. */
export interface Making {
  readonly grid: Grid;
  /** What `Grid.create` and `Grid.createDirectory` want to be told. */
  readonly how: { readonly key: SigningKey; readonly isNewKey: boolean; readonly format?: Format };
  readonly output: string | undefined;
}

export async function prepare(
  call: Call,
  { privateKey, output, ...wanted }: MakingOptions,
): Promise<Making> {
  const { primitives } = await import('../crypto/node.ts');
  const isNewKey = privateKey === undefined;
  const key = await (isNewKey ? primitives.generateKey() : readKey(privateKey, call));
  if (output === undefined) await requireReader(call.streams.stdout);
  const grid = await call.openGrid('write');
  const { requireUsable } = await import('../encoding.ts');
  requireUsable(grid.unusable, wanted.format);
  return { grid, how: { key, isNewKey, ...wanted }, output };
}

/**
 * Gives the cap away, then makes what it is the cap of.
 * @param about what else the document says of it
 */
export async function capFirst(
  call: Call,
  { grid, how, output }: Making,
  { directory, ...about }: { readonly directory: boolean; readonly size?: number },
  make: () => Promise<MutableFile>,
): Promise<Report> {
  const { formatCap, writeCapOf } = await import('../caps.ts');
  const format = how.format ?? grid.format;
  const writeCap = formatCap(writeCapOf(how.key, format, directory));
  if (output !== undefined) {
    const { verifyCap, created } = await keptFor(call, output, `${writeCap}\n`, make);
    const outcome = created as WriteOutcome;
    return {
      json: { output, verifyCap, format, ...about, ...outcome },
      text: `${output}: the write cap of ${outcomeText(outcome)}\n`,
      isOutcome: true,
    };
  }
  await sayFirst(call, writeCap);
  const { readCap, verifyCap, created } = await make();
  const outcome = created as WriteOutcome;
  return {
    json: { writeCap, readCap, verifyCap, format, ...about, ...outcome },
    text: '',
    tellsCaps: true,
    ...(outcome.missing.length + outcome.stale.length > 0 && { note: outcomeText(outcome) }),
  };
}

/** A document can only come at the end; a blank line shows whether it can be printed at all. */
function sayFirst(call: Call, writeCap: string): Promise<void> {
  return call.say(call.options.json ? '\n' : `${writeCap}\n`);
}

/**
 * Puts `text` into a new file at `path`, then works. A mistake in the input removes the file; after
 * anything else it is kept, for who knows what has reached a server.
 */
async function keptFor<T>(
  call: Call,
  path: string,
  text: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      throw new NameTakenError('file', path, 'it may hold a cap, so nothing is written over it');
    }
    await removeQuietly(path);
    throw new OutputError(path, error);
  }
  try {
    return await work();
  } catch (error) {
    if (isInputError(error)) await removeQuietly(path);
    else await call.tell(`${oneLine(path)}: is kept; what it holds the cap of may not be there`);
    throw error;
  }
}

/** Bytes: more than any RSA-2048 key in PEM, in UTF-16, with comments around it. */
const lengthMax = 65_536;

async function readKey(path: string, call: Call): Promise<SigningKey> {
  const { signal } = call;
  await call.warnIfExposed(path);
  const { signingKeyFromPem } = await import('../crypto/pem.ts');
  const text = decodeText(await startOfFile(path, { lengthMax, signal })) ?? '';
  return signingKeyFromPem(text).catch((error: unknown) => {
    throw error instanceof BadKeyError ? errorAt(path, error) : error;
  });
}
