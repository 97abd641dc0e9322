/**
 * @module cap-argument: a cap from the command line, from stdin (`-`) or from a file (`@FILE`).
 *
 * What is written on a command line can be seen by other users and lands in the shell's history;
 * a write cap is better given in one of the other two ways.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Cap } from '../caps.ts';
import { decodeText } from '../decode-text.ts';
import { capIn } from './cap-text.ts';
import { UsageError, unreadable } from './complaint.ts';
import { unlessAborted } from './interruption.ts';
import { holdsCap } from './redaction.ts';
import { isStdin, requireStdin } from './stdin.ts';

/** Longer than any cap, in UTF-16, and than the hints that old versions wrote behind one. */
const capLengthMax = 4096;

/**
 * The cap that `argument` is, or says where to find.
 * @throws MalformedCapError; UsageError when the file cannot be read
 */
export async function capFrom(argument: string, stdin: Readable, signal: AbortSignal) {
  if (argument === '-') return capOnStdin(stdin, signal);
  if (!argument.startsWith('@')) return capIn(argument);
  const path = argument.slice(1);
  if (isStdin(path)) return capOnStdin(stdin, signal);
  if (holdsCap(path)) throw new UsageError('CAP: behind "@" is a cap, not a path');
  return capIn(await unlessAborted(startOf(createReadStream(path), path), signal));
}

async function capOnStdin(stdin: Readable, signal: AbortSignal): Promise<Cap> {
  await requireStdin(stdin);
  return capIn(await unlessAborted(startOf(stdin, 'stdin'), signal));
}

/** Also of what is no regular file: `@<(gpg -d …)` is a pipe. */
async function startOf(stream: Readable, name: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of stream) {
      pieces.push(Buffer.from(piece));
      length += piece.length;
      if (length >= capLengthMax) break;
    }
  } catch (error) {
    throw unreadable(name, error);
  }
  if (length === 0) throw new UsageError(`${name}: is empty, where a cap is expected`);
  return decodeText(Buffer.concat(pieces)) ?? '';
}
