import { describe, expect, test } from 'vitest';
import {
  candidateOn,
  isReplaceable,
  meetingSize,
  quorumOf,
  viewOf,
} from '../../machines/quorum.ts';
import { baseOf, made, named, readOf, seen, strays } from '../support/quorum-maps.ts';

describe('where d servers may lose what they hold', () => {
  test.each([
    [10, 8, 1, 1, 4],
    [10, 8, 5, 5, 8],
    [10, 8, 6, 5, 8],
    [10, 7, 3, 3, 7],
    [13, 9, 2, 2, 7],
    [3, 2, 1, undefined, 2],
    [4, 2, 1, undefined, 2],
  ])('S = %i, happy %i, d = %i: it is %j, and B = %i', (servers, happy, losable, kept, count) => {
    const quorum = quorumOf({ servers, happy, losable }, 20);
    expect([quorum.losable, meetingSize(quorum)]).toEqual([kept, count]);
  });

  const quorum = { servers: 4, size: 3, losable: 1 };
  const none = { servers: 4, size: 3 };

  test('a reader needs d servers more, or what is on W − d of none', () => {
    expect([readOf('? ? o o', none), readOf('? ? o o', quorum)]).toEqual(['o', undefined]);
    expect(readOf('? o o o', quorum)).toBe('o');
    // a may have been acknowledged on s0 and s1, and on one that has lost it.
    expect([readOf('a ? o o', none, strays), readOf('a ? o o', quorum, strays)]).toEqual([
      ...['o', undefined],
    ]);
    expect(readOf('a o o o', quorum, strays)).toBe('o');
  });

  test('so does a writer', () => {
    expect([baseOf('a o o ?', none, strays), baseOf('a o o ?', quorum, strays)]).toEqual([
      ...['o', undefined],
    ]);
    expect(baseOf('a o o ?', quorum)).toBe('a');
    expect(baseOf('a o o o', quorum, strays)).toBe('o');
  });

  test('a rival is dead when it can not come to W − d servers (D2)', () => {
    const n = made(3, 'n', named.a);
    const isDead = (words: string, losable: number) => {
      const view = viewOf(seen(words), { servers: 5, size: 4, losable });
      const candidate = { ...candidateOn(view, named.a), version: n, won: new Set(['s0']) };
      return isReplaceable(view, candidate, { kind: 'good', version: named.b.id });
    };
    // Of five servers b may still come to three.
    expect([isDead('a d b b b', 0), isDead('a d b b b', 1)]).toEqual([true, false]);
    expect(isDead('a d d b b', 1)).toBe(true);
  });
});
