import { describe, expect, test } from 'vitest';
import { segmentSizeMax } from '../../machines/limits.ts';
import type { ShareSource } from '../../machines/retrieve-kernel.ts';
import type { Holding, Servermap, Version } from '../../machines/servermap.ts';
import {
  apply,
  decide,
  findingIn,
  start,
  type VerifyImmutableRecord,
} from '../../machines/verify-immutable-kernel.ts';
import { bad, goodAt, mapOf, unverified, versionOf } from '../support/facts.ts';
import { corruptSource, mapWith, retrieved } from '../support/operations.ts';

const version: Version = { ...versionOf(0), format: 'chk' };
const map = mapWith(version);
const mapped = apply(start, { type: 'mapped', map });
const lookedAt = (sources: readonly ShareSource[], kind: 'delivered' | 'notEnoughShares') =>
  apply(mapped, { type: 'lookedAt', report: retrieved(kind, { sources }) });
const usable = (n: number): ShareSource => ({
  ...{ server: `s${n}`, shnum: n, status: 'usable', failure: null },
});
const unread: ShareSource = {
  ...{ server: 's2', shnum: 2, status: 'failed' },
  failure: { kind: 'timeout', detail: 'late' },
};
const verdicts = ({ map: seen }: VerifyImmutableRecord) =>
  seen?.holdings.map(({ verdict }) => verdict);
/** A share that was bad when it was first seen. */
const badAt = (server: string, shnum: number, reason: string): Holding => ({
  ...{ server, shnum },
  verdict: bad('', reason),
});
const goodVerdict = { kind: 'good', version: version.id };

describe('what comes next', () => {
  test('a map of everybody, a look at every share, and k of them encoded again', () => {
    expect(start).toEqual({ map: null, isLookedAt: false, isEncoded: false, failure: null });
    expect(decide(start)).toEqual({ kind: 'map' });
    expect(decide(mapped)).toEqual({ kind: 'look', map, version });
    const looked = lookedAt([0, 1, 2].map(usable), 'delivered');
    expect(decide(looked)).toEqual({ kind: 'encode', map, version });
    const report = retrieved('delivered', { sources: [0, 1, 2].map(usable) });
    const encoded = apply(looked, { type: 'encoded', report });
    expect(decide(encoded)).toEqual({ kind: 'verified', finding: findingIn(map) });
  });

  test('nothing where no good share is, or fewer than k were when all were looked at', () => {
    const none = mapOf(4, [], []);
    const finding = findingIn(none);
    expect(decide(apply(start, { type: 'mapped', map: none }))).toEqual({
      ...{ kind: 'verified', finding },
    });
    const one = mapWith(version, [0]);
    const seen = apply(start, { type: 'mapped', map: one });
    expect(decide(seen)).toEqual({ kind: 'look', map: one, version });
    const report = retrieved('delivered', { sources: [usable(0)] });
    expect(decide(apply(seen, { type: 'lookedAt', report }))).toEqual({
      ...{ kind: 'verified', finding: findingIn(one) },
    });
  });

  test('nothing of what is too large', () => {
    const huge = { ...version, dataLength: 2 ** 40, segmentSize: 2 ** 30 };
    const beyond = { what: 'segment size', value: 2 ** 30, max: segmentSizeMax };
    const record = apply(start, { type: 'mapped', map: mapWith(huge) });
    expect(decide(record)).toEqual({ kind: 'beyondLimit', beyond });
  });

  test('a bug ends it, whatever was found', () => {
    const failure = { kind: 'internal', detail: 'bug' } as const;
    for (const record of [start, mapped, lookedAt([usable(0)], 'delivered')]) {
      const broken = apply(record, { type: 'failed', failure });
      expect([broken, decide(broken)]).toEqual([
        { ...record, failure },
        { kind: 'failed', failure },
      ]);
    }
  });
});

describe('what comes of a look', () => {
  test('a share is bad for what it is, and unverified when it did not come', () => {
    const record = lookedAt([usable(0), corruptSource('s1', 1), unread], 'delivered');
    expect(verdicts(record)).toEqual([
      goodVerdict,
      { kind: 'bad', reason: 'a block', head: '' },
      { kind: 'unverified', reason: 'late' },
    ]);
    // One of two is left.
    const { finding } = decide(record) as { finding: object };
    expect(finding).toEqual({
      map: record.map,
      good: [{ server: 's0', shnum: 0 }],
      bad: [
        { server: 's1', shnum: 1, reason: 'a block' },
        { server: 's2', shnum: 2, reason: 'late', isUnread: true },
      ],
      ...{ stale: [], isHealthy: false, isRecoverable: false },
    });
  });

  test('a failure that nobody explains is told of', () => {
    const mute = { ...corruptSource('s1', 1), failure: null };
    expect(verdicts(lookedAt([usable(0), mute], 'notEnoughShares'))?.[1]).toEqual({
      ...{ kind: 'bad', reason: 'unknown', head: '' },
    });
  });

  test('the verdict on a copy is none on another', () => {
    const copies = mapOf(
      4,
      [0, 1, 3].map((n) => goodAt(`s${n}`, n === 3 ? 1 : n, version)),
      [version],
    );
    const looked = apply(apply(start, { type: 'mapped', map: copies }), {
      type: 'lookedAt',
      report: retrieved('delivered', { sources: [corruptSource('s3', 1)] }),
    });
    expect(verdicts(looked)?.map(({ kind }) => kind)).toEqual(['good', 'good', 'bad']);
    expect(decide(looked).kind).toBe('encode');
  });

  test('the verdict on a share is none on another one of its server', () => {
    const both = mapOf(
      4,
      [0, 1, 2].map((n) => goodAt('s0', n, version)),
      [version],
    );
    const looked = apply(apply(start, { type: 'mapped', map: both }), {
      type: 'lookedAt',
      report: retrieved('delivered', { sources: [usable(0), corruptSource('s0', 1)] }),
    });
    expect(verdicts(looked)?.map(({ kind }) => kind)).toEqual(['good', 'bad', 'good']);
  });

  test('what was bad before keeps its reason, whatever is decoded', () => {
    const one = { ...map, holdings: [...map.holdings, badAt('s3', 3, 'cut')] };
    const failure = { kind: 'corrupt', detail: 'segment 0' } as const;
    const record = apply(
      { ...apply(start, { type: 'mapped', map: one }), isLookedAt: true },
      { type: 'encoded', report: retrieved('internal', { failure }) },
    );
    const reasons = findingIn(record.map as Servermap).bad.map(({ reason }) => reason);
    expect(reasons).toEqual(['segment 0', 'segment 0', 'segment 0', 'cut']);
    expect(decide(record).kind).toBe('verified');
  });

  test('any other failure is one of the look, and says no more of shares', () => {
    const failure = { kind: 'internal', detail: 'bug' } as const;
    for (const type of ['lookedAt', 'encoded'] as const) {
      const record = apply(mapped, { type, report: retrieved('internal', { failure }) });
      expect([record.map, decide(record)]).toEqual([map, { kind: 'failed', failure }]);
    }
    const cancelled = apply(mapped, { type: 'encoded', report: retrieved('cancelled') });
    const why = { kind: 'internal', detail: 'cancelled' };
    expect(decide(cancelled)).toEqual({ kind: 'failed', failure: why });
  });

  test('shares that fail when they are read again are told of, too', () => {
    const record = apply(
      { ...mapped, isLookedAt: true },
      { type: 'encoded', report: retrieved('delivered', { sources: [corruptSource('s0', 0)] }) },
    );
    const { isHealthy, isRecoverable } = findingIn(record.map as Servermap);
    expect([isHealthy, isRecoverable, decide(record).kind]).toEqual([false, true, 'verified']);
  });
});

describe('what servers say', () => {
  test('is a file when all N shares are there, each once or more, and none is bad', () => {
    const healthOf = (...holdings: Servermap['holdings']) =>
      findingIn(mapOf(4, holdings, [version])).isHealthy;
    const share = (n: number) => goodAt(`s${n}`, n, version);
    expect(healthOf(share(0), share(1), share(2))).toBe(true);
    expect(healthOf(share(0), share(1), share(2), goodAt('s3', 2, version))).toBe(true);
    expect(healthOf(share(0), share(1))).toBe(false);
    expect(healthOf(share(0), share(1), goodAt('s3', 1, version))).toBe(false);
    expect(healthOf(share(0), share(1), share(2), badAt('s3', 7, 'share number'))).toBe(false);
    const late = { server: 's3', shnum: 2, verdict: unverified('late') };
    expect(healthOf(share(0), share(1), share(2), late)).toBe(false);
  });

  test('with nothing good no version is known, so that k is not', () => {
    const none = mapOf(4, [badAt('s3', 7, 'share number')], []);
    const { isHealthy, isRecoverable } = findingIn(none);
    expect([isHealthy, isRecoverable]).toEqual([false, false]);
  });
});
