/**
 * What `quorum-over.ts` says is over leads to nothing that breaks: seen where mistakes are put into
 * the rules, so that much does.
 */
import { describe, expect, test } from 'vitest';
import { kernelsWith } from '../support/mutants.ts';
import { Fingerprints } from './quorum-fingerprint.ts';
import { mistakes } from './quorum-mistakes.ts';
import { modelOf, type QuorumSize } from './quorum-model.ts';
import { deferring } from './quorum-plan.ts';
import { QuorumWorlds, type World } from './quorum-world.ts';

const small: QuorumSize = { servers: 3, required: 2, total: 2, size: 2, writers: 2, attempts: 1 };
const spread: QuorumSize = { servers: 3, required: 2, total: 3, size: 2, writers: 1, attempts: 2 };

/** How many worlds lead to something that breaks, how many are over, and how many both. */
async function overAt(size: QuorumSize, name: string) {
  const edits = mistakes.find((mistake) => mistake.name === name)?.edits ?? [];
  const worlds = new QuorumWorlds(modelOf(size, deferring), await kernelsWith(edits));
  const prints = new Fingerprints(worlds);
  const met = new Map<string, number>();
  const all: World[] = [];
  const before: number[][] = [];
  const isBreaking: boolean[] = [];
  const reach = (world: World, from: number) => {
    prints.take(world);
    const print = `${prints.high} ${prints.low}`;
    let at = met.get(print);
    if (at === undefined) {
      at = all.push(world) - 1;
      met.set(print, at);
      before.push([]);
      isBreaking.push(false);
    }
    before[at]?.push(from);
  };
  reach(worlds.first(), 0);
  for (let at = 0; at < all.length; at++) {
    worlds.steps(all[at] as World, (next, violation) => {
      if (violation !== undefined) isBreaking[at] = true;
      if (next !== null) reach(next, at);
    });
  }
  const waiting = all.flatMap((_, at) => (isBreaking[at] ? [at] : []));
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const from of before[at] ?? []) {
      if (!isBreaking[from]) waiting.push(from);
      isBreaking[from] = true;
    }
  }
  const over = all.flatMap((world, at) => (worlds.isOver(world) ? [at] : []));
  return {
    breaking: isBreaking.filter((is) => is).length,
    over: over.length,
    wrong: over.filter((at) => isBreaking[at]).length,
  };
}

describe('what is over', () => {
  test.each<[string, QuorumSize]>([
    ['one-fewer', small],
    ['no-order', small],
    ['no-blocking', small],
    ['newer-overwritten', small],
    ['before-b', small],
    ['own-base', small],
    ['no-beside', spread],
  ])('leads to nothing that breaks: %s, %j', async (name, size) => {
    const { over, breaking, wrong } = await overAt(size, name);
    expect(over).toBeGreaterThan(0);
    expect(breaking).toBeGreaterThan(0);
    expect(wrong).toBe(0);
  });
});
