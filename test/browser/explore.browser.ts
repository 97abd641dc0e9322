/** Every order, in the built page. `FIGURES=1` prints those of docs/visualizer.md. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { parseScenario, playScenario, ScenarioError } from '../../src/simulation/scenario.ts';
import { writeLink } from '../../visualizer/src/model/link.ts';
import { audit, type WatchedPage } from './browser.ts';
import { done, visits } from './visits.ts';

const at = visits();
const { visit } = at;

async function open(hash: string, options = {}): Promise<WatchedPage> {
  const watched = await visit(hash, options);
  await watched.page.waitForSelector('.lanes');
  return watched;
}

/** What the search says when it is over, a line per side. */
async function explored(page: Page, sides: number, timeout = 55_000): Promise<readonly string[]> {
  await page.getByRole('button', { name: 'Explore every order' }).click();
  const results = page.locator('.explored').getByRole('status');
  await results.nth(sides - 1).waitFor({ timeout });
  return results.allInnerTexts();
}

test('one button: the old rule violates in most orders, ours in none; where it was decided', async () => {
  const watched = await open('#p=2034');
  const { page } = watched;
  expect(await explored(page, 2)).toEqual([
    'old: 64,800 of 73,080 orders violate, the shortest: U1 after 8 steps',
    'ours: all 29,880 orders hold',
  ]);
  await page.waitForSelector('.curve polyline.other', { state: 'attached' });
  const caption = page.locator('.curve figcaption');
  expect(await caption.innerText()).toContain('old, step 8: 4 of 4 orders left violate: 100 %');
  expect(await caption.innerText()).toContain(
    'ours (dashed), step 8: 0 of 6 orders left violate: 0 %',
  );
  await page.getByRole('button', { name: 'decided at step 5' }).click();
  await page.getByText('Step 5 of 8').first().waitFor();
  expect(await audit(page)).toEqual([]);
  await done(watched);
});

test('a step of the old rule alone keeps the numbers of the other side', async () => {
  const watched = await open('#p=2034');
  const { page } = watched;
  await explored(page, 2);
  const caption = page.locator('.curve figcaption');
  await caption.getByText('ours (dashed), step 8').waitFor();
  await page.keyboard.press('1');
  await caption.getByText('ours (dashed), step 9: 0 of 6 orders left violate: 0 %').waitFor();
  await page.getByRole('button', { name: 'Run to end' }).click();
  await caption.getByText('old, step 16: over, and it violates').waitFor();
  await caption.getByText('ours (dashed), step 16: over, and it holds').waitFor();
  await done(watched);
});

test('both sides are named while the first is explored; who stops keeps what was found', async () => {
  const watched = await open('#p=two-writers');
  const { page } = watched;
  await page.keyboard.press('e');
  const results = page.locator('.explored');
  await results.getByText(/^[1-9].*an estimate/).waitFor();
  // A second time asks for nothing else.
  await page.keyboard.press('e');
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(await results.getByRole('status').innerText()).toMatch(
    /^stopped at [\d,]+ orders, none violates so far$/,
  );
  await page.goto(`${at.home}#p=2034`);
  await page
    .getByText(/^Step 8 of 8/)
    .first()
    .waitFor();
  await page.keyboard.press('e');
  await results.getByText('ours: follows').waitFor();
  await done(watched);
});

test('quick keys wait for their turn, and Enter after “start” lets no time pass', async () => {
  const watched = await open('#p=thirteen');
  const { page } = watched;
  await page.locator('.deliver').nth(12).waitFor();
  await page.evaluate(() => {
    for (let i = 0; i < 12; i++) {
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '1', bubbles: true }));
    }
  });
  await page
    .getByText(/^Step 13 of 13/)
    .first()
    .waitFor();
  await done(watched);
  const byHand = await open('#p=2034-by-hand');
  await byHand.page.getByRole('button', { name: 'start w1' }).focus();
  await byHand.page.keyboard.press('Enter');
  await byHand.page.locator('.deliver').nth(4).waitFor();
  const focused = () => byHand.page.evaluate(() => document.activeElement?.className);
  expect(await focused()).toBe('deliver');
  await byHand.page.keyboard.press('Enter');
  await byHand.page
    .getByText(/^Step 2 of 2/)
    .first()
    .waitFor();
  expect(await focused()).toBe('deliver');
  await byHand.page.getByRole('button', { name: 'Run to end' }).waitFor();
  await done(byHand);
});

test('Escape leaves the presentation, and Back leads into it again, on the branch that was shown', async () => {
  const watched = await open('#p=2034&at=7');
  const { page } = watched;
  const isTalk = () => page.locator('html.is-talk').count();
  await page.locator('.deliver').nth(1).click();
  await page
    .getByText(/^Step 8 of 8/)
    .first()
    .waitFor();
  const hash = () => page.evaluate(() => location.hash);
  const branch = await hash();
  // Over an arrow, Escape dismisses what explains it first.
  await page.mouse.move(0, 0);
  await page.keyboard.press('p');
  await page.locator('html.is-talk').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('html:not(.is-talk)').waitFor();
  expect(await hash()).toBe(branch);
  await page.goBack();
  await page.locator('html.is-talk').waitFor();
  await page.goBack();
  await page.locator('html:not(.is-talk)').waitFor();
  expect([await hash(), await isTalk()]).toEqual([branch, 0]);
  await done(watched);
});

test('one side, from the step that is looked at', async () => {
  const watched = await open('#p=2034');
  const { page } = watched;
  await page.getByLabel('Which side').selectOption('ours');
  await page.getByLabel('From which step').selectOption('from this step');
  expect(await explored(page, 1)).toEqual(['ours: all 6 orders hold']);
  await done(watched);
});

test('a found order is copied as a scenario, and that is a failing test', async () => {
  const watched = await open('#p=2034-by-hand', {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const { page } = watched;
  await page.getByLabel('Which side').selectOption('old');
  await explored(page, 1);
  // The search only reports.
  await page
    .getByText(/^Step 0 of 0/)
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Show the shortest' }).click();
  await page
    .getByText(/^Step 8 of 8/)
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Copy as scenario' }).click();
  await page.getByRole('alert').getByText('Copied').waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  const scenario = parseScenario('found', text);
  await expect(playScenario(scenario)).rejects.toThrow(ScenarioError);
  await expect(playScenario(scenario)).rejects.toThrow(/U1 is violated/);
  await playScenario(scenario, { rule: 'ours' });
  await done(watched);
});

test('faults are offered where they are wanted', async () => {
  const watched = await open('#p=two-writers');
  const { page } = watched;
  await page.locator('.deliver').first().waitFor();
  const drops = page.getByRole('button', { name: /^drop / });
  const crashes = page.getByRole('button', { name: /^crash / });
  expect([await drops.count(), await crashes.count()]).toEqual([0, 0]);
  await page.getByLabel('faults', { exact: true }).check();
  expect([await drops.count(), await crashes.count()]).toEqual([5, 5]);
  await done(watched);
});

const sizes = process.env.FIGURES === undefined ? [3] : [5, 6, 7, 8];

test.each(sizes)(
  '%i servers that all hold a share: every order holds',
  async (size) => {
    const servers = Array.from({ length: size }, (_, i) => ({ shares: [i] }));
    const encoding = { required: 2, happy: 3, total: size };
    const operations = [{ name: 'w1', task: { kind: 'overwrite' } }] as const;
    const options = { servers, encoding, operations, faults: [] };
    const scene = { sides: [{ title: 'This engine', short: 'ours', options }] };
    const watched = await open(writeLink({ preset: null, scene, steps: [], at: null }));
    const { page } = watched;
    const began = performance.now();
    const [words] = await explored(page, 1, 600_000);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    expect(words).toMatch(/^all .* orders hold$/);
    const counts = await page.locator('.explored li').innerText();
    if (process.env.FIGURES !== undefined)
      console.log(`S = ${size}: ${words}; ${counts}; ${seconds} s`);
    await done(watched);
  },
  700_000,
);
