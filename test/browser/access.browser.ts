/** The inspector, links that last, and the page without a mouse or without eyes, in Chromium. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { Grid } from '../../src/grid.ts';
import { createInspector } from '../../src/inspector/server.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';
import { audit, builtPage, type WatchedPage } from './browser.ts';
import { done, visits } from './visits.ts';

const { visit, visitUrl } = visits();

async function open(hash = '', options = {}): Promise<WatchedPage> {
  const watched = await visit(hash, options);
  await watched.page.waitForSelector('.drawing svg');
  return watched;
}

const where = (page: Page) => page.locator('.where').innerText();
const stepIs = (page: Page, step: number, of: number) =>
  page.locator('.where', { hasText: `Step ${step} of ${of}` }).waitFor();
const notice = (page: Page) => page.getByRole('alert').innerText();
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: it } = document;
    if (it === document.body) return 'BODY';
    return it?.getAttribute('aria-label') ?? it?.textContent ?? it?.tagName ?? '';
  });
/** As a live region is read. */
const told = async (page: Page) =>
  ((await page.getByRole('status').filter({ hasText: /./ }).first().textContent()) ?? '').trim();
const lines = async (page: Page, selector: string) =>
  (await page.locator(selector).allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());

async function openFile(page: Page, name: string, text: string): Promise<void> {
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open…' }).click();
  const file = { name, mimeType: 'application/json', buffer: Buffer.from(text) };
  await (await choosing).setFiles(file);
}

describe('the context inspector', () => {
  test('says at the decisive step of #2034 what was heard, taken, refused and changed', async () => {
    const watched = await open(
      '#p=2034&at=8&tab=w1/writeFile/servermapUpdate&card=w1/writeFile/servermapUpdate/query:s1',
    );
    const { page } = watched;
    await stepIs(page, 8, 8);
    await page.keyboard.press('i');
    const ours = page.locator('.side').nth(1).locator('.context');
    await ours.locator('.asked').waitFor();
    expect(await ours.getAttribute('aria-label')).toBe(
      'Context of w1/writeFile/servermapUpdate/query:s1, ours',
    );
    const asked = await ours.locator('.asked li').allInnerTexts();
    expect(asked.map((line) => line.replaceAll(/\s+/g, ' '))).toEqual([
      '✓ taken share.judged [isUnjudged] stays',
      '✓ taken by itself [isAllJudged] → weighing',
      '✓ taken by itself [hasGoodShare] → good',
      '2 further alternatives not asked',
    ]);
    // The card is put away: the coordinator is what is looked at.
    await page.locator('.side').nth(1).locator('.card button[aria-pressed=true]').click();
    await page
      .getByRole('region', { name: 'Context of w1/writeFile/servermapUpdate' })
      .nth(1)
      .waitFor();
    expect(await lines(page, '.side:nth-child(2) .asked li')).toEqual([
      '⊘ refused server.settled [isLastVerification] → collecting › awaiting: isLastVerification was false',
      '✓ taken server.settled [isOpen] stays',
    ]);
    expect(await lines(page, '.side:nth-child(2) .fields .changed')).toEqual([
      's1: good ≠ changed, was verifying',
    ]);
    expect(await audit(page)).toEqual([]);
    await done(watched);
  });

  test('in a file: the failure of a server, and what is known where the chart is not', async () => {
    const watched = await open();
    const { page } = watched;
    const about = { at: 0, step: 0 };
    const actor = 'get/serverQuery';
    const records = [
      { kind: 'header', format: 'tahoe-mutable-trace 2', about: { run: 'real' } },
      { kind: 'actor', actor, chart: 'serverQuery', parent: null, input: null },
      {
        ...{ kind: 'step', actor, chart: 'serverQuery', event: 'xstate.init', state: 'querying' },
        ...{ transitions: [], context: { server: 's1', shnums: [], failure: null, judged: {} } },
      },
      {
        ...{ kind: 'event', actor, source: actor, data: {} },
        type: 'xstate.after.queryDeadline.serverQuery.querying',
      },
      {
        ...{ kind: 'step', actor, chart: 'serverQuery', state: 'failed' },
        event: 'xstate.after.queryDeadline.serverQuery.querying',
        transitions: [
          {
            ...{ source: 'querying', index: 0, target: 'failed' },
            event: 'xstate.after.queryDeadline.serverQuery.querying',
          },
        ],
        context: {
          ...{ server: 's1', shnums: [], judged: {} },
          failure: { kind: 'timeout', detail: 'no answer to the query' },
        },
      },
    ].map((record, seq) => JSON.stringify({ ...record, ...about, seq }));
    await openFile(page, 'a.jsonl', records.join('\n'));
    await page.getByText('Recorded: a.jsonl').waitFor();
    await page.keyboard.press('End');
    await page.getByText('timeout: no answer to the query').waitFor();
    expect(await lines(page, '.asked li')).toEqual(['✓ taken after queryDeadline → failed']);
    expect(await lines(page, '.fields > .changed')).toEqual([
      'failure (2) ≠ changed, was null kind: timeout detail: no answer to the query',
    ]);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.getByText('timeout: no answer to the query').count()).toBe(0);
    expect(await audit(page)).toEqual([]);
    await page.goBack();
    await stepIs(page, 8, 8);
    await page.goForward();
    await page.getByText('Recorded: a.jsonl').waitFor();
    await done(watched);
  });

  test('live', async () => {
    const live = await createInspector({ page: builtPage });
    const servers = [0, 1, 2].map((i) => new MemoryServer({ id: `s${i}` }));
    const encoding = { required: 1, happy: 2, total: 3 };
    const grid = new Grid({ servers, encoding, inspect: live.inspect });
    const watched = await visitUrl(live.url);
    const { page } = watched;
    await grid.create({ contents: new TextEncoder().encode('first') });
    await page.locator('.context .moves').first().waitFor();
    await page.getByRole('button', { name: 'Copy as JSON' }).waitFor();
    expect(await page.locator('.context .fields > li').count()).toBeGreaterThan(2);
    expect(await audit(page)).toEqual([]);
    await live.close();
    await done(watched);
  });
});

describe('links', () => {
  test.each([
    ['#v=2&p=nothing-of-that-name', /There is no scene “nothing-of-that-name” here/, 8],
    ['#v=2&p=2034&at=99', /The link names step 99; the run has 8\./, 8],
    ['#p=2034&c=0.0.777.1', /^Choice 777 is not possible at step 3;/, 2],
    [
      '#v=2&p=2034&s=start.w1,d.w1.s9.list,d.w1.s0.list',
      /“deliver w1 s9 list” is not possible at step 2;/,
      1,
    ],
    ['#w=eyJ', /The scene in the link is damaged/, 8],
    [
      '#v=2&p=2034&tab=w9/readFile',
      /The link names “w9\/readFile”, which this run does not have/,
      8,
    ],
  ])('%s says what is wrong, and shows the rest', async (hash, words, steps) => {
    const watched = await open(hash);
    const { page } = watched;
    await page.getByRole('alert').waitFor();
    expect(await notice(page)).toMatch(words);
    expect(await where(page)).toMatch(new RegExp(`of ${steps}`));
    await done(watched);
  });

  test('Back and Forward go through scenes and branches; a reload keeps the branches', async () => {
    const watched = await open('#p=two-writers');
    const { page } = watched;
    await stepIs(page, 1, 1);
    await page.getByRole('button', { name: 'deliver w1 → s0 list' }).click();
    await stepIs(page, 2, 2);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('button', { name: 'start w2' }).click();
    await page.locator('.where', { hasText: 'Step 2 of 2: start w2' }).waitFor();
    await page.locator('.card button').first().click();
    expect(new URL(page.url()).hash).toMatch(
      /^#v=2&p=two-writers&s=start\.w1,start\.w2&card=w\d\/writeFile\/servermapUpdate\/query:s0$/,
    );
    await page.reload();
    const names = page.getByRole('list', { name: 'Branches' }).getByRole('button');
    await names.nth(1).waitFor();
    expect(await names.allInnerTexts()).toEqual(['first run', 'branch 2, off at step 1']);
    expect(await names.nth(1).getAttribute('aria-current')).toBe('true');
    expect(await page.locator('.card button[aria-pressed=true]').count()).toBe(1);
    await page.goBack();
    await page.locator('.where', { hasText: 'Step 1 of 2' }).waitFor();
    expect(await names.nth(0).getAttribute('aria-current')).toBe('true');
    await page.goForward();
    await page.locator('.where', { hasText: 'Step 2 of 2: start w2' }).waitFor();
    await page.getByRole('combobox', { name: 'Scene' }).selectOption('corrupt');
    await stepIs(page, 8, 8);
    await page.goBack();
    await page.locator('.where', { hasText: 'Step 2 of 2: start w2' }).waitFor();
    expect(await names.allInnerTexts()).toEqual(['first run', 'branch 2, off at step 1']);
    await done(watched);
  });

  test('a saved run that cannot be followed says where, and keeps what could be done', async () => {
    const watched = await open();
    const { page } = watched;
    const { scene, labels } = presets.find(({ id }) => id === 'corrupt') as Preset;
    const choices = [...labels.slice(0, 3), 'deliver w1 s7 list'];
    const run = { format: 'tahoe-mutable-run 1', title: 'x', scene, choices };
    await openFile(page, 'run.json', JSON.stringify(run));
    await stepIs(page, 3, 3);
    expect(await notice(page)).toBe(
      '“deliver w1 s7 list” is not possible at step 4; what was before it is shown.',
    );
    await openFile(page, 'bad.json', JSON.stringify({ ...run, scene: { sides: [] } }));
    await page.getByText('bad.json could not be opened: a scene has one side').waitFor();
    await stepIs(page, 3, 3);
    await done(watched);
  });
});

describe('without a mouse, and without eyes', () => {
  test('the whole story of #2034 by Tab, Enter and digits; the focus is never lost', async () => {
    const watched = await open();
    const { page } = watched;
    const tabTo = async (isThere: (name: string) => boolean) => {
      for (let i = 0; i < 80; i++) {
        if (isThere(await focused(page))) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`not to be reached by Tab; at ${await focused(page)}`);
    };
    await tabTo((name) => name.includes('Ticket #2034'));
    await page.keyboard.press('ArrowDown');
    await page.locator('.where', { hasText: 'Step 0 of 0' }).waitFor();
    expect(await told(page)).toBe('Step 0 of 0: the beginning. Your turn: start w1.');
    await tabTo((name) => name === 'start w1');
    await page.keyboard.press('Enter');
    await stepIs(page, 1, 1);
    expect(await told(page)).toBe(
      'Step 1 of 1: start w1. Your turn: 5 messages to deliver, the first is “w1 s0 list”.',
    );
    // “start w1” is gone: a message has the focus, so that Enter lets no time pass.
    expect(await focused(page)).toMatch(/^1deliver w1 → s0/);
    for (let step = 2; step <= 8; step++) {
      await page.keyboard.press('Enter');
      await stepIs(page, step, step);
      // The next message is in its place, and under the hands.
      expect(await focused(page)).toMatch(/^1deliver /);
    }
    expect(await told(page)).toMatch(
      /^Step 8 of 8: deliver w1 s1 read sh1 head\. Tahoe’s rule \(#2034\): U1 is violated: done while the shares of s4 are being verified\. .*Your turn: 3 messages to deliver/,
    );
    await page.keyboard.press('v');
    await page.keyboard.press('r');
    await page.locator('.where', { hasText: /Step (\d\d) of \1/ }).waitFor();
    expect(await told(page)).toMatch(/w1 ended\. Nothing is left to happen\.$/);
    expect(await focused(page)).not.toBe('BODY');
    await done(watched);
  });

  test('the last message, and a fate in the middle, leave the focus in their place', async () => {
    const watched = await open('#p=thirteen');
    const { page } = watched;
    await stepIs(page, 1, 1);
    // Faults are offered on request in a scene that has none.
    await page.getByLabel('faults', { exact: true }).check();
    const drops = page.getByRole('button', { name: /^drop / });
    const before = await drops.count();
    await drops.nth(2).focus();
    await page.keyboard.press('Enter');
    await stepIs(page, 2, 2);
    expect(await drops.count()).toBe(before - 1);
    // Another Enter delivers; it drops nothing.
    expect(await focused(page)).toMatch(/^3deliver /);
    await drops.last().focus();
    await page.keyboard.press('Enter');
    await stepIs(page, 3, 3);
    expect(await focused(page)).toMatch(/^deliver /);
    await page.getByRole('button', { name: 'Run to end' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.operations', { hasText: /ended/ }).waitFor();
    expect(await focused(page)).toMatch(/^Run to end/);
    await done(watched);
  });

  test('while a run is played, only news is told', async () => {
    const watched = await open('#p=2034&at=5');
    const { page } = watched;
    await page.locator('.where', { hasText: 'Step 5 of 8' }).waitFor();
    await page.evaluate(() => {
      const region = document.querySelector('[role=status]#announcer') as HTMLElement;
      const heard: string[] = [];
      Object.assign(globalThis, { heard });
      new MutationObserver(() => heard.push(region.textContent ?? '')).observe(region, {
        ...{ childList: true, characterData: true, subtree: true },
      });
    });
    await page.getByRole('button', { name: 'Play' }).click();
    await page.getByRole('button', { name: 'Play' }).waitFor();
    const heard = await page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
    expect(heard.filter((words) => /Step [67] of/.test(words))).toEqual([]);
    expect(heard.some((words) => words.includes('U1 is violated'))).toBe(true);
    await done(watched);
  });
});

describe('for other eyes', () => {
  test.each([
    ['forced colours, light', { forcedColors: 'active', colorScheme: 'light' }],
    ['forced colours, dark', { forcedColors: 'active', colorScheme: 'dark' }],
    ['more contrast, light', { contrast: 'more', colorScheme: 'light' }],
    ['more contrast, dark', { contrast: 'more', colorScheme: 'dark' }],
  ] as const)('%s: axe is content, with the inspector open', async (_, options) => {
    const watched = await open('#p=2034', options);
    const { page } = watched;
    await stepIs(page, 8, 8);
    await page.keyboard.press('i');
    await page.locator('.context .asked').first().waitFor();
    expect(await audit(page)).toEqual([]);
    if ('contrast' in options) {
      // Words that are grey otherwise are as dark as any.
      const ratio = await page.evaluate(() => {
        const [ink, faint] = ['body', '.count'].map(
          (it) => getComputedStyle(document.querySelector(it) as Element).color,
        );
        return ink === faint;
      });
      expect(ratio).toBe(true);
    }
    await done(watched);
  });

  test('with less motion nothing moves by itself', async () => {
    const watched = await open('#p=2034', { reducedMotion: 'reduce' });
    const { page } = watched;
    await stepIs(page, 8, 8);
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll('*')]
        .filter((element) => {
          const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
          const isTimed = transitionDuration.split(',').some((time) => Number.parseFloat(time) > 0);
          return isTimed || animationName !== 'none' || scrollBehavior === 'smooth';
        })
        .map((element) => element.className),
    );
    expect(moving).toEqual([]);
    await done(watched);
  });
});
