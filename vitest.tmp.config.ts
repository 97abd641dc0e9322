import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['@tahoe-mutable/source', 'node', 'import', 'default'] } },
  resolve: { conditions: ['@tahoe-mutable/source', 'node', 'import', 'default'] },
  test: {
    include: ['test/tmp/**/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One browser at a time: figures are of one.
    fileParallelism: false,
  },
});
