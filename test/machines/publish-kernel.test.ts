import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  apply,
  decide,
  type PublishPlan,
  type PublishRecord,
  placedOf,
  type Request,
  reportOf,
  start,
  type WriteReport,
  type WriteTest,
  writesOf,
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
  begun,
  booked,
  ourVersion,
  planOf,
  prepared,
  requestsOf,
  sent,
  underWay,
} from '../support/publishing.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const v2b = versionOf(2, 'b');
const newer = versionOf(3, 'x');
const absent: WriteTest = { kind: 'absent' };
const begins = (head: string): WriteTest => ({ kind: 'begins', head });
const holds = ({ checkstring }: Version) => begins(checkstring);
const is = (shnum: number, version: Version): Shown => ({ shnum, version });
const claims = (shnum: number, checkstring: string): Shown => ({ shnum, checkstring });

/** Who is to get which shares: `s0:0,2`. */
const namesOf = (requests: readonly Request[]) =>
  requests.map(({ server, shnums }) => `${server}:${shnums}`);
const next = (record: PublishRecord) => namesOf(requestsOf(record));
/** The same of a map: what would be sent at first. With k = 1 any share of the base may go. */
const first = (map: Servermap, more: Partial<PublishPlan> = {}) =>
  next(begun(planOf(map, { required: 1, ...more })));
const statusesOf = (record: PublishRecord) =>
  writesOf(record).map(({ server, shnum, status }) => `${server}:${shnum} ${status}`);
const targetOf = (record: PublishRecord, server: string) =>
  record.targets.find((target) => target.server === server);
const accepts = (server: string) => writeReport(server, 'accepted');
const fails = (server: string) => writeReport(server, 'failed');
const surprises = (server: string, ...shown: readonly Shown[]) =>
  writeReport(server, 'surprised', shown);
const failureOf = (detail: string) => ({ kind: 'unreachable', detail }) as const;

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
    const holdings = [
      ...[goodAt('s0', 2, v2), goodAt('s0', 0, v2), goodAt('s1', 1, v2), goodAt('s2', 3, v2)],
      goodAt('s1', 3, v1),
    ];
    // With v1 on s1 it is not clean; s0, s2 and the empty s3 are.
    const map = mapOf(4, holdings, [v1, v2]);
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
    const forced = begun(planOf(mapOf(1, holdings, []), { force: true }));
    expect(requestsOf(forced)[0]).toMatchObject({
      shnums: [0, 1, 2],
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
    ['a number beyond N is left alone', 2, 3, [goodAt('s1', 3, v2)], ['s0:0,2', 's1:1']],
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
    expect(first(map, { wholeShares: false })).toEqual(['s0:0', 's1:1', 's2:2']);
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

  test('is left alone where that does not happen; its shares go elsewhere', () => {
    const record = booked(over(v2b), accepts('s0'), accepts('s1'), fails('s2'));
    expect(written(record)).toEqual([
      ...['s0:0 accepted', 's0:3 accepted', 's0:2 writing', 's1:1 accepted', 's1:4 accepted'],
      's2:2 failed',
    ]);
    expect(decide(booked(record, accepts('s0')))).toEqual({ kind: 'notEnoughServers' });
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
      expect(next(report(record, fails('s1'), accepts('s4')))).not.toContain('s0:0');
      expect(next(report(record, fails('s1'), accepts('s4'), accepts('s2')))).not.toContain('s0:0');
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

describe('a request that lands', () => {
  test('has won its server: all that was there has been tested', () => {
    const record = booked(underWay(3), accepts('s0'));
    expect(statusesOf(record)).toEqual(['s0:0 accepted', 's1:1 writing', 's2:2 writing']);
    expect(targetOf(record, 's0')).toEqual({
      ...{ server: 's0', isHeard: true, status: 'open', shnums: [0], last: 'accepted' },
      held: [
        {
          ...{ shnum: 0, head: ourVersion.checkstring },
          share: { kind: 'good', version: ourVersion.id },
        },
      ],
      ...{ placed: [0], isCrowded: false, attempt: 1, failure: null },
    });
    expect([record.failures, record.surprises, decide(record)]).toEqual([[], [], { kind: 'wait' }]);
  });

  test('is what the next one to that server tests for, beside what stays there', () => {
    const map = mapOf(2, [goodAt('s0', 0, v2), goodAt('s0', 1, v1), goodAt('s1', 2, v2)], [v1, v2]);
    const more = { base: v2, required: 1, total: 4, wholeShares: false };
    const held = { quorum: { servers: 2, size: 1 }, ...more };
    // In place v1 stays where it is.
    const record = booked(sent(begun(planOf(map, held))), accepts('s1'), accepts('s0'));
    expect(targetOf(record, 's0')?.held.map(({ shnum, head }) => [shnum, head])).toEqual([
      [1, v1.checkstring],
      [0, ourVersion.checkstring],
    ]);
  });

  test('acknowledges the version once W servers are won with k distinct shares', () => {
    const two = booked(underWay(3), accepts('s0'), accepts('s1'));
    expect(decide(two)).toEqual({ kind: 'wait' });
    for (const last of [accepts('s2'), fails('s2'), writeReport('s2', 'unknown')]) {
      const end = booked(booked(two, last), accepts('s0'), accepts('s1'));
      expect(decide(end)).toEqual({ kind: 'published' });
    }
  });

  test('goes on after that: what is left is written too', () => {
    const two = booked(underWay(3), accepts('s0'), accepts('s1'));
    const record = apply(two, { type: 'settled', report: surprises('s2', is(2, v2b)) });
    expect(requestsOf(record)).toEqual([
      { server: 's2', shnums: [2], tests: [absent, absent, holds(v2b)], attempt: 1 },
    ]);
    expect(decide(booked(sent(record), accepts('s2')))).toEqual({ kind: 'published' });
    const left = apply(two, { type: 'settled', report: surprises('s2', is(2, newer)) });
    expect(next(left)).toEqual(['s0:2']);
    expect(decide(booked(sent(left), accepts('s0')))).toEqual({ kind: 'published' });
  });
});

describe('until k shares of the new version are there', () => {
  const lost = [goodAt('s0', 0, v2), goodAt('s1', 1, v2)];
  const over = (count: number, holdings: readonly Holding[], more: Partial<PublishPlan> = {}) =>
    begun(planOf(mapOf(count, holdings, [v2]), { base: v2, ...more }));

  test('a base that has lost a share loses none to it: it goes beside what is there', () => {
    const record = over(4, lost);
    expect(record.isBaseSpare).toBe(false);
    // The number that nobody holds comes first.
    expect(requestsOf(record)).toEqual([
      { server: 's0', shnums: [2], tests: [holds(v2), absent, absent], attempt: 0 },
      { server: 's1', shnums: [0], tests: [absent, holds(v2), absent], attempt: 0 },
    ]);
    const one = booked(sent(record), accepts('s1'));
    expect([next(one), decide(one).kind]).toEqual([[], 'wait']);
    const two = apply(one, { type: 'settled', report: accepts('s0') });
    expect(next(two)).toEqual(['s0:0', 's1:1', 's2:0']);
  });

  test('a failing place is made up for by another free one', () => {
    const record = booked(sent(over(4, lost)), fails('s1'));
    expect(statusesOf(record)).toEqual(['s0:2 writing', 's1:0 failed', 's2:0 writing']);
    const both = booked(record, fails('s0'));
    expect(statusesOf(both).slice(2)).toEqual(['s2:0 writing', 's3:2 writing']);
  });

  test('a share that has landed is not written again, though its server is done', () => {
    const shown = surprises('s0', is(0, v2), is(2, ourVersion));
    const record = booked(sent(over(4, lost)), shown);
    expect(statusesOf(record)).toEqual(['s0:2 accepted', 's1:0 writing']);
    expect(statusesOf(booked(record, fails('s1')))).toEqual([
      ...['s0:2 accepted', 's1:0 failed', 's2:0 writing'],
    ]);
  });

  test('free places are spread over the servers', () => {
    const wide = { required: 3, total: 4 };
    const full = [0, 1, 2, 3].map((n) => goodAt(`s${n}`, n, v2));
    expect(next(over(5, full, wide))).toEqual(['s0:1', 's1:0', 's3:2']);
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
    expect(next(over(4, lost, { wholeShares: false }))).toEqual(['s0:0', 's1:1']);
  });
});

describe('a server that holds something else', () => {
  const found = (...shown: readonly Shown[]) =>
    apply(underWay(3), { type: 'settled', report: surprises('s0', ...shown) });
  const retested = (record: PublishRecord) => requestsOf(record)[0]?.tests;

  test('has ours already: an answer was lost, and the test has held', () => {
    const record = found(is(0, ourVersion));
    expect(targetOf(record, 's0')).toMatchObject({ placed: [0], last: 'surprised' });
    expect([next(record), statusesOf(record)[0]]).toEqual([[], 's0:0 accepted']);
    expect(decide(booked(record, accepts('s1'), accepts('s2')))).toEqual({ kind: 'published' });
    // By its head alone: it was signed here.
    expect(targetOf(found(claims(0, ourVersion.checkstring)), 's0')?.placed).toEqual([0]);
  });

  test('has nothing any more, or not a byte: it is asked again, and tested for that', () => {
    for (const record of [found(), found(claims(0, ''))]) {
      expect(record.surprises).toEqual([]);
      expect(requestsOf(record)).toEqual([
        { server: 's0', shnums: [0], tests: [absent, absent, absent], attempt: 1 },
      ]);
    }
  });

  test('was not heard in the map: now it is', () => {
    const map = mapOf(3, [], [], { s0: 'unasked' });
    const record = booked(sent(begun(planOf(map))), surprises('s0', is(2, v2b)));
    expect(targetOf(record, 's0')).toMatchObject({ isHeard: true, status: 'open' });
  });

  test('has the base elsewhere, or what that was built on: no surprise, and asked at once', () => {
    const moved = found(is(2, v2));
    expect([moved.surprises, retested(moved)]).toEqual([[], [absent, absent, holds(v2)]]);
    expect(next(moved)).toEqual(['s0:0,2']);
    const child = versionOf(2, 'a', { parent: v1 });
    const holdings = [0, 1, 2].map((n) => goodAt(`s${n}`, n, child));
    const over = sent(begun(planOf(mapOf(3, holdings, [child, v1]))));
    const old = apply(over, { type: 'settled', report: surprises('s0', is(0, v1)) });
    expect([old.surprises, retested(old)]).toEqual([[], [holds(v1), absent, absent]]);
  });

  test.each([
    ['a rival of the base', v2b],
    ['an older version, of which nobody knows what it was built on', v1],
    ['a rival of ours that is older', versionOf(3, 'b')],
  ])('has %s: a surprise, and written over once B servers are won', (_, version) => {
    const record = found(is(0, version));
    const surprise = { server: 's0', shnum: 0, found: version.checkstring };
    expect(record.surprises).toEqual([surprise]);
    expect(record.versions[version.id]).toBe(version);
    expect([next(record), decide(record).kind]).toEqual([[], 'wait']);
    const one = booked(record, accepts('s1'));
    expect(next(one)).toEqual([]);
    const two = apply(one, { type: 'settled', report: accepts('s2') });
    expect([next(two), retested(two)]).toEqual([['s0:0'], [holds(version), absent, absent]]);
    expect(decide(booked(record, fails('s1'), fails('s2')))).toEqual({ kind: 'uncoordinated' });
  });

  test('has something newer: it is never written over', () => {
    const record = booked(found(is(0, newer)), accepts('s1'), accepts('s2'));
    expect(statusesOf(record)).toEqual([
      ...['s0:0 surprised', 's1:1 accepted', 's1:0 writing', 's2:2 accepted'],
    ]);
    expect(decide(booked(record, accepts('s1')))).toEqual({ kind: 'published' });
  });

  test('has what was there before, as it was judged', () => {
    // Only a part of it was shown this time; beside it is something new.
    const record = found(claims(0, v2.checkstring.slice(0, 20)), is(1, v2b));
    expect(targetOf(record, 's0')?.held).toEqual([
      { shnum: 0, head: v2.checkstring, share: { kind: 'good', version: v2.id } },
      { shnum: 1, head: v2b.checkstring, share: { kind: 'good', version: v2b.id } },
    ]);
    expect(record.surprises).toEqual([{ server: 's0', shnum: 1, found: v2b.checkstring }]);
    // The same rival once more is no surprise any more; in another place it is.
    const again = { ...record, targets: sent(underWay(3)).targets };
    expect(booked(again, surprises('s0', is(0, v2))).surprises).toEqual(record.surprises);
    const held = [goodAt('s0', 0, v2), goodAt('s1', 0, v2), goodAt('s1', 1, v2b)];
    const map = mapOf(3, held, [v2, v2b]);
    const over = sent(begun(planOf(map, { base: v2, force: true, required: 1 })));
    const at = (shnum: number) => booked(over, surprises('s1', is(shnum, v2b))).surprises.length;
    expect([at(1), at(0)]).toEqual([0, 1]);
  });

  test('shows what nobody has signed: no surprise, and in the way until B servers are won', () => {
    const record = found(claims(0, v2b.checkstring));
    expect([record.surprises, next(record)]).toEqual([[], []]);
    const share = { kind: 'bad', claim: v2b.checkstring };
    expect(targetOf(record, 's0')?.held).toEqual([{ shnum: 0, head: v2b.checkstring, share }]);
    const won = booked(record, accepts('s1'), accepts('s2'));
    expect(statusesOf(won)[0]).toBe('s0:0 writing');
    const beyond = booked(found(claims(0, newer.checkstring)), accepts('s1'), accepts('s2'));
    expect(statusesOf(beyond)[0]).toBe('s0:0 surprised');
  });

  test('proves one share: that is no proof of another one', () => {
    const record = apply(underWay(3), {
      ...{ type: 'settled' },
      report: { ...surprises('s0', is(0, v2b)), proven: [{ shnum: 2, version: v2b }] },
    });
    expect(record.surprises).toEqual([]);
    expect(targetOf(record, 's0')?.held).toMatchObject([{ shnum: 0, share: { kind: 'bad' } }]);
  });

  test('has a number of another encoding: that is not tested for', () => {
    const record = found(is(0, v2), is(3, v2b));
    expect([record.surprises, targetOf(record, 's0')?.held.length]).toEqual([[], 1]);
  });

  test('names a second parent of a version: then nobody knows it', () => {
    const one = versionOf(2, 'b', { parent: v1 });
    const record = found(is(0, one), is(1, { ...one, parentTag: v2.tag }));
    expect(record.versions[one.id]?.parentTag).toBeNull();
  });

  test('four times: it is asked no more, and no other writer is reported', () => {
    const again = (record: PublishRecord) => booked(record, surprises('s0'));
    const three = again(again(again(underWay(3))));
    expect(targetOf(three, 's0')).toMatchObject({ status: 'writing', attempt: 4 });
    const four = again(three);
    const detail = 'server s0: what it holds is not what was seen there before';
    expect(targetOf(four, 's0')).toMatchObject({
      ...{ status: 'closed', last: 'surprised', attempt: 4 },
      failure: { kind: 'replaced', detail },
    });
    expect(four.surprises).toEqual([]);
    expect(targetOf(three, 's0')?.failure).toBeNull();
  });
});

describe('a request that fails', () => {
  test.each(['refused', 'failed', 'unknown'] as const)(
    '%s: the share gets another home',
    (status) => {
      const record = booked(underWay(5), writeReport('s1', status));
      expect(record.failures).toEqual([failureOf('s1')]);
      expect(targetOf(record, 's1')).toMatchObject({
        ...{ status: 'closed', last: status, failure: failureOf('s1') },
      });
      expect(statusesOf(record)).toEqual([
        ...['s0:0 writing', `s1:1 ${status}`, 's2:2 writing', 's3:1 writing'],
      ]);
    },
  );

  test('for no stated reason fails as well', () => {
    const record = booked(underWay(5), { ...fails('s1'), failure: null });
    expect([targetOf(record, 's1')?.status, targetOf(record, 's1')?.failure]).toEqual([
      ...['closed', null],
    ]);
    expect(record.failures).toEqual([]);
  });

  test('is remembered with what went wrong last', () => {
    const failure = { kind: 'timeout', detail: 'x' } as const;
    const late = apply(underWay(3), {
      ...{ type: 'settled' },
      report: { ...surprises('s0'), failure },
    });
    expect([targetOf(late, 's0')?.failure, late.failures]).toEqual([null, [failure]]);
    const three = [1, 2, 3].reduce((r) => booked(r, surprises('s0')), underWay(3));
    const refused = booked(three, { ...writeReport('s0', 'refused'), failure });
    expect(targetOf(refused, 's0')?.failure).toEqual(failure);
  });

  test('with nobody else to take it, the share is placed nowhere, and the result says so', () => {
    const record = booked(underWay(3), fails('s0'), fails('s1'), fails('s2'));
    expect(decide(record)).toEqual({ kind: 'notEnoughServers' });
    expect(reportOf(record, 'notEnoughServers').missing).toEqual([0, 1, 2]);
  });

  test('in place: nobody else can take it', () => {
    const record = booked(underWay(5, { wholeShares: false }), fails('s1'));
    expect(next(record)).toEqual([]);
    expect(statusesOf(record)).toEqual(['s0:0 writing', 's1:1 failed', 's2:2 writing']);
  });

  test('in place only what is of the base is written, also where something else was found', () => {
    const record = underWay(3, { wholeShares: false });
    const gone = booked(record, surprises('s0', claims(0, '01ff')), accepts('s1'), accepts('s2'));
    expect([next(gone), statusesOf(gone)[0]]).toEqual([[], 's0:0 surprised']);
    expect(decide(gone)).toEqual({ kind: 'published' });
  });

  test('reports about what is not under way change nothing', () => {
    const record = underWay(3);
    expect(apply(record, { type: 'settled', report: fails('s9') })).toBe(record);
    const done = booked(record, accepts('s0'));
    expect(apply(done, { type: 'settled', report: fails('s0') })).toBe(done);
    const ready = prepared(3);
    expect(apply(ready, { type: 'settled', report: accepts('s0') })).toBe(ready);
  });
});

describe('the outcome', () => {
  const outcomeOf = (...statuses: readonly WriteReport['status'][]) =>
    decide(
      booked(
        underWay(3, { wholeShares: false }),
        ...statuses.map((status, i) =>
          writeReport(`s${i}`, status, status === 'surprised' ? [is(i, newer)] : []),
        ),
      ),
    );

  test.each([
    ['published', ['accepted', 'accepted', 'accepted']],
    ['published', ['accepted', 'accepted', 'failed']],
    ['published', ['accepted', 'accepted', 'unknown']],
    ['published', ['accepted', 'accepted', 'surprised']],
    ['uncoordinated', ['accepted', 'unknown', 'surprised']],
    ['uncoordinated', ['surprised', 'failed', 'failed']],
    ['indeterminate', ['accepted', 'unknown', 'failed']],
    ['indeterminate', ['unknown', 'unknown', 'unknown']],
    ['notEnoughServers', ['accepted', 'failed', 'refused']],
    ['notEnoughServers', ['failed', 'unknown', 'refused']],
  ] as const)('%s: %j', (kind, statuses) => {
    expect(outcomeOf(...statuses)).toEqual({ kind });
  });

  test.each([[], ['surprised', 'accepted'], ['accepted', 'accepted']] as const)(
    'is waited for while any request is under way: %j',
    (...statuses) => {
      expect(outcomeOf(...statuses)).toEqual({ kind: 'wait' });
    },
  );

  test('needs k distinct shares, on the servers that were won', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s1', 0, v2)];
    const more = { wholeShares: false, base: v2, required: 2 } as const;
    const map = mapOf(2, [...holdings, goodAt('s1', 1, v2)], [v2]);
    const both = sent(begun(planOf(map, more)));
    expect(decide(booked(both, accepts('s0'), accepts('s1')))).toEqual({ kind: 'published' });
    const only = { ...both, targets: both.targets.map((it) => ({ ...it, shnums: [0] })) };
    const alike = apply(apply(only, { type: 'settled', report: accepts('s0') }), {
      type: 'settled',
      report: accepts('s1'),
    });
    const done = {
      ...alike,
      targets: alike.targets.map((it) => ({ ...it, status: 'closed' as const })),
    };
    expect(decide(done)).toEqual({ kind: 'notEnoughServers' });
  });

  test('a share that is lost counts among those that may be there, beside what is', () => {
    const map = mapOf(2, [goodAt('s0', 0, v2), goodAt('s1', 0, v2), goodAt('s1', 1, v2)], [v2]);
    const record = sent(begun(planOf(map, { wholeShares: false, base: v2 })));
    const lost = writeReport('s1', 'unknown');
    expect(decide(booked(record, accepts('s0'), lost))).toEqual({ kind: 'indeterminate' });
    const failed = booked(record, accepts('s0'), fails('s1'));
    expect(decide(failed)).toEqual({ kind: 'notEnoughServers' });
  });

  test('names what kept the new version from being made', () => {
    const failure = { kind: 'internal', detail: 'no key' } as const;
    const record = underWay(3);
    expect(apply(record, { type: 'failed', failure })).toEqual({ ...record, failures: [failure] });
  });
});

describe('the report', () => {
  test('names every share that did not land, and everything else', () => {
    const record = booked(underWay(3, { wholeShares: false }), accepts('s0'), fails('s1'));
    const { seqnum, base, version, required, total, failures } = record;
    expect(reportOf(record, 'cancelled')).toEqual({
      ...{ kind: 'cancelled', seqnum, base, version, required, total },
      ...{ quorum: 2, surprises: [], failures, missing: [1, 2] },
      writes: [
        { server: 's0', shnum: 0, status: 'accepted', failure: null },
        { server: 's1', shnum: 1, status: 'failed', failure: failureOf('s1') },
        { server: 's2', shnum: 2, status: 'writing', failure: null },
      ],
    });
    expect(placedOf(reportOf(record, 'cancelled'))).toEqual([
      { server: 's0', shnum: 0, status: 'accepted', failure: null },
    ]);
  });

  test('before anything is sent all of it is planned, and each share once', () => {
    const plan = planOf(mapOf(3, [], []));
    const writes = [0, 1, 2].map((shnum) => {
      return { server: `s${shnum}`, shnum, status: 'planned', failure: null };
    });
    expect(writesOf(start(plan))).toEqual(writes);
    expect(reportOf(start(plan), 'notEnoughServers')).toMatchObject({ writes, version: null });
    const again = apply(underWay(3), { type: 'settled', report: surprises('s0') });
    expect(statusesOf(again)).toEqual(['s0:0 surprised', 's1:1 writing', 's2:2 writing']);
    const beside = apply(booked(underWay(3), accepts('s1')), {
      ...{ type: 'settled' },
      report: fails('s0'),
    });
    expect(statusesOf(beside)).toEqual([
      ...['s0:0 failed', 's1:1 accepted', 's2:2 writing', 's1:0 planned'],
    ]);
    const holdings = [goodAt('s0', 0, v2), { server: 's0', shnum: 1, verdict: bad() }];
    const forced = planOf(mapOf(1, holdings, [v2]), { force: true, required: 1, total: 2 });
    expect(statusesOf(start(forced))).toEqual(['s0:0 planned', 's0:1 planned']);
    const other = apply(underWay(4), { type: 'settled', report: fails('s0') });
    expect(statusesOf(other)).toEqual([
      ...['s0:0 failed', 's1:1 writing', 's2:2 writing', 's3:0 planned'],
    ]);
  });
});

describe('whatever the servers do, and whoever else writes', () => {
  /** One turn: which request has its answer, what happens to it, and who wrote there before. */
  interface Turn {
    readonly who: number;
    readonly fate: 'answered' | 'refused' | 'failed' | 'unknown';
    readonly hasLanded: boolean;
    readonly rival: number;
    readonly shnum: number;
  }
  const turns = fc.array(
    fc.record<Turn>({
      who: fc.nat(5),
      fate: fc.constantFrom('answered', 'answered', 'answered', 'refused', 'failed', 'unknown'),
      hasLanded: fc.boolean(),
      rival: fc.nat(9),
      shnum: fc.nat(2),
    }),
    { minLength: 80, maxLength: 80 },
  );
  const rivals = [v2b, newer, versionOf(3, 'b')];

  test('it ends, keeps what is newer, and what it does not know until B servers are won', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.boolean(), turns, (count, whole, dice) => {
        const holdings = [goodAt('s0', 0, v2), goodAt('s0', 1, v2), goodAt('s0', 2, v1)];
        const map = mapOf(count, holdings, [v1, v2]);
        const plan = planOf(map, { wholeShares: whole, base: v2 });
        const meeting = plan.quorum.servers - plan.quorum.size + 1;
        const disks = new Map(
          map.servers.map(({ id }, i) => [
            id,
            new Map<number, Version>(
              i === 0
                ? [
                    [0, v2],
                    [1, v2],
                    [2, v1],
                  ]
                : [],
            ),
          ]),
        );
        const asked: Request[] = [];
        const won = new Set<string>();
        let record = begun(plan);
        let steps = 0;
        for (;;) {
          const decision = decide(record);
          if (decision.kind === 'write') {
            for (const request of decision.requests) {
              expect(asked.map(({ server }) => server)).not.toContain(request.server);
              expect(request.tests.length).toBe(3);
              asked.push(request);
            }
            record = sent(record);
          }
          if (asked.length === 0) break;
          const turn = dice[steps++] as Turn;
          const [request] = asked.splice(turn.who % asked.length, 1) as [Request];
          const { server, shnums, tests } = request;
          const disk = disks.get(server) as Map<number, Version>;
          const rival = rivals[turn.rival];
          if (rival !== undefined) disk.set(turn.shnum, rival);
          const shown = [...disk].map(([shnum, version]) => is(shnum, version));
          const passes = tests.every((test, shnum) => {
            const held = disk.get(shnum);
            return test.kind === 'absent' ? held === undefined : held?.checkstring === test.head;
          });
          const isReached = turn.fate === 'answered' || turn.fate === 'unknown';
          if (passes && isReached && (turn.fate === 'answered' || turn.hasLanded)) {
            for (const shnum of shnums) {
              const old = disk.get(shnum);
              expect(old).not.toEqual(newer);
              const isFree = old === undefined || old.id === v2.id || old.id === ourVersion.id;
              if (!isFree) expect(won.size).toBeGreaterThanOrEqual(meeting);
              disk.set(shnum, ourVersion);
            }
            if (turn.fate === 'answered') won.add(server);
          }
          const status = turn.fate !== 'answered' ? turn.fate : passes ? 'accepted' : 'surprised';
          record = apply(record, { type: 'settled', report: writeReport(server, status, shown) });
        }
        expect(steps).toBeLessThan(80);
        const { kind } = decide(record);
        const placed = placedOf(reportOf(record, 'cancelled'));
        const isPlaced =
          new Set(placed.map(({ server }) => server)).size >= plan.quorum.size &&
          new Set(placed.map(({ shnum }) => shnum)).size >= plan.required;
        expect(kind === 'published').toBe(isPlaced);
        const { writes } = reportOf(record, 'cancelled');
        const places = writes.map(({ server, shnum }) => `${server}:${shnum}`);
        expect(new Set(places).size).toBe(places.length);
      }),
      { numRuns: 700 },
    );
  });
});
