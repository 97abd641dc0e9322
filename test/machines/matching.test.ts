import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matching } from '../../machines/matching.ts';

test('a server that is taken is free where its share can be counted for another one', () => {
  const counted = matching([['s0', 's1'], ['s0'], ['s0', 's1', 's2']]);
  expect([...counted].sort()).toEqual([
    ['s0', 1],
    ['s1', 0],
    ['s2', 2],
  ]);
});

test('shares that are all on one server count for it once', () => {
  expect([...matching([['s0'], ['s0'], []])]).toEqual([['s0', 0]]);
});

test('no other way counts for more servers', () => {
  const someShares = fc.array(fc.uniqueArray(fc.nat(4), { maxLength: 5 }), { maxLength: 5 });
  fc.assert(
    fc.property(someShares, (shares) => {
      const counted = matching(shares);
      for (const [server, share] of counted) expect(shares[share]).toContain(server);
      expect(new Set(counted.values()).size).toBe(counted.size);
      expect(counted.size).toBe(mostOf(shares, new Set()));
    }),
  );
});

/** Every choice tried. */
function mostOf([first, ...rest]: readonly number[][], taken: ReadonlySet<number>): number {
  if (first === undefined) return 0;
  const free = first.filter((server) => !taken.has(server));
  const used = free.map((server) => 1 + mostOf(rest, new Set([...taken, server])));
  return Math.max(mostOf(rest, taken), ...used);
}
