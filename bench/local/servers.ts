/**
 * @module servers: grids of servers in memory and in folders, made for a measurement.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';

export type Backend = 'memory' | 'folders';
/** As many as in Tahoe's ticket #2034. */
const usualCount = 13;

/** Lets `work` have 13 fresh servers. */
export async function onServers(
  backend: Backend,
  work: (servers: readonly StorageServer[]) => Promise<void>,
): Promise<void> {
  if (backend === 'memory') await work(memoryServers(usualCount));
  else await inFolder(async (folder) => work(await folderServers(folder)));
}

export function memoryServers(count: number): MemoryServer[] {
  return Array.from({ length: count }, (_, i) => new MemoryServer({ id: `s${i}` }));
}

/** 13 servers below a folder, which may have been used before. */
export async function folderServers(parent: string): Promise<StorageServer[]> {
  return await Promise.all(
    Array.from({ length: usualCount }, async (_, i) => {
      const id = `s${i}`;
      const directory = join(parent, id);
      await mkdir(directory, { recursive: true });
      const permutationSeed = new Uint8Array(32).fill(i);
      const tubId = new Uint8Array(20).fill(i);
      return new DirectoryServer({ id, nickname: id, tubId, permutationSeed, directory });
    }),
  );
}

/** Lets `work` have a folder that is gone afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
