import { defineConfig } from 'vitest/config';
import { base } from './vitest.base.ts';

// The packed package on every runtime that it promises: `npm run platforms`.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/platforms/**/*.platform.ts'],
    hookTimeout: 300_000,
  },
});
