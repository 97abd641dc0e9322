/**
 * @module simulate: random worlds, each from one integer, every property after every step.
 *
 * The seed decides the grid, the operations, which kinds of fault may happen (a random few: too
 * many at once would only make every operation fail) and every choice. After a while the faults
 * stop, everybody comes back, and every operation must end; then a reader looks at the file.
 */
import type { Encoding } from '../encoding.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import type { OperationSpec, Task } from './operations.ts';
import { Prng } from './prng.ts';
import { PropertyWatch } from './properties.ts';
import { type Choice, runToEnd, type ServerSpec, World, type WorldOptions } from './world.ts';

export interface RunOutcome {
  readonly options: WorldOptions;
  /** The choices, by their labels: `World.replay(options, labels)` is the run. */
  readonly labels: readonly string[];
  readonly violations: readonly { readonly id: string; readonly because: string }[];
  /** How often each kind of choice was made. */
  readonly counts: Readonly<Record<string, number>>;
  readonly world: World;
}

const encodings: readonly (readonly [encoding: Encoding, weight: number])[] = [
  [{ required: 2, happy: 3, total: 3 }, 4],
  [{ required: 2, happy: 4, total: 5 }, 3],
  [{ required: 3, happy: 5, total: 6 }, 2],
  [{ required: 1, happy: 2, total: 2 }, 1],
  [{ required: 3, happy: 7, total: 10 }, 1],
];

/** The world of a seed, at its beginning. */
export function optionsOf(seed: number, allowed: readonly FaultKind[] = faultKinds): WorldOptions {
  const prng = new Prng(seed);
  const encoding = pickWeighted(prng, encodings);
  const format = prng.chance(0.3) ? 'mdmf' : 'sdmf';
  const faults = prng.chance(0.15) ? [] : allowed.filter(() => prng.chance(0.25));
  return {
    seed,
    format,
    encoding,
    servers: layoutOf(prng, encoding, faults),
    operations: operationsOf(prng),
    faults,
    headLength: prng.chance(0.3) ? 123 : 4000,
    isDeaf: prng.chance(0.15),
  };
}

function pickWeighted<T>(prng: Prng, items: readonly (readonly [T, number])[]): T {
  let place = prng.below(items.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [item, weight] of items) {
    place -= weight;
    if (place < 0) return item;
  }
  throw new RangeError('nothing to pick from');
}

/** Usually a share per server, now and then two, with gaps, and servers beyond N. */
function layoutOf(prng: Prng, { required, total }: Encoding, faults: readonly FaultKind[]) {
  const count = total + prng.below(required + 2);
  const servers: { shares: number[]; joinsLater?: boolean }[] = Array.from(
    { length: count },
    () => ({
      shares: [],
    }),
  );
  const doubles = prng.chance(0.25) ? 0.3 : 0;
  const skips = prng.chance(0.4) ? 0.3 : 0;
  let place = 0;
  for (let shnum = 0; shnum < total; shnum++) {
    if (prng.chance(skips)) place++;
    servers[place % count]?.shares.push(shnum);
    if (!prng.chance(doubles)) place++;
  }
  if (faults.includes('join')) {
    const last = servers.at(-1);
    if (last?.shares.length === 0) last.joinsLater = true;
  }
  return servers as readonly ServerSpec[];
}

function operationsOf(prng: Prng): readonly OperationSpec[] {
  const writers = 1 + prng.below(4);
  const operations: OperationSpec[] = [];
  for (let i = 1; i <= writers; i++) {
    const task = pickWeighted<Task>(prng, [
      [{ kind: 'modify', attempts: 3 }, 6],
      [{ kind: 'overwrite' }, 2],
      [{ kind: 'append' }, 1],
      [{ kind: 'update', offset: 0 }, 1],
    ]);
    operations.push({ name: `w${i}`, task });
  }
  if (prng.chance(0.4)) operations.push({ name: 'r1', task: { kind: 'read' } });
  if (prng.chance(0.1)) operations.push({ name: 'c1', task: { kind: 'verify' } });
  if (prng.chance(0.1)) operations.push({ name: 'm1', task: { kind: 'map', mode: 'check' } });
  return [...operations, finalRead];
}

/** Begins when all others have ended and everybody is back. */
const finalRead: OperationSpec = { name: 'last', task: { kind: 'read' } };

/** Runs the world of `seed`. */
export async function simulate(
  seed: number,
  allowed: readonly FaultKind[] = faultKinds,
): Promise<RunOutcome> {
  const options = optionsOf(seed, allowed);
  const world = await World.create(options);
  const prng = new Prng(seed + 0.5 * 2 ** 32);
  return walk(world, (choices) => pickChoice(prng, choices, options));
}

const stepsMax = 250;

/** Lets `pick` choose until it has had enough, heals the world, and brings everything to its end. */
export async function walk(
  world: World,
  pick: (choices: readonly Choice[]) => Choice | undefined,
): Promise<RunOutcome> {
  const watch = new PropertyWatch();
  watch.see(world.trace);
  const counts: Record<string, number> = {};
  const choose = async (choice: Choice) => {
    counts[choice.kind] = (counts[choice.kind] ?? 0) + 1;
    watch.see(await world.choose(choice));
  };
  const violations = [...watch.violations];
  try {
    for (let step = 0; step < stepsMax && watch.violations.length === 0; step++) {
      const choice = pick(world.choices.filter(({ operation }) => operation !== finalRead.name));
      if (choice === undefined) break;
      await choose(choice);
    }
    if (watch.violations.length === 0) await finish(world, watch);
  } catch (error) {
    violations.push({ id: 'crash', because: String(error) });
  }
  violations.push(...watch.violations);
  return { options: world.options, labels: world.labels, violations, counts, world };
}

/** Everybody comes back; whatever runs must end, and the file is read once more. */
async function finish(world: World, watch: PropertyWatch): Promise<void> {
  watch.see(await world.heal());
  watch.see(await runToEnd(world));
  const hanging = world.operations.find(({ status }) => status === 'running');
  if (hanging !== undefined) throw new Error(`${hanging.spec.name} never ends`);
  if (world.choices.some(({ label }) => label === `start ${finalRead.name}`)) {
    watch.see(await world.choose(`start ${finalRead.name}`));
    watch.see(await runToEnd(world));
  }
}

/** Mostly something useful, now and then a fault; time passes when little else can happen. */
function pickChoice(
  prng: Prng,
  choices: readonly Choice[],
  { operations }: WorldOptions,
): Choice | undefined {
  const of = (kind: Choice['kind']) => choices.filter((choice) => choice.kind === kind);
  const useful = [...of('deliver'), ...of('start')];
  const isRunning = useful.length > 0 || of('advance').length > 0;
  if (!isRunning) return undefined;
  const faulty = choices.filter(({ kind }) => !/^(deliver|start|advance)$/.test(kind));
  if (faulty.length > 0 && prng.chance(0.12)) {
    const kinds = [...new Set(faulty.map(({ kind }) => kind))];
    const kind = prng.pick(kinds);
    return prng.pick(faulty.filter((choice) => choice.kind === kind));
  }
  if (of('advance').length > 0 && (useful.length === 0 || prng.chance(0.01)))
    return of('advance')[0];
  // In one run of two, writers begin while others are under way.
  const start = of('start');
  if (start.length > 0 && prng.chance(start.length === operations.length - 1 ? 1 : 0.06)) {
    return start[0];
  }
  return useful.length === 0 ? undefined : prng.pick(useful);
}
