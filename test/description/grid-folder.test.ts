import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesToHex, fromBase32, toBase32 } from '../../src/bytes.ts';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { createGridFolder, readLeaseSecret } from '../../src/description/grid-folder.ts';
import { BadGridError, OutOfRangeError } from '../../src/errors.ts';

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tahoe-mutable-grid-'));
  folder = join(parent, 'grid');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('createGridFolder', () => {
  test('makes thirteen servers with identities of their own', async () => {
    const path = await createGridFolder(folder);
    expect(path).toBe(join(folder, 'servers.yaml'));
    const names = Array.from({ length: 13 }, (_, i) => `s${String(i).padStart(2, '0')}`);
    expect((await readdir(folder)).sort()).toEqual(
      ['private', ...names, 'servers.yaml', 'tahoe.cfg'].sort(),
    );
    const { entries, encoding, leaseSecretPath } = await loadGridFile(folder);
    expect(encoding).toEqual({ required: 3, happy: 7, total: 10 });
    expect(entries.map(({ nickname, directory }) => [nickname, directory])).toEqual(
      names.map((name) => [name, join(folder, name)]),
    );
    for (const { id, permutationSeed } of entries) {
      expect(id).toBe(`v0-${toBase32(permutationSeed)}`);
      expect(permutationSeed).toHaveLength(32);
    }
    expect(new Set(entries.map(({ tubId }) => bytesToHex(tubId))).size).toBe(13);
    expect(leaseSecretPath).toBe(join(folder, 'private/secret'));
    expect((await stat(leaseSecretPath)).mode & 0o777).toBe(0o600);
    expect(await readLeaseSecret(leaseSecretPath)).toHaveLength(32);
    expect(await readdir(parent)).toEqual(['grid']);
  });

  test('writes what Tahoe itself would understand', async () => {
    await createGridFolder(folder, { servers: 1, encoding: { required: 1, total: 1 } });
    expect(await readFile(join(folder, 'servers.yaml'), 'utf8')).toMatch(
      /^storage:\n {2}v0-[a-z2-7]{52}:\n {4}ann:\n {6}nickname: s00\n {6}anonymous-storage-FURL: pb:\/\/[a-z2-7]{32}@unlisted:1\/[a-z2-7]{32}\n {6}permutation-seed-base32: [a-z2-7]{52}\n {6}directory: s00\n$/,
    );
    expect(await readFile(join(folder, 'tahoe.cfg'), 'utf8')).toBe(
      '[client]\nshares.needed = 1\nshares.happy = 1\nshares.total = 1\n',
    );
    expect(await readFile(join(folder, 'private/secret'), 'latin1')).toMatch(/^[a-z2-7]{52}\n$/);
  });

  test('counts in three digits when it must', async () => {
    await createGridFolder(folder, { servers: 101 });
    const { entries } = await loadGridFile(folder);
    expect([entries[0]?.nickname, entries[100]?.nickname]).toEqual(['s000', 's100']);
  });

  test('fills an empty folder that somebody stands in, without replacing it', async () => {
    await mkdir(folder);
    const { ino } = await stat(folder);
    await createGridFolder(folder, { servers: 2 });
    expect((await stat(folder)).ino).toBe(ino);
    expect((await loadGridFile(folder)).entries).toHaveLength(2);
    expect(await readdir(parent)).toEqual(['grid']);
  });

  test('makes the folders on the way', async () => {
    const deep = join(parent, 'a/b/grid');
    await createGridFolder(deep, { servers: 1 });
    expect((await loadGridFile(deep)).path).toBe(join(await realpath(deep), 'servers.yaml'));
  });

  test('refuses a folder with anything in it, and leaves that alone', async () => {
    await mkdir(folder);
    await writeFile(join(folder, '.hidden'), 'mine');
    await expect(createGridFolder(folder)).rejects.toThrowError(
      new BadGridError(folder, 'is not empty', { isTaken: true }),
    );
    expect(await readdir(folder)).toEqual(['.hidden']);
    expect(await readdir(parent)).toEqual(['grid']);
  });

  test.each(['a new folder', 'an empty folder'])(
    'of two that want %s, one gets it',
    async (which) => {
      if (which === 'an empty folder') await mkdir(folder);
      const both = await Promise.allSettled([
        createGridFolder(folder, { servers: 2 }),
        createGridFolder(folder, { servers: 2 }),
      ]);
      const refused = both.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(refused).toMatchObject([{ code: 'BadGridError', facts: { isTaken: true } }]);
      expect((await loadGridFile(folder)).entries).toHaveLength(2);
      expect(await readdir(folder)).toEqual(['private', 's00', 's01', 'servers.yaml', 'tahoe.cfg']);
      expect(await readdir(parent)).toEqual(['grid']);
    },
  );

  test('refuses a file, and a folder that cannot be made', async () => {
    await writeFile(folder, 'mine');
    await expect(createGridFolder(folder)).rejects.toMatchObject({
      message: `${folder}: is there, and is no folder`,
      facts: { isTaken: true },
    });
    const below = join(folder, 'below');
    await expect(createGridFolder(below)).rejects.toThrowError(
      new BadGridError(below, 'cannot be made a grid: not a directory', {
        isUnwritable: true,
      }),
    );
    expect(await readFile(folder, 'utf8')).toBe('mine');
  });

  test.each([
    [{ servers: 0 }, new OutOfRangeError('servers', 0, 'must be from 1 to 256')],
    [{ servers: 1.5 }, new OutOfRangeError('servers', 1.5, 'must be from 1 to 256')],
    [
      { encoding: { required: 4, total: 3 } },
      new OutOfRangeError('shares.needed', 4, 'must be from 1 to 3, shares.total'),
    ],
  ])('refuses %j', async (grid, error) => {
    await expect(createGridFolder(folder, grid)).rejects.toThrowError(error);
    expect(await readdir(parent)).toEqual([]);
  });
});

describe('readLeaseSecret', () => {
  test('reads what Tahoe wrote', async () => {
    const path = join(parent, 'secret');
    const text = toBase32(new Uint8Array(32).fill(7));
    await writeFile(path, `${text}\n`);
    expect(await readLeaseSecret(path)).toEqual(fromBase32(text));
  });

  test('makes one, for the owner only, and then keeps it', async () => {
    const path = join(parent, 'private/secret');
    const secrets = await Promise.all(Array.from({ length: 8 }, () => readLeaseSecret(path)));
    expect(secrets[0]).toHaveLength(32);
    expect(new Set(secrets.map(bytesToHex)).size).toBe(1);
    expect(await readLeaseSecret(path)).toEqual(secrets[0]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(parent, 'private'))).toEqual(['secret']);
  });

  test.each([
    ['', 'empty'],
    [toBase32(new Uint8Array(31).fill(7)), 'too short'],
    [toBase32(new Uint8Array(32).fill(7)).toUpperCase(), 'upper case'],
  ])('refuses %j (%s) without quoting it', async (text) => {
    const path = join(parent, 'secret');
    await writeFile(path, text);
    await expect(readLeaseSecret(path)).rejects.toThrowError(
      new BadGridError(path, 'must be 52 characters of base32'),
    );
  });

  test('says why it cannot', async () => {
    await writeFile(join(parent, 'file'), '');
    const path = join(parent, 'file/secret');
    await expect(readLeaseSecret(path)).rejects.toThrowError(
      new BadGridError(path, 'cannot be read: not a directory'),
    );
  });
});
