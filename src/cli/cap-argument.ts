/**
 * @module cap-argument: a cap from the command line, from stdin (`-`) or from a file (`@FILE`).
 *
 * What is written on a command line can be seen by other users and lands in the shell's history;
 * a write cap is better given in one of the other two ways.
 */
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { readFully } from '../atomic-file.ts';
import { type Cap, parseCap } from '../caps.ts';
import { systemProblem, UsageError } from './complaint.ts';

/** Longer than any cap, and than the hints that old versions wrote behind one. */
const capLengthMax = 4096;

/**
 * The cap that `argument` is, or says where to find.
 * @throws MalformedCapError; UsageError when the file cannot be read
 */
export async function capFrom(argument: string, stdin: Readable, signal: AbortSignal) {
  if (argument === '-') return capIn(await readStart(stdin, signal));
  if (argument.startsWith('@')) return capIn(await readStartOfFile(argument.slice(1)));
  return parseCap(argument);
}

function capIn(text: string): Cap {
  return parseCap(text.trim());
}

/** Also of what is no regular file: `@<(gpg -d …)` is a pipe. */
async function readStartOfFile(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      if ((await file.stat()).isFile()) {
        return Buffer.from(await readFully(file, capLengthMax, 0)).toString('latin1');
      }
      return await readStart(file.createReadStream({ autoClose: false }));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${systemProblem(error)}`, {}, { cause: error });
  }
}

async function readStart(stream: Readable, signal?: AbortSignal): Promise<string> {
  let text = '';
  const abort = () => stream.destroy(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const piece of stream) {
      text += Buffer.from(piece).toString('latin1');
      if (text.length >= capLengthMax) break;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return text;
}
