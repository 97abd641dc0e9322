/** What must hold of every run, judged in Chromium: of a file at once, of a live run at rest. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { Grid } from '../../src/grid.ts';
import { createInspector } from '../../src/inspector/server.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { bytesOf, memoryServers, testKey } from '../support/client-grid.ts';
import { type Lie, recordOf, told } from '../support/falsehoods.ts';
import { traceText } from '../support/made-run.ts';
import { realFalsehoods } from '../support/real-falsehoods.ts';
import { asRealRun } from '../support/real-trace.ts';
import { audit, builtPage, drop } from './browser.ts';
import { visits } from './visits.ts';

const { visit, visitUrl } = visits();

const panel = (page: Page) => page.getByRole('region', { name: /^Properties/ });
const summary = (page: Page) => panel(page).locator('h2');
const said = async (page: Page) => (await panel(page).innerText()).replaceAll(/\s+/g, ' ');

test('a recording that violates: where and whose, first of all, and a click leads there', async () => {
  const { trace, names } = await recordOf('overwrite');
  const { lies } = realFalsehoods.find(({ id }) => id === 'M3') as { lies: readonly Lie[] };
  const lied = lies.reduce<readonly TraceRecord[]>(
    (records, lie) => told(records, lie, names),
    trace,
  );
  const { page, complaints } = await visit();
  await page.waitForSelector('.lanes');
  await drop(page, traceText(asRealRun(lied)));
  await summary(page).filter({ hasText: 'Properties 26 of 43 decided, 1 violated' }).waitFor();
  expect(await said(page)).toMatch(
    /^Properties 26 of 43 decided, 1 violated A real run: 2 operations. Why 17 cannot be decided comes last. M3 .*: version 9 was named, and the publish ended as published ✗ violated at record \d+ broken by w1’s publish ✓ 25 hold U1 /,
  );
  expect(await said(page)).toContain('cannot be decided: what the servers hold');
  const violation = panel(page).getByRole('button', { name: '✗ violated at record' });
  const [, place] = (await violation.innerText()).split('record ');
  await violation.click();
  expect(await violation.getAttribute('aria-current')).toBe('step');
  expect(await page.locator('.where').innerText()).toMatch(
    new RegExp(`^Record ${place} of \\d+: w1 ended$`),
  );
  await page.locator('figcaption', { hasText: 'publish' }).waitFor();
  expect(await audit(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('a live run is judged when it is at rest, and again after more', async () => {
  const live = await createInspector({ page: builtPage });
  const grid = new Grid({ servers: memoryServers(4), inspect: live.inspect });
  const { page, complaints } = await visitUrl(live.url);
  await summary(page).filter({ hasText: 'Properties not judged yet' }).waitFor();
  const file = await grid.create({ contents: bytesOf(10), key: testKey });
  await panel(page).getByText('A real run: 1 operation.').waitFor();
  await file.overwrite(bytesOf(20));
  await panel(page).getByText('A real run: 2 operations.').waitFor();
  expect(await said(page)).toMatch(/^Properties 26 of 43 decided, all hold /);
  const now = panel(page).getByRole('button', { name: 'Judge now' });
  expect(await now.getAttribute('aria-disabled')).toBe('true');
  expect(complaints).toEqual([]);
  await page.context().close();
  await live.close();
});
