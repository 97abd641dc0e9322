import { describe, expect, test } from 'vitest';
import { segmentSizeMax } from '../../machines/limits.ts';
import {
  apply,
  decide,
  newestOf,
  type ReadFact,
  type ReadRecord,
  resolveRange,
  start,
} from '../../machines/read-kernel.ts';
import { versionOf } from '../support/facts.ts';
import { emptyMap, mapWith, retrieved, shortOf } from '../support/operations.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const map = mapWith(v1);
const failure = { kind: 'internal', detail: 'x' } as const;
const all = { offset: 0, length: null };
const begun = start(all, true);
const mark = { server: 's0', shnum: 0, reason: 'a block', version: v2.id };

const having = (record: ReadRecord, ...facts: readonly ReadFact[]) => facts.reduce(apply, record);
const mapped = (known = map): ReadFact => ({ type: 'mapped', map: known });

test('the books begin with nothing', () => {
  expect(begun).toEqual({
    wanted: all,
    canTakeBack: true,
    attempt: 0,
    looks: 0,
    map: null,
    tried: [],
    marked: [],
    end: null,
    newest: null,
  });
  expect(decide(begun)).toEqual({ kind: 'map', mode: 'read' });
});

describe('which version', () => {
  test('the best one of the map', () => {
    const record = having(begun, mapped());
    expect(record).toEqual({ ...begun, map, looks: 1, newest: v1 });
    const range = { from: 0, to: 3000 };
    expect(decide(record)).toEqual({ kind: 'read', map, version: v1, range });
  });

  test('none, if every server was asked and no version can be read', () => {
    const once = having(begun, mapped(emptyMap));
    expect(decide(once)).toEqual({ kind: 'map', mode: 'check' });
    const twice = having(once, mapped(emptyMap));
    expect(decide(twice)).toEqual({ kind: 'unrecoverable', map: emptyMap });
    expect(decide(having(once, mapped())).kind).toBe('read');
  });

  test('it is delivered, whatever the range would be of another one', () => {
    const end = { kind: 'delivered', version: v1 } as const;
    expect(decide(having(begun, mapped(), { type: 'read', end }))).toEqual(end);
  });
});

describe('when shares run out', () => {
  const short = (version = v1, known = map, segmentsDelivered = 0): ReadFact => ({
    type: 'read',
    end: shortOf(version, known, { marked: [mark], segmentsDelivered }),
  });
  const report = retrieved('notEnoughShares');

  test('before anything was delivered, the newest of what is left is read', () => {
    const record = having(begun, mapped(mapWith(v2)), short(v2));
    expect(record).toMatchObject({ map, tried: [v2], marked: [mark], newest: v2 });
    expect(decide(record)).toMatchObject({ kind: 'read', map, version: v1 });
    // But none twice.
    const again = having(record, short(v1));
    expect([again.tried, decide(again)]).toEqual([[v2, v1], { kind: 'startOver' }]);
    // And none where something was delivered.
    const begunToo = having(begun, mapped(mapWith(v2)), short(v2, map, 1));
    expect(decide(begunToo)).toEqual({ kind: 'startOver' });
  });

  test('where no other version is left, everything begins again', () => {
    const record = having(begun, mapped(), short(v1, emptyMap));
    expect(decide(record)).toEqual({ kind: 'startOver' });
  });

  test('everything begins again once: versions seen are remembered, shares are marked no more', () => {
    const record = having(begun, mapped(mapWith(v2)), short(v2, emptyMap, 1));
    expect(decide(record)).toEqual({ kind: 'startOver' });
    const again = having(record, { type: 'startedOver' });
    expect(again).toEqual({ ...begun, attempt: 1, newest: v2 });
    const lost = having(again, mapped(), short(v1, map, 1));
    expect(decide(lost)).toEqual({ kind: 'notEnoughShares', version: v1, report });
  });

  test.each([
    [true, 0, 'startOver'],
    [true, 1, 'startOver'],
    [false, 0, 'startOver'],
    [false, 1, 'notEnoughShares'],
  ])('delivered bytes can be taken back: %j; segments delivered: %i', (can, segments, kind) => {
    const record = having(start(all, can), mapped(), short(v1, map, segments));
    expect(decide(record).kind).toBe(kind);
  });
});

test('a version that cannot be decoded is not asked for, unless nothing of it is wanted', () => {
  const huge = { ...v1, dataLength: 2 ** 40, segmentSize: 2 ** 30 };
  const beyond = { what: 'segment size of version 1', value: 2 ** 30, max: segmentSizeMax };
  expect(decide(having(begun, mapped(mapWith(huge))))).toEqual({ kind: 'beyondLimit', beyond });
  const nothing = having(start({ offset: 5, length: 0 }, true), mapped(mapWith(huge)));
  expect(decide(nothing)).toEqual({ kind: 'delivered', version: huge });
});

test('a failure ends it, wherever it comes from', () => {
  const end = { kind: 'failed', failure } as const;
  expect(decide(having(begun, { type: 'failed', failure }))).toEqual(end);
  expect(decide(having(begun, mapped(), { type: 'read', end }))).toEqual(end);
});

describe('the range', () => {
  test.each([
    [0, null, 3000, 0, 3000],
    [3000, null, 3000, 3000, 3000],
    [1000, 2000, 3000, 1000, 3000],
    [1000, 5, 3000, 1000, 1005],
    [0, 0, 0, 0, 0],
  ])('%i, %j of %i bytes', (offset, length, size, from, to) => {
    const excess = null;
    expect(resolveRange({ offset, length }, size)).toEqual({ range: { from, to }, excess });
  });

  test.each([
    [3001, null, { argument: 'offset', value: 3001, max: 3000 }],
    [3001, 0, { argument: 'offset', value: 3001, max: 3000 }],
    [1000, 2001, { argument: 'length', value: 2001, max: 2000 }],
    [3000, 1, { argument: 'length', value: 1, max: 0 }],
  ])('%i, %j goes beyond 3000 bytes', (offset, length, excess) => {
    expect(resolveRange({ offset, length }, 3000).excess).toEqual(excess);
    const record = having(start({ offset, length }, true), mapped());
    expect(decide(record)).toEqual({ kind: 'outOfRange', excess });
  });

  test('of nothing is delivered at once', () => {
    const record = having(start({ offset: 5, length: 0 }, true), mapped());
    expect(decide(record)).toEqual({ kind: 'delivered', version: v1 });
  });
});

test('the newest version is never forgotten', () => {
  const both = mapWith(v1, [0], { versions: { [v1.id]: v1, [v2.id]: v2 } });
  expect(newestOf(null, emptyMap)).toBe(null);
  expect(newestOf(null, both)).toBe(v2);
  expect(newestOf(v2, map)).toBe(v2);
  expect(newestOf(v1, both)).toBe(v2);
  // One as new does not take its place.
  expect(newestOf(versionOf(1, 'z'), map)).toEqual(versionOf(1, 'z'));
});
