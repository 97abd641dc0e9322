/**
 * @module make-folders: a folder, with those that it lies in.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './atomic-file.ts';

/**
 * Makes what is missing of a path; a link to a folder is one. Node's own `recursive` never ends where
 * the system says that the folder is missing which it has just found, as it does below `/proc`.
 * @param mode of all that are made
 */
export async function makeFolders(path: string, mode = 0o777): Promise<void> {
  const make = () => mkdir(path, { mode }).catch((error) => requireFolder(path, error));
  try {
    await make();
  } catch (error) {
    const around = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || around === path) throw error;
    await makeFolders(around, mode);
    await make();
  }
}

/** @throws what was thrown, where there is none */
async function requireFolder(path: string, error: unknown): Promise<void> {
  const isThere = await stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
  if (!isThere) throw error;
}
