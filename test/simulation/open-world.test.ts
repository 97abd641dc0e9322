/**
 * What a judge of real runs looks at: a program may have written a file a thousand times.
 */
import { expect, test } from 'vitest';
import { emptyFacts, type OperationFact } from '../../src/simulation/facts.ts';
import { lostUpdateIn } from '../../src/simulation/open-world.ts';
import type { TraceRecord } from '../../src/simulation/world-types.ts';

class CountingMap<K, V> extends Map<K, V> {
  asked = 0;
  override get(key: K): V | undefined {
    this.asked++;
    return super.get(key);
  }
}

const nameOf = (seqnum: number) => `v${seqnum}-${seqnum.toString(16).padStart(8, '0')}`;

/** An acknowledged write of one version, which began when the one before had ended. */
function writeOf(seqnum: number): OperationFact {
  const version = { checkstring: nameOf(seqnum) };
  const output = { kind: 'published', seqnum, quorum: 2, version, writes: [] };
  const charts = [{ chart: 'publish', parent: null, output, input: { map: null } }];
  const times = { startedSeq: 2 * seqnum, endedSeq: 2 * seqnum + 1 };
  return { ...times, result: { ok: true }, charts } as unknown as OperationFact;
}

test('what a version was built on is gone along once, however many were acknowledged', () => {
  const count = 200;
  const bases = new CountingMap<string, string | null>();
  const operations = new Map<string, OperationFact>();
  for (let seqnum = 1; seqnum <= count; seqnum++) {
    bases.set(nameOf(seqnum), seqnum === 1 ? null : nameOf(seqnum - 1));
    operations.set(`modify~${seqnum}`, writeOf(seqnum));
  }
  const quorums = { servers: 3, size: 2, isForced: false };
  const facts = { ...emptyFacts(), isReal: true, bases, operations, quorums };
  const operation = `modify~${count}`;
  const record = { kind: 'operation', event: 'ended', operation } as TraceRecord;
  expect(lostUpdateIn(record, facts)).toBeUndefined();
  expect(bases.asked).toBe(count);
  // And it is found at the first of them that is not there.
  bases.set(nameOf(2), null);
  expect(lostUpdateIn(record, facts)).toBe(`${nameOf(count)} ignores ${nameOf(1)}`);
});
