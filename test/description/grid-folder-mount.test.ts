/**
 * A grid in a disk of its own: an empty mount, which nothing can be renamed into. A mount needs
 * rights that tests do not have, so what the kernel refuses there is refused here.
 */
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { createGridFolder } from '../../src/description/grid-folder.ts';

const disk = vi.hoisted(() => ({ mount: '', full: false }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const refused = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));
  const isInside = (path: string) => path.startsWith(disk.mount + sep);
  const rename = (from: string, to: string) => {
    if (from === disk.mount || to === disk.mount) return refused('EBUSY');
    if (isInside(from) !== isInside(to)) return refused('EXDEV');
    if (disk.full && to === join(disk.mount, 'servers.yaml')) return refused('EIO');
    return real.rename(from, to);
  };
  return { ...real, rename };
});

beforeEach(async () => {
  disk.mount = join(await realpath(await mkdtemp(join(tmpdir(), 'tahoe-mutable-mount-'))), 'grid');
  await mkdir(disk.mount);
});
afterEach(async () => {
  disk.full = false;
  await rm(join(disk.mount, '..'), { recursive: true });
});

test.each([
  ['an empty disk', []],
  ['an empty disk of ext4', ['lost+found']],
])('%s becomes a grid', async (_name, before) => {
  for (const name of before) await mkdir(join(disk.mount, name));
  await createGridFolder(disk.mount, { servers: 2 });
  expect((await loadGridFile(disk.mount)).entries).toHaveLength(2);
  expect((await readdir(disk.mount)).sort()).toEqual(
    [...before, 'private', 's00', 's01', 'servers.yaml', 'tahoe.cfg'].sort(),
  );
});

test('a disk that fails half way is left empty', async () => {
  disk.full = true;
  await expect(createGridFolder(disk.mount, { servers: 2 })).rejects.toMatchObject({
    code: 'BadGridError',
    facts: { where: disk.mount, problem: 'cannot be made a grid: EIO', isUnwritable: true },
  });
  expect(await readdir(disk.mount)).toEqual([]);
});
