import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { toBase32, utf8 } from '../../src/bytes.ts';
import { createGridFolder } from '../../src/description/grid-folder.ts';
import { type GridStatus, gridStatus, openGrid } from '../../src/node.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { builtPackage } from '../support/built.ts';
import { runHere } from '../support/cli.ts';
import { HttpStorage, SWISSNUM } from '../support/http-storage.ts';
import { Relay } from '../support/relay.ts';

let folder: string;
let storages: HttpStorage[];
let hung: Relay;
let closedPort: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-status-'));
  storages = await Promise.all(
    ['h0', 'h1', 'h2', 'h3'].map((id) => HttpStorage.start(new MemoryServer({ id }))),
  );
  hung = await Relay.to(storages[3]!.port);
  hung.mode = 'hang';
  closedPort = await portOfNobody();
});
afterAll(async () => {
  await hung.close();
  for (const storage of storages) await storage.stop();
  await rm(folder, { recursive: true });
});

async function portOfNobody(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function announcement(nickname: string, nurls: readonly string[], byte: number) {
  const tubId = toBase32(new Uint8Array(20).fill(byte));
  return {
    nickname,
    'anonymous-storage-FURL': `pb://${tubId}@tcp:127.0.0.1:1/${SWISSNUM}`,
    'permutation-seed-base32': toBase32(utf8(nickname)),
    ...(nurls.length > 0 && { 'anonymous-storage-NURLs': nurls }),
  };
}

/** Folders and servers behind HTTP in one grid: four of each. */
async function mixedGrid(name: string, encoding: string) {
  const path = await createGridFolder(join(folder, name), { servers: 4 });
  const { storage } = parse(await readFile(path, 'utf8'));
  const at = (port: number) => storages[1]!.nurl.replace(/:\d+\//, `:${port}/`);
  const gone = at(closedPort).replace(/\/[^/@]+@/, `/${'A'.repeat(43)}@`);
  const others = {
    h0: announcement('http 0', [storages[0]!.nurl], 1),
    h1: announcement('http 1', [at(closedPort), storages[1]!.nurl], 2),
    h2: announcement('http 2', [storages[2]!.nurl], 3),
    gone: announcement('gone', [gone], 4),
    hung: announcement('hung', [hung.nurl(storages[3]!.nurl)], 5),
    old: announcement('old', [], 6),
  };
  for (const [id, ann] of Object.entries(others)) storage[id] = { ann };
  await writeFile(path, JSON.stringify({ storage }));
  await writeFile(join(folder, name, 'tahoe.cfg'), `[client]\n${encoding}`);
  return { path, folders: join(folder, name) };
}

const FOOLSCAP = 'has neither anonymous-storage-NURLs (it speaks only Foolscap) nor directory';

test('every server says what it is, or why it cannot be used', async () => {
  const { path, folders } = await mixedGrid('each', 'shares.happy = 6\n');
  await rm(join(folders, 's03'), { recursive: true });
  const { servers, ...summary } = await gridStatus(path);
  expect(summary).toEqual({
    ...{
      path,
      reachable: 6,
      writable: 6,
      gridSize: 10,
      losableServers: 0,
      quorum: 6,
      isMajority: true,
    },
    ...{ notices: [], problem: null },
  });
  const here = '127.0.0.1';
  const up = { reachable: true, writable: true, problem: null, availableSpace: expect.any(Number) };
  const down = { reachable: false, writable: false, version: null, availableSpace: null };
  const folderOf = (n: string) => ({ nickname: n, places: [join(folders, n)] });
  const http = (n: number) => ({ id: `h${n}`, nickname: `http ${n}`, version: 'test/1.0' });
  expect(servers).toEqual([
    ...['s00', 's01', 's02'].map((n) => ({
      ...folderOf(n),
      id: expect.stringMatching(/^v0-/),
      ...up,
      version: null,
    })),
    { ...folderOf('s03'), id: expect.any(String), ...down, problem: 'no such file or directory' },
    { ...http(0), places: [`${here}:${storages[0]!.port}`], ...up },
    { ...http(1), places: [`${here}:${closedPort}`, `${here}:${storages[1]!.port}`], ...up },
    { ...http(2), places: [`${here}:${storages[2]!.port}`], ...up },
    {
      id: 'gone',
      nickname: 'gone',
      places: [`${here}:${closedPort}`],
      ...down,
      problem: `connect ECONNREFUSED ${here}:${closedPort}`,
    },
    {
      id: 'hung',
      nickname: 'hung',
      places: [`${here}:${hung.port}`],
      ...down,
      problem: 'far behind the other servers',
    },
    { id: 'old', nickname: 'old', places: [], ...down, problem: FOOLSCAP },
  ]);
});

test('a command says so, and fails when no write could succeed', async () => {
  const { path } = await mixedGrid('command', 'shares.happy = 7\n');
  const asText = await runHere(['--grid', path, 'grid', 'status']);
  expect(asText.exit).toBe(0);
  const text = asText.stdout.toString();
  expect(text).toMatch(/^server +at +free +is\n/);
  expect(text).toMatch(/^http 0 \[h0\] +127\.0\.0\.1:\d+ +[\d.]+ [kMGT]?B +test\/1\.0$/m);
  expect(text).toMatch(/^hung +127\.0\.0\.1:\d+ +- +far behind the other servers$/m);
  expect(text).toMatch(/^old +- +- +has neither anonymous-storage-NURLs/m);
  expect(text).toMatch(/\n\n7 of 10 servers can be reached; a write needs 7 of 10\n$/);
  const { path: poor } = await mixedGrid('poor', 'shares.happy = 8\n');
  const asJson = await runHere(['--grid', poor, '--json', 'grid', 'status']);
  expect(asJson.exit).toBe(1);
  const json = asJson.stdout.toString();
  expect(JSON.parse(json)).toMatchObject({ path: poor, reachable: 7, quorum: 8 });
  expect(`${text}${json}`).not.toContain(SWISSNUM);
});

test('a grid of folders and HTTP servers keeps a file on both', async () => {
  const { path, folders } = await mixedGrid('mixed', 'shares.happy = 7\nshares.total = 7\n');
  await mkdir(join(folders, 'private'), { recursive: true });
  const grid = await openGrid(path);
  const file = await grid.create({ format: 'sdmf', contents: utf8('on both') });
  await file.append(utf8(' kinds'));
  const map = await grid.open(file.cap).servermap();
  const holders = map.holdings.map(({ server }) => server);
  expect(holders).toEqual(expect.arrayContaining(['h0', 'h1', 'h2']));
  expect(new Set(holders).size).toBe(7);
  expect(await grid.open(file.readCap).read()).toEqual(utf8('on both kinds'));
  grid.close();
});

test('a folder has the room that there is where its shares are', async () => {
  const path = await createGridFolder(join(folder, 'rooms'), { servers: 2 });
  const here = join(folder, 'rooms');
  // On another file system, with no room at all; and a link that leads nowhere.
  await symlink('/proc', join(here, 's00/shares'));
  await symlink('nowhere', join(here, 's01/shares'));
  const { bavail } = await statfs('/proc');
  const { servers } = await gridStatus(path);
  expect(bavail).toBe(0);
  expect(servers).toMatchObject([
    // Who is not root may not even write there.
    process.getuid?.() === 0
      ? { reachable: true, availableSpace: 0 }
      : { reachable: true, problem: 'can be read, not written: shares: permission denied' },
    { reachable: false, availableSpace: null, problem: 'shares: no such file or directory' },
  ]);
});

test('a folder that we may not read counts for nothing, one that we may not write is told apart', async () => {
  const path = await createGridFolder(join(folder, 'modes'), { servers: 5 });
  const here = join(folder, 'modes');
  const modes = [
    ['s01', 0o000],
    ['s02', 0o555],
    ['s03/shares', 0o300],
    ['s04/tahoe-mutable', 0o600],
  ] as const;
  for (const [name] of modes) await mkdir(join(here, name), { recursive: true });
  if (process.getuid?.() === 0) {
    // Root may do anything: the folders are somebody's, who then looks.
    for (const name of ['.', ...(await readdir(here, { recursive: true }))]) {
      await chown(join(here, name), NOBODY, NOBODY);
    }
    await chmod(folder, 0o755);
  }
  for (const [name, mode] of modes) await chmod(join(here, name), mode);
  const { servers, ...counts } = await asNobody(path);
  expect(servers.map(({ problem }) => problem)).toEqual([
    null,
    'permission denied',
    'can be read, not written: permission denied',
    'shares: permission denied',
    'can be read, not written: tahoe-mutable: permission denied',
  ]);
  expect(counts).toMatchObject({ reachable: 3, writable: 1 });
  for (const [name] of modes) await chmod(join(here, name), 0o700);
});

const NOBODY = 65_534;

/** What somebody without the rights of root sees. */
async function asNobody(path: string): Promise<GridStatus> {
  const script = join(await builtPackage(), 'node.js');
  const code = `import(process.argv[1]).then(async ({ gridStatus }) => {
    process.chdir(process.argv[2]);
    if (process.getuid() === 0) process.setuid(${NOBODY});
    console.log(JSON.stringify(await gridStatus('servers.yaml')));
  })`;
  const args = ['--eval', code, script, dirname(path)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

test('a command fails where servers can be reached, and too few written', async () => {
  const path = await createGridFolder(join(folder, 'unwritten'), { servers: 2 });
  // In the place of the folder of our locks, which nobody needs who only reads.
  await writeFile(join(folder, 'unwritten/s01/tahoe-mutable'), '');
  const { exit, stdout } = await runHere(['--grid', path, 'grid', 'status']);
  const text = stdout.toString();
  expect(exit).toBe(1);
  expect(text).toContain('  can be read, not written: tahoe-mutable is not a folder\n');
  expect(text).toMatch(/^2 of 2 servers can be reached, 1 of them written; a write needs 2 of 2$/m);
});

test('numbers that no new file can have are said', async () => {
  const { path } = await mixedGrid('numbers', 'shares.happy = 11\n');
  const problem = `${join(folder, 'numbers/tahoe.cfg')}: shares.happy 11: must be from 1 to 10, shares.total`;
  expect(await gridStatus(path)).toMatchObject({ reachable: 7, quorum: 10, problem });
  const { exit, stdout } = await runHere(['--grid', path, 'grid', 'status']);
  expect(exit).toBe(1);
  expect(stdout.toString()).toContain(`\nno new file can be made: ${problem}\n`);
});
