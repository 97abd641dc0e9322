import { defineConfig } from 'vitest/config';

/** What the types of the packed package are to whoever installs it: of `npm run check:package`. */
export default defineConfig({
  test: { include: ['test/types/*.package.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
});
