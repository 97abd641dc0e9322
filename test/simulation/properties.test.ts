import { describe, expect, test } from 'vitest';
import type { OperationSpec } from '../../src/simulation/operations.ts';
import { PropertyWatch, properties } from '../../src/simulation/properties.ts';
import { runToEnd } from '../../src/simulation/run-to-end.ts';
import { runLabels } from '../../src/simulation/simulate.ts';
import { World, type WorldOptions } from '../../src/simulation/world.ts';

const options: WorldOptions = {
  servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }, {}, {}],
  operations: [{ name: 'w1', task: { kind: 'overwrite' }, rule: 'ticket' }],
  size: 20000,
};

const race = [
  ...['start w1', 'deliver w1 s0 list', 'deliver w1 s0 read sh0 head'],
  ...['deliver w1 s0 read sh0 privkey', 'deliver w1 s1 list', 'deliver w1 s1 read sh1 head'],
  ...['deliver w1 s2 list', 'deliver w1 s3 list', 'deliver w1 s4 list'],
];

test('each has an id, a name and a sentence', () => {
  expect(properties.map(({ id }) => id)).toEqual([
    ...['U1', 'U2', 'U3', 'U4', 'U5', 'U6', 'U7', 'U8', 'U9', 'U10', 'U11', 'U12'],
    ...['Q1', 'Q2', 'Q3', 'Q4', 'Q5', 'Q6', 'Q7', 'Q8', 'G1', 'G2', 'G3', 'A1', 'A2', 'A3'],
    ...[
      'X1',
      'X2',
      'X3',
      'X4',
      'M1',
      'M2',
      'M3',
      'M4',
      'M5',
      'T1',
      'T2',
      'T3',
      'V1',
      'V2',
      'V3',
      'V4',
      'K1',
    ],
  ]);
  for (const { name, statement } of properties) {
    expect(name).toMatch(/^\S.*\S$/);
    expect(statement).toMatch(/^[A-Z][^.]*\.$/);
  }
});

describe('the ticket, step by step', () => {
  test('a property tells at which step it broke, and why', async () => {
    const world = await World.replay(options, race);
    await runToEnd(world);
    const broken = properties
      .map((property) => ({ id: property.id, verdict: property.check(world) }))
      .filter(({ verdict }) => verdict.kind === 'violated');
    expect(broken.map(({ id, verdict }) => [id, 'step' in verdict && verdict.step])).toEqual([
      ['U1', 9],
      ['U2', 9],
      ['U6', 9],
    ]);
    const [, , six] = broken;
    expect(six?.verdict).toMatchObject({ because: 'share 2 on s2 is in the map 0 times' });
  });

  test('a watch that goes along says the same as one that looks back', async () => {
    const world = await World.create(options);
    const watch = new PropertyWatch();
    watch.see(world.trace);
    for (const label of race) {
      watch.see(await world.choose(label));
      for (const property of properties) {
        expect(watch.verdicts.get(property.id)).toEqual(property.check(world));
      }
    }
    expect(watch.violations.map(({ id }) => id)).toEqual(['U1', 'U2', 'U6']);
  });

  test('and our rule holds', async () => {
    const operations = [{ name: 'w1', task: { kind: 'overwrite' } }] as const;
    const world = await World.replay({ ...options, operations }, race);
    await runToEnd(world);
    for (const property of properties) expect(property.check(world)).toEqual({ kind: 'holds' });
  });
});

const last: OperationSpec = { name: 'last', task: { kind: 'read' } };

/** Schedules with which a property found fault by a mistake of its own, or of the world. */
const blameless: readonly (readonly [string, Partial<WorldOptions>, readonly string[]])[] = [
  [
    'damage on its way does not make up for rot',
    { headLength: 123 },
    [
      ...['rot s2 sh2 prefix', 'start w1', 'deliver w1 s2 list', 'garble w1 s2 read sh2 head'],
      ...['rot s1 sh1 signature', 'deliver w1 s1 list', 'deliver w1 s1 read sh1 head'],
      ...['deliver w1 s1 read sh1 key', 'garble w1 s1 read sh1 signature'],
    ],
  ],
  [
    'neither does rot',
    { headLength: 123 },
    ['rot s2 sh2 chain', 'rot s2 sh2 signature', 'rot s2 sh2 signature', 'start w1'],
  ],
  [
    'a share that is older again has rotted where it had then',
    { headLength: 123 },
    ['rot s1 sh1 chain', 'rot s1 sh1 prefix', 'stale s1 sh1', 'start w1'],
  ],
  [
    'who was given wrong bytes of a newer version writes over it',
    // Of this size the newer version has a root hash (e8…) above those of the writer.
    { headLength: 123, size: 22 },
    [
      ...['newer s2 sh2', 'start w1', 'deliver w1 s2 list', 'deliver w1 s2 read sh2 head'],
      ...['deliver w1 s2 read sh2 key', 'garble w1 s2 read sh2 signature'],
    ],
  ],
  [
    'a writer who finds nothing left begins with version 1 again',
    { size: 0, servers: options.servers.slice(0, 3) },
    [
      ...['start w1', 'delete s2 sh2', 'delete s1 sh1', 'deliver w1 s0 list'],
      ...['deliver w1 s0 read sh0 head', 'delete s0 sh0', 'advance', 'deliver w1 s1 list'],
      ...['deliver w1 s2 list', 'deliver w1 s0 list', 'advance', 'advance'],
    ],
  ],
  [
    'who is told by a list that its share did not land writes another one',
    { size: 0, operations: [{ name: 'w1', task: { kind: 'modify' } }, last] },
    [
      ...['start w1', 'deliver w1 s1 list', 'deliver w1 s1 read sh1 head', 'deliver w1 s2 list'],
      ...['deliver w1 s2 read sh2 head', 'deliver w1 s3 list', 'mute s3', 'advance'],
      ...['deliver w1 s1 write sh1', 'deliver w1 s2 write sh2', 'deliver w1 s3 write sh0'],
      ...['advance', 'hide w1 s3 list'],
    ],
  ],
  [
    'a short word over a longer one leaves its end',
    {
      encoding: { required: 1, happy: 2, total: 3 },
      operations: [{ name: 'w1', task: { kind: 'update', offset: 0 } }, last],
    },
    ['newer s0 sh0', 'start w1'],
  ],
];

test.each(blameless)('no false alarm: %s', async (_, about, labels) => {
  const operations: readonly OperationSpec[] = [{ name: 'w1', task: { kind: 'overwrite' } }, last];
  const { violations } = await runLabels({ ...options, operations, ...about }, labels);
  expect(violations).toEqual([]);
});
