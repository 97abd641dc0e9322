/**
 * @module ownership: whom the files of a server folder belong to, and who may read them.
 *
 * A share that is replaced keeps owner, group and mode: somebody else's write, root's above all,
 * must not take it from the server that it belongs to. What is new is as the folder that it lies
 * in. What cannot be made so is refused, before anything is replaced.
 */
import type { Stats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { errnoOf } from './atomic-file.ts';
import { FolderFault } from './folder-fault.ts';

export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** Whether the group may be another one, which then has no rights. */
  readonly isGroupOptional: boolean;
}

/** That of something which is there. */
export function ownershipOf({ uid, gid, mode }: Stats): Ownership {
  return { uid, gid, mode: mode & 0o7777, isGroupOptional: false };
}

/**
 * That of something new in `folder`.
 * @param mask of the permission bits that it may have
 * @throws FolderFault when it would belong to somebody who may not be able to read it
 */
export async function ownershipWithin(folder: string, mask: number): Promise<Ownership> {
  const { uid, gid, mode } = await stat(folder);
  const self = process.geteuid?.() ?? uid;
  // Root's server reads everything, so that others may write in root's folder.
  if (self !== 0 && self !== uid && uid !== 0) {
    throw new FolderFault(
      `${folder} belongs to user ${uid}, whose server might not read what user ${self} makes there`,
    );
  }
  return { uid: self === 0 ? uid : self, gid, mode: mode & mask, isGroupOptional: true };
}

/** Gives an open file or folder to whom it shall belong. @throws FolderFault when that may not be */
export async function give(file: FileHandle, path: string, ownership: Ownership): Promise<void> {
  const { uid, gid, isGroupOptional } = ownership;
  let { mode } = ownership;
  const now = await file.stat();
  if (now.uid !== uid || now.gid !== gid) {
    try {
      await file.chown(uid, gid);
    } catch (error) {
      // EINVAL: an owner from outside of this container.
      if (!['EPERM', 'EINVAL'].includes(errnoOf(error) ?? '')) throw error;
      if (now.uid !== uid || !isGroupOptional) {
        const who = `user ${uid} and group ${gid}`;
        throw new FolderFault(`${path} belongs to ${who}, and this user cannot keep it so`);
      }
      mode &= ~0o2070;
    }
  }
  // Asked again: a change of owner clears bits.
  if (((await file.stat()).mode & 0o7777) !== mode) await file.chmod(mode);
}
