import { describe, expect, test } from 'vitest';
import type { SeenShare, WriteResult } from '../../machines/io.ts';
import type { WriteTest } from '../../machines/publish-kernel.ts';
import { shareWriteMachine } from '../../machines/share-write.machine.ts';
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
const absent: WriteTest = { kind: 'absent' };
const failure = { kind: 'unreachable', detail: 'x' } as const;

function start(test: WriteTest = begins): Walk<Machine> {
  const slot = { server: 's0', shnum: 1, checkstring: ours };
  const input = { ...slot, test, parent: deafParent(), deadlines };
  return walk(shareWriteMachine, input, coverage.onMicrostep);
}

const writes = (result: WriteResult) => answered('writeShare', result);
/** Another share on the same server, which is told of with ours. */
const sibling: SeenShare = { shnum: 4, checkstring: foreign };
const shares = (checkstring: string | null): readonly SeenShare[] =>
  checkstring === null ? [sibling] : [{ shnum: 1, checkstring }, sibling];
const rereads = (checkstring: string | null) =>
  answered('rereadShare', { ok: true, seen: shares(checkstring) });
const lost = writes({ kind: 'answerLost', failure });
const rereading = (test: WriteTest = begins) => start(test).step(lost);

/** The line by which the child reports. */
const reports = (status: string, seen: readonly SeenShare[], why: object | null) =>
  `send to parent ${JSON.stringify({
    type: 'write.settled',
    report: { server: 's0', shnum: 1, status, seen, failure: why },
  })}`;

describe('writing', () => {
  test('sends the test-and-set, under a deadline', () => {
    const it = start();
    expect(it.state()).toBe('writing');
    expect(it.log()).toEqual([
      'after 40 ms writeDeadline',
      `start writeShare {"server":"s0","shnum":1,"test":{"kind":"begins","head":"${old}"}}`,
    ]);
  });

  const seen = [{ shnum: 1, checkstring: old }];
  test.each([
    ['accepted', { kind: 'answered', wrote: true, seen }, seen, null],
    ['surprised', { kind: 'answered', wrote: false, seen }, seen, null],
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
  ])('%s: the slot is read before anything is concluded', (_, event, why) => {
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
    ['more than the head that was there', { kind: 'begins', head: '01' }, old, 'failed'],
    ['still nothing', absent, null, 'failed'],
    ['still no bytes', absent, '', 'failed'],
    ["somebody else's", begins, foreign, 'surprised'],
    ["somebody else's, where there was nothing", absent, foreign, 'surprised'],
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

describe('what does not belong changes nothing', () => {
  const makers = {
    writing: () => start(),
    rereading: () => rereading(),
    accepted: () => rereading().step(rereads(ours)),
    surprised: () => rereading().step(rereads(foreign)),
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

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(shareWriteMachine)).toEqual([
    'shareWrite: Error: actor writeShare is named by a chart and not provided',
    'shareWrite: Error: actor rereadShare is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
