import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { base } from './vitest.base.ts';

const { ssr, resolve } = base;
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** The one of the package that browsers get. */
const portable = fileURLToPath(new URL('src/crypto/portable.ts', import.meta.url));

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One browser at a time: figures are of one.
    fileParallelism: false,
    projects: [
      {
        ssr,
        resolve,
        extends: true,
        test: { name: 'beside a page', include: ['test/browser/**/*.browser.ts'] },
      },
      {
        extends: true,
        resolve: { alias: { '#crypto': portable } },
        test: {
          name: 'in a page',
          include: ['test/browser/**/*.page.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath, args: ['--no-sandbox'] } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
