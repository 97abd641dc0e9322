/**
 * @module runtimes: the packed package does the same on every runtime that it promises:
 * docs/compatibility.md names these tests, a cell each. One that cannot be had fails.
 */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { makeCertificate } from '../support/certificates.ts';
import { HttpStorage } from '../support/http-storage.ts';
import { installPacked, installRuntimes, type Runtimes, run } from './packed.ts';

const nodes = [['Node 20'], ['Node 22'], ['Node 24']];
const strangers = [['Bun'], ['Deno']];
const all = [...nodes, ...strangers];

let place: string;
let app: string;
let runtimes: Runtimes;
let storages: HttpStorage[];
let otherFolder: { readonly path: string; readonly readCap: string };

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tahoe-mutable-platforms-'));
  app = join(place, 'app');
  runtimes = await installRuntimes(join(place, 'runtimes'));
  await installPacked(app);
  const servers = [0, 1, 2].map((i) => new MemoryServer({ id: `s${i}` }));
  storages = await Promise.all(servers.map((server) => HttpStorage.start(server)));
  const path = join(place, 'other');
  await createGridFolder(path, { servers: 3, encoding: { required: 1, happy: 2, total: 3 } });
  using grid = await openGrid(path);
  const { readCap } = await grid.create({ contents: Buffer.from('written by Node') });
  otherFolder = { path, readCap };
});

afterAll(async () => {
  for (const storage of storages ?? []) await storage.stop();
  if (place !== undefined) await rm(place, { recursive: true, force: true });
});

/** What the program says of a feature on a runtime: `ok`, or an error. */
async function outcomeOf(name: string, feature: string): Promise<string> {
  const [program, ...args] = runtimes[name] ?? [];
  if (program === undefined) throw new Error(`there is no ${name}`);
  const heldLock = join(place, 'held');
  await using held = await open(heldLock, 'a+');
  expect(tryLock(held.fd)).toBe(true);
  const { spkiHash } = await makeCertificate();
  const nurls = storages.map(({ nurl }) => nurl);
  const wrongNurls = nurls.map((nurl) => nurl.replace(/^pb:\/\/[^@]+/, `pb://${spkiHash}`));
  const folder = await mkdtemp(join(place, 'grid-'));
  const setting = { folder, otherFolder, heldLock, nurls, wrongNurls };
  await writeFile(join(app, 'setting.json'), JSON.stringify(setting));
  const { stdout, stderr } = await run(program, [...args, 'program.mjs', feature], { cwd: app });
  expect(stderr).toBe('');
  return stdout.trimEnd();
}

test.each(all)('a grid in memory, on %s', async (name) => {
  expect(await outcomeOf(name, 'memory')).toBe('ok');
});

test.each(nodes)('a grid folder is made, read and written, on %s', async (name) => {
  expect(await outcomeOf(name, 'folder')).toBe('ok');
});

test.each(all)('a grid folder that Node has written is read, on %s', async (name) => {
  expect(await outcomeOf(name, 'folder read')).toBe('ok');
});

test.each(nodes)('a lock that another process holds is seen, on %s', async (name) => {
  expect(await outcomeOf(name, 'lock')).toBe('ok');
});

test.each(strangers)('a folder is not written on %s, and the error says why', async (name) => {
  const problem =
    'writing to a folder takes a lock, for which the native addon fs-native-extensions ' +
    `needs Node, and this is ${name}; reading needs none`;
  expect(await outcomeOf(name, 'folder refusal')).toMatch(
    new RegExp(`^NotEnoughServersError: .*: ${problem}$`),
  );
});

test.each(all)('servers over HTTPS, on %s', async (name) => {
  expect(await outcomeOf(name, 'https')).toBe('ok');
});

test.each(all)('a server with another key is told nothing, on %s', async (name) => {
  const heard = () => storages.map(({ requests }) => requests.length);
  const before = heard();
  expect(await outcomeOf(name, 'pin')).toMatch(
    /^NotEnoughServersError: .*: its public key is not the one in the NURL: /,
  );
  expect(heard()).toEqual(before);
});

test.each(all)(
  'portable cryptography and the runtime’s own read each other, on %s',
  async (name) => {
    expect(await outcomeOf(name, 'portable crypto')).toBe('ok');
  },
);
