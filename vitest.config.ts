import { existsSync, statfsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { base } from './vitest.base.ts';

const every = ['test/**/*.test.ts'];
/** These replace or listen to modules, which other files must not share, or measure their process. */
const alone = [
  'test/client/errors.test.ts',
  'test/description/grid-folder-mount.test.ts',
  'test/storage/failures.test.ts',
  'test/visualizer/refused.test.ts',
];
/** These are about a disk, and want a real one. */
const disk = ['atomic-file', 'directory', 'folder', 'left-behind', 'ownership', 'processes'];
const onDisk = disk.map((name) => `test/storage/${name}.test.ts`);

/** Grids of folders sync every write, which takes no time in memory; a container may have little. */
const inMemory = hasRoom('/dev/shm') ? { TMPDIR: '/dev/shm' } : {};

function hasRoom(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > 2 ** 30;
}

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    // What one file has loaded, and V8 has compiled, serves the next one.
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: every,
          exclude: [...alone, ...onDisk],
          isolate: false,
          env: inMemory,
        },
      },
      {
        extends: true,
        test: { name: 'disk', include: onDisk, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: alone, env: inMemory } },
    ],
  },
});
