import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HistoryEntry, linearize } from '../src/simulation/history.ts';

const entry = (
  name: string,
  [start, end]: readonly [number, number | undefined],
  seen?: string,
  kind: HistoryEntry['kind'] = 'append',
): HistoryEntry => ({ name, word: name, kind, start, end, seen: seen?.split('+') });

describe('linearize', () => {
  test('finds the order in which appenders saw each other', () => {
    const history = [entry('b', [0, 9], 'v+a'), entry('a', [0, 9], 'v')];
    expect(linearize(history, ['v'])).toEqual(['a', 'b']);
  });

  test('finds none for a lost update', () => {
    const history = [entry('a', [0, 1], 'v'), entry('b', [2, 3], 'v')];
    expect(linearize(history, ['v'])).toBeUndefined();
    // Neither if they overlap: both saw v, so one of them was overwritten.
    expect(linearize([entry('a', [0, 5], 'v'), entry('b', [2, 3], 'v')], ['v'])).toBeUndefined();
  });

  test('an order may not turn time around', () => {
    const history = [entry('r', [2, 3], 'v', 'read'), entry('a', [0, 1], 'v')];
    expect(linearize(history, ['v'])).toBeUndefined();
    expect(linearize([entry('r', [0, 3], 'v', 'read'), entry('a', [0, 1], 'v')], ['v'])).toEqual([
      'r',
      'a',
    ]);
  });

  test('what failed may have happened, or not, and late', () => {
    const failed = entry('x', [0, undefined]);
    expect(linearize([failed, entry('a', [1, 2], 'v+x')], ['v'])).toEqual(['x', 'a']);
    expect(linearize([failed, entry('a', [1, 2], 'v')], ['v'])).toEqual(['a']);
    const late = [failed, entry('a', [1, 2], 'v'), entry('r', [3, 4], 'v+a+x', 'read')];
    expect(linearize(late, ['v'])).toEqual(['a', 'x', 'r']);
  });

  test('a writer whose word is there already changes nothing', () => {
    const history = [
      { ...entry('a 0', [0, undefined], 'v'), word: 'a' },
      entry('b', [0, 9], 'v+a'),
      { ...entry('a 1', [0, 9], 'v+a+b'), word: 'a' },
    ];
    expect(linearize(history, ['v'])).toEqual(['a 0', 'b', 'a 1']);
  });

  test('an overwrite leaves nothing else', () => {
    const history = [entry('a', [0, 1], 'v'), entry('s', [0, 9], undefined, 'set')];
    expect(linearize([...history, entry('r', [10, 11], 's', 'read')], ['v'])).toBeDefined();
    expect(linearize([...history, entry('r', [10, 11], 's+a', 'read')], ['v'])).toBeUndefined();
  });

  test('agrees with trying every order', () => {
    const times = fc.tuple(fc.nat(6), fc.nat(6)).map(([a, b]) => [a, a + b] as const);
    const seen = fc.subarray(['v', 'a', 'b', 'c'], { minLength: 1 });
    const one = (name: string) =>
      fc.record({
        name: fc.constant(name),
        word: fc.constant(name),
        kind: fc.constantFrom('append', 'set', 'read') as fc.Arbitrary<HistoryEntry['kind']>,
        start: times.map(([start]) => start),
        end: fc.option(
          times.map(([, end]) => 6 + end),
          { nil: undefined },
        ),
        seen: fc.option(seen, { nil: undefined }),
      });
    const histories = fc.tuple(one('a'), one('b'), one('c'));
    fc.assert(
      fc.property(histories, (history) => {
        expect(linearize(history, ['v']) !== undefined).toBe(hasOrder(history));
      }),
      { numRuns: 500 },
    );
  });
});

/** By brute force: every order of every subset that has all that must be there. */
function hasOrder(history: readonly HistoryEntry[]): boolean {
  return subsets(history).some(
    (subset) =>
      history.every((e) => e.end === undefined || subset.includes(e)) &&
      orders(subset).some((order) => explains(order) && keepsTime(order)),
  );
}

function explains(order: readonly HistoryEntry[]): boolean {
  let state = 'v';
  for (const { kind, word, seen } of order) {
    if (kind === 'set') state = word;
    else if (seen !== undefined && seen.join('+') !== state) return false;
    else if (kind === 'append' && !state.split('+').includes(word)) state += `+${word}`;
  }
  return true;
}

function keepsTime(order: readonly HistoryEntry[]): boolean {
  return order.every((early, i) =>
    order.slice(i + 1).every(({ end = Number.POSITIVE_INFINITY }) => early.start <= end),
  );
}

function subsets<T>([first, ...rest]: readonly T[]): T[][] {
  if (first === undefined) return [[]];
  return subsets(rest).flatMap((set) => [set, [first, ...set]]);
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) =>
    orders(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]),
  );
}
