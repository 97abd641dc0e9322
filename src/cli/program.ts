/**
 * @module program: all commands under one name, and what surrounds each of them: options that they
 * share, Ctrl-C, output, complaints and the exit code.
 */
import { constants } from 'node:os';
import { Command, CommanderError, Option } from 'commander';
import { packageVersion } from '../package-version.ts';
import type { Inspect } from '../runtime/run.ts';
import { errnoOf } from '../storage/atomic-file.ts';
import {
  Call,
  type GlobalOptions,
  type Note,
  type Perform,
  type Report,
  type Streams,
} from './call.ts';
import { addAliasCommands } from './commands/aliases.ts';
import { addCapCommand } from './commands/cap.ts';
import { addCheckCommand } from './commands/check.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addCopyCommand } from './commands/cp.ts';
import { addCreateCommand } from './commands/create.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addGetCommand } from './commands/get.ts';
import { addGridCommand } from './commands/grid.ts';
import { addHelpCommand, topicNames } from './commands/help.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addJudgeCommand } from './commands/judge.ts';
import { addLeaseCommand } from './commands/lease.ts';
import { addLinkCommands } from './commands/links.ts';
import { addListCommand } from './commands/ls.ts';
import { addMkdirCommand } from './commands/mkdir.ts';
import { addModifyCommand } from './commands/modify.ts';
import { addRepairCommand } from './commands/repair.ts';
import { addServermapCommand } from './commands/servermap.ts';
import { addShareCommands } from './commands/shares.ts';
import { addStatCommand } from './commands/stat.ts';
import { addWalkCommands } from './commands/walks.ts';
import { addWriteCommands } from './commands/write.ts';
import { detailsOf, exitCodeOf, jsonOf, lineOf, UsageError } from './complaint.ts';
import { documentOf } from './document.ts';
import { exits } from './exit-codes.ts';
import { Interruption, onInterruption } from './interruption.ts';
import { print } from './output.ts';
import { pathArgument } from './paths.ts';
import { redactorOf } from './redaction.ts';

/**
 * Runs one command line.
 * @param inspect sees the charts at work
 * @returns the exit code; never rejects
 */
export async function main(
  args: readonly string[],
  streams: Streams = process,
  inspect?: Inspect,
): Promise<number> {
  const interruption = new AbortController();
  const stopListening = onInterruption((reason) => interruption.abort(reason));
  // Commander may stumble before it has read all options.
  let options: GlobalOptions = {
    ...(args.includes('--json') && { json: true }),
    ...((args.includes('--verbose') || args.includes('-v')) && { verbose: true }),
  };
  const redact = redactorOf(args);
  let exitCode = 0;
  const note: Note = (text) => print(streams.stderr, redact(`${text}\n`), 'stderr');
  const perform: Perform =
    (work) =>
    async (...all) => {
      const command = all.pop() as Command;
      const { signal } = interruption;
      options = command.optsWithGlobals();
      const call = new Call(options, streams, signal, inspect, note);
      try {
        const report = await work(call, ...(all as never));
        exitCode = report?.exitCode ?? 0;
        await print(streams.stdout, report && textOf(report, call.options, redact));
        // Of what went well, one who wants only errors is told nothing.
        const isTold = exitCode !== 0 || !options.quiet;
        if (report?.note !== undefined && isTold) await note(report.note);
      } finally {
        call.close();
      }
    };
  // A write's own callback says what went wrong; without a listener it would end the process.
  for (const stream of [streams.stdout, streams.stderr]) stream.on('error', () => {});
  const help: Help = { stdout: '', stderr: '' };
  try {
    await programOf(perform, help).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (caught) {
    const reason = options.json && isUnasked(caught) ? new UsageError(noCommand) : caught;
    const error = isHelp(reason) ? await printed(help, streams, reason) : reason;
    const code = await complain(error, options, streams, redact);
    stopListening();
    if (error instanceof Interruption) process.kill(process.pid, error.signal);
    return code;
  } finally {
    stopListening();
  }
}

/** What commander has to say unasked, kept until it can be seen whether it was taken. */
interface Help {
  stdout: string;
  stderr: string;
}

/** The commands as commander knows them: completion and the man page are made of that. */
export function programOf(perform: Perform, help: Help): Command {
  const program = new Command('tahoe-mutable')
    .description('Mutable files of Tahoe-LAFS: make, read, change and inspect them.')
    .option(
      '--grid <path>',
      'servers.yaml, or a folder with one (or: $TAHOE_MUTABLE_GRID, or ~/.tahoe)',
      pathArgument,
    )
    .option('--json', 'print one JSON document, also of an error (help json)')
    .addOption(
      new Option('-q, --quiet', 'say nothing but what was asked for, and errors').conflicts(
        'verbose',
      ),
    )
    .option('-v, --verbose', 'say what goes on: the grid, servers that fail; all of an error')
    .version(packageVersion(), '-V, --version')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    // Complaints are printed in one place: here, in `complain`.
    .configureOutput({
      outputError: () => {},
      writeOut: (text) => {
        help.stdout += text;
      },
      writeErr: (text) => {
        help.stderr += text;
      },
    })
    .addHelpText('after', capHelp);
  addGridCommand(program, perform);
  addCreateCommand(program, perform);
  addGetCommand(program, perform);
  addStatCommand(program, perform);
  addWriteCommands(program, perform);
  addModifyCommand(program, perform);
  addServermapCommand(program, perform);
  addCheckCommand(program, perform);
  addRepairCommand(program, perform);
  addLeaseCommand(program, perform);
  addCapCommand(program, perform);
  addMkdirCommand(program, perform);
  addListCommand(program, perform);
  addLinkCommands(program, perform);
  addCopyCommand(program, perform);
  addAliasCommands(program, perform);
  addShareCommands(program, perform);
  addCompletionCommand(program, perform);
  addWalkCommands(program, perform);
  addDemoCommand(program, perform);
  addInspectCommand(program, perform, main);
  addJudgeCommand(program, perform);
  addHelpCommand(program, perform);
  return program;
}

const capHelp = `
CAP is a cap, or the address of its page on a web gateway; "-" to read one from
stdin, or @FILE to read one from a file: other users can see a command line, and
whoever sees a write cap can write. Or it is a path behind the name of a directory,
ALIAS:PATH, or behind tahoe: a PATH alone (create-alias, list-aliases).
FILE with what to write is a file; stdin if it is "-", or absent.

The grid is that of --grid, of $TAHOE_MUTABLE_GRID, or of the Tahoe node in ~/.tahoe.

Exit codes: ${exits.map(({ code, name }) => `${code} ${name}`).join(', ')}.
Topics of help: ${topicNames.join(', ')}.`;

type Redact = (text: string) => string;

function textOf(report: Report, options: GlobalOptions, redact: Redact): string {
  const { text, json, tellsCaps, isOutcome } = report;
  const told: Redact = tellsCaps ? (text) => text : redact;
  if (options.json) return json === undefined ? '' : documentOf(json, told, 2);
  return options.quiet && isOutcome ? '' : told(text);
}

async function complain(
  error: unknown,
  options: GlobalOptions,
  streams: Streams,
  redact: Redact,
): Promise<number> {
  const exitCode = exitCodeOf(error);
  // Whoever read our output has gone away; there is nobody to tell.
  if (errnoOf(error) === 'EPIPE') return 128 + constants.signals.SIGPIPE;
  if (isHelp(error)) return exitCode;
  const more = options.verbose ? `${detailsOf(error)}\n` : '';
  const text = redact(`tahoe-mutable: ${lineOf(error)}\n${more}`);
  await print(streams.stderr, text).catch(() => {});
  if (options.json) await print(streams.stdout, documentOf(jsonOf(error), redact)).catch(() => {});
  return exitCode;
}

/** Prints the help. @returns why that failed, or else `reason`, for which it was printed */
async function printed(help: Help, streams: Streams, reason: unknown): Promise<unknown> {
  try {
    await print(streams.stdout, help.stdout);
    await print(streams.stderr, help.stderr, 'stderr');
    return reason;
  } catch (error) {
    return error;
  }
}

const noCommand = 'a command is missing; --help lists them';

/** Help that commander prints for want of a command: for a program, that is an error like others. */
function isUnasked(error: unknown): boolean {
  return error instanceof CommanderError && error.code === 'commander.help' && error.exitCode !== 0;
}

/** Help and version, asked for or not, have been printed by commander. */
function isHelp(error: unknown): boolean {
  if (!(error instanceof CommanderError)) return false;
  return error.exitCode === 0 || error.code === 'commander.help';
}
