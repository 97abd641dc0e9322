/**
 * @module property: what a property is: a sentence, and a judge of a trace.
 */
import type { RunFacts } from './facts.ts';
import type { TraceRecord } from './world-types.ts';

/** It looks like a violation, and a trace cannot tell whether it is one. */
export interface Doubt {
  readonly doubt: string;
}

/** Why `record`, seen after `facts` have learnt it, breaks a property; nothing when it does not. */
export type Judge = (record: TraceRecord, facts: RunFacts) => string | undefined;
/** The same of a real run. */
export type RealJudge = (record: TraceRecord, facts: RunFacts) => string | Doubt | undefined;

/**
 * What a judge has to know. What the charts did is in every trace; the rest only a world records,
 * for in a real run nobody sees it.
 */
export type Need = 'charts' | keyof typeof unseen;

/** Why a real run cannot be judged. */
export const unseen = {
  disks: 'what the servers hold, and what befalls their disks, is in no trace of a real run',
  contents: 'a trace of a real run holds nothing of what files contain',
  others: 'who else writes the file is in no trace of a real run',
  lies: 'whether a server has lied is in no trace of a real run',
} as const;

/** A property as it is written. */
export interface PropertyDefinition {
  /** `U1` */
  readonly id: string;
  /** In a few words. */
  readonly name: string;
  /** One sentence. */
  readonly statement: string;
  /** Of {@link judge}. */
  readonly needs: Need;
  /** A judge for one trace, with a memory of its own. */
  readonly judge: () => Judge;
  /**
   * A judge of real runs: it decides the same from what the charts and the servers say. Unless
   * given, the other one, if it needs no more than charts.
   */
  readonly judgeReal?: () => RealJudge;
}
