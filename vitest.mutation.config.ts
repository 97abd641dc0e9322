import { defineConfig } from 'vitest/config';
import { base } from './vitest.base.ts';

// What `npm run mutation` runs against the mutants of one file: its own tests.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: [process.env.MUTATION_TESTS ?? ''],
    setupFiles: ['test/mutation/seed.ts'],
    // Stryker runs them in threads, which take no options of V8.
    execArgv: [],
  },
});
