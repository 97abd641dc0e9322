import { describe, expect, test } from 'vitest';
import type { JudgedShare, SeenShare, WriteResult } from '../../machines/io.ts';
import type { ProvenShare, WriteTest } from '../../machines/reports.ts';
import type { Version } from '../../machines/servermap.ts';
import { shareWriteMachine, shareWriteSummary } from '../../machines/share-write.machine.ts';
import { chartCoverage } from '../support/coverage.ts';
import { deadlines, versionOf } from '../support/facts.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, deafParent, passed, rejected, type Walk, walk } from '../support/walk.ts';

type Machine = typeof shareWriteMachine;

const coverage = chartCoverage(shareWriteMachine);
const ours = versionOf(2).checkstring;
const old = versionOf(1).checkstring;
const theirs = versionOf(2, 'x');
const foreign = theirs.checkstring;
const rival = versionOf(1, 'r').checkstring;
const begins = (head: string): WriteTest => ({ kind: 'begins', head });
const absent: WriteTest = { kind: 'absent' };
const failure = { kind: 'unreachable', detail: 'x' } as const;

const share = (shnum: number, checkstring: string): SeenShare => ({ shnum, checkstring });

/** The base in places 1 and 2, which are written; a rival in 4, which stays; nothing elsewhere. */
const tests = [absent, begins(old), begins(old), absent, begins(rival)];
const shnums = [1, 2];
const untouched = [share(1, old), share(2, old), share(4, rival)];

function start(more: { tests?: readonly WriteTest[]; shnums?: readonly number[] } = {}) {
  const input = { server: 's0', shnums, tests, checkstring: ours, ...more };
  const parent = deafParent();
  return walk(shareWriteMachine, { ...input, parent, deadlines }, coverage.onMicrostep);
}

const writes = (result: WriteResult) => answered('writeShare', result);
const answers = (wrote: boolean, ...seen: readonly SeenShare[]) =>
  writes({ kind: 'answered', wrote, seen });
const lost = writes({ kind: 'answerLost', failure });
const rereading = () => start().step(lost);
const rereads = (...seen: readonly SeenShare[]) => answered('rereadShare', { ok: true, seen });
/** The server said no and showed somebody else's share. */
const shown = [share(1, foreign), share(2, old), share(4, rival)];
const checking = () => start().step(answers(false, ...shown));
const judged = (shnum: number, checkstring: string, version: Version | null): JudgedShare => ({
  ...{ shnum, checkstring, version },
});
const judges = (...seen: readonly JudgedShare[]) => answered('verifyClaim', { ok: true, seen });

/** The line by which the child reports. */
const reports = (
  status: string,
  seen: readonly SeenShare[],
  why: object | null,
  proven: readonly ProvenShare[] = [],
  isReread = false,
) =>
  `send to parent ${JSON.stringify({
    type: 'write.settled',
    report: { server: 's0', status, isReread, seen, proven, failure: why },
  })}`;

/** The same, where the server was read again. */
const rereports = (status: string, seen: readonly SeenShare[], why: object) =>
  reports(status, seen, why, [], true);

const contradicts = (detail: string) => ({ kind: 'contradictory', detail: `server s0: ${detail}` });
const falseNo = contradicts('it has not written, and nothing was in the way');
const falseYes = contradicts('it has written, and what it held was in the way');

describe('writing', () => {
  test('sends one request with a test for each share number, under a deadline', () => {
    const it = start();
    expect(it.state()).toBe('writing');
    expect(it.log()).toEqual([
      'after 40 ms writeDeadline',
      `start writeShare ${JSON.stringify({ server: 's0', shnums, tests })}`,
    ]);
  });

  const gone = [share(1, old), share(4, rival)];
  test.each([
    ['accepted', { kind: 'answered', wrote: true, seen: untouched }, untouched, null],
    ['surprised', { kind: 'answered', wrote: false, seen: gone }, gone, null],
    ['surprised', { kind: 'answered', wrote: false, seen: [] }, [], null],
    ['refused', { kind: 'refused', failure }, [], failure],
    ['failed', { kind: 'notSent', failure }, [], failure],
  ] as const)('%s', (status, result, seen, why) => {
    const it = start().step(writes(result));
    expect(it.state()).toBe(status);
    expect(it.log()).toEqual([
      ...['cancel writeDeadline', 'stop writeShare', reports(status, seen, why)],
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
  ])('%s: the server is read before anything is concluded', (_, event, why) => {
    const it = start().step(event);
    expect(it.state()).toBe('rereading');
    expect(it.log()).toEqual([
      'cancel writeDeadline',
      'stop writeShare',
      'after 30 ms readDeadline',
      'start rereadShare {"server":"s0"}',
    ]);
    expect(it.context().failure).toEqual(why);
  });
});

describe('rereading', () => {
  const same = [absent, begins(`${ours}12`), absent, absent, begins(rival)];
  const bad = [share(1, ours), share(4, rival)];

  test('a bad share of the very version begins like a good one, and so tells nothing', () => {
    const it = start({ tests: same, shnums: [1] }).step(lost);
    expect(it.step(rereads(...bad)).state()).toBe('unknown');
  });

  test('another place of the same request tells', () => {
    const it = start({ tests: same, shnums: [1, 2] }).step(lost);
    expect(it.step(rereads(...bad, share(2, ours))).state()).toBe('accepted');
  });

  test('none of them has it: it did not happen; something else is there: a surprise', () => {
    const both = { tests: same, shnums: [1, 2] };
    expect(
      start(both)
        .step(lost)
        .step(rereads(...bad))
        .state(),
    ).toBe('failed');
    const one = { tests: same, shnums: [1] };
    expect(
      start(one)
        .step(lost)
        .step(rereads(share(4, rival)))
        .state(),
    ).toBe('surprised');
  });

  test.each<[string, readonly SeenShare[], string]>([
    ['our own checkstring: it landed', [share(1, ours), share(2, ours)], 'accepted'],
    ['our own in one place only: the server failed half way', [share(1, ours)], 'surprised'],
    ['our own, of an earlier request: that is not this one', [share(0, ours)], 'surprised'],
    ['what was there before: it did not', untouched, 'failed'],
    ['something of that is gone', untouched.slice(1), 'surprised'],
    ['nothing is there any more', [], 'surprised'],
    ['no bytes are there any more', [share(1, ''), ...untouched.slice(1)], 'surprised'],
  ])('%s', (_, found, status) => {
    const it = rereading().step(rereads(...found));
    expect(it.state()).toBe(status);
    const seen = status === 'failed' ? [] : found;
    expect(it.log()).toEqual([
      ...['cancel readDeadline', 'stop rereadShare', rereports(status, seen, failure)],
    ]);
  });

  test('what is not there when its time is over may be late: nobody can say', () => {
    const late = start().step(passed('writeDeadline', 'shareWrite.writing'));
    expect(late.step(rereads(...untouched)).state()).toBe('unknown');
  });

  test("somebody else's in one of the places is checked", () => {
    const it = rereading().step(rereads(share(2, ours), share(1, foreign)));
    expect(it.state()).toBe('checkingClaim');
  });

  test.each([
    ['unreadable', answered('rereadShare', { ok: false, failure })],
    ['a bug in the provider', rejected('rereadShare', new Error('x'))],
    ['no answer in time', passed('readDeadline', 'shareWrite.rereading')],
  ])('%s: nobody can say', (_, event) => {
    const it = rereading().step(event);
    expect(it.state()).toBe('unknown');
    expect(it.log()).toEqual([
      ...['cancel readDeadline', 'stop rereadShare', rereports('unknown', [], failure)],
    ]);
  });
});

describe('a server that contradicts itself', () => {
  const ended = ['cancel writeDeadline', 'stop writeShare'];

  test('says no and shows that nothing was in the way: it has not written', () => {
    const it = start().step(answers(false, ...untouched));
    expect([it.state(), it.log()]).toEqual(['failed', [...ended, reports('failed', [], falseNo)]]);
  });

  test.each<[string, readonly SeenShare[]]>([
    ['another share in the place', shown],
    ['another share beside it', [...untouched, share(3, foreign)]],
    ['that something was gone', untouched.slice(1)],
  ])('says yes and shows %s: nobody knows what it has done', (_, seen) => {
    const it = start().step(answers(true, ...seen));
    expect([it.state(), it.log()]).toEqual([
      ...['unknown', [...ended, reports('unknown', [], falseYes)]],
    ]);
  });

  test('by the whole of it: numbers that are not tested change nothing', () => {
    const beyond = share(9, foreign);
    expect(
      start()
        .step(answers(false, ...untouched, beyond))
        .state(),
    ).toBe('failed');
    expect(
      start()
        .step(answers(true, ...untouched, beyond))
        .state(),
    ).toBe('accepted');
  });
});

describe("somebody else's share is a claim until its signature is seen", () => {
  test.each<[string, Walk<Machine>, readonly number[]]>([
    ['in a place', checking(), [1]],
    ['where there was nothing', start().step(answers(false, ...untouched, share(3, foreign))), [3]],
    [
      'in several places',
      start().step(answers(false, share(0, foreign), share(2, foreign), share(4, foreign))),
      [0, 2, 4],
    ],
    ['a known rival, elsewhere', start().step(answers(false, share(1, rival))), [1]],
    ['an older version', start().step(answers(false, share(1, versionOf(0).checkstring))), [1]],
    ['after a lost answer', rereading().step(rereads(...shown)), [1]],
  ])('%s', (_, it, numbers) => {
    expect(it.state()).toBe('checkingClaim');
    expect(it.log().slice(2)).toEqual([
      'after 30 ms readDeadline',
      `start verifyClaim {"server":"s0","shnums":${JSON.stringify(numbers)}}`,
    ]);
  });

  test.each<[string, readonly SeenShare[]]>([
    ['what was tested for', untouched.slice(0, 2)],
    ['the head of that', [share(4, rival.slice(0, 20))]],
    ['no bytes', [share(3, '')]],
    ['our own', [share(0, ours), share(1, ours)]],
  ])('and %s is none', (_, seen) => {
    expect(
      start()
        .step(answers(false, ...seen))
        .state(),
    ).toBe('surprised');
  });

  const ended = ['cancel readDeadline', 'stop verifyClaim'];
  const rest = [share(2, old), share(4, rival)];
  test('it is signed: the coordinator is told of it, and of the rest that was shown', () => {
    const it = checking().step(judges(judged(1, foreign, theirs)));
    const proven = [{ shnum: 1, version: theirs }];
    const report = reports('surprised', [...rest, share(1, foreign)], null, proven);
    expect([it.state(), it.log()]).toEqual(['surprised', [...ended, report]]);
  });

  test('the share that is there now counts, not the one that was shown', () => {
    const now = versionOf(3, 'y');
    const it = checking().step(judges(judged(1, now.checkstring, now)));
    const proven = [{ shnum: 1, version: now }];
    const report = reports('surprised', [...rest, share(1, now.checkstring)], null, proven);
    expect(it.log()).toEqual([...ended, report]);
  });

  test('it is damaged: the coordinator is told how it begins, and that it proves nothing', () => {
    const head = `${foreign}aabb`;
    const it = start().step(answers(false, ...shown, share(3, foreign)));
    it.step(judges(judged(1, head, null), judged(3, foreign, theirs)));
    const seen = [...rest, share(1, head), share(3, foreign)];
    const report = reports('surprised', seen, null, [{ shnum: 3, version: theirs }]);
    expect([it.state(), it.log()]).toEqual(['surprised', [...ended, report]]);
  });

  test('what was tested for is there after all: the server contradicts itself', () => {
    const it = checking().step(judges(judged(1, old, versionOf(1))));
    const report = reports('failed', shown, falseNo);
    expect([it.state(), it.log()]).toEqual(['failed', [...ended, report]]);
  });

  test('it is there again after a lost answer: that is no contradiction', () => {
    const it = rereading().step(rereads(...shown));
    expect(it.step(judges(judged(1, old, versionOf(1)))).state()).toBe('surprised');
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
    expect([it.state(), it.log()]).toEqual([
      ...['failed', [...ended, reports('failed', shown, because)]],
    ]);
  });

  test.each(doubts)('%s: whose answer was lost may have', (_, event, because) => {
    const it = rereading().step(rereads(...shown));
    it.step(event);
    expect([it.state(), it.log()]).toEqual([
      ...['unknown', [...ended, rereports('unknown', shown, because)]],
    ]);
  });
});

describe('what does not belong changes nothing', () => {
  const makers = {
    writing: () => start(),
    rereading: () => rereading(),
    accepted: () => rereading().step(rereads(share(1, ours), share(2, ours))),
    checkingClaim: () => checking(),
    surprised: () => rereading().step(rereads()),
    refused: () => start().step(writes({ kind: 'refused', failure })),
    failed: () => rereading().step(rereads(...untouched)),
    unknown: () => rereading().step(passed('readDeadline', 'shareWrite.rereading')),
  };

  test.each(Object.entries(makers))('in %s', (state, make) => {
    const it = make();
    const { context } = it.snapshot();
    const unwelcome =
      state === 'writing' ? rereads(share(1, ours)) : writes({ kind: 'refused', failure });
    it.step(unwelcome);
    expect([it.state(), it.context(), it.log()]).toEqual([state, context, []]);
  });
});

test('traces and pictures show the shares, what must be there, and what was found', () => {
  const request = { server: 's0', shnums, tests };
  expect(shareWriteSummary(start().context())).toEqual({ ...request, seen: [], failure: null });
  const found = { seen: shown, failure: null };
  expect(shareWriteSummary(checking().context())).toEqual({ ...request, ...found });
  expect(shareWriteSummary(rereading().context())).toEqual({ ...request, seen: [], failure });
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
