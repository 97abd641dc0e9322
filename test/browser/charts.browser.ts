/** The charts' room, in Chromium: letters, what is in view, explanations, wall and telephone. */
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { type Chart, chartOf } from '../../src/inspector/chart.ts';
import { chartEntries } from '../../visualizer/src/engine/chart-entries.ts';
import { letters } from '../../visualizer/src/talk.ts';
import { audit, type WatchedPage } from './browser.ts';
import { done, visits } from './visits.ts';

const { visit, visitUrl } = visits();

async function open(hash = '', options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const watched = await visit(hash, options);
  await watched.page.waitForSelector('.drawing svg');
  await watched.page.waitForSelector('.flight[aria-busy="false"]', { state: 'attached' });
  return watched;
}

/** Opens a trace in which every one of `charts` has begun, with its own picture on request. */
async function openTrace(page: Page, charts: readonly Chart[], isBrought: boolean): Promise<void> {
  const records = charts.flatMap((chart) => {
    const actor = `run/${chart.id}`;
    const state = chart.transitions[0]?.source || (chart.root.states[0]?.path as string);
    const step = { actor, chart: chart.id, event: 'xstate.init', state, transitions: [] };
    return [
      ...(isBrought ? [{ kind: 'chart', chart }] : []),
      { kind: 'actor', actor, chart: chart.id, parent: null, input: {} },
      { kind: 'step', ...step, context: {} },
    ];
  });
  const about = { run: 'real', began: '2026-11-27T18:00:00.000Z', version: '1.0.0' };
  const lines = [{ kind: 'header', format: 'tahoe-mutable-trace 2', about }, ...records].map(
    (record, seq) => JSON.stringify({ ...record, seq, at: seq, step: 0 }),
  );
  await page.evaluate((text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], 'run.jsonl'));
    dispatchEvent(new DragEvent('drop', { dataTransfer }));
  }, lines.join('\n'));
  await page.getByText(/^Recorded: run.jsonl/).waitFor();
  await page.keyboard.press('End');
}

/** Of the smallest letters of every chart that is shown, in CSS pixels as they are seen. */
function smallest(page: Page): Promise<number> {
  return page.evaluate(() => {
    const sizes = [...document.querySelectorAll('.drawing text, .drawing tspan')].map((text) => {
      const svg = text.closest('svg') as SVGSVGElement;
      const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
      return Number.parseFloat(getComputedStyle(text).fontSize) * scale;
    });
    return Math.min(...sizes);
  });
}

/** The states that are active and out of view, by their charts. */
function outOfView(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('.stage')].flatMap((stage) => {
      const room = stage.getBoundingClientRect();
      return [...stage.querySelectorAll('.leaf > rect:first-of-type')].flatMap((state) => {
        const { left, right, top, bottom } = state.getBoundingClientRect();
        const isIn =
          left >= room.left && right <= room.right && top >= room.top && bottom <= room.bottom;
        return isIn ? [] : [stage.getAttribute('aria-label') ?? ''];
      });
    }),
  );
}

const widthOf = async (page: Page) =>
  Number(await page.locator('.drawing svg').first().getAttribute('width'));

describe('letters', () => {
  test('of every shipped chart have 11 pixels or more at 1440×900, its active state in view', async () => {
    const watched = await open();
    const { page } = watched;
    const charts = chartEntries().map(({ chart }) => chart);
    await openTrace(page, charts, false);
    const sizes: [string, number][] = [];
    for (const { id } of charts) {
      await page
        .locator('.actor-tree')
        .getByRole('button', { name: `run ${id}`, exact: true })
        .click();
      await page
        .locator('.drawing svg')
        .and(page.getByLabel(`Statechart ${id};`))
        .waitFor();
      sizes.push([id, await smallest(page)]);
      expect(await outOfView(page)).toEqual([]);
    }
    expect(sizes.filter(([, size]) => size < letters.desk - 0.05)).toEqual([]);
    expect(watched.requests.filter((url) => url.includes('elk'))).toEqual([]);
    await done(watched);
  });

  test('of a chart that nobody knew are drawn too, by the layout engine that comes for it', async () => {
    const watched = await open();
    const { page } = watched;
    const machine = createMachine({
      ...{ id: 'constructor', initial: '__proto', on: { 'a stop': '.over' } },
      states: { __proto: { description: 'At <work>.', on: { go: 'over' } }, over: {} },
    });
    await openTrace(page, [chartOf(machine)], true);
    await page.waitForSelector('.drawing svg .leaf');
    expect(await smallest(page)).toBeGreaterThanOrEqual(letters.desk);
    expect(await page.locator('.chart .title').allTextContents()).toEqual([
      ...['anywhere', '__proto', 'over'],
    ]);
    const arrow = page.locator('.edge').and(page.getByLabel('In every state: when a stop arrives'));
    await arrow.waitFor({ state: 'attached' });
    expect(watched.requests.some((url) => url.includes('elk-worker'))).toBe(true);
    await done(watched);
  });
});

describe('what is active', () => {
  test.each([
    ['2034', { width: 1440, height: 900 }],
    ['scenario-F2-collision', { width: 1024, height: 768 }],
    ['2034', { width: 390, height: 844 }],
  ])('%s: is in view at every step of the scene, at %o', async (id, viewport) => {
    const watched = await open(`#p=${id}&at=1`, { viewport });
    const { page } = watched;
    const slider = page.getByRole('slider', { name: 'Step' });
    const last = Number(await slider.getAttribute('max'));
    for (let step = 2; step <= last; step++) {
      await page.keyboard.press('ArrowRight');
      await page.waitForFunction(
        (now) => (document.querySelector('input[type=range]') as HTMLInputElement).value === now,
        `${step}`,
      );
      expect([step, await outOfView(page)]).toEqual([step, []]);
    }
    await done(watched);
  });
});

describe('a chart', () => {
  test('is zoomed and moved by keys when it has the focus', async () => {
    const watched = await open('#p=thirteen');
    const { page } = watched;
    const stage = page.locator('.stage');
    const first = await widthOf(page);
    await stage.focus();
    // A picture has whole pixels, its scale has not.
    const differs = async (width: number) => Math.abs((await widthOf(page)) - width);
    for (const key of ['+', '+']) await page.keyboard.press(key);
    expect(await differs(first * 1.25 * 1.25)).toBeLessThan(2);
    await page.keyboard.press('-');
    expect(await differs(first * 1.25)).toBeLessThan(2);
    for (const key of ['+', '+', '+']) await page.keyboard.press(key);
    const before = await stage.evaluate(({ scrollLeft }) => scrollLeft);
    await page.keyboard.press('ArrowRight');
    expect(await stage.evaluate(({ scrollLeft }) => scrollLeft)).toBe(before + 60);
    await page.keyboard.press('0');
    expect(await widthOf(page)).toBe(first);
    expect(await outOfView(page)).toEqual([]);
    // None of that was meant for the run.
    expect(await page.locator('.where').innerText()).toBe('Step 1 of 1: start w1');
    await page.keyboard.press('f');
    const { width, height } = (await stage.boundingBox()) as DOMRect;
    const svg = (await page.locator('.drawing svg').boundingBox()) as DOMRect;
    expect(svg.width <= width && svg.height <= height).toBe(true);
    await page.getByRole('button', { name: '100 %' }).click();
    expect(await widthOf(page)).toBe(396);
    await done(watched);
  });

  test('is zoomed by the wheel about the mouse, and dragged', async () => {
    const watched = await open('#p=thirteen');
    const { page } = watched;
    const title = page.locator('.chart .title', { hasText: 'verifying' });
    const middle = async (part: Locator) => {
      const { x, y, width, height } = (await part.boundingBox()) as DOMRect;
      return { x: x + width / 2, y: y + height / 2 };
    };
    const before = await middle(title);
    await page.mouse.move(before.x, before.y);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -300);
    await page.keyboard.up('Control');
    await page.waitForFunction(
      (width) => {
        const svg = document.querySelector('.drawing svg');
        return Number(svg?.getAttribute('width')) > width * 1.5;
      },
      await widthOf(page).then((width) => width / 1.6),
    );
    const after = await middle(title);
    expect(Math.hypot(after.x - before.x, after.y - before.y)).toBeLessThan(3);
    await page.mouse.down();
    await page.mouse.move(after.x - 30, after.y - 20);
    await page.mouse.up();
    const dragged = await middle(title);
    expect(Math.hypot(dragged.x - after.x + 30, dragged.y - after.y + 20)).toBeLessThan(2);
    await done(watched);
  });
});

describe('an explanation', () => {
  test('comes with the focus, leads to the glossary, and goes with Escape', async () => {
    const watched = await open('#p=thirteen');
    const { page } = watched;
    const explanation = page.getByRole('complementary', { name: 'Explanation' });
    await page.locator('.stage').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    const sentence =
      'In verifying (“Shares of at least one answer are being judged: nothing can end here”): ' +
      'when server.answered arrives and isAsked holds, it stays there.';
    expect(await explanation.innerText()).toBe(sentence);
    expect(await page.locator(':focus').getAttribute('aria-label')).toBe(sentence);
    expect(await audit(page)).toEqual([]);
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').innerText()).toBe('Shares');
    const [glossary] = await Promise.all([
      page.context().waitForEvent('page'),
      page.keyboard.press('Enter'),
    ]);
    const row = glossary.locator(':target');
    expect(await row.innerText()).toMatch(/^share\s+one of the N encoded pieces of one version/);
    expect(await audit(glossary)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await explanation.count()).toBe(0);
    expect(await page.locator('.where').innerText()).toBe('Step 1 of 1: start w1');
    await done(watched);
  });

  test('comes with the mouse, stays while the mouse is over it, and goes with Escape', async () => {
    const watched = await open('#p=thirteen');
    const { page } = watched;
    const explanation = page.getByRole('complementary', { name: 'Explanation' });
    await page.locator('.chart tspan', { hasText: '[isAsked]' }).hover();
    expect(await explanation.innerText()).toMatch(/^In awaiting .* goes to verifying/);
    await explanation.hover();
    // As long as it takes to go away, had the mouse gone elsewhere.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 400)));
    expect(await explanation.count()).toBe(1);
    await page.keyboard.press('Escape');
    expect(await explanation.count()).toBe(0);
    await page.locator('.chart .title', { hasText: 'done' }).hover();
    expect(await explanation.innerText()).toBe(
      'done: Enough is known, or everybody was asked; the map is frozen. The chart ends here.',
    );
    await page.mouse.move(5, 5);
    await explanation.waitFor({ state: 'detached' });
    await done(watched);
  });
});

/** The parts among `selector` of which something is out of the window, or of the panel they are in. */
function cut(page: Page, selector: string): Promise<string[]> {
  return page.locator(selector).evaluateAll((parts) =>
    parts.flatMap((part) => {
      const { top, bottom, height } = part.getBoundingClientRect();
      const room = (part.closest('.scroll, .panel') as Element).getBoundingClientRect();
      const isWhole = height > 0 && top >= room.top && bottom <= Math.min(room.bottom, innerHeight);
      return isWhole ? [] : [`${part.className} ${part.textContent}`];
    }),
  );
}

/** The states at the ends of the arrow that differs which are not whole in the window. */
function endsOutOfView(side: Locator): Promise<string[]> {
  return side.locator('.state').evaluateAll((states) =>
    states.flatMap((state) => {
      const path = state.getAttribute('data-state') ?? '';
      if (path !== 'collecting.verifying' && path !== 'done') return [];
      const box = (state.querySelector('rect') as Element).getBoundingClientRect();
      const room = (state.closest('.stage') as Element).getBoundingClientRect();
      const bottom = Math.min(room.bottom, innerHeight);
      return box.top >= room.top && box.bottom <= bottom ? [] : [path];
    }),
  );
}

describe('windows of all sizes', () => {
  test('1440×900: every order, its result and its curve, and five messages are in view', async () => {
    const watched = await open('#p=2034&at=1');
    const { page } = watched;
    await page.getByText('Step 1 of 8').first().waitFor();
    await page.getByRole('button', { name: 'Explore every order' }).click();
    await page.waitForSelector('.curve polyline.other', { state: 'attached' });
    expect(await page.locator('.flight .deliver').count()).toBe(5);
    expect(await cut(page, '.deliver, .explore :is(select, button, li, figure)')).toEqual([]);
    await done(watched);
  });

  test.each([
    ['2034', 8],
    ['scenario-2034-thirteen', 20],
    ['scenario-2034-thirteen', 24],
  ])('1440×900, %s at %i: two charts of one size, what differs in view', async (id, at) => {
    const watched = await open(`#p=${id}&at=${at}`);
    const { page } = watched;
    await page.getByText(`Step ${at} of`).first().waitFor();
    const rooms = await page.locator('.stage').evaluateAll((stages) =>
      stages.map((stage) => {
        const { top, width, height } = stage.getBoundingClientRect();
        return { top, width, height };
      }),
    );
    expect(rooms[0]).toEqual(rooms[1]);
    expect(rooms[0]?.height).toBeGreaterThanOrEqual(230);
    expect(await outOfView(page)).toEqual([]);
    const label = page.locator('.chart tspan:is(.extra, .missing)');
    const outside = await label.evaluateAll((words) =>
      words.filter((word) => {
        const { top, bottom } = word.getBoundingClientRect();
        const room = (word.closest('.stage') as Element).getBoundingClientRect();
        return top < room.top || bottom > room.bottom;
      }),
    );
    expect([await label.count(), outside.length]).toEqual([2, 0]);
    expect(await cut(page, '.context > h3, .stage-foot button')).toEqual([]);
    await done(watched);
  });

  test.each([
    ['a telephone', { width: 390, height: 844 }],
    ['a laptop at 200 %', { width: 720, height: 450 }],
    ['a tablet', { width: 1024, height: 768 }],
  ])(
    '%s: the chart comes first, readable, and the page does not scroll sideways',
    async (_, viewport) => {
      const watched = await open('', { viewport });
      const { page } = watched;
      const tops = await page.evaluate(() =>
        ['.charts', '.time', '.flight', '.explore', '.properties', '.grid'].map(
          (part) => document.querySelector(part)?.getBoundingClientRect().top ?? 0,
        ),
      );
      expect(tops).toEqual([...tops].sort((a, b) => a - b));
      expect(await smallest(page)).toBeGreaterThanOrEqual(letters.desk - 0.05);
      const rooms = await page
        .locator('.stage')
        .evaluateAll((stages) =>
          stages.map((stage) => [stage.clientWidth >= 300, stage.clientHeight >= 180]),
        );
      expect(rooms).toEqual([
        [true, true],
        [true, true],
      ]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
      expect(await audit(page)).toEqual([]);
      await done(watched);
    },
  );

  test.each(['2034&at=8', '2034&at=2', 'thirteen'])(
    '1440×900, %s: an opened context is in view, and lies over nothing',
    async (hash) => {
      const watched = await open(`#p=${hash}`, { viewport: { width: 1440, height: 900 } });
      const { page } = watched;
      await page.keyboard.press('i');
      await page.locator('.context-parts').first().waitFor();
      await page.waitForFunction(() => {
        const [words] = document.querySelectorAll('.context-parts b');
        const room = document.querySelector('.panel.charts')?.getBoundingClientRect();
        return (words?.getBoundingClientRect().bottom ?? 9999) <= (room?.bottom ?? 0);
      });
      const parts = '.side-head, .cards, figcaption, .stage, .stage-foot, .context';
      const over = await page.locator('.side').evaluateAll((sides, selector) => {
        const boxes = (side: Element) =>
          [...side.querySelectorAll(selector)].map((part) => ({
            name: part.className || part.tagName,
            box: part.getBoundingClientRect(),
          }));
        return sides.flatMap((side) =>
          boxes(side).flatMap(({ name, box }, i, all) =>
            all
              .slice(i + 1)
              .filter(
                (it) =>
                  Math.min(box.bottom, it.box.bottom) - Math.max(box.top, it.box.top) > 1 &&
                  Math.min(box.right, it.box.right) - Math.max(box.left, it.box.left) > 1,
              )
              .map((it) => `${it.name} over ${name}`),
          ),
        );
      }, parts);
      expect(over).toEqual([]);
      const heights = await page
        .locator('.stage')
        .evaluateAll((stages) => stages.map(({ clientHeight }) => clientHeight));
      expect(Math.min(...heights)).toBeGreaterThanOrEqual(180);
      await done(watched);
    },
  );

  test.each([
    ['a small laptop', { width: 1280, height: 720 }],
    ['a telephone', { width: 390, height: 844 }],
  ])(
    '%s: where the two sides differ is seen at first, both ends of it, unscrolled',
    async (_, viewport) => {
      const watched = await open('', { viewport });
      const { page } = watched;
      expect(await page.evaluate(() => scrollY)).toBe(0);
      expect(await endsOutOfView(page.locator('.side').first())).toEqual([]);
      await done(watched);
    },
  );

  test.each([
    ['2034', { width: 1920, height: 1080 }],
    ['scenario-2034-thirteen', { width: 1920, height: 1080 }],
    ['scenario-2034-thirteen', { width: 1280, height: 720 }],
  ])('on a wall, %s: the lane that matters, and what differs, at %o', async (id, viewport) => {
    const watched = await open(`#v=2&p=${id}&view=talk`, { viewport });
    const { page } = watched;
    const culprit = page.locator('.lanes .thrown.bad text');
    expect(await culprit.textContent()).toBe('✗ thrown away');
    const isIn = await culprit.evaluate((words) => {
      const { top, bottom, right } = words.getBoundingClientRect();
      const room = (words.closest('.lanes') as Element).getBoundingClientRect();
      return top >= room.top && bottom <= room.bottom + 1 && right <= room.right;
    });
    expect(isIn).toBe(true);
    for (const side of await page.locator('.side').all()) {
      expect(await endsOutOfView(side)).toEqual([]);
    }
    expect(await page.getByText('Acting here').filter({ visible: true }).count()).toBe(0);
    await page.keyboard.press('i');
    await page.locator('.context-parts').first().waitFor({ state: 'attached' });
    expect(await page.locator('.context').filter({ visible: true }).count()).toBe(0);
    await done(watched);
  });

  test('on a wall all letters have 26 pixels of 1920, and there is nothing to edit', async () => {
    const watched = await open('', { viewport: { width: 1920, height: 1080 } });
    const { page } = watched;
    await page.keyboard.press('p');
    await page.waitForFunction(() => location.hash.includes('view=talk'));
    expect(await smallest(page)).toBeGreaterThanOrEqual(letters.wall - 0.1);
    const small = await page.evaluate((least) => {
      const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: string[] = [];
      for (let node = words.nextNode(); node !== null; node = words.nextNode()) {
        const element = node.parentElement as Element & { readonly currentCSSZoom?: number };
        const isSeen = element.checkVisibility() && element.closest('.hidden, .drawing') === null;
        const size = Number.parseFloat(getComputedStyle(element).fontSize);
        const seen = size * (element.currentCSSZoom ?? 1);
        if (isSeen && node.textContent?.trim() && seen < least - 0.1) {
          found.push(`${node.textContent}: ${seen}`);
        }
      }
      return found;
    }, letters.wall);
    expect(small).toEqual([]);
    const editing = page.locator('.flight, .properties, .grid, .explore, .step-log, header select');
    expect(await editing.filter({ visible: true }).count()).toBe(0);
    expect(await outOfView(page)).toEqual([]);
    expect(await audit(page)).toEqual([]);
    const link = page.url();
    await page.getByRole('button', { name: 'Present' }).click();
    await page.waitForFunction(() => !location.hash.includes('view=talk'));
    expect(await smallest(page)).toBeLessThan(letters.wall);
    await done(watched);

    const again = await visitUrl(link, { viewport: { width: 1280, height: 720 } });
    await again.page.waitForSelector('.is-talk .drawing svg');
    expect(await smallest(again.page)).toBeGreaterThanOrEqual((letters.wall * 1280) / 1920 - 0.1);
    await done(again);
  });
});

describe('forced colours', () => {
  test.each(['light', 'dark'] as const)(
    '%s: axe is content, and bars are told from words',
    async (colorScheme) => {
      const watched = await open('', { colorScheme, forcedColors: 'active' });
      const { page } = watched;
      expect(await audit(page)).toEqual([]);
      const colours = await page.evaluate(() => {
        const of = (selector: string, property: 'fill' | 'stroke') =>
          getComputedStyle(document.querySelector(selector) as Element)[property];
        return [
          [of('.bar-words rect', 'fill'), of('.bar-words text', 'fill')],
          [of('.bar rect', 'fill'), of('.bar rect', 'stroke')],
          [of('.lane rect', 'fill'), of('.arrow path', 'stroke')],
          [of('.chart .leaf > rect', 'fill'), of('.chart .leaf > .title', 'fill')],
          [of('.chart .state:not(.active) > rect', 'fill'), of('.chart .edge', 'stroke')],
        ];
      });
      expect(colours.filter(([ground, mark]) => ground === mark)).toEqual([]);
      // A rim in the colour of the ground would hide them.
      const words = page.locator('.bar-words text').first();
      expect(await words.evaluate((text) => getComputedStyle(text).stroke)).toBe('none');
      await done(watched);
    },
  );
});
