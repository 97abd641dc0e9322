/** S: how many servers a grid has, for all who write on it, whatever its description is short of. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { utf8 } from '../../src/bytes.ts';
import { formatCap, writeCapOf } from '../../src/caps.ts';
import { gridSizeOf } from '../../src/description/grid-size.ts';
import {
  BadArgumentError,
  BadGridError,
  NotEnoughServersError,
  OutOfRangeError,
} from '../../src/errors.ts';
import { Grid, type GridOptions } from '../../src/grid.ts';
import { gridStatus, openGrid } from '../../src/node.ts';
import { ANN_WITHOUT_NURLS, annOf, folderAnnOf } from '../support/announcements.ts';
import { runHere } from '../support/cli.ts';
import { memoryServers, testKey } from '../support/client-grid.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-size-'));
  for (const name of ['s0', 's1', 's2']) await mkdir(join(folder, name));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, stringify(content, { aliasDuplicateObjects: false }));
  return path;
}

/** Its folder is there for the first three. */
const entryOf = (n: number, directory = `s${n}`) => ({ ann: folderAnnOf(n), directory });
const storageOf = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, entryOf(i)]));

const announced = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ ann: annOf(i), key_s: `v0-${i}` }));

/** The numbers that are kept in `folder`. */
const keptIn = async (where: string) =>
  (await readdir(where)).filter((name) => name.includes('.seen-'));

describe('what is described', () => {
  test('counts as it is named, also what cannot be used, and one server once', async () => {
    const storage = {
      ...storageOf(3),
      foolscap: { ann: ANN_WITHOUT_NURLS },
      broken: 5,
      twin: entryOf(7, 's0'),
    };
    const path = await put('servers.yaml', { storage });
    const before = await readFile(path);
    const grid = await openGrid(folder);
    expect([grid.servers.length, grid.gridSize, grid.notices]).toEqual([3, 5, []]);
    expect(await readFile(path)).toEqual(before);
    expect(await keptIn(folder)).toEqual(['servers.yaml.seen-5']);
    expect(await readFile(join(folder, 'servers.yaml.seen-5'))).toHaveLength(0);
  });

  test('can be made large by strangers who announce servers; the owner has the last word', async () => {
    const node = join(folder, 'node');
    const stranger = (n: number) => ({ ann: ANN_WITHOUT_NURLS, key_s: `v0-stranger-${n}` });
    const strangers = Array.from({ length: 30 }, (_, i) => stranger(i));
    await put('node/private/introducer_cache.yaml', [...announced(4), ...strangers]);
    const notice =
      'a write counts as done on 7 of 34 servers, not more than half: of two writers both may ' +
      'succeed, and one change be lost; 10 shares cannot be on more than half of the servers';
    expect(await openGrid(node)).toMatchObject({ gridSize: 34, notices: [notice] });
    await put('node/private/servers.yaml', { storage: {}, 'grid-size': 4 });
    expect(await openGrid(node)).toMatchObject({ gridSize: 4, notices: [] });
  });

  test('is what a write has to reach, however many servers can be used', async () => {
    const storage = { ...storageOf(3), foolscap: { ann: ANN_WITHOUT_NURLS }, broken: 5 };
    await put('servers.yaml', { storage });
    await writeFile(join(folder, 'tahoe.cfg'), '[client]\nshares.happy = 4\nshares.total = 4\n');
    const grid = await openGrid(folder);
    const error = await grid.create({ key: testKey }).catch((e) => e);
    expect(error).toBeInstanceOf(NotEnoughServersError);
    expect(error.message).toBe('version 1 reached 0 of the 4 servers it needs');
  });
});

describe('the largest number that was ever seen', () => {
  test('stays when a server is taken out, and grows', async () => {
    await put('servers.yaml', { storage: storageOf(5) });
    expect((await openGrid(folder)).gridSize).toBe(5);
    const path = await put('servers.yaml', { storage: storageOf(4) });
    expect((await openGrid(path)).gridSize).toBe(5);
    expect(await gridStatus(path)).toMatchObject({ gridSize: 5, quorum: 5 });
    await put('servers.yaml', { storage: storageOf(7) });
    expect((await openGrid(folder)).gridSize).toBe(7);
    expect(await keptIn(folder)).toEqual(['servers.yaml.seen-7']);
  });

  test('stays when an introducer forgets one, by whichever path the node is opened', async () => {
    await put('node/private/introducer_cache.yaml', announced(4));
    const node = join(folder, 'node');
    expect((await openGrid(node)).gridSize).toBe(4);
    await put('node/private/introducer_cache.yaml', announced(2));
    expect((await openGrid(node)).gridSize).toBe(4);
    // A file that cannot be read names nobody; what it named is not forgotten.
    await writeFile(join(node, 'private/introducer_cache.yaml'), '{');
    const path = await put('node/private/servers.yaml', { storage: storageOf(1) });
    for (const way of [node, path]) expect((await openGrid(way)).gridSize).toBe(4);
    expect(await keptIn(join(node, 'private'))).toEqual(['servers.yaml.seen-4']);
  });

  test('is that of one description: two in one folder are two grids', async () => {
    const [five, two] = [
      await put('five.yaml', { storage: storageOf(5) }),
      await put('two.yaml', { storage: storageOf(2) }),
    ];
    expect((await openGrid(five)).gridSize).toBe(5);
    expect((await openGrid(two)).gridSize).toBe(2);
    expect(await keptIn(folder)).toEqual(['five.yaml.seen-5', 'two.yaml.seen-2']);
  });

  test('wins, whoever else opens the grid meanwhile', async () => {
    const path = join(folder, 'servers.yaml');
    const counts = Array.from({ length: 40 }, (_, i) => ((i * 7) % 40) + 1);
    const open = (described: number) =>
      gridSizeOf({ path, stated: undefined, losable: 0, described, usable: 1 });
    const sizes = await Promise.all(counts.map(open));
    for (const [i, { gridSize, notices }] of sizes.entries()) {
      expect(gridSize).toBeGreaterThanOrEqual(counts[i] as number);
      expect(notices).toEqual([]);
    }
    expect(await keptIn(folder)).toEqual(['servers.yaml.seen-40']);
    expect(await open(1)).toEqual({ gridSize: 40, losableServers: 0, notices: [] });
  });

  test('is told where it cannot be kept, and counts for the moment', async () => {
    // No name is longer than 255 bytes.
    const path = await put(`${'n'.repeat(250)}.yaml`, { storage: storageOf(3) });
    const notices = [`${folder}: cannot keep that the grid has 3 servers: name too long`];
    expect(await openGrid(path)).toMatchObject({ gridSize: 3, notices });
    expect(await gridStatus(path)).toMatchObject({ gridSize: 3, notices });
    const { exit, stderr } = await runHere(['--grid', path, 'create', path]);
    expect([exit, stderr]).toEqual([0, `${notices}\n`]);
  });

  test.each(['', '0', '-1', '3.yaml', '1234567', '0x10'])(
    'is refused as %j, by name',
    async (number) => {
      await put('servers.yaml', { storage: storageOf(3) });
      const path = join(folder, `servers.yaml.seen-${number}`);
      await writeFile(path, '');
      const error = new BadGridError(path, 'its name must end in a number of servers');
      await expect(openGrid(folder)).rejects.toThrowError(error);
      await expect(gridStatus(folder)).rejects.toThrowError(error);
    },
  );

  test('is a name, whatever lies there: nothing is read or written behind it', async () => {
    await put('servers.yaml', { storage: storageOf(3) });
    await mkdir(join(folder, 'servers.yaml.seen-2/inside'), { recursive: true });
    await symlink('elsewhere', join(folder, 'servers.yaml.seen-3'));
    expect(await openGrid(folder)).toMatchObject({ gridSize: 3, notices: [] });
    expect(await keptIn(folder)).toEqual(['servers.yaml.seen-2', 'servers.yaml.seen-3']);
    expect(await readdir(folder)).not.toContain('elsewhere');
  });
});

describe('grid-size in servers.yaml', () => {
  test('is the word of the owner, up and down', async () => {
    await put('servers.yaml', { storage: storageOf(5) });
    await openGrid(folder);
    const storage = { ...storageOf(3), gone: 5 };
    for (const size of [3, 9, '4']) {
      const path = await put('servers.yaml', { storage, 'grid-size': size });
      expect(await openGrid(path)).toMatchObject({ gridSize: Number(size), notices: [] });
    }
    expect(await keptIn(folder)).toEqual(['servers.yaml.seen-5']);
    await put('servers.yaml', { storage });
    expect((await openGrid(folder)).gridSize).toBe(5);
  });

  test('cannot make a grid smaller than the servers that are used', async () => {
    const path = await put('servers.yaml', { storage: storageOf(3), 'grid-size': 2 });
    const notices = [`${path}: grid-size: 2 is less than the 3 servers to be used`];
    expect(await openGrid(folder)).toMatchObject({ gridSize: 3, notices });
    const { stdout } = await runHere(['--grid', folder, 'grid', 'status']);
    expect(stdout.toString()).toContain(`a write needs 3 of 3\n${notices}\n`);
  });

  test('is told of without the cap that somebody has called the folder', async () => {
    const cap = formatCap(writeCapOf(testKey, 'mdmf'));
    await put(`${cap}/servers.yaml`, { storage: storageOf(3), 'grid-size': 2 });
    vi.stubEnv('TAHOE_MUTABLE_GRID', join(folder, cap));
    const { stderr } = await runHere(['get', '-'], cap);
    vi.unstubAllEnvs();
    expect(stderr).toContain('/URI:… grid-size: 2 is less than the 3 servers');
    expect(stderr).not.toContain(cap.slice(9, 35));
  });

  test.each([null, 0, -3, 2.5, 'many', { a: 1 }])('is refused as %j', async (size) => {
    const path = await put('servers.yaml', { storage: storageOf(3), 'grid-size': size });
    const error = new BadGridError(path, 'grid-size: must be a number of servers');
    await expect(openGrid(folder)).rejects.toThrowError(error);
  });
});

describe('losable-servers in servers.yaml', () => {
  test('are those that the owner allows for, none if nothing is said', async () => {
    const said = { storage: storageOf(3), 'grid-size': 13 };
    const path = await put('servers.yaml', said);
    expect((await openGrid(path)).losableServers).toBe(0);
    for (const count of [0, 1, '2']) {
      await put('servers.yaml', { ...said, 'losable-servers': count });
      expect(await openGrid(path)).toMatchObject({ gridSize: 13, losableServers: Number(count) });
      expect(await gridStatus(path)).toMatchObject({ losableServers: Number(count) });
    }
    expect((await openGrid(path, { losableServers: 1 })).losableServers).toBe(1);
    expect((await openGrid(path, { gridSize: 13 })).losableServers).toBe(2);
  });

  test.each([null, -1, 2.5, 'many', { a: 1 }])('are refused as %j', async (count) => {
    const path = await put('servers.yaml', { storage: storageOf(3), 'losable-servers': count });
    const error = new BadGridError(path, 'losable-servers: must be a number of servers');
    await expect(openGrid(folder)).rejects.toThrowError(error);
  });

  test('are a number for the library', () => {
    const servers = memoryServers(3);
    for (const losableServers of [-1, 0.5, Number.NaN]) {
      expect(() => new Grid({ servers, losableServers })).toThrowError(OutOfRangeError);
    }
  });

  test('are more than a quorum has to spare: the grid says what would be enough', () => {
    const noticesOf = (happy: number, losableServers: number, total = 10) => {
      const encoding = { required: 3, happy, total };
      return new Grid({ servers: memoryServers(10), encoding, losableServers }).notices;
    };
    expect([noticesOf(7, 0), noticesOf(7, 3), noticesOf(8, 5)]).toEqual([[], [], []]);
    const lost = (happy: number, kept: number, losable: number, cure: string) => [
      `a write counts as done on ${happy} of 10 servers: that allows for ${kept} that lose shares, ` +
        `not for ${losable}; ${cure}`,
    ];
    expect(noticesOf(7, 4)).toEqual(
      lost(7, 3, 4, 'set shares.happy to 8 or more, for every writer'),
    );
    expect(noticesOf(9, 10)).toEqual(lost(9, 7, 10, '10 shares cannot be on 11 servers'));
    expect(noticesOf(8, 6)).toEqual(
      lost(8, 5, 6, 'set shares.happy to 9 or more, for every writer'),
    );
    const few = { servers: memoryServers(5), encoding: { required: 3, happy: 5, total: 10 } };
    expect(new Grid({ ...few, losableServers: 3 }).notices).toEqual([
      'a write counts as done on 5 of 5 servers: when 3 of them lose shares too few of the 3 that a ' +
        'reader needs may be left; that takes 6 servers',
    ]);
    const encoding = { required: 7, happy: 7, total: 10 };
    expect(new Grid({ servers: memoryServers(10), encoding, losableServers: 1 }).notices).toEqual([
      'a write counts as done on 7 of 10 servers: when 1 of them loses shares too few of the 7 that ' +
        'a reader needs may be left; set shares.happy to 8 or more, for every writer',
    ]);
  });
});

describe('gridSize as an option', () => {
  test('wins over the description, and is not kept', async () => {
    await put('servers.yaml', { storage: storageOf(3) });
    expect((await openGrid(folder, { gridSize: 4 })).gridSize).toBe(4);
    expect(await keptIn(folder)).toEqual([]);
    const options = { gridSize: undefined } as unknown as GridOptions;
    expect((await openGrid(folder, options)).gridSize).toBe(3);
    await expect(openGrid(folder, { gridSize: 2 })).rejects.toThrowError(
      new OutOfRangeError('gridSize', 2, 'must be at least 3'),
    );
  });

  test('is refused as anything but a number of servers', () => {
    const servers = memoryServers(3);
    expect(new Grid({ servers }).gridSize).toBe(3);
    expect(new Grid({ servers, gridSize: 5 }).gridSize).toBe(5);
    for (const gridSize of [2, 3.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new Grid({ servers, gridSize })).toThrowError(
        new OutOfRangeError('gridSize', gridSize, 'must be at least 3'),
      );
    }
    for (const [gridSize, kind] of [
      ['URI:SSK:secret', 'a string'],
      [null, 'null'],
      [3n, 'a bigint'],
    ] as const) {
      expect(() => new Grid({ servers, gridSize: gridSize as never })).toThrowError(
        new BadArgumentError('gridSize', `is ${kind}, not a number`),
      );
    }
  });
});

describe('a grid whose quorums need not meet', () => {
  const encoding = { required: 1, happy: 2, total: 4 };
  const noticeOf = (servers: number, cure: string) =>
    `a write counts as done on 2 of ${servers} servers, not more than half: of two writers both ` +
    `may succeed, and one change be lost; ${cure}`;
  const three = noticeOf(4, 'set shares.happy to 3 or more, for every writer');

  test('says so, with the cure, and goes on', async () => {
    const grid = new Grid({ servers: memoryServers(4), encoding });
    expect(grid.notices).toEqual([three]);
    const file = await grid.create({ contents: utf8('old'), key: testKey });
    await file.append(utf8(' and new'));
    expect(await file.read()).toEqual(utf8('old and new'));
    const noticesAt = (gridSize: number) =>
      new Grid({ servers: memoryServers(3), encoding, gridSize }).notices;
    expect(noticesAt(3)).toEqual([]);
    expect(noticesAt(7)).toEqual([noticeOf(7, 'set shares.happy to 4 or more, for every writer')]);
    const cure = '4 shares cannot be on more than half of the servers';
    expect(noticesAt(8)).toEqual([noticeOf(8, cure)]);
  });

  test('is told of by every command, and by grid status', async () => {
    const path = join(folder, 'grid');
    const made = await runHere(['grid', 'create', path, '--servers', '4', '--encoding', '1,2,4']);
    expect([made.exit, made.stderr]).toEqual([0, `${three}\n`]);
    const cfg = join(path, 'tahoe.cfg');
    const created = await runHere(['--grid', path, '--json', 'create', cfg]);
    expect([created.exit, created.stderr]).toEqual([0, `${three}\n`]);
    const status = await runHere(['--grid', path, 'grid', 'status']);
    expect([status.exit, status.stderr]).toEqual([0, '']);
    const summary = `\n\n4 of 4 servers can be reached; a write needs 2 of 4\n${three}\n`;
    expect(status.stdout.toString().endsWith(summary)).toBe(true);
    const json = await runHere(['--grid', path, '--json', 'grid', 'status']);
    expect(JSON.parse(json.stdout.toString())).toMatchObject({
      ...{ gridSize: 4, quorum: 2, isMajority: false, notices: [three], problem: null },
    });
  });
});
