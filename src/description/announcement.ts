/**
 * @module announcement: one server of a grid, as a file describes it (docs/format.md §8).
 *
 * One key is ours: `directory`, beside `ann` or in it, makes a server of a folder on this machine.
 * It counts where the owner of the machine writes it, and not where an introducer repeats what
 * strangers say. Rule: FURLs and NURLs hold swissnums; no error quotes them.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { BadGridError, MalformedNurlError } from '../errors.ts';
import { permutationSeedOf, tubIdOfFurl } from '../permute.ts';
import { tcpNurls } from '../storage/nurl.ts';

/** One server of the grid, with a directory, or else at least one NURL that TCP reaches. */
export interface GridEntry {
  readonly id: string;
  readonly nickname: string;
  /** 20 bytes. */
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  /** Absolute: the folder that holds `shares/`. */
  readonly directory?: string;
  /** Where the server listens; each holds its swissnum, which is a secret. None of a folder. */
  readonly nurls: readonly string[];
}

/** What is described and cannot be used: a server of the grid, or a whole file of servers. */
export interface UnusableEntry {
  readonly id: string;
  readonly nickname: string;
  /** For people; holds no secret. */
  readonly problem: string;
}

/** YAML's maps may have keys that no object can have, and strangers choose them. */
export type YamlMap = ReadonlyMap<unknown, unknown>;

/** A server that was described, not yet looked into. */
export interface Described {
  /** The absolute path of the file that says so. */
  readonly path: string;
  /** Its key in the file; its place there if it has no key that can be an id. */
  readonly id: string;
  /** Whether `id` is its own, and not only where it stands. */
  readonly isNamed: boolean;
  /** `{ann: {…}}` */
  readonly entry: unknown;
  /** Whether the owner of this machine says so, and not an introducer. */
  readonly isStatic: boolean;
}

/** @throws BadGridError naming the file, the server and the key */
export function entryOf(described: Described): GridEntry {
  const { path, id, entry, isStatic, isNamed } = described;
  const where = whereOf(described);
  if (!isNamed) throw new BadGridError(where, 'has no id that is text');
  if (holdsAddress(id)) throw new BadGridError(where, 'its id: must not be a FURL or a NURL');
  const own = mapOf(where, 'its entry', entry);
  const ann = mapOf(where, 'ann', own.get('ann'));
  const directory = isStatic ? directoryIn(where, own, ann) : undefined;
  const nurls = directory === undefined ? nurlsOf(where, ann.get('anonymous-storage-NURLs')) : [];
  if (directory === undefined && nurls.length === 0) {
    const problem = 'has neither anonymous-storage-NURLs (it speaks only Foolscap) nor directory';
    throw new BadGridError(where, problem);
  }
  return {
    id,
    nickname: labelOf(ann.get('nickname')) ?? id,
    tubId: tubIdIn(where, textOf(where, ann, 'anonymous-storage-FURL')),
    permutationSeed: seedOf(where, textOf(where, ann, 'permutation-seed-base32'), id),
    ...(directory !== undefined && { directory: resolve(path, '..', directory) }),
    nurls,
  };
}

/** A server whose description is refused with `error`. */
export function unusableOf({ id, entry }: Described, error: BadGridError): UnusableEntry {
  const ann = entry instanceof Map ? entry.get('ann') : undefined;
  const nickname = ann instanceof Map ? labelOf(ann.get('nickname')) : undefined;
  const shown = withoutAddress(id);
  return { id: shown, nickname: nickname ?? shown, problem: String(error.facts.problem) };
}

export function whereOf({ path, id, isNamed }: Described): string {
  return isNamed ? `${path}: server ${withoutAddress(id)}` : `${path}: ${id}`;
}

/** @throws BadGridError unless a map */
export function mapOf(where: string, what: string, value: unknown): YamlMap {
  if (value instanceof Map) return value;
  throw new BadGridError(where, `${what}: must be a map`);
}

const ADDRESS = /pb(\+\w+)?:\/\/.*/gs;

/** Whether somebody gave an address as the name of the server. */
function holdsAddress(id: string): boolean {
  return withoutAddress(id) !== id;
}

function withoutAddress(id: string): string {
  return id.replace(ADDRESS, 'pb://…');
}

/** What people call the server. No server is refused for it. */
function labelOf(nickname: unknown): string | undefined {
  if (typeof nickname === 'number' || typeof nickname === 'boolean') return String(nickname);
  return typeof nickname === 'string' && nickname !== '' ? nickname : undefined;
}

/** A text that says something: an empty one is as good as none. */
function textOf(where: string, map: YamlMap, key: string): string | undefined {
  const value = map.get(key);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new BadGridError(where, `${key}: must be text`);
}

/** Beside `ann` or in it: both are what a reader takes for the entry of the server. */
function directoryIn(where: string, entry: YamlMap, ann: YamlMap): string | undefined {
  const [beside, inside] = [textOf(where, entry, 'directory'), textOf(where, ann, 'directory')];
  if (beside !== undefined && inside !== undefined && beside !== inside) {
    throw new BadGridError(where, 'directory: is one beside ann and another one in it');
  }
  const given = beside ?? inside;
  return given?.replace(/^~(?=\/|$)/, () => join(homedir(), '/'));
}

/** @throws BadGridError for a static server whose `connections` forbid to call it directly */
export function requireDirect(described: Described): void {
  const { entry, isStatic } = described;
  const where = whereOf(described);
  const connections = isStatic ? mapOf(where, 'its entry', entry).get('connections') : undefined;
  if (connections === undefined || connections === null) return;
  for (const [key, value] of mapOf(where, 'connections', connections)) {
    // What is said of addresses that are never called asks for nothing.
    if (key === 'tor' || key === 'i2p') continue;
    if (key === 'tcp' && typeof value === 'string' && value.toLowerCase() === 'tcp') continue;
    const problem = 'only "tcp" can be honoured: servers are called directly';
    // An address in the place of a kind of address holds a swissnum.
    const kind = /^\w{1,16}$/.test(String(key)) ? String(key) : 'another kind of address';
    throw new BadGridError(where, `connections: ${kind}: ${problem}`);
  }
}

function nurlsOf(where: string, value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  const isNurl = (nurl: unknown) => typeof nurl === 'string' && /^pb(\+\w+)?:\/\//.test(nurl);
  if (!Array.isArray(value) || !value.every(isNurl)) {
    throw new BadGridError(where, 'anonymous-storage-NURLs: must be a list of pb://… URLs');
  }
  try {
    if (value.length > 0) tcpNurls(value);
  } catch (error) {
    if (!(error instanceof MalformedNurlError)) throw error;
    throw new BadGridError(where, error.message);
  }
  return value;
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
