import { describe, expect, test } from 'vitest';
import { parseScenario, playRun } from '../../src/simulation/scenario.ts';
import { shrink, toScenario } from '../../src/simulation/shrink.ts';
import { runLabels, simulate, soundOptionsOf } from '../../src/simulation/simulate.ts';

test.each(Array.from({ length: 25 }, (_, seed) => seed))(
  'seed %i holds everything',
  async (seed) => {
    const { violations } = await simulate(seed);
    expect(violations).toEqual([]);
  },
);

// Fresh seeds of the long run have found these.
test.each([
  [505_487, 'damaged, it may count for its writer'],
  [509_864, 'where the write did not come to, it need not'],
])('seed %i: a disk copies a share that was just written; %s', async (seed) => {
  const { violations } = await simulate(seed, { world: soundOptionsOf(seed) });
  expect(violations).toEqual([]);
});

test.each([
  [889, 'a server that shows a number beyond N does not count'],
  [1744, 'a repair puts a share where its writer gave up'],
])('seed %i: %s', async (seed) => {
  const { violations } = await simulate(seed);
  expect(violations).toEqual([]);
});

describe('a run that breaks a property', () => {
  /** The race of the ticket, with much beside it that does not matter. */
  const broken = async () =>
    runLabels(
      {
        size: 20000,
        servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }, {}, {}],
        operations: [
          { name: 'w1', task: { kind: 'overwrite' }, rule: 'ticket' },
          { name: 'r1', task: { kind: 'read' } },
          { name: 'last', task: { kind: 'read' } },
        ],
      },
      [
        ...['start r1', 'rot s1 sh1 privkey', 'crash s4', 'restart s4', 'start w1'],
        'deliver r1 s0 list',
        ...['deliver w1 s0 list', 'deliver w1 s0 read sh0 head', 'deliver r1 s1 list'],
        ...['deliver w1 s0 read sh0 privkey', 'deliver w1 s1 list', 'deliver w1 s1 read sh1 head'],
        ...['deliver w1 s2 list', 'deliver w1 s3 list', 'delay r1 s2 list', 'deliver w1 s4 list'],
      ],
    );

  test('shrinks to what matters, and becomes a scenario', async () => {
    const outcome = await broken();
    expect(outcome.violations.map(({ id }) => id)).toContain('U1');
    const shrunk = await shrink(outcome, 'U1');
    expect(shrunk.options.operations.map(({ name }) => name)).toEqual(['w1']);
    expect(shrunk.labels.length).toBeLessThan(outcome.labels.length - 4);
    const text = toScenario(34, 'U1', shrunk);
    expect(text).toMatch(/^# Title: Seed 34 breaks U1\n#\n# U1 is violated: done while/);
    const [run] = parseScenario('seed-34', `${text}\ndeliver rest\n`).runs;
    const { watch } = await playRun(run as never);
    expect(watch.violations.map(({ id }) => id)).toContain('U1');
  });
});
