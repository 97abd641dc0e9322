import { describe, expect, test } from 'vitest';
import { blockReadMachine, blockReadSummary } from '../../machines/block-read.machine.ts';
import { chartCoverage } from '../support/coverage.ts';
import { deadlines, versionOf } from '../support/facts.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, deafParent, passed, rejected, type Walk, walk } from '../support/walk.ts';

const coverage = chartCoverage(blockReadMachine);
const version = versionOf(1);
const range = { server: 's0', shnum: 1, version, firstSegment: 4, segmentCount: 2, ahead: [] };

function start(): Walk<typeof blockReadMachine> {
  const input = { ...range, parent: deafParent(), deadlines };
  return walk(blockReadMachine, input, coverage.onMicrostep);
}

const failing = (kind: string) =>
  answered('readBlocks', { ok: false, failure: { kind, detail: 'x' } });
const timeout = { kind: 'timeout', detail: 'no answer to the read' };

const ends = [
  ['held', answered('readBlocks', { ok: true }), null],
  ['corrupt', failing('corrupt'), { kind: 'corrupt', detail: 'x' }],
  ['corrupt', failing('keyless'), { kind: 'keyless', detail: 'x' }],
  ['failed', failing('unreachable'), { kind: 'unreachable', detail: 'x' }],
  ['failed', rejected('readBlocks', new Error('bug')), { kind: 'internal', detail: 'bug' }],
  ['failed', passed('readDeadline', 'blockRead.reading'), timeout],
] as const;

test('reading asks for one range of one share, under a deadline', () => {
  const it = start();
  expect(it.state()).toBe('reading');
  expect(it.log()).toEqual([
    'after 30 ms readDeadline',
    `start readBlocks ${JSON.stringify(range)}`,
  ]);
});

test.each(ends)('%s after %j', (status, event, failure) => {
  const it = start().step(event);
  expect(it.state()).toBe(status);
  const report = { server: 's0', shnum: 1, status, failure };
  expect(it.log()).toEqual([
    'cancel readDeadline',
    'stop readBlocks',
    `send to parent ${JSON.stringify({ type: 'blocks.settled', report })}`,
  ]);
});

test('traces and pictures show what is read, and what went wrong', () => {
  const { version, ahead, ...shown } = range;
  const it = start();
  expect(blockReadSummary(it.context())).toEqual({ ...shown, failure: null });
  const failed = it.step(failing('corrupt')).context();
  expect(blockReadSummary(failed)).toEqual({
    ...shown,
    failure: { kind: 'corrupt', detail: 'x' },
  });
});

describe('what does not belong changes nothing', () => {
  test.each(ends)('in %s', (status, event) => {
    const it = start().step(event);
    const { context } = it.snapshot();
    it.step(failing('corrupt')).step(passed('readDeadline', 'blockRead.reading'));
    expect([it.state(), it.context(), it.log()]).toEqual([status, context, []]);
  });

  test('in reading', () => {
    const it = start();
    const { context } = it.snapshot();
    it.step(answered('somethingElse', { ok: true }));
    expect([it.state(), it.context(), it.log()]).toEqual(['reading', context, []]);
  });
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(blockReadMachine)).toEqual([
    'blockRead: Error: actor readBlocks is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
