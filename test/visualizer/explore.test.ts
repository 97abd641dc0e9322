/**
 * Every order: what the search leaves out changes nothing. Beside it stands the plainest search there
 * is, which follows every order by itself, merges nothing and counts by one.
 */
import { describe, expect, test } from 'vitest';
import type { Rule } from '../../machines/rules.ts';
import type { OperationSpec, ServerSpec, WorldOptions } from '../../src/simulation/world.ts';
import { explore } from '../../visualizer/src/engine/explore.ts';
import type { Search } from '../../visualizer/src/engine/protocol.ts';
import { sharesAlong } from '../../visualizer/src/engine/shares.ts';
import { LocalWalker } from '../../visualizer/src/engine/walker.ts';

interface Tally {
  orders: number;
  violating: number;
  readonly violated: Set<string>;
}

/** One run after the other, each from the beginning. */
async function oneByOne(search: Search): Promise<Tally> {
  const walker = new LocalWalker();
  const tally: Tally = { orders: 0, violating: 0, violated: new Set() };
  const queue: string[][] = [[]];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    let stop = (await walker.walk(search, path)).at(-1);
    while (stop !== undefined && stop.choices.length > 0) {
      const [next, ...others] = stop.choices as [string, ...string[]];
      for (const other of others) queue.push([...path, other]);
      path = [...path, next];
      stop = await walker.step(next);
    }
    tally.orders++;
    if (stop?.violated.length) tally.violating++;
    for (const id of stop?.violated ?? []) tally.violated.add(id);
  }
  return tally;
}

async function searched(search: Search, isReduced?: boolean, walkers = 1) {
  const all = Array.from({ length: walkers }, () => new LocalWalker());
  const options = isReduced === undefined ? {} : { isReduced };
  const { exploration, graph } = await explore(search, all, options);
  const violated = new Set<string>();
  for (const queue = [graph.root], seen = new Set(queue); queue.length > 0; ) {
    const node = queue.pop() as typeof graph.root;
    for (const id of node.violated) violated.add(id);
    for (const { to } of node.edges.values()) {
      if (!seen.has(to)) queue.push(to);
      seen.add(to);
    }
  }
  const { orders, violating, status } = exploration;
  expect(status).toBe('exhausted');
  return {
    tally: { orders: Number(orders), violating: Number(violating), violated },
    exploration,
  };
}

const holding = (...shnums: (number | null)[]): readonly ServerSpec[] =>
  shnums.map((shnum) => (shnum === null ? {} : { shares: [shnum] }));

const map: OperationSpec = { name: 'w1', task: { kind: 'map', mode: 'write' } };
const overwrite: OperationSpec = { name: 'w1', task: { kind: 'overwrite' } };
const one = { required: 1, happy: 1, total: 2 };
const two = { required: 2, happy: 2, total: 2 };

interface Scene {
  readonly name: string;
  readonly options: WorldOptions;
  readonly faultsMax?: number;
  readonly labels?: readonly string[];
}

const world = (
  rule: Rule,
  servers: readonly ServerSpec[],
  encoding: WorldOptions['encoding'],
  ...operations: readonly OperationSpec[]
): WorldOptions => ({
  servers,
  encoding,
  operations: operations.map((spec) => ({ ...spec, rule })),
});

const scenes: readonly Scene[] = (['ticket', 'ours'] as const).flatMap((rule) => [
  { name: `${rule}: all hold`, options: world(rule, holding(0, 1), two, overwrite) },
  { name: `${rule}: one holds, one is empty`, options: world(rule, holding(0, 1, null), one, map) },
  {
    name: `${rule}: a rotten share`,
    options: world(
      rule,
      [{ shares: [{ shnum: 0, rot: 'signature' }] }, { shares: [1] }, {}],
      one,
      map,
    ),
  },
  {
    name: `${rule}: one fault`,
    options: { ...world(rule, holding(0, null), one, map), faults: ['drop', 'garble', 'reset'] },
    faultsMax: 1,
  },
]);

describe('the search comes to what following every order by itself comes to', () => {
  test.each(scenes)('$name', async ({ options, faultsMax = 0, labels = [] }) => {
    const search = { options, labels: [...labels, 'start w1'], faultsMax };
    const expected = await oneByOne(search);
    expect((await searched(search)).tally).toEqual(expected);
  });
});

test('what commutes is walked in one order, and comes to the same states', async () => {
  const options = world('ours', holding(0, 1, 2), { required: 2, happy: 3, total: 3 }, overwrite);
  const search = { options, labels: [], faultsMax: 0 };
  const full = await searched(search, false);
  const { exploration, tally } = await searched(search);
  expect(tally).toEqual(full.tally);
  const { states, walked, commuted, orders } = exploration;
  // 1 before the start, 3 stages of 3 servers, 2 of 3 writes; one state is both.
  expect({ states, orders }).toEqual({ states: 1 + 27 + 7, orders: '540' });
  expect(states).toBe(full.exploration.states);
  expect(walked + commuted).toBe(full.exploration.walked);
  expect(walked).toBeLessThan(states + 5);
});

test('along a run, the share of orders that violate ends at none or all', async () => {
  const options = world('ticket', holding(0, 1, null), one, map);
  const search = { options, labels: [], faultsMax: 0 };
  const explored = await explore(search, [new LocalWalker()]);
  const { found } = explored.exploration;
  const shares = await sharesAlong(search, explored, found?.labels ?? []);
  expect(shares).toHaveLength((found?.labels.length ?? 0) + 1);
  const [first, last] = [shares.at(0), shares.at(-1)];
  const { orders, violating } = explored.exploration;
  expect(first).toEqual({ orders, violating, isDrawn: false });
  expect(last?.violating).toBe(last?.orders);
  // A run that does something else ends the counting.
  expect(await sharesAlong(search, explored, ['start w1', 'crash s0'])).toHaveLength(2);
});

test('too many to count: orders are drawn, the same every time', async () => {
  const options = world('ticket', holding(0, null), one, map);
  const search = { options, labels: [], faultsMax: 0 };
  const explored = await explore(search, [new LocalWalker()], { statesMax: 5 });
  expect(explored.exploration.status).toBe('limit');
  const shares = await sharesAlong(search, explored, ['start w1']);
  expect(shares.map(({ orders, isDrawn }) => ({ orders, isDrawn }))).toEqual([
    { orders: '24', isDrawn: true },
    { orders: '24', isDrawn: true },
  ]);
  expect(await sharesAlong(search, explored, ['start w1'])).toEqual(shares);
});
