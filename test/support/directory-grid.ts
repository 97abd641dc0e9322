/**
 * @module directory-grid: folders as Tahoe's servers leave them, written here byte by byte and not
 * by the library that is to read them (docs/format.md §6.1).
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBase32 } from '../../src/bytes.ts';
import { DirectoryServer } from '../../src/storage/directory.ts';

/** A new folder and how to get rid of it. */
export async function tempFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tahoe-mutable-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Servers on folders of their own in `path`, by default each with a TubID of its own. */
export async function directoryServers(
  path: string,
  count: number,
  tubId = (i: number): Uint8Array => new Uint8Array(20).fill(i + 1),
): Promise<DirectoryServer[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const directory = join(path, `server-${i}`);
      await mkdir(directory, { recursive: true });
      const permutationSeed = new Uint8Array(32).fill(i);
      return new DirectoryServer({
        id: `d${i}`,
        nickname: `d${i}`,
        tubId: tubId(i),
        permutationSeed,
        directory,
      });
    }),
  );
}

/** The file of a share. */
export function containerPath(
  { directory }: DirectoryServer,
  storageIndex: Uint8Array,
  shnum: number,
): string {
  const name = toBase32(storageIndex);
  return join(directory, 'shares', name.slice(0, 2), name, String(shnum));
}

/** Puts a container file where a server looks for it. */
export async function placeContainer(
  server: DirectoryServer,
  storageIndex: Uint8Array,
  shnum: number,
  container: Uint8Array,
): Promise<void> {
  const path = containerPath(server, storageIndex, shnum);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, container);
}

export async function readContainerFile(
  server: DirectoryServer,
  storageIndex: Uint8Array,
  shnum: number,
): Promise<Buffer> {
  return readFile(containerPath(server, storageIndex, shnum));
}

/** A version 2 container without leases. */
export function containerOf(
  share: Uint8Array,
  { nodeId, writeEnabler }: { nodeId: Uint8Array; writeEnabler: Uint8Array },
): Uint8Array {
  const header = Buffer.alloc(468);
  header.write('Tahoe mutable container v2\n', 'latin1');
  header.set(Buffer.from('c355219925', 'hex'), 27);
  header.set(nodeId, 32);
  header.set(writeEnabler, 52);
  header.writeBigUInt64BE(BigInt(share.length), 84);
  header.writeBigUInt64BE(BigInt(468 + share.length), 92);
  return Buffer.concat([header, share, Buffer.alloc(4)]);
}
