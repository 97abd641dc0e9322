import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolders } from '../../src/storage/make-folders.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-test-'));
});
afterAll(() => rm(scratch, { recursive: true }));

test('what is missing is made, with the mode; what is there stays', async () => {
  const outer = join(scratch, 'outer');
  await mkdir(outer, { mode: 0o755 });
  await writeFile(join(outer, 'kept'), '');
  await makeFolders(join(outer, 'a', 'b'), 0o700);
  await makeFolders(join(outer, 'a'));
  await makeFolders(join(outer, 'a', 'b/'), 0o755);
  const modes = [];
  for (const path of ['', 'a', 'a/b']) {
    const { mode } = await stat(join(outer, path));
    modes.push(mode & 0o777);
  }
  expect(modes).toEqual([0o755, 0o700, 0o700]);
  expect((await readdir(outer)).sort()).toEqual(['a', 'kept']);
});

test('a link to a folder is one', async () => {
  await mkdir(join(scratch, 'disk'));
  await symlink('disk', join(scratch, 'link'));
  await makeFolders(join(scratch, 'link'));
  await makeFolders(join(scratch, 'link', 'below'));
  expect(await readdir(join(scratch, 'disk'))).toEqual(['below']);
});

test.each([
  ['a file', 'file', 'EEXIST'],
  ['below a file', 'file/a/b', 'ENOTDIR'],
  ['a link to nothing', 'dangling', 'EEXIST'],
  ['a link to itself, and below', 'loop/a', 'ELOOP'],
])('%s: what the system says', async (_, path, code) => {
  await writeFile(join(scratch, 'file'), '');
  await symlink('nowhere', join(scratch, 'dangling')).catch(() => {});
  await symlink('loop', join(scratch, 'loop')).catch(() => {});
  await expect(makeFolders(join(scratch, path))).rejects.toMatchObject({ code });
});

test.runIf(process.platform === 'linux')('where nothing can be made there is an end', async () => {
  await expect(makeFolders('/proc/self/a/b')).rejects.toMatchObject({ code: 'ENOENT' });
});
