import { describe, expect, test } from 'vitest';
import { inPairs, median, pick, ratioInterval } from '../../bench/statistics.ts';

describe('the median', () => {
  test('is the one in the middle, or between the two that are', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 6])).toBe(5.5);
    expect(median([7])).toBe(7);
  });

  test('of nothing is no number, and no measurement is moved', () => {
    const values = [3, 1, 2];
    expect(median([])).toBeNaN();
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

test('pairs are measured in the order ABBA, one at a time', async () => {
  const order: string[] = [];
  const take = (name: string) => async () => {
    order.push(name);
    await Promise.resolve();
    return `${name}${order.length}`;
  };
  const pairs = await inPairs(4, take('a'), take('b'));
  expect(order.join('')).toBe('abbaabba');
  expect(pairs).toEqual({ a: ['a1', 'a4', 'a5', 'a8'], b: ['b2', 'b3', 'b6', 'b7'] });
  expect(pick(pairs, (text) => Number(text.slice(1)))).toEqual({
    a: [1, 4, 5, 8],
    b: [2, 3, 6, 7],
  });
});

describe('the interval of a ratio', () => {
  test('is that ratio where all pairs are alike', () => {
    expect(ratioInterval({ a: [2, 2, 2], b: [6, 6, 6] })).toEqual([3, 3]);
  });

  test('lies around the ratio, and is the same every time', () => {
    const pairs = { a: [10, 11, 9, 10, 12, 10], b: [20, 26, 18, 20, 21, 19] };
    const [low, high] = ratioInterval(pairs) as [number, number];
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(2);
    expect(ratioInterval(pairs)).toEqual([low, high]);
  });

  test('of one pair is not known', () => {
    expect(ratioInterval({ a: [1], b: [2] })).toBeUndefined();
  });
});
