import { expect, test } from 'vitest';
import { chartsShare, chartsShareOf } from '../../bench/profile.ts';

const node = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url, scriptId: '0', lineNumber: 0, columnNumber: 0 },
});

test("the share is that of XState's and the charts' own time, of all that was not idle", () => {
  const nodes = [
    node(1, '(idle)', ''),
    node(2, 'assign', 'file:///p/node_modules/xstate/dist/xstate.esm.js'),
    node(3, 'decide', 'file:///p/dist/machines/update-kernel.js'),
    node(4, 'update', 'file:///p/dist/src/share/segments.js'),
    node(5, '(garbage collector)', ''),
    node(6, 'lathe', 'file:///home/me/machines/project/dist/src/grid.js'),
  ];
  const profile = { nodes, samples: [1, 2, 3, 4, 5, 6], timeDeltas: [500, 10, 20, 40, 20, 10] };
  expect(chartsShareOf(profile)).toBe(0.3);
});

test('of nothing but idling there is no share', () => {
  const profile = { nodes: [node(1, '(idle)', '')], samples: [1], timeDeltas: [5] };
  expect(chartsShareOf(profile)).toBe(0);
});

test('the profiler of this platform is one that can be read', async () => {
  const share = await chartsShare(async () => JSON.parse(JSON.stringify({ a: [1] })));
  expect(share).toBe(0);
});
