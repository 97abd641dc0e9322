import { defineConfig } from 'vitest/config';
import { base } from './vitest.base.ts';

// Against real Tahoe-LAFS nodes, which need Python: `npm run test:interop`.
export default defineConfig({
  ...base,
  test: {
    include: ['test/interop/**/*.interop.ts'],
    globalSetup: ['test/interop/judge-traces.ts'],
    // Every file starts a grid of its own: one at a time.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
