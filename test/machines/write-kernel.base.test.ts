/**
 * A write that its caller wants to be built on one version: on that one or not at all.
 */
import { describe, expect, test } from 'vitest';
import type { PublishReport, Write } from '../../machines/publish-kernel.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
import {
  apply,
  type Change,
  decide,
  isAsBefore,
  isContention,
  start,
  type WriteFact,
  type WriteRecord,
} from '../../machines/write-kernel.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';
import { emptyMap, grid, mapWith, publishReport } from '../support/operations.ts';

const v1 = versionOf(1);
const v2 = versionOf(2, 'a', { parent: v1 });
const nameOf = ({ seqnum, rootHash }: Version) => ({ seqnum, rootHash });
const overwrite: Change = { kind: 'overwrite', size: 9 };
const update: Change = { kind: 'update', size: 9, offset: 0 };
const append: Change = { kind: 'update', size: 9, offset: null };

const having = (record: WriteRecord, ...facts: readonly WriteFact[]) => facts.reduce(apply, record);
const mapped = (map: Servermap): WriteFact => ({ type: 'mapped', map });
const asked = (map: Servermap): Servermap => ({ ...map, mode: 'repair' });

function begin(
  expected: Version,
  { change = overwrite, force = false, remembered = null as Servermap | null } = {},
): WriteRecord {
  const task = { change, format: 'mdmf', ...grid, force, attemptsMax: 1 } as const;
  return start({ ...task, expected: nameOf(expected) }, true, null, remembered);
}

const changed = (expected: Version, found: Version | null) => ({
  kind: 'failed',
  obstacle: { kind: 'versionChanged', expected: nameOf(expected), found },
});

describe.each([overwrite, update, append])('%j on a version that is named', (change) => {
  test('is built on it where that is what is there', () => {
    const { kind } = decide(having(begin(v1, { change }), mapped(mapWith(v1))));
    expect(kind).toBe(change === overwrite ? 'publish' : 'readTrees');
  });

  test.each([
    ['a newer one', v2],
    ['a rival of it', versionOf(1, 'b')],
  ])('is not built on %s, once everybody was asked', (_, other) => {
    const once = having(begin(v1, { change }), mapped(mapWith(other)));
    expect(decide(once)).toEqual({ kind: 'map', mode: 'repair' });
    const twice = having(once, mapped(asked(mapWith(other))));
    expect(decide(twice)).toEqual(changed(v1, other));
    // A server that was not asked at first may have what is missing.
    expect(decide(having(once, mapped(asked(mapWith(v1))))).kind).not.toBe('failed');
  });
});

test('an overwrite is not built on what is there where that cannot be read', () => {
  const hollow = asked(mapWith(v1, [0]));
  expect(decide(having(begin(v1), mapped(hollow)))).toEqual(changed(v1, null));
});

test('nothing is written where nothing is there', () => {
  const nothing = having(begin(v1), mapped(asked(emptyMap)));
  expect(decide(nothing)).toMatchObject({ obstacle: { kind: 'unrecoverable' } });
});

test('force writes over what would be lost, but on no other version', () => {
  const rivals = mapOf(
    4,
    [goodAt('s0', 0, v1), goodAt('s0', 1, v1), goodAt('s1', 0, v2), goodAt('s2', 1, v2)],
    [v1, v2],
    { s3: 'failed' },
  );
  const forced = (expected: Version) =>
    decide(having(begin(expected, { force: true }), mapped(asked(rivals))));
  expect(forced(v2)).toMatchObject({ kind: 'publish', plan: { base: v2, force: true } });
  expect(forced(v1)).toEqual(changed(v1, v2));
});

test('that the version is another one is no contention: to wait does not help', () => {
  const { obstacle } = changed(v1, v2) as unknown as {
    obstacle: Parameters<typeof isContention>[0];
  };
  expect(isContention(obstacle)).toBe(false);
});

describe('from memory', () => {
  const own = versionOf(1, 'a', { required: 1 });
  const remembered = mapWith(own);
  const begun = begin(own, { remembered });

  /** Our own version, of which these shares may have landed before another writer was met. */
  const made = versionOf(2, 'c', { required: 1, parent: own });
  const stumble = (...statuses: readonly Write['status'][]): WriteFact => {
    const writes = statuses.map((status, n) => ({
      server: `s${n}`,
      shnum: n,
      status,
      failure: null,
    }));
    const report: PublishReport = publishReport('uncoordinated', {
      ...{ base: own, version: made, required: 1, writes },
    });
    return { type: 'published', report };
  };
  const lookedAgain = (fact: WriteFact, map: Servermap) =>
    having(begun, fact, { type: 'forgotten' }, mapped(map));

  test('it is built on what the last write left, if that is the one', () => {
    expect([begun.isRemembered, decide(begun)]).toMatchObject([
      true,
      { kind: 'publish', plan: { base: own } },
    ]);
    const other = begin(versionOf(1, 'b'), { remembered });
    expect([other.isRemembered, decide(other)]).toEqual([false, { kind: 'map', mode: 'write' }]);
  });

  test('when that was not so any more, the look that follows builds on no other', () => {
    const collided = stumble('surprised', 'surprised', 'surprised');
    expect(decide(having(begun, collided))).toEqual({ kind: 'forget' });
    const theirs = versionOf(2, 'd', { required: 1, parent: own });
    expect(decide(lookedAgain(collided, asked(mapWith(theirs))))).toEqual(changed(own, theirs));
    expect(decide(lookedAgain(collided, mapWith(own)))).toMatchObject({
      kind: 'publish',
      plan: { base: own },
    });
  });

  test('its own version, half of which has landed, may be built on: it holds the change', () => {
    const landed = stumble('accepted', 'surprised', 'unknown');
    expect(decide(lookedAgain(landed, mapWith(made)))).toMatchObject({
      kind: 'publish',
      plan: { base: made },
    });
  });

  test('nothing is built on nothing, nor on what was never made', () => {
    const landed = stumble('accepted', 'surprised', 'surprised');
    const { report } = landed as Extract<WriteFact, { type: 'published' }>;
    const hollow = versionOf(3, 'd', { required: 2 });
    const stumbled = { kind: 'notPublished', report };
    const nothing = lookedAgain(landed, asked(mapWith(hollow, [0])));
    expect(decide(nothing)).toMatchObject({ obstacle: stumbled });
    const unmade = { ...report, version: null };
    const other = having(
      begun,
      { type: 'published', report: unmade },
      { type: 'forgotten' },
      mapped(asked(mapWith(made))),
    );
    expect(decide(other)).toMatchObject({ obstacle: { ...stumbled, report: unmade } });
  });

  test('where somebody may have gone on from its own version, it says that it has written', () => {
    const landed = stumble('accepted', 'surprised', 'surprised');
    const { report } = landed as Extract<WriteFact, { type: 'published' }>;
    const theirs = versionOf(3, 'd', { required: 1, parent: made });
    expect(decide(lookedAgain(landed, asked(mapWith(theirs))))).toEqual({
      kind: 'gaveUp',
      obstacle: { kind: 'notPublished', report },
    });
  });
});

describe('what is remembered stays true', () => {
  const nothing: Change = { kind: 'update', size: 0, offset: null };
  const beyond: Change = { kind: 'update', size: 1, offset: 9999 };

  test.each([nothing, beyond])('of an update that writes nothing: %j', (change) => {
    const record = having(begin(v1, { change }), mapped(mapWith(v1)));
    expect(['unchanged', 'failed']).toContain(decide(record).kind);
    expect(isAsBefore(record)).toBe(true);
  });

  test('where a look has shown so, and not where it showed another version, or none', () => {
    const begun = having(begin(v1, { change: beyond }), mapped(mapWith(v1)));
    const looked = (map: Servermap) => having(begun, { type: 'forgotten' }, mapped(map));
    expect(isAsBefore(looked(mapWith(v1)))).toBe(true);
    expect(isAsBefore(looked(mapWith(v2)))).toBe(false);
    expect(isAsBefore(looked(emptyMap))).toBe(false);
  });

  test('not where something was sent, or may have been', () => {
    const begun = having(begin(v1, { change: update }), mapped(mapWith(v1)));
    const write = { server: 's0', shnum: 0, failure: null } as const;
    const left = (status: Write['status'], kind: PublishReport['kind'] = 'uncoordinated') =>
      having(begun, {
        type: 'published',
        report: publishReport(kind, { writes: [{ ...write, status }] }),
      });
    expect(isAsBefore(left('planned'))).toBe(true);
    expect(isAsBefore(left('accepted'))).toBe(false);
    expect(isAsBefore(left('surprised'))).toBe(false);
    expect(isAsBefore(left('accepted', 'published'))).toBe(false);
    const again = having(left('surprised'), { type: 'forgotten' }, mapped(mapWith(v2)));
    expect(isAsBefore(again)).toBe(false);
    const failure = { kind: 'internal', detail: 'a bug' } as const;
    expect(isAsBefore(having(begun, { type: 'failed', failure }))).toBe(false);
  });

  test('not after a modifier has been given the contents, or all was replaced', () => {
    for (const change of [overwrite, { kind: 'modify' } as const]) {
      expect(isAsBefore(having(begin(v1, { change }), mapped(mapWith(v1))))).toBe(false);
    }
  });
});
