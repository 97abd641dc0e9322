import { describe, expect, test } from 'vitest';
import { PropertyWatch, properties } from '../src/simulation/properties.ts';
import { runToEnd, World, type WorldOptions } from '../src/simulation/world.ts';

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
    ...['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'R1', 'R2', 'C1', 'C2', 'C3', 'C4'],
    ...['M1', 'M2', 'M3', 'M4', 'T1', 'T2', 'T3', 'K1'],
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
