/**
 * @module contents-argument: what to write, from a file or from stdin (`-`).
 *
 * Encoding reads its source at any place and more than once. A regular file can do that, if its
 * size is true; everything else is first copied to a temporary file, so that large contents do not
 * sit in memory, and what was read is what is written.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { unlessAborted } from '../abort.ts';
import { BadSourceError } from '../errors.ts';
import { type FileSource, openFile, sourceOf } from '../file-source.ts';
import { errnoOf, writeFully } from '../storage/atomic-file.ts';
import { OutputError, unreadable } from './complaint.ts';
import { isStdin, requireSource, requireStdin } from './stdin.ts';

/** Runs `work` with the contents that `argument` names, and closes them. */
export async function withContents<T>(
  argument: string,
  { stdin, signal }: { readonly stdin: Readable; readonly signal: AbortSignal },
  work: (contents: FileSource) => Promise<T>,
): Promise<T> {
  return workingWith(await openContents(argument, stdin, signal), work);
}

/** Runs `work` with what a stream has, copied to where it can be read at any place. */
export async function withStream<T>(
  open: () => Readable,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
  work: (contents: FileSource) => Promise<T>,
): Promise<T> {
  return workingWith(await spool(open, name, signal), work);
}

async function workingWith<T>(
  contents: FileSource,
  work: (contents: FileSource) => Promise<T>,
): Promise<T> {
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
  if (isStdin(argument)) {
    await requireStdin(stdin);
    return spool(() => stdin, 'stdin', signal);
  }
  const file = await unlessAborted(openRegular(argument), signal);
  return file ?? spool(() => createReadStream(argument), argument, signal);
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

/**
 * Copies a stream to a temporary file that nobody else can read, and that has no name any more.
 * @param open nothing fails unheard: it is read from at once
 */
async function spool(open: () => Readable, name: string, signal: AbortSignal): Promise<FileSource> {
  const file = await openUnnamed(name);
  const stream = open();
  try {
    await unlessAborted(copy(stream, file, name), signal);
    return await sourceOf(file, name);
  } catch (error) {
    stream.destroy();
    await file.close();
    throw error;
  }
}

async function openUnnamed(name: string): Promise<FileHandle> {
  const path = join(tmpdir(), `tahoe-mutable-${randomBytes(12).toString('hex')}`);
  try {
    const file = await open(path, 'wx+', 0o600);
    // Whatever ends this process, the copy goes with it.
    await unlink(path);
    return file;
  } catch (error) {
    throw noRoom(name, error);
  }
}

async function copy(stream: Readable, file: FileHandle, name: string): Promise<void> {
  let end = 0;
  const pieces: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await pieces.next().catch((error: unknown) => {
      throw errnoOf(error) === undefined ? error : unreadable(name, error);
    });
    if (done) return;
    await writeFully(file, value, end).catch((error: unknown) => {
      throw noRoom(name, error);
    });
    end += value.length;
  }
}

function noRoom(name: string, cause: unknown): OutputError {
  return new OutputError(`${tmpdir()} (TMPDIR, for a copy of ${name})`, cause);
}
