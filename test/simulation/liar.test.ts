/**
 * One server of thirteen lies, with Tahoe's own 3-of-10 and a quorum of seven: it neither stops a
 * write nor gets one acknowledged that six honest servers do not hold; and nobody whom seven honest
 * ones confirm a version is misled.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/simulation/prng.ts';
import { PropertyWatch } from '../../src/simulation/properties.ts';
import { nextToEnd } from '../../src/simulation/run-to-end.ts';
import { type OperationSpec, World } from '../../src/simulation/world.ts';
import { oneEach } from '../support/schedule.ts';

const lies = ['hide', 'invent', 'garble', 'belie', 'feign'] as const;
const quorum = 7;
const operations: readonly OperationSpec[] = [
  { name: 'w1', task: { kind: 'overwrite' } },
  { name: 'w2', task: { kind: 'modify' } },
  { name: 'r1', task: { kind: 'read' } },
];

const grid = () =>
  World.create({
    encoding: { required: 3, happy: quorum, total: 10 },
    servers: oneEach(10, 13),
    operations,
    faults: [...lies, 'partition', 'heal'],
  });

/** Runs an operation to its end; `lie` says what becomes of a message of the liar. */
async function run(
  world: World,
  name: string,
  liar: string,
  lie: (choices: readonly string[]) => string | undefined,
): Promise<void> {
  await world.choose(`start ${name}`);
  for (let next = nextToEnd(world); next !== undefined; next = nextToEnd(world)) {
    const isLiars = next.kind === 'deliver' && next.server === liar;
    const { message } = next;
    const told = isLiars
      ? lies.flatMap((kind) => world.faultsOf(kind).filter((choice) => choice.message === message))
      : [];
    const lied = told.length > 0 ? lie(told.map(({ label }) => label)) : undefined;
    await world.choose(lied ?? next);
  }
}

/** The honest servers that hold a share of the version that an operation wrote. */
function holdersOf(world: World, name: string, liar: string): readonly string[] {
  const written = world.trace.flatMap((record) =>
    record.kind === 'place' && record.operation === name ? [record.server] : [],
  );
  return [...new Set(written)].filter((server) => server !== liar);
}

function verdictOn({ trace }: World): unknown {
  const watch = new PropertyWatch();
  watch.see(trace);
  return watch.violations;
}

const resultOf = (world: World, name: string) =>
  world.operations.find(({ spec }) => spec.name === name)?.result;

describe('one server of thirteen lies', () => {
  test.each(Array.from({ length: 26 }, (_, seed) => seed))(
    'whatever it says, chance %i: writes succeed, and readers are given what was written',
    async (seed) => {
      const prng = new Prng(seed);
      const liar = `s${seed % 13}`;
      const world = await grid();
      // The first thirteen lie whenever they can.
      const lie = (choices: readonly string[]) =>
        seed < 13 || prng.chance(0.5) ? prng.pick(choices) : undefined;
      for (const { name } of operations) await run(world, name, liar, lie);
      expect(operations.map(({ name }) => resultOf(world, name)?.ok)).toEqual([true, true, true]);
      expect(resultOf(world, 'r1')?.seen).toEqual(['w1', 'w2']);
      for (const name of ['w1', 'w2']) {
        expect(holdersOf(world, name, liar).length).toBeGreaterThanOrEqual(quorum - 1);
      }
      expect(verdictOn(world)).toEqual([]);
    },
  );

  /** w1 reaches seven servers, one of which says that it has written. */
  const reachesSeven = async () => {
    const world = await grid();
    for (let i = quorum; i < 13; i++) await world.choose(`partition s${i}`);
    await run(world, 'w1', 's6', (choices) => choices.find((label) => label.startsWith('feign')));
    expect(resultOf(world, 'w1')?.ok).toBe(true);
    expect(holdersOf(world, 'w1', 's6')).toHaveLength(quorum - 1);
    await world.choose('heal');
    return world;
  };
  const confirmedBy = async (world: World, unheard: readonly number[]) => {
    for (const i of unheard) await world.choose(`partition s${i}`);
    await run(world, 'r1', 's6', () => undefined);
    const read = world.trace.findLast(
      (record) => record.kind === 'end' && record.actor === 'r1/readFile',
    );
    const { isConfirmed } = (read as { output?: { isConfirmed?: boolean } }).output ?? {};
    expect(verdictOn(world)).toEqual([]);
    return [isConfirmed, resultOf(world, 'r1')?.seen];
  };

  test('a false yes that nothing contradicts is believed, and leaves six', async () => {
    expect(await confirmedBy(await reachesSeven(), [])).toEqual([true, ['w1']]);
  });

  test('whoever hears seven honest servers is not misled, whichever they are', async () => {
    // Six of them have nothing of w1's; of the seventh alone it cannot be read.
    expect(await confirmedBy(await reachesSeven(), [0, 1, 2, 3, 4, 6])).toEqual([false, ['v1']]);
  });

  test('and no more can be promised: seven of which one lies may all have missed it', async () => {
    expect(await confirmedBy(await reachesSeven(), [0, 1, 2, 3, 4, 5])).toEqual([true, ['v1']]);
  });
});
