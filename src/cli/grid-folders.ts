/**
 * @module grid-folders: the folders here that a grid is kept in.
 */
import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import type { Call } from './call.ts';

/** Those of the grid's servers, as far as they are folders. @throws BadGridError */
export async function serverFolders(call: Call): Promise<readonly string[]> {
  const { loadGridFile } = await import('../description/grid-file.ts');
  const { entries } = await loadGridFile(await call.gridPath());
  return entries.flatMap(({ directory }) => (directory === undefined ? [] : [directory]));
}

/** Whether a folder, by whatever path, belongs to the grid. */
export type IsOfGrid = (folder: string) => Promise<boolean>;

/**
 * In the folder that describes a grid may be anything; it belongs to the grid as a whole, and only
 * where a server is in it.
 */
export function ofGrid(call: Call): IsOfGrid {
  let known: ReturnType<typeof realFolders> | undefined;
  return async (folder) => {
    known ??= realFolders(call);
    const { own, servers } = await known;
    const real = await realOf(folder);
    if (real === own && servers.some((server) => isWithin(server, own))) return true;
    return servers.some((server) => isWithin(real, server));
  };
}

async function realFolders(call: Call) {
  const servers = await serverFolders(call);
  return {
    own: await realOf(await call.clientFolder()),
    servers: await Promise.all(servers.map(realOf)),
  };
}

function realOf(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

function isWithin(path: string, folder: string): boolean {
  return `${path}${sep}`.startsWith(`${folder}${sep}`);
}
