import { describe, expect, test } from 'vitest';
import {
  apply,
  type DownloadFact,
  type DownloadRecord,
  decide,
  start,
} from '../../machines/download-kernel.ts';
import { segmentSizeMax } from '../../machines/limits.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
import { bad, mapOf, unverified, versionOf } from '../support/facts.ts';
import { emptyMap, mapWith, retrieved, shortOf } from '../support/operations.ts';

const version: Version = { ...versionOf(0), format: 'chk' };
const full = mapWith(version);
const all = { offset: 0, length: null };
const failure = { kind: 'internal', detail: 'bug' } as const;
const mapped = (map: Servermap): DownloadFact => ({ type: 'mapped', map });
const read = (end: Extract<DownloadFact, { type: 'read' }>['end']): DownloadFact => ({
  ...{ type: 'read', end },
});

/** The books of 3000 bytes after these facts. */
function booksOf(...facts: readonly DownloadFact[]): DownloadRecord {
  return facts.reduce(apply, start(all, 3000));
}

const holding = (verdict: Servermap['holdings'][number]['verdict']): Servermap => ({
  ...emptyMap,
  holdings: [{ server: 's0', shnum: 0, verdict }],
});

describe('what comes next', () => {
  test('a map, until k good shares are seen, and then these are read', () => {
    expect(decide(booksOf())).toEqual({ kind: 'map', mode: 'anything' });
    const range = { from: 0, to: 3000 };
    expect(decide(booksOf(mapped(full)))).toEqual({ kind: 'read', map: full, version, range });
    const part = apply(start({ offset: 100, length: 7 }, 3000), mapped(full));
    expect(decide(part)).toMatchObject({ kind: 'read', range: { from: 100, to: 107 } });
  });

  test('nothing when all is delivered, or nothing was wanted', () => {
    const end = { kind: 'delivered', version } as const;
    expect(decide(booksOf(mapped(full), read(end)))).toEqual({ kind: 'delivered' });
    expect(decide(start(all, 0))).toEqual({ kind: 'delivered' });
    expect(decide(start({ offset: 3000, length: null }, 3000))).toEqual({ kind: 'delivered' });
    expect(decide(start({ offset: 5, length: 0 }, 3000))).toEqual({ kind: 'delivered' });
  });

  test.each([
    ['somebody is silent', mapOf(4, [], [], { s2: 'failed' })],
    ['a share did not come', holding(unverified())],
  ])('a second look, at everybody, when %s; no third one', (_, map) => {
    expect(decide(booksOf(mapped(map)))).toEqual({ kind: 'map', mode: 'check' });
    expect(decide(booksOf(mapped(map), mapped(map)))).toEqual({ kind: 'unrecoverable', map });
    expect(decide(booksOf(mapped(map), mapped(full))).kind).toBe('read');
  });

  test.each([
    ['nobody has a share', emptyMap],
    ['those that are there are bad', holding(bad())],
    ['there are too few', mapWith(version, [1])],
  ])('no second look when all have answered, and %s', (_, map) => {
    expect(decide(booksOf(mapped(map)))).toEqual({ kind: 'unrecoverable', map });
  });

  test('nothing of what is too large, or beyond the end', () => {
    const huge = { ...version, segmentSize: segmentSizeMax + 1, dataLength: 2 ** 30 };
    const beyond = { what: 'segment size', value: segmentSizeMax + 1, max: segmentSizeMax };
    expect(decide(booksOf(mapped(mapWith(huge))))).toEqual({ kind: 'beyondLimit', beyond });
    const excess = { offset: 3001, size: 3000 };
    const record = start({ offset: 3001, length: null }, 3000);
    expect(decide(record)).toEqual({ kind: 'outOfRange', excess });
  });

  test('the end that a read came to', () => {
    const report = retrieved('notEnoughShares', { segmentsDelivered: 1 });
    const short = read(shortOf(version, full, { report }));
    expect(decide(booksOf(mapped(full), short))).toEqual({ kind: 'notEnoughShares', report });
    const thrown = { kind: 'thrown', detail: 'segment 0', ref: 0 } as const;
    const broken = read({ kind: 'failed', failure: thrown });
    expect(decide(booksOf(mapped(full), broken))).toEqual({ kind: 'failed', failure: thrown });
  });

  test('a bug ends it, whatever was found', () => {
    for (const facts of [[], [mapped(full)], [mapped(emptyMap)]]) {
      const record = booksOf(...facts, { type: 'failed', failure });
      expect(decide(record)).toEqual({ kind: 'failed', failure });
    }
  });
});

test('the books: how often was looked, the last map, and the end', () => {
  const nothing = { wanted: all, size: 3000, looks: 0, map: null, end: null };
  expect(booksOf()).toEqual(nothing);
  expect(booksOf(mapped(emptyMap), mapped(full))).toEqual({ ...nothing, looks: 2, map: full });
  const end = { kind: 'delivered', version } as const;
  expect(booksOf(mapped(full), read(end))).toEqual({ ...nothing, looks: 1, map: full, end });
  expect(booksOf({ type: 'failed', failure })).toEqual({
    ...nothing,
    end: { kind: 'failed', failure },
  });
});
