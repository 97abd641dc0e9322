import { describe, expect, test } from 'vitest';
import { newerEvidence } from '../../machines/newer-evidence.ts';
import type { Servermap } from '../../machines/servermap.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const v2b = versionOf(2, 'b');

const inputOf = (map: Servermap, more: { happy?: number; force?: boolean } = {}) => ({
  map,
  happy: 2,
  force: false,
  ...more,
});

describe('newer evidence', () => {
  const holdings = [goodAt('s0', 0, v1), goodAt('s1', 1, v1), goodAt('s2', 0, v2)];

  test('stops a publish unless it is forced', () => {
    const map = mapOf(3, holdings, [v1, v2]);
    expect(newerEvidence(inputOf(map))).toEqual([v2]);
    expect(newerEvidence(inputOf(map, { force: true }))).toEqual([]);
  });

  test('is not a version that can be read', () => {
    const map = mapOf(4, [...holdings, goodAt('s3', 1, v2)], [v1, v2]);
    expect(newerEvidence(inputOf(map))).toEqual([]);
  });

  const three = { happy: 3 };
  const copies = [goodAt('s1', 0, v2b), goodAt('s3', 2, v2b)];

  test('is also a rival of the base that may be on a quorum, with the servers that are silent', () => {
    const rival = [goodAt('s1', 1, v2), goodAt('s2', 2, v2)];
    const seen = (status: 'failed' | 'unasked' | 'corrupt' | 'empty') =>
      newerEvidence(inputOf(mapOf(4, [...rival, ...copies], [v2, v2b], { s0: status }), three));
    expect(seen('failed')).toEqual([v2]);
    expect(seen('unasked')).toEqual([v2]);
    expect(seen('corrupt')).toEqual([v2]);
    expect(seen('empty')).toEqual([]);
  });

  test('is a rival on a quorum only if, with everybody heard, none of its shares is missing', () => {
    const twice = [...copies, goodAt('s2', 1, v2b)];
    const seen = (shnum: number) => {
      const rival = [goodAt('s0', 0, v2), goodAt('s1', 1, v2), goodAt('s2', shnum, v2)];
      return newerEvidence(inputOf(mapOf(4, [...rival, ...twice], [v2, v2b]), three));
    };
    expect(seen(2)).toEqual([v2]);
    expect(seen(0)).toEqual([]);
  });

  test('is no rival that the silent servers are too few to put on a quorum', () => {
    const alone = [goodAt('s2', 2, v2), ...copies];
    const map = mapOf(4, alone, [v2, v2b], { s0: 'failed' });
    expect(newerEvidence(inputOf(map, three))).toEqual([]);
    expect(newerEvidence(inputOf(map, { happy: 2 }))).toEqual([v2]);
  });

  test('is a first version that cannot be read, where nothing can', () => {
    expect(newerEvidence(inputOf(mapOf(2, [goodAt('s0', 0, v1)], [v1])))).toEqual([v1]);
  });

  test('is no older version, however many servers may hold it', () => {
    const older = [goodAt('s2', 0, v1), goodAt('s3', 1, v1)];
    const base = [goodAt('s0', 0, v2), goodAt('s1', 1, v2)];
    const map = mapOf(5, [...base, ...older], [v1, v2], { s4: 'failed' });
    expect(newerEvidence(inputOf(map, three))).toEqual([]);
  });
});
