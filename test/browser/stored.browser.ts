/** Grids of a page's own, and servers behind a relay, in a real browser. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryServer } from '../../src/storage/memory.ts';
import { startWebRelay, TOKEN } from '../support/web-relay.ts';
import { launch, launchWithProfile } from './browser.ts';
import { type Library, type LibraryPage, serveLibrary } from './library-page.ts';

declare const library: Library;

let browser: Browser;
let served: LibraryPage;
beforeAll(async () => {
  [browser, served] = await Promise.all([launch(), serveLibrary()]);
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
});

/** Pages that share their storage, as tabs do. */
async function tabs(count: number): Promise<readonly Page[]> {
  const context = await browser.newContext();
  const pages = await Promise.all(Array.from({ length: count }, () => context.newPage()));
  await Promise.all(pages.map((page) => page.goto(served.origin)));
  return pages;
}

const create = async (contents: string) => {
  const grid = await library.openBrowserGrid({ name: 'kept', servers: 5 });
  const file = await grid.create({ contents: new TextEncoder().encode(contents) });
  return file.writeCap as string;
};
const append = async ([cap, more]: readonly [string, string]) => {
  const grid = await library.openBrowserGrid({ name: 'kept' });
  await grid.open(cap).append(new TextEncoder().encode(more));
  return new TextDecoder().decode(await grid.open(cap).read());
};
const read = async (cap: string) => {
  const grid = await library.openBrowserGrid({ name: 'kept' });
  return new TextDecoder().decode(await grid.open(cap).read());
};

test('a grid is there after a reload, and after a restart of the browser', async () => {
  const profile = await mkdtemp(join(tmpdir(), 'tahoe-mutable-profile-'));
  const visit = async <T>(use: (page: Page) => Promise<T>): Promise<T> => {
    const context = await launchWithProfile(profile);
    const page = await context.newPage();
    await page.goto(served.origin);
    const result = await use(page);
    await context.close();
    return result;
  };
  const cap = await visit(async (page) => {
    const made = await page.evaluate(create, 'hello');
    await page.goto(served.origin);
    expect(await page.evaluate(append, [made, ' world'] as const)).toBe('hello world');
    return made;
  });
  expect(await visit((page) => page.evaluate(read, cap))).toBe('hello world');
  await rm(profile, { recursive: true });
});

test('of two tabs that change a file at the same time, no change is lost', async () => {
  const pages = await tabs(2);
  const cap = await pages[0]!.evaluate(create, '');
  const addLines = async ([cap, tab]: readonly [string, number]) => {
    const grid = await library.openBrowserGrid({ name: 'kept' });
    const file = grid.open(cap);
    const lines: string[] = [];
    for (let i = 0; i < 10; i++) {
      const line = `tab ${tab}, line ${i}`;
      await file.modify((old) => {
        const text = new TextDecoder().decode(old);
        return new TextEncoder().encode(`${text}${line}\n`);
      });
      lines.push(line);
    }
    return lines;
  };
  const acknowledged = await Promise.all(
    pages.map((page, tab) => page.evaluate(addLines, [cap, tab] as const)),
  );
  expect(acknowledged.flat()).toHaveLength(20);
  const found = (await pages[1]!.evaluate(read, cap)).split('\n');
  expect(acknowledged.flat().filter((line) => !found.includes(line))).toEqual([]);
  await pages[0]!.context().close();
});

test('two tabs that make a grid of one name have the same one', async () => {
  const pages = await tabs(2);
  const ids = await Promise.all(
    pages.map((page) =>
      page.evaluate(async () => {
        const grid = await library.openBrowserGrid({ name: 'new', servers: 3 });
        return grid.servers.map(({ id }) => id);
      }),
    ),
  );
  expect(ids[0]).toHaveLength(3);
  expect(ids[1]).toEqual(ids[0]);
  await pages[0]!.context().close();
});

test('a file is made, changed and read through a relay of another origin', async () => {
  const backing = new MemoryServer({ id: 'behind' });
  const relay = await startWebRelay(backing, served.origin);
  const [page] = (await tabs(1)) as [Page];
  const roundTrip = async ({ url, token }: { url: string; token: string }) => {
    const { FetchServer, Grid } = library;
    const server = new FetchServer({
      id: 'behind',
      url,
      tubId: new Uint8Array(20),
      permutationSeed: new Uint8Array(32),
      headers: { Authorization: `Bearer ${token}` },
    });
    const grid = new Grid({ servers: [server], encoding: { required: 1, happy: 1, total: 1 } });
    const file = await grid.create({ contents: new TextEncoder().encode('hello') });
    await file.append(new TextEncoder().encode(' world'));
    const text = new TextDecoder().decode(await grid.open(file.readCap).read());
    return { text, status: server.status, cap: file.writeCap };
  };
  const { text, status } = await page.evaluate(roundTrip, { url: relay.url, token: TOKEN });
  expect(text).toBe('hello world');
  expect(status).toEqual({ kind: 'answering' });
  const refused = page.evaluate(roundTrip, { url: relay.url, token: 'another' });
  await expect(refused).rejects.toThrow('it answered with status 403');
  await page.context().close();
  await relay.stop();
});
