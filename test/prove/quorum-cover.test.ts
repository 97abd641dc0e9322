/**
 * What `quorum-cover.ts` leaves out brings nothing: the servers come to the same without it, and
 * writers who know more send no less.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/simulation/prng.ts';
import { kernelsWith } from '../support/mutants.ts';
import { exploreQuorum } from './quorum-explore.ts';
import { mistakes } from './quorum-mistakes.ts';
import { modelOf, type QuorumModel } from './quorum-model.ts';
import { outcomesOf } from './quorum-outcomes.ts';
import { landed } from './quorum-parts.ts';
import { covering } from './quorum-plan.ts';
import { Course } from './quorum-walk.ts';
import { QuorumWorlds } from './quorum-world.ts';

type Point = readonly [servers: number, size: number, writers: number, attempts: number];

function model([servers, size, writers, attempts]: Point, more: Partial<QuorumModel> = {}) {
  return modelOf({ servers, required: 1, size, writers, attempts }, more);
}

describe('steps that are covered', () => {
  test.each<[Point]>([[[3, 2, 2, 1]], [[3, 2, 1, 3]], [[3, 3, 2, 1]], [[4, 4, 1, 2]]])(
    'bring the servers to nothing else: S, W, writers, tries = %j',
    (point) => {
      const full = outcomesOf(model(point));
      expect(full.size).toBeGreaterThan(5);
      expect(outcomesOf(model(point, covering))).toEqual(full);
    },
  );

  test.each<[Point, number]>([
    [[3, 2, 2, 1], 50],
    [[3, 2, 1, 3], 532],
    [[3, 2, 3, 1], 871],
    [[4, 3, 3, 1], 3910],
  ])('leave this: S, W, writers, tries = %j: %i states', (point, states) => {
    const findings = exploreQuorum(model(point, covering), { limit: 100_000 });
    expect(findings).toMatchObject({ ended: 'exhausted', violations: 0, states });
  });

  test.each(['one-fewer', 'no-blocking', 'newer-overwritten', 'before-b', 'own-base'])(
    'do not hide a mistake: %s',
    async (name) => {
      const { edits = [] } = mistakes.find((mistake) => mistake.name === name) ?? {};
      const kernels = await kernelsWith(edits);
      const options = { limit: 100_000, first: true, kernels };
      expect(exploreQuorum(model([3, 2, 2, 2], covering), options).violations).toBeGreaterThan(0);
    },
  );

  test('are not for shares that differ', () => {
    expect(() => new QuorumWorlds({ ...model([3, 2, 2, 1], covering), total: 3 })).toThrow(
      RangeError,
    );
  });
});

test('a writer that knows more sends no less', () => {
  let compared = 0;
  for (let seed = 0; seed < 12; seed++) {
    const points: readonly Point[] = [
      [3, 2, 2, 3],
      [4, 3, 3, 2],
      [5, 3, 3, 2],
    ];
    const worlds = new QuorumWorlds(model(points[seed % 3] as Point));
    const { cast } = worlds;
    const { servers, writers } = worlds.model;
    const course = new Course(worlds, new Prng(seed));
    const rows = new Set<number>();
    const sent = (id: number) => new Set(cast.known(id).flights.map((f) => `${f.at} ${f.kind}`));
    course.run(() => {
      for (let at = 0; at < servers; at++) rows.add(course.world[at] as number);
      for (let place = servers; place < servers + writers; place++) {
        const id = course.world[place] as number;
        const { writer, flights } = cast.known(id);
        if (writer.phase !== 'writing') continue;
        for (const { at } of flights) {
          for (const { at: other } of flights) {
            if (other === at) continue;
            const isThere = writer.pending[other] === landed;
            const tells = isThere
              ? [(one: number) => cast.accepted(one, other)]
              : [...rows].map((row) => (one: number) => cast.surprised(one, other, row));
            for (const tell of tells) {
              const later = tell(id);
              const isOver = (one: number) => cast.known(one).writer.phase !== 'writing';
              if (isOver(later)) continue;
              const losing = tell(cast.gaveUp(id, at));
              const knowing = tell(cast.accepted(id, at));
              // Who waits for it, or knows that it has landed, sends all that others would.
              const others = [...sent(later)].filter((one) => !one.startsWith(`${at} `));
              const lost = isOver(losing) ? [] : [...sent(losing)];
              compared++;
              expect(lost.every((one) => sent(later).has(one))).toBe(true);
              expect(isOver(knowing) || others.every((one) => sent(knowing).has(one))).toBe(true);
            }
          }
        }
      }
    });
  }
  expect(compared).toBeGreaterThan(1000);
});
