/**
 * @module open-grid: a grid that a file describes: its servers, its encoding, its lease secret.
 */
import { requireOptions, requirePath } from './arguments.ts';
import { spoolToFile } from './contents/spool-file.ts';
import type { GridEntry } from './description/announcement.ts';
import { loadGridFile } from './description/grid-file.ts';
import { readLeaseSecret } from './description/grid-folder.ts';
import { gridSizeOf } from './description/grid-size.ts';
import type { UnusableSettings } from './encoding.ts';
import { BadArgumentError } from './errors.ts';
import { Grid, type GridOptions, type InternalGridOptions } from './grid.ts';
import { tcpNurls } from './storage/nurl.ts';
import type { StorageServer } from './storage/server.ts';

/** `encoding`, `format`, `gridSize`, `losableServers` and `leaseSecret` are the description's own by default. */
export type OpenGridOptions = Omit<GridOptions, 'servers' | 'unusable'>;

/**
 * Opens the grid that a file describes. The client's lease secret is made if it is missing; who
 * gives one needs no right to write there.
 * @param path a `servers.yaml`, a folder with one, or the folder of a Tahoe node, of which the
 *   servers that its introducers have announced are taken too. Servers that cannot be used, like
 *   those that speak only Foolscap, are left out; {@link gridStatus} names them. They count all the
 *   same, as does the largest number of servers that was ever seen, which is kept beside it.
 *   What `tahoe.cfg` says of writing and is unusable fails where it is needed: `create`, mostly.
 * @throws BadArgumentError; BadGridError naming the file, the server and the key
 *
 * @example
 * ```ts
 * import { openGrid } from 'tahoe-mutable/node';
 *
 * const grid = await openGrid('my-grid'); // or the folder of a node: '/home/me/.tahoe'
 * const file = await grid.create({ contents: 'hello' });
 * grid.close(); // a program can end now
 * ```
 */
export async function openGrid(path: string, options: OpenGridOptions = {}): Promise<Grid> {
  requirePath('path', path);
  requireOptions(options);
  requireDescribed({ ...options });
  const { entries, size, encoding, format, unusableSettings, leaseSecretPath } =
    await loadGridFile(path);
  const servers = await Promise.all(entries.map(serverOf));
  // Who says how many there are need not be told, nor is it kept.
  const members = options.gridSize === undefined ? await gridSizeOf(size) : undefined;
  const losableServers = options.losableServers ?? size.losable;
  const leaseSecret = options.leaseSecret ?? (await readLeaseSecret(leaseSecretPath));
  const unusable = stillUnusable(unusableSettings, options);
  const settings: InternalGridOptions = {
    ...options,
    // What is there and undefined is not given.
    spool: options.spool ?? spoolToFile(),
    encoding: options.encoding ?? encoding,
    format: options.format ?? format,
    ...{ ...members, unusable, servers, leaseSecret, losableServers },
  };
  return new Grid(settings);
}

/** @throws BadArgumentError for what would have no effect; callers without types may give it */
function requireDescribed(options: Readonly<Record<string, unknown>>): void {
  for (const name of ['servers', 'unusable']) {
    if (options[name] === undefined) continue;
    throw new BadArgumentError(`options.${name}`, 'is what the description says');
  }
}

/** The unusable settings that the caller has not given either. */
function stillUnusable({ format, ...numbers }: UnusableSettings, given: OpenGridOptions) {
  return {
    ...(given.encoding === undefined && numbers),
    ...(given.format === undefined && format && { format }),
  };
}

/** A grid of folders does without HTTPS and CBOR, one across the network without folders. */
async function serverOf({ directory, nurls, ...identity }: GridEntry): Promise<StorageServer> {
  if (directory !== undefined) {
    const { DirectoryServer } = await import('./storage/directory.ts');
    return new DirectoryServer({ ...identity, directory });
  }
  const { HttpServer } = await import('./storage/http.ts');
  return new HttpServer({ ...identity, nurls: tcpNurls(nurls) });
}
