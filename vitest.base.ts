/**
 * @module vitest.base: what all runs of vitest have in common.
 */
import type { ViteUserConfig } from 'vitest/config';

// XState as users have it: its build for development is another one, and slower.
process.env.NODE_ENV = 'production';

export const base = {
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
  },
} satisfies ViteUserConfig;
