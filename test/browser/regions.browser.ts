/** A machine with parallel states, of the program's own, in the built page. */
import { expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { createInspector } from '../../src/inspector/server.ts';
import { builtPage, launch, openPage } from './browser.ts';

const radio = createMachine({
  id: 'radio',
  type: 'parallel',
  states: {
    up: { initial: 'idle', states: { idle: { on: { UP: 'busy' } }, busy: {} } },
    down: { initial: 'idle', states: { idle: { on: { DOWN: 'busy' } }, busy: {} } },
  },
});

test('every region of it is lit, and the list says so', async () => {
  const browser = await launch();
  const inspector = await createInspector({ page: builtPage });
  const actor = createActor(radio, { id: 'radio', inspect: inspector.inspect }).start();
  actor.send({ type: 'DOWN' });
  try {
    const { page, complaints } = await openPage(browser, inspector.url);
    const figure = page.locator('.chart-view', { hasText: 'up › idle & down › busy' });
    await figure.locator('.state.leaf').first().waitFor();
    const lit = (selector: string) =>
      figure
        .locator(selector)
        .evaluateAll((all) => all.map((it) => it.getAttribute('data-state')).sort());
    expect(await lit('.state.leaf')).toEqual(['down.busy', 'up.idle']);
    expect(await lit('.state.active')).toEqual(['down', 'down.busy', 'up', 'up.idle']);
    expect(await figure.locator('li > strong').allTextContents()).toEqual([
      ...['up (active)', 'idle (active)', 'down (active)', 'busy (active)'],
    ]);
    if (process.env.SHOTS) await page.screenshot({ path: process.env.SHOTS });
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    await inspector.close();
  }
});
