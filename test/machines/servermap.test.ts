import { describe, expect, test } from 'vitest';
import {
  bestVersion,
  compareVersions,
  contenders,
  highestSeqnum,
  isNamed,
  isRecoverable,
  markedHolding,
  mergedVersion,
  newerUnrecoverable,
  newestOf,
  noParentTag,
  recoverableVersions,
  sharesOf,
  silentIn,
  unrecoverableVersions,
  type Version,
  withMarked,
} from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, unverified, versionOf } from '../support/facts.ts';

const v1 = versionOf(1);
const v2a = versionOf(2, 'a');
const v2b = versionOf(2, 'b');
const v3 = versionOf(3);

describe('versions', () => {
  test('are ordered by seqnum, then by root hash', () => {
    expect([v3, v2b, v1, v2a].sort(compareVersions)).toEqual([v1, v2a, v2b, v3]);
    expect(compareVersions(v2a, v2b)).toBeLessThan(0);
    expect(compareVersions(v2b, v2a)).toBeGreaterThan(0);
    expect(compareVersions(v2a, { ...v2a, id: 'other' })).toBe(0);
  });

  test('are ordered by seqnum whatever their formats, which a checkstring begins with', () => {
    const checkstring = v2a.checkstring.replace(/^01/, '00');
    const sdmf = { ...v2a, format: 'sdmf', checkstring } as const;
    expect([sdmf, v1, v3].sort(compareVersions)).toEqual([v1, sdmf, v3]);
    expect([v3, v1, sdmf].sort(compareVersions)).toEqual([v1, sdmf, v3]);
  });

  test.each<[string, Version | null, Version | undefined, Version | null]>([
    ['nothing', null, undefined, null],
    ['what was found first', null, v1, v1],
    ['what was known, when nothing is found', v1, undefined, v1],
    ['what is found, when that is newer', v1, v2a, v2a],
    ['what was known, when that is newer', v2a, v1, v2a],
    ['what was known, of two with one seqnum', v2a, v2b, v2a],
  ])('the newest of a known and a found one is %s', (_, known, found, newest) => {
    expect(newestOf(known, found)).toBe(newest);
  });

  test('are recoverable with k distinct shares, wherever those are', () => {
    const holdings = [goodAt('s0', 0, v1), goodAt('s1', 0, v1)];
    expect(isRecoverable(mapOf(3, holdings, [v1]), v1)).toBe(false);
    expect(isRecoverable(mapOf(3, [...holdings, goodAt('s0', 2, v1)], [v1]), v1)).toBe(true);
  });

  test('count good shares only', () => {
    const holdings = [
      goodAt('s2', 1, v1),
      goodAt('s0', 0, v1),
      { server: 's1', shnum: 2, verdict: bad() },
      { server: 's1', shnum: 3, verdict: unverified() },
      goodAt('s1', 0, v1),
      goodAt('s1', 1, v2a),
    ];
    expect([...sharesOf(mapOf(3, holdings, [v1, v2a]), v1.id)]).toEqual([
      [0, ['s0', 's1']],
      [1, ['s2']],
    ]);
  });

  test('the best is the newest recoverable one; newer evidence is told apart', () => {
    const holdings = [
      goodAt('s0', 0, v1),
      goodAt('s1', 1, v1),
      goodAt('s2', 0, v2a),
      goodAt('s3', 1, v2a),
      goodAt('s4', 0, v2b),
      goodAt('s5', 1, v3),
    ];
    const map = mapOf(6, holdings, [v3, v2b, v1, v2a]);
    expect(recoverableVersions(map)).toEqual([v1, v2a]);
    expect(unrecoverableVersions(map)).toEqual([v2b, v3]);
    expect(bestVersion(map)).toEqual(v2a);
    expect(newerUnrecoverable(map)).toEqual([v3]);
    expect(contenders(map)).toEqual([v3, v2b]);
    expect(highestSeqnum(map)).toBe(3);
  });

  test('the best of three is the newest, though an older one is on more servers', () => {
    const holdings = [v1, v2a, v3].flatMap((version) => [
      goodAt('s0', 0, version),
      goodAt('s1', 1, version),
    ]);
    const map = mapOf(3, [...holdings, goodAt('s2', 1, v2a)], [v1, v2a, v3]);
    expect(bestVersion(map)).toEqual(v3);
  });

  test('of two of one seqnum the best is on most servers, whatever its root hash', () => {
    const holdings = [
      ...[goodAt('s0', 0, v1), goodAt('s1', 1, v1), goodAt('s2', 2, v1)],
      ...[goodAt('s3', 0, v1), goodAt('s4', 0, v1)],
      ...[goodAt('s0', 0, v2a), goodAt('s1', 0, v2a), goodAt('s2', 1, v2a)],
      ...[goodAt('s3', 0, v2b), goodAt('s3', 1, v2b), goodAt('s4', 2, v2b)],
    ];
    expect(bestVersion(mapOf(5, holdings, [v1, v2a, v2b]))).toEqual(v2a);
    const others = holdings.filter(({ server }) => server !== 's0');
    expect(bestVersion(mapOf(5, others, [v1, v2a, v2b]))).toEqual(v2b);
  });

  test('a first version that nobody can read yet is newer than nothing', () => {
    const map = mapOf(1, [goodAt('s0', 0, v1)], [v1]);
    expect(newerUnrecoverable(map)).toEqual([v1]);
    expect(contenders(map)).toEqual([v1]);
  });

  test('an empty map has none', () => {
    const map = mapOf(2, [], []);
    expect(bestVersion(map)).toBeUndefined();
    expect(newerUnrecoverable(map)).toEqual([]);
    expect(contenders(map)).toEqual([]);
    expect(highestSeqnum(map)).toBe(0);
  });
});

test('a version is the one that is meant by seqnum and root hash, or by its seqnum alone', () => {
  const version = versionOf(2);
  const other = versionOf(2, 'b').rootHash;
  const { rootHash } = version;
  const isMeant = (seqnum: number, root: string | null) =>
    isNamed(version, { seqnum, rootHash: root });
  expect([isMeant(2, rootHash), isMeant(2, null)]).toEqual([true, true]);
  expect([isMeant(2, other), isMeant(3, rootHash), isMeant(3, null)]).toEqual(Array(3).fill(false));
});

test('silent are the servers that failed, in the order of the map, and no others', () => {
  const map = mapOf(6, [goodAt('s0', 0, v1)], [v1], {
    ...{ s1: 'failed', s2: 'unasked', s3: 'corrupt', s5: 'failed' },
  });
  expect(silentIn(map)).toEqual(['s1', 's5']);
  expect(silentIn(mapOf(2, [], []))).toEqual([]);
});

describe('a share marked by a reader', () => {
  const holding = goodAt('s0', 0, v1);
  const mark = { server: 's0', shnum: 0, reason: 'block hash', version: v1.id };

  test('is bad, and a writer may test for the signed prefix', () => {
    expect(markedHolding(holding, [mark])).toEqual({
      server: 's0',
      shnum: 0,
      verdict: { kind: 'bad', reason: 'block hash', head: v1.id },
    });
  });

  test('is judged anew when it was replaced, and stays what it is when it is not good', () => {
    const replaced = goodAt('s0', 0, v2a);
    expect(markedHolding(replaced, [mark])).toBe(replaced);
    const broken = { server: 's0', shnum: 0, verdict: bad('ff') };
    expect(markedHolding(broken, [mark])).toBe(broken);
  });

  test('is that share on that server and no other', () => {
    const others = [goodAt('s1', 0, v1), goodAt('s0', 1, v1)];
    const map = mapOf(2, [holding, ...others], [v1]);
    expect(withMarked(map, [mark])).toEqual({
      ...map,
      holdings: [markedHolding(holding, [mark]), ...others],
    });
    expect(map.holdings[0]).toBe(holding);
  });
});

describe('a version as two shares tell of it', () => {
  const child = versionOf(2, 'a', { parent: v1 });

  test('is what the first one says, and the second in other words', () => {
    expect(mergedVersion(undefined, child)).toEqual(child);
    expect(mergedVersion(child, { ...child })).toEqual(child);
  });

  test('has no known parent when they name two', () => {
    const other = { ...child, parentTag: v2a.tag };
    expect(mergedVersion(child, other)).toEqual({ ...child, parentTag: null });
    expect(mergedVersion(other, child)).toEqual({ ...child, parentTag: null });
  });

  test('a first one names what no version can be called', () => {
    expect(versionOf(1, 'a', { parent: null }).parentTag).toBe('14e3b1cc4475426141bcc2c9ab19ca1c');
    expect(noParentTag).toBe('14e3b1cc4475426141bcc2c9ab19ca1c');
  });
});
