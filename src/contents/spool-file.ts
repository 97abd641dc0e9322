/**
 * @module spool-file: contents that can be read only once, kept in a temporary file (Node only).
 *
 * Nobody else can read the file, and it has no name: whatever ends this process, it goes with it.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireOptions, requirePath } from '../arguments.ts';
import { SpoolError } from '../errors.ts';
import { sourceOf } from '../file-source.ts';
import { systemProblem, writeFully } from '../storage/atomic-file.ts';
import type { Spool } from './spool.ts';

/**
 * Keeps contents in temporary files, as they are: in the clear.
 * @param options `folder`: on which disk; `$TMPDIR`, or what the system has instead, by default
 * @throws BadArgumentError
 */
export function spoolToFile(options: { readonly folder?: string | undefined } = {}): Spool {
  requireOptions(options);
  const { folder } = options;
  if (folder !== undefined) requirePath('folder', folder);
  return spoolFor('contents', folder);
}

/** The same. @param name what is kept, for errors */
export function spoolFor(name: string, folder?: string): Spool {
  return async (pieces) => {
    const path = folder ?? tmpdir();
    const variable = folder === undefined ? 'TMPDIR, ' : '';
    const noRoom = (cause: unknown): never => {
      const problem = `cannot be written: ${systemProblem(cause)}`;
      throw new SpoolError(`${path} (${variable}for a copy of ${name})`, problem, {}, { cause });
    };
    const file = await openUnnamed(path).catch(noRoom);
    try {
      let end = 0;
      for await (const piece of pieces) {
        await writeFully(file, piece, end).catch(noRoom);
        end += piece.length;
      }
      return await sourceOf(file, name);
    } catch (error) {
      await file.close();
      throw error;
    }
  };
}

async function openUnnamed(folder: string): Promise<FileHandle> {
  const path = join(folder, `tahoe-mutable-${randomBytes(12).toString('hex')}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
