/**
 * @module simulate: random worlds, each from one integer, every property after every step.
 *
 * The seed decides the grid, the operations, which kinds of fault may happen (a random few: too
 * many at once would only make every operation fail) and every choice. After a while the faults
 * stop, everybody comes back, and every operation must end; then a reader looks at the file.
 */
import type { Encoding } from '../encoding.ts';
import { rotFields } from './disk.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import { historyOf } from './histories.ts';
import type { OperationSpec, Task } from './operations.ts';
import { Prng } from './prng.ts';
import { PropertyWatch } from './properties.ts';
import { nextToEnd } from './run-to-end.ts';
import { type Choice, type ServerSpec, type ShareSpec, World, type WorldOptions } from './world.ts';

/** What came of a run. */
export interface RunOutcome {
  /** Of its world. */
  readonly options: WorldOptions;
  /** The choices, by their labels: `World.replay(options, labels)` is the run. */
  readonly labels: readonly string[];
  /** Which properties were broken, and why. */
  readonly violations: readonly { readonly id: string; readonly because: string }[];
  /** How often each kind of choice was made. */
  readonly counts: Readonly<Record<string, number>>;
  /** How many operations the history has that was put in order; none beyond the limits of X4. */
  readonly inOrder: number;
  /** As it is at the end. */
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
  return withRepairs(new Prng(seed + 0.75 * 2 ** 32), soundOptionsOf(seed, allowed));
}

/** The same of a file that is whole, and that nobody repairs. */
export function soundOptionsOf(
  seed: number,
  allowed: readonly FaultKind[] = faultKinds,
): WorldOptions {
  const prng = new Prng(seed);
  const encoding = pickWeighted(prng, encodings);
  const format = prng.chance(0.3) ? 'mdmf' : 'sdmf';
  const chosen = prng.chance(0.15) ? [] : allowed.filter(() => prng.chance(0.25));
  const faults = [...new Set([...chosen, 'heal' as const])];
  return {
    seed,
    format,
    encoding,
    servers: layoutOf(prng, encoding, faults),
    operations: byClients(new Prng(seed + 0.25 * 2 ** 32), operationsOf(prng)),
    faults,
    headLength: prng.chance(0.3) ? 123 : 4000,
    isDeaf: prng.chance(0.15),
    losable: prng.chance(0.3) ? 1 : 0,
  };
}

/** A file that has suffered, and that somebody repairs; or a directory, or both. */
function withRepairs(prng: Prng, options: WorldOptions): WorldOptions {
  const isDirectory = prng.chance(0.15);
  const operations = isDirectory ? options.operations.map(linking) : options.operations;
  if (!prng.chance(0.35)) return { ...options, isDirectory, operations };
  const isHurt = prng.chance(0.7);
  const servers = isHurt ? options.servers.map((one) => hurt(prng, one)) : options.servers;
  const repairs = ['p1', ...(prng.chance(0.3) ? ['p2'] : [])].map((name): OperationSpec => {
    return { name, task: { kind: 'repair' }, ...(prng.chance(0.08) && { force: true }) };
  });
  const all = [...operations.slice(0, -1)];
  for (const one of repairs) all.splice(prng.below(all.length + 1), 0, one);
  return { ...options, isDirectory, servers, operations: [...all, ...finalRepairs, finalRead] };
}

/** Writes of a directory are edits of different names. */
function linking(spec: OperationSpec): OperationSpec {
  const isWrite = spec.name.startsWith('w');
  return isWrite ? { ...spec, task: { kind: 'link', attempts: 3 } } : spec;
}

function specOf(share: number | ShareSpec): ShareSpec {
  return typeof share === 'number' ? { shnum: share } : share;
}

/** Some of its shares are gone, rotten, another's, or of a version that somebody began to write. */
function hurt(prng: Prng, { shares = [], ...server }: ServerSpec): ServerSpec {
  if (prng.chance(0.06)) {
    return { ...server, shares: shares.map((share) => ({ ...specOf(share), isForeign: true })) };
  }
  const all = shares.flatMap((share): readonly (number | ShareSpec)[] => {
    if (typeof share !== 'number' || !prng.chance(0.2)) return [share];
    const what = pickWeighted<'gone' | 'rotten' | 'newer'>(prng, [
      ['gone', 4],
      ['rotten', 4],
      ['newer', 1],
    ]);
    if (what === 'gone') return [];
    return [
      what === 'rotten' ? { shnum: share, rot: prng.pick(rotFields) } : { shnum: share, seqnum: 2 },
    ];
  });
  return { ...server, shares: all };
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
  const writers = pickWeighted(prng, [
    [1, 4],
    [2, 5],
    [3, 2],
    [4, 1],
  ]);
  const operations: OperationSpec[] = [];
  for (let i = 1; i <= writers; i++) {
    const task = pickWeighted<Task>(prng, [
      [{ kind: 'modify', attempts: 3 }, 6],
      [{ kind: 'overwrite' }, 2],
      [{ kind: 'append', attempts: 3 }, 1],
      [{ kind: 'update', offset: 0 }, 1],
    ]);
    operations.push({ name: `w${i}`, task });
  }
  if (prng.chance(0.4)) operations.push({ name: 'r1', task: { kind: 'read' } });
  if (prng.chance(0.1)) operations.push({ name: 'c1', task: { kind: 'verify' } });
  if (prng.chance(0.1)) operations.push({ name: 'm1', task: { kind: 'map', mode: 'check' } });
  return [...operations, finalRead];
}

/** Now and then several writes are one client's, which remembers how its last one left the servers. */
function byClients(prng: Prng, operations: readonly OperationSpec[]): readonly OperationSpec[] {
  if (!prng.chance(0.4)) return operations;
  const isWrite = ({ name }: OperationSpec) => name.startsWith('w');
  return operations.map((one) =>
    isWrite(one) && prng.chance(0.8) ? { ...one, client: 'a' } : one,
  );
}

/** These begin when all others have ended and everybody is back, one after the other. */
const finalRepairs: readonly OperationSpec[] = ['mend', 'again'].map((name) => {
  return { name, task: { kind: 'repair' } };
});
const finalRead: OperationSpec = { name: 'last', task: { kind: 'read' } };
const finalNames: readonly string[] = [...finalRepairs, finalRead].map(({ name }) => name);

/** What {@link simulate} can be told. */
export interface SimulateSettings {
  /** Kinds of fault that may happen; all by default. The seed takes a few of them. */
  readonly faults?: readonly FaultKind[] | undefined;
  /** A world of your own: the seed decides what happens in it, and nothing else. */
  readonly world?: WorldOptions | undefined;
}

/**
 * Runs the world of `seed`: its grid, its operations and its choices come of it. Every property is
 * judged after every choice; then everybody comes back, and every operation must end.
 */
export async function simulate(
  seed: number,
  { faults, world: given }: SimulateSettings = {},
): Promise<RunOutcome> {
  const options = given ?? optionsOf(seed, faults);
  const world = await World.create({ ...options, seed });
  const prng = new Prng(seed + 0.5 * 2 ** 32);
  return walk(world, () => pickChoice(prng, world));
}

const stepsMax = 250;

/**
 * Lets `pick` choose until it has had enough, heals the world, and brings everything to its end.
 */
export async function walk(
  world: World,
  pick: (world: World) => Choice | undefined,
): Promise<RunOutcome> {
  return run(world, async (watch, choose) => {
    for (let step = 0; step < stepsMax && watch.violations.length === 0; step++) {
      const choice = pick(world);
      if (choice === undefined) break;
      await choose(choice);
    }
    if (watch.violations.length === 0) await finish(world, choose);
  });
}

/**
 * Runs these choices, passing over what cannot happen, and then to the end as `walk` does.
 */
export async function runLabels(
  options: WorldOptions,
  labels: readonly string[],
): Promise<RunOutcome> {
  const world = await World.create(options);
  return run(world, async (watch, choose) => {
    for (const label of labels) {
      if (watch.violations.length > 0) return;
      const choice = world.choices.find((c) => c.label === label);
      if (choice !== undefined) await choose(choice);
    }
    if (watch.violations.length === 0) await finish(world, choose);
  });
}

type Choose = (choice: Choice) => Promise<void>;

/** A run under watch: broken properties, and what was thrown, are its outcome. */
async function run(
  world: World,
  work: (watch: PropertyWatch, choose: Choose) => Promise<void>,
): Promise<RunOutcome> {
  const watch = new PropertyWatch();
  watch.see(world.trace);
  const counts: Record<string, number> = {};
  const errors: { id: string; because: string }[] = [];
  try {
    await work(watch, async (choice) => {
      counts[choice.kind] = (counts[choice.kind] ?? 0) + 1;
      watch.see(await world.choose(choice));
    });
  } catch (error) {
    errors.push({ id: 'ends', because: error instanceof Error ? error.message : String(error) });
  }
  const violations = [...errors, ...watch.violations];
  const inOrder = historyOf(watch.facts)?.entries.length ?? 0;
  return { options: world.options, labels: world.labels, violations, counts, inOrder, world };
}

/** Everybody comes back; whatever runs must end, and the file is repaired and read once more. */
async function finish(world: World, choose: Choose): Promise<void> {
  const find = (label: string) => world.choices.find((choice) => choice.label === label);
  const heal = find('heal');
  if (heal !== undefined) await choose(heal);
  await bringToEnd(world, choose);
  for (const name of finalNames) {
    const start = find(`start ${name}`);
    if (start === undefined) continue;
    await choose(start);
    await bringToEnd(world, choose);
  }
}

const endStepsMax = 5000;

async function bringToEnd(world: World, choose: Choose): Promise<void> {
  for (let steps = 0; steps < endStepsMax; steps++) {
    const next = nextToEnd(world);
    if (next === undefined) break;
    await choose(next);
  }
  const hanging = world.operations.find(({ status }) => status === 'running');
  if (hanging !== undefined) throw new Error(`${hanging.spec.name} never ends`);
}

/** Mostly something useful, now and then a fault; time passes when little else can happen. */
function pickChoice(prng: Prng, world: World): Choice | undefined {
  const plain = world.plainChoices.filter(({ operation = '' }) => !finalNames.includes(operation));
  const useful = plain.filter(({ kind }) => kind !== 'advance');
  const advance = plain.find(({ kind }) => kind === 'advance');
  if (useful.length === 0 && advance === undefined) return undefined;
  if (prng.chance(0.12)) {
    const fault = pickFault(prng, world);
    if (fault !== undefined) return fault;
  }
  if (advance !== undefined && (useful.length === 0 || prng.chance(0.01))) return advance;
  // Somebody has to begin; the others follow at once or much later.
  const starts = useful.filter(
    ({ kind, operation }) => kind === 'start' && !isBusy(world, operation),
  );
  const isFirst = world.operations.every(
    ({ spec, status }) => status === 'waiting' || finalNames.includes(spec.name),
  );
  if (starts.length > 0 && prng.chance(isFirst ? 1 : 0.06)) return starts[0];
  const others = useful.filter((one) => one.kind !== 'start' || starts.includes(one));
  return others.length === 0 ? advance : prng.pick(others);
}

/** Whether another operation of the same client is under way: it takes one after the other. */
function isBusy({ operations }: World, name: string | undefined): boolean {
  const client = operations.find(({ spec }) => spec.name === name)?.spec.client;
  return operations.some(
    ({ spec, status }) => spec.client === client && client !== undefined && status === 'running',
  );
}

/** Every kind that can happen now is as likely as any other. */
function pickFault(prng: Prng, world: World): Choice | undefined {
  const kinds = (world.options.faults ?? faultKinds).filter((kind) => kind !== 'heal');
  while (kinds.length > 0) {
    const [kind] = kinds.splice(prng.below(kinds.length), 1);
    const choices = world.faultsOf(kind as FaultKind);
    if (choices.length > 0) return prng.pick(choices);
  }
  return undefined;
}
