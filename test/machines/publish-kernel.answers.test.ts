import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  apply,
  decide,
  type PublishRecord,
  placedOf,
  type Request,
  reportOf,
  start,
  type WriteReport,
  type WriteTest,
  writesOf,
} from '../../machines/publish-kernel.ts';
import type { Version } from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, type Shown, versionOf, writeReport } from '../support/facts.ts';
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
  prepared,
  requestsOf,
  sent,
  statusesOf,
  surprises,
  targetOf,
  underWay,
} from '../support/publishing.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const v2b = versionOf(2, 'b');
const newer = versionOf(3, 'x');
const absent: WriteTest = { kind: 'absent' };
const begins = (head: string): WriteTest => ({ kind: 'begins', head });
const holds = ({ checkstring }: Version) => begins(checkstring);
const failureOf = (detail: string) => ({ kind: 'unreachable', detail }) as const;

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

  test('has an older version, of which nobody knows what it was built on: it is on one server', () => {
    const record = found(is(0, v1));
    expect(record.surprises).toEqual([{ server: 's0', shnum: 0, found: v1.checkstring }]);
    expect([next(record), retested(record)]).toEqual([['s0:0'], [holds(v1), absent, absent]]);
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

  test('where the map is to be made anew: it is asked no more', () => {
    const at = (asksOnce: boolean) =>
      targetOf(booked(underWay(3, { asksOnce }), surprises('s0', is(0, v2b))), 's0');
    expect(at(true)).toMatchObject({ status: 'closed', last: 'surprised', attempt: 1 });
    expect(at(false)).toMatchObject({ status: 'open', last: 'surprised', attempt: 1 });
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
    // What was there and is gone is told as soon as it is seen.
    expect(targetOf(three, 's0')?.failure).toEqual({ kind: 'replaced', detail });
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
    const gone = targetOf(late, 's0')?.failure;
    expect([gone?.kind, late.failures]).toEqual(['replaced', [failure, gone]]);
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
      ...{ quorum: 2, mayHaveLanded: [0], surprises: [], failures, unheard: [], missing: [1, 2] },
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

  test('tells of which shares a request has landed, or may have', () => {
    const landed = (...reports: readonly WriteReport[]) =>
      reportOf(booked(underWay(3), ...reports), 'uncoordinated').mayHaveLanded;
    expect(landed()).toEqual([]);
    expect(landed(accepts('s0'), accepts('s2'))).toEqual([0, 2]);
    expect(landed(writeReport('s1', 'unknown'))).toEqual([1]);
    const noes = (['surprised', 'refused', 'failed'] as const).map((s) => writeReport('s1', s));
    // A plain no is one; who is read again shows what is there now, and somebody may have built on it.
    expect(noes.map((no) => landed(no))).toEqual([[], [], []]);
    expect(noes.map((no) => landed({ ...no, isReread: true }))).toEqual([[1], [1], [1]]);
    const failure = { kind: 'contradictory', detail: 's1' } as const;
    expect(landed({ ...writeReport('s1', 'failed'), failure })).toEqual([1]);
    // It stays so, whatever comes of the next request to that server.
    const again = booked(
      underWay(3),
      { ...surprises('s0'), isReread: true },
      ...[accepts('s1'), accepts('s2')],
    );
    expect(reportOf(again, 'uncoordinated').mayHaveLanded).toEqual([0, 1, 2]);
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
    const holdings = [goodAt('s0', 0, v2), { server: 's1', shnum: 1, verdict: bad() }];
    const forced = planOf(mapOf(2, holdings, [v2]), { force: true, required: 1, total: 2 });
    expect(statusesOf(start(forced))).toEqual(['s0:0 planned', 's1:1 planned']);
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
