import { describe, expect, test } from 'vitest';
import type { SeenShare } from '../../machines/io.ts';
import { allPass, claimsIn, isLike } from '../../machines/publish-claims.ts';
import type { WriteTest } from '../../machines/reports.ts';
import { versionOf } from '../support/facts.ts';

const v1 = versionOf(1).checkstring;
const v2 = versionOf(2).checkstring;
const rival = versionOf(2, 'b').checkstring;
const ours = versionOf(3, 'n').checkstring;
const begins = (head: string): WriteTest => ({ kind: 'begins', head });
const absent: WriteTest = { kind: 'absent' };
const share = (shnum: number, checkstring: string): SeenShare => ({ shnum, checkstring });

/** The base in place 0, a rival in 1, a damaged share in 2, nothing in 3. */
const tests = [begins(v2), begins(rival), begins(`${rival}ff`), absent];

describe('a claim', () => {
  test.each<[string, number, string, boolean]>([
    ['a rival of the base', 0, rival, true],
    ['a newer version', 0, ours.replace(/6e$/, '78'), true],
    ['an older version: it may be a rival’s', 0, v1, true],
    ['another one where a rival was seen', 1, v2, true],
    ['anything where nothing was', 3, v2, true],
    ['a share number of another encoding', 4, v2, true],
    ['the base where it was seen', 0, v2, false],
    ['the beginning of what was seen', 0, v2.slice(0, 20), false],
    ['a rival where it was seen', 1, rival, false],
    ['the beginning of a damaged share', 2, rival, false],
    ['our own, anywhere', 3, ours, false],
    ['no bytes', 0, '', false],
  ])('%s', (_, shnum, checkstring, expected) => {
    expect(claimsIn(tests, ours, [share(shnum, checkstring)]).length > 0).toBe(expected);
  });

  test('is named by its share number', () => {
    const all = [share(3, rival), share(1, rival), share(0, rival), share(2, ours)];
    expect(claimsIn(tests, ours, all)).toEqual([3, 0]);
  });
});

describe('every test holds', () => {
  const held = [share(0, v2), share(1, rival), share(2, `${rival}ff`)];

  test.each<[string, readonly SeenShare[], boolean]>([
    ['of just what was seen', held, true],
    ['whatever their order', [...held].reverse(), true],
    ['where a share without bytes is none', [...held, share(3, '')], true],
    ['whatever a number that is not tested holds', [...held, share(4, rival)], true],
    ['not where something is beside it', [...held, share(3, v2)], false],
    ['not where something is gone', held.slice(1), false],
    ['not where it has no bytes any more', [share(0, ''), ...held.slice(1)], false],
    ['not where it is something else', [share(0, v1), ...held.slice(1)], false],
  ])('%s', (_, seen, expected) => {
    expect(allPass(tests, seen)).toBe(expected);
  });

  test('of nothing, where nothing is tested for', () => {
    expect([allPass([], []), allPass([absent], []), allPass([begins(v1)], [])]).toEqual([
      ...[true, true, false],
    ]);
  });
});

test('heads are alike when one begins the other', () => {
  expect([isLike('01ab', '01'), isLike('01', '01ab'), isLike('01', '01')]).toEqual([
    ...[true, true, true],
  ]);
  expect([isLike('01ab', '01ac'), isLike('ab', '01ab')]).toEqual([false, false]);
});
