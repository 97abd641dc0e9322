/** The built page in Chromium: `npm run test:browser`. */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { Grid } from '../../src/grid.ts';
import { createInspector } from '../../src/inspector/server.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { Session } from '../../visualizer/src/engine/session.ts';
import { writeLink } from '../../visualizer/src/model/link.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';
import { holdsKey } from '../support/keys-in.ts';
import { audit, builtPage, type WatchedPage } from './browser.ts';
import { done, visits } from './visits.ts';

const { visit, visitUrl } = visits();

async function open(hash = '', options = {}): Promise<WatchedPage> {
  const watched = await visit(hash, options);
  // Charts are drawn by a worker; the last thing to come.
  await watched.page.waitForSelector('.lanes');
  return watched;
}

const where = (page: Page) => page.locator('.where').innerText();
const isIdle = (page: Page) => page.waitForSelector('.flight[aria-busy="false"]');

async function violated(page: Page): Promise<string[]> {
  const rows = page.locator('.properties tbody tr').filter({ hasText: 'violated' });
  return (await rows.locator('th b').allInnerTexts()).sort();
}

/** Made from test/scenarios/ when the page was built. */
const scenarios: readonly Preset[] = JSON.parse(
  readFileSync(join(builtPage, 'scenarios.json'), 'utf8'),
);

async function hasEnded(page: Page, { ends, labels }: Preset): Promise<void> {
  const expected = [...new Set(ends.flatMap((end) => end.violated))].sort();
  expect(await violated(page)).toEqual(expected);
  // A scene is opened where it goes wrong.
  await page.keyboard.press('End');
  const words = await page.locator('.operations').innerText();
  for (const end of ends.flatMap(({ operations }) => operations)) {
    expect(words).toContain(end.split(' ')[1]);
  }
  expect(Number(await page.getByRole('slider').getAttribute('max'))).toBeGreaterThanOrEqual(
    labels.length,
  );
}

test('no key is in the page', () => {
  const files = readdirSync(builtPage, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => holdsKey(readFileSync(file, 'latin1')))).toEqual([]);
});

describe('presets', () => {
  test.each(presets.map((preset) => [preset.id, preset] as const))(
    '%s loads, and ends as it says',
    async (id, preset) => {
      const watched = await open(`#p=${id}`);
      const { page } = watched;
      await page.waitForFunction(
        (count) =>
          document.querySelector('input[type=range]')?.getAttribute('max') === String(count),
        preset.labels.length,
      );
      await isIdle(page);
      await page.getByRole('button', { name: 'Run to end' }).click();
      await page.waitForFunction(
        () => !document.querySelector('.operations')?.textContent?.includes('running'),
      );
      await isIdle(page);
      await hasEnded(page, preset);
      await done(watched);
    },
  );

  test('every scenario loads, and ends as its file says', async () => {
    expect(scenarios.length).toBeGreaterThan(20);
    const watched = await open('#p=crashes');
    const { page } = watched;
    const choose = page.getByRole('combobox', { name: 'Scene' });
    for (const preset of scenarios) {
      await choose.selectOption(preset.id);
      await page.waitForFunction(
        ([id, count]) =>
          new URLSearchParams(location.hash.slice(1)).get('p') === id &&
          Number(document.querySelector('input[type=range]')?.getAttribute('max')) >= count,
        [preset.id, preset.labels.length] as const,
      );
      await isIdle(page);
      await hasEnded(page, preset);
    }
    await done(watched);
  }, 180_000);

  test('rivals of one seqnum are told apart on the servers', async () => {
    const watched = await open('#p=scenario-L2-rival-and-a-server-down');
    const { page } = watched;
    await isIdle(page);
    await page.getByRole('button', { name: 'Run to end' }).click();
    await isIdle(page);
    const held = page.locator('.panel.grid tbody td:nth-child(2)');
    expect(await held.allInnerTexts()).toEqual(['sh0 v2b', 'sh1 v2', 'sh1 v2b']);
    await done(watched);
  });

  test('a modify with a collision is one tree: one root, and all it invoked below it', async () => {
    const watched = await open('#p=scenario-F2-collision');
    const { page } = watched;
    await isIdle(page);
    await page.keyboard.press('End');
    const tree = page.getByRole('list', { name: 'Operations, and what they have invoked' });
    await tree.getByRole('button', { name: 'w1 writeFile ✓' }).click();
    const branchesOf = (list: Locator): Promise<unknown[]> =>
      list.locator(':scope > li').evaluateAll((items) => {
        const branchOf = (item: Element): unknown => {
          const name = item.querySelector(':scope > button')?.textContent;
          const below = [...item.querySelectorAll(':scope > ul > li')].map(branchOf);
          return below.length === 0 ? name : [name, ...below];
        };
        return items.map(branchOf);
      });
    expect(await branchesOf(tree)).toEqual([
      [
        'w1 writeFile ✓',
        'servermapUpdate ✓',
        ['readVersion ✓', 'retrieve ✓'],
        'publish ✓',
        'servermapUpdate~2 ✓',
        ['readVersion~2 ✓', 'retrieve ✓'],
        'publish~2 ✓',
      ],
      'w2 writeFile ✓',
      'r1 readFile ✓',
    ]);
    await done(watched);
  });

  test('#2034: violated under the old rule, not under ours, and the page says where', async () => {
    const watched = await open();
    const { page } = watched;
    await page.getByRole('button', { name: /The two runs part at step 8/ }).waitFor();
    const row = page.locator('.properties tbody tr').filter({ hasText: 'U1' }).first();
    expect(await row.locator('td').allInnerTexts()).toEqual(['✗ violated at 8', '✓ holds']);
    await page.keyboard.press('Home');
    expect(await where(page)).toMatch(/^Step 0 of 8/);
    await page.getByRole('button', { name: /U1 violated at step 8: done while/ }).click();
    expect(await where(page)).toBe('Step 8 of 8: deliver w1 s1 read sh1 head');
    expect(await page.locator('.side').nth(1).locator('.state-word').innerText()).toBe(
      'collecting › verifying',
    );
    await done(watched);
  });
});

describe('a run', () => {
  test('is acted on, forked in the past, scrubbed, and is the same from its link', async () => {
    const watched = await open('#p=two-writers');
    const { page } = watched;
    await page.getByRole('button', { name: 'deliver w1 → s0 list' }).click();
    await page.getByText('Step 2 of 2').first().waitFor();
    await page.getByRole('button', { name: 'deliver w1 → s1 list' }).click();
    await page.getByText('Step 3 of 3').first().waitFor();
    await page.getByRole('slider', { name: 'Step' }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(await where(page)).toBe('Step 1 of 3: start w1');
    await page.getByRole('button', { name: 'start w2' }).click();
    await page.getByText('Step 2 of 2: start w2').first().waitFor();
    const branches = page.getByRole('list', { name: 'Branches' }).getByRole('button');
    expect(await branches.allInnerTexts()).toEqual(['first run', 'branch 2, off at step 1']);
    await page.waitForSelector('.drawing svg');
    const text = await page.locator('main').innerText();
    const link = page.url();
    expect(link).toMatch(/#v=2&p=two-writers&s=start\.w1,start\.w2$/);
    await branches.first().click();
    expect(await where(page)).toMatch(/of 3/);
    await done(watched);

    const again = await open(link.slice(link.indexOf('#')));
    await again.page.getByText('Step 2 of 2: start w2').first().waitFor();
    await again.page.waitForSelector('.drawing svg');
    const withoutBranches = text.replace(/first run\s+branch 2, off at step 1\s+/, '');
    expect(await again.page.locator('main').innerText()).toBe(withoutBranches);
    await done(again);
  });

  test('is saved as its choices and loaded again', async () => {
    const watched = await open('#p=corrupt');
    const { page } = watched;
    await page
      .getByText(/Step 8 of 8/)
      .first()
      .waitFor();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const path = await (await downloading).path();
    const saved = JSON.parse(await readFile(path, 'utf8'));
    expect(saved.choices.at(-1)).toBe('garble w1 s1 read sh1 head');
    await page.getByRole('combobox', { name: 'Scene' }).selectOption('thirteen');
    await page.getByText('Step 1 of 1: start w1').first().waitFor();
    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Open…' }).click();
    await (await choosing).setFiles({
      ...{ name: 'run.json', mimeType: 'application/json' },
      buffer: Buffer.from(JSON.stringify(saved)),
    });
    await page.getByText('Step 8 of 8: garble w1 s1 read sh1 head').first().waitFor();
    await done(watched);
  });

  test('says what is wrong with a file that is neither a run nor a trace', async () => {
    const watched = await open();
    const { page } = watched;
    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Open…' }).click();
    const file = { name: 'a.json', mimeType: 'application/json', buffer: Buffer.from('[1]') };
    await (await choosing).setFiles(file);
    expect(await page.getByRole('alert').innerText()).toContain('a.json is neither');
    await done(watched);
  });

  test('fails by hand under the old rule, by keyboard alone', async () => {
    const watched = await open('#p=2034-by-hand');
    const { page } = watched;
    const press = async (key: string, step: number) => {
      await page.keyboard.press(key);
      await page.getByText(`Step ${step} of ${step}`).first().waitFor();
    };
    await page.getByRole('button', { name: 'start w1' }).focus();
    await press('Enter', 1);
    // Five answers to `list`, always the first in the list; reads come behind them.
    for (let step = 2; step <= 6; step++) await press('1', step);
    await press('1', 7);
    await press('1', 8);
    expect(await violated(page)).toContain('U1');
    await page.keyboard.press('Home');
    await page.keyboard.press('v');
    expect(await where(page)).toMatch(/^Step 8 of 8/);
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('letters and digits are keys').click();
    await page.keyboard.press('Escape');
    await page.keyboard.press('1');
    expect(await where(page)).toMatch(/^Step 8 of 8/);
    await done(watched);
  });
});

describe('for everybody', () => {
  test.each([
    ['light', 1440, ''],
    ['dark', 1440, ''],
    ['light', 390, ''],
    ['dark', 390, ''],
    ['light', 1440, '#p=scenario-2034-thirteen&at=20'],
    ['dark', 390, '#p=scenario-2034-thirteen&at=20'],
  ] as const)(
    '%s at %i px %s: WCAG 2.2 AA, no clipped words, nothing wider than the page',
    async (colorScheme, width, hash) => {
      const size = { width, height: width === 390 ? 844 : 900 };
      const watched = await open(hash, { colorScheme, viewport: size });
      const { page } = watched;
      await page.getByRole('button', { name: /The two runs part/ }).waitFor();
      await page.waitForSelector('.drawing svg');
      expect(await audit(page)).toEqual([]);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(wider).toBeLessThanOrEqual(0);
      const clipped = await page.evaluate(() =>
        [...document.querySelectorAll('button, h1, h2, .tag, .word')]
          .filter(
            (element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0,
          )
          .map((element) => element.textContent),
      );
      expect(clipped).toEqual([]);
      await done(watched);
    },
  );

  test('the chart is a list too, with what is active', async () => {
    const watched = await open('#p=thirteen');
    const { page } = watched;
    await page.getByText('servermapUpdate as a list').click();
    const active = page.locator('details strong');
    expect(await active.allInnerTexts()).toEqual(['collecting (active)', 'awaiting (active)']);
    const label = await page.locator('.drawing svg').getAttribute('aria-label');
    expect(label).toBe(
      'Statechart servermapUpdate; w1/writeFile/servermapUpdate is in collecting.awaiting',
    );
    await done(watched);
  });
});

test('the first load has less than 60 KB of script, and no layout engine', async () => {
  const watched = await open();
  await watched.page.waitForSelector('.drawing svg');
  const names = watched.requests.map((url) => new URL(url).pathname.slice(1));
  const scripts = names.filter((name) => name.endsWith('.js'));
  expect(scripts.filter((name) => name.includes('elk'))).toEqual([]);
  const sizes = await Promise.all(
    [...new Set(scripts)].map(async (name) => {
      const bytes = gzipSync(await readFile(join(builtPage, name)), { level: 9 }).length;
      return [name, bytes] as const;
    }),
  );
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  console.log('first load, gzipped:', Object.fromEntries(sizes), total);
  expect(total).toBeLessThan(60_000);
  await done(watched);
});

describe('live', () => {
  test('a run of 13 servers in Node is shown as it happens, and whole to who joins late', async () => {
    const live = await createInspector({ page: builtPage });
    const servers = Array.from({ length: 13 }, (_, i) => new MemoryServer({ id: `s${i}` }));
    const grid = new Grid({ servers, inspect: live.inspect });
    const watched = await visitUrl(live.url);
    const { page } = watched;
    const file = await grid.create({ contents: new TextEncoder().encode('first') });
    await page.getByText(/^Live: a run in Node/).waitFor();
    await file.read();
    await page.locator('.actor-tree button', { hasText: 'retrieve ✓' }).waitFor();
    const words = await page.locator('.story p').first().innerText();
    expect(await audit(page)).toEqual([]);
    const late = await visitUrl(live.url);
    await late.page.getByText(words).waitFor();
    await page.keyboard.press('Home');
    expect(await where(page)).toMatch(/^Record 0 of/);
    await live.close();
    await done(watched);
    await done(late);
  });
});

describe('size', () => {
  const count = process.env.FIGURES === undefined ? 20 : 100;

  /** What the slider, and the key of one step back, take until the page is drawn, in ms. */
  const latencies = (page: Page) =>
    page.evaluate(async (count) => {
      const times = async (act: (i: number) => void) => {
        const found: number[] = [];
        for (let i = 0; i < count; i++) {
          const start = performance.now();
          act(i);
          await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
          found.push(performance.now() - start);
        }
        const at = (share: number) => found.sort((a, b) => a - b)[Math.floor(count * share)];
        return { p50: at(0.5) as number, p95: at(0.95) as number };
      };
      const input = document.querySelector('input[type=range]') as HTMLInputElement;
      const scrub = await times((i) => {
        input.value = String(Math.floor((Number(input.max) * ((i * 7) % 20)) / 20));
        input.dispatchEvent(new InputEvent('input', { bubbles: true }));
      });
      const press = (key: string) =>
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
      press('End');
      const key = await times(() => press('ArrowLeft'));
      return { scrub, key };
    }, count);

  test('255 servers', async () => {
    const servers = Array.from({ length: 255 }, (_, i) => (i < 10 ? { shares: [i] } : {}));
    const encoding = { required: 3, happy: 7, total: 10 };
    const operations = [{ name: 'w1', task: { kind: 'map', mode: 'check' } }] as const;
    const options = { servers, encoding, operations, faults: ['drop', 'crash'] } as const;
    const scene = { sides: [{ title: 'This engine', short: 'holds', options }] };
    const started = performance.now();
    const link = writeLink({ scene, steps: ['start w1'] });
    const watched = await open(link);
    const { page } = watched;
    await page.getByText('Step 1 of 1').first().waitFor();
    const opened = performance.now() - started;
    expect(await page.locator('.card').count()).toBe(255);
    await page.getByRole('button', { name: 'Run to end' }).click();
    await page.getByText(/w1 map: ended/).waitFor({ timeout: 50_000 });
    const ended = performance.now() - started - opened;
    const { scrub, key } = await latencies(page);
    console.log('255 servers, ms:', { opened, ended, scrub, key });
    expect(Math.max(scrub.p50, key.p50)).toBeLessThan(400);
    await done(watched);
  });

  test('a trace of 20,000 records, opened by drop', async () => {
    const { scene } = presets.find(({ id }) => id === 'thirteen') as Preset;
    const session = await Session.begin(scene);
    await session.finish();
    const run = session.frames.flatMap(({ sides }) => sides[0]?.records ?? []);
    const about = { run: 'real', began: '2026-11-27T18:00:00.000Z', version: '1.0.0' };
    const lines = [JSON.stringify({ ...run[0], about })];
    for (let n = 0; lines.length < 20_000; n++) {
      for (const record of run) {
        if (record.kind === 'header' || record.kind === 'choice') continue;
        const numbered = { ...record, seq: lines.length };
        lines.push(JSON.stringify(numbered).replaceAll('"w1', `"w${n}`));
      }
    }
    const watched = await open();
    const { page } = watched;
    const started = performance.now();
    await page.evaluate((text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text], 'run.jsonl'));
      dispatchEvent(new DragEvent('drop', { dataTransfer }));
    }, lines.slice(0, 20_000).join('\n'));
    await page.getByText('Recorded: run.jsonl, 20,000 records').waitFor();
    const opened = performance.now() - started;
    const { scrub, key } = await latencies(page);
    console.log('20,000 records, ms:', { opened, scrub, key });
    expect(Math.max(scrub.p50, key.p50)).toBeLessThan(400);
    await done(watched);
  });
});
