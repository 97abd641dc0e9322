/**
 * @module file-source: the contents for a write, out of an open file (Node only).
 *
 * Only what is being encoded is in memory, so a file may be larger than that.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { readFully } from './atomic-file.ts';
import { BadSourceError } from './errors.ts';
import type { Plaintext } from './share/plaintext.ts';

/** A file to be written to the grid; whoever opened it closes it. */
export interface FileSource extends Plaintext {
  close(): Promise<void>;
}

/**
 * Opens a regular file as contents; it must not change while it is being written.
 * @throws BadSourceError when it is something else; what the system says (`ENOENT`, …)
 */
export async function openFile(path: string): Promise<FileSource> {
  const file = await open(path, 'r');
  try {
    return await sourceOf(file, path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * An open file as contents, of the size that it has now.
 * @param name for errors
 * @throws BadSourceError
 */
export async function sourceOf(file: FileHandle, name: string): Promise<FileSource> {
  const status = await file.stat();
  // A pipe would look like an empty file.
  if (!status.isFile()) throw new BadSourceError(name, 'is not a regular file');
  return {
    size: status.size,
    async read(offset, length) {
      const bytes = await readFully(file, length, offset);
      if (bytes.length === length) return bytes;
      throw new BadSourceError(name, `ends at ${offset + bytes.length}, which it did not before`);
    },
    close: () => file.close(),
  };
}
