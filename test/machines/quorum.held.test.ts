/** What a map shows of one version: whether it is on W servers, and whether to remember it. */
import { describe, expect, test } from 'vitest';
import { isOf, isOnQuorum, type Quorum, worthRemembering } from '../../machines/quorum.ts';
import { letterOf, majority, named, seen } from '../support/quorum-maps.ts';

const { a, b } = named;

test('a share is of a version if it is good, and that one', () => {
  const good = { kind: 'good', version: a.id } as const;
  expect([isOf(good, a), isOf(good, b), isOf(good, null)]).toEqual([true, false, false]);
  const bad = { kind: 'bad', claim: null } as const;
  expect([isOf(bad, a), isOf(bad, null)]).toEqual([false, false]);
});

describe('a version is on W servers', () => {
  const isThere = (words: string) => isOnQuorum(seen(words), majority(3), a);

  test('where so many hold it, and beside it nothing but what it contains', () => {
    expect(['a a -', 'a ao -', 'a a b', 'a ? a'].map(isThere)).toEqual([true, true, true, true]);
    expect(['a ab -', 'a a! -', 'a a! ab'].map(isThere)).toEqual([false, false, false]);
  });

  test('and not where others are clean, or silent', () => {
    expect(['a - -', 'a o o', 'o o a', 'a ? ?'].map(isThere)).toEqual([
      ...[false, false, false, false],
    ]);
  });
});

describe('what is remembered of a map', () => {
  const kept = (words: string, quorum: Quorum = majority(5)) =>
    letterOf(worthRemembering(seen(words), quorum));

  test('is what a reader may be given, if W servers may have it', () => {
    expect([kept('a a a o o'), kept('a a o o o')]).toEqual(['a', undefined]);
    expect([kept('a a o o ?'), kept('a a o o !')]).toEqual(['a', 'a']);
    // Neither of the two is confirmed.
    expect(kept('a b ? ? ?')).toBeUndefined();
  });

  test('servers that cannot be asked may have it, too', () => {
    const six = { servers: 6, size: 4 };
    expect([kept('a a a o o', six), kept('a a o o o', six)]).toEqual(['a', undefined]);
  });

  test('where d servers may lose it, W - d are enough', () => {
    const four = { servers: 5, size: 4 };
    expect(kept('a a a o o', four)).toBeUndefined();
    const losing = { ...four, losable: 1 };
    expect([kept('a a a o o', losing), kept('a a o o o', losing)]).toEqual(['a', undefined]);
  });
});
