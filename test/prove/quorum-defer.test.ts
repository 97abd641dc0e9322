/**
 * What `quorum-defer.ts` puts off, and `quorum-over.ts` ends, brings nothing: the servers come to
 * the same without the first, and what breaks is the same without both, whatever the mistake.
 */
import { describe, expect, test } from 'vitest';
import { kernelsWith } from '../support/mutants.ts';
import { exploreQuorum } from './quorum-explore.ts';
import { mistakes } from './quorum-mistakes.ts';
import { modelOf, type QuorumModel } from './quorum-model.ts';
import { outcomesOf } from './quorum-outcomes.ts';
import { deferring, lean } from './quorum-plan.ts';
import { QuorumWorlds } from './quorum-world.ts';

type Point = readonly [
  servers: number,
  required: number,
  total: number,
  size: number,
  writers: number,
  attempts: number,
];

function model([servers, required, total, ...rest]: Point, more: Partial<QuorumModel>) {
  const [size, writers, attempts] = rest;
  return modelOf({ servers, required, total, size, writers, attempts }, more);
}

/** What each of these breaks at a size, in alphabetical order. */
async function brokenAt(point: Point, name: string, more: Partial<QuorumModel>) {
  const edits = mistakes.find((mistake) => mistake.name === name)?.edits ?? [];
  const kernels = await kernelsWith(edits);
  const { traces } = exploreQuorum(model(point, more), { limit: 100_000, kernels });
  return Object.keys(traces).sort();
}

describe('what is put off', () => {
  test.each<[Point, Partial<QuorumModel>]>([
    [[3, 2, 2, 2, 2, 1], {}],
    [[3, 2, 3, 2, 1, 2], { lost: 1 }],
    [[3, 1, 2, 2, 2, 1], { parents: 'none' }],
    [[3, 2, 3, 2, 2, 1], { lost: 1, repairs: 1 }],
  ])('brings the servers to nothing else: S, k, N, W, writers, tries = %j, %j', (point, more) => {
    const all = outcomesOf(model(point, { ...lean, ...more }));
    expect(all.size).toBeGreaterThan(10);
    expect(outcomesOf(model(point, { ...deferring, ...more }))).toEqual(all);
  });

  test.each<[Point, number]>([
    [[3, 2, 2, 2, 2, 1], 15],
    [[3, 2, 3, 3, 2, 1], 14],
    [[3, 2, 3, 2, 1, 2], 91],
  ])('and over leaves this: S, k, N, W, writers, tries = %j: %i states', (point, states) => {
    const findings = exploreQuorum(model(point, deferring), { limit: 100_000 });
    expect(findings).toMatchObject({ ended: 'exhausted', violations: 0, states });
  });

  test.each<[string, readonly string[]]>([
    ['one-fewer', ['chain', 'hidden', 'lost']],
    ['no-order', ['hidden']],
    ['newer-overwritten', ['chain', 'hidden']],
    ['own-base', ['lost']],
  ])('hides no mistake: %s breaks %j', async (name, broken) => {
    const point: Point = [3, 2, 2, 2, 2, 1];
    expect(await brokenAt(point, name, lean)).toEqual(broken);
    expect(await brokenAt(point, name, deferring)).toEqual(broken);
  });

  test.each<Partial<QuorumModel>>([
    { late: true },
    { givesUp: true },
    { remembers: true },
    { losable: 1 },
    { rots: 1 },
    { tests: 'shares' },
  ])('is not for %j', (more) => {
    expect(() => new QuorumWorlds(model([3, 2, 3, 2, 2, 1], { ...deferring, ...more }))).toThrow(
      RangeError,
    );
  });
});
