/**
 * @module rules: when a write-mode servermap update has seen enough: the boundary walk.
 *
 * The permuted list is walked left to right; after k servers without shares, counted since the
 * last one with shares, nothing further right is expected to hold any (`servermap.py`
 * `_check_for_done`). Three rules differ in one question: what does a server count as while its
 * shares are being verified?
 *
 * - `ours`: nothing is over while anything is being verified, anywhere.
 * - `fix2015` (Tahoe since db12f1c): it is unknown, but only if the walk comes past it.
 * - `ticket` (Tahoe when #2034 was filed): it has shares. So the walk ends, the update with it,
 *   and the shares in verification are thrown away.
 *
 * The historic two are kept to show what they do; nothing but demonstrations and tests uses them.
 */
import type { ServerStatus } from './servermap.ts';

/** By which rule a map decides that it is done: ours, or one of Tahoe's. */
export type Rule = 'ours' | 'fix2015' | 'ticket';

/** Whether an update under `rule` may end while a share is being verified. */
export function mayEndWhileVerifying(rule: Rule): boolean {
  return rule !== 'ours';
}

/**
 * What the walk finds.
 *
 * - `settled`: a boundary, and every server left of it is settled
 * - `open`: a boundary, and somebody left of it is not settled: the answers under way decide
 * - `none`: no boundary among the servers asked so far
 */
export type Boundary = 'settled' | 'open' | 'none';

/** What the walk knows after some servers. */
export interface Walk {
  /** Servers without shares since the last one with shares; -1 before there was one. */
  readonly emptyRun: number;
  /** Whether somebody that was passed is not settled. */
  readonly isOpen: boolean;
}

/** Before the first server. */
export const walkStart: Walk = { emptyRun: -1, isOpen: false };

/** The walk after one more server. */
export function walkOn(walk: Walk, status: ServerStatus, rule: Rule): Walk {
  const { emptyRun, isOpen } = walk;
  if (status === 'empty') return emptyRun < 0 ? walk : { emptyRun: emptyRun + 1, isOpen };
  if (status === 'good' || (status === 'verifying' && rule === 'ticket')) {
    return { emptyRun: 0, isOpen };
  }
  // A failed or corrupt server says nothing either way: it neither resets nor advances the run.
  if (status === 'failed' || status === 'corrupt') return walk;
  return { emptyRun, isOpen: true };
}

/** @param epsilon how many servers without shares make a boundary: k */
export function findBoundary(
  statuses: readonly ServerStatus[],
  epsilon: number,
  rule: Rule,
): Boundary {
  let walk = walkStart;
  for (const status of statuses) {
    walk = walkOn(walk, status, rule);
    if (walk.emptyRun >= epsilon) return walk.isOpen ? 'open' : 'settled';
  }
  return 'none';
}
