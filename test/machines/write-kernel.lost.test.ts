import { describe, expect, test } from 'vitest';
import type { Servermap, Version } from '../../machines/servermap.ts';
import { apply, type Change, decide, start } from '../../machines/write-kernel.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';
import { emptyMap, grid, mapWith } from '../support/operations.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const v2b = versionOf(2, 'b');

/** What a writer does that knows `newest` to be acknowledged, once everybody has told of `map`. */
function decided(newest: Version, map: Servermap, force = false, kind: Change['kind'] = 'modify') {
  const changes = {
    create: { kind: 'create', isNewKey: false },
    overwrite: { kind: 'overwrite', size: 9 },
    update: { kind: 'update', size: 10, offset: null },
    modify: { kind: 'modify' },
  } as const;
  const task = { change: changes[kind], format: 'mdmf', ...grid, force, attemptsMax: 1 } as const;
  return decide(apply(start(task, true, newest), { type: 'mapped', map }));
}

const asked = (map: Servermap): Servermap => ({ ...map, mode: 'repair' });

describe('an acknowledged version is lost', () => {
  const all = [goodAt('s1', 0, v1), goodAt('s2', 1, v1), goodAt('s3', 2, v1)];

  test.each(['overwrite', 'update', 'modify'] as const)(
    'where nobody who answers holds a share of any: no %s goes on',
    (kind) => {
      const map = asked(emptyMap);
      const obstacle = { kind: 'versionLost', lost: v2, map };
      expect(decided(v2, map, false, kind)).toEqual({ kind: 'failed', obstacle });
    },
  );

  test('where disks brought back old ones, though one server still shows it', () => {
    const map = asked(mapOf(4, [goodAt('s0', 0, v2), goodAt('s0', 1, v2), ...all], [v1, v2]));
    const obstacle = { kind: 'versionLost', lost: v2, map };
    expect(decided(v2, map)).toEqual({ kind: 'gaveUp', obstacle });
  });

  test('not where rivals stand against each other, and it can be read', () => {
    const holdings = [goodAt('s0', 0, v1), goodAt('s0', 1, v1), goodAt('s1', 0, v2)];
    const map = asked(
      mapOf(4, [...holdings, goodAt('s2', 1, v2b)], [v1, v2, v2b], { s3: 'failed' }),
    );
    const obstacle = { kind: 'noBase', rivals: [v2b, v2, v1], map };
    expect(decided(v1, map)).toEqual({ kind: 'gaveUp', obstacle });
  });

  test('by force it raises the seqnum, unless shares that were found have raised it as far', () => {
    const planOf = (map: Servermap) => decided(v2b, map, true, 'overwrite');
    const old = asked(mapWith(v1));
    expect(planOf(old)).toMatchObject({
      plan: { base: v1, map: { ...old, versions: { [v1.id]: v1, [v2b.id]: v2b } } },
    });
    const raised = asked(mapOf(4, [goodAt('s0', 0, v2), ...all], [v1, v2]));
    expect(planOf(raised)).toEqual({
      kind: 'publish',
      plan: {
        map: raised,
        base: v1,
        quorum: { servers: 4, size: 3 },
        ...{ required: 2, total: 3, wholeShares: true, force: true },
      },
      recipe: { kind: 'whole', required: 2, total: 3, parts: [{ kind: 'new' }] },
    });
  });
});
