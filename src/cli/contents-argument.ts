/**
 * @module contents-argument: what to write, from a file or from stdin (`-`).
 *
 * Encoding reads its source at any place and more than once. A regular file can do that; stdin and
 * pipes are first copied to a temporary file, so that large ones do not sit in memory.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { writeFully } from '../atomic-file.ts';
import { BadSourceError } from '../errors.ts';
import { type FileSource, openFile, sourceOf } from '../file-source.ts';
import { systemProblem, UsageError } from './complaint.ts';
import { unlessAborted } from './interruption.ts';

/** Runs `work` with the contents that `argument` names, and closes them. */
export async function withContents<T>(
  argument: string,
  { stdin, signal }: { readonly stdin: Readable; readonly signal: AbortSignal },
  work: (contents: FileSource) => Promise<T>,
): Promise<T> {
  const contents = await openContents(argument, stdin, signal);
  try {
    return await work(contents);
  } finally {
    await contents.close();
  }
}

async function openContents(
  argument: string,
  stdin: Readable,
  signal: AbortSignal,
): Promise<FileSource> {
  if (argument === '-') return spool(stdin, 'stdin', signal);
  const file = await openRegular(argument);
  return file ?? spool(createReadStream(argument), argument, signal);
}

/** @returns undefined for a pipe or a device */
async function openRegular(path: string): Promise<FileSource | undefined> {
  try {
    const status = await stat(path);
    if (status.isFile() || status.isDirectory()) return await openFile(path);
    return undefined;
  } catch (error) {
    if (error instanceof BadSourceError) throw error;
    throw new UsageError(`${path}: cannot be read: ${systemProblem(error)}`, {}, { cause: error });
  }
}

/** Copies `stream` to a temporary file that nobody else can read, and that has no name any more. */
async function spool(stream: Readable, name: string, signal: AbortSignal): Promise<FileSource> {
  const path = join(tmpdir(), `tahoe-mutable-${randomBytes(12).toString('hex')}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    // Whatever ends this process, the copy goes with it.
    await unlink(path);
    await unlessAborted(
      pipeline(stream, (pieces) => append(file, pieces)),
      signal,
    );
    return await sourceOf(file, name);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function append(file: FileHandle, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  let end = 0;
  for await (const piece of pieces) {
    await writeFully(file, piece, end);
    end += piece.length;
  }
}
