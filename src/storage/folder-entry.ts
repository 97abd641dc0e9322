/**
 * @module folder-entry: what lies in a server folder, taken for what it has to be or refused.
 *
 * Rules: no link is followed below the folder; nothing is opened but files and folders, since a
 * pipe would keep one of libuv's four threads for ever, and a device might do something; what is
 * new belongs to whom the folder around it belongs to (see `ownership.ts`).
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, ignoreMissing } from './atomic-file.ts';
import { FolderFault } from './folder-fault.ts';
import { give, ownershipWithin } from './ownership.ts';

/** Against whoever puts a link or a pipe in the place between the look and the opening. */
const CAREFULLY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Of what is made in a folder: no more than its owner and group have there. */
const FILE_MODE = 0o664;
const FOLDER_MODE = 0o2775;

/**
 * Opens a file that is there.
 * @param flags of `constants`
 * @param refuse makes the error out of what is there instead
 * @throws what `refuse` makes; and, with its errno, what the system refuses
 */
export async function openEntry(
  path: string,
  flags: number,
  refuse: (what: string) => Error = (what) => notA('file', path, what),
): Promise<FileHandle> {
  const what = kindOf(await lstat(path));
  if (what !== 'a file') throw refuse(what);
  const file = await open(path, flags | CAREFULLY);
  try {
    const now = kindOf(await file.stat());
    if (now !== 'a file') throw refuse(now);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Opens a file to write at its end, and makes it when it is not there. @throws FolderFault */
export async function openOrMakeEntry(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_APPEND;
  const there = await openEntry(path, flags).catch(ignoreMissing);
  if (there !== undefined) return there;
  const ownership = await ownershipWithin(dirname(path), FILE_MODE);
  let file: FileHandle;
  try {
    file = await open(path, flags | CAREFULLY | constants.O_CREAT | constants.O_EXCL);
  } catch (error) {
    // Somebody else has made it meanwhile.
    if (errnoOf(error) === 'EEXIST') return openEntry(path, flags);
    throw error;
  }
  try {
    await give(file, path, ownership);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Whether there is a folder; false when nothing is there. @throws FolderFault for anything else */
export async function isFolder(path: string): Promise<boolean> {
  const status = await lstat(path).catch(ignoreMissing);
  if (status === undefined) return false;
  const what = kindOf(status);
  if (what !== 'a folder') throw notA('folder', path, what);
  return true;
}

/**
 * Makes a folder unless it is there.
 * @param options.mayBeLink for the one link that is the operator's own: `shares/` on another disk
 * @throws FolderFault
 */
export async function ensureFolder(path: string, options: { mayBeLink?: boolean } = {}) {
  if (options.mayBeLink && (await lstat(path).catch(ignoreMissing))?.isSymbolicLink()) {
    if ((await stat(path)).isDirectory()) return;
    throw notA('folder', path, 'a link to something else');
  }
  if (await isFolder(path)) return;
  const ownership = await ownershipWithin(dirname(path), FOLDER_MODE);
  try {
    await mkdir(path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !(await isFolder(path))) throw error;
    return;
  }
  // Windows cannot open folders, and knows no owners and modes.
  if (process.platform === 'win32') return;
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | CAREFULLY);
  try {
    await give(folder, path, ownership);
  } catch (error) {
    await rmdir(path).catch(() => {});
    throw error;
  } finally {
    await folder.close();
  }
}

/** How a file shall be that will lie in `folder`, or in folders yet to be made there. */
export async function ownershipOfNewFile(folder: string) {
  let around = folder;
  while ((await lstat(around).catch(ignoreMissing)) === undefined) around = dirname(around);
  return ownershipWithin(around, FILE_MODE);
}

function notA(expected: string, path: string, what: string): FolderFault {
  return new FolderFault(`${path} is ${what}, not a ${expected}`);
}

function kindOf(status: Stats): string {
  if (status.isFile()) return 'a file';
  if (status.isDirectory()) return 'a folder';
  if (status.isSymbolicLink()) return 'a symbolic link';
  if (status.isFIFO()) return 'a FIFO';
  if (status.isSocket()) return 'a socket';
  return 'a device';
}
