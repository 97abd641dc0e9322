import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SeenShare } from '../../machines/io.ts';
import {
  apply,
  canSucceed,
  decide,
  expectationOf,
  modeOf,
  type PublishPlanInput,
  type PublishRecord,
  planWrites,
  reportOf,
  type Write,
  type WriteReport,
} from '../../machines/publish-kernel.ts';
import type { Servermap } from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, unverified, versionOf, writeReport } from '../support/facts.ts';
import {
  begun,
  booked,
  inputOf,
  ourVersion,
  plannedWrites,
  startPlanned,
  underWay,
} from '../support/publishing.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const v2b = versionOf(2, 'b');
const ours = ourVersion.checkstring;
const absent = { kind: 'absent' };
const begins = (head: string) => ({ kind: 'begins', head });

/** Who is to get which share, in the order of the plan. */
const placesOf = (record: PublishRecord) =>
  record.writes.map(({ server, shnum }) => `${server}:${shnum}`);

const testsOf = (record: PublishRecord) => record.writes.map(({ test }) => test);
const statusesOf = (record: PublishRecord) => record.writes.map(({ status }) => status);

const planned = (server: string, shnum: number, test: object, attempt = 0) => ({
  ...{ server, shnum, test, status: 'planned', attempt, failure: null },
});

describe('the plan', () => {
  test('of a new file: its whole record, with nothing known and nothing written yet', () => {
    const record = planWrites(inputOf(mapOf(3, [], [])));
    expect(record).toEqual({
      required: 2,
      total: 3,
      quorum: 2,
      seqnum: 1,
      wholeShares: true,
      servers: ['s0', 's1', 's2'],
      avoided: [],
      replaceable: [],
      base: null,
      version: null,
      writes: [0, 1, 2].map((n) => planned(`s${n}`, n, absent)),
      surprises: [],
      failures: [],
    });
    expect(decide(record)).toEqual({ kind: 'write', writes: record.writes });
  });

  const fresh = (servers: number) =>
    placesOf(planWrites(inputOf(mapOf(servers, [], []), { required: 3, total: 10, happy: 7 })));

  test.each([10, 12])('of a new file puts share i on server i (%i servers)', (count) => {
    expect(fresh(count)).toEqual(Array.from({ length: 10 }, (_, i) => `s${i}:${i}`));
  });

  test('of a new file goes round a small grid', () => {
    expect(fresh(4)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1].map((s, i) => `s${s}:${i}`));
    expect(fresh(0)).toEqual([]);
  });

  test('writes every known place, and asks for what was seen there (Q1, Q3)', () => {
    const holdings = [
      goodAt('s0', 0, v2),
      goodAt('s0', 2, v1),
      { server: 's1', shnum: 1, verdict: bad('01ab') },
      { server: 's0', shnum: 1, verdict: bad('') },
    ];
    const record = planWrites(inputOf(mapOf(3, holdings, [v1, v2])));
    expect(placesOf(record)).toEqual(['s0:0', 's0:2', 's1:1', 's0:1']);
    const [first, second] = [v2.checkstring, v1.checkstring];
    expect(testsOf(record)).toEqual([begins(first), begins(second), begins('01ab'), absent]);
    // What the other writes to that server ask for may be there.
    const heads = [{ shnum: 2, head: second }];
    const expected = { total: 3, seqnum: 3, replaceable: [], heads };
    expect(expectationOf(record, record.writes[0] as Write)).toEqual(expected);
  });

  test('homes go to whoever holds least, then in permuted order; each must be absent (Q2)', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s1', 1, v2)];
    const record = planWrites(inputOf(mapOf(4, holdings, [v2]), { total: 6 }));
    expect(placesOf(record)).toEqual(['s0:0', 's1:1', 's2:2', 's3:3', 's0:4', 's1:5']);
    expect(testsOf(record).slice(2)).toEqual([absent, absent, absent, absent]);
  });

  test('an uneven load counts whole: the server with two shares comes after the one with one', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s0', 1, v2), goodAt('s1', 2, v2)];
    const record = planWrites(inputOf(mapOf(2, holdings, [v2]), { total: 4 }));
    expect(placesOf(record).slice(3)).toEqual(['s1:3']);
  });

  const crowd = (...shnums: readonly number[]) => shnums.map((n) => goodAt('s0', n, v2));
  test.each<[string, number, number, number, Servermap['holdings'], readonly string[]]>([
    ['shares beside the first on a server', 5, 3, 3, crowd(0, 1, 2), ['s1:1', 's2:2']],
    ['no more than the quorum asks for', 5, 3, 2, crowd(0, 1, 2), ['s1:1']],
    ['none when the quorum is there', 5, 3, 2, [...crowd(0, 1), goodAt('s1', 2, v2)], []],
    ['a homeless share spreads as well', 5, 4, 2, crowd(0, 1, 2), ['s1:3']],
    ['homeless shares first', 5, 4, 3, crowd(0, 1, 2), ['s1:3', 's2:1']],
    [
      'first shares stay alone where they are',
      5,
      4,
      4,
      [goodAt('s0', 0, v2), ...[1, 2, 3].map((n) => goodAt('s1', n, v2))],
      ['s2:2', 's3:3'],
    ],
  ])(
    'copies until the quorum has distinct servers: %s',
    (_, count, total, happy, holdings, added) => {
      const record = planWrites(inputOf(mapOf(count, holdings, [v2]), { total, happy }));
      expect(placesOf(record).slice(holdings.length)).toEqual(added);
    },
  );

  test('no copy goes to a server that has a share already', () => {
    const holdings = [...crowd(0, 1), goodAt('s1', 2, v2)];
    const map = mapOf(3, holdings, [v2], { s2: 'failed' });
    expect(placesOf(planWrites(inputOf(map, { happy: 3 })))).toEqual(['s0:0', 's0:1', 's1:2']);
  });

  test('gives nothing to a server that failed in the map', () => {
    const holdings = [
      { server: 's0', shnum: 0, verdict: unverified() },
      { server: 's1', shnum: 7, verdict: bad() },
    ];
    const record = planWrites(inputOf(mapOf(3, holdings, [], { s0: 'failed' })));
    expect(placesOf(record)).toEqual(['s1:0', 's2:1', 's1:2']);
  });

  test('a share number beyond N is left alone', () => {
    const record = planWrites(inputOf(mapOf(2, [goodAt('s1', 3, v1)], [v1])));
    expect(placesOf(record)).toEqual(['s0:0', 's1:1', 's0:2']);
  });

  test('the seqnum is one above every version seen, recoverable or not (Q7)', () => {
    expect(planWrites(inputOf(mapOf(1, [], []))).seqnum).toBe(1);
    expect(planWrites(inputOf(mapOf(2, [goodAt('s0', 0, v2)], [v1, v2]))).seqnum).toBe(3);
  });

  test.each([
    [7, 10, 10, 7],
    [7, 3, 10, 3],
    [7, 10, 4, 4],
  ])(
    'the quorum is min(happy, N, servers): min(%i, %i, %i) = %i',
    (happy, total, count, quorum) => {
      expect(planWrites(inputOf(mapOf(count, [], []), { happy, total })).quorum).toBe(quorum);
    },
  );

  test('of an in-place update has the shares of the base version, and no other', () => {
    const holdings = [
      goodAt('s0', 0, v2),
      goodAt('s1', 1, v2),
      goodAt('s2', 2, v2),
      goodAt('s3', 2, v1),
      { server: 's4', shnum: 1, verdict: bad() },
    ];
    const record = planWrites(inputOf(mapOf(6, holdings, [v1, v2]), { wholeShares: false }));
    expect(placesOf(record)).toEqual(['s0:0', 's1:1', 's2:2']);
  });

  test('can succeed when it reaches the quorum and k shares, on servers that answered', () => {
    const can = (map: Servermap, more: Partial<PublishPlanInput> = {}) =>
      canSucceed(planWrites(inputOf(map, more)));
    expect(can(mapOf(2, [], []))).toBe(true);
    expect(can(mapOf(1, [], []))).toBe(true);
    expect(can(mapOf(0, [], []))).toBe(false);
    expect(can(mapOf(2, [], [], { s0: 'failed' }))).toBe(false);
    expect(can(mapOf(3, [], [], { s0: 'failed' }))).toBe(true);
    const lost = [goodAt('s0', 0, v2), goodAt('s1', 1, v2)];
    expect(can(mapOf(2, lost, [v2], { s0: 'failed' }))).toBe(false);
    const both = [goodAt('s0', 0, v2), goodAt('s0', 1, v2)];
    expect(can(mapOf(2, both, [v2]), { wholeShares: false })).toBe(false);
    expect(can(mapOf(2, both, [v2]), { wholeShares: false, happy: 1 })).toBe(true);
    expect(can(mapOf(2, both.slice(1), [v2]), { wholeShares: false, happy: 1 })).toBe(false);
  });
});

describe('a write that succeeds', () => {
  test('counts', () => {
    const record = booked(underWay(3), writeReport('s0', 0, 'accepted'));
    expect(statusesOf(record)).toEqual(['accepted', 'writing', 'writing']);
    expect(record.failures).toEqual([]);
    expect(plannedWrites(record)).toEqual([]);
    expect(decide(record)).toEqual({ kind: 'wait' });
    const rest = [writeReport('s1', 1, 'accepted'), writeReport('s2', 2, 'accepted')];
    expect(decide(booked(record, ...rest))).toEqual({ kind: 'published' });
  });

  test('shares of ours beside it are no surprise, nor shares that other writes are about', () => {
    const seen = [
      { shnum: 1, checkstring: ours },
      { shnum: 2, checkstring: 'ff' },
      { shnum: 3, checkstring: v2b.checkstring },
    ];
    const map = mapOf(1, [goodAt('s0', 0, v2), goodAt('s0', 2, v2)], [v2]);
    const started = begun(planWrites(inputOf(map)));
    const done = booked(started, writeReport('s0', 0, 'accepted', seen));
    expect([done.surprises, plannedWrites(done)]).toEqual([[], []]);
    const own = [{ shnum: 2, checkstring: ours }];
    expect(plannedWrites(booked(underWay(3), writeReport('s0', 0, 'accepted', own)))).toEqual([]);
  });

  test.each([
    ['the whole checkstring', v2b.checkstring],
    ['fewer bytes than that', v2b.checkstring.slice(0, 20)],
    ['more bytes than that', `${v2b.checkstring}aabb`],
  ])('what another write asks for is none, though it is no base: %s', (_, head) => {
    const broken = { server: 's0', shnum: 1, verdict: bad(head) };
    const map = mapOf(2, [goodAt('s0', 0, v2), broken, goodAt('s1', 2, v2)], [v2]);
    const started = begun(planWrites(inputOf(map)));
    const seen = [{ shnum: 1, checkstring: v2b.checkstring }];
    const record = booked(started, writeReport('s0', 0, 'accepted', seen));
    expect(record).toEqual({
      ...started,
      writes: started.writes.map((w) => (w.shnum === 0 ? { ...w, status: 'accepted' } : w)),
    });
  });

  test("a stranger's share is one also in a place that a write of ours is about", () => {
    // That write may fail on the way: then nobody would ever have told of the stranger.
    const record = planWrites(inputOf(mapOf(1, [goodAt('s0', 0, v2), goodAt('s0', 2, v2)], [v2])));
    const seen = [{ shnum: 2, checkstring: v2b.checkstring }];
    const started = begun(record);
    for (const status of ['accepted', 'surprised'] as const) {
      const surprised = booked(started, writeReport('s0', 0, status, seen));
      expect(surprised.surprises).toEqual([{ server: 's0', shnum: 2, found: v2b.checkstring }]);
    }
  });

  test('an old share beside it that the map did not come to is written too', () => {
    const seen = [{ shnum: 2, checkstring: v1.checkstring }];
    const record = booked(underWay(3), writeReport('s0', 0, 'accepted', seen));
    expect(plannedWrites(record)).toEqual([planned('s0', 2, begins(v1.checkstring))]);
    const begunInPlace = underWay(3, { wholeShares: false });
    const inPlace = booked(begunInPlace, writeReport('s0', 0, 'accepted', seen));
    expect(plannedWrites(inPlace)).toEqual([]);
    expect(inPlace.surprises).toEqual([]);
  });
});

describe('a write that finds something else', () => {
  const foundIs = (checkstring: string | null): readonly SeenShare[] =>
    checkstring === null ? [] : [{ shnum: 0, checkstring }];

  test.each([
    ['ours already: an answer was lost', ours, 'accepted'],
    ['nothing: the share is gone', null, 'planned'],
    ['a version in our map', v2.checkstring, 'planned'],
    ['an older version', v1.checkstring, 'planned'],
    ['too few bytes to be a share', '01ffff', 'planned'],
    ['no bytes', '', 'planned'],
  ])('%s', (_, found, status) => {
    const record = booked(underWay(3), writeReport('s0', 0, 'surprised', foundIs(found)));
    expect(record.writes[0]?.status).toBe(status);
    expect(record.surprises).toEqual([]);
    if (status === 'planned') {
      const test = found === null || found === '' ? absent : begins(found);
      expect(record.writes[0]).toMatchObject({ test, attempt: 1 });
    }
  });

  test.each([
    ['the same seqnum, another root', v2b.checkstring],
    ['a newer seqnum', versionOf(3, 'x').checkstring],
    ['a newer seqnum, and no byte after it', versionOf(3).checkstring.slice(0, 18)],
  ])("%s: somebody else's", (_, found) => {
    const record = booked(underWay(3), writeReport('s0', 0, 'surprised', foundIs(found)));
    expect(record.surprises).toEqual([{ server: 's0', shnum: 0, found }]);
    expect(statusesOf(record)).toEqual(['surprised', 'writing', 'writing']);
  });

  test('nothing is not ours, not even while ours has no checkstring', () => {
    const stray = { shnum: 2, checkstring: v1.checkstring };
    const report = writeReport('s0', 0, 'surprised', [stray]);
    const record = booked({ ...underWay(3), version: null }, report);
    expect(statusesOf(record)).toEqual(['planned', 'writing', 'writing', 'planned']);
    expect(testsOf(record)[0]).toEqual(absent);
  });

  test('what is beside it is not what is in its place', () => {
    const beside = { shnum: 2, checkstring: ours };
    const report = writeReport('s0', 0, 'surprised', [beside, ...foundIs(v1.checkstring)]);
    const record = booked(underWay(3), report);
    expect(plannedWrites(record)).toEqual([planned('s0', 0, begins(v1.checkstring), 1)]);
  });

  test('proof of a share that is not shown is none', () => {
    const record = booked(underWay(3), { ...writeReport('s0', 0, 'surprised'), proven: [0] });
    expect(plannedWrites(record)).toEqual([planned('s0', 0, absent, 1)]);
    expect(record.surprises).toEqual([]);
  });

  const replaced = (server: string, shnum: number) => ({
    kind: 'replaced',
    detail: `server ${server}: share ${shnum} is not what was seen there before`,
  });

  test('three times: that server is asked no more, and no other writer is reported', () => {
    const again = (record: PublishRecord, found: string | null) =>
      startPlanned(booked(record, writeReport('s0', 0, 'surprised', foundIs(found))));
    const twice = again(again(underWay(4), null), v1.checkstring);
    expect(twice.avoided).toEqual([]);
    const record = again(twice, null);
    expect(record.writes.map(({ server, status }) => [server, status])).toEqual([
      ['s0', 'failed'],
      ...['s1', 's2', 's3'].map((server) => [server, 'writing']),
    ]);
    expect(record).toMatchObject({
      avoided: ['s0'],
      surprises: [],
      failures: [replaced('s0', 0)],
    });
  });

  test.each([null, v1.checkstring])('cannot be written over in place (%s)', (found) => {
    const record = underWay(3, { wholeShares: false });
    const failed = booked(record, writeReport('s0', 0, 'surprised', foundIs(found)));
    expect(statusesOf(failed)).toEqual(['failed', 'writing', 'writing']);
    expect(failed).toMatchObject({ surprises: [], failures: [replaced('s0', 0)] });
  });

  test('after a surprise ours is not spread any further, whatever else is found', () => {
    const surprised = booked(
      underWay(5),
      writeReport('s1', 1, 'surprised', [{ shnum: 1, checkstring: v2b.checkstring }]),
    );
    for (const report of [
      writeReport('s0', 0, 'surprised', foundIs(v1.checkstring)),
      writeReport('s0', 0, 'failed'),
      writeReport('s0', 0, 'accepted', [{ shnum: 2, checkstring: v1.checkstring }]),
    ]) {
      const record = booked(surprised, report);
      expect(plannedWrites(record)).toEqual([]);
      expect(record.surprises).toEqual(surprised.surprises);
    }
  });
});

describe('the mode', () => {
  const rival = [{ shnum: 1, checkstring: v2b.checkstring }];
  const surprise = writeReport('s1', 1, 'surprised', rival);
  const failure = writeReport('s0', 0, 'failed');

  test('is yielding from the first surprise on, that one included', () => {
    const record = underWay(3);
    expect(modeOf(record, failure)).toBe('placing');
    expect(modeOf(record, surprise)).toBe('yielding');
    expect(modeOf(booked(record, surprise), failure)).toBe('yielding');
  });

  test('a report that shows a stranger and an old share leads to no write of either', () => {
    const old = { shnum: 2, checkstring: v1.checkstring };
    for (const seen of [
      [old, ...rival],
      [...rival, old],
    ]) {
      for (const status of ['accepted', 'surprised'] as const) {
        const record = booked(underWay(4), writeReport('s0', 0, status, seen));
        expect(plannedWrites(record)).toEqual([]);
        expect(statusesOf(record)).toEqual([status, 'writing', 'writing']);
        expect(record.surprises).toEqual([{ server: 's0', shnum: 1, found: v2b.checkstring }]);
      }
    }
  });
});

describe('what nobody has signed is no writer', () => {
  const claims = (status: WriteReport['status'], shnum: number, head: string): WriteReport => ({
    ...writeReport('s0', 0, status, [{ shnum, checkstring: head }]),
    proven: [],
  });
  const head = `${v2b.checkstring}ff`;

  test.each([
    ['it is written over', 'surprised', 0, 1],
    ['beside the written one it gets a write of its own', 'accepted', 2, 0],
  ] as const)('damaged: %s', (_, status, shnum, attempt) => {
    const record = booked(underWay(3), claims(status, shnum, head));
    expect(plannedWrites(record)).toEqual([planned('s0', shnum, begins(head), attempt)]);
    expect(record.surprises).toEqual([]);
  });

  test('the proof of one share is no proof of another share', () => {
    const seen = [0, 2].map((shnum) => ({ shnum, checkstring: v2b.checkstring }));
    const report = writeReport('s0', 0, 'surprised', seen);
    for (const proven of [[], [0], [2], [0, 2]]) {
      const { surprises } = booked(underWay(3), { ...report, proven });
      expect(surprises.map(({ shnum }) => shnum)).toEqual(proven);
    }
  });

  test('a server that contradicts itself is not believed about anything', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s0', 1, v2), goodAt('s1', 1, v2)];
    const plan = planWrites(inputOf(mapOf(4, holdings, [v2])));
    const started = begun(plan);
    const failure = { kind: 'contradictory', detail: 'x' } as const;
    const accepts = (n: number) => writeReport(`s${n}`, n, 'accepted');
    const books = booked(started, accepts(0), accepts(1));
    const record = booked(books, { ...writeReport('s0', 1, 'failed'), failure });
    expect(record.writes.map(({ server, shnum, status }) => [server, shnum, status])).toEqual([
      ['s0', 0, 'unknown'],
      ['s0', 1, 'failed'],
      ['s1', 1, 'accepted'],
      ['s2', 2, 'writing'],
      ['s3', 0, 'planned'],
    ]);
    // Of one that is only out of reach, what it has accepted stands.
    expect(statusesOf(booked(books, writeReport('s0', 1, 'failed')))[0]).toBe('accepted');
  });
});

describe('a write that fails', () => {
  test.each(['refused', 'failed', 'unknown'] as const)(
    '%s: the share gets another home',
    (status) => {
      const record = booked(underWay(5), writeReport('s1', 1, status));
      expect(record.avoided).toEqual(['s1']);
      expect(record.failures).toEqual([{ kind: 'unreachable', detail: 's1' }]);
      expect(plannedWrites(record)).toEqual([planned('s3', 1, absent)]);
    },
  );

  test('is remembered with what went wrong last', () => {
    const failure = { kind: 'unreachable', detail: 's1' } as const;
    const whyOf = (record: PublishRecord) => record.writes[1]?.failure;
    const surprised = { ...writeReport('s1', 1, 'surprised'), failure };
    const again = startPlanned(booked(underWay(3), surprised));
    expect(whyOf(again)).toEqual(failure);
    expect(whyOf(booked(again, writeReport('s1', 1, 'accepted')))).toEqual(failure);
    expect(whyOf(booked(underWay(3), writeReport('s1', 1, 'failed')))).toEqual(failure);
  });

  test('for no stated reason fails as well', () => {
    const record = booked(underWay(5), { ...writeReport('s1', 1, 'failed'), failure: null });
    expect([record.avoided, record.failures]).toEqual([['s1'], []]);
  });

  test('what has landed is not written again', () => {
    const landed = booked(underWay(5), writeReport('s0', 0, 'accepted'));
    const record = booked(landed, writeReport('s1', 1, 'failed'));
    expect(plannedWrites(record).map(({ server, shnum }) => [server, shnum])).toEqual([['s3', 1]]);
  });

  test('with no other server to take it, the share is placed nowhere, and the result says so', () => {
    const record = booked(underWay(3), writeReport('s1', 1, 'failed'));
    const next = booked(startPlanned(record), writeReport('s0', 1, 'failed'));
    const last = booked(startPlanned(next), writeReport('s2', 1, 'failed'));
    expect(plannedWrites(last)).toEqual([]);
    expect(reportOf(last, 'notEnoughServers', []).missing).toEqual([0, 1, 2]);
  });

  test('in place: nobody else can take it', () => {
    const record = booked(underWay(5, { wholeShares: false }), writeReport('s1', 1, 'failed'));
    expect(plannedWrites(record)).toEqual([]);
  });

  test('reports about what is not under way change nothing', () => {
    const record = underWay(3);
    for (const report of [writeReport('s9', 0, 'failed'), writeReport('s0', 1, 'failed')]) {
      expect(booked(record, report)).toBe(record);
    }
    const done = booked(record, writeReport('s0', 0, 'accepted'));
    expect(booked(done, writeReport('s0', 0, 'failed'))).toBe(done);
  });
});

describe('the outcome', () => {
  const outcomeOf = (...statuses: readonly WriteReport['status'][]) =>
    decide(
      booked(
        underWay(3, { wholeShares: false }),
        ...statuses.map((status, i) => {
          const seen = [{ shnum: i, checkstring: v2b.checkstring }];
          return writeReport(`s${i}`, i, status, status === 'surprised' ? seen : []);
        }),
      ),
    );

  test.each([
    ['published', ['accepted', 'accepted', 'accepted']],
    ['published', ['accepted', 'accepted', 'failed']],
    ['published', ['accepted', 'accepted', 'unknown']],
    ['indeterminate', ['accepted', 'unknown', 'failed']],
    ['indeterminate', ['unknown', 'unknown', 'unknown']],
    ['notEnoughServers', ['accepted', 'failed', 'refused']],
    ['notEnoughServers', ['failed', 'unknown', 'refused']],
    ['uncoordinated', ['accepted', 'accepted', 'surprised']],
    ['uncoordinated', ['surprised', 'failed', 'failed']],
  ] as const)('%s: %j', (kind, statuses) => {
    expect(outcomeOf(...statuses)).toEqual({ kind });
  });

  test.each([[], ['surprised', 'accepted']] as const)(
    'is waited for while any write is under way: %j',
    (...statuses) => {
      expect(outcomeOf(...statuses)).toEqual({ kind: 'wait' });
    },
  );

  test('names what kept the new version from being made', () => {
    const failure = { kind: 'internal', detail: 'no key' } as const;
    const record = underWay(3);
    expect(apply(record, { type: 'failed', failure })).toEqual({ ...record, failures: [failure] });
  });

  test('needs distinct servers and k distinct shares (Q5)', () => {
    const holdings = [goodAt('s0', 0, v2), goodAt('s1', 0, v2)];
    const record = planWrites(inputOf(mapOf(2, holdings, [v2]), { wholeShares: false }));
    const started = begun(record);
    const done = booked(started, ...[0, 0].map((n, i) => writeReport(`s${i}`, n, 'accepted')));
    expect(decide(done)).toEqual({ kind: 'notEnoughServers' });
  });

  test('names every share that did not land, and everything else', () => {
    const record = booked(
      underWay(3, { wholeShares: false }),
      writeReport('s0', 0, 'accepted'),
      writeReport('s1', 1, 'failed'),
    );
    const { seqnum, version, required, total, quorum, writes, surprises, failures } = record;
    expect(reportOf(record, 'cancelled', [v2])).toEqual({
      kind: 'cancelled',
      missing: [1, 2],
      newer: [v2],
      ...{ seqnum, version, required, total, quorum, writes, surprises, failures },
    });
  });
});

describe('whatever the servers do', () => {
  interface Fate {
    readonly status: WriteReport['status'];
    readonly found: number;
    readonly extra: number | null;
  }
  const fates = fc.array(
    fc.record<Fate>({
      status: fc.constantFrom('accepted', 'surprised', 'refused', 'failed', 'unknown'),
      found: fc.nat(4),
      extra: fc.option(fc.nat(3)),
    }),
    { minLength: 60, maxLength: 60 },
  );
  const heads = [v1.checkstring, v2.checkstring, v2b.checkstring, ours, ''];

  test('it ends, no place is written twice at once, no newer version is written over (Q8)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.boolean(), fates, (count, whole, dice) => {
        const holdings = [goodAt('s0', 0, v2), goodAt('s0', 1, v2), goodAt('s0', 2, v1)];
        const map = mapOf(count, holdings, [v1, v2]);
        const plan = planWrites(inputOf(map, { wholeShares: whole }));
        let record = begun(plan);
        let steps = 0;
        for (; decide(record).kind === 'wait'; steps++) {
          expect(steps).toBeLessThan(60);
          const { server, shnum } = record.writes.find((w) => w.status === 'writing') as never;
          const { status, found, extra } = dice[steps] as Fate;
          const seen = [{ shnum, checkstring: heads[found] as string }];
          if (extra !== null)
            seen.push({ shnum: extra as never, checkstring: heads[3 - found] ?? '' });
          record = startPlanned(booked(record, writeReport(server, shnum, status, seen)));
          const places = placesOf(record);
          expect(new Set(places).size).toBe(places.length);
          for (const { test } of record.writes) {
            if (test.kind === 'begins')
              expect([v1.checkstring, v2.checkstring]).toContain(test.head);
          }
        }
        const { kind } = decide(record);
        const accepted = record.writes.filter(({ status }) => status === 'accepted');
        const isPlaced =
          new Set(accepted.map(({ server }) => server)).size >= record.quorum &&
          new Set(accepted.map(({ shnum }) => shnum)).size >= record.required;
        expect(kind === 'published').toBe(isPlaced && record.surprises.length === 0);
        expect(kind === 'uncoordinated').toBe(record.surprises.length > 0);
      }),
      { numRuns: 500 },
    );
  });
});
