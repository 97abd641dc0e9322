/**
 * @module grid-file: which servers a grid has, as Tahoe's `servers.yaml` says (storage-http §3.2).
 *
 * One key is ours: `directory`, in the place of `anonymous-storage-NURLs`, makes a server of a
 * folder. A node's folder around the file also has the encoding (`tahoe.cfg`) and the client's
 * lease secret (`private/secret`). Rule: FURLs and NURLs hold swissnums; no error quotes them.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { ignoreMissing } from './atomic-file.ts';
import type { Encoding } from './encoding.ts';
import { BadGridError } from './errors.ts';
import { permutationSeedOf, tubIdOfFurl } from './permute.ts';
import { gridErrorOf, readEncoding } from './tahoe-cfg.ts';

/** One server of the grid. It has a directory, or else at least one NURL. */
export interface GridEntry {
  readonly id: string;
  readonly nickname: string;
  /** 20 bytes. */
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  /** Absolute: the folder that holds `shares/`. */
  readonly directory?: string;
  /** Where the server listens; each holds its swissnum, which is a secret. */
  readonly nurls: readonly string[];
}

export interface GridFile {
  /** The absolute path of the `servers.yaml`. */
  readonly path: string;
  /** In the order of the file; at least one. */
  readonly entries: readonly GridEntry[];
  readonly encoding: Encoding;
  /** The absolute path of the client's lease secret; see `readLeaseSecret`. */
  readonly leaseSecretPath: string;
}

/**
 * Reads a grid.
 * @param path a servers.yaml, or a folder with `servers.yaml` or `private/servers.yaml`
 * @throws BadGridError naming the file, the server and the key
 */
export async function loadGridFile(path: string): Promise<GridFile> {
  const file = await findFile(resolve(path));
  const announcements = announcementsIn(file, await readText(file));
  const entries = Object.entries(announcements).map(([id, entry]) => entryOf(file, id, entry));
  checkDistinctFolders(file, entries);
  const node = await nodeFolderOf(file);
  return {
    path: file,
    entries,
    encoding: await readEncoding(join(node, 'tahoe.cfg')),
    leaseSecretPath: join(node, 'private', 'secret'),
  };
}

/** Where tahoe.cfg is: one level up if the file is a real node's `private/servers.yaml`. */
async function nodeFolderOf(file: string): Promise<string> {
  const folder = dirname(file);
  if (basename(folder) !== 'private') return folder;
  const isNode = (await statOf(join(folder, 'tahoe.cfg'))) !== undefined;
  return isNode ? folder : dirname(folder);
}

async function findFile(path: string): Promise<string> {
  const status = await statOf(path);
  if (status === undefined) throw new BadGridError(path, 'does not exist');
  if (!status.isDirectory()) return path;
  for (const name of ['servers.yaml', 'private/servers.yaml']) {
    if ((await statOf(join(path, name))) !== undefined) return join(path, name);
  }
  throw new BadGridError(path, 'has neither servers.yaml nor private/servers.yaml');
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

/** The map under `storage`, not yet looked into. */
function announcementsIn(path: string, text: string): Record<string, unknown> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    // The message may quote the line, so only its kind is told.
    const { line, col } = lines.linePos(problem.pos[0]);
    const kind = problem.code.toLowerCase().replaceAll('_', ' ');
    throw new BadGridError(path, `is not YAML: line ${line}, column ${col}: ${kind}`);
  }
  const { storage } = mapOf(
    path,
    'the file',
    toPlain(path, () => document.toJS()),
  );
  const announcements = mapOf(path, 'storage', storage);
  if (Object.keys(announcements).length === 0) throw new BadGridError(path, 'has no servers');
  return announcements;
}

/** Resolving aliases can fail where parsing did not. */
function toPlain(path: string, convert: () => unknown): unknown {
  try {
    return convert();
  } catch {
    throw new BadGridError(path, 'is not YAML: an alias cannot be resolved');
  }
}

function entryOf(path: string, id: string, entry: unknown): GridEntry {
  const where = `${path}: server ${id}`;
  const ann = mapOf(where, 'ann', mapOf(where, 'its entry', entry).ann);
  const directory = textOf(where, ann, 'directory');
  const nurls = nurlsOf(where, ann['anonymous-storage-NURLs']);
  if (directory === undefined && nurls.length === 0) {
    throw new BadGridError(where, 'has neither anonymous-storage-NURLs nor directory');
  }
  if (directory !== undefined && nurls.length > 0) {
    throw new BadGridError(where, 'has both anonymous-storage-NURLs and directory');
  }
  return {
    id,
    nickname: textOf(where, ann, 'nickname') ?? id,
    tubId: tubIdIn(where, textOf(where, ann, 'anonymous-storage-FURL')),
    permutationSeed: seedOf(where, textOf(where, ann, 'permutation-seed-base32'), id),
    ...(directory !== undefined && { directory: resolve(dirname(path), directory) }),
    nurls,
  };
}

function mapOf(where: string, what: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new BadGridError(where, `${what}: must be a map`);
}

/** A text that says something: nodes without a nickname announce an empty one. */
function textOf(where: string, ann: Record<string, unknown>, key: string): string | undefined {
  const value = ann[key];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new BadGridError(where, `${key}: must be text`);
}

function nurlsOf(where: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const isNurl = (nurl: unknown) => typeof nurl === 'string' && /^pb(\+tor)?:\/\//.test(nurl);
  if (Array.isArray(value) && value.every(isNurl)) return value;
  throw new BadGridError(where, 'anonymous-storage-NURLs: must be a list of pb://… URLs');
}

function tubIdIn(where: string, furl: string | undefined): Uint8Array {
  const tubId = furl === undefined ? undefined : tubIdOfFurl(furl);
  if (tubId !== undefined) return tubId;
  throw new BadGridError(where, 'anonymous-storage-FURL: must be pb://<32 characters of base32>@…');
}

function seedOf(where: string, announced: string | undefined, id: string): Uint8Array {
  try {
    return permutationSeedOf(announced, id);
  } catch (error) {
    if (error instanceof BadGridError) throw new BadGridError(where, String(error.facts.problem));
    throw error;
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
