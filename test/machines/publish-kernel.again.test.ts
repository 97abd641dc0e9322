import { describe, expect, test } from 'vitest';
import type { Failure } from '../../machines/failure.ts';
import {
  apply,
  decide,
  type PublishRecord,
  type WriteReport,
} from '../../machines/publish-kernel.ts';
import { goodAt, mapOf, type Shown, versionOf } from '../support/facts.ts';
import {
  accepts,
  begun,
  booked,
  claims,
  fails,
  is,
  next,
  ourVersion,
  planOf,
  sent,
  statusesOf,
  surprises,
  targetOf,
  underWay,
} from '../support/publishing.ts';

const v2 = versionOf(2);
const v2b = versionOf(2, 'b');
const newer = versionOf(3, 'x');
const settled = (record: PublishRecord, report: WriteReport) =>
  apply(record, { type: 'settled', report });

describe('a server that contradicts itself', () => {
  const failure: Failure = { kind: 'contradictory', detail: 's0' };
  const contradicts: WriteReport = { ...fails('s0'), failure };
  /** s0 has won its own share, and is to get that of s1, which has failed. */
  const again = booked(underWay(3), accepts('s0'), fails('s1'));

  test('is not believed what it has said before: all that it was given may be there or not', () => {
    expect(statusesOf(again)).toEqual([
      ...['s0:0 accepted', 's0:1 writing', 's1:1 failed', 's2:2 writing'],
    ]);
    const record = settled(again, contradicts);
    expect(targetOf(record, 's0')).toEqual({
      ...(targetOf(again, 's0') as object),
      ...{ status: 'closed', last: 'unknown', placed: [], shnums: [0, 1], failure },
    });
    expect(record.failures).toEqual([...again.failures, failure]);
    expect(statusesOf(record).slice(0, 2)).toEqual(['s0:0 unknown', 's0:1 unknown']);
    // What it may hold makes up the quorum, and does not prove it.
    expect(decide(booked(record, accepts('s2')))).toEqual({ kind: 'indeterminate' });
  });

  test('before anything is there has failed like any other', () => {
    const before = underWay(3);
    const record = settled(before, contradicts);
    expect(targetOf(record, 's0')).toEqual({
      ...(targetOf(before, 's0') as object),
      ...{ status: 'closed', last: 'failed', placed: [], shnums: [0], failure },
    });
  });

  test('is another one than one that fails: what that has accepted stays there', () => {
    const record = settled(again, fails('s0'));
    expect(targetOf(record, 's0')).toEqual({
      ...(targetOf(again, 's0') as object),
      ...{ status: 'closed', last: 'failed', placed: [0], shnums: [1] },
      failure: fails('s0').failure,
    });
    expect(decide(booked(record, accepts('s2'), accepts('s2')))).toEqual({ kind: 'published' });
  });
});

describe('a server that is read again', () => {
  const detail = 'server s0: what it holds is not what was seen there before';
  const replaced: Failure = { kind: 'replaced', detail };
  const shows = (record: PublishRecord, ...shown: readonly Shown[]) => {
    const books = settled(record, surprises('s0', ...shown));
    const { status, placed, failure } = targetOf(books, 's0') ?? {};
    return { status, placed, failure, failures: books.failures };
  };
  const open = { status: 'open', placed: [], failure: null, failures: [] };

  describe('in place', () => {
    const record = underWay(3, { wholeShares: false });

    test('and still has a share of the base stays open', () => {
      expect(shows(record, is(0, v2), is(1, v2b))).toEqual(open);
    });

    test('and has none is asked no more: only those of the base can be changed', () => {
      const closed = { status: 'closed', placed: [], failure: replaced, failures: [replaced] };
      expect(shows(record, claims(0, '01ff'))).toEqual(closed);
      expect(shows(record, is(0, v2b))).toEqual(closed);
    });

    test('and has ours in its stead has lost nothing but an answer', () => {
      expect(shows(record, is(0, ourVersion))).toEqual({ ...open, placed: [0] });
    });
  });

  describe('of whole shares', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s0', 1, v2), goodAt('s1', 2, v2)];
    const record = sent(begun(planOf(mapOf(3, holdings, [v2]), { required: 1 })));
    const gone = { ...open, failure: replaced, failures: [replaced] };

    test('and has everything, be it another version or more of it, has lost none', () => {
      expect(shows(record, is(0, v2), is(1, v2b))).toEqual(open);
      expect(shows(record, is(0, v2), is(1, v2), is(2, v2b))).toEqual(open);
      expect(shows(underWay(3), is(0, v2b))).toEqual(open);
    });

    test('and lacks a share of several tells so, and is asked again', () => {
      expect(shows(record, is(0, v2))).toEqual(gone);
      expect(shows(record, is(1, v2))).toEqual(gone);
      expect(shows(record)).toEqual(gone);
    });
  });
});

describe('a share that has lost its home', () => {
  test('waits for a server that has the fewest, until its request is over', () => {
    const plan = planOf(mapOf(3, [], []), { required: 1, total: 5 });
    const record = sent(begun(plan));
    expect(statusesOf(record)).toEqual([
      ...['s0:0 writing', 's0:3 writing', 's1:1 writing', 's1:4 writing', 's2:2 writing'],
    ]);
    // 1 is for s2, with which that has as many as s0, which comes first and gets 4.
    const failed = settled(settled(record, accepts('s0')), fails('s1'));
    expect(next(failed)).toEqual(['s0:4']);
    expect(next(settled(sent(failed), accepts('s2')))).toEqual(['s2:1']);
  });

  test('waits for all answers where another writer was met', () => {
    const met = settled(settled(underWay(3), surprises('s0', is(0, newer))), accepts('s1'));
    expect([next(met), decide(met)]).toEqual([[], { kind: 'wait' }]);
    expect(next(settled(met, accepts('s2')))).toEqual(['s1:0']);
  });

  test('that was a copy for the quorum has an heir: each server that was won counts once', () => {
    const quorum = { servers: 5, size: 3 };
    const record = sent(begun(planOf(mapOf(5, [], []), { required: 1, total: 2, quorum })));
    expect(statusesOf(record)).toEqual(['s0:0 writing', 's1:1 writing', 's2:0 writing']);
    const lost = booked(record, accepts('s0'), accepts('s1'));
    expect(next(settled(lost, fails('s2')))).toEqual(['s3:0']);
  });

  test('has one while the quorum hangs on a request to a server with numbers beyond N', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s0', 2, v2), goodAt('s0', 7, v2b)];
    const map = mapOf(3, [...holdings, goodAt('s1', 1, v2)], [v2]);
    const record = sent(begun(planOf(map, { base: v2, required: 1, total: 4 })));
    // They may be gone when it lands.
    const failed = settled(settled(record, accepts('s2')), fails('s1'));
    expect(targetOf(failed, 's0')).toMatchObject({ status: 'writing', isCrowded: true });
    expect(next(failed)).toEqual(['s2:1']);
    expect(next(settled(failed, fails('s0')))).toEqual([]);
  });
});
