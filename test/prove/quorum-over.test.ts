/**
 * What `quorum-over.ts` says is over leads to nothing that breaks: seen where mistakes are put into
 * the rules, so that much does. And what it judges of a world holds all that comes after it: seen
 * of the shipped kernels, and not of one that sends where it may not.
 */
import { describe, expect, test } from 'vitest';
import { kernelsWith } from '../support/mutants.ts';
import { shippedKernels } from './quorum-cast.ts';
import { type Future, Futures, isWithinFuture } from './quorum-futures.ts';
import { Joints, type Stand, siteOf } from './quorum-joint.ts';
import { mistakes } from './quorum-mistakes.ts';
import { type Kernels, modelOf, type QuorumModel, type QuorumSize } from './quorum-model.ts';
import type { Mark } from './quorum-parts.ts';
import { deferring } from './quorum-plan.ts';
import {
  isWithin,
  joined,
  type Last,
  type Outset,
  outsetOf,
  type Prospect,
  prospectsOf,
} from './quorum-prospects.ts';
import { goThrough, type Through } from './quorum-through.ts';
import { QuorumWorlds, type World } from './quorum-world.ts';

const small: QuorumSize = { servers: 3, required: 2, total: 2, size: 2, writers: 2, attempts: 1 };
const spread: QuorumSize = { servers: 3, required: 2, total: 3, size: 2, writers: 1, attempts: 2 };

/**
 * How many worlds lead to something that breaks, how many are over, and how many both; and how many
 * steps are left out, and lead there.
 */
async function overAt(size: QuorumSize, name: string) {
  const edits = mistakes.find((mistake) => mistake.name === name)?.edits ?? [];
  const worlds = new QuorumWorlds(modelOf(size, deferring), await kernelsWith(edits));
  const before: number[][] = [];
  const isBreaking: boolean[] = [];
  const every: Through[] = [];
  const all = goThrough(worlds, (step) => {
    const { at, next, to, violation } = step;
    if (violation !== undefined) isBreaking[at] = true;
    if (next !== null) before[to] = [...(before[to] ?? []), at];
    every.push(step);
  });
  const waiting = all.flatMap((_, at) => (isBreaking[at] ? [at] : []));
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const from of before[at] ?? []) {
      if (!isBreaking[from]) waiting.push(from);
      isBreaking[from] = true;
    }
  }
  const over = all.flatMap((world, at) => (worlds.isOver(world) ? [at] : []));
  // But for what is found by the way.
  const nameOf = (next: World | null) => JSON.stringify(next?.slice(0, worlds.shown));
  const kept = all.map((world) => {
    const nexts = new Set<string>();
    worlds.steps(world, (next) => nexts.add(nameOf(next)));
    return nexts;
  });
  const left = every.filter(({ at, next }) => kept[at]?.has(nameOf(next)) === false);
  return {
    breaking: isBreaking.filter((is) => is).length,
    over: over.length,
    wrong: over.filter((at) => isBreaking[at]).length,
    left: left.length,
    leftWrong: left.filter(({ to, violation }) => isBreaking[to] || violation !== undefined).length,
  };
}

/** What is judged of a world. */
interface Judged {
  /** Of each server. */
  readonly futures: readonly (readonly Future[] | null)[];
  /** What servers may have had together, by what they hold then; null: two rivals may both win. */
  readonly ways: ReadonlyMap<string, readonly Had[]> | null;
}

/** Of each server. */
type Had = readonly (readonly Mark[])[];

/** What is judged of worlds in which nobody looks any more. */
function judging(worlds: QuorumWorlds, kernels: Kernels) {
  const { cast } = worlds;
  const joints = new Joints(cast, kernels);
  const futures = new Futures(cast, (row, mark) => worlds.isBarred(row, mark));
  return (world: World, look: Last | null = null): Judged | null => {
    const prospects = prospectsOf(worlds, world, look);
    if (prospects === null) return null;
    const acked = world[worlds.acked] as Mark;
    const sites = prospects.map((prospect) => siteOf(cast, prospect));
    const joint = joints.of(sites, acked);
    const ways = new Map<string, Had[]>();
    const areAll = joint?.every(acked, (places) => {
      const stands = [...places].map((place, at) => joint.standsOf(at)[place] as Stand);
      const marksIn = (bits: number) => joint.marks.filter((_, i) => ((bits >> i) & 1) === 1);
      const holds = JSON.stringify(stands.map((stand) => marksIn(stand.holds)));
      const had = stands.map((stand) => marksIn(stand.had));
      ways.set(holds, [...(ways.get(holds) ?? []), had]);
      return true;
    });
    const of = prospects.map((prospect) => futures.of(prospect));
    return { futures: of, ways: areAll === true ? ways : null };
  };
}

/** How much of what is judged of `after` is not in what is judged of the world before it. */
function outside(before: Judged, after: Judged): number {
  const futures = after.futures.flatMap((all, at) => {
    const more = before.futures[at] ?? null;
    return more === null
      ? []
      : (all ?? []).filter((one) => !more.some((other) => isWithinFuture(one, other)));
  });
  if (before.ways === null) return futures.length;
  const { ways } = before;
  const isHadIn = (had: Had, more: Had) =>
    had.every((marks, at) => marks.every((mark) => more[at]?.includes(mark)));
  const left = [...(after.ways ?? [])].flatMap(([holds, all]) =>
    all.filter((had) => !(ways.get(holds) ?? []).some((more) => isHadIn(had, more))),
  );
  return futures.length + left.length + (after.ways === null ? 1 : 0);
}

/** How many steps are judged, and how much they come to that was not. */
function stepsOf(model: QuorumModel, kernels: Kernels) {
  const worlds = new QuorumWorlds(model, kernels);
  const judgedOf = judging(worlds, kernels);
  const judged = new Map<number, Judged | null>();
  const found = { steps: 0, outside: 0 };
  goThrough(worlds, ({ world, at, next }) => {
    if (!judged.has(at)) judged.set(at, judgedOf(world));
    const before = judged.get(at) ?? null;
    const after = before === null || next === null ? null : judgedOf(next);
    if (before === null || after === null) return;
    found.steps++;
    found.outside += outside(before, after);
  });
  return found;
}

/** The same of worlds in which somebody looks for the last time, for each version that is planned. */
function looksOf(model: QuorumModel, kernels: Kernels) {
  const worlds = new QuorumWorlds(model, kernels);
  const { cast } = worlds;
  const judgedOf = judging(worlds, kernels);
  const nexts = new Map<World, World[]>();
  goThrough(worlds, ({ world, next }) => {
    if (next !== null) nexts.set(world, [...(nexts.get(world) ?? []), next]);
  });
  const found = { steps: 0, outside: 0 };
  for (const [world, all] of nexts) {
    for (let index = 0; index < model.writers; index++) {
      const writerIn = (one: World) => cast.known(one[model.servers + index] as number).writer;
      if (writerIn(world).phase !== 'looking') continue;
      for (const mark of new Set(all.map((next) => writerIn(next).mark).filter((it) => it >= 0))) {
        const look = { index, mark };
        const before = judgedOf(world, look);
        for (const next of all) {
          const isLooking = writerIn(next).phase === 'looking';
          if (before === null || (!isLooking && writerIn(next).mark !== mark)) continue;
          found.steps++;
          found.outside += outside(before, judgedOf(next, isLooking ? look : null) as Judged);
        }
      }
    }
  }
  return found;
}

describe('what is over', () => {
  test.each<[string, QuorumSize, isLeft: boolean]>([
    ['one-fewer', small, false],
    ['no-order', small, true],
    ['no-blocking', small, true],
    ['newer-overwritten', small, true],
    ['before-b', small, false],
    ['own-base', small, false],
    ['no-beside', spread, true],
    ['newer-overwritten', { ...small, required: 1, writers: 1, attempts: 3 }, true],
  ])('leads to nothing that breaks: %s, %j; plans are left out: %j', async (name, size, isLeft) => {
    const { over, breaking, wrong, left, leftWrong } = await overAt(size, name);
    expect(over).toBeGreaterThan(0);
    expect(breaking).toBeGreaterThan(0);
    expect(wrong).toBe(0);
    expect(left > 0).toBe(isLeft);
    expect(leftWrong).toBe(0);
  });
});

describe('what is judged of a world', () => {
  test.each<[QuorumSize, Partial<QuorumModel>]>([
    [small, {}],
    [spread, {}],
    [
      { ...spread, writers: 2, attempts: 1 },
      { lost: 1, repairs: 1 },
    ],
    [
      { ...spread, required: 1, writers: 2, attempts: 1 },
      { lost: 1, repairs: 2 },
    ],
    [{ ...small, required: 1 }, { parents: 'none' }],
  ])('holds what is judged of those after it: %j, %j', (size, more) => {
    const model = modelOf(size, { ...deferring, ...more });
    for (const found of [stepsOf(model, shippedKernels), looksOf(model, shippedKernels)]) {
      expect(found.steps).toBeGreaterThan(0);
      expect(found.outside).toBe(0);
    }
  });

  test('does not, if requests are sent wherever there is a server', async () => {
    const file = 'machines/publish-kernel.ts';
    const from = `record.force || held.every(({ share }) => isReplaceable(view, candidate, share));
  const open`;
    const kernels = await kernelsWith([{ file, from, to: 'true;\n  const open' }]);
    expect(stepsOf(modelOf(small, deferring), kernels).outside).toBeGreaterThan(0);
  });
});

test('what may come of either of two servers holds what may come of each', () => {
  const worlds = new QuorumWorlds(modelOf(spread, deferring), shippedKernels);
  const last = new Map<string, Outset>();
  let differing = 0;
  for (const world of goThrough(worlds, () => {})) {
    const outset = outsetOf(worlds, world);
    if (outset === null) continue;
    const before = last.get(outset.now);
    last.set(outset.now, outset);
    outset.prospects.forEach((one, at) => {
      const other = before?.prospects[at] as Prospect | undefined;
      if (other === undefined) return;
      const both = joined(one, other);
      expect([isWithin(one, both), isWithin(other, both)]).toEqual([true, true]);
      if (!isWithin(both, one) && !isWithin(both, other)) differing++;
    });
  }
  expect(differing).toBeGreaterThan(0);
});
