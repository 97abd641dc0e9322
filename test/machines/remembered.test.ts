import { describe, expect, test } from 'vitest';
import type { PublishReport, Write } from '../../machines/publish-kernel.ts';
import { isStillGood, mapAfter } from '../../machines/remembered.ts';
import type { Servermap, ServerStatus, Version } from '../../machines/servermap.ts';
import {
  apply,
  type Change,
  decide,
  leftBy,
  start,
  type WriteFact,
  type WriteRecord,
  type WriteTask,
} from '../../machines/write-kernel.ts';
import { bad, goodAt, mapOf, versionOf } from '../support/facts.ts';
import { emptyMap, grid, mapWith, publishReport, shortOf } from '../support/operations.ts';

/** With k = 1 nobody who dies takes anything that is needed. */
const v1 = versionOf(1, 'a', { required: 1 });
const v2 = versionOf(2, 'a', { required: 1 });
const v3 = versionOf(3, 'a', { required: 1, parent: v2 });
const remembered = { outcome: 'enough', privateKey: 'unneeded' } as const;
const known = mapWith(v1);

const written = (n: number, status: Write['status'] = 'accepted'): Write => ({
  server: `s${n}`,
  shnum: n,
  status,
  failure: null,
});
const writes = [0, 1, 2].map((n) => written(n));
const reportOf = (more: Partial<PublishReport> = {}): PublishReport =>
  publishReport('published', { version: v2, writes, ...more });

describe('what is known after a write', () => {
  test('is the new version wherever it was written, and the rest as it was', () => {
    const after = mapWith(v2, [0, 1, 2], { servers: known.servers, ...remembered });
    expect(mapAfter(known, reportOf())).toEqual(after);
    const spoilt = mapOf(4, [{ server: 's0', shnum: 0, verdict: bad('head') }], [], {
      s3: 'unasked',
    });
    expect(mapAfter(spoilt, reportOf())).toEqual({
      ...after,
      servers: after.servers.map((one) => ({
        ...one,
        status: one.id === 's3' ? 'unasked' : one.status,
      })),
    });
  });

  const disturbed: readonly (readonly [string, Servermap, PublishReport])[] = [
    ['did not end well', known, reportOf({ kind: 'uncoordinated' })],
    ['was given up by a server', known, reportOf({ writes: [...writes, written(3, 'unknown')] })],
    ['was refused', known, reportOf({ writes: [...writes, written(3, 'refused')] })],
    [
      'met another writer',
      known,
      reportOf({ surprises: [{ server: 's3', shnum: 0, found: 'f' }] }),
    ],
    ['left an old share', mapWith(v1, [0, 1, 2, 3]), reportOf()],
    ['left one beside its own', mapOf(4, [goodAt('s0', 1, v1)], [v1]), reportOf()],
    ['did not come to a server', mapOf(4, known.holdings, [v1], { s3: 'failed' }), reportOf()],
    ['has no version', known, reportOf({ version: null })],
  ];
  test.each(disturbed)('is not remembered if it %s', (_, map, report) => {
    expect(mapAfter(map, report)).toBeNull();
  });
});

test('a map of other servers, or with something older than what is known, does not do', () => {
  const { servers } = grid;
  expect(isStillGood(known, servers, null)).toBe(true);
  expect(isStillGood(known, servers, v1)).toBe(true);
  expect(isStillGood(known, servers, v2)).toBe(false);
  expect(isStillGood(known, servers.slice(1), null)).toBe(false);
  expect(isStillGood(known, [...servers, 's4'], null)).toBe(false);
  expect(isStillGood(known, [...servers].reverse(), null)).toBe(false);
  expect(isStillGood(known, [...servers.slice(0, 3), 's4'], null)).toBe(false);
  expect(isStillGood(emptyMap, servers, null)).toBe(false);
});

test('where a few who die would leave too little to read, everybody looks first', () => {
  const spare = (required: number, total: number): boolean => {
    const version: Version = versionOf(1, 'a', { required, total });
    return isStillGood(mapWith(version), grid.servers, null);
  };
  expect([spare(1, 1), spare(2, 4), spare(2, 5), spare(3, 8), spare(3, 9), spare(3, 10)]).toEqual([
    ...[true, false, true, false, true, true],
  ]);
});

describe('a write from memory', () => {
  const overwrite: Change = { kind: 'overwrite', size: 9 };
  const append: Change = { kind: 'update', size: 10, offset: null };
  const task = (change: Change, more: Partial<WriteTask> = {}): WriteTask => {
    return { change, format: 'mdmf', ...grid, force: false, attemptsMax: 1, ...more };
  };
  const begin = (change: Change, map: Servermap = known) => start(task(change), true, null, map);
  const having = (record: WriteRecord, ...facts: readonly WriteFact[]) =>
    facts.reduce(apply, record);
  const published = (report: PublishReport): WriteFact => ({ type: 'published', report });
  const forgotten: WriteFact = { type: 'forgotten' };
  const map = { kind: 'map', mode: 'write' };
  const forget = { kind: 'forget' };

  test('asks nobody, and leaves what the next one can begin with', () => {
    const plan = { map: known, asksOnce: true };
    expect(decide(begin(overwrite))).toMatchObject({ kind: 'publish', plan });
    const after = having(begin(overwrite), published(reportOf()));
    expect(leftBy(after)).toEqual(mapWith(v2, [0, 1, 2], remembered));
    expect(leftBy(begin(overwrite))).toBeNull();
  });

  test('is for those who write in any case, and have the key', () => {
    const first = (change: Change, more: Partial<WriteTask> = {}, hasKey = true) =>
      decide(start(task(change, more), hasKey, null, known)).kind;
    expect([
      first(append),
      first({ kind: 'update', size: 0, offset: 0 }),
      first({ kind: 'modify' }),
      first(overwrite, { force: true }),
      first(overwrite, {}, false),
      first(overwrite, { servers: grid.servers.slice(1) }),
      first({ kind: 'overwrite', size: 2 ** 19 }),
      first({ kind: 'overwrite', size: 2 ** 19 + 1 }),
      first({ kind: 'update', size: 2 ** 19 + 1, offset: 0 }),
      first(append, { format: 'sdmf' }),
    ]).toEqual(['readTrees', ...Array(5).fill('map'), 'publish', 'map', 'map', 'map']);
  });

  test('begins again, as if nothing had been known, when something is in its way', () => {
    for (const kind of ['uncoordinated', 'notEnoughServers'] as const) {
      const met = having(begin(overwrite), published(reportOf({ kind })));
      expect(decide(met)).toEqual(forget);
      expect(decide(having(met, forgotten))).toEqual(map);
    }
    const short = shortOf(v1, known);
    expect(decide(having(begin(append), { type: 'read', end: short }))).toEqual(forget);
    expect(decide(having(begin(append), { type: 'treesRead', areHeld: false }))).toEqual(forget);
    expect(decide(begin({ kind: 'update', size: 1, offset: 9999 }))).toEqual(forget);
  });

  test('ends as any other where that would not help, or its end is not known', () => {
    const report = reportOf({ kind: 'indeterminate' });
    expect(decide(having(begin(overwrite), published(report)))).toEqual({
      kind: 'failed',
      obstacle: { kind: 'notPublished', report },
    });
    const failure = { kind: 'thrown', detail: 'the source', ref: 0 } as const;
    expect(decide(having(begin(overwrite), { type: 'failed', failure }))).toEqual({
      kind: 'failed',
      obstacle: { kind: 'failed', failure },
    });
  });

  test('asks everybody like any other when what it knows is not enough to build on', () => {
    const few: Servermap = {
      ...known,
      servers: known.servers.map((one) => ({ ...one, status: 'unasked' as ServerStatus })),
    };
    const record = begin(overwrite, few);
    expect(decide(record)).toEqual({ kind: 'map', mode: 'repair' });
    const mapped = having(record, { type: 'mapped', map: { ...emptyMap, mode: 'repair' } });
    expect(decide(mapped)).toMatchObject({ kind: 'failed', obstacle: { kind: 'unrecoverable' } });
  });

  test('does not append twice: what it left is written as it is, or may be in what is there', () => {
    const report = reportOf({ kind: 'uncoordinated', required: 1 });
    const again = having(begin(append), published(report), forgotten);
    const withMap = (version: Version) =>
      decide(having(again, { type: 'mapped', map: mapWith(version) }));
    const obstacle = { kind: 'notPublished', report };
    expect(withMap(v2)).toMatchObject({ kind: 'read', base: v2 });
    const child = mapOf(4, mapWith(v3).holdings, [v2, v3]);
    const onChild = decide(having(again, { type: 'mapped', map: child }));
    expect(onChild).toMatchObject({ kind: 'read', base: v3 });
    expect(withMap(v1).kind).toBe('readTrees');
    // Of somebody whose parent nobody knows.
    const stranger = versionOf(3, 'x', { required: 1 });
    expect(withMap(stranger)).toEqual({ kind: 'gaveUp', obstacle });
    // Of k = 2 one share is nothing that can be read, or built on.
    const few = reportOf({ kind: 'uncoordinated', required: 2, writes: [written(0)] });
    const alone = having(begin(append), published(few), forgotten);
    expect(decide(having(alone, { type: 'mapped', map: mapWith(stranger) })).kind).toBe(
      'readTrees',
    );
    const none = reportOf({
      kind: 'uncoordinated',
      writes: [written(0, 'surprised'), written(1, 'failed'), written(2, 'refused')],
    });
    const unharmed = having(begin(append), published(none), forgotten);
    expect(decide(having(unharmed, { type: 'mapped', map: mapWith(stranger) })).kind).toBe(
      'readTrees',
    );
    // Written twice at one place it is there once.
    const update: Change = { kind: 'update', size: 10, offset: 7 };
    const twice = having(begin(update), published(report), forgotten);
    expect(decide(having(twice, { type: 'mapped', map: mapWith(v2) })).kind).toBe('readTrees');
  });
});
