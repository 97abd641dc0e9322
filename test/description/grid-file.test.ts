import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { fromBase32, utf8 } from '../../src/bytes.ts';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { BadGridError } from '../../src/errors.ts';
import {
  ANN,
  ANN_WITHOUT_NURLS,
  annOf,
  FOLDER_ANN,
  folderAnnOf,
  ID,
  NO_NURL,
  NURL,
  SEED,
  SWISSNUM,
  TUB_ID,
} from '../support/announcements.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-grid-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

function putEntry(ann: unknown): Promise<string> {
  return put('servers.yaml', { storage: { [ID]: { ann } } });
}

describe('a servers.yaml', () => {
  test('as a real node has it', async () => {
    const path = await put(
      'servers.yaml',
      `storage:
  ${ID}:      # server id
    ann:
      nickname: s00
      anonymous-storage-FURL: ${ANN['anonymous-storage-FURL']}
      anonymous-storage-NURLs:
      - ${NURL}
      permutation-seed-base32: ${SEED}
    connections: {tcp: tcp}
`,
    );
    expect(await loadGridFile(path)).toEqual({
      path,
      entries: [
        {
          id: ID,
          nickname: 's00',
          tubId: fromBase32(TUB_ID),
          permutationSeed: utf8('zzcsscb2yc5svoa2ylq47rmjegvzhwey6y7nk3jcscfkhjpwpkbq'),
          nurls: [NURL],
        },
      ],
      unusable: [],
      size: { path, stated: undefined, losable: 0, described: 1, usable: 1 },
      encoding: { required: 3, happy: 7, total: 10 },
      format: undefined,
      unusableSettings: {},
      leaseSecretPath: join(folder, 'private/secret'),
    });
  });

  test('may be JSON, name no nickname and no seed, and keep its servers in order', async () => {
    const { nickname: _n, 'permutation-seed-base32': _s, ...bare } = ANN;
    const { 'permutation-seed-base32': _t, ...other } = { ...annOf(1), nickname: '' };
    const storage = { zebra: { ann: bare }, [ID]: { ann: other } };
    const path = await put('servers.yaml', JSON.stringify({ storage }));
    const { entries } = await loadGridFile(path);
    expect(entries.map(({ id, nickname }) => [id, nickname])).toEqual([
      ['zebra', 'zebra'],
      [ID, ID],
    ]);
    expect(entries[1]?.permutationSeed).toEqual(fromBase32(ID.slice(3)));
  });

  test('has directories relative to itself', async () => {
    const absolute = { ...folderAnnOf(1), directory: '/srv/tahoe/storage' };
    const up = { ...folderAnnOf(2), directory: '../else/where' };
    const storage = { a: { ann: FOLDER_ANN }, b: { ann: absolute }, c: { ann: up } };
    const path = await put('grid/servers.yaml', { storage });
    const { entries } = await loadGridFile(relative(process.cwd(), path));
    expect(entries.map(({ directory, nurls }) => [directory, nurls])).toEqual([
      [join(folder, 'grid/s00'), []],
      ['/srv/tahoe/storage', []],
      [join(folder, 'else/where'), []],
    ]);
  });
});

describe('the folder of a grid', () => {
  test('has the file in it, or in private/', async () => {
    const storage = { [ID]: { ann: FOLDER_ANN } };
    const inner = await put('private/servers.yaml', { storage });
    expect((await loadGridFile(folder)).path).toBe(inner);
    const outer = await put('servers.yaml', { storage });
    expect((await loadGridFile(folder)).path).toBe(outer);
  });

  test('has the encoding and the lease secret where a node has them', async () => {
    const path = await put('node/private/servers.yaml', { storage: { [ID]: { ann: ANN } } });
    await put('node/tahoe.cfg', '[client]\nshares.needed = 2\nshares.happy=3\nshares.total = 4\n');
    const expected = {
      encoding: { required: 2, happy: 3, total: 4 },
      leaseSecretPath: join(folder, 'node/private/secret'),
    };
    expect(await loadGridFile(path)).toMatchObject(expected);
    expect(await loadGridFile(join(folder, 'node'))).toMatchObject(expected);
  });

  test('may itself be called private', async () => {
    const path = await put('private/servers.yaml', { storage: { [ID]: { ann: ANN } } });
    await put('private/tahoe.cfg', '[client]\nshares.total = 12\n');
    expect(await loadGridFile(path)).toMatchObject({
      encoding: { required: 3, happy: 7, total: 12 },
      leaseSecretPath: join(folder, 'private/private/secret'),
    });
  });
});

describe('what introducers have announced to a node', () => {
  const CACHE = 'private/introducer_default_cache.yaml';
  const announced = (id: string, ann: object) => ({
    key_s: id,
    ann: { 'service-name': 'storage', seqnum: 3, ...ann },
  });

  test('is its grid, without a servers.yaml', async () => {
    await put(CACHE, [announced(ID, ANN), announced('v0-other', annOf(1))]);
    await put('tahoe.cfg', '[client]\nshares.total = 12\n');
    const grid = await loadGridFile(folder);
    expect(grid).toMatchObject({
      path: folder,
      unusable: [],
      encoding: { required: 3, happy: 7, total: 12 },
      leaseSecretPath: join(folder, 'private/secret'),
    });
    expect(grid.entries.map(({ id, nickname, nurls }) => [id, nickname, nurls])).toEqual([
      [ID, 's00', [NURL]],
      ['v0-other', 's01', annOf(1)['anonymous-storage-NURLs']],
    ]);
  });

  test('comes behind the static servers, which win, whatever the cache is called', async () => {
    await put('private/servers.yaml', { storage: { [ID]: { ann: FOLDER_ANN } } });
    await put(CACHE, [announced(ID, annOf(4)), announced('b', { ...annOf(2), nickname: 'first' })]);
    await put('private/introducer_work_cache.yaml', [
      announced('b', annOf(2)),
      announced('c', annOf(3)),
    ]);
    await put('private/introducer_cache.yaml', [announced('a', annOf(1))]);
    const { path, entries } = await loadGridFile(folder);
    expect(path).toBe(join(folder, 'private/servers.yaml'));
    expect(entries.map(({ id, nickname, directory }) => [id, nickname, directory])).toEqual([
      [ID, 's00', join(folder, 'private/s00')],
      ['a', 's01', undefined],
      ['b', 'first', undefined],
      ['c', 's03', undefined],
    ]);
    // The file by itself is only what it says.
    expect((await loadGridFile(path)).entries).toHaveLength(1);
  });

  test('may be of other services, and no server at all', async () => {
    await put(CACHE, [announced('x', { 'service-name': 'stub_client' }), announced(ID, ANN)]);
    expect((await loadGridFile(folder)).entries.map(({ id }) => id)).toEqual([ID]);
    await put(CACHE, []);
    await expect(loadGridFile(folder)).rejects.toThrowError(
      new BadGridError(folder, 'has no servers'),
    );
  });

  test.each<[unknown, string]>([[{ storage: {} }, 'the file: must be a list']])(
    '%j is no cache',
    async (content, problem) => {
      const path = await put(CACHE, content);
      await expect(loadGridFile(folder)).rejects.toThrowError(new BadGridError(path, problem));
    },
  );

  test.each<[unknown, string]>([
    [['x'], 'has no id that is text'],
    [[{ ann: ANN }], 'has no id that is text'],
    [[{ ann: ANN, key_s: ['v0-x'] }], 'has no id that is text'],
  ])('%j announces no server', async (content, problem) => {
    const path = await put(CACHE, content);
    await expect(loadGridFile(folder)).rejects.toThrowError(
      new BadGridError(`${path}: announcement 0`, problem),
    );
  });

  test('names no folder on this machine', async () => {
    await put(CACHE, [announced('a', FOLDER_ANN), announced('b', { ...ANN, directory: '/' })]);
    const { entries, unusable } = await loadGridFile(folder);
    expect(entries).toMatchObject([{ id: 'b', nurls: [NURL] }]);
    expect(entries[0]).not.toHaveProperty('directory');
    expect(unusable).toEqual([{ id: 'a', nickname: 's00', problem: NO_NURL }]);
  });

  test('may be unusable in one cache and usable in the next', async () => {
    await put(CACHE, [announced('a', ANN_WITHOUT_NURLS)]);
    await put('private/introducer_work_cache.yaml', [announced('a', ANN)]);
    expect((await loadGridFile(folder)).entries).toMatchObject([{ id: 'a', nurls: [NURL] }]);
  });
});

describe('servers that cannot be used', () => {
  const FOOLSCAP = { ...ANN_WITHOUT_NURLS, nickname: 'old' };
  const BAD_NURL = NURL.replace('37tiX1u7', '');

  test('are left out and named, as long as one can', async () => {
    const bad = { ...ANN, 'anonymous-storage-NURLs': [BAD_NURL] };
    const tor = { ...ANN, 'anonymous-storage-NURLs': [NURL.replace('pb:', 'pb+tor:')] };
    const storage = { old: { ann: FOOLSCAP }, [ID]: { ann: ANN }, bad: { ann: bad }, nil: {} };
    await put('private/servers.yaml', { storage });
    await put('private/introducer_cache.yaml', [{ key_s: 'tor', ann: tor }]);
    const grid = await loadGridFile(folder);
    expect(grid.entries.map(({ id }) => id)).toEqual([ID]);
    expect(grid.unusable).toEqual([
      { id: 'old', nickname: 'old', problem: NO_NURL },
      {
        id: 'bad',
        nickname: 's00',
        problem: 'malformed NURL: hash: is not 43 characters of base64url',
      },
      { id: 'nil', nickname: 'nil', problem: 'ann: must be a map' },
      {
        id: 'tor',
        nickname: 's00',
        problem: 'malformed NURL: scheme: none of the NURLs is pb://',
      },
    ]);
    expect(JSON.stringify(grid.unusable)).not.toContain(SWISSNUM);
  });

  test('are no grid if all are so', async () => {
    const path = await put('servers.yaml', { storage: { a: { ann: FOOLSCAP }, b: {} } });
    await expect(loadGridFile(path)).rejects.toThrowError(
      new BadGridError(path, `none of its 2 servers can be used; server a: ${NO_NURL}`),
    );
  });
});

test('impossible numbers in tahoe.cfg are an error only for who needs them', async () => {
  const path = await putEntry(ANN);
  const cfg = await put('tahoe.cfg', '[client]\nshares.total = many\n');
  const encoding = new BadGridError(cfg, '[client] shares.total: must be a whole number');
  const grid = await loadGridFile(path);
  expect(grid.entries).toHaveLength(1);
  expect(grid.unusableSettings).toEqual({ encoding });
});

describe('a grid that asks not to be called directly', () => {
  const HOW = 'only "%" can be honoured: servers are called directly';
  test.each([
    [
      '[node]\nreveal-ip-address = false\n',
      `[node] reveal-ip-address: ${HOW.replace('%', 'true')}`,
    ],
    ['[node]\nreveal-IP-address: no\n', `[node] reveal-ip-address: ${HOW.replace('%', 'true')}`],
    ['[connections]\ntcp = tor\n', `[connections] tcp: ${HOW.replace('%', 'tcp')}`],
    ['[connections]\ntcp = Disabled\n', `[connections] tcp: ${HOW.replace('%', 'tcp')}`],
    ['[DEFAULT]\ntcp = tor\n[connections]\n', `[connections] tcp: ${HOW.replace('%', 'tcp')}`],
  ])('%j refuses', async (text, problem) => {
    const storage = { net: { ann: ANN }, here: { ann: { ...folderAnnOf(1), directory: 'here' } } };
    const path = await put('servers.yaml', { storage });
    const cfg = await put('tahoe.cfg', text);
    await expect(loadGridFile(path)).rejects.toThrowError(new BadGridError(cfg, problem));
    // Folders call nobody.
    await put('servers.yaml', { storage: { here: storage.here } });
    expect((await loadGridFile(path)).entries).toHaveLength(1);
  });

  test.each([
    [{ tcp: 'tor' }, 'tcp'],
    [{ TCP: 'tor' }, 'TCP'],
    [{ tcp: null }, 'tcp'],
    [{ udp: 'tcp' }, 'udp'],
    // A FURL there holds a swissnum.
    [{ [ANN['anonymous-storage-FURL']]: 'tcp' }, 'another kind of address'],
  ])('connections: %j costs the server, naming the key', async (connections, key) => {
    const path = await put('servers.yaml', { storage: { x: { ann: ANN, connections } } });
    const problem = 'only "tcp" can be honoured: servers are called directly';
    await expect(loadGridFile(path)).rejects.toThrowError(
      new BadGridError(`${path}: server x`, `connections: ${key}: ${problem}`),
    );
  });

  test.each([1500, 2000, 3000, 20_000])('a file nested %i deep is refused', async (depth) => {
    const path = await put('servers.yaml', '? '.repeat(depth));
    await expect(loadGridFile(path)).rejects.toThrowError(BadGridError);
  });

  test('connections of addresses that are never called ask for nothing', async () => {
    const connections = { tcp: 'TCP', tor: 'tor', i2p: 'disabled' };
    const path = await put('servers.yaml', { storage: { x: { ann: ANN, connections } } });
    expect((await loadGridFile(path)).entries).toHaveLength(1);
  });

  test.each([
    '[node]\nreveal-ip-address = TRUE\n[connections]\ntcp = TCP\n',
    '[node]\nreveal-ip-address = yes\n[tor]\nenabled = true\n',
  ])('%j does not', async (text) => {
    const path = await putEntry(ANN);
    await put('tahoe.cfg', text);
    expect((await loadGridFile(path)).entries).toHaveLength(1);
  });

  test.each([{ tcp: 'tor' }, { tcp: 'disabled' }, { tcp: null }])(
    'connections: %j leaves out that server, also as others announce it',
    async (connections) => {
      const storage = { tor: { ann: ANN, connections }, [ID]: { ann: annOf(1) } };
      await put('private/servers.yaml', { storage });
      const again = ['tor', 'v0-other'].map((key_s) => ({ key_s, ann: ANN }));
      await put('private/introducer_cache.yaml', again);
      const { entries, unusable } = await loadGridFile(folder);
      expect(entries.map(({ id }) => id)).toEqual([ID]);
      expect(unusable).toEqual([
        { id: 'tor', nickname: 's00', problem: `connections: tcp: ${HOW.replace('%', 'tcp')}` },
        {
          id: 'v0-other',
          nickname: 's00',
          problem: 'is server tor under another name: they have one TubID',
        },
      ]);
    },
  );

  test('connections that are no map leave out that server', async () => {
    const path = await put('servers.yaml', { storage: { a: { ann: ANN, connections: 'tor' } } });
    await expect(loadGridFile(path)).rejects.toThrowError(
      new BadGridError(`${path}: server a`, 'connections: must be a map'),
    );
  });
});

describe('one bad entry or file', () => {
  const GOOD = { [ID]: { ann: ANN } };
  const CACHE = 'private/introducer_cache.yaml';

  test.each<[string, string, string, string]>([
    ['an entry without a value', 'storage: {x: ', 'x', 'its entry: must be a map'],
    ['an entry that is text', 'storage: {x: y', 'x', 'its entry: must be a map'],
    ['an empty entry', 'storage: {x: {}', 'x', 'ann: must be a map'],
    ['a null key', 'storage: {null: {}', 'entry 0', 'has no id that is text'],
    ['a map as key', 'storage: {? {a: b} : {}', 'entry 0', 'has no id that is text'],
    ['__proto__', 'storage: {__proto__: {}', '__proto__', 'ann: must be a map'],
  ])('%s costs no other server', async (_name, start, id, problem) => {
    const path = await put('servers.yaml', `${start}, ${JSON.stringify(GOOD).slice(1, -1)}}`);
    const { entries, unusable } = await loadGridFile(path);
    expect(entries.map((entry) => entry.id)).toEqual([ID]);
    expect(unusable).toEqual([{ id, nickname: id, problem }]);
  });

  test.each<[string, string, string]>([
    ['empty', '', 'the file: must be a list'],
    ['a map', '{}', 'the file: must be a list'],
    ['cut', `- ann: {nickname: "s0`, 'is not YAML: line 1, column 22: missing char'],
    ['binary', 'a\0b', 'is not text in UTF-8, nor in UTF-16 with a byte order mark'],
    ['deep', '['.repeat(20_000), expect.stringMatching(/: resource exhaustion$/)],
    ['long', '#'.repeat(2 ** 20 + 1), 'is longer than 1048576 bytes'],
    ['full of aliases', `- &a x\n${'- *a\n'.repeat(101)}`, 'has more than 100 aliases'],
  ])('an introducer cache that is %s costs no other file', async (_name, text, problem) => {
    await put('private/servers.yaml', { storage: GOOD });
    const path = await put(CACHE, text);
    const { entries, unusable } = await loadGridFile(folder);
    expect(entries.map((entry) => entry.id)).toEqual([ID]);
    expect(unusable).toEqual([{ id: path, nickname: 'introducer_cache.yaml', problem }]);
  });

  test.each<[string, string]>([
    ['{}', 'storage: must be a map'],
    ['storage:', 'storage: must be a map'],
    ['storage: [', 'is not YAML: line 1, column 11: bad indent'],
  ])('a servers.yaml of %j costs no announced server', async (text, problem) => {
    const path = await put('private/servers.yaml', text);
    await put(CACHE, [{ key_s: ID, ann: ANN }, { key_s: null, ann: ANN }, null]);
    const { entries, unusable } = await loadGridFile(folder);
    expect(entries.map((entry) => entry.id)).toEqual([ID]);
    expect(unusable).toEqual([
      { id: path, nickname: 'servers.yaml', problem },
      { id: 'announcement 1', nickname: 's00', problem: 'has no id that is text' },
      { id: 'announcement 2', nickname: 'announcement 2', problem: 'has no id that is text' },
    ]);
  });

  test.each([
    [42, '42'],
    [true, 'true'],
    [['a'], ID],
    [null, ID],
  ])('a nickname of %j costs nothing', async (nickname, shown) => {
    const path = await putEntry({ ...ANN, nickname });
    expect((await loadGridFile(path)).entries).toMatchObject([{ id: ID, nickname: shown }]);
  });

  test('a NURL among others that cannot be used costs nothing', async () => {
    const nurls = [NURL.replace('127.0.0.1', '\u202e'), `pb+i2p://x`, NURL];
    const path = await putEntry({ ...ANN, 'anonymous-storage-NURLs': nurls });
    expect((await loadGridFile(path)).entries).toMatchObject([{ id: ID, nurls }]);
  });

  test('an address in the place of a name is not repeated', async () => {
    const path = await put('servers.yaml', { storage: { ...GOOD, [NURL]: { ann: annOf(1) } } });
    const { unusable } = await loadGridFile(path);
    expect(unusable).toEqual([
      { id: 'pb://…', nickname: 's01', problem: 'its id: must not be a FURL or a NURL' },
    ]);
  });
});

test.each([
  ['UTF-8 with a mark', (text: string) => Buffer.from(`\ufeff${text}`)],
  ['UTF-16', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-16, big end first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
])('files in %s are read', async (_name, encoded) => {
  const path = join(folder, 'servers.yaml');
  await writeFile(path, encoded(stringify({ storage: { [ID]: { ann: ANN } } })));
  await writeFile(join(folder, 'tahoe.cfg'), encoded('[client]\nshares.total = 12\n'));
  const { entries, encoding } = await loadGridFile(path);
  expect(entries.map(({ id }) => id)).toEqual([ID]);
  expect(encoding).toEqual({ required: 3, happy: 7, total: 12 });
});

describe('what is no grid', () => {
  test('a path where nothing is', async () => {
    const path = join(folder, 'nothing');
    await expect(loadGridFile(path)).rejects.toThrowError(new BadGridError(path, 'does not exist'));
  });

  test('a path through a file', async () => {
    const path = join(await put('file', ''), 'servers.yaml');
    await expect(loadGridFile(path)).rejects.toThrowError(
      new BadGridError(path, 'cannot be read: not a directory'),
    );
  });

  test('a folder without servers.yaml', async () => {
    await expect(loadGridFile(folder)).rejects.toThrowError(
      new BadGridError(
        folder,
        'has no servers.yaml, also not in private/, and no introducer cache',
      ),
    );
  });

  test.each([
    ['storage: [', 'is not YAML: line 1, column 11: bad indent'],
    ['storage:\n  a: 1\n a: 2\n', 'is not YAML: line 3, column 1: bad indent'],
    ['storage: *nowhere', 'is not YAML: an alias cannot be resolved'],
    ['', 'the file: must be a map'],
    ['- storage', 'the file: must be a map'],
    ['servers: {}', 'storage: must be a map'],
    ['storage: [a, b]', 'storage: must be a map'],
    ['storage: {}', 'has no servers'],
  ])('%j', async (text, problem) => {
    const path = await put('servers.yaml', text);
    await expect(loadGridFile(path)).rejects.toThrowError(new BadGridError(path, problem));
  });

  test.each([
    [{ storage: { [ID]: null } }, 'its entry: must be a map'],
    [{ storage: { [ID]: {} } }, 'ann: must be a map'],
    [{ storage: { [ID]: { ann: ['x'] } } }, 'ann: must be a map'],
  ])('%j', async (content, problem) => {
    const path = await put('servers.yaml', content);
    const where = `${path}: server ${ID}`;
    await expect(loadGridFile(path)).rejects.toThrowError(new BadGridError(where, problem));
  });

  const NO_FURL = 'anonymous-storage-FURL: must be pb://<32 characters of base32>@…';
  const NO_NURLS = 'anonymous-storage-NURLs: must be a list of pb://… URLs';
  const NEITHER = 'has neither anonymous-storage-NURLs (it speaks only Foolscap) nor directory';
  test.each<[string, Record<string, unknown>, string]>([
    ['neither NURLs nor directory', { ...FOLDER_ANN, directory: undefined }, NEITHER],
    ['an empty list of NURLs', { ...ANN, 'anonymous-storage-NURLs': [] }, NEITHER],
    ['an empty directory', { ...FOLDER_ANN, directory: '' }, NEITHER],
    ['one NURL as text', { ...ANN, 'anonymous-storage-NURLs': NURL }, NO_NURLS],
    ['other URLs', { ...ANN, 'anonymous-storage-NURLs': [`https://x/${SWISSNUM}`] }, NO_NURLS],
    ['a list of numbers', { ...ANN, 'anonymous-storage-NURLs': [1] }, NO_NURLS],
    ['a numeric directory', { ...FOLDER_ANN, directory: 7 }, 'directory: must be text'],
    ['no FURL', { ...ANN, 'anonymous-storage-FURL': undefined }, NO_FURL],
    ['a FURL without TubID', { ...ANN, 'anonymous-storage-FURL': `pb://@x/${SWISSNUM}` }, NO_FURL],
    [
      'a map as FURL',
      { ...ANN, 'anonymous-storage-FURL': {} },
      `${NO_FURL.slice(0, 23)} must be text`,
    ],
    [
      'a seed in upper case',
      { ...ANN, 'permutation-seed-base32': SEED.toUpperCase() },
      'permutation-seed-base32 is not base32',
    ],
  ])('an entry with %s', async (_name, ann, problem) => {
    const path = await putEntry(ann);
    const failure = await loadGridFile(path).catch((error: unknown) => error);
    expect(failure).toEqual(new BadGridError(`${path}: server ${ID}`, problem));
    expect(JSON.stringify([failure, String(failure)])).not.toContain(SWISSNUM);
  });

  test('a syntax error beside a swissnum does not quote it', async () => {
    const good = stringify({ storage: { [ID]: { ann: ANN } } });
    const path = await put('servers.yaml', good.replace('anonymous-storage-FURL: ', '$&['));
    const failure = (await loadGridFile(path).catch((error: unknown) => error)) as BadGridError;
    expect(failure.code).toBe('BadGridError');
    expect(failure.message).toMatch(/: is not YAML: line \d+, column \d+: [\w ]+$/);
    expect(await readFile(path, 'utf8')).toContain(SWISSNUM);
    expect(failure.message).not.toContain(SWISSNUM);
  });

  test('a bomb of aliases', async () => {
    const rows = Array.from({ length: 9 }, (_row, i) =>
      i === 0
        ? 'a0: &a0 [x, x]'
        : `a${i}: &a${i} [${Array(9)
            .fill(`*a${i - 1}`)
            .join(', ')}]`,
    );
    const path = await put('servers.yaml', `${rows.join('\n')}\nstorage: *a8\n`);
    await expect(loadGridFile(path)).rejects.toThrowError(
      new BadGridError(path, 'is not YAML: an alias cannot be resolved'),
    );
  });
});
