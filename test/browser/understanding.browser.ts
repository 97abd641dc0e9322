/** What somebody who has never heard of #2034 is shown of it, in Chromium. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { Session } from '../../visualizer/src/engine/session.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';
import type { WatchedPage } from './browser.ts';
import { done, visits } from './visits.ts';

const { visit } = visits();

async function open(hash = ''): Promise<WatchedPage> {
  const watched = await visit(hash);
  await watched.page.locator('.drawing svg').nth(1).waitFor();
  return watched;
}

const isIdle = (page: Page) => page.waitForSelector('.flight[aria-busy="false"]');
const isAt = (page: Page, step: number) =>
  page
    .getByText(new RegExp(`^Step ${step} of`))
    .first()
    .waitFor();

/** Per side: whose chart it is, its state, its marked arrows, and which of these is lit. */
function charts(page: Page) {
  return page.locator('.side').evaluateAll((sides) =>
    sides.map((side) => {
      const words = (selector: string) => side.querySelector(selector)?.textContent?.trim();
      const edges = (selector: string) =>
        [...side.querySelectorAll(`.edge${selector}`)].map((edge) =>
          edge.getAttribute('data-transition'),
        );
      return {
        actor: words('figcaption b'),
        state: words('.state-word'),
        extra: edges('.extra'),
        missing: edges('.missing'),
        lit: edges('.taken'),
      };
    }),
  );
}

const actor = 'w1/writeFile/servermapUpdate';
const arrow = 'collecting.verifying||0';
const [old, ours] = [
  { actor, extra: [arrow], missing: [] },
  { actor, extra: [], missing: [arrow] },
];
const decisive = [
  { ...old, state: 'done', lit: [arrow] },
  { ...ours, state: 'collecting › verifying', lit: [] },
];

describe('at the decisive step both sides show the servermap update, and the arrow is lit', () => {
  test('when the page is opened', async () => {
    const watched = await open();
    const { page } = watched;
    expect(await charts(page)).toEqual(decisive);
    expect(await page.locator('.difference-legend').allInnerTexts()).toEqual([
      expect.stringMatching(/verifying → done.*only in the old rule,.*taken at step 8/s),
      expect.stringMatching(/verifying → done.*only in the old rule, no way here/s),
    ]);
    expect(await page.locator('.side-words').allInnerTexts()).toEqual([
      'The servermap update is done while s4 is still being verified: what it holds is thrown away.',
      'The servermap update is in “verifying” and waits for s4.',
    ]);
    await done(watched);
  });

  test('when somebody makes it fail by hand; it is marked before anything has begun', async () => {
    const watched = await open('#p=2034-by-hand');
    const { page } = watched;
    const unbegun = { actor: 'servermapUpdate', state: 'not begun', lit: [] };
    expect(await charts(page)).toEqual([
      { ...old, ...unbegun, actor: 'servermapUpdate (old rule)' },
      { ...ours, ...unbegun },
    ]);
    await page.getByRole('button', { name: 'start w1' }).click();
    for (let step = 2; step <= 8; step++) {
      await isAt(page, step - 1);
      await isIdle(page);
      await page.keyboard.press('1');
    }
    await isAt(page, 8);
    expect(await charts(page)).toEqual(decisive);
    await done(watched);
  });

  test.each(['scenario-2034', 'scenario-2034-thirteen'])('when %s is opened', async (id) => {
    const watched = await open(`#p=${id}`);
    expect(await charts(watched.page)).toEqual(decisive);
    await done(watched);
  });
});

test('at the end both charts are still there, and the harm is named on the servers where it lies', async () => {
  const watched = await open();
  const { page } = watched;
  await page.getByRole('button', { name: 'Run to end' }).click();
  await isAt(page, 16);
  const ended = { state: 'done', lit: [] };
  expect(await charts(page)).toEqual([
    { ...old, ...ended },
    { ...ours, ...ended },
  ]);
  const rows = await page.locator('.panel.grid tbody tr').evaluateAll((all) =>
    all.map((row) => {
      const cells = [...row.querySelectorAll('th, td:not(.does)')];
      return cells.map((cell) => (cell.textContent ?? '').trim());
    }),
  );
  const unequal = '≠, not the same on both sides';
  expect(rows).toEqual([
    ['s0', 'sh0 v2', 'sh0 v2'],
    ['s1', 'sh1 v2', 'sh1 v2'],
    [`s2${unequal}`, 'sh2 v2', 'none'],
    ['✗ old: second share 2'],
    [`s3${unequal}`, 'sh0 v2', 'none'],
    ['✗ old: second share 0'],
    [`s4${unequal}`, 'sh2 v1', 'sh2 v2'],
    ['✗ old: still version 1'],
  ]);
  expect(await page.locator('.side-words').allInnerTexts()).toEqual([
    'w1 is over. Harm is left: second share 2 on s2; second share 0 on s3; still version 1 on s4.',
    'w1 is over: published. Nothing wrong is left on the servers.',
  ]);
  await done(watched);
});

test('who was thrown away says so on its card, in its lane and over its chart, to the end', async () => {
  const watched = await open();
  const { page } = watched;
  const words = 'thrown away at step 8: still verifying';
  const cards = page.locator('.card').filter({ hasText: 's4' });
  for (const step of [8, 16]) {
    if (step === 16) await page.getByRole('button', { name: 'Run to end' }).click();
    await isAt(page, step);
    expect(await cards.first().locator('.word').innerText()).toContain(words);
    expect(await cards.nth(1).innerText()).not.toContain('thrown away');
    const lane = page.locator('.lanes .thrown');
    expect(await lane.locator('title').allTextContents()).toEqual([`${actor}/query:s4: ${words}`]);
    expect(await lane.locator('text').allTextContents()).toEqual([
      expect.stringMatching(/^✗ thrown away/),
    ]);
  }
  await cards.first().getByRole('button').click();
  const captions = page.locator('.side').first().locator('figcaption');
  expect(await captions.last().innerText()).toContain(words);
  await done(watched);
});

test('a recording says it too', async () => {
  const { scene, labels } = presets[0] as Preset;
  const session = await Session.begin(scene);
  await session.follow(labels);
  const records = session.frames.flatMap(({ sides }) => sides[0]?.records ?? []);
  const watched = await open();
  const { page } = watched;
  await page.evaluate(
    (text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text], 'run.jsonl'));
      dispatchEvent(new DragEvent('drop', { dataTransfer }));
    },
    records.map((record) => JSON.stringify(record)).join('\n'),
  );
  await page.getByText(/^Recorded: run.jsonl/).waitFor();
  await page.keyboard.press('End');
  await page.locator('.actor-tree').getByRole('button', { name: 'servermapUpdate ✓' }).click();
  expect(await page.locator('.card').filter({ hasText: 's4' }).innerText()).toContain(
    'thrown away at step 8: still verifying',
  );
  await done(watched);
});

test('the links to what went wrong bring the chart that did it into view, on both sides', async () => {
  const watched = await open();
  const { page } = watched;
  await page.getByRole('button', { name: 'Run to end' }).click();
  await isAt(page, 16);
  const row = page.locator('.properties tbody tr').filter({ hasText: 'U1' }).first();
  expect(await row.locator('th').innerText()).toContain('broken by w1’s servermap update');
  const publish = page
    .locator('.actor-tree')
    .first()
    .getByRole('button', { name: /^publish/ });
  const shown = async () => (await charts(page)).map((side) => side.actor);
  for (const link of [
    page.getByRole('button', { name: /The two runs part at step 8/ }),
    page.getByRole('button', { name: /U1 violated at step 8/ }),
    row.getByRole('button', { name: 'violated at 8' }),
  ]) {
    await page.keyboard.press('End');
    await publish.click();
    expect(await shown()).toEqual(Array(2).fill('w1/writeFile/publish'));
    await link.click();
    await isAt(page, 8);
    expect(await charts(page)).toEqual(decisive);
  }
  await done(watched);
});
