import { describe, expect, test } from 'vitest';
import { operationCancel } from '../../machines/events.ts';
import { verifyFileMachine, verifyFileSummary } from '../../machines/verify-file.machine.ts';
import { verificationOf } from '../../machines/verify-kernel.ts';
import { chartCoverage } from '../support/coverage.ts';
import { explore } from '../support/explore.ts';
import { deadlines, versionOf } from '../support/facts.ts';
import {
  corruptSource,
  emptyMap,
  given,
  grid,
  mapped,
  mapWith,
  opened,
  retrieved,
  wasRetrieved,
} from '../support/operations.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { pathOf, rejected, type Walk, walk } from '../support/walk.ts';

const coverage = chartCoverage(verifyFileMachine);
const v1 = versionOf(1);
const map = mapWith(v1);
const report = retrieved('delivered', { sources: [corruptSource('s0', 0)] });

function start(...events: readonly object[]): Walk<typeof verifyFileMachine> {
  const it = walk(verifyFileMachine, { grid, deadlines }, coverage.onMicrostep);
  return events.reduce<typeof it>((w, event) => w.step(event as never), it);
}

test('asks everybody, and looks at every share of the newest version', () => {
  const it = start();
  expect([it.state(), it.log()]).toEqual(['opening', ['start openSession {"attempt":0}']]);
  it.step(opened);
  expect([it.state(), given(it, 'servermapUpdate')]).toEqual([
    'mapping',
    { mode: 'check', ...grid, wantsPrivateKey: false },
  ]);
  expect(verifyFileSummary(it.context())).toEqual({ isMapped: false, sources: [] });
  it.step(mapped(map));
  expect([it.state(), given(it, 'retrieve')]).toEqual([
    'verifying',
    {
      purpose: 'verify',
      map,
      version: v1,
      firstSegment: 0,
      endSegment: 3,
      windows: { first: 1024, longest: 1024, ahead: 0 },
      range: { from: 0, to: 3000 },
    },
  ]);
  it.step(wasRetrieved(report));
  expect([it.state(), it.output()]).toEqual([
    'verified',
    { kind: 'verified', verification: verificationOf(map, v1, report), newest: v1 },
  ]);
  const sources = [{ server: 's0', shnum: 0, status: 'corrupt' }];
  expect(verifyFileSummary(it.context())).toEqual({ isMapped: true, sources });
});

test('the shares of an empty file are looked at, too: they have a private key', () => {
  const empty = mapWith({ ...v1, dataLength: 0, segmentSize: 0 });
  const it = start(opened, mapped(empty));
  expect(given(it, 'retrieve')).toMatchObject({ firstSegment: 0, endSegment: 1 });
});

test('a file that can not be read is none to verify', () => {
  const it = start(opened, mapped(emptyMap));
  expect([it.state(), it.output()]).toEqual([
    'unrecoverable',
    { kind: 'unrecoverable', map: emptyMap, newest: null },
  ]);
});

describe('a bug in what is provided ends it', () => {
  test.each([
    ['openSession', []],
    ['servermapUpdate', [opened]],
    ['retrieve', [opened, mapped(map)]],
  ])('%s', (actor, events) => {
    const it = start(...events, rejected(actor, new Error('bug')));
    const failure = { kind: 'internal', detail: 'bug' };
    expect([it.state(), it.output()]).toMatchObject(['failed', { kind: 'failed', failure }]);
  });
});

describe('cancel', () => {
  test.each([
    ['opening', [], ['stop openSession'], null],
    ['mapping', [opened], ['stop servermapUpdate'], null],
    ['verifying', [opened, mapped(map)], ['stop retrieve'], v1],
  ] as const)('in %s ends it, and what is under way with it', (state, events, log, newest) => {
    const it = start(...events);
    expect(it.state()).toBe(state);
    it.step(operationCancel());
    expect([it.state(), it.log(), it.output()]).toEqual([
      'cancelled',
      log,
      { kind: 'cancelled', newest },
    ]);
  });
});

test('every way ends', () => {
  const answers: Readonly<Record<string, readonly object[]>> = {
    opening: [opened, rejected('openSession', 'x')],
    mapping: [mapped(map), mapped(emptyMap), rejected('servermapUpdate', 'x')],
    verifying: [
      ...(['delivered', 'notEnoughShares', 'cancelled', 'internal'] as const).map((kind) =>
        wasRetrieved(retrieved(kind)),
      ),
      rejected('retrieve', 'x'),
    ],
  };
  const exploration = explore(verifyFileMachine, {
    input: { grid, deadlines },
    events: (snapshot) => (answers[pathOf(snapshot.value)] ?? []) as never,
    keyOf: (snapshot) => JSON.stringify([snapshot.value, snapshot.context.record]),
    onMicrostep: coverage.onMicrostep,
  });
  expect(exploration.deadlocks).toEqual([]);
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(verifyFileMachine)).toEqual([
    'verifyFile: Error: actor openSession is named by a chart and not provided',
  ]);
});

test('a version that is larger than may be asked for is not verified', () => {
  const huge = { ...v1, segmentSize: 1, dataLength: 2 ** 32 + 1 };
  const it = start(opened, mapped(mapWith(huge)));
  const beyond = { what: 'segment count of version 1', value: 2 ** 32 + 1, max: 2 ** 32 };
  expect(it.output()).toEqual({ kind: 'beyondLimit', beyond, newest: huge });
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
