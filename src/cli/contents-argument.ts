/**
 * @module contents-argument: what to write, from a file or from stdin (`-`).
 *
 * Encoding reads its source at any place and more than once. A regular file can do that, if its
 * size is true; everything else is first copied to a temporary file, so that large contents do not
 * sit in memory, and what was read is what is written.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { unlessAborted } from '../abort.ts';
import { type Once, onceFrom } from '../contents/once.ts';
import { type Kept, type Spooled, spooled } from '../contents/spool.ts';
import { spoolFor } from '../contents/spool-file.ts';
import { BadSourceError } from '../errors.ts';
import { type FileSource, openFile } from '../file-source.ts';
import { errnoOf } from '../storage/atomic-file.ts';
import { unreadable } from './complaint.ts';
import { isStdin, requireSource, requireStdin } from './stdin.ts';

/** Runs `work` with what a stream has, copied to where it can be read at any place. */
export async function withStream<T>(
  stream: ReadableStream<Uint8Array>,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
  work: (contents: Spooled) => Promise<T>,
): Promise<T> {
  return workingWith(await copyOf(stream, name, signal), work);
}

/** Runs `work` with contents, and closes them. */
export async function workingWith<T>(
  contents: Spooled,
  work: (contents: Spooled) => Promise<T>,
): Promise<T> {
  try {
    return await work(contents);
  } finally {
    await contents.close();
  }
}

/** The contents that `argument` names. @param kept told of what is copied first */
export async function openContents(
  argument: string,
  { stdin, signal }: { readonly stdin: Readable; readonly signal: AbortSignal },
  kept?: Kept,
): Promise<Spooled> {
  if (isStdin(argument)) {
    await requireStdin(stdin);
    return copyOf(stdin, 'stdin', signal, kept);
  }
  const file = await unlessAborted(openRegular(argument), signal);
  return file ?? copyOf(createReadStream(argument), argument, signal, kept);
}

/** @returns undefined for what must be read to its end to know its length */
async function openRegular(path: string): Promise<FileSource | undefined> {
  const status = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (status.isDirectory()) throw new BadSourceError(path, 'is not a regular file');
  await requireSource(path, status);
  if (!status.isFile()) return undefined;
  try {
    return await openFile(path);
  } catch (error) {
    if (error instanceof BadSourceError) return undefined;
    throw unreadable(path, error);
  }
}

async function copyOf(
  stream: Readable | ReadableStream<Uint8Array>,
  name: string,
  signal: AbortSignal,
  kept?: Kept,
): Promise<Spooled> {
  try {
    return await spooled(onceFrom(stream) as Once, spoolFor(name), signal, kept);
  } catch (error) {
    throw errnoOf(error) === undefined ? error : unreadable(name, error);
  }
}
