import { describe, expect, test } from 'vitest';
import { segmentSizeMax } from '../../machines/limits.ts';
import {
  apply,
  decide,
  newestIn,
  type ReadFact,
  type ReadRecord,
  resolveRange,
  start,
} from '../../machines/read-kernel.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';
import { emptyMap, grid, mapWith, retrieved, shortOf } from '../support/operations.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const map = mapWith(v1);
const failure = { kind: 'internal', detail: 'x' } as const;
const all = { offset: 0, length: null };
const begun = start(grid, all, true);
const mark = { server: 's0', shnum: 0, reason: 'a block', version: v2.id };

const having = (record: ReadRecord, ...facts: readonly ReadFact[]) => facts.reduce(apply, record);
const mapped = (known = map): ReadFact => ({ type: 'mapped', map: known });

test('the books begin with nothing', () => {
  expect(begun).toEqual({
    grid: { total: 3, membership: { servers: 4, happy: 3 } },
    wanted: all,
    version: null,
    canTakeBack: true,
    attemptsMax: 2,
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
  test('the newest one that is confirmed', () => {
    const record = having(begun, mapped());
    expect(record).toEqual({ ...begun, map, looks: 1, newest: v1 });
    const range = { from: 0, to: 3000 };
    expect(decide(record)).toEqual({ kind: 'read', map, version: v1, range, isConfirmed: true });
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
    const all = having(begun, mapped(), { type: 'read', end });
    expect(decide(all)).toEqual({ ...end, isConfirmed: true });
    // What was read instead of the newest is not what a quorum has confirmed.
    const other = { kind: 'delivered', version: v2 } as const;
    const instead = having(begun, mapped(), { type: 'read', end: other });
    expect(decide(instead)).toEqual({ ...other, isConfirmed: false });
  });
});

describe('a version that is named', () => {
  const rival = versionOf(2, 'b');
  /** k shares of v1, of v2 on more servers than of its rival, and too few of v3. */
  const v3 = versionOf(3);
  const holdings = [
    ...[goodAt('s0', 0, v1), goodAt('s0', 1, v1), goodAt('s3', 2, v3)],
    ...[goodAt('s1', 0, rival), goodAt('s1', 1, rival), goodAt('s2', 2, v2), goodAt('s3', 1, v2)],
  ];
  const versions = { [v1.id]: v1, [v2.id]: v2, [rival.id]: rival, [v3.id]: v3 };
  const all4 = { ...mapOf(4, holdings, []), versions };
  const named = (seqnum: number, rootHash: string | null = null) =>
    start(grid, all, true, { seqnum, rootHash });

  test('is read if it can be, whatever else is there', () => {
    const chosen = (record: ReadRecord) => {
      const decision = decide(having(record, mapped(all4)));
      return decision.kind === 'read' ? decision.version : decision;
    };
    expect(chosen(named(1))).toEqual(v1);
    expect(chosen(named(1, v1.rootHash))).toEqual(v1);
    expect(chosen(named(2, rival.rootHash))).toEqual(rival);
    expect(chosen(named(2, v2.rootHash))).toEqual(v2);
    // Of two the one that is on more servers.
    expect(chosen(named(2))).toEqual(v2);
  });

  test('is confirmed if it is what everybody else would be given', () => {
    expect(decide(having(named(1), mapped()))).toMatchObject({ version: v1, isConfirmed: true });
    const two = having(named(1), mapped(all4));
    expect(decide(two)).toMatchObject({ kind: 'read', version: v1, isConfirmed: false });
  });

  test.each([
    [3, null],
    [4, null],
    [2, v3.rootHash.replace(/^0/, 'f')],
  ])('%i, %j is not there, or too little of it, when everybody was asked', (seqnum, rootHash) => {
    const once = having(named(seqnum, rootHash), mapped(all4));
    expect(decide(once)).toEqual({ kind: 'map', mode: 'check' });
    const wanted = { seqnum, rootHash };
    const end = { kind: 'versionUnavailable', wanted, map: all4 };
    expect(decide(having(once, mapped(all4)))).toEqual(end);
  });

  test('makes no room for another one when shares run out, and is looked for again', () => {
    const left = { ...all4, holdings: holdings.slice(1) };
    const end = shortOf(v1, left, { marked: [{ ...mark, version: v1.id }] });
    const record = having(named(1), mapped(all4), { type: 'read', end });
    expect(decide(record)).toEqual({ kind: 'startOver' });
    const again = having(record, { type: 'startedOver' });
    expect(again).toEqual({ ...named(1), attempt: 1, newest: record.newest });
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
    const record = having(start(grid, all, can), mapped(), short(v1, map, segments));
    expect(decide(record).kind).toBe(kind);
  });
});

test('a version that cannot be decoded is not asked for, unless nothing of it is wanted', () => {
  const huge = { ...v1, dataLength: 2 ** 40, segmentSize: 2 ** 30 };
  const beyond = { what: 'segment size of version 1', value: 2 ** 30, max: segmentSizeMax };
  expect(decide(having(begun, mapped(mapWith(huge))))).toEqual({ kind: 'beyondLimit', beyond });
  const nothing = having(start(grid, { offset: 5, length: 0 }, true), mapped(mapWith(huge)));
  expect(decide(nothing)).toEqual({ kind: 'delivered', version: huge, isConfirmed: true });
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
    // No more than there is.
    [1000, 2001, 3000, 1000, 3000],
    [3000, 1, 3000, 3000, 3000],
    [1, 2 ** 53 - 1, 3000, 1, 3000],
    [0, 5, 0, 0, 0],
  ])('%i, %j of %i bytes', (offset, length, size, from, to) => {
    const excess = null;
    expect(resolveRange({ offset, length }, size)).toEqual({ range: { from, to }, excess });
  });

  test.each([
    [3001, null],
    [3001, 0],
    [2 ** 53 - 1, 2 ** 53 - 1],
  ])('%i, %j begins beyond 3000 bytes', (offset, length) => {
    const excess = { offset, size: 3000 };
    expect(resolveRange({ offset, length }, 3000).excess).toEqual(excess);
    const record = having(start(grid, { offset, length }, true), mapped());
    expect(decide(record)).toEqual({ kind: 'outOfRange', excess });
  });

  test('of nothing is delivered at once', () => {
    const record = having(start(grid, { offset: 5, length: 0 }, true), mapped());
    expect(decide(record)).toEqual({ kind: 'delivered', version: v1, isConfirmed: true });
  });
});

describe('what surely contains all that was acknowledged', () => {
  /** v2 in full on one server, v1 on the others. */
  const holdings = [
    ...[goodAt('s0', 0, v2), goodAt('s0', 1, v2)],
    ...[goodAt('s1', 0, v1), goodAt('s2', 1, v1), goodAt('s3', 2, v1)],
  ];

  test('goes before what is newer', () => {
    const known = mapOf(4, holdings, [v1, v2]);
    const record = having(begun, mapped(known));
    expect(decide(record)).toMatchObject({ kind: 'read', version: v1, isConfirmed: true });
    expect(record.newest).toEqual(v1);
    const child = versionOf(2, 'a', { parent: v1 });
    const built = mapOf(4, holdings, [v1, child]);
    expect(decide(having(begun, mapped(built)))).toMatchObject({ version: child });
  });

  test('where there is nothing of it, the best version is read, and not remembered', () => {
    const known = mapOf(4, holdings.slice(0, 3), [v1, v2], { s2: 'failed', s3: 'failed' });
    const record = having({ ...begun, newest: v1 }, mapped(known));
    expect(decide(record)).toMatchObject({ kind: 'read', version: v2, isConfirmed: false });
    expect(record.newest).toBe(v1);
    const end = { kind: 'delivered', version: v2 } as const;
    expect(decide(having(record, { type: 'read', end }))).toEqual({ ...end, isConfirmed: false });
  });

  test('is counted by the N of the file, not the grid’s', () => {
    // W is 2 of its 2 shares, and B 3 of the 4 servers; of 3 shares it would be 3, and 2.
    const narrow = versionOf(1, 'a', { required: 1, total: 2 });
    const two = mapOf(4, [goodAt('s0', 0, narrow), goodAt('s1', 1, narrow)], [narrow], {
      ...{ s2: 'failed', s3: 'failed' },
    });
    const isRemembered = (total: number) =>
      newestIn(two, { total, membership: { servers: 4, happy: 3 } }) !== undefined;
    expect([isRemembered(3), isRemembered(2)]).toEqual([true, true]);
    const none = mapOf(4, [], [], { s3: 'failed' });
    expect(newestIn(none, grid)).toBeUndefined();
    // One server is W where N is 1, and says nothing where it is 3, whatever the grid's N is now.
    const away = { s1: 'failed', s2: 'failed', s3: 'failed' } as const;
    const single = versionOf(1, 'a', { required: 1, total: 1 });
    const one = mapOf(4, [goodAt('s0', 0, single)], [single], away);
    const three = mapOf(4, [goodAt('s0', 0, v1), goodAt('s0', 1, v1)], [v1], away);
    for (const total of [1, 3]) {
      const { membership } = grid;
      expect(newestIn(one, { total, membership })).toBe(single);
      expect(newestIn(three, { total, membership })).toBeUndefined();
    }
  });

  test('is never forgotten', () => {
    const record = { ...begun, newest: v2 };
    expect(having(record, mapped()).newest).toBe(v2);
    expect(having(begun, mapped(emptyMap)).newest).toBeNull();
  });
});
