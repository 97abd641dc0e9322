import { defineConfig } from 'vitest/config';

/** Many small files that neither replace modules nor keep much: loading is most of their work. */
const small = ['crypto', 'machines', 'prove', 'runtime', 'share'].map(
  (it) => `test/${it}/*.test.ts`,
);

export default defineConfig({
  // `#crypto` resolves to the TypeScript sources in tests, to dist/ in the package.
  ssr: { resolve: { conditions: ['@tahoe-mutable/source', 'node', 'import', 'default'] } },
  resolve: { conditions: ['@tahoe-mutable/source', 'node', 'import', 'default'] },
  test: {
    setupFiles: ['test/support/equal-bytes.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Every core: by default one is left for the watcher, and on two that is half.
    maxWorkers: '100%',
    // Shares are made and dropped by the megabyte: with more room for the young, less is collected.
    execArgv: ['--max-semi-space-size=64'],
    projects: [
      { extends: true, test: { name: 'rest', include: ['test/**/*.test.ts'], exclude: small } },
      // The modules are loaded once a worker, not once a file.
      { extends: true, test: { name: 'small', include: small, isolate: false } },
    ],
  },
});
