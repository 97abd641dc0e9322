import { expect, test } from 'vitest';
import { faults } from '../../src/simulation/faults.ts';
import type { Task } from '../../src/simulation/operations.ts';
import { runToEnd } from '../../src/simulation/run-to-end.ts';
import { optionsOf, simulate } from '../../src/simulation/simulate.ts';
import { World, type WorldOptions } from '../../src/simulation/world.ts';
import { simulationWith } from '../support/mutants.ts';
import { assertPlain } from '../support/walk.ts';

const five: WorldOptions = {
  servers: [{ shares: [0] }, { shares: [1] }, {}, {}, { shares: [2] }],
  operations: [
    { name: 'w1', task: { kind: 'overwrite' } },
    { name: 'r1', task: { kind: 'read' } },
  ],
  faults: [],
};

test('a run is its choices: the same ones give the same trace, byte for byte', async () => {
  const world = await World.create(five);
  await world.choose('start w1');
  await world.choose('deliver w1 s4 list');
  await runToEnd(world);
  await world.choose('start r1');
  await runToEnd(world);
  const byIndex = await World.replay(five, world.path);
  const byLabel = await World.replay(five, world.labels);
  expect(JSON.stringify(byIndex.trace)).toBe(JSON.stringify(world.trace));
  expect(JSON.stringify(byLabel.trace)).toBe(JSON.stringify(world.trace));
  expect(byLabel.path).toEqual(world.path);
});

test.each([3, 17, 101])('so it is with faults: seed %i', async (seed) => {
  const { world, options } = await simulate(seed);
  const again = await World.replay(options, world.path);
  expect(JSON.stringify(again.trace)).toBe(JSON.stringify(world.trace));
});

test("a browser's cryptography makes no difference", async () => {
  const { simulate: inBrowser } = await simulationWith([], 'portable');
  for (const seed of [1, 2, 3, 4, 5]) {
    const [here, there] = [await simulate(seed), await inBrowser(seed)];
    expect(JSON.stringify(there.world.trace)).toBe(JSON.stringify(here.world.trace));
  }
});

test('two worlds that move at the same time do not disturb each other', async () => {
  const run = async () => {
    const world = await World.create(five);
    await world.choose('start w1');
    await runToEnd(world);
    return JSON.stringify(world.trace);
  };
  const alone = await run();
  expect(await Promise.all([run(), run()])).toEqual([alone, alone]);
});

test('tells what can happen, and makes it happen', async () => {
  const world = await World.create(five);
  const labels = () => world.choices.map(({ label }) => label);
  expect(labels()).toEqual(['start w1', 'start r1']);
  await world.choose(0);
  expect(labels()).toEqual([
    ...['start r1', 'deliver w1 s0 list', 'deliver w1 s1 list', 'deliver w1 s2 list'],
    ...['deliver w1 s3 list', 'deliver w1 s4 list', 'advance'],
  ]);
  expect(world.messages[4]).toMatchObject({
    ...{ id: 'm5', operation: 'w1', server: 's4', call: 'list', what: 'list', phase: 'request' },
    ...{ isAbandoned: false, isDelayed: false, write: null },
  });
  const records = await world.choose(world.choices[5] as (typeof world.choices)[0]);
  expect(records[0]).toEqual({
    ...{ seq: 26, at: 0, step: 2, kind: 'choice', index: 5, label: 'deliver w1 s4 list' },
  });
  expect(world.isQuiet).toBe(false);
  await runToEnd(world);
  expect(world.isQuiet).toBe(true);
  const version = world.servers[0]?.shares[0];
  expect(version).toMatch(/^v2-[0-9a-f]{8}$/);
  expect(world.servers.map(({ shares }) => shares)).toEqual([
    ...[{ 0: version }, { 1: version }, {}, {}, { 2: version }],
  ]);
  expect(world.operations[0]).toMatchObject({ status: 'ended', result: { ok: true } });
});

test.each(['deliver w1 s9 list', 'deliver w1 s0 list', 99, -1])(
  'refuses what cannot happen: %s',
  async (choice) => {
    const world = await World.create(five);
    await expect(world.choose(choice)).rejects.toThrowError(
      new RangeError(`there is no choice ${choice} now`),
    );
    expect(world.path).toEqual([]);
  },
);

test('offers faults behind everything else, and only those asked for', async () => {
  const all = await World.create({ ...five, faults: undefined });
  await all.choose('start w1');
  const plain = all.plainChoices.length;
  expect(all.choices.slice(0, plain)).toEqual(all.plainChoices);
  const offered = new Set(all.choices.slice(plain).map(({ kind }) => kind));
  // Nobody is down, nobody has changed, everybody is known, nothing is read or written.
  const later = new Set([
    'restart',
    'rollback',
    'join',
    'stale',
    'garble',
    'tear',
    'deny',
    'belie',
    'feign',
  ]);
  expect([...offered]).toEqual(Object.keys(faults).filter((kind) => !later.has(kind)));
  const some = await World.create({ ...five, faults: ['crash'] });
  expect(new Set(some.choices.map(({ kind }) => kind))).toEqual(new Set(['start', 'crash']));
});

test('labels are unique at every moment', async () => {
  const world = await World.create({ ...five, faults: undefined });
  await world.choose('start w1');
  await world.choose('duplicate w1 s0 list');
  const labels = world.choices.map(({ label }) => label);
  expect(labels).toContain('deliver w1 s0 list #2');
  expect(new Set(labels).size).toBe(labels.length);
});

test('records are JSON, and hold no key, no cap and no bytes of a share', async () => {
  const { world } = await simulate(5);
  for (const record of world.trace) assertPlain(record);
  const text = JSON.stringify(world.trace);
  expect(text).not.toMatch(/[0-9a-f]{32}/);
  expect(text).not.toMatch(/URI:|x:\d/);
});

const tasks: readonly (readonly [Task, WorldOptions['format'], readonly string[] | undefined])[] = [
  [{ kind: 'overwrite' }, 'sdmf', ['w1']],
  [{ kind: 'overwrite' }, 'mdmf', ['w1']],
  [{ kind: 'modify' }, 'sdmf', ['v1', 'w1']],
  [{ kind: 'append' }, 'mdmf', ['v1', 'w1']],
  [{ kind: 'update', offset: 0 }, 'mdmf', ['w1']],
  [{ kind: 'map', mode: 'check' }, 'sdmf', ['v1']],
  [{ kind: 'verify' }, 'mdmf', ['v1']],
];

test.each(tasks)('%j of an %s file', async (task, format, words) => {
  const options = {
    ...five,
    format,
    operations: [{ name: 'w1', task }, ...five.operations.slice(1)],
  };
  const world = await World.create(options);
  await world.choose('start w1');
  await runToEnd(world);
  await world.choose('start r1');
  await runToEnd(world);
  expect(world.operations.map(({ result }) => result?.ok)).toEqual([true, true]);
  expect(world.operations[1]?.result?.seen).toEqual(words);
});

test('a file is created where there is none', async () => {
  const world = await World.create({
    servers: [{}, {}, {}],
    operations: [
      { name: 'w1', task: { kind: 'create' }, client: 'alice' },
      { name: 'w2', task: { kind: 'modify' }, client: 'alice' },
    ],
  });
  await world.choose('start w1');
  await runToEnd(world);
  await world.choose('start w2');
  await runToEnd(world);
  expect(world.operations[1]?.result).toMatchObject({ ok: true, seen: ['w1'] });
});

test('a seed is a world: the same options every time', () => {
  expect(optionsOf(7)).toEqual(optionsOf(7));
  expect(optionsOf(7)).not.toEqual(optionsOf(8));
});
