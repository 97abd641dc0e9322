/** Live runs in the built page: late, cut off, gone, refused, and of strangers' machines. */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { Grid } from '../../src/grid.ts';
import { createInspector, type Inspector } from '../../src/inspector/server.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { audit, builtPage, launch, openPage } from './browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
});

function gridOf({ inspect }: Inspector): Grid {
  const servers = Array.from({ length: 13 }, (_, i) => new MemoryServer({ id: `s${i}` }));
  return new Grid({ servers, inspect });
}

const contents = new TextEncoder().encode('some words');
const state = (page: Page) => page.locator('.connection b').innerText();
const hasState = (page: Page, words: string) =>
  page.locator('.connection b', { hasText: words }).waitFor({ timeout: 30_000 });

/** What a browser says by itself of a connection that fails. */
const ofTheNetwork = /WebSocket connection to|Failed to load resource|net::ERR_/;

test('50,000 records are there for who joins late, and what is shown is their end', async () => {
  const inspector = await createInspector({ page: builtPage });
  const file = await gridOf(inspector).create({ contents });
  for (let i = 0; i < 300; i++) await file.read();
  const { page, complaints } = await openPage(browser, inspector.explorerUrl);
  const session = await page.context().newCDPSession(page);
  // A busy machine does not count here.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const began = performance.now();
  await page.goto('about:blank');
  await page.goto(inspector.url);
  // Nothing is left out: the last record is the end of the last read.
  await page.locator('.where', { hasText: ': read~300 ended' }).waitFor();
  const seconds = (performance.now() - began) / 1000;
  const words = await page.locator('.story p').first().innerText();
  const count = Number(/([\d,]+) records/.exec(words)?.[1]?.replace(/,/g, ''));
  expect(count).toBeGreaterThan(45_000);
  expect(await state(page)).toBe('running');
  expect(await page.locator('.where').innerText()).toBe(
    `Record ${count - 1} of ${count - 1}: read~300 ended`,
  );
  const { metrics } = await session.send('Performance.getMetrics');
  const cpuSeconds = metrics.find(({ name }) => name === 'TaskDuration')?.value;
  const heap = await memoryOf(session);
  const pageMiB = Math.round(heap / 2 ** 20);
  console.log('late joiner:', { records: count, seconds, cpuSeconds, pageMiB });
  expect(complaints).toEqual([]);
  await page.context().close();
  await inspector.close();
});

/** Of the page's script, in bytes, without garbage. */
async function memoryOf(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
}

test('the page says that it waits, that it runs, and that the run is over', async () => {
  const inspector = await createInspector({ page: builtPage });
  const { page, complaints } = await openPage(browser, inspector.url);
  await hasState(page, 'waiting for the first record');
  await (await gridOf(inspector).create({ contents })).read();
  await hasState(page, 'running');
  expect(await audit(page)).toEqual([]);
  await inspector.close();
  await hasState(page, 'over');
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('what is forgotten in the process is said, by records and operations', async () => {
  const inspector = await createInspector({ page: builtPage, keep: 1000 });
  const file = await gridOf(inspector).create({ contents });
  for (let i = 0; i < 10; i++) await file.read();
  const { page, complaints } = await openPage(browser, inspector.url);
  await page
    .getByText(/^[\d,]+ records of \d operations had been forgotten .* keeps at most 1,000\.$/)
    .waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
  await inspector.close();
});

test('a token that is refused is said to be', async () => {
  const inspector = await createInspector({ page: builtPage });
  const { page } = await openPage(browser, `${inspector.url.slice(0, -4)}0000`);
  await hasState(page, 'token refused');
  expect(await audit(page)).toEqual([]);
  await page.context().close();
  await inspector.close();
});

test('a connection that is cut comes back, and a process that is away is looked for', async () => {
  const inspector = await createInspector({ page: builtPage });
  const file = await gridOf(inspector).create({ contents });
  const { page, complaints } = await openPage(browser, inspector.explorerUrl);
  const cuts: (() => void)[] = [];
  let isAway = false;
  await page.routeWebSocket(/127/, (socket) => {
    if (isAway) return void socket.close({ code: 4000 });
    socket.connectToServer();
    cuts.push(() => void socket.close({ code: 4000 }));
  });
  await page.route(/[0-9a-f]{32}$/, (route) =>
    isAway ? route.abort('connectionrefused') : route.continue(),
  );
  await page.goto('about:blank');
  await page.goto(inspector.url);
  await hasState(page, 'running');
  cuts[0]?.();
  await file.read();
  await page.locator('.where', { hasText: ': read ended' }).waitFor();
  const words = await page.locator('.story p').first().innerText();
  isAway = true;
  cuts[1]?.();
  await hasState(page, 'process gone');
  // What it has told stays; nothing is doubled when it is there again.
  expect(await page.locator('.story p').first().innerText()).toBe(words);
  isAway = false;
  await hasState(page, 'running');
  expect(await page.locator('.story p').first().innerText()).toBe(words);
  expect(complaints.filter((text) => !ofTheNetwork.test(text))).toEqual([]);
  await page.context().close();
  await inspector.close();
});

test("a machine that the page does not know, the embedder's own, is drawn", async () => {
  const inspector = await createInspector({ page: builtPage });
  const kettle = createMachine({
    ...{ id: 'kettle', description: 'Boils water.', initial: 'cold' },
    states: {
      cold: { description: 'Nobody wants tea.', on: { HEAT: 'hot' } },
      hot: { initial: 'warm', states: { warm: { on: { BOIL: 'boiling' } }, boiling: {} } },
    },
  });
  const actor = createActor(kettle, { id: 'kettle', inspect: inspector.inspect }).start();
  actor.send({ type: 'HEAT' });
  actor.send({ type: 'BOIL' });
  const { page, complaints } = await openPage(browser, inspector.url);
  const picture = page.locator('.drawing svg[aria-label^="Statechart kettle"]');
  await picture.waitFor();
  expect(await picture.locator('[data-state].active').evaluateAll(statesOf)).toEqual([
    'hot',
    'hot.boiling',
  ]);
  expect(await picture.locator('[data-state]').evaluateAll(statesOf)).toEqual([
    'cold',
    'hot',
    'hot.warm',
    'hot.boiling',
  ]);
  expect(complaints).toEqual([]);
  await page.context().close();
  await inspector.close();
});

const statesOf = (elements: readonly Element[]) =>
  elements.map((element) => element.getAttribute('data-state'));
