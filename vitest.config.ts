import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { base } from './vitest.base.ts';

const every = ['test/**/*.test.ts'];
/** These replace modules, which other files must not see. */
const alone = ['test/description/grid-folder-mount.test.ts', 'test/storage/failures.test.ts'];
/** These are about disks, and want a real one. */
const onDisk = ['test/storage/**/*.test.ts'];

/** Grids of folders sync every write, which takes no time in memory. */
const inMemory = existsSync('/dev/shm') ? { TMPDIR: '/dev/shm' } : {};

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
        test: { name: 'disk', include: onDisk, exclude: alone, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
});
