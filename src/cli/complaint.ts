/**
 * @module complaint: what the command line says, and exits with, when something went wrong.
 *
 * One line on stderr; with --json also a document on stdout; --verbose adds the rest. The codes are
 * in `exit-codes.ts`. Whoever prints it redacts it.
 */
import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { reasonOf } from '../../machines/reason.ts';
import { DirectoryCapError, InsufficientCapError, TahoeMutableError } from '../errors.ts';
import { systemProblem } from '../storage/atomic-file.ts';
import { EXIT_FAILED, EXIT_USAGE, exitCodeFor } from './exit-codes.ts';
import { Interruption } from './interruption.ts';
import { oneLine } from './plain-text.ts';

export { systemProblem };

/** The command line itself is wrong. */
export class UsageError extends TahoeMutableError {
  static override readonly code = 'UsageError';
}

/** Nobody has given that name to a directory. `facts.known` are those that somebody has. */
export class UnknownAliasError extends TahoeMutableError {
  static override readonly code = 'UnknownAliasError';

  constructor(alias: string, known: readonly string[] = []) {
    const list = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
    super(`no alias is called ${JSON.stringify(alias)}; ${list}`, { alias, known });
  }
}

/** What was to be new has a name that is taken here: an alias, or a file of the user's. */
export class NameTakenError extends TahoeMutableError {
  static override readonly code = 'NameTakenError';

  constructor(kind: 'alias' | 'file', name: string, advice: string) {
    super(`the ${kind} ${name} is there already; ${advice}`, { name, kind });
  }
}

/** A name on a grid that no file here can have. */
export class UnsafeNameError extends TahoeMutableError {
  static override readonly code = 'UnsafeNameError';

  constructor(name: string, problem: string) {
    super(`${JSON.stringify(name)} ${problem}`, { name, problem });
  }
}

/** A program that was to make new contents has failed; nothing was written. */
export class CommandFailedError extends TahoeMutableError {
  static override readonly code = 'CommandFailedError';

  constructor(program: string, exitCode: number | null, signal: string | null) {
    const how = signal === null ? `exited with ${exitCode}` : `was ended by ${signal}`;
    super(`${program} ${how}; nothing was written`, { program, exitCode, signal });
  }
}

/** A file of the user's could not be written. */
export class OutputError extends TahoeMutableError {
  static override readonly code = 'OutputError';

  constructor(where: string, cause: unknown) {
    super(`${where}: cannot be written: ${systemProblem(cause)}`, { where }, { cause });
  }
}

/** A file of the user's, or stdin, could not be read. */
export function unreadable(where: string, cause: unknown): UsageError {
  const problem = `cannot be read: ${systemProblem(cause)}`;
  return new UsageError(`${where}: ${problem}`, { where, problem }, { cause });
}

/** The error, saying first what it is about: a file, an alias. */
export function errorAt(where: string, error: TahoeMutableError): TahoeMutableError {
  const message = `${where}: ${error.message}`;
  return Object.assign(error, { message, facts: { ...error.facts, where } });
}

/** These are the caller's mistakes: nothing was tried. */
export function isInputError(error: unknown): boolean {
  if (error instanceof InsufficientCapError || error instanceof DirectoryCapError) return true;
  return error instanceof TahoeMutableError && exitCodeOf(error) === EXIT_USAGE;
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interruption) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  return error instanceof TahoeMutableError ? exitCodeFor(error) : EXIT_FAILED;
}

/** The one line, without the name of the program. */
export function lineOf(error: unknown): string {
  return oneLine(reasonOf(error).replace(/^error: /, ''));
}

/** The same behind where it happened, which it may say itself. */
export function lineAt(where: string, error: unknown): string {
  const start = `${oneLine(where)}: `;
  const line = lineOf(error);
  return line.startsWith(start) ? line : start + line;
}

/** The same for a program to read. */
export function jsonOf(error: unknown): { readonly error: object } {
  const code = error instanceof TahoeMutableError || error instanceof CommanderError;
  return {
    error: {
      code: code ? error.code : ((error as Error)?.name ?? 'Error'),
      message: lineOf(error),
      ...(error instanceof TahoeMutableError && { facts: error.facts }),
    },
  };
}

/** What --verbose adds: the facts, the stack, and what caused it all. */
export function detailsOf(error: unknown): string {
  return inspect(error, { depth: 8, colors: false });
}
