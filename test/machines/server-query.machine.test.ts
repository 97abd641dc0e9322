import { describe, expect, test } from 'vitest';
import { shareJudged } from '../../machines/events.ts';
import {
  type ServerQueryInput,
  serverQueryMachine,
  serverQuerySummary,
} from '../../machines/server-query.machine.ts';
import { chartCoverage } from '../support/coverage.ts';
import { bad, deadlines, goodReport, poorReport, unverified, versionOf } from '../support/facts.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, deafParent, passed, rejected, type Walk, walk } from '../support/walk.ts';

type Machine = typeof serverQueryMachine;

const coverage = chartCoverage(serverQueryMachine);
const v1 = versionOf(1);
const good = (shnum: number, privateKeyFound = false) =>
  shareJudged(shnum, { kind: 'good', version: v1.id }, { version: v1, privateKeyFound });

function start(more: Partial<ServerQueryInput> = {}): Walk<Machine> {
  const input = {
    server: 's0',
    parent: deafParent(),
    wantsPrivateKey: true,
    wantsNumbers: true,
    deadlines,
    ...more,
  };
  return walk(serverQueryMachine, input, coverage.onMicrostep);
}

const answer = (...shnums: readonly number[]) => answered('queryServer', { ok: true, shnums });
const verifying = (...shnums: readonly number[]) => start().step(answer(...shnums));

/** What the child does when it reports; the deadline it was under ends with it. */
const reports = (deadline: string, actor: string, report: object) => [
  `cancel ${deadline}`,
  `stop ${actor}`,
  `send to parent ${JSON.stringify({ type: 'server.settled', report })}`,
];

describe('querying', () => {
  test('asks the server, under a deadline', () => {
    const it = start();
    expect(it.state()).toBe('querying');
    expect(it.context()).toMatchObject({ shnums: [], judged: [], failure: null });
    expect(it.log()).toEqual([
      'after 10 ms queryDeadline',
      'start queryServer {"server":"s0","wantsPrivateKey":true}',
    ]);
  });

  test('no shares: empty', () => {
    const it = start().step(answer());
    expect(it.state()).toBe('empty');
    expect(it.log()).toEqual(reports('queryDeadline', 'queryServer', poorReport('s0', 'empty')));
  });

  test('shares: they are verified, and the coordinator knows', () => {
    const it = verifying(0, 3);
    expect(it.state()).toBe('verifying');
    expect(it.log()).toEqual([
      'cancel queryDeadline',
      'stop queryServer',
      'send to parent {"type":"server.answered","server":"s0","shnums":[0,3]}',
      'after 20 ms verifyDeadline',
      'start verifyShares {"server":"s0","shnums":[0,3],"wantsPrivateKey":true,"wantsNumbers":true}',
    ]);
  });

  test.each<[string, boolean, readonly number[], boolean]>([
    ['of several shares', true, [0, 3], true],
    ['not of one share, which is but one', true, [3], false],
    ['not for somebody who does not ask for it', false, [0, 3], false],
  ])('the numbers are to be proven: %s', (_, wantsNumbers, shnums, isAsked) => {
    const it = start({ wantsPrivateKey: false, wantsNumbers }).step(answer(...shnums));
    const input = { server: 's0', shnums, wantsPrivateKey: false, wantsNumbers: isAsked };
    expect(it.log().at(-1)).toBe(`start verifyShares ${JSON.stringify(input)}`);
  });

  const unreachable = { kind: 'unreachable', detail: 'x' } as const;
  test.each([
    ['a failure', answered('queryServer', { ok: false, failure: unreachable }), unreachable],
    [
      'a bug in the provider',
      rejected('queryServer', new Error('x')),
      { kind: 'internal', detail: 'x' } as const,
    ],
    [
      'a rejection that is no error',
      rejected('queryServer', 'odd'),
      { kind: 'internal', detail: 'odd' } as const,
    ],
    [
      'no answer in time',
      passed('queryDeadline', 'serverQuery.querying'),
      { kind: 'timeout', detail: 'no answer to the query' } as const,
    ],
  ])('%s: failed, and the coordinator is told why', (_, event, failure) => {
    const it = start().step(event);
    expect(it.state()).toBe('failed');
    const report = poorReport('s0', 'failed', [], failure);
    expect(it.log()).toEqual(reports('queryDeadline', 'queryServer', report));
  });

  test('a server that names a share twice has it once', () => {
    expect(verifying(2, 2).step(good(2)).state()).toBe('good');
  });
});

describe('verifying', () => {
  test('ends when every share has its verdict, in whatever order', () => {
    const it = verifying(0, 1).step(good(1, true));
    expect(it.state()).toBe('verifying');
    expect(it.log()).toEqual([]);
    it.step(good(0));
    expect(it.state()).toBe('good');
    const report = {
      ...goodReport('s0', [1, 0], v1, { privateKeyFound: true }),
      versions: [v1, v1],
    };
    expect(it.log()).toEqual(reports('verifyDeadline', 'verifyShares', report));
  });

  test('a corrupt sibling changes nothing for the others (U11)', () => {
    const it = verifying(0, 1).step(shareJudged(0, bad('ff')));
    expect(it.state()).toBe('verifying');
    it.step(good(1));
    expect(it.state()).toBe('good');
    const holdings = [
      { server: 's0', shnum: 0, verdict: bad('ff') },
      { server: 's0', shnum: 1, verdict: { kind: 'good', version: v1.id } },
    ];
    expect(it.log()).toEqual(
      reports('verifyDeadline', 'verifyShares', {
        ...goodReport('s0', [], v1),
        holdings: holdings,
      }),
    );
  });

  test('nothing good and something bad: corrupt', () => {
    const it = verifying(0, 1).step(shareJudged(0, bad())).step(shareJudged(1, unverified()));
    expect(it.state()).toBe('corrupt');
    const holdings = [
      { server: 's0', shnum: 0, verdict: bad() },
      { server: 's0', shnum: 1, verdict: unverified() },
    ];
    expect(it.log()).toEqual(
      reports('verifyDeadline', 'verifyShares', poorReport('s0', 'corrupt', holdings)),
    );
  });

  test('transport failure is never corruption: nothing judged is failed (U7)', () => {
    const it = verifying(0).step(shareJudged(0, unverified('connection lost')));
    expect(it.state()).toBe('failed');
    const holdings = [{ server: 's0', shnum: 0, verdict: unverified('connection lost') }];
    expect(it.log()).toEqual(
      reports('verifyDeadline', 'verifyShares', poorReport('s0', 'failed', holdings)),
    );
  });

  test('the deadline: what has no verdict is unverified, what has one keeps it', () => {
    const it = verifying(0, 1, 2)
      .step(good(1))
      .step(passed('verifyDeadline', 'serverQuery.verifying'));
    expect(it.state()).toBe('good');
    const judged = [
      good(1),
      shareJudged(0, unverified('timeout')),
      shareJudged(2, unverified('timeout')),
    ];
    expect(it.context().judged).toEqual(judged);
    const holdings = judged.map(({ shnum, verdict }) => ({ server: 's0', shnum, verdict }));
    expect(it.log()).toEqual(
      reports('verifyDeadline', 'verifyShares', {
        ...goodReport('s0', [1], v1),
        holdings: holdings,
      }),
    );
  });

  test('a bug in the verifier proves nothing against the shares', () => {
    const it = verifying(0).step(rejected('verifyShares', new Error('bug')));
    expect(it.state()).toBe('failed');
    const holdings = [{ server: 's0', shnum: 0, verdict: unverified('bug') }];
    expect(it.log()).toEqual(
      reports('verifyDeadline', 'verifyShares', poorReport('s0', 'failed', holdings)),
    );
  });

  test('a second verdict on a share, or one on a share nobody reported, is ignored', () => {
    const it = verifying(0, 1).step(good(0));
    const before = it.snapshot();
    it.step(shareJudged(0, bad())).step(good(7));
    expect([it.state(), it.context()]).toEqual(['verifying', before.context]);
    expect(it.log()).toEqual([]);
  });
});

describe('what does not belong', () => {
  const settled = {
    querying: () => start(),
    empty: () => start().step(answer()),
    good: () => verifying(0).step(good(0)),
    corrupt: () => verifying(0).step(shareJudged(0, bad())),
    failed: () => verifying(0).step(shareJudged(0, unverified())),
  };

  test.each(Object.entries(settled))('changes nothing in %s', (state, make) => {
    const it = make();
    const { context } = it.snapshot();
    it.step(good(0)).step(passed('verifyDeadline', 'serverQuery.verifying'));
    expect([it.state(), it.context(), it.log()]).toEqual([state, context, []]);
  });

  test('changes nothing in verifying', () => {
    const it = verifying(0);
    const { context } = it.snapshot();
    it.step(answer(5)).step(passed('queryDeadline', 'serverQuery.querying'));
    expect([it.state(), it.context(), it.log()]).toEqual(['verifying', context, []]);
  });
});

test('traces and pictures show the shares, and what each turned out to be', () => {
  const it = verifying(0, 3).step(shareJudged(3, bad('ff')));
  expect(serverQuerySummary(it.context())).toEqual({
    server: 's0',
    shnums: [0, 3],
    judged: { 3: bad('ff') },
    failure: null,
  });
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(serverQueryMachine)).toEqual([
    'serverQuery: Error: actor queryServer is named by a chart and not provided',
    'serverQuery: Error: actor verifyShares is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
