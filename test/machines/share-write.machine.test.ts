import { describe, expect, test } from 'vitest';
import type { JudgedShare, SeenShare, WriteResult } from '../../machines/io.ts';
import type { Expectation } from '../../machines/publish-claims.ts';
import type { WriteTest } from '../../machines/publish-kernel.ts';
import { shareWriteMachine, shareWriteSummary } from '../../machines/share-write.machine.ts';
import { chartCoverage } from '../support/coverage.ts';
import { deadlines, versionOf } from '../support/facts.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, deafParent, passed, rejected, type Walk, walk } from '../support/walk.ts';

type Machine = typeof shareWriteMachine;

const coverage = chartCoverage(shareWriteMachine);
const ours = versionOf(2).checkstring;
const old = versionOf(1).checkstring;
const foreign = versionOf(2, 'x').checkstring;
const begins: WriteTest = { kind: 'begins', head: old };
const short: WriteTest = { kind: 'begins', head: old.slice(0, 2) };
const absent: WriteTest = { kind: 'absent' };
const failure = { kind: 'unreachable', detail: 'x' } as const;

const rival = versionOf(1, 'r').checkstring;
/** Version 2 is written over version 1; a rival of it is known to be in place 4. */
const expectation: Expectation = {
  ...{ total: 5, seqnum: 2, replaceable: [old] },
  heads: [{ shnum: 4, head: rival }],
};

function start(test: WriteTest = begins): Walk<Machine> {
  const place = { server: 's0', shnum: 1, checkstring: ours };
  const input = { ...place, test, expectation, parent: deafParent(), deadlines };
  return walk(shareWriteMachine, input, coverage.onMicrostep);
}

const writes = (result: WriteResult) => answered('writeShare', result);
/** Another share on the same server, which is told of with ours. */
const sibling: SeenShare = { shnum: 4, checkstring: rival };
const share = (checkstring: string, shnum = 1): SeenShare => ({ shnum, checkstring });
const shares = (checkstring: string | null): readonly SeenShare[] =>
  checkstring === null ? [sibling] : [share(checkstring), sibling];
const rereads = (checkstring: string | null) =>
  answered('rereadShare', { ok: true, seen: shares(checkstring) });
const lost = writes({ kind: 'answerLost', failure });
const rereading = (test: WriteTest = begins) => start(test).step(lost);

/** The line by which the child reports. */
const reports = (
  status: string,
  seen: readonly SeenShare[],
  why: object | null,
  proven: readonly number[] = [],
) =>
  `send to parent ${JSON.stringify({
    type: 'write.settled',
    report: { server: 's0', shnum: 1, status, seen, proven, failure: why },
  })}`;

const answers = (wrote: boolean, ...seen: readonly SeenShare[]) =>
  writes({ kind: 'answered', wrote, seen });
const judges = (...seen: readonly JudgedShare[]) => answered('verifyClaim', { ok: true, seen });
const judged = (checkstring: string, isProven: boolean, shnum = 1): JudgedShare => ({
  ...{ shnum, checkstring, isProven },
});
/** The server said no and showed somebody else's share. */
const checking = (test: WriteTest = begins) => start(test).step(answers(false, share(foreign)));
const contradicts = {
  kind: 'contradictory',
  detail: 'server s0: it has not written share 1, and nothing was in the way',
};

describe('writing', () => {
  test('sends the test-and-set, under a deadline', () => {
    const it = start();
    expect(it.state()).toBe('writing');
    expect(it.log()).toEqual([
      'after 40 ms writeDeadline',
      `start writeShare {"server":"s0","shnum":1,"test":{"kind":"begins","head":"${old}"}}`,
    ]);
  });

  const seen = [share(old)];
  const older = [share(versionOf(0).checkstring), sibling];
  test.each([
    ['accepted', { kind: 'answered', wrote: true, seen }, seen, null],
    ['surprised', { kind: 'answered', wrote: false, seen: older }, older, null],
    ['surprised', { kind: 'answered', wrote: false, seen: [] }, [], null],
    ['refused', { kind: 'refused', failure }, [], failure],
    ['failed', { kind: 'notSent', failure }, [], failure],
  ] as const)('%s', (status, result, shares, why) => {
    const it = start().step(writes(result));
    expect(it.state()).toBe(status);
    expect(it.log()).toEqual([
      'cancel writeDeadline',
      'stop writeShare',
      reports(status, shares, why),
    ]);
  });

  test.each([
    ['its answer is lost', lost, failure],
    [
      'a bug in the provider',
      rejected('writeShare', new Error('x')),
      { kind: 'internal', detail: 'x' },
    ],
    [
      'no answer in time',
      passed('writeDeadline', 'shareWrite.writing'),
      { kind: 'timeout', detail: 'no answer to the write' },
    ],
  ])('%s: the place is read before anything is concluded', (_, event, why) => {
    const it = start().step(event);
    expect(it.state()).toBe('rereading');
    expect(it.log()).toEqual([
      'cancel writeDeadline',
      'stop writeShare',
      'after 30 ms readDeadline',
      'start rereadShare {"server":"s0","shnum":1}',
    ]);
    expect(it.context().failure).toEqual(why);
  });
});

describe('rereading', () => {
  test.each<[string, WriteTest, string | null, string]>([
    ['our own checkstring: it landed', begins, ours, 'accepted'],
    ['what was there before: it did not', begins, old, 'failed'],
    ['the head of what was there before', { kind: 'begins', head: `${old}aabb` }, old, 'failed'],
    ['more than the head that was there', short, old, 'failed'],
    ['still nothing', absent, null, 'failed'],
    ['still no bytes', absent, '', 'failed'],
    ['our own, of which the test asked for no more than the first byte', short, ours, 'accepted'],
    ['an old share, where there was nothing', absent, old, 'surprised'],
    ['nothing, where there was something', begins, null, 'surprised'],
    ['no bytes, where there was something', begins, '', 'surprised'],
  ])('%s', (_, test, found, status) => {
    const it = rereading(test).step(rereads(found));
    expect(it.state()).toBe(status);
    const seen = status === 'failed' ? [] : shares(found);
    expect(it.log()).toEqual([
      'cancel readDeadline',
      'stop rereadShare',
      reports(status, seen, failure),
    ]);
  });

  test.each([
    ['unreadable', answered('rereadShare', { ok: false, failure })],
    ['a bug in the provider', rejected('rereadShare', new Error('x'))],
    ['no answer in time', passed('readDeadline', 'shareWrite.rereading')],
  ])('%s: nobody can say', (_, event) => {
    const it = rereading().step(event);
    expect(it.state()).toBe('unknown');
    expect(it.log()).toEqual([
      'cancel readDeadline',
      'stop rereadShare',
      reports('unknown', [], failure),
    ]);
  });
});

describe('a server that says no and shows that its answer should be yes', () => {
  test.each<[string, WriteTest, readonly SeenShare[]]>([
    ['nothing, where there was to be nothing', absent, []],
    ['no bytes, where there was to be nothing', absent, [share('')]],
    ['what was asked for', begins, [share(old)]],
    ['what was asked for, and more', short, [share(foreign)]],
    ['what was asked for, and another share beside it', begins, [share(old), share(foreign, 3)]],
  ])('%s', (_, asked, seen) => {
    const it = start(asked).step(answers(false, ...seen));
    expect(it.state()).toBe('failed');
    expect(it.log()).toEqual([
      'cancel writeDeadline',
      'stop writeShare',
      reports('failed', [], contradicts),
    ]);
  });

  test.each<[string, WriteTest, string]>([
    ['nothing, where there was something', begins, ''],
    ['less than the test asked for', { kind: 'begins', head: `${old}aa` }, old],
    ['something, where there was to be nothing', absent, old],
    ['our own', begins, ours],
  ])('but it may show %s', (_, asked, found) => {
    const it = start(asked).step(answers(false, share(found)));
    expect(it.state()).toBe('surprised');
  });
});

describe("somebody else's share is a claim until its signature is seen", () => {
  const beside = share(foreign, 3);
  test.each<[string, Walk<Machine>, readonly number[]]>([
    ['in the place', checking(), [1]],
    ['where there was nothing', checking(absent), [1]],
    ['beside what was written', start().step(answers(true, share(old), beside)), [3]],
    ['beside an old one', start(absent).step(answers(false, share(old), beside)), [3]],
    ['in the place and beside it', start().step(answers(false, share(foreign), beside)), [1, 3]],
    ["a rival's that is known elsewhere", start().step(answers(true, share(rival, 3))), [3]],
    ['in the place, after a lost answer', rereading().step(rereads(foreign)), [1]],
    [
      'beside our own, after a lost answer',
      rereading().step(answered('rereadShare', { ok: true, seen: [share(ours), beside] })),
      [3],
    ],
  ])('%s', (_, it, shnums) => {
    expect(it.state()).toBe('checkingClaim');
    expect(it.log().slice(2)).toEqual([
      'after 30 ms readDeadline',
      `start verifyClaim {"server":"s0","shnums":${JSON.stringify(shnums)}}`,
    ]);
  });

  test.each<[string, readonly SeenShare[]]>([
    ['the base', [share(old, 3)]],
    ['an older version', [share(versionOf(0).checkstring, 3)]],
    ['no bytes', [share('', 3)]],
    ['our own', [share(ours, 3)]],
    ['what another write to this server expects', [sibling]],
    ['the head of that', [share(rival.slice(0, 20), 4)]],
    ['a share of another encoding', [share(foreign, 5)]],
  ])('and %s is none', (_, seen) => {
    expect(
      start()
        .step(answers(true, ...seen))
        .state(),
    ).toBe('accepted');
  });

  const ended = ['cancel readDeadline', 'stop verifyClaim'];
  test('it is signed: the coordinator is told of it, and of the rest that was shown', () => {
    const it = start().step(answers(false, share(foreign), sibling));
    it.step(judges(judged(foreign, true)));
    expect(it.state()).toBe('surprised');
    const report = reports('surprised', [sibling, share(foreign)], null, [1]);
    expect(it.log()).toEqual([...ended, report]);
  });

  test('the share that is there now counts, not the one that was shown', () => {
    const now = versionOf(3, 'y').checkstring;
    const it = checking().step(judges(judged(now, true)));
    expect(it.log()).toEqual([...ended, reports('surprised', [share(now)], null, [1])]);
  });

  test('it is damaged: the coordinator is told how it begins, and that it proves nothing', () => {
    const head = `${foreign}aabb`;
    const it = start().step(answers(false, share(foreign), beside));
    it.step(judges(judged(head, false), judged(foreign, true, 3)));
    const report = reports('surprised', [share(head), beside], null, [3]);
    expect([it.state(), it.log()]).toEqual(['surprised', [...ended, report]]);
  });

  test('it is beside the share that was written', () => {
    const it = start().step(answers(true, share(old), beside));
    it.step(judges(judged(foreign, true, 3)));
    const report = reports('accepted', [share(old), beside], null, [3]);
    expect([it.state(), it.log()]).toEqual(['accepted', [...ended, report]]);
  });

  test('it is beside our own, when the answer was lost', () => {
    const seen = [share(ours), beside];
    const it = rereading().step(answered('rereadShare', { ok: true, seen }));
    it.step(judges(judged(foreign, true, 3)));
    expect([it.state(), it.log()]).toEqual([
      'accepted',
      [...ended, reports('accepted', seen, failure, [3])],
    ]);
  });

  test.each([
    ['what the test asked for', begins],
    ['the first byte that the test asked for', short],
  ])('the place holds %s after all: the server contradicts itself', (_, asked) => {
    const shown = versionOf(2, 'x').checkstring.replace(/^../, 'ff');
    const it = start(asked).step(answers(false, share(shown)));
    it.step(judges(judged(old, true)));
    expect([it.state(), it.log()]).toEqual([
      'failed',
      [...ended, reports('failed', [share(shown)], contradicts)],
    ]);
  });

  test('the place holds it again after a lost answer: that is no contradiction', () => {
    const it = rereading()
      .step(rereads(foreign))
      .step(judges(judged(old, true)));
    expect(it.state()).toBe('surprised');
  });

  const why = { kind: 'unreachable', detail: 'y' };
  const bug = { kind: 'internal', detail: 'y' };
  const late = { kind: 'timeout', detail: 'no proof of what the server showed' };
  const doubts = [
    ['no proof is to be had', answered('verifyClaim', { ok: false, failure: why }), why],
    ['a bug in the provider', rejected('verifyClaim', new Error('y')), bug],
    ['no answer in time', passed('readDeadline', 'shareWrite.checkingClaim'), late],
  ] as const;

  test.each(doubts)('%s: whoever said no has not written', (_, event, because) => {
    const it = checking().step(event);
    const report = reports('failed', [share(foreign)], because);
    expect([it.state(), it.log()]).toEqual(['failed', [...ended, report]]);
  });

  test.each(doubts)('%s: whoever said yes may not have', (_, event, because) => {
    const it = start().step(answers(true, beside)).step(event);
    const report = reports('unknown', [beside], because);
    expect([it.state(), it.log()]).toEqual(['unknown', [...ended, report]]);
  });

  test.each(doubts)('%s: whose answer was lost may have', (_, event, because) => {
    const it = rereading().step(rereads(foreign)).step(event);
    const report = reports('unknown', shares(foreign), because);
    expect([it.state(), it.log()]).toEqual(['unknown', [...ended, report]]);
  });
});

describe('what does not belong changes nothing', () => {
  const makers = {
    writing: () => start(),
    rereading: () => rereading(),
    accepted: () => rereading().step(rereads(ours)),
    checkingClaim: () => checking(),
    surprised: () => rereading().step(rereads(null)),
    refused: () => start().step(writes({ kind: 'refused', failure })),
    failed: () => rereading().step(rereads(old)),
    unknown: () => rereading().step(passed('readDeadline', 'shareWrite.rereading')),
  };

  test.each(Object.entries(makers))('in %s', (state, make) => {
    const it = make();
    const { context } = it.snapshot();
    const unwelcome = state === 'writing' ? rereads(ours) : writes({ kind: 'refused', failure });
    it.step(unwelcome);
    expect([it.state(), it.context(), it.log()]).toEqual([state, context, []]);
  });
});

test('traces and pictures show the place, what it must hold, and what was found', () => {
  const place = { server: 's0', shnum: 1, test: begins };
  expect(shareWriteSummary(start().context())).toEqual({ ...place, seen: [], failure: null });
  const seen = [share(foreign)];
  expect(shareWriteSummary(checking().context())).toEqual({ ...place, seen, failure: null });
  expect(shareWriteSummary(rereading().context())).toEqual({ ...place, seen: [], failure });
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(shareWriteMachine)).toEqual([
    'shareWrite: Error: actor writeShare is named by a chart and not provided',
    'shareWrite: Error: actor rereadShare is named by a chart and not provided',
    'shareWrite: Error: actor verifyClaim is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
