import {
  access,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { utf8 } from '../../src/bytes.ts';
import { BadArgumentError, BadGridError, BadSourceError } from '../../src/errors.ts';
import {
  createGridFolder,
  DirectoryServer,
  gridStatus,
  HttpServer,
  openFile,
  openGrid,
} from '../../src/node.ts';
import { ANN, ID } from '../support/announcements.ts';
import { runHere } from '../support/cli.ts';
import { testKey } from '../support/client-grid.ts';

const NURLS = 'anonymous-storage-NURLs';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-test-'));
});
afterAll(() => rm(scratch, { recursive: true }));

describe('a grid of folders', () => {
  test('opens by its folder and by its file, with its encoding and its nicknames', async () => {
    const folder = join(scratch, 'grid');
    const path = await createGridFolder(folder, {
      servers: 4,
      encoding: { required: 2, happy: 3, total: 4 },
    });
    for (const way of [folder, path]) {
      const { servers, encoding } = await openGrid(way);
      expect(encoding).toEqual({ required: 2, happy: 3, total: 4 });
      expect(servers.map(({ nickname }) => nickname)).toEqual(['s00', 's01', 's02', 's03']);
      expect(servers.every((server) => server instanceof DirectoryServer)).toBe(true);
    }
    const other = await openGrid(folder, { encoding: { required: 1, happy: 1, total: 2 } });
    expect(other.encoding).toEqual({ required: 1, happy: 1, total: 2 });
    const same = await openGrid(folder, { encoding: undefined, format: undefined });
    expect(same.encoding).toEqual({ required: 2, happy: 3, total: 4 });
  });

  test('refuses by name what only the description says', async () => {
    const path = await createGridFolder(join(scratch, 'described'), { servers: 1 });
    for (const [name, value] of [
      ['servers', []],
      ['unusable', 1],
    ] as const) {
      await expect(openGrid(path, { [name]: value })).rejects.toThrowError(
        new BadArgumentError(`options.${name}`, 'is what the description says'),
      );
      await expect(openGrid(path, { [name]: undefined })).resolves.toBeDefined();
    }
  });

  test('keeps what one client wrote for the next', async () => {
    const path = await createGridFolder(join(scratch, 'kept'), { servers: 10 });
    const { writeCap } = await (await openGrid(path)).create({ contents: utf8('hello') });
    const file = (await openGrid(path)).open(writeCap);
    await file.append(utf8(', grid'));
    expect(await (await openGrid(path)).open(file.readCap).read()).toEqual(utf8('hello, grid'));
  });
});

describe("a Tahoe node's folder", () => {
  /** `NODEDIR/private/servers.yaml`, its servers' folders elsewhere. */
  async function nodeFolder(name: string, directoryOf: (nickname: string) => object) {
    const source = await createGridFolder(join(scratch, `${name}-servers`), { servers: 4 });
    const { storage } = parse(await readFile(source, 'utf8'));
    for (const { ann } of Object.values(storage) as { ann: Record<string, unknown> }[]) {
      const { nickname } = ann;
      delete ann.directory;
      Object.assign(ann, directoryOf(String(nickname)));
    }
    const node = join(scratch, name);
    await mkdir(join(node, 'private'), { recursive: true });
    await writeFile(join(node, 'private/servers.yaml'), stringify({ storage }));
    const cfg = '[client]\nshares.needed = 2\nshares.happy = 2\nshares.total = 3\n';
    await writeFile(join(node, 'tahoe.cfg'), cfg);
    return node;
  }

  test('opens once its servers have directories, wherever these are', async () => {
    const node = await nodeFolder('node', (nickname) => ({
      directory: `../../node-servers/${nickname}`,
    }));
    const grid = await openGrid(node);
    expect(grid.encoding).toEqual({ required: 2, happy: 2, total: 3 });
    await grid.create({ format: 'sdmf', contents: utf8('on the node'), key: testKey });
    const holders = await Promise.all(
      ['s00', 's01', 's02', 's03'].map((s) => readdir(join(scratch, 'node-servers', s))),
    );
    expect(holders.filter((names) => names.includes('shares'))).toHaveLength(3);
  });

  test('opens with servers behind HTTP, which are not called before that', async () => {
    const nurlOf = (nickname: string) =>
      `pb://${nickname.padEnd(42, 'n')}A@127.0.0.1:1/sevenswissnums#v=1`;
    const node = await nodeFolder('http', (nickname) => ({ [NURLS]: [nurlOf(nickname)] }));
    const grid = await openGrid(node);
    expect(grid.servers.map((server) => server instanceof HttpServer)).toEqual(Array(4).fill(true));
    grid.close();
  });

  test('with NURLs that are none: names the first server, and not its swissnum', async () => {
    const nurl = 'pb://A@127.0.0.1:1/sevenswissnums#v=1';
    const node = await nodeFolder('no-nurl', () => ({ [NURLS]: [nurl] }));
    const file = join(node, 'private/servers.yaml');
    const [id] = Object.keys(parse(await readFile(file, 'utf8')).storage);
    const problem = 'malformed NURL: hash: is not 43 characters of base64url';
    await expect(openGrid(node)).rejects.toThrowError(
      new BadGridError(file, `none of its 4 servers can be used; server ${id}: ${problem}`),
    );
  });

  test.each([
    ['beside', (directory: string) => `    directory: ${directory}\n    ann:\n`],
    ['in', (directory: string) => `    ann:\n      directory: ${directory}\n`],
  ])('as Tahoe wrote it: one line %s `ann` makes a server its folder', async (where, line) => {
    const node = join(scratch, `advice-${where}`);
    const storage = join(node, 'server/storage');
    await mkdir(join(node, 'private'), { recursive: true });
    await mkdir(join(storage, 'shares/incoming'), { recursive: true });
    const before = stringify({ storage: { [ID]: { ann: ANN } } });
    expect(before).toContain('    ann:\n');
    const after = before.replace('    ann:\n', line(storage));
    await writeFile(join(node, 'private/servers.yaml'), after);
    const cfg = '[client]\nshares.needed = 1\nshares.happy = 1\nshares.total = 1\n';
    await writeFile(join(node, 'tahoe.cfg'), cfg);

    const grid = await openGrid(node);
    const file = await grid.create({ format: 'sdmf', contents: utf8('here'), key: testKey });
    expect(file.created?.placed).toEqual([{ server: ID, shnum: 0 }]);
    const made = (await readdir(join(storage, 'shares'))).sort();
    expect(made).toEqual(['incoming', expect.stringMatching(/^[a-z2-7]{2}$/)]);
    expect(await (await openGrid(node)).open(file.readCap).read()).toEqual(utf8('here'));
  });

  test('makes its lease secret for a client that has none, and only then', async () => {
    const node = await nodeFolder('leases', (nickname) => ({ directory: nickname }));
    const secret = join(node, 'private/secret');
    await openGrid(node, { leaseSecret: new Uint8Array(32) });
    await expect(access(secret)).rejects.toMatchObject({ code: 'ENOENT' });
    await openGrid(node);
    const made = await readFile(secret, 'latin1');
    expect(made).toMatch(/^[a-z2-7]{52}\n$/);
    await openGrid(node);
    expect(await readFile(secret, 'latin1')).toBe(made);
  });
});

describe('settings in tahoe.cfg that only a writer needs', () => {
  /** A file of the numbers 2 of 4, and the same grid with another tahoe.cfg. */
  async function written(name: string, cfg: string) {
    const folder = join(scratch, name);
    await createGridFolder(folder, { servers: 4, encoding: { required: 2, happy: 2, total: 4 } });
    const { writeCap } = await (await openGrid(folder)).create({
      contents: utf8('old'),
      key: testKey,
    });
    const path = join(folder, 'tahoe.cfg');
    await writeFile(path, `[client]\n${cfg}\n`);
    const grid = await openGrid(folder);
    return { grid, file: grid.open(writeCap), path };
  }

  test.each([
    ['happy-11', 'shares.happy = 11', 'shares.happy 11: must be from 1 to 10, shares.total'],
    [
      'total-256',
      'shares.total = 256',
      'shares.total 256: must be from 1 to 255, the most that a share can say',
    ],
    ['needed-x', 'shares.needed = x', '[client] shares.needed: must be a whole number'],
  ])('%s: files that exist are read and written, new ones refused', async (name, line, problem) => {
    const { grid, file, path } = await written(name, line);
    expect(await file.read()).toEqual(utf8('old'));
    // No more than the four that the file has can be happy.
    expect(await file.append(utf8('!'))).toMatchObject({ seqnum: 2, quorum: 4 });
    expect(await file.verify()).toMatchObject({ isHealthy: true });
    await expect(grid.create()).rejects.toThrowError(new BadGridError(path, problem));
    const own = await openGrid(dirname(path), { encoding: { required: 1, happy: 1, total: 1 } });
    expect((await own.create()).created).toMatchObject({ quorum: 1 });
  });

  test.each([
    ['happy-x', 'shares.happy = x', '[client] shares.happy: must be a whole number'],
    ['happy-0', 'shares.happy = 0', 'shares.happy 0: must be from 1 to 10, shares.total'],
  ])('%s: files are read, and nothing is written', async (name, line, problem) => {
    const { grid, file, path } = await written(name, line);
    const error = new BadGridError(path, problem);
    await expect(grid.create()).rejects.toThrowError(error);
    await expect(file.overwrite(utf8('new'))).rejects.toThrowError(error);
    await expect(file.update(utf8('new'), 0)).rejects.toThrowError(error);
    await expect(file.append(utf8('new'))).rejects.toThrowError(error);
    await expect(file.modify(() => utf8('new'))).rejects.toThrowError(error);
    expect(await file.read()).toEqual(utf8('old'));
    expect(await file.verify()).toMatchObject({ seqnum: 1, isHealthy: true });
  });

  test('the format of new files is theirs, unless the caller names one', async () => {
    const { grid } = await written('format', 'mutable.format = SDMF\nshares.total = 4');
    expect((await grid.create()).cap.format).toBe('sdmf');
    expect((await grid.create({ format: 'mdmf' })).cap.format).toBe('mdmf');
    const { grid: none } = await written('no-format', 'shares.total = 4');
    expect((await none.create()).cap.format).toBe('mdmf');
    const { grid: bad, path } = await written('bad-format', 'mutable.format = x\nshares.total = 4');
    await expect(bad.create()).rejects.toThrowError(
      new BadGridError(path, '[client] mutable.format: must be sdmf or mdmf'),
    );
    expect((await bad.create({ format: 'sdmf' })).cap.format).toBe('sdmf');
    const told = await openGrid(dirname(path), { format: 'sdmf' });
    expect((await told.create()).cap.format).toBe('sdmf');
  });

  test('and the command line follows them', async () => {
    const { file, path } = await written('cli', 'mutable.format = sdmf\nshares.total = 4');
    const on = ['--grid', dirname(path), '--json'];
    const create = async (...more: string[]) =>
      JSON.parse((await runHere([...on, 'create', path, ...more])).stdout.toString());
    expect(await create()).toMatchObject({ format: 'sdmf' });
    expect(await create('--format', 'mdmf')).toMatchObject({ format: 'mdmf' });
    await writeFile(path, '[client]\nshares.happy = 11\n');
    expect((await runHere(['--grid', dirname(path), 'get', file.readCap])).stdout).toEqual(
      Buffer.from('old'),
    );
    expect(await create()).toMatchObject({
      error: { code: 'BadGridError', facts: { where: path } },
    });
  });
});

test('a path without a grid is named', async () => {
  const path = join(scratch, 'nowhere');
  await expect(openGrid(path)).rejects.toThrowError(new BadGridError(path, 'does not exist'));
});

describe('openFile', () => {
  test('reads any part of a file, more than once', async () => {
    const path = join(scratch, 'file');
    await writeFile(path, 'abcdefgh');
    const file = await openFile(path);
    expect(file.size).toBe(8);
    expect(await file.read(2, 3)).toEqual(utf8('cde'));
    expect(await file.read(0, 8)).toEqual(utf8('abcdefgh'));
    expect(await file.read(8, 0)).toEqual(new Uint8Array(0));
    await file.close();
  });

  test('notices that the file has become shorter', async () => {
    const path = join(scratch, 'shrinking');
    await writeFile(path, 'abcdefgh');
    const file = await openFile(path);
    await truncate(path, 5);
    await expect(file.read(4, 4)).rejects.toThrowError(
      new BadSourceError(path, 'ends at 5, which it did not before'),
    );
    await file.close();
  });

  test('takes regular files only: a pipe would look empty', async () => {
    const problem = new BadSourceError(scratch, 'is not a regular file');
    await expect(openFile(scratch)).rejects.toThrowError(problem);
    const device = new BadSourceError('/dev/null', 'is not a regular file');
    await expect(openFile('/dev/null')).rejects.toThrowError(device);
    await expect(openFile(join(scratch, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test.each([undefined, {}, 5, '', 'a\0b'])('the path %j is refused by name', async (path) => {
  for (const open of [openGrid, gridStatus, openFile, createGridFolder] as const) {
    const error = await (open as (path: unknown) => Promise<never>)(path).catch((e) => e);
    expect(error).toBeInstanceOf(BadArgumentError);
    expect(error.facts.argument).toBe(open === createGridFolder ? 'folder' : 'path');
  }
});

test.each([null, 5, 'read'])('the options %j are refused by name', async (options) => {
  for (const open of [openGrid, gridStatus, createGridFolder] as const) {
    const error = await open('nowhere', options as never).catch((e) => e);
    expect(error).toEqual(new BadArgumentError('options', error.facts.problem));
  }
});
