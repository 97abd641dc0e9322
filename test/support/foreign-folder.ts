/**
 * @module foreign-folder: server folders that may belong to somebody else, and slots in them.
 */
import { chmod, chown, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { containerPath } from './directory-grid.ts';
import type { TestSlot } from './test-slot.ts';

const NOBODY = 65_534;
const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
export const isRoot = self.uid === 0;
/** Who has started the servers: somebody else, where this user may say so. */
export const owner = isRoot ? { uid: NOBODY, gid: NOBODY } : self;

/** A server on a new folder in `path`, which belongs to `owner`. */
export async function foreignServer(path: string, mode = 0o755): Promise<DirectoryServer> {
  const directory = join(path, 'server');
  await mkdir(directory);
  await chmod(directory, mode);
  await chown(directory, owner.uid, owner.gid);
  const tubId = new Uint8Array(20).fill(1);
  const names = { id: 'd0', nickname: 'a folder', tubId, permutationSeed: tubId };
  return new DirectoryServer({ ...names, directory });
}

export function folderOf({ server }: TestSlot): string {
  return (server as DirectoryServer).directory;
}

/** Where the shares of a slot are. */
export function bucketOf({ server, storageIndex }: TestSlot): string {
  return dirname(containerPath(server as DirectoryServer, storageIndex, 0));
}

/** Where shares are before they are complete. */
export function stagingOf(slot: TestSlot): string {
  return join(folderOf(slot), 'shares/incoming/tahoe-mutable');
}

/** Does something as the owner of the servers, who is not root. */
export async function asOwner<T>(work: () => Promise<T>): Promise<T> {
  if (!isRoot) return work();
  process.setegid?.(owner.gid);
  process.seteuid?.(owner.uid);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
