/**
 * @module announcement: one server of a grid, as it announces itself (storage-http §3.1, §3.2).
 *
 * One key is ours: `directory`, in the place of `anonymous-storage-NURLs`, makes a server of a
 * folder. Rule: FURLs and NURLs hold swissnums; no error quotes them.
 */
import { resolve } from 'node:path';
import { BadGridError, MalformedNurlError } from './errors.ts';
import { permutationSeedOf, tubIdOfFurl } from './permute.ts';
import { tcpNurls } from './storage/nurl.ts';

/** One server of the grid. It has a directory, or else at least one NURL that is reached over TCP. */
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

/** A server of the grid that this client cannot use. */
export interface UnusableEntry {
  readonly id: string;
  readonly nickname: string;
  /** For people; holds no secret. */
  readonly problem: string;
}

/** A server that was announced, not yet looked into. */
export interface Announced {
  /** The absolute path of the file that says so. */
  readonly path: string;
  readonly id: string;
  readonly ann: unknown;
}

/** @throws BadGridError naming the file, the server and the key */
export function entryOf({ path, id, ann: announcement }: Announced): GridEntry {
  const where = whereOf({ path, id });
  const ann = mapOf(where, 'ann', announcement);
  const directory = textOf(where, ann, 'directory');
  const nurls = nurlsOf(where, ann['anonymous-storage-NURLs']);
  if (directory === undefined && nurls.length === 0) {
    const problem = 'has neither anonymous-storage-NURLs (it speaks only Foolscap) nor directory';
    throw new BadGridError(where, problem);
  }
  if (directory !== undefined && nurls.length > 0) {
    throw new BadGridError(where, 'has both anonymous-storage-NURLs and directory');
  }
  return {
    id,
    nickname: textOf(where, ann, 'nickname') ?? id,
    tubId: tubIdIn(where, textOf(where, ann, 'anonymous-storage-FURL')),
    permutationSeed: seedOf(where, textOf(where, ann, 'permutation-seed-base32'), id),
    ...(directory !== undefined && { directory: resolve(path, '..', directory) }),
    nurls,
  };
}

/** A server whose announcement is refused with `error`. */
export function unusableOf({ id, ann }: Announced, error: BadGridError): UnusableEntry {
  const { nickname } = (ann ?? {}) as { nickname?: unknown };
  const isNamed = typeof nickname === 'string' && nickname !== '';
  return { id, nickname: isNamed ? nickname : id, problem: String(error.facts.problem) };
}

export function whereOf({ path, id }: Pick<Announced, 'path' | 'id'>): string {
  return `${path}: server ${id}`;
}

/** @throws BadGridError unless a map */
export function mapOf(where: string, what: string, value: unknown): Record<string, unknown> {
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
