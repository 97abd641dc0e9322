/**
 * @module same-server: one server is one server, under however many names it is described.
 *
 * Counted twice it would hold twice its shares, and "10 shares on 12 servers" be on four. A server
 * is known by its TubID, by the keys of its NURLs and, as a folder, by where its shares are. What
 * comes first in the grid has the name; who claims to be a server that is there already is left out.
 */
import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { toBase32 } from '../bytes.ts';
import { tcpNurls } from '../storage/nurl.ts';
import type { GridEntry } from './announcement.ts';

/** The servers of a grid, as far as they have been looked at. */
export class KnownServers {
  /** What a server is known by, and its id. */
  readonly #ids = new Map<string, string>();

  /** Notes a server. @returns why it is one that was noted before; undefined for a new one */
  async note(entry: GridEntry): Promise<string | undefined> {
    const traits = await traitsOf(entry);
    for (const [trait, words] of traits) {
      const other = this.#ids.get(trait);
      if (other !== undefined) return `is server ${other} under another name: ${words}`;
    }
    for (const [trait] of traits) this.#ids.set(trait, entry.id);
    return undefined;
  }
}

async function traitsOf({ tubId, nurls, directory }: GridEntry) {
  const keys = nurls.length === 0 ? [] : tcpNurls(nurls).map(({ spkiHash }) => spkiHash);
  const folders = directory === undefined ? [] : await foldersOf(directory);
  return [
    [`tub ${toBase32(tubId)}`, 'they have one TubID'] as const,
    ...keys.map((key) => [`key ${key}`, 'their NURLs have one key'] as const),
    ...folders.map((folder) => [`folder ${folder}`, 'they have one directory'] as const),
  ];
}

/** Not by their paths: links and mounts give one folder several. */
async function foldersOf(directory: string): Promise<readonly string[]> {
  const found = await Promise.all([directory, join(directory, 'shares')].map(inodeOf));
  const inodes = found.filter((inode) => inode !== undefined);
  return inodes.length > 0 ? inodes : [directory];
}

async function inodeOf(path: string): Promise<string | undefined> {
  const status = await stat(path, { bigint: true }).catch(() => undefined);
  return status && `${status.dev}:${status.ino}`;
}

/** What nobody keeps beside `shares/`; the first of them that is there tells where we are. */
const FOREIGN = ['tahoe.cfg', 'node.pubkey', 'servers.yaml'];

/**
 * Why `directory` is not where a server keeps `shares/`, so that no server would ever look at what
 * is written there; undefined when nothing speaks against it.
 */
export async function misplacedFolder(directory: string): Promise<string | undefined> {
  const real = await realpath(directory).catch(() => directory);
  if ([directory, real].some((path) => basename(path) === 'shares')) {
    return 'directory: is called shares: name the folder that it is in';
  }
  for (const name of FOREIGN) {
    const isThere = await lstat(join(directory, name)).then(
      () => true,
      () => false,
    );
    if (isThere) return `directory: holds ${name}: a node keeps its shares in storage/ below it`;
  }
  return undefined;
}
