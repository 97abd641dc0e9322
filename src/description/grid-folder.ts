/**
 * @module grid-folder: a grid made of folders, and the lease secret that belongs to a client.
 *
 * `DIR/servers.yaml`, `DIR/tahoe.cfg`, `DIR/private/secret` and one folder per server: what
 * `loadGridFile` reads, and nothing that a Tahoe node would not understand but `directory`.
 */
import { link, mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { primitives } from '#crypto';
import { requireKnown, requireOptions, requirePath } from '../arguments.ts';
import { fromBase32, toBase32, utf8 } from '../bytes.ts';
import { completeEncoding, type Encoding } from '../encoding.ts';
import { BadGridError, OutOfRangeError } from '../errors.ts';
import { refuse, requireObject } from '../refusal.ts';
import {
  errnoOf,
  ignoreMissing,
  removeQuietly,
  replaceFile,
  stageFile,
  syncFolder,
} from '../storage/atomic-file.ts';
import { makeFolders } from '../storage/make-folders.ts';
import { encodingToText } from './tahoe-cfg.ts';
import { readTextFile, unwritableGridOf } from './text-file.ts';

/** Of an embedded grid. */
const SERVERS_MAX = 256;
const LEASE_SECRET_LENGTH = 32;
/** All that a new file system has in it. */
const LOST_AND_FOUND = 'lost+found';

/** How large a new grid is. */
export interface NewGrid {
  /** How many; 13 by default. */
  readonly servers?: number | undefined;
  /** Numbers left out are Tahoe's: 3 of 10, happy 7. */
  readonly encoding?: Partial<Encoding> | undefined;
}

/**
 * Makes a grid of empty servers in `folder`, which must not exist or be empty; all of it or none.
 * @returns the absolute path of its `servers.yaml`
 * @throws BadArgumentError; OutOfRangeError for numbers that no grid has
 * @throws BadGridError when something is there already, or the folder cannot be made
 */
export async function createGridFolder(folder: string, grid: NewGrid = {}): Promise<string> {
  requirePath('folder', folder);
  requireOptions(grid);
  requireKnown('options', { ...grid }, ['servers', 'encoding']);
  const { servers = 13 } = grid;
  if (typeof servers !== 'number') refuse('servers', servers, 'a number');
  if (!Number.isInteger(servers) || servers < 1 || servers > SERVERS_MAX) {
    throw new OutOfRangeError('servers', servers, `must be from 1 to ${SERVERS_MAX}`);
  }
  const encoding = completeEncoding(checkedEncoding(grid.encoding ?? {}));
  const path = resolve(folder);
  try {
    await makeGridFolder(path, (staged) => fillGridFolder(staged, servers, encoding));
  } catch (error) {
    throw unwritableGridOf(path, 'cannot be made a grid', error);
  }
  return join(path, 'servers.yaml');
}

function checkedEncoding(encoding: Partial<Encoding>): Partial<Encoding> {
  const given = requireObject('encoding', encoding, 'an object');
  requireKnown('encoding', given, ['required', 'happy', 'total']);
  for (const [name, value] of Object.entries(given)) {
    const isKind = value === undefined || typeof value === 'number';
    if (!isKind) refuse(`encoding.${name}`, value, 'a number');
  }
  return encoding;
}

/**
 * Fills a folder beside the wanted one, which then takes its place. Where the wanted one is there,
 * it may be a mount: then a folder inside of it is filled, and its contents moved up.
 */
async function makeGridFolder(path: string, fill: (staged: string) => Promise<void>) {
  const status = await stat(path).catch(ignoreMissing);
  if (status !== undefined && !status.isDirectory()) {
    throw new BadGridError(path, 'is there, and is no folder', { isTaken: true });
  }
  const there = await readdir(path).catch(ignoreMissing);
  if (there?.some((name) => name !== LOST_AND_FOUND)) {
    throw new BadGridError(path, 'is not empty', { isTaken: true });
  }
  const target = there === undefined ? path : await realpath(path);
  const parent = there === undefined ? dirname(target) : target;
  await makeFolders(parent);
  const staged = join(parent, `.${basename(target)}.${randomName()}.tmp`);
  try {
    await fill(staged);
    if (there === undefined) await rename(staged, target);
    else await moveContents(staged, target);
    await syncFolder(parent);
  } catch (error) {
    await rm(staged, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
}

async function fillGridFolder(folder: string, servers: number, encoding: Encoding): Promise<void> {
  await makeFolders(join(folder, 'private'), 0o700);
  const digits = Math.max(2, String(servers - 1).length);
  const storage: Record<string, unknown> = {};
  for (let i = 0; i < servers; i++) {
    const nickname = `s${String(i).padStart(digits, '0')}`;
    await mkdir(join(folder, nickname));
    const key = toBase32(primitives.randomBytes(32));
    storage[`v0-${key}`] = { ann: newAnnouncement(nickname, key) };
  }
  const file = stringify({ storage }, { lineWidth: 0 });
  await replaceFile(join(folder, 'tahoe.cfg'), [utf8(encodingToText(encoding))]);
  await replaceFile(join(folder, 'private', 'secret'), [newLeaseSecret()], { mode: 0o600 });
  await replaceFile(join(folder, 'servers.yaml'), [utf8(file)]);
}

/** A server that nobody can connect to, with the identity that one would have. */
function newAnnouncement(nickname: string, key: string) {
  const tubId = toBase32(primitives.randomBytes(20));
  const swissnum = toBase32(primitives.randomBytes(20));
  return {
    nickname,
    'anonymous-storage-FURL': `pb://${tubId}@unlisted:1/${swissnum}`,
    'permutation-seed-base32': key,
    directory: nickname,
  };
}

/** For a folder that cannot be replaced itself: a mount, or where some process works. */
async function moveContents(from: string, to: string): Promise<void> {
  // `private` comes first: it holds something, so that of two who are here at once one is refused,
  // and has moved nothing. servers.yaml comes last: it makes the folder a grid.
  const ends = ['private', 'servers.yaml'];
  const names = (await readdir(from)).filter((name) => !ends.includes(name));
  const moved: string[] = [];
  try {
    for (const name of ['private', ...names, 'servers.yaml']) {
      await rename(join(from, name), join(to, name));
      moved.push(name);
    }
    await syncFolder(to);
    await rm(from, { recursive: true });
  } catch (error) {
    for (const name of moved) await rm(join(to, name), { recursive: true, force: true });
    throw error;
  }
}

/**
 * The client's lease secret, 32 bytes; made, readable by the owner only, when it is missing.
 * @throws BadGridError naming the file; the secret is not quoted
 */
export async function readLeaseSecret(path: string): Promise<Uint8Array> {
  try {
    const text = (await readTextFile(path)) ?? (await createLeaseSecret(path));
    const secret = fromBase32(text.trim());
    if (secret?.length === LEASE_SECRET_LENGTH) return secret;
  } catch (error) {
    throw unwritableGridOf(path, 'cannot be read or made', error);
  }
  throw new BadGridError(path, 'must be 52 characters of base32');
}

async function createLeaseSecret(path: string): Promise<string> {
  await makeFolders(dirname(path), 0o700);
  const staged = `${path}.${randomName()}.tmp`;
  await stageFile(staged, (file) => file.writeFile(newLeaseSecret()), { mode: 0o600 });
  try {
    // Unlike a rename, a link does not replace what another process made meanwhile.
    await link(staged, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  } finally {
    await removeQuietly(staged);
  }
  return (await readTextFile(path)) ?? '';
}

/** A name that nothing else has. */
function randomName(): string {
  return toBase32(primitives.randomBytes(10));
}

/** As Tahoe writes it: base32 and a newline. */
function newLeaseSecret(): Uint8Array {
  return utf8(`${toBase32(primitives.randomBytes(LEASE_SECRET_LENGTH))}\n`);
}
