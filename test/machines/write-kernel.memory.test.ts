/**
 * Writes that begin with what the last one left: when they may, and what they do when it is not so any more.
 */
import { describe, expect, test } from 'vitest';
import type { PublishReport, Write } from '../../machines/publish-kernel.ts';
import { mapAfter } from '../../machines/remembered.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
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
import { versionOf } from '../support/facts.ts';
import { grid, mapWith, publishReport } from '../support/operations.ts';

/** With k = 1 so many writers may die that it is remembered at N = 3. */
const k1 = { required: 1 };
const own = versionOf(1, 'a', k1);
const left = mapWith(own);
const overwrite: Change = { kind: 'overwrite', size: 9 };
const append: Change = { kind: 'update', size: 10, offset: null };

function begin(
  change: Change,
  {
    hasPrivateKey = true,
    newest = null as Version | null,
    ...more
  }: Partial<WriteTask> & {
    readonly hasPrivateKey?: boolean;
    readonly newest?: Version | null;
  } = {},
): WriteRecord {
  const task = { change, format: 'mdmf', ...grid, force: false, attemptsMax: 1, ...more } as const;
  return start(task, hasPrivateKey, newest, left);
}

const having = (record: WriteRecord, ...facts: readonly WriteFact[]) => facts.reduce(apply, record);
const mapped = (map: Servermap): WriteFact => ({ type: 'mapped', map });
const published = (report: PublishReport): WriteFact => ({ type: 'published', report });

/** A publish that met another writer, after these answers. */
function collision(
  version: Version | null,
  statuses: readonly Write['status'][],
  shnums: readonly number[] = [0, 1, 2],
): PublishReport {
  const writes = statuses.map((status, n) => ({
    ...{ server: `s${n}`, shnum: shnums[n] as number, status, failure: null },
  }));
  return publishReport('uncoordinated', { base: own, version, writes, ...k1 });
}

describe('begins from memory', () => {
  const size = 2 ** 19;
  const update = { kind: 'update', offset: 0 } as const;
  test.each<[boolean, Change, Parameters<typeof begin>[1]?]>([
    [true, overwrite],
    [true, { kind: 'overwrite', size: 0 }],
    [true, { kind: 'overwrite', size }],
    [false, { kind: 'overwrite', size: size + 1 }],
    [true, overwrite, { format: 'sdmf' }],
    [true, append],
    [true, { ...update, size: 1 }],
    [false, { ...update, size: 0 }],
    [false, { ...update, size: size + 1 }],
    [false, append, { format: 'sdmf' }],
    [false, { kind: 'modify' }],
    [false, { kind: 'create', isNewKey: true }],
    [false, overwrite, { force: true }],
    [false, overwrite, { hasPrivateKey: false }],
    [false, overwrite, { newest: versionOf(2) }],
    [true, overwrite, { newest: own }],
  ])('%j: %j, %j', (is, change, more) => {
    const record = begin(change, more);
    expect([record.isRemembered, record.map]).toEqual([is, is ? left : null]);
  });

  test('and asks each server once', () => {
    expect(decide(begin(overwrite))).toMatchObject({ kind: 'publish', plan: { asksOnce: true } });
    const looked = having(begin(overwrite), mapped(left));
    const decision = decide(looked);
    expect(decision.kind === 'publish' && decision.plan).not.toHaveProperty('asksOnce');
  });
});

describe('when it was not so any more', () => {
  test.each<[PublishReport['kind'], string]>([
    ['uncoordinated', 'forget'],
    ['notEnoughServers', 'forget'],
    ['indeterminate', 'failed'],
    ['unprepared', 'failed'],
  ])('a publish that ended as %s: %s', (kind, next) => {
    expect(decide(having(begin(overwrite), published(publishReport(kind)))).kind).toBe(next);
  });

  test('all is forgotten, also where something else was in the way, but for a bug', () => {
    const beyond = begin({ kind: 'update', size: 1, offset: 9999 });
    expect(decide(beyond)).toEqual({ kind: 'forget' });
    const forgotten = having(beyond, { type: 'forgotten' });
    expect([forgotten.isRemembered, forgotten.stumbled, decide(forgotten)]).toEqual([
      ...[false, []],
      { kind: 'map', mode: 'write' },
    ]);
    const failure = { kind: 'internal', detail: 'a bug' } as const;
    expect(decide(having(begin(overwrite), { type: 'failed', failure })).kind).toBe('failed');
  });

  test('a change in place without its trees looks first', () => {
    const begun = begin(append);
    expect(decide(begun).kind).toBe('readTrees');
    const without = having(begun, { type: 'treesRead', areHeld: false });
    expect(decide(without)).toEqual({ kind: 'forget' });
    const looked = having(without, { type: 'forgotten' }, mapped(left));
    expect(decide(having(looked, { type: 'treesRead', areHeld: false })).kind).toBe('read');
    expect(decide(having(begun, { type: 'treesRead', areHeld: true })).kind).not.toBe('forget');
  });

  const two = versionOf(2, 'b', { required: 2, parent: own });
  const stumbledAfter = (report: PublishReport) =>
    having(begin(overwrite), published(report), { type: 'forgotten' }).stumbled;

  test('what may have left k different shares is remembered as that', () => {
    const report = collision(two, ['accepted', 'unknown', 'surprised']);
    expect(stumbledAfter(report)).toEqual([report]);
    const k2 = (statuses: readonly Write['status'][], shnums?: readonly number[]) =>
      stumbledAfter({ ...collision(two, statuses, shnums), required: 2 });
    expect(k2(['accepted', 'unknown', 'surprised'])).toHaveLength(1);
    expect(k2(['accepted', 'surprised', 'failed'])).toEqual([]);
    // Two copies of one share.
    expect(k2(['accepted', 'unknown', 'surprised'], [1, 1, 2])).toEqual([]);
  });
});

describe('what was appended', () => {
  const made = versionOf(2, 'b', { ...k1, parent: own });
  const onceMore = (change: Change, version: Version | null, map: Servermap) =>
    having(
      begin(change),
      published(collision(version, ['accepted', 'surprised', 'surprised'])),
      { type: 'forgotten' },
      mapped(map),
    );
  const report = collision(made, ['accepted', 'surprised', 'surprised']);
  const isWritten = { kind: 'gaveUp', obstacle: { kind: 'notPublished', report } };

  test('is not appended twice: what holds it is written as it is', () => {
    const later = versionOf(3, 'c', { ...k1, parent: made });
    const both = mapWith(later, [0, 1, 2], { versions: { [made.id]: made, [later.id]: later } });
    for (const [base, map] of [[made, mapWith(made)] as const, [later, both] as const]) {
      const looked = onceMore(append, made, map);
      const span = { from: 0, to: base.dataLength };
      expect(decide(looked)).toMatchObject({ kind: 'read', base, ranges: [span] });
      const read = having(looked, { type: 'read', end: { kind: 'delivered', version: base } });
      expect(decide(read)).toMatchObject({
        ...{ kind: 'publish', plan: { base } },
        recipe: { kind: 'whole', parts: [{ kind: 'kept', ...span }] },
      });
    }
  });

  test('is not appended where it may be in what is there, and nobody can tell', () => {
    // Whose parent nobody knows.
    expect(decide(onceMore(append, made, mapWith(versionOf(3, 'd', k1))))).toEqual(isWritten);
    // Nor where what holds it is more than can be read at once.
    const large = { ...versionOf(3, 'e', { ...k1, parent: made }), dataLength: 2 ** 40 };
    const map = mapWith(large, [0, 1, 2], { versions: { [made.id]: made, [large.id]: large } });
    expect(decide(onceMore(append, made, map))).toEqual(isWritten);
  });

  test('is not appended twice by a later attempt either', () => {
    const looking = having(
      { ...begin(append), isRemembered: false, map: left, attemptsMax: 4, trees: 'held' },
      published(report),
      { type: 'waited' },
    );
    expect(looking.stumbled).toEqual([report]);
    const third = having(looking, mapped(mapWith(own)), published(report), { type: 'waited' });
    expect(third.stumbled).toEqual([report, report]);
    expect(decide(having(third, mapped(mapWith(made))))).toMatchObject({
      kind: 'read',
      base: made,
    });
  });

  test('is appended where it is not, or was not made, or goes to a certain place', () => {
    const again = (change: Change, version: Version | null, map: Servermap) =>
      decide(onceMore(change, version, map)).kind;
    expect(again(append, made, mapWith(own))).toBe('readTrees');
    expect(again(append, null, mapWith(made))).toBe('readTrees');
    expect(again({ ...append, offset: 0 } as Change, made, mapWith(made))).toBe('readTrees');
  });
});

describe.each([
  ['an overwrite', overwrite],
  ['a change in place', { kind: 'update', size: 10, offset: 100 }],
] as const)('%s that is tried again', (_, change) => {
  const made = versionOf(2, 'b', { ...k1, parent: own });
  const report = collision(made, ['accepted', 'surprised', 'surprised']);
  const again = (map: Servermap) =>
    having(
      { ...begin(change), isRemembered: false, map: left, attemptsMax: 2 },
      ...[published(report), { type: 'waited' } as const, mapped(map)],
    );

  test('goes over what it has written itself', () => {
    expect(decide(again(mapWith(made))).kind).toBe(
      change.kind === 'update' ? 'readTrees' : 'publish',
    );
  });

  test('keeps what others have built on that', () => {
    // Nothing of its own version is there any more.
    const later = versionOf(3, 'c', { ...k1, parent: made });
    const looked = again(mapWith(later));
    const span = { from: 0, to: later.dataLength };
    expect(decide(looked)).toMatchObject({ kind: 'read', base: later, ranges: [span] });
    const read = having(looked, { type: 'read', end: { kind: 'delivered', version: later } });
    expect(decide(read)).toMatchObject({
      ...{ kind: 'publish', plan: { base: later } },
      recipe: { kind: 'whole', parts: [{ kind: 'kept', ...span }] },
    });
  });

  test('keeps that also when what it has kept of it was not acknowledged', () => {
    const theirs = versionOf(3, 'c', { ...k1, parent: made });
    const kept = versionOf(4, 'd', { ...k1, parent: theirs });
    const again = { ...collision(kept, ['accepted', 'surprised', 'surprised']), base: theirs };
    // Of all before that there is nothing left.
    const looked = having(
      { ...begin(change), isRemembered: false, map: left, attemptsMax: 3 },
      ...[published(report), { type: 'waited' } as const, mapped(mapWith(theirs))],
      ...[published(again), { type: 'waited' } as const, mapped(mapWith(kept))],
    );
    expect(looked.stumbled).toEqual([again, report]);
    expect(decide(looked)).toMatchObject({ kind: 'read', base: kept });
  });

  test('goes over what may have been built on that, when nobody can tell', () => {
    const kind = change.kind === 'update' ? 'readTrees' : 'publish';
    expect(decide(again(mapWith(versionOf(3, 'd', k1)))).kind).toBe(kind);
  });
});

test('an earlier attempt that may be in force is said, and not that nothing was written', () => {
  const made = versionOf(2, 'b', { ...k1, parent: own });
  const report = collision(made, ['accepted', 'surprised', 'surprised']);
  const beyond = { kind: 'update', size: 1, offset: 9999 } as const;
  const after = (report: PublishReport) =>
    decide(
      having(
        { ...begin(beyond), isRemembered: false, map: left, attemptsMax: 2 },
        ...[published(report), { type: 'waited' } as const, mapped(mapWith(own))],
      ),
    );
  expect(after(report)).toEqual({ kind: 'gaveUp', obstacle: { kind: 'notPublished', report } });
  const none = collision(made, ['surprised', 'surprised', 'surprised']);
  const { dataLength: size } = own;
  expect(after(none)).toEqual({
    kind: 'failed',
    obstacle: { kind: 'outOfRange', offset: 9999, size },
  });
});

test('what it leaves is what follows from its map and its report', () => {
  const version = versionOf(2, 'b', { ...k1, parent: own });
  const writes = [0, 1, 2].map((n) => ({
    ...({ server: `s${n}`, shnum: n, status: 'accepted', failure: null } as const),
  }));
  const report = publishReport('published', { base: own, version, writes, ...k1 });
  const begun = begin(overwrite);
  expect(leftBy(begun)).toBe(null);
  const done = having(begun, published(report));
  expect(mapAfter(left, report)?.versions).toEqual({ [version.id]: version });
  expect(leftBy(done)).toEqual(mapAfter(left, report));
  // What was remembered before it was in vain: the next write is to look.
  const looked = { ...begun, map: left, isRemembered: true };
  const forgotten = having(looked, { type: 'forgotten' }, mapped(left), published(report));
  expect(forgotten).toMatchObject({ forgotten: own.id, published: report });
  expect(leftBy(forgotten)).toBe(null);
  // Of a new file there was no map.
  const create = having(begin({ kind: 'create', isNewKey: true }), published(report));
  expect(leftBy(create)?.versions).toEqual({ [version.id]: version });
});
