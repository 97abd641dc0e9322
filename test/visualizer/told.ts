/**
 * @module told: traces of real runs, made by hand.
 */
import type { TraceRecord } from '../../src/simulation/world-types.ts';

/** A kind of record and its fields; it may be what no run would tell. */
export type Told = readonly [kind: string, fields: object];

/** These, in a real run: one every ten milliseconds. */
export function records(told: readonly Told[], from = 0): readonly TraceRecord[] {
  return told.map(([kind, fields], i) => {
    const seq = from + i;
    return { kind, ...fields, seq, at: 10 * seq, step: 0 } as unknown as TraceRecord;
  });
}
