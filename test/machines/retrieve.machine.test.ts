import { describe, expect, test } from 'vitest';
import { blocksSettled, operationCancel } from '../../machines/events.ts';
import {
  type RetrieveInput,
  retrieveMachine,
  retrieveSummary,
} from '../../machines/retrieve.machine.ts';
import type { BlockReport } from '../../machines/retrieve-kernel.ts';
import { chartCoverage } from '../support/coverage.ts';
import { deadlines, goodAt, mapOf, versionOf } from '../support/facts.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, rejected, type Walk, walk } from '../support/walk.ts';

type Machine = typeof retrieveMachine;

const coverage = chartCoverage(retrieveMachine);
const version = versionOf(1);
const old = versionOf(0, 'o');
const map = mapOf(
  5,
  [
    goodAt('s0', 0, version),
    goodAt('s1', 1, version),
    goodAt('s2', 2, version),
    goodAt('s3', 0, version),
    goodAt('s4', 1, old),
  ],
  [version, old],
);

const range = { from: 100, to: 400 };

/** k = 2; segments 1 to 3, two at a time. */
function start(more: Partial<RetrieveInput> = {}): Walk<Machine> {
  const segments = { firstSegment: 1, endSegment: 4, windows: { first: 2, longest: 2, ahead: 2 } };
  const input = { purpose: 'read', map, version, ...segments, range, deadlines, ...more } as const;
  return walk(retrieveMachine, input, coverage.onMicrostep);
}

const settles = (server: string, shnum: number, status: BlockReport['status']) => {
  const failure = status === 'held' ? null : ({ kind: 'corrupt', detail: server } as const);
  return blocksSettled({ server, shnum, status, failure });
};
const decoded = answered('decodeSegments', { ok: true });
const reads = (server: string, shnum: number, firstSegment = 1, segmentCount = 2) => {
  const ahead = firstSegment === 1 ? [{ firstSegment: 3, segmentCount: 1 }] : [];
  const blocks = { server, shnum, version, firstSegment, segmentCount, ahead };
  return `start read:${server}:${shnum}:${firstSegment} ${JSON.stringify(blocks)}`;
};
const decodes = (firstSegment: number, segmentCount: number, ...shnums: readonly number[]) =>
  `start decodeSegments ${JSON.stringify({ version, firstSegment, segmentCount, shnums, range })}`;
const decoding = () =>
  start()
    .step(settles('s0', 0, 'held'))
    .step(settles('s1', 1, 'held'));

describe('fetching', () => {
  test('begins with the first window of k shares of that version', () => {
    const it = start();
    expect(it.state()).toBe('fetching');
    expect(it.log()).toEqual([reads('s0', 0), reads('s1', 1)]);
  });

  test('replaces a share that is lost; what is in hand stays', () => {
    const it = start().step(settles('s1', 1, 'held'));
    expect([it.state(), it.log()]).toEqual(['fetching', ['stop read:s1:1:1']]);
    it.step(settles('s0', 0, 'corrupt'));
    expect([it.state(), it.log()]).toEqual(['fetching', ['stop read:s0:0:1', reads('s3', 0)]]);
    it.step(settles('s3', 0, 'failed'));
    expect([it.state(), it.log()]).toEqual(['fetching', ['stop read:s3:0:1', reads('s2', 2)]]);
    it.step(settles('s2', 2, 'held'));
    expect(it.state()).toBe('decoding');
    expect(it.log()).toEqual(['stop read:s2:2:1', decodes(1, 2, 1, 2)]);
  });

  test('ends when fewer than k shares are left, and what is under way ends with it', () => {
    const it = start()
      .step(settles('s0', 0, 'failed'))
      .step(settles('s3', 0, 'failed'))
      .step(settles('s1', 1, 'corrupt'));
    expect([it.state(), it.log()]).toEqual([
      'notEnoughShares',
      ['stop read:s1:1:1', 'stop read:s2:2:1'],
    ]);
    expect(it.output()).toMatchObject({ kind: 'notEnoughShares', segmentsDelivered: 0 });
    expect(it.output().sources.map(({ server, status }) => `${server} ${status}`)).toEqual([
      ...['s0 failed', 's3 failed', 's1 corrupt', 's2 fetching'],
    ]);
  });
});

describe('decoding', () => {
  test('delivers one window and goes on with the next, from the same shares', () => {
    const it = decoding();
    expect(it.state()).toBe('decoding');
    expect(it.log()).toEqual(['stop read:s1:1:1', decodes(1, 2, 0, 1)]);
    it.step(decoded);
    expect(it.state()).toBe('fetching');
    expect(it.log()).toEqual(['stop decodeSegments', reads('s0', 0, 3, 1), reads('s1', 1, 3, 1)]);
    it.step(settles('s0', 0, 'held')).step(settles('s1', 1, 'held'));
    expect(it.log()).toEqual(['stop read:s1:1:3', decodes(3, 1, 0, 1)]);
    it.step(decoded);
    expect(it.state()).toBe('delivered');
    expect(it.output()).toMatchObject({ kind: 'delivered', segmentsDelivered: 3, failure: null });
  });

  const failure = { kind: 'internal', detail: 'full' };
  test.each([
    ['a failure', answered('decodeSegments', { ok: false, failure })],
    ['a bug, or the consumer', rejected('decodeSegments', new Error('full'))],
  ])('%s ends it', (_, event) => {
    const it = decoding().step(event);
    expect([it.state(), it.log()]).toEqual(['undeliverable', ['stop decodeSegments']]);
    expect(it.output()).toMatchObject({ kind: 'internal', segmentsDelivered: 0, failure });
  });
});

describe('verifying a file', () => {
  test('reads every copy of every share of that version', () => {
    const it = start({ purpose: 'verify' });
    expect(it.log()).toEqual([reads('s0', 0), reads('s3', 0), reads('s1', 1), reads('s2', 2)]);
    it.step(settles('s0', 0, 'corrupt')).step(settles('s3', 0, 'held'));
    it.step(settles('s1', 1, 'failed')).step(settles('s2', 2, 'held'));
    expect(it.state()).toBe('decoding');
    expect(it.log().at(-1)).toBe(decodes(1, 2, 0, 2));
  });
});

describe('at once', () => {
  test('nothing wanted is delivered', () => {
    const it = start({ firstSegment: 2, endSegment: 2 });
    expect([it.state(), it.output().kind]).toEqual(['delivered', 'delivered']);
  });

  test('a version without k shares is not read at all', () => {
    const it = start({ version: old });
    expect([it.state(), it.log()]).toEqual(['notEnoughShares', []]);
  });
});

describe('cancel', () => {
  test.each([
    ['fetching', start, ['stop read:s0:0:1', 'stop read:s1:1:1']],
    ['decoding', decoding, ['stop decodeSegments']],
  ])('in %s ends it, and what is under way with it', (state, make, log) => {
    const it = make();
    expect(it.state()).toBe(state);
    it.step(operationCancel());
    expect([it.state(), it.output().kind, it.log()]).toEqual(['cancelled', 'cancelled', log]);
  });
});

describe('what does not belong changes nothing', () => {
  const makers = {
    fetching: () => start().step(settles('s0', 0, 'held')),
    decoding: () => decoding(),
    delivered: () => start({ firstSegment: 4 }),
    notEnoughShares: () => start({ version: old }),
    undeliverable: () => decoding().step(rejected('decodeSegments', 'x')),
    cancelled: () => start().step(operationCancel()),
  };
  test.each(Object.entries(makers))('in %s', (state, make) => {
    const it = make();
    const { context } = it.snapshot();
    it.step(settles('s0', 0, 'failed')).step(settles('s9', 9, 'held'));
    if (it.snapshot().status === 'done') it.step(operationCancel());
    expect([it.state(), it.context()]).toEqual([state, context]);
  });
});

test('traces and pictures show how far it is, and where each share stands', () => {
  expect(retrieveSummary(start().context())).toEqual({
    purpose: 'read',
    required: 2,
    nextSegment: 1,
    endSegment: 4,
    sources: { 's0:0': 'fetching', 's1:1': 'fetching', 's2:2': 'usable', 's3:0': 'usable' },
  });
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(retrieveMachine)).toEqual([
    'retrieve: Error: actor decodeSegments is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
