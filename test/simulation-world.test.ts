import { expect, test } from 'vitest';
import { runToEnd, World, type WorldOptions } from '../src/simulation/world.ts';

const options: WorldOptions = {
  servers: [{ shares: [0] }, { shares: [1] }, {}, {}, { shares: [2] }],
  operations: [
    { name: 'w1', task: { kind: 'overwrite' } },
    { name: 'r1', task: { kind: 'read' } },
  ],
};

test('the same choices give the same trace, byte for byte', async () => {
  const world = await World.create(options);
  await world.choose('start w1');
  await world.choose('deliver w1 s4 list');
  await runToEnd(world);
  await world.choose('start r1');
  await runToEnd(world);
  const again = await World.replay(options, world.path);
  expect(JSON.stringify(again.trace)).toBe(JSON.stringify(world.trace));
});
