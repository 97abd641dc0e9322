import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import {
  type DownloadFileInput,
  downloadFileMachine,
  downloadFileSummary,
} from '../../machines/download-file.machine.ts';
import { type DownloadRecord, decide } from '../../machines/download-kernel.ts';
import { operationCancel } from '../../machines/events.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
import { chartCoverage } from '../support/coverage.ts';
import { explore } from '../support/explore.ts';
import { deadlines, mapOf, unverified, versionOf } from '../support/facts.ts';
import {
  effects,
  emptyMap,
  given,
  grid,
  mapped,
  mapWith,
  retrieved,
  shortOf,
  wasRead,
} from '../support/operations.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { pathOf, rejected, type Walk, walk } from '../support/walk.ts';

const coverage = chartCoverage(downloadFileMachine);

/** The only version that there is. */
const version: Version = {
  ...versionOf(0),
  ...{ format: 'chk', checkstring: '', tag: '', parentTag: null },
};
const full = mapWith(version);
/** Somebody did not answer. */
const silent = mapOf(4, [], [], { s2: 'failed' });
/** A share did not come. */
const unread: Servermap = {
  ...emptyMap,
  holdings: [{ server: 's0', shnum: 0, verdict: unverified() }],
};

function inputOf(more: Partial<DownloadFileInput> = {}): DownloadFileInput {
  return { grid, wanted: { offset: 0, length: null }, size: 3000, deadlines, ...more };
}

function start(more: Partial<DownloadFileInput>, ...events: readonly object[]) {
  const it = walk(downloadFileMachine, inputOf(more), coverage.onMicrostep);
  return events.reduce<Walk<typeof downloadFileMachine>>((w, event) => w.step(event as never), it);
}

const isRead = wasRead({ kind: 'delivered', version });

test('finds k good shares, and reads the range from them', () => {
  const it = start({ wanted: { offset: 100, length: 50 } });
  expect([it.state(), given(it, 'servermapUpdate')]).toEqual([
    'mapping',
    { mode: 'anything', ...grid, wantsPrivateKey: false },
  ]);
  it.step(mapped(full));
  expect([it.state(), effects(it), given(it, 'readVersion')]).toEqual([
    'reading',
    ['stop servermapUpdate', 'start readVersion'],
    { grid, map: full, version, ranges: [{ from: 100, to: 150 }], marked: [] },
  ]);
  it.step(isRead);
  expect([it.state(), it.output()]).toEqual(['delivered', { kind: 'delivered' }]);
});

describe('without k good shares', () => {
  test('it is over at once when everybody has answered', () => {
    const it = start({}, mapped(emptyMap));
    expect([it.state(), it.output()]).toEqual([
      'unrecoverable',
      { kind: 'unrecoverable', map: emptyMap },
    ]);
  });

  test.each([
    ['somebody did not answer', silent],
    ['a share did not come', unread],
  ])('everybody is asked once more, and waited for, when %s', (_, map) => {
    const it = start({}, mapped(map));
    expect([it.state(), given(it, 'servermapUpdate')]).toMatchObject([
      'mapping',
      { mode: 'check' },
    ]);
    expect(start({}, mapped(map), mapped(full)).state()).toBe('reading');
    it.step(mapped(map));
    expect([it.state(), it.output()]).toEqual(['unrecoverable', { kind: 'unrecoverable', map }]);
  });
});

test('good shares that run out in the middle end it: there is no other version', () => {
  const report = retrieved('notEnoughShares', { segmentsDelivered: 1 });
  const it = start({}, mapped(full), wasRead(shortOf(version, full, { report })));
  expect([it.state(), it.output()]).toEqual([
    'notEnoughShares',
    { kind: 'notEnoughShares', report },
  ]);
});

describe('nobody is asked', () => {
  test('for an empty range', () => {
    const it = start({ wanted: { offset: 3000, length: null } });
    expect([it.state(), it.log()]).toEqual(['delivered', []]);
    expect(start({ size: 0 }).output()).toEqual({ kind: 'delivered' });
  });

  test('for a range beyond the contents', () => {
    const it = start({ wanted: { offset: 3001, length: null } });
    const excess = { offset: 3001, size: 3000 };
    expect([it.state(), it.log(), it.output()]).toEqual([
      ...['outOfRange', []],
      { kind: 'outOfRange', excess },
    ]);
  });
});

test('segments that are larger than may be asked for are not read', () => {
  const huge = { ...version, segmentSize: 2 ** 28 + 1, dataLength: 2 ** 30 };
  const it = start({ size: 2 ** 30 }, mapped(mapWith(huge)));
  const beyond = { what: 'segment size', value: 2 ** 28 + 1, max: 2 ** 28 };
  expect([it.state(), it.output()]).toEqual(['beyondLimit', { kind: 'beyondLimit', beyond }]);
});

describe('a failure ends it', () => {
  test.each([
    ['servermapUpdate', []],
    ['readVersion', [mapped(full)]],
  ])('a bug in %s', (actor, events) => {
    const it = start({}, ...events, rejected(actor, new Error('bug')));
    const failure = { kind: 'internal', detail: 'bug' };
    expect([it.state(), it.output()]).toEqual(['failed', { kind: 'failed', failure }]);
  });

  test('a file that decodes to something else than was encrypted', () => {
    const failure = { kind: 'thrown', detail: 'segment 0', ref: 0 } as const;
    const it = start({}, mapped(full), wasRead({ kind: 'failed', failure }));
    expect(it.output()).toEqual({ kind: 'failed', failure });
  });
});

test.each([
  ['mapping', [], ['stop servermapUpdate']],
  ['reading', [mapped(full)], ['stop readVersion']],
])('cancel in %s ends it, and what is under way with it', (state, events, log) => {
  const it = start({}, ...events);
  expect(it.state()).toBe(state);
  it.step(operationCancel());
  expect([it.state(), it.log(), it.output()]).toEqual(['cancelled', log, { kind: 'cancelled' }]);
});

/** Everything that the actor of a state may answer. */
function answersIn(snapshot: AnyMachineSnapshot): readonly object[] {
  if (pathOf(snapshot.value) === 'mapping') {
    return [...[emptyMap, silent, unread, full].map(mapped), rejected('servermapUpdate', 'x')];
  }
  return [isRead, wasRead(shortOf(version, full)), rejected('readVersion', 'x')];
}

test('every way ends, and asks twice at most', () => {
  const exploration = explore(downloadFileMachine, {
    input: inputOf(),
    events: answersIn as never,
    keyOf: (snapshot) => JSON.stringify([snapshot.value, snapshot.context.record]),
    always: (snapshot) => {
      const record = snapshot.context.record as DownloadRecord;
      expect(record.looks).toBeLessThanOrEqual(2);
      // Nothing is given out of a file of which k good shares were never seen.
      if (snapshot.value !== 'delivered') return;
      expect([decide(record).kind, record.end]).toEqual([
        'delivered',
        { kind: 'delivered', version },
      ]);
    },
    onMicrostep: coverage.onMicrostep,
  });
  expect(exploration.deadlocks).toEqual([]);
});

test('traces and pictures show what is wanted, and how often servers were asked', () => {
  const wanted = { offset: 100, length: 50 };
  const it = start({ wanted }, mapped(full));
  expect(downloadFileSummary(it.context())).toEqual({ wanted, size: 3000, looks: 1 });
});

test('IO is that of its children: it names none itself', async () => {
  expect(await endsUnprovided(downloadFileMachine)).toEqual([]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
