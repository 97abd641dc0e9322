import { describe, expect, test } from 'vitest';
import { cost, costInPairs, rate, toJson, toTable } from '../../bench/figure.ts';

const ms = { unit: 'ms', against: 'the other one' };

describe('the ratio', () => {
  test('is above 1 when we take less, and when we do more in a second', () => {
    expect(cost('read', 10, 40, ms).ratio).toBe(4);
    expect(rate('encode', 800, 200, { ...ms, unit: 'MB/s' }).ratio).toBe(4);
  });

  test('against a bound is the share of it that is reached', () => {
    expect(rate('pipeline', 80, 100, ms).ratio).toBe(0.8);
    expect(cost('start-up', 100, 50, ms).ratio).toBe(0.5);
  });

  test('is null where there is nothing to be held against', () => {
    expect(rate('encode', 800, null, ms)).toMatchObject({ anchor: null, ratio: null });
  });

  test('of pairs is that of the medians', () => {
    const row = costInPairs('read', { a: [1, 2, 90], b: [6, 6, 6] }, ms);
    expect(row).toMatchObject({ ours: 2, anchor: 6, ratio: 3 });
    expect(row.interval).toHaveLength(2);
  });

  test('is never made of what is no number', () => {
    expect(() => cost('read', Number.NaN, 1, ms)).toThrowError(/^read: NaN against 1 /);
    expect(() => cost('read', 0, 1, ms)).toThrowError(/^read: 0 against 1 /);
  });
});

test('programs get the five fields of each figure and nothing else', () => {
  const rows = [cost('read', 12.345678, 40, ms), rate('encode', 800, null, ms)];
  expect(JSON.parse(toJson(rows))).toEqual([
    { figure: 'read', ours: 12.35, anchor: 40, ratio: 3.24, unit: 'ms' },
    { figure: 'encode', ours: 800, anchor: null, ratio: null, unit: 'ms' },
  ]);
});

test('people get one table', () => {
  const paired = costInPairs('read', { a: [2, 2], b: [6, 6] }, ms);
  expect(toTable([paired, rate('encode', 812.34, null, { ...ms, unit: 'MB/s' })])).toBe(
    [
      'figure  ours  anchor  unit  ratio  95 %  anchor is',
      'read    2     6       ms    3x     3-3   the other one',
      'encode  812           MB/s               the other one',
    ].join('\n'),
  );
});
