/**
 * @module judgement-parts: a judgement in the order in which one wants to know it: what is violated,
 * what cannot be decided and why, what holds. No run-time import: the page has it from the start.
 */
import type { TraceJudgement, TraceVerdict } from './judge-trace.ts';

export type JudgedProperty = TraceJudgement['properties'][number];
export type ViolatedProperty = JudgedProperty & {
  readonly verdict: Extract<TraceVerdict, { kind: 'violated' }>;
};

export interface JudgementParts {
  /** Those that hold, and those that are violated. */
  readonly decided: number;
  /** `all hold`, `2 violated`, `none` */
  readonly outcome: string;
  /** In the order of their records. */
  readonly violated: readonly ViolatedProperty[];
  /** By reason. */
  readonly undecided: ReadonlyMap<string, readonly JudgedProperty[]>;
  readonly holds: readonly JudgedProperty[];
}

export function partsOf({ properties }: TraceJudgement): JudgementParts {
  const violated: ViolatedProperty[] = [];
  const undecided = new Map<string, JudgedProperty[]>();
  const holds: JudgedProperty[] = [];
  for (const property of properties) {
    const { verdict } = property;
    if (verdict.kind === 'violated') violated.push({ ...property, verdict });
    else if (verdict.kind === 'holds') holds.push(property);
    else undecided.set(verdict.because, [...(undecided.get(verdict.because) ?? []), property]);
  }
  violated.sort((a, b) => a.verdict.seq - b.verdict.seq);
  const decided = violated.length + holds.length;
  const broken = violated.length === 0 ? 'all hold' : `${violated.length} violated`;
  return { decided, outcome: decided === 0 ? 'none' : broken, violated, undecided, holds };
}
