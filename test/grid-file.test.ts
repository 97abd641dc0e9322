import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { fromBase32, utf8 } from '../src/bytes.ts';
import { BadGridError } from '../src/errors.ts';
import { loadGridFile } from '../src/grid-file.ts';

/** The entry of storage-http §3.2. */
const ID = 'v0-zzcsscb2yc5svoa2ylq47rmjegvzhwey6y7nk3jcscfkhjpwpkbq';
const TUB_ID = '47hc3gorp32vze3f7kxc7borddbkzhno';
const SWISSNUM = 'xn6s5s4v4yoknwze5nioz7zvhzbijrja';
const SEED = 'pj5gg43tmnrde6ldgvzxm33bgj4wy4jug5zg22tfm53hu2dxmv4tm6jxnzvtg2tdonrwm23injyho4dlmjyq';
const NURL = `pb://37tiX1u7I0wlTAoJpAQvvQ_628TDVXIyttpm5OjIjDg@127.0.0.1:41000/${SWISSNUM}#v=1`;
const ANN = {
  nickname: 's00',
  'anonymous-storage-FURL': `pb://${TUB_ID}@tcp:127.0.0.1:41000/${SWISSNUM}`,
  'permutation-seed-base32': SEED,
  'anonymous-storage-NURLs': [NURL],
};
const { 'anonymous-storage-NURLs': _, ...ANN_WITHOUT_NURLS } = ANN;
const FOLDER_ANN = { ...ANN_WITHOUT_NURLS, directory: 's00' };

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
      encoding: { required: 3, happy: 7, total: 10 },
      leaseSecretPath: join(folder, 'private/secret'),
    });
  });

  test('may be JSON, name no nickname and no seed, and keep its servers in order', async () => {
    const { nickname: _n, 'permutation-seed-base32': _s, ...bare } = ANN;
    const storage = { zebra: { ann: bare }, [ID]: { ann: { ...bare, nickname: '' } } };
    const path = await put('servers.yaml', JSON.stringify({ storage }));
    const { entries } = await loadGridFile(path);
    expect(entries.map(({ id, nickname }) => [id, nickname])).toEqual([
      ['zebra', 'zebra'],
      [ID, ID],
    ]);
    expect(entries[1]?.permutationSeed).toEqual(fromBase32(ID.slice(3)));
  });

  test('has directories relative to itself', async () => {
    const absolute = { ...FOLDER_ANN, directory: '/srv/tahoe/storage' };
    const up = { ...FOLDER_ANN, directory: '../else/where' };
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
    await put(CACHE, [announced(ID, ANN), announced('v0-other', { ...ANN, nickname: 's01' })]);
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
      ['v0-other', 's01', [NURL]],
    ]);
  });

  test('comes behind the static servers, which win, whatever the cache is called', async () => {
    await put('private/servers.yaml', { storage: { [ID]: { ann: FOLDER_ANN } } });
    await put(CACHE, [announced(ID, ANN), announced('b', { ...ANN, nickname: 'first' })]);
    await put('private/introducer_work_cache.yaml', [announced('b', ANN), announced('c', ANN)]);
    await put('private/introducer_cache.yaml', [announced('a', ANN)]);
    const { path, entries } = await loadGridFile(folder);
    expect(path).toBe(join(folder, 'private/servers.yaml'));
    expect(entries.map(({ id, nickname, directory }) => [id, nickname, directory])).toEqual([
      [ID, 's00', join(folder, 'private/s00')],
      ['a', 's00', undefined],
      ['b', 'first', undefined],
      ['c', 's00', undefined],
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

  test.each<[unknown, string]>([
    [{ storage: {} }, 'the file: must be a list'],
    [['x'], 'announcement 0: must be a map'],
    [[{ ann: ANN }], 'announcement 0: key_s: must be text'],
  ])('%j is no cache', async (content, problem) => {
    const path = await put(CACHE, content);
    await expect(loadGridFile(folder)).rejects.toThrowError(new BadGridError(path, problem));
  });
});

describe('servers that cannot be used', () => {
  const FOOLSCAP = { ...ANN_WITHOUT_NURLS, nickname: 'old' };
  const NO_NURL = 'has neither anonymous-storage-NURLs (it speaks only Foolscap) nor directory';
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

  test('are no grid', async () => {
    const path = await put('servers.yaml', { storage: { a: { ann: FOOLSCAP }, b: {} } });
    await expect(loadGridFile(path)).rejects.toThrowError(
      new BadGridError(path, `none of its 2 servers can be used; server a: ${NO_NURL}`),
    );
  });
});

test('a tahoe.cfg that says nonsense is no grid either', async () => {
  const path = await putEntry(ANN);
  await put('tahoe.cfg', '[client]\nshares.total = many\n');
  await expect(loadGridFile(path)).rejects.toThrowError(
    new BadGridError(join(folder, 'tahoe.cfg'), '[client] shares.total: must be a whole number'),
  );
});

describe('what is no grid', () => {
  test('a path where nothing is', async () => {
    const path = join(folder, 'nothing');
    await expect(loadGridFile(path)).rejects.toThrowError(new BadGridError(path, 'does not exist'));
  });

  test('a path through a file', async () => {
    const path = join(await put('file', ''), 'servers.yaml');
    await expect(loadGridFile(path)).rejects.toThrowError(
      new BadGridError(path, 'cannot be read: ENOTDIR'),
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
    ['storage: {}\nstorage: {}\n', 'is not YAML: line 2, column 1: duplicate key'],
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
    ['both', { ...ANN, directory: 's00' }, 'has both anonymous-storage-NURLs and directory'],
    ['one NURL as text', { ...ANN, 'anonymous-storage-NURLs': NURL }, NO_NURLS],
    ['other URLs', { ...ANN, 'anonymous-storage-NURLs': [`https://x/${SWISSNUM}`] }, NO_NURLS],
    ['a list of numbers', { ...ANN, 'anonymous-storage-NURLs': [1] }, NO_NURLS],
    ['a numeric directory', { ...FOLDER_ANN, directory: 7 }, 'directory: must be text'],
    ['a list as nickname', { ...ANN, nickname: ['a'] }, 'nickname: must be text'],
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

  test('two servers in one folder', async () => {
    const storage = { a: { ann: FOLDER_ANN }, b: { ann: { ...FOLDER_ANN, directory: './s00/' } } };
    const path = await put('servers.yaml', { storage });
    await expect(loadGridFile(path)).rejects.toThrowError(
      new BadGridError(`${path}: server b`, 'directory: is also that of a'),
    );
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
