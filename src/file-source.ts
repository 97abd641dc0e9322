/**
 * @module file-source: the contents for a write, out of an open file (Node only).
 *
 * Only what is being encoded is in memory, so a file may be larger than that.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { requirePath } from './arguments.ts';
import type { Spooled } from './contents/spool.ts';
import { BadSourceError } from './errors.ts';
import { readFully, systemProblem } from './storage/atomic-file.ts';

/** A file to be written to the grid; whoever opened it closes it. */
export interface FileSource extends Spooled, AsyncDisposable {}

/**
 * Opens a regular file as contents; it must not change while it is being written.
 * @throws BadSourceError when it is something else; what the system says (`ENOENT`, …)
 *
 * @example
 * ```ts
 * import { openFile } from 'tahoe-mutable/node';
 *
 * const source = await openFile('my-grid/servers.yaml'); // read where it lies, as it is written
 * await grid.create({ contents: source }).finally(() => source.close());
 * ```
 */
export async function openFile(path: string): Promise<FileSource> {
  requirePath('path', path);
  const file = await open(path, 'r');
  try {
    return await sourceOf(file, path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * An open file as contents, of the size that it has now: what is added behind that later is not
 * written. One whose size does not tell how much can be read of it is refused; copy it first.
 * @param name for errors
 * @throws BadSourceError
 */
export async function sourceOf(file: FileHandle, name: string): Promise<FileSource> {
  const status = await file.stat();
  // A pipe would look like an empty file.
  if (!status.isFile()) throw new BadSourceError(name, 'is not a regular file');
  const { size } = status;
  const read = (offset: number, length: number) =>
    readFully(file, length, offset).catch((error: unknown) => {
      throw new BadSourceError(name, `cannot be read: ${systemProblem(error)}`);
    });
  // The files of /proc and /sys say 0 or 4096, whatever is in them: at a true end there is one byte
  // in front and none behind.
  const end = await read(Math.max(0, size - 1), 2);
  if (end.length !== Math.min(1, size)) {
    throw new BadSourceError(name, `has another length than the ${size} bytes that it claims`);
  }
  return {
    size,
    async read(offset, length) {
      const bytes = await read(offset, length);
      if (bytes.length === length) return bytes;
      throw new BadSourceError(name, `ends at ${offset + bytes.length}, which it did not before`);
    },
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}
