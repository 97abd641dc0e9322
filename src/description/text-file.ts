/**
 * @module text-file: a file of a grid's description, read whole.
 *
 * People write these files, and others may put something else in their place: a pipe, which would
 * keep one of libuv's four threads for ever; a device; a file without an end.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { decodeText } from '../decode-text.ts';
import { BadGridError } from '../errors.ts';
import { errnoOf, ignoreMissing, readFully, systemProblem } from '../storage/atomic-file.ts';

/** Bytes: a thousand servers. Strangers fill introducers, and parsing takes time and memory. */
const fileLengthMax = 2 ** 20;

/**
 * The text of a file, or undefined when there is none.
 * @throws BadGridError for what is no regular file, too long, no text, or cannot be read
 */
export async function readTextFile(path: string): Promise<string | undefined> {
  try {
    const bytes = await readRegular(path);
    if (bytes === undefined) return undefined;
    const text = decodeText(bytes);
    if (text !== undefined) return text;
  } catch (error) {
    throw gridErrorOf(path, 'cannot be read', error);
  }
  throw new BadGridError(path, 'is not text in UTF-8, nor in UTF-16 with a byte order mark');
}

async function readRegular(path: string): Promise<Uint8Array | undefined> {
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  const file = await open(path, flags).catch(ignoreMissing);
  if (file === undefined) return undefined;
  try {
    if (!(await file.stat()).isFile()) throw new BadGridError(path, 'is not a regular file');
    const bytes = await readFully(file, fileLengthMax + 1, 0);
    if (bytes.length <= fileLengthMax) return bytes;
    throw new BadGridError(path, `is longer than ${fileLengthMax} bytes`);
  } finally {
    await file.close();
  }
}

/** What went wrong with a file of the description: the system's refusal as a BadGridError. */
export function gridErrorOf(path: string, problem: string, error: unknown): unknown {
  if (errnoOf(error) === undefined) return error;
  return new BadGridError(path, `${problem}: ${systemProblem(error)}`);
}

/** The same of what could not be written, which another may have made meanwhile. */
export function unwritableGridOf(path: string, problem: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const isTaken = errno === 'EEXIST' || errno === 'ENOTEMPTY';
  const facts = isTaken ? ({ isTaken } as const) : ({ isUnwritable: true } as const);
  return new BadGridError(path, `${problem}: ${systemProblem(error)}`, facts);
}
