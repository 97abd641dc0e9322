import { describe, expect, test } from 'vitest';
import type { SeenShare } from '../../machines/io.ts';
import { claimsIn, isLike, isStale } from '../../machines/publish-claims.ts';
import { expectationOf, planWrites } from '../../machines/publish-kernel.ts';
import { bad, goodAt, mapOf, versionOf } from '../support/facts.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const v2b = versionOf(2, 'b');
const ours = versionOf(3, 'n').checkstring;

describe('a claim', () => {
  const holdings = [
    ...[goodAt('s0', 0, v2), goodAt('s0', 1, v2b), goodAt('s1', 1, v2)],
    { server: 's0', shnum: 2, verdict: bad(`${v2b.checkstring}ff`) },
  ];
  const record = planWrites({
    ...{ map: mapOf(3, holdings, [v2, v2b]), required: 2, total: 5, happy: 2 },
    ...{ wholeShares: true, force: false },
  });
  const expectation = expectationOf(record, record.writes[0] as never);
  const seen = (shnum: number, checkstring: string): SeenShare => ({ shnum, checkstring });
  const isClaim = (...share: Parameters<typeof seen>) =>
    claimsIn(expectation, ours, [seen(...share)]).length > 0;

  test('is judged by what the other writes to the same server expect', () => {
    expect(expectation).toEqual({
      total: 5,
      seqnum: 3,
      replaceable: [v2.checkstring],
      heads: [
        { shnum: 1, head: v2b.checkstring },
        { shnum: 2, head: `${v2b.checkstring}ff` },
      ],
    });
    const homes = expectationOf(record, record.writes.at(-1) as never);
    expect(record.writes.at(-1)).toMatchObject({ server: 's1', test: { kind: 'absent' } });
    expect(homes.heads).toEqual([{ shnum: 1, head: v2.checkstring }]);
  });

  test.each<[string, number, string, boolean]>([
    ['a version as new as the base', 0, v2b.checkstring, true],
    ['a newer one', 0, versionOf(3, 'x').checkstring, true],
    ['one where another was seen', 1, versionOf(2, 'c').checkstring, true],
    ['a rival where it was not seen', 3, v2b.checkstring, true],
    ['a rival where it was seen', 1, v2b.checkstring, false],
    ['the beginning of a damaged share', 2, v2b.checkstring, false],
    ['the base, anywhere', 3, v2.checkstring, false],
    ['an older version', 0, v1.checkstring, false],
    ['our own', 0, ours, false],
    ['too few bytes to be a share', 0, '01ff', false],
    ['a share number of another encoding', 5, v2b.checkstring, false],
    ['the highest share number', 4, v2b.checkstring, true],
  ])('%s', (_, shnum, checkstring, expected) => {
    expect(isClaim(shnum, checkstring)).toBe(expected);
  });

  test('is named by its share number', () => {
    const all = [seen(0, v2b.checkstring), seen(1, v2b.checkstring), seen(3, v2b.checkstring)];
    expect(claimsIn(expectation, ours, all)).toEqual([0, 3]);
  });
});

test('a stale version is the base, or older than the newest that was seen', () => {
  const of = (seqnum: number, checkstring: string) =>
    isStale({ seqnum, replaceable: [v2.checkstring] }, checkstring);
  expect([of(3, v2.checkstring), of(3, v2b.checkstring), of(3, v1.checkstring)]).toEqual([
    ...[true, false, true],
  ]);
  const v19 = versionOf(19, 'x').checkstring;
  const v20 = versionOf(20, 'x').checkstring;
  const vast = `01f${'0'.repeat(15)}${'00'.repeat(32)}`;
  expect([of(21, v19), of(21, v20), of(21, vast)]).toEqual([true, false, false]);
  // A share too short to have a seqnum has nothing to lose, not even to a first version.
  expect([of(1, ''), of(1, '01ffff'), of(1, `01${'00'.repeat(7)}0`)]).toEqual([true, true, true]);
  expect(of(1, `01${'00'.repeat(8)}`)).toBe(false);
});

test('heads are alike when one begins the other', () => {
  expect([isLike('01ab', '01'), isLike('01', '01ab'), isLike('01', '01')]).toEqual([
    ...[true, true, true],
  ]);
  expect([isLike('01ab', '01ac'), isLike('ab', '01ab')]).toEqual([false, false]);
});
