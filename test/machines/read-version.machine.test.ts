import { describe, expect, test } from 'vitest';
import {
  type ReadVersionInput,
  readVersionMachine,
  readVersionSummary,
} from '../../machines/read-version.machine.ts';
import { chartCoverage } from '../support/coverage.ts';
import { explore } from '../support/explore.ts';
import { deadlines, versionOf } from '../support/facts.ts';
import {
  corruptSource,
  effects,
  given,
  grid,
  mapped,
  mapWith,
  retrieved,
  wasRetrieved,
} from '../support/operations.ts';
import { pathOf, rejected, type Walk, walk } from '../support/walk.ts';

const coverage = chartCoverage(readVersionMachine);
/** Three segments: 1024, 1024, 952 bytes. */
const v1 = versionOf(1);
const map = mapWith(v1);
const everybody = mapWith(v1, [1, 2]);
const both = [
  { from: 100, to: 2000 },
  { from: 2500, to: 3000 },
];
const mark = { server: 's0', shnum: 0, reason: 'a block', version: v1.id };

const input: ReadVersionInput = { grid, map, version: v1, ranges: both, marked: [], deadlines };

function start(...events: readonly object[]): Walk<typeof readVersionMachine> {
  const it = walk(readVersionMachine, input, coverage.onMicrostep);
  return events.reduce<typeof it>((w, event) => w.step(event as never), it);
}

const delivers = (segmentsDelivered: number) =>
  wasRetrieved(retrieved('delivered', { segmentsDelivered }));
const runsOut = (segmentsDelivered: number) =>
  wasRetrieved(
    retrieved('notEnoughShares', { segmentsDelivered, sources: [corruptSource('s0', 0)] }),
  );

test('traces and pictures know it by its name', () => {
  expect(readVersionMachine.id).toBe('readVersion');
});

test('reads the ranges in order, a retrieve each', () => {
  const it = start();
  expect([it.state(), given(it, 'retrieve')]).toEqual([
    'retrieving',
    {
      purpose: 'read',
      map,
      version: v1,
      firstSegment: 0,
      endSegment: 2,
      windows: { first: 1024, longest: 1024, ahead: 7168 },
      range: both[0],
    },
  ]);
  it.step(delivers(2));
  expect([it.state(), effects(it), given(it, 'retrieve')]).toMatchObject([
    'retrieving',
    ['stop retrieve', 'start retrieve'],
    { firstSegment: 2, endSegment: 3, range: both[1] },
  ]);
  it.step(delivers(1));
  expect([it.state(), it.log(), it.output()]).toEqual([
    'delivered',
    ['stop retrieve'],
    { kind: 'delivered', version: v1 },
  ]);
});

test('out of good shares, asks everybody and goes on where it was', () => {
  const it = start(runsOut(1));
  expect([it.state(), given(it, 'servermapUpdate')]).toEqual([
    'remapping',
    { mode: 'check', ...grid, wantsPrivateKey: false, marked: [mark] },
  ]);
  expect(readVersionSummary(it.context())).toEqual({
    seqnum: 1,
    ranges: both,
    nextSegment: 1,
    segmentsDelivered: 1,
    hasAskedAll: false,
    marked: [mark],
  });
  it.step(mapped(everybody));
  expect([it.state(), given(it, 'retrieve')]).toMatchObject([
    'retrieving',
    { map: everybody, firstSegment: 1, endSegment: 2, range: both[0] },
  ]);
});

test('when shares run out again, it reports what was found', () => {
  const it = start(runsOut(1), mapped(everybody), runsOut(0));
  const report = retrieved('notEnoughShares', { sources: [corruptSource('s0', 0)] });
  expect([it.state(), it.output()]).toEqual([
    'notEnoughShares',
    {
      kind: 'notEnoughShares',
      version: v1,
      report,
      map: everybody,
      marked: [mark, mark],
      segmentsDelivered: 1,
    },
  ]);
});

describe('what is no shortage ends it', () => {
  const failure = { kind: 'internal', detail: 'x' } as const;
  test.each([
    ['the consumer failed', [wasRetrieved(retrieved('internal', { failure }))], failure],
    ['a bug of a retrieve', [rejected('retrieve', new Error('x'))], failure],
    ['a bug of a map', [runsOut(0), rejected('servermapUpdate', 'x')], failure],
    [
      'nobody said why',
      [wasRetrieved(retrieved('cancelled'))],
      { kind: 'internal', detail: 'cancelled' },
    ],
  ])('%s', (_, events, told) => {
    const it = start(...events);
    expect([it.state(), it.output()]).toEqual(['failed', { kind: 'failed', failure: told }]);
  });
});

test('every way ends: everybody is asked once a range', () => {
  const exploration = explore(readVersionMachine, {
    input,
    events: (snapshot) =>
      pathOf(snapshot.value) === 'remapping'
        ? [mapped(everybody), rejected('servermapUpdate', 'x')]
        : [delivers(1), runsOut(0), rejected('retrieve', 'x')],
    keyOf: (snapshot) => JSON.stringify([snapshot.value, snapshot.context.record]),
    onMicrostep: coverage.onMicrostep,
  });
  expect(exploration.deadlocks).toEqual([]);
  expect(exploration.paths.remapping).toBe(3);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
