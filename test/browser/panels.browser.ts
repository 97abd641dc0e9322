/** Where the panels of the page lie: on a low window, and on narrow ones. */
import { expect, test } from 'vitest';
import { done, visits } from './visits.ts';

const { visit } = visits();

async function at(width: number, height: number) {
  const watched = await visit('#p=2034&at=8', { viewport: { width, height } });
  await watched.page.waitForSelector('.lanes');
  return watched;
}

test('of a low window the time is not far below', async () => {
  const watched = await at(1280, 720);
  const top = await watched.page.evaluate(
    () => document.querySelector('.time')?.getBoundingClientRect().top ?? 0,
  );
  expect(top).toBeLessThan(2 * 720);
  await done(watched);
});

test.each([
  [390, 844],
  [800, 740],
  [1100, 900],
])('at %i × %i what was said at this step lies on no other panel', async (width, height) => {
  const watched = await at(width, height);
  const overlap = await watched.page.evaluate(() => {
    const bottom = document.querySelector('.log-sides')?.getBoundingClientRect().bottom ?? 0;
    const panel = document.querySelector('.time')?.getBoundingClientRect();
    return bottom - (panel?.bottom ?? 0);
  });
  expect(overlap).toBeLessThanOrEqual(0);
  await done(watched);
});
