import { describe, expect, test } from 'vitest';
import {
  inPlaceOf,
  keptOf,
  type Part,
  rangesToRead,
  recipeInPlace,
  recipeWhole,
  uniformBase,
  wholeRange,
} from '../../machines/rewrite.ts';
import { bad, goodAt, mapOf, versionOf } from '../support/facts.ts';
import { mapWith } from '../support/operations.ts';

/** k = 2, N = 3; three segments of 1024, 1024 and 952 bytes. */
const v1 = versionOf(1);
const fresh: Part = { kind: 'new' };
const kept = (from: number, to: number): Part => ({ kind: 'kept', from, to });

describe('in place', () => {
  test.each<[string, number, number, number, number, readonly Part[]]>([
    ['behind the end', 3000, 10, 2, 3010, [kept(2048, 3000), fresh]],
    ['into a new segment', 3000, 1000, 2, 4000, [kept(2048, 3000), fresh]],
    ['in the middle of one segment', 100, 10, 0, 3000, [kept(0, 100), fresh, kept(110, 1024)]],
    ['all of one segment', 1024, 1024, 1, 3000, [fresh]],
    ['over a boundary', 1000, 100, 0, 3000, [kept(0, 1000), fresh, kept(1100, 2048)]],
    ['up to the end', 2900, 100, 2, 3000, [kept(2048, 2900), fresh]],
    ['over the end', 2900, 200, 2, 3100, [kept(2048, 2900), fresh]],
    ['in the last segment', 2100, 10, 2, 3000, [kept(2048, 2100), fresh, kept(2110, 3000)]],
    ['from the start of a segment', 2048, 10, 2, 3000, [fresh, kept(2058, 3000)]],
    ['all of it', 0, 3000, 0, 3000, [fresh]],
  ])('%s: %i, %i bytes', (_, offset, length, firstSegment, newDataLength, parts) => {
    expect(recipeInPlace(v1, offset, length)).toEqual({
      kind: 'inPlace',
      base: v1.id,
      firstSegment,
      newDataLength,
      parts,
    });
  });

  test('behind the end of a full last segment begins a new one', () => {
    const recipe = recipeInPlace({ ...v1, dataLength: 2048 }, 2048, 1);
    expect(recipe).toMatchObject({ firstSegment: 2, newDataLength: 2049, parts: [fresh] });
  });

  test.each<[string, number, number, number, number, number]>([
    ['behind the end, within a segment', 3000, 10, 2, 1, 3010],
    ['behind the end, beyond its segment', 3000, 1000, 2, 2, 4000],
    ['in the middle of one segment', 100, 10, 0, 1, 3000],
    ['all of one segment', 1024, 1024, 1, 1, 3000],
    ['over a boundary', 1000, 100, 0, 2, 3000],
    ['in the last segment', 2100, 10, 2, 1, 3000],
    ['all of it', 0, 3000, 0, 3, 3000],
  ])('touches few segments: %s', (_, offset, length, firstSegment, segmentCount, newDataLength) => {
    const recipe = recipeInPlace(v1, offset, length);
    const run = { firstSegment, segmentCount, newDataLength };
    expect(inPlaceOf(v1, recipe, offset + length)).toEqual(run);
  });

  test('touches every segment up to the last byte that is new or kept', () => {
    const recipe = { kind: 'inPlace', base: v1.id, firstSegment: 1, newDataLength: 3000 } as const;
    const countOf = (parts: readonly Part[], end: number) =>
      inPlaceOf(v1, { ...recipe, parts }, end).segmentCount;
    expect(countOf([fresh, kept(1100, 3000)], 1100)).toBe(2);
    expect(countOf([kept(1024, 1100), fresh], 2049)).toBe(2);
    expect(countOf([kept(1024, 1100), fresh], 2048)).toBe(1);
  });
});

describe('by whole shares', () => {
  test.each<[string, number, number, readonly Part[]]>([
    ['behind the end', 3000, 10, [kept(0, 3000), fresh]],
    ['in the middle', 100, 10, [kept(0, 100), fresh, kept(110, 3000)]],
    ['at the start', 0, 10, [fresh, kept(10, 3000)]],
    ['over the end', 2900, 200, [kept(0, 2900), fresh]],
    ['all of it', 0, 3000, [fresh]],
  ])('%s: %i, %i bytes', (_, offset, length, parts) => {
    const { required, total } = v1;
    expect(recipeWhole(v1, offset, length)).toEqual({ kind: 'whole', required, total, parts });
  });
});

describe('what has to be read', () => {
  test.each<[string, readonly Part[], readonly object[]]>([
    ['nothing', [fresh], []],
    ['one end', [kept(0, 100), fresh], [{ from: 0, to: 100 }]],
    [
      'both ends of one segment at once',
      [kept(0, 1), fresh, kept(9, 1024)],
      [{ from: 0, to: 1024 }],
    ],
    [
      'both ends of two segments',
      [kept(0, 1), fresh, kept(9, 1025)],
      [
        { from: 0, to: 1 },
        { from: 9, to: 1025 },
      ],
    ],
  ])('%s', (_, parts, ranges) => {
    expect(rangesToRead(v1, parts)).toEqual(ranges);
  });
});

describe('the version that every share is of', () => {
  test('is there when all N are, and nothing else is', () => {
    expect(uniformBase(mapWith(v1))).toBe(v1);
    expect(uniformBase(mapOf(4, [], []))).toBe(undefined);
    expect(uniformBase(mapWith(v1, [0, 1]))).toBe(undefined);
    expect(uniformBase(mapWith({ ...v1, format: 'sdmf' }))).toBe(undefined);
  });

  test.each([
    ['an older share', goodAt('s3', 0, versionOf(1, 'B'))],
    ['a bad one', { server: 's3', shnum: 0, verdict: bad() }],
  ])('is not beside %s', (_, holding) => {
    const map = mapWith(v1);
    const older = versionOf(1, 'B');
    const versions = { ...map.versions, [older.id]: older };
    expect(uniformBase({ ...map, versions, holdings: [...map.holdings, holding] })).toBe(undefined);
  });
});

describe('as it is', () => {
  test('all of it is read and kept; of a file without a byte nothing is', () => {
    expect([wholeRange(v1), keptOf(v1)]).toEqual([[{ from: 0, to: 3000 }], [kept(0, 3000)]]);
    const [empty, one] = [
      { ...v1, dataLength: 0 },
      { ...v1, dataLength: 1 },
    ];
    expect([wholeRange(empty), keptOf(empty), keptOf(one)]).toEqual([[], [], [kept(0, 1)]]);
  });
});
