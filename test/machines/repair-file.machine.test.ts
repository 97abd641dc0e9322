import { describe, expect, test } from 'vitest';
import { operationCancel } from '../../machines/events.ts';
import { repairFileMachine, repairFileSummary } from '../../machines/repair-file.machine.ts';
import { verificationOf } from '../../machines/verify-kernel.ts';
import { chartCoverage } from '../support/coverage.ts';
import { explore } from '../support/explore.ts';
import { deadlines, goodAt, mapOf, versionOf } from '../support/facts.ts';
import {
  corruptSource,
  emptyMap,
  given,
  grid,
  mapped,
  mapWith,
  opened,
  publishReport,
  retrieved,
  shortOf,
  wasRead,
  wasRetrieved,
} from '../support/operations.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, pathOf, rejected, type Walk, walk } from '../support/walk.ts';

const coverage = chartCoverage(repairFileMachine);
const v1 = versionOf(1, 'a', { parent: null });
const whole = mapWith(v1);
const short = mapWith(v1, [0, 1]);
const task = { format: 'mdmf', grid, force: false, newest: null } as const;
const sound = wasRetrieved(retrieved('delivered'));
const read = wasRead({ kind: 'delivered', version: v1 });
const report = publishReport('published', {
  ...{ seqnum: 1, base: v1, version: v1 },
  writes: [0, 1, 2].map((n) => ({ server: `s${n}`, shnum: n, status: 'accepted', failure: null })),
});
const wasPublished = answered('publish', report);

function start(...events: readonly object[]): Walk<typeof repairFileMachine> {
  const input = { task, hasPrivateKey: true, deadlines };
  const it = walk(repairFileMachine, input, coverage.onMicrostep);
  return events.reduce<typeof it>((w, event) => w.step(event as never), it);
}

test('asks everybody, judges every block, reads, places what is missing, and looks again', () => {
  const it = start();
  expect([it.state(), it.log()]).toEqual(['opening', ['start openSession {"attempt":0}']]);
  it.step(opened);
  expect([it.state(), given(it, 'servermapUpdate')]).toEqual([
    'mapping',
    { mode: 'repair', ...grid, wantsPrivateKey: false },
  ]);
  it.step(mapped(short));
  const segments = { firstSegment: 0, endSegment: 3, range: { from: 0, to: 3000 } };
  expect([it.state(), given(it, 'retrieve')]).toEqual([
    'judging',
    {
      ...{ purpose: 'verify', map: short, version: v1, ...segments },
      windows: { first: 1024, longest: 1024, ahead: 0 },
    },
  ]);
  it.step(sound);
  expect([it.state(), given(it, 'readVersion')]).toEqual([
    'reading',
    { grid, map: short, version: v1, ranges: [{ from: 0, to: 3000 }], marked: [] },
  ]);
  it.step(read);
  expect([it.state(), given(it, 'publish')]).toEqual([
    'placing',
    {
      ...{ map: short, base: v1, quorum: { servers: 4, size: 3 }, required: 2, total: 3 },
      ...{ wholeShares: true, force: false, isAgain: true, spread: 3 },
      recipe: {
        ...{ kind: 'again', version: v1.id },
        places: [0, 1].map((n) => ({ server: `s${n}`, shnum: n })),
        parts: [{ kind: 'kept', from: 0, to: 3000 }],
      },
    },
  ]);
  it.step(wasPublished);
  expect([it.state(), given(it, 'servermapUpdate')]).toEqual([
    'confirming',
    { mode: 'check', ...grid, wantsPrivateKey: false, marked: [] },
  ]);
  it.step(mapped(whole));
  expect([it.state(), it.output()]).toEqual([
    'repaired',
    {
      kind: 'repaired',
      finding: {
        way: 'again',
        before: verificationOf(short, v1, retrieved('delivered')),
        report,
        placed: [{ server: 's2', shnum: 2 }],
        after: whole,
      },
      newest: v1,
    },
  ]);
  expect(repairFileSummary(it.context())).toEqual({
    ...{ force: false, hasPrivateKey: true, isMapped: true, judged: [1], isRead: true },
    ...{ published: 'published', isConfirmed: true, obstacle: null },
  });
});

test('looks for the private key if it is not known', () => {
  const input = { task, hasPrivateKey: false, deadlines };
  const it = walk(repairFileMachine, input, coverage.onMicrostep).step(opened);
  expect(given(it, 'servermapUpdate')).toMatchObject({ wantsPrivateKey: true });
  expect(repairFileSummary(it.context())).toMatchObject({
    ...{ isMapped: false, judged: [], isConfirmed: false },
  });
});

test('what is bad and was not replaced is bad in the last map, too', () => {
  const map = mapWith(v1, [0, 1, 2]);
  const judgedBad = wasRetrieved(retrieved('delivered', { sources: [corruptSource('s2', 2)] }));
  const it = start(opened, mapped(map), judgedBad, read);
  const writes = report.writes.map((write) =>
    write.shnum === 2 ? ({ ...write, status: 'refused' } as const) : write,
  );
  it.step(answered('publish', { ...report, writes }));
  const marked = [{ server: 's2', shnum: 2, reason: 'a block', version: v1.id }];
  expect(given(it, 'servermapUpdate')).toMatchObject({ marked });
});

describe('a bug in what is provided ends it', () => {
  test.each([
    ['openSession', []],
    ['servermapUpdate', [opened]],
    ['retrieve', [opened, mapped(short)]],
    ['readVersion', [opened, mapped(short), sound]],
    ['publish', [opened, mapped(short), sound, read]],
    ['servermapUpdate', [opened, mapped(short), sound, read, wasPublished]],
  ])('%s', (actor, events) => {
    const it = start(...events, rejected(actor, new Error('bug')));
    const obstacle = { kind: 'failed', failure: { kind: 'internal', detail: 'bug' } };
    expect([it.state(), it.output()]).toMatchObject(['failed', { kind: 'failed', obstacle }]);
  });
});

describe('cancel', () => {
  test.each([
    ['opening', [], ['stop openSession'], null],
    ['mapping', [opened], ['stop servermapUpdate'], null],
    ['judging', [opened, mapped(whole)], ['stop retrieve'], v1],
    // On two of three servers, nobody was told that it is safe.
    ['reading', [opened, mapped(short), sound], ['stop readVersion'], null],
    ['placing', [opened, mapped(short), sound, read], ['stop publish'], null],
    [
      'confirming',
      [opened, mapped(short), sound, read, wasPublished],
      ['stop servermapUpdate'],
      v1,
    ],
  ] as const)('in %s ends it, and what is under way with it', (state, events, log, newest) => {
    const it = start(...events);
    expect(it.state()).toBe(state);
    it.step(operationCancel());
    expect([it.state(), it.log(), it.output()]).toMatchObject([
      'cancelled',
      log,
      { kind: 'cancelled', newest },
    ]);
  });
});

test('every way ends', () => {
  const maps = [
    ...[whole, short, emptyMap, mapWith(v1, [0])],
    mapOf(
      4,
      [goodAt('s0', 0, v1), goodAt('s1', 1, v1), goodAt('s2', 2, versionOf(2))],
      [...[v1, versionOf(2)]],
    ),
  ].map(mapped);
  const answers: Readonly<Record<string, readonly object[]>> = {
    opening: [opened, rejected('openSession', 'x')],
    mapping: [...maps, rejected('servermapUpdate', 'x')],
    judging: [
      ...(['delivered', 'notEnoughShares', 'cancelled', 'internal'] as const).map((kind) =>
        wasRetrieved(retrieved(kind, { sources: [corruptSource('s1', 1)] })),
      ),
      sound,
      rejected('retrieve', 'x'),
    ],
    reading: [read, wasRead(shortOf(v1, short)), rejected('readVersion', 'x')],
    placing: [
      ...(['published', 'uncoordinated', 'notEnoughServers', 'unprepared'] as const).map((kind) =>
        answered('publish', { ...report, kind }),
      ),
      rejected('publish', 'x'),
    ],
    confirming: [...maps, rejected('servermapUpdate', 'x')],
  };
  for (const force of [false, true]) {
    const exploration = explore(repairFileMachine, {
      input: { task: { ...task, force }, hasPrivateKey: true, deadlines },
      events: (snapshot) => (answers[pathOf(snapshot.value)] ?? []) as never,
      keyOf: (snapshot) => JSON.stringify([snapshot.value, snapshot.context.record]),
      onMicrostep: coverage.onMicrostep,
    });
    expect(exploration.deadlocks).toEqual([]);
  }
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(repairFileMachine)).toEqual([
    'repairFile: Error: actor openSession is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
