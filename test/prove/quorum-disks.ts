/**
 * @module quorum-disks: what may become of a row without anybody writing it.
 */
import type { QuorumCast } from './quorum-cast.ts';
import { type Mark, none } from './quorum-parts.ts';
import type { Told } from './quorum-step.ts';

/** What a disk makes of a row. */
export interface Spoilt {
  readonly row: readonly Mark[];
  readonly told: Told;
}

/** Any share rots. */
export function rotsOf(cast: QuorumCast, row: readonly Mark[]): readonly Spoilt[] {
  return row.flatMap((mark, n): readonly Spoilt[] => {
    if (mark === none || cast.isRotten(mark)) return [];
    const told: Told = (name) => [`share ${n} of ${name.mark(mark)} rots on`];
    return [{ row: row.with(n, cast.rotten(mark)), told }];
  });
}

/** All shares are lost that are newer than one of `olds`, or they are of that one again. */
export function lossesOf(
  cast: QuorumCast,
  row: readonly Mark[],
  olds: readonly Mark[],
): readonly Spoilt[] {
  return olds.flatMap((old): readonly Spoilt[] => {
    const isNewer = (mark: Mark) =>
      mark !== none && (old === none || cast.made(mark).order > cast.made(old).order);
    if (!row.some(isNewer)) return [];
    const past = row.map((mark) => (isNewer(mark) ? old : mark));
    const told: Told = (name) => [`a disk goes back to ${name.row(cast.rowId(past))} on`];
    return [{ row: past, told }];
  });
}
