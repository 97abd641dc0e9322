import { describe, expect, test } from 'vitest';
import {
  apply,
  corruptShares,
  decide,
  firstBlocks,
  segmentsOf,
  start,
  windowsOf,
} from '../../machines/read-version-kernel.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';
import { corruptSource, mapWith, retrieved } from '../support/operations.ts';

/** Three segments: 1024, 1024, 952 bytes. */
const v1 = versionOf(1);
const map = mapWith(v1);
const mark = { server: 's0', shnum: 0, reason: 'a block', version: v1.id };
const ranges = [
  { from: 1023, to: 1025 },
  { from: 2048, to: 3000 },
];

describe('where bytes are', () => {
  test.each([
    [0, 1, 0, 1],
    [1023, 1024, 0, 1],
    [1023, 1025, 0, 2],
    [1024, 2048, 1, 2],
    [2048, 3000, 2, 3],
  ])('%i up to %i', (from, to, firstSegment, endSegment) => {
    expect(segmentsOf(v1, { from, to })).toEqual({ firstSegment, endSegment });
  });

  test.each([
    [0, 1024, 1024, 7 << 20],
    [1, 1024, 1024, 7 << 20],
    [1024, 1024, 1024, 7168],
    [1025, 1023, 1024, 7161],
    [131_073, 7, 31, 55],
    [1 << 20, 1, 4, 7],
    [1 << 21, 1, 2, 3],
    [1 << 23, 1, 1, 1],
  ])('segments of %i bytes: %i, up to %i at once, and %i ahead', (segmentSize, ...segments) => {
    const [first, longest, ahead] = segments;
    expect(windowsOf({ ...v1, segmentSize })).toEqual({ first, longest, ahead });
  });
});

describe('the blocks that a read begins with', () => {
  test('are of the k lowest share numbers, range by range, each at its first server', () => {
    const holdings = [
      ...[goodAt('s3', 2, v1), goodAt('s2', 1, v1), goodAt('s1', 0, versionOf(2))],
      ...[goodAt('s1', 1, v1), goodAt('s0', 0, v1)],
    ];
    const known = mapOf(4, holdings, [v1, versionOf(2)]);
    const both = { firstSegment: 0, segmentCount: 2, ahead: [] };
    const last = { firstSegment: 2, segmentCount: 1, ahead: [] };
    expect(firstBlocks(known, v1, ranges)).toEqual([
      { server: 's0', shnum: 0, ...both },
      { server: 's2', shnum: 1, ...both },
      { server: 's0', shnum: 0, ...last },
      { server: 's2', shnum: 1, ...last },
    ]);
    expect(firstBlocks(known, v1, [])).toEqual([]);
  });

  test('are a window of a long range', () => {
    const long = { ...v1, segmentSize: 1 << 19, dataLength: 5 << 19 };
    const range = { from: 1 << 19, to: 5 << 19 };
    const ahead = [{ firstSegment: 3, segmentCount: 2 }];
    const window = { firstSegment: 1, segmentCount: 2, ahead };
    expect(firstBlocks(map, long, [range])).toEqual([
      { server: 's0', shnum: 0, ...window },
      { server: 's1', shnum: 1, ...window },
    ]);
  });

  test('are those of fewer shares where fewer are known', () => {
    const one = { server: 's2', shnum: 2, firstSegment: 2, segmentCount: 1, ahead: [] };
    expect(firstBlocks(mapWith(v1, [2]), v1, ranges.slice(1))).toEqual([one]);
  });
});

describe('the books', () => {
  const begun = start(map, v1, ranges, [mark]);

  test('begin at the first segment of the first range', () => {
    expect(begun).toEqual({
      map,
      version: v1,
      ranges,
      nextSegment: 0,
      segmentsDelivered: 0,
      hasAskedAll: false,
      marked: [mark],
      shortage: null,
      failure: null,
    });
    expect(decide(begun)).toEqual({ kind: 'retrieve' });
    const nothing = start(map, v1, [], []);
    expect(nothing).toEqual({ ...begun, ranges: [], marked: [] });
    expect(decide(nothing)).toEqual({ kind: 'delivered', version: v1 });
  });

  test('go on to the next range, for which everybody may be asked again', () => {
    const report = retrieved('delivered', { segmentsDelivered: 2 });
    const next = apply({ ...begun, hasAskedAll: true }, { type: 'retrieved', report });
    expect(next).toEqual({
      ...begun,
      ranges: ranges.slice(1),
      nextSegment: 2,
      segmentsDelivered: 2,
    });
    const last = apply(next, {
      type: 'retrieved',
      report: retrieved('delivered', { segmentsDelivered: 1 }),
    });
    expect([decide(last), last.segmentsDelivered]).toEqual([{ kind: 'delivered', version: v1 }, 3]);
  });

  test('when shares run out, say where to go on, and without which shares', () => {
    const report = retrieved('notEnoughShares', {
      segmentsDelivered: 1,
      sources: [corruptSource('s1', 1), { ...corruptSource('s2', 2), status: 'failed' }],
    });
    const short = apply(begun, { type: 'retrieved', report });
    const marked = [mark, { ...mark, server: 's1', shnum: 1 }];
    expect(short).toEqual({
      ...begun,
      nextSegment: 1,
      segmentsDelivered: 1,
      marked,
      shortage: report,
    });
    expect(decide(short)).toEqual({ kind: 'remap' });
    const everybody = mapWith(v1, [0, 2]);
    const again = apply(short, { type: 'mapped', map: everybody });
    expect(again).toEqual({ ...short, map: everybody, hasAskedAll: true, shortage: null });
    expect(decide(again)).toEqual({ kind: 'retrieve' });
    const lost = apply(again, { type: 'retrieved', report: retrieved('notEnoughShares') });
    expect(decide(lost)).toEqual({
      kind: 'notEnoughShares',
      version: v1,
      report: retrieved('notEnoughShares'),
      map: {
        ...everybody,
        holdings: [
          { server: 's0', shnum: 0, verdict: { kind: 'bad', reason: 'a block', head: v1.id } },
          ...everybody.holdings.slice(1),
        ],
      },
      marked,
      segmentsDelivered: 1,
    });
  });

  test('say why a retrieve failed otherwise, or that nobody said why', () => {
    const failure = { kind: 'timeout', detail: 'x' } as const;
    const ending = (report: ReturnType<typeof retrieved>) =>
      decide(apply(begun, { type: 'retrieved', report }));
    expect(ending(retrieved('internal', { failure }))).toEqual({ kind: 'failed', failure });
    expect(ending(retrieved('cancelled'))).toEqual({
      kind: 'failed',
      failure: { kind: 'internal', detail: 'cancelled' },
    });
    expect(decide(apply(begun, { type: 'failed', failure }))).toEqual({ kind: 'failed', failure });
    const delivered = apply(start(map, v1, [], []), { type: 'failed', failure });
    expect(decide(delivered)).toEqual({ kind: 'failed', failure });
  });
});

test('a share that is corrupt for no stated reason is marked so', () => {
  const sources = [{ ...corruptSource('s0', 0), failure: null }];
  expect(corruptShares(retrieved('notEnoughShares', { sources }), v1)).toEqual([
    { ...mark, reason: 'corrupt' },
  ]);
});
