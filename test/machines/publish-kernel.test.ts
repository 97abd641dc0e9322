import { describe, expect, test } from 'vitest';
import {
  apply,
  decide,
  type PublishPlan,
  type PublishRecord,
  start,
  type WriteReport,
  type WriteTest,
} from '../../machines/publish-kernel.ts';
import type { Holding, Servermap, Version } from '../../machines/servermap.ts';
import {
  bad,
  goodAt,
  mapOf,
  type Shown,
  unverified,
  versionOf,
  writeReport,
} from '../support/facts.ts';
import {
  accepts,
  begun,
  booked,
  fails,
  is,
  next,
  ourVersion,
  planOf,
  requestsOf,
  sent,
  statusesOf,
  surprises,
  targetOf,
} from '../support/publishing.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const v2b = versionOf(2, 'b');
const absent: WriteTest = { kind: 'absent' };
const begins = (head: string): WriteTest => ({ kind: 'begins', head });
const holds = ({ checkstring }: Version) => begins(checkstring);

/** What would be sent at first of a map. With k = 1 any share of the base may go. */
const first = (map: Servermap, more: Partial<PublishPlan> = {}) =>
  next(begun(planOf(map, { required: 1, ...more })));

describe('the plan', () => {
  test('of a new file: its whole record, with nothing known and nothing written yet', () => {
    const plan = planOf(mapOf(3, [], []));
    const { map: _, ...goal } = plan;
    const record = start(plan);
    expect(record).toEqual({
      ...goal,
      seqnum: 1,
      isBaseSpare: true,
      versions: {},
      version: null,
      targets: ['s0', 's1', 's2'].map((server) => ({
        ...{ server, held: [], isHeard: true, status: 'open', shnums: [], last: null },
        ...{ placed: [], isCrowded: false, attempt: 0, failure: null },
      })),
      mayHaveLanded: [],
      surprises: [],
      failures: [],
    });
    expect(decide(record)).toEqual({ kind: 'prepare' });
    const tests = [absent, absent, absent];
    expect(decide(apply(record, { type: 'prepared', version: ourVersion }))).toEqual({
      kind: 'write',
      requests: [0, 1, 2].map((n) => ({ server: `s${n}`, shnums: [n], tests, attempt: 0 })),
    });
  });

  const fresh = (servers: number) => first(mapOf(servers, [], []), { required: 3, total: 10 });

  test('of a new file puts share i on server i, and no more than that', () => {
    const ten = Array.from({ length: 10 }, (_, i) => `s${i}:${i}`);
    expect([fresh(10), fresh(12)]).toEqual([ten, ten]);
  });

  test('of a new file goes round a small grid', () => {
    expect(fresh(4)).toEqual(['s0:0,4,8', 's1:1,5,9', 's2:2,6', 's3:3,7']);
    expect(decide(start(planOf(mapOf(0, [], []))))).toEqual({ kind: 'notEnoughServers' });
  });

  test('asks nobody what it holds: the request finds out', () => {
    const map = mapOf(3, [], [], { s0: 'unasked', s1: 'unasked', s2: 'unasked' });
    expect(start(planOf(map)).targets.map(({ isHeard }) => isHeard)).toEqual([
      ...[false, false, false],
    ]);
    expect(first(map)).toEqual(['s0:0', 's1:1', 's2:2']);
  });

  test('is one request a server, which tests for all that it holds, and that nothing else is there', () => {
    const rival = versionOf(2, 'b', { required: 1 });
    const holdings = [
      ...[goodAt('s0', 2, v2), goodAt('s0', 0, v2), goodAt('s1', 1, v2), goodAt('s2', 3, v2)],
      goodAt('s1', 3, rival),
    ];
    // With the rival on s1, where others may be, it is not clean; s0, s2 and the empty s3 are.
    const map = mapOf(4, holdings, [rival, v2]);
    expect(requestsOf(begun(planOf(map, { total: 4, required: 1 })))).toEqual([
      {
        ...{ server: 's0', shnums: [0, 2], attempt: 0 },
        tests: [holds(v2), absent, holds(v2), absent],
      },
      { ...{ server: 's2', shnums: [3], attempt: 0 }, tests: [absent, absent, absent, holds(v2)] },
      { ...{ server: 's3', shnums: [1], attempt: 0 }, tests: [absent, absent, absent, absent] },
    ]);
  });

  test('tests for as much of a bad share as was read, and for a share without bytes as for none', () => {
    const holdings: readonly Holding[] = [
      { server: 's0', shnum: 0, verdict: bad('01ab') },
      { server: 's0', shnum: 1, verdict: bad('') },
      { server: 's0', shnum: 2, verdict: unverified() },
      { server: 's0', shnum: 3, verdict: bad('02') },
    ];
    const record = start(planOf(mapOf(1, holdings, [])));
    const share = (claim: string) => ({ kind: 'bad', claim });
    expect(targetOf(record, 's0')).toMatchObject({
      held: [
        { shnum: 0, head: '01ab', share: share('01ab') },
        { shnum: 1, head: '', share: share('') },
      ],
      isCrowded: true,
    });
    // It cannot be won; a second server is enough for a quorum of one.
    const quorum = { servers: 2, size: 1 };
    const forced = begun(planOf(mapOf(2, holdings, []), { force: true, quorum }));
    expect(requestsOf(forced)[0]).toMatchObject({
      shnums: [0, 1],
      tests: [begins('01ab'), absent, absent],
    });
  });

  test.each<[string, number, number, readonly Holding[], readonly string[]]>([
    [
      'homes go to whoever gets least, then in permuted order',
      4,
      6,
      [goodAt('s0', 0, v2), goodAt('s1', 1, v2)],
      ['s0:0,4', 's1:1,5', 's2:2', 's3:3'],
    ],
    [
      'an uneven load counts whole',
      2,
      4,
      [goodAt('s0', 0, v2), goodAt('s0', 1, v2), goodAt('s1', 2, v2)],
      ['s0:0,1', 's1:2,3'],
    ],
    ['a number beyond N is left alone', 3, 3, [goodAt('s1', 3, v2)], ['s0:0', 's1:1', 's2:2']],
    ['and where no quorum is left nothing is sent', 2, 3, [goodAt('s1', 3, v2)], []],
  ])('%s', (_, count, total, holdings, names) => {
    expect(first(mapOf(count, holdings, [v2]), { total, base: v2 })).toEqual(names);
  });

  const crowd = (...shnums: readonly number[]) => shnums.map((n) => goodAt('s0', n, v2));
  test.each<[string, number, number, number, readonly Holding[], readonly string[]]>([
    ['shares beside the first on a server', 5, 3, 3, crowd(0, 1, 2), ['s0:0,1,2', 's1:1', 's2:2']],
    ['no more than the quorum asks for', 5, 3, 2, crowd(0, 1, 2), ['s0:0,1,2', 's1:1']],
    [
      'none when the quorum is there',
      ...([5, 3, 2, [...crowd(0, 1), goodAt('s1', 2, v2)]] as const),
      ['s0:0,1', 's1:2'],
    ],
    ['a homeless share spreads as well', 5, 4, 2, crowd(0, 1, 2), ['s0:0,1,2', 's1:3']],
    ['homeless shares first', 5, 4, 3, crowd(0, 1, 2), ['s0:0,1,2', 's1:3', 's2:1']],
    ['any share, where each is alone', 4, 2, 3, [goodAt('s0', 0, v2)], ['s0:0', 's1:1', 's2:0']],
    [
      'first shares stay alone where they are',
      ...([5, 4, 4, [goodAt('s0', 0, v2), ...[1, 2, 3].map((n) => goodAt('s1', n, v2))]] as const),
      ['s0:0', 's1:1,2,3', 's2:2', 's3:3'],
    ],
  ])('copies until the quorum has its servers: %s', (_, count, total, size, holdings, names) => {
    const quorum = { servers: count, size };
    expect(first(mapOf(count, holdings, [v2]), { total, quorum, base: v2 })).toEqual(names);
  });

  test('gives nothing to a server that was not heard in the map', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s1', 1, v2)];
    const map = mapOf(4, holdings, [v2], { s0: 'failed' });
    expect(first(map, { base: v2 })).toEqual(['s1:1', 's2:0', 's3:2']);
    expect(targetOf(start(planOf(map)), 's0')).toMatchObject({ status: 'closed', isHeard: false });
    const rotten = mapOf(2, [], [], { s0: 'corrupt' });
    expect(targetOf(start(planOf(rotten)), 's0')).toMatchObject({ status: 'open', isHeard: true });
  });

  test('counts such a server among those that hold nothing', () => {
    const map = mapOf(4, [goodAt('s0', 0, v2)], [v2], { s3: 'failed' });
    const quorum = { servers: 4, size: 3 };
    expect(first(map, { base: v2, total: 2, quorum })).toEqual(['s0:0', 's1:1', 's2:0']);
  });

  test('counts on from every version seen, whether it can be read or not', () => {
    expect(start(planOf(mapOf(2, [goodAt('s0', 0, v2)], [v1, v2]))).seqnum).toBe(3);
  });

  test('of an update in place has the shares of the base, and no others', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s1', 1, v2), goodAt('s2', 2, v2)];
    const stray = { server: 's3', shnum: 1, verdict: bad() };
    const map = mapOf(6, [...holdings, stray], [v2]);
    const quorum = { servers: 6, size: 3 };
    expect(first(map, { wholeShares: false, quorum })).toEqual(['s0:0', 's1:1', 's2:2']);
    // Others get none, so they cannot be won.
    expect(first(map, { wholeShares: false })).toEqual([]);
  });

  test('is made when it can reach W servers and k shares, on servers that answered', () => {
    const can = (map: Servermap, more: Partial<PublishPlan> = {}) =>
      decide(start(planOf(map, more))).kind === 'prepare';
    expect([can(mapOf(2, [], [])), can(mapOf(1, [], []))]).toEqual([true, true]);
    expect(can(mapOf(2, [], [], { s0: 'failed' }))).toBe(false);
    expect(can(mapOf(3, [], [], { s0: 'failed' }))).toBe(true);
    const both = [goodAt('s0', 0, v2), goodAt('s0', 1, v2)];
    const inPlace = { wholeShares: false, base: v2, quorum: { servers: 2, size: 1 } };
    expect(can(mapOf(2, both, [v2]), inPlace)).toBe(true);
    expect(can(mapOf(2, both.slice(1), [v2]), inPlace)).toBe(false);
    expect(
      can(mapOf(2, both, [v2], { s1: 'failed' }), {
        ...inPlace,
        quorum: planOf(mapOf(2, [], [])).quorum,
      }),
    ).toBe(false);
    // More shares than k are wanted of whole ones.
    expect(can(mapOf(2, [], []), { required: 4, total: 3 })).toBe(false);
    // Every one of its servers holds something that is not dead.
    expect(can(mapOf(1, [goodAt('s0', 0, v2b)], [v2b]), { base: null })).toBe(false);
  });
});

describe('what is there besides the base', () => {
  /** Five servers: v2 on the first three, another one on the others. B is 3. */
  const holdings = (other: Version) => [
    ...[goodAt('s0', 0, v2), goodAt('s1', 1, v2), goodAt('s2', 2, v2)],
    ...[goodAt('s3', 3, other), goodAt('s4', 4, other)],
  ];
  const five = { base: v2, total: 5, required: 1 };
  const over = (other: Version, more: Partial<PublishPlan> = {}) => {
    const map = mapOf(5, holdings(other), [v2, other]);
    return sent(begun(planOf(map, { ...five, ...more })));
  };
  const written = (record: PublishRecord) =>
    statusesOf(record).filter((status) => !status.endsWith(' planned'));

  test('is held back until B servers are won (D1)', () => {
    const record = over(v2b);
    expect(next(begun(planOf(mapOf(5, holdings(v2b), [v2, v2b]), five)))).toEqual([
      ...['s0:0,3', 's1:1,4', 's2:2'],
    ]);
    const two = booked(record, accepts('s0'), accepts('s1'));
    expect([next(two), decide(two).kind]).toEqual([[], 'wait']);
    const three = apply(two, { type: 'settled', report: accepts('s2') });
    expect(next(three)).toEqual(['s3:3', 's4:4']);
    expect(requestsOf(three)[0]?.tests).toEqual([absent, absent, absent, holds(v2b), absent]);
  });

  test('is left alone where that does not happen: without a quorum nothing further is sent', () => {
    const record = booked(over(v2b), accepts('s0'), accepts('s1'), fails('s2'));
    expect(written(record)).toEqual([
      ...['s0:0 accepted', 's0:3 accepted', 's1:1 accepted', 's1:4 accepted', 's2:2 failed'],
    ]);
    expect(decide(record)).toEqual({ kind: 'notEnoughServers' });
  });

  test('is written at once by force, whatever it is', () => {
    const record = over(versionOf(2, 'z'), { force: true });
    expect(written(record).map((status) => status.slice(0, 4))).toEqual([
      ...['s0:0', 's1:1', 's2:2', 's3:3', 's4:4'],
    ]);
    const found = booked(record, surprises('s0', is(0, versionOf(9, 'y'))));
    expect(written(found)[0]).toBe('s0:0 writing');
    const broken = begun(
      planOf(mapOf(1, [{ server: 's0', shnum: 0, verdict: bad() }], []), { force: true }),
    );
    expect(next(broken)).toEqual(['s0:0,1,2']);
  });

  describe('that can not come to W servers any more (D2)', () => {
    const o = versionOf(1, 'o', { required: 1, total: 5, parent: null });
    const built = (letter: string) => versionOf(2, letter, { required: 1, total: 5, parent: o });
    const [a, b] = [built('a'), built('b')];
    /** a on one server, the base b on two, o on another; the last one is silent. */
    const seen = [goodAt('s0', 0, a), goodAt('s1', 1, b), goodAt('s2', 2, b), goodAt('s4', 4, o)];
    const map = mapOf(5, seen, [o, a, b], { s3: 'failed' });
    const record = sent(begun(planOf(map, { base: b, required: 1, total: 5 })));
    const report = (books: PublishRecord, ...reports: readonly WriteReport[]) =>
      reports.reduce((r, one) => apply(r, { type: 'settled', report: one }), books);

    test('is written over at once', () => {
      expect(next(report(record, accepts('s1')))).not.toContain('s0:0');
      // s0 and the silent one are left to a: s1 and s2 hold what is newer, s4 is won.
      expect(next(report(record, accepts('s4')))).toContain('s0:0');
    });

    test('a server that has failed here may hold it', () => {
      const asked = (...reports: readonly WriteReport[]) =>
        requestsOf(report(record, ...reports)).map(({ server }) => server);
      expect(asked(accepts('s4'))).toContain('s0');
      expect(asked(fails('s1'), accepts('s4'))).not.toContain('s0');
      expect(asked(fails('s1'), accepts('s4'), accepts('s2'))).not.toContain('s0');
    });
  });

  test('cannot be won on a server with numbers beyond N, which no request tests', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s0', 7, v2b), goodAt('s1', 1, v2)];
    const map = mapOf(3, holdings, [v2]);
    const record = sent(begun(planOf(map, { base: v2, required: 1 })));
    const seen = (...shown: readonly Shown[]) =>
      apply(record, { type: 'settled', report: writeReport('s0', 'accepted', shown) });
    const isCrowded = (books: PublishRecord) => targetOf(books, 's0')?.isCrowded;
    expect([isCrowded(record), targetOf(record, 's1')?.isCrowded]).toEqual([true, false]);
    expect(isCrowded(seen(is(0, v2), is(7, v2b)))).toBe(true);
    // They are gone.
    expect(isCrowded(seen(is(0, v2), is(2, v2)))).toBe(false);
    const end = (...shown: readonly Shown[]) => {
      const again = writeReport('s0', 'accepted', shown);
      return decide(booked(sent(seen(...shown)), accepts('s1'), fails('s2'), again)).kind;
    };
    // It is there, but nobody can say that it was first.
    expect(end(is(0, v2), is(7, v2b))).toBe('indeterminate');
    expect(end(is(0, v2))).toBe('published');
    expect(targetOf(booked(record, surprises('s0', is(3, v2))), 's0')?.isCrowded).toBe(true);
    expect(targetOf(booked(record, surprises('s0', is(2, v2))), 's0')?.isCrowded).toBe(false);
  });
});

describe('until k shares of the new version are there', () => {
  const lost = [goodAt('s0', 0, v2), goodAt('s1', 1, v2)];
  const over = (count: number, holdings: readonly Holding[], more: Partial<PublishPlan> = {}) =>
    begun(planOf(mapOf(count, holdings, [v2]), { base: v2, ...more }));

  test('a base that has lost a share loses none to it: it goes beside what is there', () => {
    const record = over(4, lost);
    expect(record.isBaseSpare).toBe(false);
    // The number that nobody holds comes first, to the server that holds least.
    const tests = [absent, absent, absent];
    expect(requestsOf(record)).toEqual([
      { server: 's2', shnums: [2], tests, attempt: 0 },
      { server: 's3', shnums: [0], tests, attempt: 0 },
    ]);
    const one = booked(sent(record), accepts('s3'));
    expect([next(one), decide(one).kind]).toEqual([[], 'wait']);
    const two = apply(one, { type: 'settled', report: accepts('s2') });
    expect(next(two)).toEqual(['s0:0', 's1:1']);
  });

  test('a failing place is made up for by another free one, beside what is there', () => {
    const quorum = { servers: 4, size: 2 };
    const record = booked(sent(over(4, lost, { quorum })), fails('s3'));
    expect(statusesOf(record)).toEqual(['s1:0 writing', 's2:2 writing', 's3:0 failed']);
    const both = booked(record, fails('s2'));
    expect(statusesOf(both).slice(0, 2)).toEqual(['s0:2 writing', 's1:0 writing']);
    expect(targetOf(both, 's0')?.held.map(({ shnum }) => shnum)).toEqual([0]);
  });

  test('a server with a request under way may have a free place after it, and is waited for', () => {
    const record = sent(over(3, lost, { total: 2, quorum: { servers: 3, size: 2 } }));
    expect(statusesOf(record)).toEqual(['s0:1 writing', 's2:0 writing']);
    const failed = apply(record, { type: 'settled', report: fails('s0') });
    expect([next(failed), decide(failed).kind]).toEqual([[], 'wait']);
    const landed = apply(failed, { type: 'settled', report: accepts('s2') });
    expect(next(landed)).toEqual(['s2:1']);
  });

  test('a share that has landed is not written again, though its server is done', () => {
    const shown = surprises('s2', is(2, ourVersion));
    const record = booked(sent(over(4, lost)), shown);
    expect(statusesOf(record)).toEqual(['s2:2 accepted', 's3:0 writing']);
    expect(statusesOf(booked(record, fails('s3')))).toEqual([
      ...['s1:0 writing', 's2:2 accepted', 's3:0 failed'],
    ]);
  });

  test('free places are spread over the servers', () => {
    const wide = { required: 3, total: 4 };
    const full = [0, 1, 2, 3].map((n) => goodAt(`s${n}`, n, v2));
    expect(next(over(5, full, wide))).toEqual(['s0:1', 's1:2', 's4:0']);
  });

  test.each<[string, boolean, number, number, readonly number[]]>([
    ['all N are there, and N − (k − 1) is enough to read', true, 2, 3, [0, 1, 2]],
    ['one is lost', false, 2, 3, [0, 1]],
    ['N − (k − 1) is too few', false, 3, 4, [0, 1, 2, 3]],
    ['N − (k − 1) is just k', true, 3, 5, [0, 1, 2, 3, 4]],
    ['one is lost of more than that', false, 3, 6, [0, 1, 2, 3, 4]],
    ['a single share is enough to read', true, 1, 3, [0]],
  ])('it may go over the base where %s: %j', (_, isSpare, required, total, shnums) => {
    const holdings = shnums.map((n) => goodAt(`s${n}`, n, v2));
    expect(over(7, holdings, { required, total }).isBaseSpare).toBe(isSpare);
  });

  test('and where there is no base, or no room beside it, or in place', () => {
    expect(begun(planOf(mapOf(3, lost, [v2]), { base: null })).isBaseSpare).toBe(true);
    const crowded = [goodAt('s0', 0, v2), goodAt('s0', 1, v2)];
    const alone = over(1, crowded, { total: 2 });
    expect([alone.isBaseSpare, next(alone)]).toEqual([false, ['s0:0,1']]);
    const room = over(1, crowded, { total: 3 });
    expect([room.isBaseSpare, next(room)]).toEqual([false, ['s0:0,1,2']]);
    const quorum = { servers: 4, size: 2 };
    expect(next(over(4, lost, { wholeShares: false, quorum }))).toEqual(['s0:0', 's1:1']);
  });
});
