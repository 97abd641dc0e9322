import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { operationCancel } from '../../machines/events.ts';
import type { RetrieveReport, ShareSource } from '../../machines/retrieve-kernel.ts';
import type { Version } from '../../machines/servermap.ts';
import {
  verifyImmutableMachine,
  verifyImmutableSummary,
} from '../../machines/verify-immutable.machine.ts';
import type { VerifyImmutableRecord } from '../../machines/verify-immutable-kernel.ts';
import { chartCoverage } from '../support/coverage.ts';
import { explore } from '../support/explore.ts';
import { deadlines, versionOf } from '../support/facts.ts';
import {
  corruptSource,
  effects,
  emptyMap,
  given,
  grid,
  mapped,
  mapWith,
  retrieved,
  wasRetrieved,
} from '../support/operations.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, pathOf, rejected, type Walk, walk } from '../support/walk.ts';

const coverage = chartCoverage(verifyImmutableMachine);

/** The only version that there is: two segments. */
const version: Version = {
  ...versionOf(0),
  ...{ dataLength: 3000, segmentSize: 2000 },
  ...{ format: 'chk', checkstring: '', tag: '', parentTag: null },
};
const full = mapWith(version);
const good = (n: number): ShareSource => ({
  ...{ server: `s${n}`, shnum: n, status: 'usable', failure: null },
});
const allGood = retrieved('delivered', { sources: [0, 1, 2].map(good) });
const cheated = retrieved('internal', { failure: { kind: 'corrupt', detail: 'segment 1' } });
const encoded = (report: RetrieveReport) => answered('encodeAll', report);

function start(...events: readonly object[]) {
  const it = walk(verifyImmutableMachine, { grid, deadlines }, coverage.onMicrostep);
  return events.reduce<Walk<typeof verifyImmutableMachine>>((w, e) => w.step(e as never), it);
}

/** The verdicts of the finding, by share. */
function verdictsOf(it: ReturnType<typeof start>) {
  const { finding } = it.output() as { finding: { map: typeof full; isHealthy: boolean } };
  return finding.map.holdings.map(({ shnum, verdict }) => [shnum, verdict.kind]);
}

test('asks everybody, looks at every share, then encodes k of them again', () => {
  const it = start();
  expect([it.state(), given(it, 'servermapUpdate')]).toEqual([
    'mapping',
    { mode: 'check', ...grid, wantsPrivateKey: false },
  ]);
  it.step(mapped(full) as never);
  const all = { firstSegment: 0, endSegment: 2, range: { from: 0, to: 3000 } };
  expect([it.state(), effects(it), given(it, 'retrieve')]).toEqual([
    'looking',
    ['stop servermapUpdate', 'start retrieve'],
    {
      ...{ map: full, version, purpose: 'verify', ...all },
      windows: { first: 524, longest: 524, ahead: 0 },
    },
  ]);
  it.step(wasRetrieved(allGood) as never);
  expect([it.state(), effects(it), given(it, 'encodeAll')]).toEqual([
    'encoding',
    ['stop retrieve', 'start encodeAll'],
    {
      ...{ map: full, version, purpose: 'read', ...all },
      windows: { first: 524, longest: 1024, ahead: 3670 },
    },
  ]);
  it.step(encoded(allGood) as never);
  expect([it.state(), it.output()]).toEqual([
    'verified',
    {
      kind: 'verified',
      finding: {
        map: full,
        good: [0, 1, 2].map((n) => ({ server: `s${n}`, shnum: n })),
        ...{ bad: [], stale: [], isHealthy: true, isRecoverable: true },
      },
    },
  ]);
});

test('is over where no good share is seen', () => {
  const it = start(mapped(emptyMap));
  const nothing = { map: emptyMap, good: [], bad: [], stale: [] };
  const finding = { ...nothing, isHealthy: false, isRecoverable: false };
  expect([it.state(), it.output()]).toEqual(['verified', { kind: 'verified', finding }]);
});

test('too few good shares are looked at, and not encoded', () => {
  const one = mapWith(version, [1]);
  const it = start(mapped(one));
  expect(it.state()).toBe('looking');
  it.step(wasRetrieved(retrieved('delivered', { sources: [good(1)] })) as never);
  expect([it.state(), verdictsOf(it)]).toEqual(['verified', [[1, 'good']]]);
});

test('what proves bad when it is looked at is not encoded', () => {
  const bad = retrieved('delivered', { sources: [good(0), corruptSource('s1', 1), good(2)] });
  const it = start(mapped(full), wasRetrieved(bad));
  const { map } = given(it, 'encodeAll') as { map: typeof full };
  expect(map.holdings.map(({ shnum, verdict }) => [shnum, verdict.kind])).toEqual([
    [0, 'good'],
    [1, 'bad'],
    [2, 'good'],
  ]);
});

test('where k shares decode to something else, none is good', () => {
  const it = start(mapped(full), wasRetrieved(allGood), encoded(cheated));
  expect([it.state(), verdictsOf(it)]).toEqual(['verified', [0, 1, 2].map((n) => [n, 'bad'])]);
});

test('a file that is larger than may be asked for is not looked at', () => {
  const huge = { ...version, segmentSize: 2 ** 28 + 1, dataLength: 2 ** 30 };
  const it = start(mapped(mapWith(huge)));
  const beyond = { what: 'segment size', value: 2 ** 28 + 1, max: 2 ** 28 };
  expect([it.state(), it.output()]).toEqual(['beyondLimit', { kind: 'beyondLimit', beyond }]);
});

describe('a bug in what is provided ends it', () => {
  test.each([
    ['servermapUpdate', []],
    ['retrieve', [mapped(full)]],
    ['encodeAll', [mapped(full), wasRetrieved(allGood)]],
  ])('%s', (actor, events) => {
    const it = start(...events, rejected(actor, new Error('bug')));
    const failure = { kind: 'internal', detail: 'bug' };
    expect([it.state(), it.output()]).toEqual(['failed', { kind: 'failed', failure }]);
  });
});

test.each([
  ['mapping', [], ['stop servermapUpdate']],
  ['looking', [mapped(full)], ['stop retrieve']],
  ['encoding', [mapped(full), wasRetrieved(allGood)], ['stop encodeAll']],
])('cancel in %s ends it, and what is under way with it', (state, events, log) => {
  const it = start(...events);
  expect(it.state()).toBe(state);
  it.step(operationCancel());
  expect([it.state(), it.log(), it.output()]).toEqual(['cancelled', log, { kind: 'cancelled' }]);
});

/** Everything that the actor of a state may answer. */
function answersIn(snapshot: AnyMachineSnapshot): readonly object[] {
  const state = pathOf(snapshot.value);
  if (state === 'mapping') {
    return [...[emptyMap, full, mapWith(version, [1])].map(mapped), rejected('servermapUpdate', 1)];
  }
  const reports = [
    allGood,
    cheated,
    retrieved('notEnoughShares', { sources: [0, 1, 2].map((n) => corruptSource(`s${n}`, n)) }),
    retrieved('delivered', { sources: [good(0), corruptSource('s1', 1)] }),
    retrieved('cancelled'),
    retrieved('internal'),
  ];
  const answer = state === 'looking' ? wasRetrieved : encoded;
  return [...reports.map(answer), rejected(state === 'looking' ? 'retrieve' : 'encodeAll', 1)];
}

test('every way ends, and nothing is healthy that was not looked at and encoded', () => {
  const exploration = explore(verifyImmutableMachine, {
    input: { grid, deadlines },
    events: answersIn as never,
    keyOf: (snapshot) => JSON.stringify([snapshot.value, snapshot.context.record]),
    always: (snapshot) => {
      if (snapshot.value !== 'verified') return;
      const { finding } = snapshot.output as unknown as { finding: { isHealthy: boolean } };
      const { isLookedAt, isEncoded } = snapshot.context.record as VerifyImmutableRecord;
      expect(!finding.isHealthy || (isLookedAt && isEncoded)).toBe(true);
    },
    onMicrostep: coverage.onMicrostep,
  });
  expect(exploration.deadlocks).toEqual([]);
});

test('traces and pictures show how far the look is, and what became of each share', () => {
  const it = start();
  const nothing = { isMapped: false, isLookedAt: false, isEncoded: false, shares: [] };
  expect(verifyImmutableSummary(it.context())).toEqual(nothing);
  it.step(mapped(mapWith(version, [1])) as never);
  expect(verifyImmutableSummary(it.context())).toEqual({
    ...{ ...nothing, isMapped: true },
    shares: [{ server: 's1', shnum: 1, kind: 'good' }],
  });
});

test('IO is that of its children: it names none itself', async () => {
  expect(await endsUnprovided(verifyImmutableMachine)).toEqual([]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
