/**
 * @module page: the packed package in Chromium, bundled as a page's author would.
 */
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage } from '../browser/browser.ts';
import { bundleForBrowser } from './bundled-page.ts';
import { installPacked } from './packed.ts';

let place: string;
let server: Server;
let browser: Browser;
let page: Page;
let complaints: readonly string[];

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tahoe-mutable-page-'));
  await installPacked(place);
  await copyFile(join(import.meta.dirname, 'page.mjs'), join(place, 'page.mjs'));
  const chunks = await bundleForBrowser(place, 'page.mjs');
  const scripts = new Map(chunks.map(({ fileName, code }) => [`/${fileName}`, code]));
  const [entry] = scripts.keys();
  server = createServer(({ url = '' }, response) => {
    const script = scripts.get(url);
    const type = script === undefined ? 'text/html' : 'text/javascript';
    response.setHeader('content-type', `${type}; charset=utf-8`);
    response.end(
      script ??
        `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${entry}"></script>`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  browser = await launch();
  const { port } = server.address() as AddressInfo;
  ({ page, complaints } = await openPage(browser, `http://127.0.0.1:${port}/`));
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  if (place !== undefined) await rm(place, { recursive: true, force: true });
});

/** What a feature gives in the page, or the error that it ends with. */
async function outcomeOf(feature: string): Promise<unknown> {
  const outcome = await page.evaluate(async (name) => {
    const { features } = globalThis as unknown as {
      features: Record<string, () => Promise<unknown>>;
    };
    return (await features[name]?.()) ?? 'ok';
  }, feature);
  expect(complaints).toEqual([]);
  return outcome;
}

test('a grid in memory, in a page', async () => {
  expect(await outcomeOf('memory')).toBe('ok');
});

test('two grids of a page on the same servers read each other', async () => {
  expect(await outcomeOf('two grids')).toBe('ok');
});

test('caps, in a page', async () => {
  expect(await outcomeOf('caps')).toBe('write');
});
