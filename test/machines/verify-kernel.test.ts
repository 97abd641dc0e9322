import { describe, expect, test } from 'vitest';
import { segmentSizeMax } from '../../machines/limits.ts';
import type { ShareSource } from '../../machines/retrieve-kernel.ts';
import {
  apply,
  decide,
  isWhole,
  missingIn,
  start,
  verificationOf,
} from '../../machines/verify-kernel.ts';
import { bad, goodAt, unverified, versionOf } from '../support/facts.ts';
import { corruptSource, emptyMap, mapWith, retrieved } from '../support/operations.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const map = mapWith(v1);
const failure = { kind: 'internal', detail: 'x' } as const;
const usable = (n: number): ShareSource => ({
  server: `s${n}`,
  shnum: n,
  status: 'usable',
  failure: null,
});
const all = [0, 1, 2].map(usable);
const good = all.map(({ server, shnum }) => ({ server, shnum }));

describe('what comes next', () => {
  test('a map of everybody, then a look at every share of the best version', () => {
    expect(decide(start)).toEqual({ kind: 'map' });
    const mapped = apply(start, { type: 'mapped', map });
    expect(decide(mapped)).toEqual({ kind: 'verify', map, version: v1 });
    const report = retrieved('delivered', { sources: all });
    const verification = verificationOf(map, v1, report);
    expect(decide(apply(mapped, { type: 'verified', report }))).toEqual({
      kind: 'verified',
      verification,
    });
  });

  test('nothing where no version can be read', () => {
    expect(decide(apply(start, { type: 'mapped', map: emptyMap }))).toEqual({
      kind: 'unrecoverable',
      map: emptyMap,
    });
  });

  test('nothing where the version cannot be decoded', () => {
    const huge = { ...v1, dataLength: 2 ** 40, segmentSize: 2 ** 30 };
    const beyond = { what: 'segment size of version 1', value: 2 ** 30, max: segmentSizeMax };
    expect(decide(apply(start, { type: 'mapped', map: mapWith(huge) }))).toEqual({
      kind: 'beyondLimit',
      beyond,
    });
  });

  test('that no share is good is a finding; a bug is a failure', () => {
    const mapped = apply(start, { type: 'mapped', map });
    const ending = (report: ReturnType<typeof retrieved>) =>
      decide(apply(mapped, { type: 'verified', report }));
    expect(ending(retrieved('notEnoughShares')).kind).toBe('verified');
    expect(ending(retrieved('internal', { failure }))).toEqual({ kind: 'failed', failure });
    expect(ending(retrieved('cancelled'))).toEqual({
      kind: 'failed',
      failure: { kind: 'internal', detail: 'cancelled' },
    });
    expect(decide(apply(mapped, { type: 'failed', failure }))).toEqual({ kind: 'failed', failure });
  });
});

describe('the finding', () => {
  test('is healthy when all N shares of the one version are good', () => {
    expect(verificationOf(map, v1, retrieved('delivered', { sources: all }))).toEqual({
      map,
      stale: [],
      seqnum: 1,
      good,
      bad: [],
      isHealthy: true,
    });
  });

  test('tells of old shares that were left behind', () => {
    const old = goodAt('s3', 0, v1);
    const both = { ...mapWith(v2), versions: { [v1.id]: v1, [v2.id]: v2 } };
    const known = { ...both, holdings: [...both.holdings, old] };
    expect(verificationOf(known, v2, retrieved('delivered', { sources: all }))).toEqual({
      map: known,
      stale: [{ server: 's3', shnum: 0, seqnum: 1 }],
      seqnum: 2,
      good,
      bad: [],
      isHealthy: false,
    });
  });

  test.each<[string, typeof map, readonly ShareSource[], readonly object[]]>([
    ['a share is missing', map, all.slice(1), []],
    [
      'a share is there twice, and another is not',
      map,
      [usable(0), usable(1), { ...usable(1), server: 's2' }],
      [],
    ],
    ['another version is seen', { ...map, versions: { ...map.versions, [v2.id]: v2 } }, all, []],
    [
      'a block is corrupt',
      map,
      [...all, corruptSource('s3', 0)],
      [{ server: 's3', shnum: 0, reason: 'a block' }],
    ],
    [
      'a share did not come',
      map,
      [...all, { ...usable(3), status: 'failed' }],
      [{ server: 's3', shnum: 3, reason: 'unknown', isUnread: true }],
    ],
    [
      'a header is bad',
      { ...map, holdings: [...map.holdings, { server: 's3', shnum: 1, verdict: bad() }] },
      all,
      [{ server: 's3', shnum: 1, reason: 'signature' }],
    ],
    [
      'a header is unverified',
      { ...map, holdings: [...map.holdings, { server: 's3', shnum: 1, verdict: unverified() }] },
      all,
      [{ server: 's3', shnum: 1, reason: 'timeout', isUnread: true }],
    ],
  ])('is not when %s', (_, known, sources, faults) => {
    const found = verificationOf(known, v1, retrieved('delivered', { sources }));
    expect([found.isHealthy, found.bad]).toEqual([false, faults]);
    const isGood = ({ status }: ShareSource) => status === 'usable';
    expect(found.good).toHaveLength(sources.filter(isGood).length);
  });
});

describe('by the map alone', () => {
  const beside = (verdict: ReturnType<typeof bad>) => {
    return { ...map, holdings: [...map.holdings, { server: 's3', shnum: 1, verdict }] };
  };

  test('a file is whole with all N shares of its one version, and nothing bad', () => {
    expect([isWhole(map), isWhole(mapWith(v1, [0, 1]))]).toEqual([true, false]);
    expect([isWhole(emptyMap), isWhole(mapWith(v1, [0]))]).toEqual([false, false]);
    expect([isWhole(beside(bad())), isWhole(beside(unverified()))]).toEqual([false, false]);
    expect(isWhole({ ...map, versions: { ...map.versions, [v2.id]: v2 } })).toBe(false);
  });

  test('the shares of the best version that are nowhere are missing', () => {
    expect([missingIn(map), missingIn(mapWith(v1, [0, 2]))]).toEqual([[], [1]]);
    expect([missingIn(emptyMap), missingIn(mapWith(v1, [0]))]).toEqual([[], []]);
  });
});
