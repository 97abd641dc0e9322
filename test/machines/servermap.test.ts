import { describe, expect, test } from 'vitest';
import {
  bestVersion,
  compareVersions,
  contenders,
  highestSeqnum,
  isRecoverable,
  markedSlot,
  newerUnrecoverable,
  recoverableVersions,
  sharesOf,
  unrecoverableVersions,
  withMarked,
} from '../../machines/servermap.ts';
import { bad, goodSlot, mapOf, unverified, versionOf } from '../support/facts.ts';

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

  test('are recoverable with k distinct shares, wherever those are', () => {
    const slots = [goodSlot('s0', 0, v1), goodSlot('s1', 0, v1)];
    expect(isRecoverable(mapOf(3, slots, [v1]), v1)).toBe(false);
    expect(isRecoverable(mapOf(3, [...slots, goodSlot('s0', 2, v1)], [v1]), v1)).toBe(true);
  });

  test('count good shares only', () => {
    const slots = [
      goodSlot('s2', 1, v1),
      goodSlot('s0', 0, v1),
      { server: 's1', shnum: 2, verdict: bad() },
      { server: 's1', shnum: 3, verdict: unverified() },
      goodSlot('s1', 0, v1),
      goodSlot('s1', 1, v2a),
    ];
    expect([...sharesOf(mapOf(3, slots, [v1, v2a]), v1.id)]).toEqual([
      [0, ['s0', 's1']],
      [1, ['s2']],
    ]);
  });

  test('the best is the newest recoverable one; newer evidence is told apart', () => {
    const slots = [
      goodSlot('s0', 0, v1),
      goodSlot('s1', 1, v1),
      goodSlot('s2', 0, v2a),
      goodSlot('s3', 1, v2a),
      goodSlot('s4', 0, v2b),
      goodSlot('s5', 1, v3),
    ];
    const map = mapOf(6, slots, [v3, v2b, v1, v2a]);
    expect(recoverableVersions(map)).toEqual([v1, v2a]);
    expect(unrecoverableVersions(map)).toEqual([v2b, v3]);
    expect(bestVersion(map)).toEqual(v2a);
    expect(newerUnrecoverable(map)).toEqual([v3]);
    expect(contenders(map)).toEqual([v3, v2b]);
    expect(highestSeqnum(map)).toBe(3);
  });

  test('the best of three is the newest, though an older one is on more servers', () => {
    const slots = [v1, v2a, v3].flatMap((version) => [
      goodSlot('s0', 0, version),
      goodSlot('s1', 1, version),
    ]);
    const map = mapOf(3, [...slots, goodSlot('s2', 1, v2a)], [v1, v2a, v3]);
    expect(bestVersion(map)).toEqual(v3);
  });

  test('of two of one seqnum the best is on most servers, whatever its root hash', () => {
    const slots = [
      ...[goodSlot('s0', 0, v1), goodSlot('s1', 1, v1), goodSlot('s2', 2, v1)],
      ...[goodSlot('s3', 0, v1), goodSlot('s4', 0, v1)],
      ...[goodSlot('s0', 0, v2a), goodSlot('s1', 0, v2a), goodSlot('s2', 1, v2a)],
      ...[goodSlot('s3', 0, v2b), goodSlot('s3', 1, v2b), goodSlot('s4', 2, v2b)],
    ];
    expect(bestVersion(mapOf(5, slots, [v1, v2a, v2b]))).toEqual(v2a);
    const others = slots.filter(({ server }) => server !== 's0');
    expect(bestVersion(mapOf(5, others, [v1, v2a, v2b]))).toEqual(v2b);
  });

  test('a first version that nobody can read yet is newer than nothing', () => {
    const map = mapOf(1, [goodSlot('s0', 0, v1)], [v1]);
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

describe('a share marked by a reader', () => {
  const slot = goodSlot('s0', 0, v1);
  const mark = { server: 's0', shnum: 0, reason: 'block hash', version: v1.id };

  test('is bad, and a writer may test for the signed prefix', () => {
    expect(markedSlot(slot, [mark])).toEqual({
      server: 's0',
      shnum: 0,
      verdict: { kind: 'bad', reason: 'block hash', head: v1.id },
    });
  });

  test('is judged anew when it was replaced, and stays what it is when it is not good', () => {
    const replaced = goodSlot('s0', 0, v2a);
    expect(markedSlot(replaced, [mark])).toBe(replaced);
    const broken = { server: 's0', shnum: 0, verdict: bad('ff') };
    expect(markedSlot(broken, [mark])).toBe(broken);
  });

  test('is that share on that server and no other', () => {
    const others = [goodSlot('s1', 0, v1), goodSlot('s0', 1, v1)];
    const map = mapOf(2, [slot, ...others], [v1]);
    expect(withMarked(map, [mark])).toEqual({
      ...map,
      slots: [markedSlot(slot, [mark]), ...others],
    });
    expect(map.slots[0]).toBe(slot);
  });
});
