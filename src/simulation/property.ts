/**
 * @module property: what a property is: a sentence, and a judge of a trace.
 */
import type { Facts } from './facts.ts';
import type { TraceRecord } from './world-types.ts';

/** Why `record`, seen after `facts` have learnt it, breaks a property; nothing when it does not. */
export type Judge = (record: TraceRecord, facts: Facts) => string | undefined;

/** A property as it is written. */
export interface PropertyDefinition {
  /** `U1` */
  readonly id: string;
  /** In a few words. */
  readonly name: string;
  /** One sentence. */
  readonly statement: string;
  /** A judge for one trace, with a memory of its own. */
  readonly judge: () => Judge;
}
