import { defineConfig } from 'vitest/config';
import { CoverageReporter } from './test/support/coverage-report.ts';
import { base } from './vitest.base.ts';

// The tests of the charts, and the table of what they have taken: `npm run coverage`.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/machines/*.machine.test.ts', 'test/machines/historic-rules.test.ts'],
    reporters: ['dot', new CoverageReporter()],
  },
});
