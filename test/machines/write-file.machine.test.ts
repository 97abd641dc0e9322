import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { operationCancel } from '../../machines/events.ts';
import type { Servermap } from '../../machines/servermap.ts';
import { staleShares } from '../../machines/stale.ts';
import {
  type WriteFileInput,
  writeFileMachine,
  writeFileSummary,
} from '../../machines/write-file.machine.ts';
import type { Change, WriteRecord } from '../../machines/write-kernel.ts';
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
  publishReport,
  shortOf,
  wasRead,
} from '../support/operations.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, passed, pathOf, rejected, type Walk, walk } from '../support/walk.ts';

type Machine = typeof writeFileMachine;

const coverage = chartCoverage(writeFileMachine);
const v1 = versionOf(1);
const v2 = versionOf(2);
const full = mapWith(v1);
const v2b = versionOf(2, 'b');
/** A share of v2 and one of a rival beside v1, and a server that is silent: any may be acknowledged. */
const rivals = (mode: 'write' | 'repair'): Servermap => ({
  ...mapOf(
    4,
    [goodAt('s0', 0, v1), goodAt('s0', 1, v1), goodAt('s1', 0, v2), goodAt('s2', 1, v2b)],
    [v1, v2, v2b],
    { s3: 'failed' },
  ),
  mode,
});
const isRead = wasRead({ kind: 'delivered', version: v1 });
const changed = answered('applyModifier', { ok: true, isChanged: true });
const unchanged = answered('applyModifier', { ok: true, isChanged: false });
const thrown = { kind: 'thrown', detail: 'the modifier', ref: 0 } as const;
const threw = answered('applyModifier', { ok: false, failure: thrown });
const trees = answered('readTrees', { ok: true });
const noTrees = answered('readTrees', { ok: false, failure: thrown });
const published = answered('publish', publishReport('published'));
const collided = answered('publish', publishReport('uncoordinated'));
const waited = passed('backoff', 'writeFile.backingOff');

function inputOf(change: Change, more: Partial<WriteFileInput> = {}): WriteFileInput {
  const task = { change, format: 'mdmf', ...grid, force: false } as const;
  return { task, hasPrivateKey: true, newest: null, backoffsMs: [], deadlines, ...more };
}

function start(change: Change, ...events: readonly object[]): Walk<Machine> {
  return startWith(inputOf(change), ...events);
}

function startWith(input: WriteFileInput, ...events: readonly object[]): Walk<Machine> {
  const it = walk(writeFileMachine, input, coverage.onMicrostep);
  return events.reduce<Walk<Machine>>((w, event) => w.step(event as never), it);
}

const overwrite: Change = { kind: 'overwrite', size: 9 };
const modify: Change = { kind: 'modify' };
const append: Change = { kind: 'update', size: 10, offset: null };
/** Every share of another encoding is at hand but one: no update in place. */
const partial = mapWith(v1, [0, 1]);

describe('an overwrite', () => {
  test('maps, and writes over what the map saw', () => {
    const it = start(overwrite);
    expect([it.state(), it.log()]).toEqual(['opening', ['start openSession {"attempt":0}']]);
    it.step(opened);
    expect([it.state(), effects(it)]).toEqual([
      'mapping',
      ['stop openSession', 'start servermapUpdate'],
    ]);
    expect(given(it, 'servermapUpdate')).toEqual({
      mode: 'write',
      ...grid,
      wantsPrivateKey: false,
    });
    it.step(mapped(full));
    expect([it.state(), effects(it)]).toEqual([
      'publishing',
      ['stop servermapUpdate', 'start publish'],
    ]);
    expect(given(it, 'publish')).toEqual({
      map: full,
      base: v1,
      quorum: { servers: 4, size: 3 },
      required: 2,
      total: 3,
      wholeShares: true,
      force: false,
      recipe: { kind: 'whole', required: 2, total: 3, parts: [{ kind: 'new' }] },
    });
    it.step(published);
    expect([it.state(), it.log()]).toEqual(['published', ['stop publish']]);
    expect(it.output()).toEqual({
      kind: 'published',
      report: publishReport('published'),
      stale: staleShares(full, publishReport('published')),
      inPlace: false,
      attempts: 1,
      newest: versionOf(2),
      remembered: null,
      isAsBefore: false,
    });
  });

  test('begins with what the last write left, and with a fresh map if that was not so any more', () => {
    const own = versionOf(1, 'a', { required: 1 });
    const remembered = mapWith(own);
    const from = startWith(inputOf(overwrite, { remembered }), opened);
    expect([from.state(), given(from, 'publish')]).toMatchObject([
      'publishing',
      { map: remembered, base: own },
    ]);
    from.step(collided);
    expect([from.state(), effects(from)]).toEqual([
      'opening',
      ['stop publish', 'start openSession'],
    ]);
    from.step(opened);
    expect([from.state(), given(from, 'servermapUpdate')]).toMatchObject([
      'mapping',
      { mode: 'write' },
    ]);
    from.step(mapped(full)).step(collided);
    expect([from.state(), from.output()]).toMatchObject(['gaveUp', { attempts: 1 }]);
  });

  test('asks everybody, and for the private key, when a first look shows no version', () => {
    const it = startWith(inputOf(overwrite, { hasPrivateKey: false }), opened);
    expect(given(it, 'servermapUpdate')).toEqual({ mode: 'write', ...grid, wantsPrivateKey: true });
    const bare: Servermap = { ...emptyMap, privateKey: 'missing' };
    it.step(mapped(bare));
    expect(it.state()).toBe('mapping');
    expect(given(it, 'servermapUpdate')).toEqual({
      mode: 'repair',
      ...grid,
      wantsPrivateKey: true,
    });
    it.step(mapped({ ...bare, mode: 'repair' }));
    expect([it.state(), it.output()]).toEqual([
      'failed',
      {
        kind: 'failed',
        obstacle: { kind: 'unrecoverable', map: { ...bare, mode: 'repair' } },
        attempts: 1,
        newest: null,
        remembered: null,
        isAsBefore: false,
      },
    ]);
  });

  test('that meets another writer gives up at once', () => {
    const it = start(overwrite, opened, mapped(full), collided);
    expect([it.state(), it.output()]).toEqual([
      'gaveUp',
      {
        kind: 'gaveUp',
        obstacle: { kind: 'notPublished', report: publishReport('uncoordinated') },
        attempts: 1,
        newest: v1,
        remembered: null,
        isAsBefore: false,
      },
    ]);
  });
});

describe('an append', () => {
  test('reads the trees of all shares, then what it keeps, and writes in place', () => {
    const it = start(append, opened, mapped(full));
    expect([it.state(), given(it, 'readTrees')]).toEqual([
      'readingTrees',
      {
        ...{ map: full, version: v1, firstSegment: 2, segmentCount: 1, newDataLength: 3010 },
        next: [
          { server: 's0', shnum: 0, firstSegment: 2, segmentCount: 1, ahead: [] },
          { server: 's1', shnum: 1, firstSegment: 2, segmentCount: 1, ahead: [] },
        ],
      },
    ]);
    it.step(trees);
    expect([it.state(), given(it, 'readVersion')]).toEqual([
      'reading',
      { grid, map: full, version: v1, ranges: [{ from: 2048, to: 3000 }], marked: [] },
    ]);
    it.step(isRead);
    expect([it.state(), given(it, 'publish')]).toEqual([
      'publishing',
      {
        map: full,
        base: v1,
        quorum: { servers: 4, size: 3 },
        required: 2,
        total: 3,
        wholeShares: false,
        force: false,
        recipe: {
          kind: 'inPlace',
          base: v1.id,
          firstSegment: 2,
          newDataLength: 3010,
          parts: [{ kind: 'kept', from: 2048, to: 3000 }, { kind: 'new' }],
        },
      },
    ]);
    expect(it.step(published).output()).toMatchObject({ kind: 'published', inPlace: true });
  });

  test('falls back to whole shares when the trees can not be had, or too few servers', () => {
    const whole = [{ from: 0, to: 3000 }];
    const it = start(append, opened, mapped(full), noTrees);
    expect([it.state(), given(it, 'readVersion')]).toMatchObject(['reading', { ranges: whole }]);
    const unsent = answered('publish', publishReport('notEnoughServers'));
    const other = start(append, opened, mapped(full), trees, isRead, unsent);
    expect([other.state(), given(other, 'readVersion')]).toMatchObject([
      'reading',
      { ranges: whole },
    ]);
    other.step(isRead);
    expect([other.state(), given(other, 'publish')]).toMatchObject([
      'publishing',
      { wholeShares: true },
    ]);
    expect(other.step(published).output()).toMatchObject({ kind: 'published', inPlace: false });
  });

  test('of nothing writes nothing', () => {
    const it = start({ ...append, size: 0 }, opened, mapped(full));
    expect([it.state(), it.output()]).toEqual([
      'unchanged',
      { kind: 'unchanged', base: v1, attempts: 1, newest: v1, remembered: null, isAsBefore: true },
    ]);
  });
});

describe('a modify', () => {
  const twice = inputOf(modify, { backoffsMs: [100, 250] });

  test('reads all of it, has it changed, and writes whole shares', () => {
    const it = startWith(twice, opened, mapped(full));
    expect([it.state(), given(it, 'readVersion')]).toMatchObject([
      'reading',
      { ranges: [{ from: 0, to: 3000 }] },
    ]);
    it.step(isRead);
    expect([it.state(), it.log()]).toEqual([
      'changing',
      ['stop readVersion', 'start applyModifier {"attempt":0,"seqnum":1}'],
    ]);
    it.step(changed);
    expect([it.state(), given(it, 'publish')]).toMatchObject([
      'publishing',
      { recipe: { kind: 'whole', parts: [{ kind: 'new' }] } },
    ]);
  });

  test('that wants no change writes nothing', () => {
    expect(startWith(twice, opened, mapped(full), isRead, unchanged).state()).toBe('unchanged');
  });

  test('whose modifier throws ends, and says where what it threw is kept', () => {
    const it = startWith(twice, opened, mapped(full), isRead, threw);
    expect([it.state(), it.output()]).toMatchObject([
      'failed',
      { kind: 'failed', obstacle: { kind: 'failed', failure: thrown } },
    ]);
  });

  test('that collides tells how long it waits, and begins anew from a map of everybody', () => {
    const it = startWith(twice, opened, mapped(full), isRead, changed, collided);
    const told = {
      type: 'attempt.collided',
      attempt: 0,
      attemptsMax: 3,
      waitMs: 100,
      standoff: null,
    };
    expect([it.state(), it.log()]).toEqual([
      'backingOff',
      ['stop publish', `emit ${JSON.stringify(told)}`, 'after 100 ms backoff'],
    ]);
    it.step(waited);
    expect([it.state(), it.log()]).toEqual([
      'opening',
      ['cancel backoff', 'start openSession {"attempt":1}'],
    ]);
    it.step(opened);
    expect(given(it, 'servermapUpdate')).toMatchObject({ mode: 'check', wantsPrivateKey: false });
  });

  test('that has nothing to build on tells which versions stand against each other, and who is silent', () => {
    const it = startWith(twice, opened, mapped(rivals('write')), mapped(rivals('repair')));
    const standoff = { rivals: [v2b, v2, v1], silent: ['s3'] };
    const told = { type: 'attempt.collided', attempt: 0, attemptsMax: 3, waitMs: 100, standoff };
    expect([it.state(), it.log()[1]]).toEqual(['backingOff', `emit ${JSON.stringify(told)}`]);
  });

  test('after a collision writes the contents even if they need no change', () => {
    const again = [opened, mapped({ ...full, mode: 'check' }), isRead, unchanged];
    const it = startWith(twice, opened, mapped(full), isRead, changed, collided, waited, ...again);
    expect([it.state(), given(it, 'publish')]).toMatchObject([
      'publishing',
      { recipe: { kind: 'whole', parts: [{ kind: 'kept', from: 0, to: 3000 }] } },
    ]);
    expect(it.step(published).output()).toMatchObject({ kind: 'published', attempts: 2 });
  });

  test('gives up when the waiting times are used up', () => {
    const attempt = [opened, mapped({ ...full, mode: 'check' }), isRead, changed, collided];
    const it = startWith(twice, ...attempt, waited, ...attempt);
    expect(it.log().at(-1)).toBe('after 250 ms backoff');
    it.step(waited);
    for (const event of attempt) it.step(event);
    expect([it.state(), it.output()]).toMatchObject(['gaveUp', { kind: 'gaveUp', attempts: 3 }]);
  });
});

test('a create of a new key asks nobody', () => {
  const it = start({ kind: 'create', isNewKey: true }, opened);
  expect(it.state()).toBe('publishing');
  expect(given(it, 'publish')).toMatchObject({
    map: { holdings: [], versions: {} },
    recipe: { kind: 'whole', required: 2, total: 3, parts: [{ kind: 'new' }] },
  });
});

test('a create of any other key asks everybody, and for no private key: no share is to be there', () => {
  const create: Change = { kind: 'create', isNewKey: false };
  for (const hasPrivateKey of [true, false]) {
    const it = startWith(inputOf(create, { hasPrivateKey }), opened);
    expect([it.state(), given(it, 'servermapUpdate')]).toEqual([
      'mapping',
      { mode: 'check', ...grid, wantsPrivateKey: false },
    ]);
  }
});

describe('a bug in what is provided ends it', () => {
  const walks: Readonly<Record<string, readonly [Change, ...object[]]>> = {
    openSession: [modify],
    servermapUpdate: [modify, opened],
    readTrees: [append, opened, mapped(full)],
    readVersion: [modify, opened, mapped(full)],
    applyModifier: [modify, opened, mapped(full), isRead],
    publish: [overwrite, opened, mapped(full)],
  };
  test.each(Object.entries(walks))('%s', (actor, [change, ...events]) => {
    const it = startWith(inputOf(change, { backoffsMs: [1] }), ...events);
    it.step(rejected(actor, new Error('bug')));
    const failure = { kind: 'internal', detail: 'bug' };
    expect([it.state(), it.output()]).toMatchObject([
      'failed',
      { kind: 'failed', obstacle: { kind: 'failed', failure } },
    ]);
  });
});

describe('cancel', () => {
  const contended = [opened, mapped(full), isRead, changed, collided];
  test.each([
    ['opening', modify, [], ['stop openSession']],
    ['mapping', modify, [opened], ['stop servermapUpdate']],
    ['readingTrees', append, [opened, mapped(full)], ['stop readTrees']],
    ['reading', modify, [opened, mapped(full)], ['stop readVersion']],
    ['changing', modify, [opened, mapped(full), isRead], ['stop applyModifier']],
    ['publishing', overwrite, [opened, mapped(full)], ['stop publish']],
    ['backingOff', modify, contended, ['cancel backoff']],
  ] as const)('in %s ends it, and what is under way with it', (state, change, events, log) => {
    const it = startWith(inputOf(change, { backoffsMs: [1] }), ...events);
    expect(it.state()).toBe(state);
    it.step(operationCancel());
    expect([it.state(), it.log()]).toEqual(['cancelled', log]);
    const newest = ['opening', 'mapping'].includes(state) ? null : v1;
    expect(it.output()).toEqual({
      kind: 'cancelled',
      attempts: 1,
      newest,
      remembered: null,
      isAsBefore: false,
    });
  });
});

test('its summary tells how far the attempt is', () => {
  const it = startWith(inputOf(append, { backoffsMs: [1] }), opened);
  const summary = {
    change: append,
    force: false,
    attempt: 0,
    attemptsMax: 2,
    hasPrivateKey: true,
    newest: null,
    mapped: null,
    trees: 'unread',
    isRead: false,
    modified: 'no',
    obstacle: null,
  };
  expect(writeFileSummary(it.context())).toEqual(summary);
  it.step(mapped(full)).step(trees).step(isRead).step(collided);
  const later = { newest: 1, mapped: 'write', trees: 'held', isRead: true };
  expect(writeFileSummary(it.context())).toEqual({
    ...summary,
    ...later,
    obstacle: 'notPublished',
  });
});

test('a trace tells as well which version is the only one, and that a map is remembered', () => {
  const own = versionOf(1, 'a', { required: 1 });
  const task = { ...inputOf(overwrite).task, expected: own };
  const it = startWith(inputOf(overwrite, { task, remembered: mapWith(own) }), opened);
  expect(writeFileSummary(it.context())).toMatchObject({ expected: 1, mapped: 'remembered' });
});

// --- every way ----------------------------------------------------------------------------------

/** A map of each class, as a child asked in `mode` may bring it. */
function mapsFor(mode: string, hasKey: boolean): readonly Servermap[] {
  const privateKey = hasKey || mode === 'check' ? 'unneeded' : 'missing';
  const of = (map: Servermap, more: Partial<Servermap> = {}): Servermap =>
    ({ ...map, mode, privateKey, ...more }) as Servermap;
  const found = mode !== 'check' && !hasKey ? [of(full, { privateKey: 'found' })] : [];
  return [
    of(emptyMap),
    of(full),
    of(partial),
    // Versions that stand against each other; one of the other format; only a dead one.
    of(rivals('write')),
    of(mapWith({ ...v1, format: 'sdmf' })),
    of(mapWith(v2, [0])),
    of(mapWith({ ...v1, dataLength: 0, segmentSize: 0 })),
    ...found,
  ];
}

/** Everything that the actor of a state may answer. */
function answersIn(snapshot: AnyMachineSnapshot): readonly object[] {
  const record = snapshot.context.record as WriteRecord;
  const mode = modeOf(record);
  switch (pathOf(snapshot.value)) {
    case 'opening':
      return [opened, rejected('openSession', 'x')];
    case 'mapping':
      return [...mapsFor(mode, record.hasPrivateKey).map(mapped), rejected('servermapUpdate', 'x')];
    case 'readingTrees':
      return [trees, noTrees, rejected('readTrees', 'x')];
    case 'reading': {
      const short = wasRead(shortOf(v1, record.map as Servermap));
      const broken = wasRead({ kind: 'failed', failure: thrown });
      return [isRead, short, broken, rejected('readVersion', 'x')];
    }
    case 'changing':
      return [changed, unchanged, threw, rejected('applyModifier', 'x')];
    case 'publishing':
      return [
        ...(
          [
            'published',
            'uncoordinated',
            'indeterminate',
            'notEnoughServers',
            'unprepared',
            'cancelled',
          ] as const
        ).map((kind) => answered('publish', publishReport(kind))),
        rejected('publish', 'x'),
      ];
    case 'backingOff':
      return [waited];
    default:
      return [];
  }
}

function modeOf({ change, attempt, hasPrivateKey, map }: WriteRecord): string {
  if (change.kind === 'create') return 'check';
  if (map !== null) return 'repair';
  return attempt > 0 && hasPrivateKey ? 'check' : 'write';
}

const changes: readonly Change[] = [
  { kind: 'create', isNewKey: true },
  { kind: 'create', isNewKey: false },
  overwrite,
  append,
  { kind: 'update', size: 0, offset: 0 },
  { kind: 'update', size: 10, offset: 5000 },
  modify,
];

describe.each(changes)('every way that %j may go', (change) => {
  test.each([
    [true, false],
    [false, false],
    [true, true],
  ])('has the key: %j, force: %j', (hasPrivateKey, force) => {
    const input = inputOf(change, { hasPrivateKey, newest: v2, backoffsMs: [1, 2] });
    const exploration = explore(writeFileMachine, {
      input: { ...input, task: { ...input.task, force } },
      events: answersIn as never,
      keyOf: (snapshot) => JSON.stringify([snapshot.value, snapshot.context.record]),
      always: (snapshot) => {
        const record = snapshot.context.record as WriteRecord;
        expect(record.attempt).toBeLessThan(3);
        if (snapshot.value === 'published') expect(record.published?.kind).toBe('published');
      },
      step: (before, event, after) => {
        // Nothing passes the weighing by, and a wait is followed by a fresh session and no map.
        if (after.value === 'opening') expect(after.context.record).toMatchObject({ map: null });
        if (after.value !== 'publishing') return;
        const record = after.context.record as WriteRecord;
        const isNew = change.kind === 'create' && change.isNewKey;
        expect(record.map === null).toBe(isNew);
        // The base is a version of the map of this attempt.
        if (before.value === 'mapping') expect(record.map).toBe(event.output);
        if (change.kind === 'create') expect(record.map?.holdings ?? []).toEqual([]);
        else
          expect(Object.keys(record.map?.versions ?? {}).length + Number(force)).toBeGreaterThan(0);
      },
      onMicrostep: coverage.onMicrostep,
    });
    expect(exploration.deadlocks).toEqual([]);
    expect(Object.keys(exploration.paths)).toContain('failed');
  });
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(writeFileMachine)).toEqual([
    'writeFile: Error: actor openSession is named by a chart and not provided',
    'writeFile: Error: actor readTrees is named by a chart and not provided',
    'writeFile: Error: actor applyModifier is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
