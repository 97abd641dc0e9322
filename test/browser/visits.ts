/**
 * @module visits: the built page as the tests of a file visit it: in one browser, served by one
 * inspector.
 */
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { createInspector, type Inspector } from '../../src/inspector/server.ts';
import { builtPage, launch, openPage, type WatchedPage } from './browser.ts';

export interface Visits {
  /** The explorer's address. */
  readonly home: string;
  /** Opens the page there, with `hash` behind it. */
  visit(hash?: string, options?: BrowserContextOptions): Promise<WatchedPage>;
  /** Opens it at another address. */
  visitUrl(url: string, options?: BrowserContextOptions): Promise<WatchedPage>;
}

/** Starts both before the tests of the file that calls it, and ends them after. */
export function visits(): Visits {
  let browser: Browser;
  let inspector: Inspector;
  beforeAll(async () => {
    browser = await launch();
    inspector = await createInspector({ page: builtPage });
  });
  afterAll(async () => {
    await browser?.close();
    await inspector?.close();
  });
  return {
    get home() {
      return inspector.explorerUrl;
    },
    visit: (hash = '', options = {}) =>
      openPage(browser, `${inspector.explorerUrl}${hash}`, options),
    visitUrl: (url, options = {}) => openPage(browser, url, options),
  };
}

/** Ends a visit, in which the page must have had nothing to complain of. */
export async function done({ page, complaints }: WatchedPage): Promise<void> {
  expect(complaints).toEqual([]);
  await page.context().close();
}
