/**
 * @module atomic-file: files that are wholly old or wholly new, whatever happens in between.
 *
 * The new content is written beside the old one, synced, then renamed over it, and the rename is
 * synced too. No library: write-file-atomic 8 needs Node >= 22, holds the whole content in memory
 * and cannot start from a copy-on-write clone of the old file.
 */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reasonOf } from '../../machines/reason.ts';
import { sweepLeftBehind, temporaryPathIn } from './left-behind.ts';

/** Writes the content of a new file, piece by piece. */
export type Fill = (file: FileHandle) => Promise<void>;

export interface StageOptions {
  /** Start from a copy of this file (a clone where the file system can), not from nothing. */
  readonly from?: string | undefined;
  /** Permissions; by default 0o666 less the umask, or those of `from`. */
  readonly mode?: number | undefined;
}

/** Creates `path` complete and on disk; when anything fails, the file is not there. */
export async function stageFile(path: string, fill: Fill, options: StageOptions = {}) {
  try {
    const file = await openStaged(path, options);
    try {
      if (options.mode !== undefined) await file.chmod(options.mode);
      await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await removeQuietly(path);
    throw error;
  }
}

async function openStaged(path: string, { from, mode }: StageOptions): Promise<FileHandle> {
  if (from === undefined) return open(path, 'wx', mode);
  await copyFile(from, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  return open(path, 'r+');
}

/** What a file shall hold, piece by piece. */
export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface ReplaceOptions {
  /** Permissions; by default those of the old file. */
  readonly mode?: number;
  /** Whether its folder was swept already. */
  readonly isSwept?: boolean;
}

/**
 * Replaces `target`, or creates it; until that is complete, `target` is what it was. A link is
 * followed. What killed processes have left beside it is swept. What is there but is no file
 * (`/dev/stdout`, a pipe) is written to directly.
 */
export async function replaceFile(target: string, pieces: Pieces, options: ReplaceOptions = {}) {
  const fill = async (file: FileHandle) => {
    for await (const piece of pieces) await file.writeFile(piece);
  };
  const old = await stat(target).catch(ignoreMissing);
  if (old !== undefined && !old.isFile()) return writeStraight(target, fill);
  const path = old === undefined ? target : await realpath(target);
  if (!options.isSwept) await sweepLeftBehind(dirname(path));
  const staged = temporaryPathIn(dirname(path));
  await stageFile(staged, fill, { mode: options.mode ?? (old && old.mode & 0o7777) });
  try {
    await rename(staged, path);
  } catch (error) {
    await removeQuietly(staged);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Removes what a failure left; a second failure must not hide the first. */
export async function removeQuietly(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

async function writeStraight(target: string, fill: Fill): Promise<void> {
  const file = await open(target, 'w');
  try {
    await fill(file);
  } finally {
    await file.close();
  }
}

/** Makes the renames and removals within a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders; its renames are journalled.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes all of `bytes` at `position`, however little a single write takes. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number) {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * Reads `length` bytes at `position`; fewer only where the file ends.
 * @param bytes where they are put; new memory by default
 */
export async function readFully(
  file: FileHandle,
  length: number,
  position: number,
  bytes: Uint8Array = new Uint8Array(length),
): Promise<Uint8Array> {
  let done = 0;
  while (done < length) {
    const piece = Math.min(length - done, READ_MAX);
    const { bytesRead } = await file.read(bytes, done, piece, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
/** Node refuses reads of 2 GiB and more. */
const READ_MAX = 2 ** 30;

/** Turns "no such file" into `undefined`; anything else is thrown. For `.catch()`. */
export function ignoreMissing(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

/** The errno name (`ENOSPC`) of a failed system call, if `error` is one. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // Node's own complaints are ERR_…: those are programming mistakes, not the system's refusal.
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** What the operating system refused, in its words: `no such file or directory`. */
export function systemProblem(error: unknown): string {
  const message = reasonOf(error);
  const errno = errnoOf(error);
  if (errno === undefined) return message;
  // "ENOENT: no such file or directory, open '…'": the path was said already.
  return message.replace(`${errno}: `, '').replace(/, \w+( '.*')?$/, '');
}
