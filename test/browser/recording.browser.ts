/** Recordings in Chromium: the tree, search and filters, lanes in milliseconds, reasons, files. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { lostReason, madeRun, traceText } from '../support/made-run.ts';
import { audit, drop, type WatchedPage } from './browser.ts';
import { done, visits } from './visits.ts';

const { visit } = visits();

const badDay = traceText(
  madeRun({ operations: 12, servers: 7, lost: 3, silent: 5, failing: 4, isAtOnce: true }),
);

async function open(text: string, options = {}): Promise<WatchedPage> {
  const watched = await visit('', options);
  await watched.page.waitForSelector('.lanes');
  await drop(watched.page, text);
  await tree(watched.page).waitFor();
  return watched;
}

const tree = (page: Page) => page.getByRole('tree', { name: /^Operations/ });
const rowOf = (page: Page, name: string) =>
  tree(page)
    .getByRole('treeitem')
    .filter({ hasText: new RegExp(`${name}(?!\\d)`) });
const about = (page: Page, name: string) => page.getByRole('region', { name: `About ${name}` });
const laneNames = (page: Page) => page.locator('.lanes .lane text').allTextContents();
const where = (page: Page) => page.locator('.where').innerText();
const textsOf = async (list: Locator) =>
  (await list.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());

describe('a recording', () => {
  test('leads from a failed operation to the server and the reason', async () => {
    const watched = await open(badDay);
    const { page } = watched;
    await rowOf(page, 'read~5').click();
    expect(await textsOf(about(page, 'read~5').locator('.error-text'))).toEqual([
      'NotEnoughSharesError: not enough shares of the newest version: 2 of 3',
    ]);
    const troubles = page.getByRole('list', { name: 'What went wrong, by server' });
    expect(await textsOf(troubles.locator(':scope > li'))).toEqual([
      `box-3 ✗ list lost at 18 ms ${lostReason} ✗ servermapUpdate query failed at 18 ms`,
      'box-5 ✗ servermapUpdate query failed at 2,015 ms timeout: no answer within 2000 ms',
      'The operation ✗ readFile undeliverable at 2,017 ms',
    ]);
    await troubles.getByRole('button', { name: 'query failed at 2,015 ms' }).click();
    expect(await where(page)).toContain('query:box-5 → failed');
    await page.locator('figcaption', { hasText: 'query:box-5' }).waitFor();
    expect(await page.locator('.deadline title').allTextContents()).toEqual([
      'read~5/readFile/servermapUpdate/query:box-5: the deadline of querying, 2,000 ms',
    ]);
    await done(watched);
  });

  test('is searched and filtered, and the lanes with it', async () => {
    const watched = await open(badDay);
    const { page } = watched;
    const count = page.locator('.recorded h2 output');
    expect(await count.innerText()).toBe('12 operations');
    await page.keyboard.press('/');
    await page.keyboard.type('notenoughshares');
    expect(await count.innerText()).toBe('1 of 12 operations');
    expect(await page.locator('.bar[data-is-whole]').count()).toBe(1);
    await page.getByRole('searchbox').fill('econnrefused read~7');
    await page.keyboard.press('Enter');
    await page.getByText('hit 1 of 2').waitFor();
    expect(await where(page)).toContain('read~7 box-3 list: answer lost');
    await page.getByRole('button', { name: 'Next hit' }).click();
    await page.getByText('hit 2 of 2').waitFor();
    await page.getByRole('searchbox').fill('');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('combobox', { name: 'Server' }).selectOption('box-5');
    expect(await laneNames(page)).toEqual(['operations', ...Array(7).fill(''), 'box-5']);
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('failed');
    expect(await count.innerText()).toBe('1 of 12 operations');
    await done(watched);
  });

  test('is walked by keys alone', async () => {
    const watched = await open(badDay);
    const { page } = watched;
    await tree(page).focus();
    for (const key of ['End', 'ArrowUp', 'ArrowRight', 'ArrowDown', 'ArrowRight', 'ArrowDown']) {
      await page.keyboard.press(key);
    }
    const active = await tree(page).getAttribute('aria-activedescendant');
    expect(await textsOf(page.locator(`#${active}`))).toEqual([
      '▸ servermapUpdate ✓ done 2,001 ms',
    ]);
    await page.keyboard.press('Enter');
    expect(await page.locator(`#${active}`).getAttribute('aria-selected')).toBe('true');
    expect((await laneNames(page)).slice(0, 3)).toEqual(['read~11', 'readFile', 'servermapUpdate']);
    await page.getByRole('slider').focus();
    const ticks = () => page.locator('.time-tick').first().textContent();
    const before = await ticks();
    await page.locator('.lanes').focus();
    await page.keyboard.press('w');
    await page.keyboard.press('d');
    expect(await ticks()).not.toBe(before);
    await done(watched);
  });

  test('has words that no arrow goes through: they are drawn after all arrows', async () => {
    const watched = await open(badDay);
    const { page } = watched;
    await rowOf(page, 'read~5').click();
    const order = await page
      .locator('.lanes svg > g, .lanes svg > text')
      .evaluateAll((all) =>
        all.map((it) => (it.classList.contains('arrow') ? 'arrow' : it.tagName)),
      );
    expect(order).toContain('arrow');
    expect(order.lastIndexOf('arrow')).toBeLessThan(order.indexOf('text'));
    await done(watched);
  });

  test('of 300 operations is as quick, and has only the rows in view', async () => {
    const watched = await open(traceText(madeRun({ operations: 300, servers: 13, lost: 3 })));
    const { page } = watched;
    expect(await tree(page).getByRole('treeitem').count()).toBeLessThan(60);
    await tree(page).focus();
    const took = await page.evaluate(async () => {
      const element = document.querySelector('[role=tree]') as HTMLElement;
      const times: number[] = [];
      for (const key of ['End', 'Enter', 'Home', 'Enter', 'PageDown', 'Enter', 'End', 'Enter']) {
        const begin = performance.now();
        element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        times.push(performance.now() - begin);
      }
      return times.sort((a, b) => a - b)[4];
    });
    console.log('300 operations, 30,000 records: a key, ms:', took);
    await rowOf(page, 'read~300').waitFor();
    await done(watched);
  });
});

describe('a file', () => {
  test('is saved as it was opened', async () => {
    const watched = await open(badDay);
    const { page } = watched;
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save' }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe('run.jsonl');
    expect(await readFile(await download.path(), 'utf8')).toBe(badDay);
    await done(watched);
  });

  test('whose last line is cut off opens, with a note; others say what is wrong', async () => {
    const watched = await open(badDay.slice(0, -40));
    const { page } = watched;
    const notice = page.locator('.notice');
    expect(await notice.innerText()).toMatch(
      /^run\.jsonl: line 686, the last one, is cut off. All before it is shown\.$/,
    );
    await drop(page, badDay.replace('trace 2', 'trace 1'), 'old.jsonl');
    await page
      .getByText(/^old\.jsonl is neither .*"tahoe-mutable-trace 1".* Record the run again/)
      .waitFor();
    await drop(page, badDay.slice(badDay.indexOf('\n') + 1), 'older.jsonl');
    await page
      .getByText(/^older\.jsonl is neither .*there is no header.* Record the run again/)
      .waitFor();
    await drop(page, badDay.replace('"event":"lost"', '"event":lost'), 'broken.jsonl');
    await page.getByText(/^broken\.jsonl is neither .*line \d+: is no JSON\.$/).waitFor();
    await done(watched);
  });
});

describe('a file with nothing to show', () => {
  test('is refused in words, and what is shown stays', async () => {
    const watched = await open(badDay);
    const { page } = watched;
    for (const [name, content, words] of [
      ['empty.jsonl', '', 'empty.jsonl is empty.'],
      ['run.jsonl.gz', gzipSync(badDay), 'run.jsonl.gz is compressed (gzip).'],
      ['utf16.jsonl', Buffer.from(badDay, 'utf16le'), 'utf16.jsonl is not UTF-8.'],
      [
        'cut.jsonl',
        badDay.slice(0, 20),
        'cut.jsonl: line 1, the last one, is cut off. There is nothing to show.',
      ],
    ] as const) {
      await drop(page, content, name);
      await page.getByText(words, { exact: true }).waitFor();
      expect(await page.locator('.recorded h2 output').innerText()).toBe('12 operations');
    }
    await done(watched);
  });
});

describe('for everybody', () => {
  test.each([
    [1440, 900, { colorScheme: 'light' }],
    [1440, 900, { colorScheme: 'dark' }],
    [720, 450, { forcedColors: 'active' }],
    [390, 844, {}],
  ] as const)('%i × %i, %j: axe finds nothing', async (width, height, options) => {
    const watched = await open(badDay, { viewport: { width, height }, ...options });
    const { page } = watched;
    await rowOf(page, 'read~5').click();
    await about(page, 'read~5').waitFor();
    expect(await audit(page)).toEqual([]);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wider).toBeLessThanOrEqual(0);
    await done(watched);
  });
});
