/**
 * @module cap-argument: a cap from the command line, from stdin (`-`) or from a file (`@FILE`).
 *
 * What is written on a command line can be seen by other users and lands in the shell's history;
 * a write cap is better given in one of the other two ways.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { type Cap, parseCap } from '../caps.ts';
import { systemProblem, UsageError } from './complaint.ts';
import { unlessAborted } from './interruption.ts';

/** Longer than any cap, and than the hints that old versions wrote behind one. */
const capLengthMax = 4096;

/**
 * The cap that `argument` is, or says where to find.
 * @throws MalformedCapError; UsageError when the file cannot be read
 */
export async function capFrom(argument: string, stdin: Readable, signal: AbortSignal) {
  if (argument === '-') return capIn(await unlessAborted(startOf(stdin), signal));
  if (!argument.startsWith('@')) return parseCap(argument);
  return capIn(await unlessAborted(startOfFile(argument.slice(1)), signal));
}

function capIn(text: string): Cap {
  return parseCap(text.trim());
}

/** Also of what is no regular file: `@<(gpg -d …)` is a pipe. */
async function startOfFile(path: string): Promise<string> {
  try {
    return await startOf(createReadStream(path));
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${systemProblem(error)}`, {}, { cause: error });
  }
}

async function startOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const piece of stream) {
    text += Buffer.from(piece).toString('latin1');
    if (text.length >= capLengthMax) break;
  }
  return text;
}
