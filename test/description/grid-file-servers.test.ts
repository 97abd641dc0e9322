import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { ANN, annOf, FOLDER_ANN, folderAnnOf, NURL } from '../support/announcements.ts';

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

describe('one server under several names', () => {
  const storageOf = (...anns: object[]) => ({
    storage: Object.fromEntries(anns.map((ann, i) => ['abcd'[i], { ann }])),
  });

  test.each<[string, object, object, string]>([
    [
      'one TubID',
      ANN,
      { ...annOf(1), 'anonymous-storage-FURL': ANN['anonymous-storage-FURL'] },
      'they have one TubID',
    ],
    [
      'one key in their NURLs',
      ANN,
      { ...annOf(1), 'anonymous-storage-NURLs': [NURL.replace(':41000/', ':41001/x')] },
      'their NURLs have one key',
    ],
    ['one path', FOLDER_ANN, { ...folderAnnOf(1), directory: './s00/' }, 'they have one directory'],
  ])('%s is one server', async (_name, first, second, words) => {
    const path = await put('servers.yaml', storageOf(first, annOf(2), second, annOf(3)));
    const { entries, unusable } = await loadGridFile(path);
    expect(entries.map(({ id }) => id)).toEqual(['a', 'b', 'd']);
    const problem = `is server a under another name: ${words}`;
    expect(unusable).toEqual([{ id: 'c', nickname: expect.any(String), problem }]);
  });

  test.each([
    ['a link to its folder', 'link'],
    ['a folder whose shares/ is a link to its shares/', 'other'],
  ])('%s is one server', async (_name, directory) => {
    await mkdir(join(folder, 's00/shares'), { recursive: true });
    await symlink('s00', join(folder, 'link'));
    await mkdir(join(folder, 'other'));
    await symlink('../s00/shares', join(folder, 'other/shares'));
    const second = { ...folderAnnOf(1), directory };
    const { entries, unusable } = await loadGridFile(
      await put('servers.yaml', storageOf(FOLDER_ANN, second)),
    );
    expect(entries.map(({ id }) => id)).toEqual(['a']);
    const problem = 'is server a under another name: they have one directory';
    expect(unusable).toEqual([{ id: 'b', nickname: 's01', problem }]);
  });
});

describe('a directory', () => {
  test('may stand beside ann or in it, with NURLs or without, and is used instead of them', async () => {
    const storage = {
      a: { ann: { ...annOf(1), directory: '/srv/a' } },
      b: { ann: annOf(2), directory: '/srv/b' },
      c: { ann: folderAnnOf(3), directory: '~/c', connections: { tcp: 'tor' } },
      d: { ann: { ...annOf(4), directory: '/srv/d' }, directory: '/srv/d' },
      e: { ann: { ...annOf(5), directory: '/srv/e' }, directory: '/srv/f' },
    };
    const { entries, unusable } = await loadGridFile(await put('servers.yaml', { storage }));
    expect(entries.map(({ id, directory, nurls }) => [id, directory, nurls])).toEqual([
      ['a', '/srv/a', []],
      ['b', '/srv/b', []],
      ['c', join(homedir(), 'c'), []],
      ['d', '/srv/d', []],
    ]);
    const problem = 'directory: is one beside ann and another one in it';
    expect(unusable).toEqual([{ id: 'e', nickname: 's05', problem }]);
  });

  test.each([
    ['s00', 's00/tahoe.cfg', 'holds tahoe.cfg: a node keeps its shares in storage/ below it'],
    ['s00', 's00/node.pubkey', 'holds node.pubkey: a node keeps its shares in storage/ below it'],
    ['.', 'other', 'holds servers.yaml: a node keeps its shares in storage/ below it'],
    ['s00/storage/shares', 'other', 'is called shares: name the folder that it is in'],
    ['link', 's00/storage/shares/x', 'is called shares: name the folder that it is in'],
  ])('%s beside %s is in the wrong place', async (directory, file, problem) => {
    await put(file, '');
    await symlink('s00/storage/shares', join(folder, 'link'));
    const good = { ann: { ...folderAnnOf(1), directory: 's00/storage' } };
    const bad = { ann: ANN, directory };
    const path = await put('servers.yaml', { storage: { good, bad } });
    const { entries, unusable } = await loadGridFile(path);
    expect(entries.map(({ id }) => id)).toEqual(['good']);
    expect(unusable).toEqual([{ id: 'bad', nickname: 's00', problem: `directory: ${problem}` }]);
  });
});
