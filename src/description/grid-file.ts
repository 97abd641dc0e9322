/**
 * @module grid-file: which servers a grid has, as a Tahoe client knows it (docs/format.md §8).
 *
 * From `servers.yaml`, and in a node's folder also from what its introducers have announced, of
 * which the node keeps a copy. Static entries win over announced ones. A node's folder also has
 * `tahoe.cfg` and the client's lease secret (`private/secret`).
 *
 * Rules: what cannot be used, one server or a whole file, is named and costs nothing else. FURLs
 * and NURLs hold swissnums; no error quotes them.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isAlias, LineCounter, parseDocument, visit } from 'yaml';
import type { Format } from '../caps.ts';
import type { Encoding, UnusableSettings } from '../encoding.ts';
import { BadGridError } from '../errors.ts';
import { ignoreMissing } from '../storage/atomic-file.ts';
import {
  type Described,
  entryOf,
  type GridEntry,
  mapOf,
  requireDirect,
  type UnusableEntry,
  unusableOf,
  whereOf,
} from './announcement.ts';
import { type DescribedSize, statedIn } from './grid-size.ts';
import { KnownServers, misplacedFolder } from './same-server.ts';
import { readNodeConfig } from './tahoe-cfg.ts';
import { gridErrorOf, readTextFile } from './text-file.ts';

export interface GridFile {
  /** The absolute path of the `servers.yaml`; of the node's folder when it has none. */
  readonly path: string;
  /** Distinct servers, in the order of the files; at least one. */
  readonly entries: readonly GridEntry[];
  /** What is described and cannot be used; the rest is used all the same. */
  readonly unusable: readonly UnusableEntry[];
  /** What it says of the number of servers; see `gridSizeOf`. */
  readonly size: DescribedSize;
  readonly encoding: Encoding;
  /** Of new files; undefined when nothing says. */
  readonly format: Format | undefined;
  /** What of the last two cannot be followed. */
  readonly unusableSettings: UnusableSettings;
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

/** Something that is left out, and the error that says why. */
interface Refusal extends UnusableEntry {
  readonly error: BadGridError;
}

/**
 * Reads a grid.
 * @param path a servers.yaml; a folder with one; or the folder of a Tahoe node, which has it in
 *   `private/`, or the caches of its introducers, or both
 * @throws BadGridError naming the file, the server and the key; of servers only when none is
 *   usable, of `tahoe.cfg` when it asks not to call servers directly, and there are such
 */
export async function loadGridFile(path: string): Promise<GridFile> {
  const sources = await findSources(resolve(path));
  const { node } = sources;
  const { described, refused, stated, losable } = await readSources(sources);
  const { ids, entries, unusable } = await usableOf(sources.path, described, refused);
  const {
    privacy,
    unusable: unusableSettings,
    ...config
  } = await readNodeConfig(join(node, 'tahoe.cfg'));
  if (privacy !== undefined && entries.some(({ nurls }) => nurls.length > 0)) throw privacy;
  const leaseSecretPath = join(node, 'private', 'secret');
  const sizePath = sources.servers ?? join(node, 'private', 'servers.yaml');
  return {
    ...{ path: sources.path, entries, unusable },
    size: { path: sizePath, stated, losable, described: ids.size, usable: entries.length },
    ...config,
    ...{ unusableSettings, leaseSecretPath },
  };
}

/**
 * The folder of the client whose grid this is: its `tahoe.cfg` and `private/` are there, or would be.
 * @throws BadGridError where no grid is described
 */
export async function clientFolderOf(path: string): Promise<string> {
  return (await findSources(resolve(path))).node;
}

/** Every id once: a static server hides announced ones, in whatever state it is. */
async function usableOf(
  path: string,
  described: readonly Described[],
  refusedFiles: readonly Refusal[],
) {
  const entries: GridEntry[] = [];
  const refused: Refusal[] = [...refusedFiles];
  const known = new KnownServers();
  const taken = new Set<string>();
  /** Of distinct servers, usable or not. */
  const ids = new Set<string>();
  for (const server of described) {
    if (taken.has(server.id)) continue;
    if (server.isStatic) taken.add(server.id);
    if (server.isNamed) ids.add(server.id);
    try {
      const entry = entryOf(server);
      await requireInPlace(server, entry);
      const twin = await known.note(entry);
      if (twin !== undefined) {
        ids.delete(server.id);
        throw new BadGridError(whereOf(server), twin);
      }
      // Only after `note`, so that the same server under another name is not called directly either.
      if (entry.directory === undefined) requireDirect(server);
      entries.push(entry);
      taken.add(server.id);
    } catch (error) {
      if (!(error instanceof BadGridError)) throw error;
      refused.push({ ...unusableOf(server, error), error });
    }
  }
  const [first] = refused;
  if (entries.length === 0) {
    if (first === undefined) throw new BadGridError(path, 'has no servers');
    if (refused.length === 1) throw first.error;
    const problem = `none of its ${refused.length} servers can be used; server ${first.id}`;
    throw new BadGridError(path, `${problem}: ${first.problem}`);
  }
  const unusable = refused.map(({ error: _, ...entry }) => entry);
  return { ids, entries, unusable };
}

/** @throws BadGridError unless the server is where it says */
async function requireInPlace(server: Described, { directory }: GridEntry): Promise<void> {
  const problem = directory && (await misplacedFolder(directory));
  if (problem) throw new BadGridError(whereOf(server), problem);
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

/** What a node keeps of its introducers' announcements; the name without `_…` is the old one. */
async function cachesIn(folder: string): Promise<readonly string[]> {
  const isCache = (name: string) => /^introducer(_.+)?_cache\.yaml$/.test(name);
  const names = (await readdir(folder).catch(ignoreMissing)) ?? [];
  return names
    .filter(isCache)
    .sort()
    .map((name) => join(folder, name));
}

/** A file that cannot be used is refused; the others count all the same. */
async function readSources({ servers, caches }: Sources) {
  const described: Described[] = [];
  const refused: Refusal[] = [];
  let own: unknown;
  for (const path of servers === undefined ? caches : [servers, ...caches]) {
    try {
      const content = await readYaml(path);
      if (path === servers) own = content;
      described.push(...(path === servers ? staticIn : announcedIn)(path, content));
    } catch (error) {
      if (!(error instanceof BadGridError)) throw error;
      const problem = String(error.facts.problem);
      refused.push({ id: path, nickname: basename(path), problem, error });
    }
  }
  return { described, refused, ...statedIn(servers ?? '', own) };
}

/** A map under `storage`: `{<id>: {ann: {…}}}`. */
function staticIn(path: string, content: unknown): readonly Described[] {
  const storage = mapOf(path, 'storage', mapOf(path, 'the file', content).get('storage'));
  return [...storage].map(([key, entry], i) => {
    return { path, ...named(key, `entry ${i}`), entry, isStatic: true };
  });
}

/** A list of `{ann: {…}, key_s: <id>}`; introducers may announce other services too. */
function announcedIn(path: string, content: unknown): readonly Described[] {
  if (!Array.isArray(content)) throw new BadGridError(path, 'the file: must be a list');
  const described = content.map((entry: unknown, i): Described => {
    const key = entry instanceof Map ? entry.get('key_s') : undefined;
    return { path, ...named(key, `announcement ${i}`), entry, isStatic: false };
  });
  return described.filter(({ entry }) => {
    const ann = entry instanceof Map ? entry.get('ann') : undefined;
    const service = ann instanceof Map ? ann.get('service-name') : undefined;
    return service === undefined || service === 'storage';
  });
}

/** YAML takes `42:` for a number; the owner of the file means a name. */
function named(key: unknown, place: string) {
  const isName = ['string', 'number', 'boolean'].includes(typeof key);
  return isName ? { id: String(key), isNamed: true } : { id: place, isNamed: false };
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

/** Resolving one alias searches the whole file. */
const aliasesMax = 100;

/** Maps as `Map`. Of a key that comes twice the last one counts, as with Tahoe. */
async function readYaml(path: string): Promise<unknown> {
  const lines = new LineCounter();
  const document = parseYaml(path, (await readTextFile(path)) ?? '', lines);
  const [problem] = document.errors;
  if (problem !== undefined) {
    // The message may quote the line, so only its kind is told.
    const { line, col } = lines.linePos(problem.pos[0]);
    const kind = problem.code.toLowerCase().replaceAll('_', ' ');
    throw new BadGridError(path, `is not YAML: line ${line}, column ${col}: ${kind}`);
  }
  let aliases = 0;
  visit(document, (_key, node) => {
    if (isAlias(node) && ++aliases > aliasesMax) return visit.BREAK;
    return undefined;
  });
  if (aliases > aliasesMax) throw new BadGridError(path, `has more than ${aliasesMax} aliases`);
  return toPlain(path, () => document.toJS({ mapAsMap: true }));
}

function parseYaml(path: string, text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      // Telling keys apart takes time that is quadratic in their number.
      uniqueKeys: false,
      // Warnings may quote the file.
      logLevel: 'error',
    });
  } catch (error) {
    // The parser recurses: one level of a file may take many frames of the stack.
    if (error instanceof RangeError) throw new BadGridError(path, 'is nested too deeply');
    throw error;
  }
}

/** Resolving aliases can fail where parsing did not. */
function toPlain(path: string, convert: () => unknown): unknown {
  try {
    return convert();
  } catch {
    throw new BadGridError(path, 'is not YAML: an alias cannot be resolved');
  }
}
