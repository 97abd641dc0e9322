import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HistoryEntry, linearize, type Register } from '../../src/simulation/history.ts';

const never = Number.POSITIVE_INFINITY;

/** An appender that was told of its success at `end`, or was told nothing. */
const entry = (
  name: string,
  [start, end]: readonly [number, number?],
  seen?: string,
  more: Partial<HistoryEntry> = {},
): HistoryEntry => ({
  ...{ name, word: name, kind: 'append', start, end: end ?? never },
  outcome: end === undefined ? 'indeterminate' : 'acknowledged',
  ...{ seen: seen?.split('+'), base: undefined, made: undefined, ...more },
});
const read: Partial<HistoryEntry> = { kind: 'read' };
const v: Register = { version: 1, words: ['v'] };

describe('linearize', () => {
  test('finds the order in which appenders saw each other', () => {
    const history = [entry('b', [0, 9], 'v+a'), entry('a', [0, 9], 'v')];
    expect(linearize(history, v)).toEqual(['a', 'b']);
  });

  test('finds none for a lost update', () => {
    const history = [entry('a', [0, 1], 'v'), entry('b', [2, 3], 'v')];
    expect(linearize(history, v)).toBeUndefined();
    // Neither if they overlap: both saw v, so one of them was overwritten.
    expect(linearize([entry('a', [0, 5], 'v'), entry('b', [2, 3], 'v')], v)).toBeUndefined();
  });

  test('finds none where two readers saw two writes in two orders', () => {
    const writes = [
      entry('a', [0, 9], undefined, { kind: 'set' }),
      entry('b', [0, 9], undefined, { kind: 'set' }),
    ];
    const reads = (first: string, second: string) => [
      entry(`${first}1`, [1, 2], first, read),
      entry(`${second}2`, [3, 4], second, read),
    ];
    expect(linearize([...writes, ...reads('a', 'b')], v)).toEqual(['a', 'a1', 'b', 'b2']);
    const crossed = [...reads('a', 'b'), entry('a3', [5, 6], 'a', read)];
    expect(linearize([...writes, ...crossed], v)).toBeUndefined();
  });

  test('an order may not turn time around', () => {
    const history = [entry('r', [2, 3], 'v', read), entry('a', [0, 1], 'v')];
    expect(linearize(history, v)).toBeUndefined();
    expect(linearize([entry('r', [0, 3], 'v', read), entry('a', [0, 1], 'v')], v)).toEqual([
      'r',
      'a',
    ]);
  });

  test('what is indeterminate may have happened, or not, and late', () => {
    const unsure = entry('x', [0]);
    expect(linearize([unsure, entry('a', [1, 2], 'v+x')], v)).toEqual(['x', 'a']);
    expect(linearize([unsure, entry('a', [1, 2], 'v')], v)).toEqual(['a']);
    const late = [unsure, entry('a', [1, 2], 'v'), entry('r', [3, 4], 'v+a+x', read)];
    expect(linearize(late, v)).toEqual(['a', 'x', 'r']);
    // But not before it began, and not undone again.
    expect(linearize([entry('x', [3]), entry('a', [1, 2], 'v+x')], v)).toBeUndefined();
    const undone = [unsure, entry('r', [1, 2], 'v+x', read), entry('q', [3, 4], 'v', read)];
    expect(linearize(undone, v)).toBeUndefined();
  });

  test('what failed has not happened', () => {
    const failed = entry('x', [0], undefined, { outcome: 'failed' });
    expect(linearize([failed, entry('a', [1, 2], 'v')], v)).toEqual(['a']);
    expect(linearize([failed, entry('a', [1, 2], 'v+x')], v)).toBeUndefined();
  });

  test('a writer whose word is there already changes nothing', () => {
    const history = [
      { ...entry('a 0', [0], 'v'), word: 'a' },
      entry('b', [0, 9], 'v+a'),
      { ...entry('a 1', [0, 9], 'v+a+b'), word: 'a' },
    ];
    expect(linearize(history, v)).toEqual(['a 0', 'b', 'a 1']);
  });

  test('an overwrite leaves nothing else, a replacement the rest', () => {
    const history = [entry('a', [0, 1], 'v'), entry('s', [0, 9], undefined, { kind: 'set' })];
    expect(linearize([...history, entry('r', [10, 11], 's', read)], v)).toBeDefined();
    expect(linearize([...history, entry('r', [10, 11], 's+a', read)], v)).toBeUndefined();
    const replaced = [entry('a', [0, 1], 'v'), entry('p', [2, 3], undefined, { kind: 'replace' })];
    expect(linearize([...replaced, entry('r', [4, 5], 'p+a', read)], v)).toBeDefined();
    expect(linearize([...replaced, entry('r', [4, 5], 'p', read)], v)).toBeUndefined();
  });

  test('versions go up, and a writer builds on the one that is there', () => {
    const made = (name: string, base: number | undefined, version: number) =>
      entry(name, [0, 9], undefined, { base, made: version });
    expect(linearize([made('b', 2, 3), made('a', 1, 2)], v)).toEqual(['a', 'b']);
    // One base for two, one number for two, and a step back.
    expect(linearize([made('a', 1, 2), made('b', 1, 3)], v)).toBeUndefined();
    expect(linearize([made('a', undefined, 2), made('b', undefined, 2)], v)).toBeUndefined();
    expect(linearize([made('a', undefined, 1)], v)).toBeUndefined();
    // Contents that are the same do not make a version the same.
    const stale = entry('r', [10, 11], 'v+a', { ...read, base: 2 });
    expect(linearize([made('a', 1, 3), stale], v)).toBeUndefined();
  });

  test('five writers at once, each told, are no trouble', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const writers = names.map((name, i) =>
      entry(name, [0, 9], ['v', ...names.slice(0, i)].join('+')),
    );
    const unsure = ['p', 'q', 'r', 's'].map((name) => entry(name, [0]));
    expect(linearize([...unsure, ...writers.toReversed()], v)).toEqual(names);
  });

  test('agrees with trying every order', () => {
    const seen = fc.subarray(['v', 'a', 'b', 'c'], { minLength: 1 });
    const number = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 1 });
    const one = (name: string): fc.Arbitrary<HistoryEntry> =>
      fc
        .record({
          kind: fc.constantFrom('append', 'replace', 'set', 'read') as fc.Arbitrary<
            HistoryEntry['kind']
          >,
          outcome: fc.constantFrom(
            'acknowledged',
            'acknowledged',
            'indeterminate',
            'failed',
          ) as fc.Arbitrary<HistoryEntry['outcome']>,
          start: fc.nat(6),
          took: fc.nat(6),
          seen: fc.option(seen, { nil: undefined, freq: 1 }),
          base: number,
          made: number,
        })
        .map(({ took, ...about }) => ({
          ...{ name, word: name, ...about },
          end: about.outcome === 'acknowledged' ? about.start + took : never,
          made: about.kind === 'read' ? undefined : about.made,
        }));
    let found = 0;
    fc.assert(
      fc.property(fc.tuple(one('a'), one('b'), one('c')), (history) => {
        const order = linearize(history, v);
        if (order !== undefined && order.length > 1) found++;
        expect(order !== undefined).toBe(hasOrder(history));
      }),
      { numRuns: 1000 },
    );
    // Not by saying no to everything.
    expect(found).toBeGreaterThan(0);
  });
});

/** By brute force: every order of every subset that has all that must be there. */
function hasOrder(history: readonly HistoryEntry[]): boolean {
  return subsets(history.filter(({ outcome }) => outcome !== 'failed')).some(
    (subset) =>
      history.every((e) => e.outcome !== 'acknowledged' || subset.includes(e)) &&
      orders(subset).some((order) => explains(order) && keepsTime(order)),
  );
}

function explains(order: readonly HistoryEntry[]): boolean {
  let state = 'v';
  let number = 1;
  for (const { kind, word, seen, base, made } of order) {
    if (seen !== undefined && seen.join('+') !== state) return false;
    if (base !== undefined && base !== number) return false;
    if (made !== undefined && made <= number) return false;
    number = made ?? number;
    if (kind === 'set') state = word;
    else if (kind === 'replace') state = state.replace(/^\w+/, word);
    else if (kind === 'append' && !state.split('+').includes(word)) state += `+${word}`;
  }
  return true;
}

function keepsTime(order: readonly HistoryEntry[]): boolean {
  return order.every((early, i) => order.slice(i + 1).every(({ end }) => early.start <= end));
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
