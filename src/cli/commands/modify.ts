/**
 * @module modify: `modify`, the contents of a file through a program of the user's.
 */
import { spawn } from 'node:child_process';
import { type Command, CommanderError } from 'commander';
import type { Modifier } from '../../runtime/job.ts';
import { errnoOf } from '../../storage/atomic-file.ts';
import type { Perform } from '../call.ts';
import { CommandFailedError, UsageError } from '../complaint.ts';
import { wholeNumber } from '../numbers.ts';
import { outcomeText } from '../outcome-text.ts';
import { pathArgument } from '../paths.ts';
import { withWriteOptions } from './write.ts';

interface Options {
  readonly exec: string;
  readonly attempts?: number;
  readonly force?: boolean;
  readonly raw?: boolean;
}

const help = `
CMD gets the contents on stdin, and what it prints becomes the contents. If it exits
with anything but 0, nothing is written. When somebody else wrote at the same time, it
runs again, on what is there then, which may hold its own change already: it must not
mind that. TAHOE_MUTABLE_ATTEMPT counts from 1, TAHOE_MUTABLE_SEQNUM is the version
that it gets. There is no shell, but you may ask for one:

  modify @cap --exec sed -- -e s/old/new/
  modify @cap --exec sh -- -c 'sort | uniq'`;

export function addModifyCommand(program: Command, perform: Perform): void {
  const command = program
    .command('modify')
    .description('change a file by a program: its contents to stdin, new ones from stdout')
    .argument('<CAP>', 'a write cap')
    .argument('[ARGS...]', 'arguments of CMD, behind "--" if one begins with "-"')
    .requiredOption('--exec <CMD>', 'the program', pathArgument)
    .option('--attempts <count>', 'how often to try at most; 8 by default', wholeNumber)
    .addHelpText('after', help);
  command.exitOverride((error) => {
    throw error.code === 'commander.unknownOption' ? withHint(error) : error;
  });
  withWriteOptions(command).action(
    perform(async (call, argument: string, args: readonly string[], options: Options) => {
      const { exec, attempts, force = false, raw = false } = options;
      const cap = await call.cap(argument, 'write');
      const grid = await call.openGrid('write');
      const { signal, streams } = call;
      const modifier = modifierOf([exec, ...args], { signal, stderr: streams.stderr });
      const how = { force, raw, ...(attempts !== undefined && { attempts }) };
      const outcome = await call.watch(
        (more) => grid.open(cap).modify(modifier, { ...more, ...how }),
        ', or with more --attempts',
      );
      const text = outcome === undefined ? 'nothing had to be changed' : outcomeText(outcome);
      const json = { changed: outcome !== undefined, ...outcome };
      return { json, text: `${text}\n`, isOutcome: true };
    }),
  );
}

/** `--exec sh -c` would be our option. */
function withHint({ exitCode, code, message }: CommanderError): CommanderError {
  const hint = 'options of CMD go behind "--": --exec CMD -- ARGS';
  return new CommanderError(exitCode, code, `${message}; ${hint}`);
}

interface Surroundings {
  readonly signal: AbortSignal;
  readonly stderr: NodeJS.WritableStream;
}

/** @throws CommandFailedError, UsageError for what cannot be run */
export function modifierOf(
  [program = '', ...args]: readonly string[],
  { signal, stderr }: Surroundings,
): Modifier {
  return async (contents, { attempt, seqnum }) => {
    const env = {
      ...process.env,
      TAHOE_MUTABLE_ATTEMPT: String(attempt + 1),
      TAHOE_MUTABLE_SEQNUM: String(seqnum),
    };
    const child = spawn(program, args, { env, signal, stdio: 'pipe' });
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stderr.pipe(stderr, { end: false });
    // It need not read all of it, or any.
    child.stdin.on('error', () => {});
    child.stdin.end(contents);
    await new Promise<void>((resolve, reject) => {
      child.on('error', (error) =>
        reject(signal.aborted ? signal.reason : unrunnable(program, error)),
      );
      child.on('close', (code, killer) => {
        if (code === 0) resolve();
        else reject(new CommandFailedError(program, code, killer));
      });
    });
    const changed = Buffer.concat(pieces);
    return changed.equals(contents) ? undefined : new Uint8Array(changed);
  };
}

function unrunnable(program: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  return new UsageError(`--exec: ${program}: cannot be run: ${errno}`, {}, { cause });
}
