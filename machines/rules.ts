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

/** @param epsilon how many servers without shares make a boundary: k */
export function findBoundary(
  statuses: readonly ServerStatus[],
  epsilon: number,
  rule: Rule,
): Boundary {
  let sharesSeen = false;
  let emptyRun = 0;
  let found: Boundary = 'settled';
  for (const status of statuses) {
    if (status === 'empty') {
      if (sharesSeen && ++emptyRun >= epsilon) return found;
    } else if (status === 'good' || (status === 'verifying' && rule === 'ticket')) {
      sharesSeen = true;
      emptyRun = 0;
    } else if (status !== 'failed' && status !== 'corrupt') {
      // A failed or corrupt server says nothing either way: it neither resets nor advances the run.
      found = 'open';
    }
  }
  return 'none';
}
