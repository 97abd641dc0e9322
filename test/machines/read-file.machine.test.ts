import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { operationCancel } from '../../machines/events.ts';
import {
  type ReadFileInput,
  readFileMachine,
  readFileSummary,
} from '../../machines/read-file.machine.ts';
import type { ReadRecord } from '../../machines/read-kernel.ts';
import { bestVersion, type Servermap } from '../../machines/servermap.ts';
import { chartCoverage } from '../support/coverage.ts';
import { explore } from '../support/explore.ts';
import { deadlines, goodAt, mapOf, versionOf } from '../support/facts.ts';
import {
  effects,
  emptyMap,
  given,
  grid,
  mapped,
  mapWith,
  opened,
  retrieved,
  shortOf,
  wasRead,
} from '../support/operations.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { pathOf, rejected, type Walk, walk } from '../support/walk.ts';

const coverage = chartCoverage(readFileMachine);
const v1 = versionOf(1);
const v2 = versionOf(2, 'a', { parent: v1 });
const old = mapWith(v1);
/** Both versions look readable. */
const two = mapOf(
  4,
  [0, 1, 2, 3].flatMap((n) => [goodAt(`s${n}`, n, v1), goodAt(`s${n}`, n + 4, v2)]),
  [v1, v2],
);
/** The same, once v2 has proved hollow. */
const hollow = mapWith(v1, [0, 1, 2], { versions: { [v1.id]: v1, [v2.id]: v2 } });
const mark = { server: 's0', shnum: 4, reason: 'a block', version: v2.id };

function inputOf(more: Partial<ReadFileInput> = {}): ReadFileInput {
  return { grid, wanted: { offset: 0, length: null }, canTakeBack: true, deadlines, ...more };
}

function start(more: Partial<ReadFileInput>, ...events: readonly object[]) {
  const it = walk(readFileMachine, inputOf(more), coverage.onMicrostep);
  return events.reduce<Walk<typeof readFileMachine>>((w, event) => w.step(event as never), it);
}

const isRead = (version = v1) => wasRead({ kind: 'delivered', version });
const isHollow = wasRead(shortOf(v2, hollow, { marked: [mark] }));

test('maps few servers, and reads the newest version', () => {
  const it = start({});
  expect([it.state(), it.log()]).toEqual(['opening', ['start openSession {"attempt":0}']]);
  const nothing = { version: null, attempt: 0, looks: 0, tried: [], newest: null, marked: [] };
  expect(readFileSummary(it.context())).toEqual({ wanted: inputOf().wanted, ...nothing });
  it.step(opened);
  expect([it.state(), given(it, 'servermapUpdate')]).toEqual([
    'mapping',
    { mode: 'read', ...grid, wantsPrivateKey: false, marked: [] },
  ]);
  it.step(mapped(two));
  expect([it.state(), effects(it), given(it, 'readVersion')]).toEqual([
    'reading',
    ['stop servermapUpdate', 'start readVersion'],
    { grid, map: two, version: v2, ranges: [{ from: 0, to: 3000 }], marked: [] },
  ]);
  it.step(isRead(v2));
  expect([it.state(), it.output()]).toEqual([
    'delivered',
    { kind: 'delivered', version: v2, isConfirmed: true, newest: v2 },
  ]);
});

test('asks everybody before it says that no version can be read', () => {
  const it = start({}, opened, mapped(emptyMap));
  expect([it.state(), given(it, 'servermapUpdate')]).toMatchObject(['mapping', { mode: 'check' }]);
  it.step(mapped(emptyMap));
  expect([it.state(), it.output()]).toEqual([
    'unrecoverable',
    { kind: 'unrecoverable', map: emptyMap, newest: null },
  ]);
});

describe('what is read was seen on too few servers', () => {
  const seen = [goodAt('s0', 0, v1), goodAt('s0', 1, v1), goodAt('s2', 0, v2)];
  const few = {
    ...mapOf(4, seen, [], { s1: 'failed', s3: 'failed' }),
    versions: { [v1.id]: v1, [v2.id]: v2 },
  };
  const told = JSON.stringify({ type: 'version.unconfirmed', seqnum: 1, silent: ['s1', 's3'] });
  const nothing = { offset: 0, length: 0 };
  const end = { kind: 'delivered', version: v1, isConfirmed: false, newest: null };

  test('that is said, and who could tell', () => {
    const it = start({}, opened, mapped(few));
    expect(it.log().slice(0, 2)).toEqual(['stop servermapUpdate', `emit ${told}`]);
    it.step(isRead());
    // Once.
    expect([it.log(), it.output()]).toEqual([['stop readVersion'], end]);
  });

  test('that is said of an empty range as well', () => {
    const it = start({ wanted: nothing }, opened, mapped(few));
    expect(it.log()).toEqual(['stop servermapUpdate', `emit ${told}`]);
    expect([it.state(), it.output()]).toEqual(['delivered', end]);
  });

  test('that is not said of a version that was named', () => {
    const it = start({ version: v1 }, opened, mapped(few));
    expect(effects(it)).toEqual(['stop servermapUpdate', 'start readVersion']);
    expect(it.step(isRead()).output()).toEqual(end);
    expect(start({ version: v1, wanted: nothing }, opened, mapped(few)).log()).toEqual([
      'stop servermapUpdate',
    ]);
  });
});

test('a version that is named is read beside a newer one; if it is not seen, everybody is asked', () => {
  const version = { seqnum: 1, rootHash: v1.rootHash };
  const it = start({ version }, opened, mapped(two));
  expect([it.state(), given(it, 'readVersion')]).toMatchObject(['reading', { version: v1 }]);
  expect(it.step(isRead()).output()).toMatchObject({ kind: 'delivered', version: v1, newest: v2 });
  const other = start({ version: { seqnum: 3, rootHash: null } }, opened, mapped(two));
  expect([other.state(), given(other, 'servermapUpdate')]).toMatchObject([
    'mapping',
    { mode: 'check' },
  ]);
  other.step(mapped(two));
  expect([other.state(), other.output()]).toEqual([
    'versionUnavailable',
    {
      ...{ kind: 'versionUnavailable', map: two, newest: v2 },
      wanted: { seqnum: 3, rootHash: null },
    },
  ]);
});

test('an empty range is delivered without being read', () => {
  const it = start({ wanted: { offset: 3000, length: 0 } }, opened, mapped(old));
  expect(it.output()).toEqual({
    ...{ kind: 'delivered', version: v1, isConfirmed: true, newest: v1 },
  });
});

test('a range beyond the contents is refused', () => {
  const it = start({ wanted: { offset: 3001, length: null } }, opened, mapped(old));
  const excess = { offset: 3001, size: 3000 };
  expect([it.state(), it.output()]).toEqual([
    'outOfRange',
    { kind: 'outOfRange', excess, newest: v1 },
  ]);
});

test('a version without k good shares is passed over for the newest of the others', () => {
  const it = start({ canTakeBack: false }, opened, mapped(two), isHollow);
  expect([it.state(), given(it, 'readVersion')]).toEqual([
    'reading',
    { grid, map: hollow, version: v1, ranges: [{ from: 0, to: 3000 }], marked: [mark] },
  ]);
  expect(readFileSummary(it.context())).toEqual({
    wanted: { offset: 0, length: null },
    version: null,
    attempt: 0,
    looks: 1,
    tried: [2],
    newest: 2,
    marked: [mark],
  });
  expect(it.step(isRead()).output()).toEqual({
    ...{ kind: 'delivered', version: v1, isConfirmed: true, newest: v2 },
  });
});

describe('when shares run out in the middle', () => {
  const short = wasRead(shortOf(v1, old, { marked: [mark], segmentsDelivered: 1 }));

  test('everything begins again, once, and shares marked bad are tried again', () => {
    const it = start({}, opened, mapped(old), short);
    expect([it.state(), it.log()]).toEqual([
      'opening',
      ['stop readVersion', 'start openSession {"attempt":1}'],
    ]);
    it.step(opened);
    expect(given(it, 'servermapUpdate')).toMatchObject({ mode: 'read', marked: [] });
    it.step(mapped(old)).step(short);
    const report = retrieved('notEnoughShares');
    expect([it.state(), it.output()]).toEqual([
      'notEnoughShares',
      { kind: 'notEnoughShares', version: v1, report, newest: v1 },
    ]);
  });

  test('but not when bytes that were delivered cannot be taken back', () => {
    expect(start({ canTakeBack: false }, opened, mapped(old), short).state()).toBe(
      'notEnoughShares',
    );
    const untouched = wasRead(shortOf(v1, old));
    expect(start({ canTakeBack: false }, opened, mapped(old), untouched).state()).toBe('opening');
  });

  test('and as often as it may', () => {
    const none = start({ attemptsMax: 1 }, opened, mapped(old), short);
    expect(none.state()).toBe('notEnoughShares');
    const thrice = [opened, mapped(old), short, opened, mapped(old), short];
    const again = start({ attemptsMax: 3 }, ...thrice);
    expect(again.state()).toBe('opening');
    expect(again.step(opened).step(mapped(old)).step(short).state()).toBe('notEnoughShares');
  });
});

describe('a bug in what is provided ends it', () => {
  test.each([
    ['openSession', []],
    ['servermapUpdate', [opened]],
    ['readVersion', [opened, mapped(old)]],
  ])('%s', (actor, events) => {
    const it = start({}, ...events, rejected(actor, new Error('bug')));
    const failure = { kind: 'internal', detail: 'bug' };
    expect([it.state(), it.output()]).toMatchObject(['failed', { kind: 'failed', failure }]);
  });

  test('or in the consumer', () => {
    const failure = { kind: 'internal', detail: 'gone' } as const;
    const it = start({}, opened, mapped(old), wasRead({ kind: 'failed', failure }));
    expect(it.output()).toEqual({ kind: 'failed', failure, newest: v1 });
  });
});

describe('cancel', () => {
  test.each([
    ['opening', [], ['stop openSession'], null],
    ['mapping', [opened], ['stop servermapUpdate'], null],
    ['reading', [opened, mapped(old)], ['stop readVersion'], v1],
  ] as const)('in %s ends it, and what is under way with it', (state, events, log, newest) => {
    const it = start({}, ...events);
    expect(it.state()).toBe(state);
    it.step(operationCancel());
    expect([it.state(), it.log(), it.output()]).toEqual([
      'cancelled',
      log,
      { kind: 'cancelled', newest },
    ]);
  });
});

/** Everything that the actor of a state may answer. */
function answersIn(snapshot: AnyMachineSnapshot): readonly object[] {
  const { map } = snapshot.context.record as ReadRecord;
  switch (pathOf(snapshot.value)) {
    case 'opening':
      return [opened, rejected('openSession', 'x')];
    case 'mapping':
      return [...[emptyMap, old, two].map(mapped), rejected('servermapUpdate', 'x')];
    default: {
      const known = map as Servermap;
      const best = bestVersion(known);
      if (best === undefined) return [];
      const kept = best.id === v2.id ? hollow : known;
      const shortages = [0, 1].map((segmentsDelivered) =>
        wasRead(shortOf(best, kept, { segmentsDelivered })),
      );
      return [isRead(best), ...shortages, rejected('readVersion', 'x')];
    }
  }
}

test.each([true, false])('every way ends; what was delivered can be taken back: %j', (can) => {
  const exploration = explore(readFileMachine, {
    input: inputOf({ canTakeBack: can }),
    events: answersIn as never,
    keyOf: (snapshot) => JSON.stringify([snapshot.value, snapshot.context.record]),
    always: (snapshot) => {
      const record = snapshot.context.record as ReadRecord;
      expect([record.attempt < 2, record.looks <= 2, record.tried.length <= 2]).not.toContain(
        false,
      );
    },
    onMicrostep: coverage.onMicrostep,
  });
  expect(exploration.deadlocks).toEqual([]);
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(readFileMachine)).toEqual([
    'readFile: Error: actor openSession is named by a chart and not provided',
  ]);
});

test('a version that is larger than may be asked for is not read', () => {
  const huge = { ...v1, segmentSize: 2 ** 28 + 1, dataLength: 2 ** 30 };
  const it = start({}, opened, mapped(mapWith(huge)));
  const beyond = { what: 'segment size of version 1', value: 2 ** 28 + 1, max: 2 ** 28 };
  expect(it.output()).toEqual({ kind: 'beyondLimit', beyond, newest: huge });
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
