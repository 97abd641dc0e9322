/** A live run whose servers are silent: its time goes on, and what it waits for is told. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Grid } from '../../src/grid.ts';
import { createInspector } from '../../src/inspector/server.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { builtPage, launch, openPage } from './browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
});

test('who hangs is told how long, for whom, and until when', async () => {
  const inspector = await createInspector({ page: builtPage });
  let isSilent = false;
  const servers = Array.from({ length: 10 }, (_, i) => {
    const server = new MemoryServer({ id: `s${i}` });
    return new Proxy(server, {
      get(target, name) {
        if (name === 'nickname') return `box-${i}`;
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) =>
          isSilent ? new Promise(() => {}) : Reflect.apply(value, target, given);
      },
    });
  });
  const grid = new Grid({ servers, inspect: inspector.inspect });
  const file = await grid.create({ contents: new TextEncoder().encode('some words') });
  isSilent = true;
  const stop = new AbortController();
  const reading = file.read({ signal: stop.signal }).catch(() => {});
  const { page, complaints } = await openPage(browser, inspector.url);
  const row = page.getByRole('treeitem', { name: 'read' });
  const took = async () =>
    Number.parseInt((await row.locator('.took').innerText()).replace(',', ''), 10);
  await expect.poll(took, { timeout: 20_000 }).toBeGreaterThan(700);
  await row.click();
  const waits = page.getByRole('list', { name: 'For whom it waits' }).locator('li');
  expect(await waits.first().innerText()).toMatch(
    /^waits for box-\d: the deadline of its query is in \d+\.\d s$/,
  );
  expect(await page.locator('.lanes .deadline').count()).toBeGreaterThan(0);
  stop.abort();
  await reading;
  await page.getByRole('treeitem', { name: 'cancelled' }).waitFor();
  expect(complaints).toEqual([]);
  await inspector.close();
});
