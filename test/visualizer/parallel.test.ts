/** Regions of parallel states, in pictures and in words. */
import ELK from 'elkjs/lib/elk.bundled.js';
import { expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf } from '../../src/inspector/chart.ts';
import { isActive, leavesOf, shortState, stateText } from '../../src/runtime/state-text.ts';
import { place } from '../../visualizer/src/diagram/layout.ts';
import { toSvg } from '../../visualizer/src/diagram/svg.ts';
import { lookOf } from '../../visualizer/src/model/trace-model.ts';

/** elkjs is CommonJS and its types are those of a module. */
const elk = new (ELK as unknown as typeof ELK.default)();

const radio = createMachine({
  id: 'radio',
  type: 'parallel',
  states: {
    up: { initial: 'idle', states: { idle: { on: { UP: 'busy' } }, busy: {} } },
    down: { initial: 'idle', states: { idle: { on: { DOWN: 'busy' } }, busy: {} } },
  },
});

test('regions are boxes beside each other, with a dot in each and none between them', async () => {
  const chart = chartOf(radio);
  expect([chart.root.kind, chart.root.initial]).toEqual(['parallel', null]);
  const placed = await place(chart, elk);
  expect(placed.starts).toHaveLength(2);
  const box = (path: string) => placed.states.find((state) => state.path === path)!;
  for (const region of ['up', 'down']) {
    const [outer, inner] = [box(region), box(`${region}.busy`)];
    expect(inner.x > outer.x && inner.x + inner.width < outer.x + outer.width).toBe(true);
    expect(inner.y > outer.y && inner.y + inner.height < outer.y + outer.height).toBe(true);
    const dots = placed.starts.filter(({ x, y }) => isIn(outer, x, y));
    expect(dots).toHaveLength(1);
  }
  const nested = createMachine({ id: 'car', initial: 'on', states: { on: radio.config } });
  const svg = toSvg(await place(chartOf(nested), elk), 'car');
  expect(svg).toContain('<g class="state compound parallel" data-state="on">');
});

function isIn(box: { x: number; y: number; width: number; height: number }, x: number, y: number) {
  return x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
}

test('a state of several regions is read as all of them', () => {
  const state = stateText({ up: 'idle', down: { busy: { a: 'failed', b: {} } }, power: {} });
  expect(state).toBe('up.idle & down.busy.a.failed & down.busy.b & power');
  expect(leavesOf(state)).toHaveLength(4);
  expect(shortState(state)).toBe('idle & failed & b & power');
  const paths = ['up', 'up.idle', 'up.busy', 'down.busy', 'down.bus', 'power'];
  expect(paths.filter((path) => isActive(state, path))).toEqual([
    ...['up', 'up.idle', 'down.busy', 'power'],
  ]);
  expect([lookOf(state).tone, lookOf('up.good & down.idle').tone]).toEqual(['bad', 'good']);
  expect([stateText('idle'), stateText({ a: { b: 'c' } }), stateText({})]).toEqual([
    ...['idle', 'a.b.c', ''],
  ]);
});
