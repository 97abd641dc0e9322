/**
 * @module grid-file: which servers a grid has, as a Tahoe client knows it (storage-http §3).
 *
 * From `servers.yaml`, and in a node's folder also from what its introducers have announced, of
 * which the node keeps a copy. Static entries win over announced ones. A node's folder also has the
 * encoding (`tahoe.cfg`) and the client's lease secret (`private/secret`). Rule: FURLs and NURLs
 * hold swissnums; no error quotes them.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import {
  type Announced,
  entryOf,
  type GridEntry,
  mapOf,
  type UnusableEntry,
  unusableOf,
  whereOf,
} from './announcement.ts';
import { ignoreMissing } from './atomic-file.ts';
import type { Encoding } from './encoding.ts';
import { BadGridError } from './errors.ts';
import { gridErrorOf, readEncoding } from './tahoe-cfg.ts';

export interface GridFile {
  /** The absolute path of the `servers.yaml`; of the node's folder when it has none. */
  readonly path: string;
  /** In the order of the files; at least one. */
  readonly entries: readonly GridEntry[];
  /** Servers that are there as well, and cannot be used: one of them is no reason to use none. */
  readonly unusable: readonly UnusableEntry[];
  readonly encoding: Encoding;
  /** The absolute path of the client's lease secret; see `readLeaseSecret`. */
  readonly leaseSecretPath: string;
}

/** Where a grid is described. */
interface Sources {
  readonly path: string;
  readonly servers: string | undefined;
  /** Of introducers. */
  readonly caches: readonly string[];
  /** The folder that has `tahoe.cfg` and `private/secret`, or would have. */
  readonly node: string;
}

/**
 * Reads a grid.
 * @param path a servers.yaml; a folder with one; or the folder of a Tahoe node, which has it in
 *   `private/`, or the caches of its introducers, or both
 * @throws BadGridError naming the file, the server and the key; of servers only when none is usable
 */
export async function loadGridFile(path: string): Promise<GridFile> {
  const sources = await findSources(resolve(path));
  const announced = await readSources(sources);
  if (announced.length === 0) throw new BadGridError(sources.path, 'has no servers');
  const { node } = sources;
  return {
    path: sources.path,
    ...usableOf(sources.path, announced),
    encoding: await readEncoding(join(node, 'tahoe.cfg')),
    leaseSecretPath: join(node, 'private', 'secret'),
  };
}

function usableOf(path: string, announced: readonly Announced[]) {
  const entries: GridEntry[] = [];
  const unusable: UnusableEntry[] = [];
  for (const server of announced) {
    try {
      entries.push(entryOf(server));
    } catch (error) {
      if (!(error instanceof BadGridError)) throw error;
      if (announced.length === 1) throw error;
      unusable.push(unusableOf(server, error));
    }
  }
  const [first] = unusable;
  if (entries.length === 0 && first !== undefined) {
    const problem = `none of its ${unusable.length} servers can be used; server ${first.id}`;
    throw new BadGridError(path, `${problem}: ${first.problem}`);
  }
  checkDistinctFolders(path, entries);
  return { entries, unusable };
}

async function findSources(path: string): Promise<Sources> {
  const status = await statOf(path);
  if (status === undefined) throw new BadGridError(path, 'does not exist');
  if (!status.isDirectory()) {
    return { path, servers: path, caches: [], node: await nodeFolderOf(path) };
  }
  const own = join(path, 'servers.yaml');
  if ((await statOf(own)) !== undefined) {
    return { path: own, servers: own, caches: [], node: await nodeFolderOf(own) };
  }
  const inner = join(path, 'private', 'servers.yaml');
  const servers = (await statOf(inner)) === undefined ? undefined : inner;
  const caches = await cachesIn(join(path, 'private'));
  if (servers === undefined && caches.length === 0) {
    throw new BadGridError(
      path,
      'has no servers.yaml, also not in private/, and no introducer cache',
    );
  }
  return { path: servers ?? path, servers, caches, node: path };
}

/** What a node keeps of its introducers' announcements; one that has only one may use the old name. */
async function cachesIn(folder: string): Promise<readonly string[]> {
  const isCache = (name: string) => /^introducer(_.+)?_cache\.yaml$/.test(name);
  const names = (await readdir(folder).catch(ignoreMissing)) ?? [];
  return names
    .filter(isCache)
    .sort()
    .map((name) => join(folder, name));
}

/** Every server once. */
async function readSources({ servers, caches }: Sources): Promise<readonly Announced[]> {
  const found = new Map<string, Announced>();
  if (servers !== undefined) {
    const entries = staticIn(servers, await readYaml(servers));
    for (const announced of entries) found.set(announced.id, announced);
  }
  for (const path of caches) {
    for (const announced of announcedIn(path, await readYaml(path))) {
      if (!found.has(announced.id)) found.set(announced.id, announced);
    }
  }
  return [...found.values()];
}

/** A map under `storage`: `{<id>: {ann: {…}}}`. */
function staticIn(path: string, content: unknown): readonly Announced[] {
  const { storage } = mapOf(path, 'the file', content);
  return Object.entries(mapOf(path, 'storage', storage)).map(([id, entry]) => {
    const { ann } = mapOf(whereOf({ path, id }), 'its entry', entry);
    return { path, id, ann };
  });
}

/** A list of `{ann: {…}, key_s: <id>}`; introducers may announce other services too. */
function announcedIn(path: string, content: unknown): readonly Announced[] {
  if (!Array.isArray(content)) throw new BadGridError(path, 'the file: must be a list');
  return content.flatMap((item: unknown, i) => {
    const { ann, key_s: id } = mapOf(path, `announcement ${i}`, item);
    if (typeof id !== 'string')
      throw new BadGridError(path, `announcement ${i}: key_s: must be text`);
    const { 'service-name': service = 'storage' } = mapOf(whereOf({ path, id }), 'ann', ann);
    return service === 'storage' ? [{ path, id, ann }] : [];
  });
}

/** Where tahoe.cfg is: one level up if the file is a real node's `private/servers.yaml`. */
async function nodeFolderOf(file: string): Promise<string> {
  const folder = dirname(file);
  if (basename(folder) !== 'private') return folder;
  const isNode = (await statOf(join(folder, 'tahoe.cfg'))) !== undefined;
  return isNode ? folder : dirname(folder);
}

async function statOf(path: string) {
  try {
    return await stat(path).catch(ignoreMissing);
  } catch (error) {
    throw gridErrorOf(path, 'cannot be read', error);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw gridErrorOf(path, 'cannot be read', error);
  }
}

async function readYaml(path: string): Promise<unknown> {
  const lines = new LineCounter();
  const document = parseDocument(await readText(path), { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    // The message may quote the line, so only its kind is told.
    const { line, col } = lines.linePos(problem.pos[0]);
    const kind = problem.code.toLowerCase().replaceAll('_', ' ');
    throw new BadGridError(path, `is not YAML: line ${line}, column ${col}: ${kind}`);
  }
  return toPlain(path, () => document.toJS());
}

/** Resolving aliases can fail where parsing did not. */
function toPlain(path: string, convert: () => unknown): unknown {
  try {
    return convert();
  } catch {
    throw new BadGridError(path, 'is not YAML: an alias cannot be resolved');
  }
}

/** Two servers in one folder would count each share twice. */
function checkDistinctFolders(path: string, entries: readonly GridEntry[]): void {
  const owners = new Map<string, string>();
  for (const { id, directory } of entries) {
    if (directory === undefined) continue;
    const other = owners.get(directory);
    if (other !== undefined) {
      throw new BadGridError(`${path}: server ${id}`, `directory: is also that of ${other}`);
    }
    owners.set(directory, id);
  }
}
