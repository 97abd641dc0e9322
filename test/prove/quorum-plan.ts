/**
 * @module quorum-plan: which sizes of writers over a quorum `npm run prove` goes through.
 */
import { modelOf, type QuorumModel, type QuorumSize } from './quorum-model.ts';

/** A model, and how many states of it are worth waiting for. */
export interface Planned {
  readonly model: QuorumModel;
  readonly limit: number;
}

/**
 * Of more than one number: without answers that come late, without writers that learn that a
 * request is lost, and with new versions that are the newest of their number. With k > 1 that leaves
 * something out: docs/testing.md says what.
 */
export const lean = { late: false, givesUp: false, ties: 'newest' } as const;

/** The same, less what comes to nothing else. */
export const deferring = { ...lean, defers: true } as const;

/** Of one number, and no disk that is lost: all but what is covered by something else. */
export const covering = { covers: true, late: false, givesUp: false } as const;

/** What `--lean` is, of this size. */
export function leanOf(
  size: QuorumSize,
  { remembers, repairs }: Pick<QuorumModel, 'remembers' | 'repairs'>,
): Partial<QuorumModel> {
  const { total, losable } = modelOf(size);
  if (remembers || losable > 0) return lean;
  return total === 1 && repairs === 0 ? covering : deferring;
}

function planned(
  [servers, required, size, writers, attempts]: readonly [number, number, number, number, number],
  more: Partial<QuorumModel> = {},
  limit = 3_000_000,
): Planned {
  return { model: modelOf({ servers, required, size, writers, attempts }, more), limit };
}

export const quorumPerCommit: readonly Planned[] = [
  planned([3, 1, 2, 2, 1]),
  planned([3, 1, 2, 2, 1], { readers: 1 }),
  planned([3, 1, 2, 2, 1], { parents: 'none' }),
  planned([3, 1, 2, 2, 1], { stale: 1 }),
  planned([4, 1, 3, 2, 1]),
  planned([3, 1, 2, 1, 3]),
  planned([3, 2, 2, 2, 1], deferring),
  planned([3, 2, 2, 3, 1], deferring),
  planned([3, 2, 2, 2, 2], { ...deferring, total: 2 }),
  planned([3, 2, 2, 1, 2], { lost: 1 }),
  planned([3, 1, 3, 2, 1], { losable: 1 }),
  planned([3, 1, 2, 2, 2], covering),
  planned([3, 1, 3, 2, 2], covering),
  planned([3, 1, 2, 3, 1], covering),
  planned([4, 1, 3, 3, 1], covering),
  planned([3, 1, 2, 2, 2], { ...lean, remembers: true }),
  planned([3, 1, 2, 1, 3], { remembers: true }),
  planned([3, 1, 2, 2, 1], { total: 2, repairs: 1 }),
  planned([3, 1, 2, 2, 1], { total: 2, repairs: 1, parents: 'none' }),
  planned([3, 1, 2, 2, 1], { total: 2, repairs: 1, rots: 1 }),
  planned([3, 2, 2, 2, 1], { repairs: 1, lost: 1 }),
  planned([3, 2, 2, 2, 1], { repairs: 2, lost: 1 }),
];

export const quorumFull: readonly Planned[] = [
  planned([4, 1, 3, 2, 2], covering),
  planned([4, 1, 4, 2, 2], covering),
  planned([5, 1, 3, 2, 2], covering),
  planned([3, 1, 2, 2, 3], covering),
  planned([3, 1, 2, 2, 2], {}, 20_000_000),
  planned([3, 1, 2, 2, 2], { ...lean, stale: 1 }),
  planned([3, 1, 2, 2, 2], { ...lean, stale: 1, parents: 'some' }),
  planned([4, 1, 3, 2, 1], { losable: 1 }, 4_000_000),
  planned([3, 1, 2, 3, 1], { total: 2, repairs: 1 }, 20_000_000),
  planned([3, 1, 2, 2, 2], { ...deferring, total: 2, repairs: 1 }),
  planned([3, 1, 3, 2, 1], { total: 3, repairs: 1, losable: 1 }),
  planned([4, 1, 3, 2, 1], { total: 3, repairs: 1 }),
  planned([3, 2, 2, 2, 1], { repairs: 1, rots: 1 }, 20_000_000),
  planned([4, 2, 3, 2, 1], { ...deferring, repairs: 1 }),
  planned([3, 2, 3, 2, 2], { ...deferring, total: 2 }),
  planned([3, 2, 2, 2, 2], deferring),
  planned([3, 2, 3, 2, 2], deferring, 40_000_000),
  planned([4, 2, 3, 3, 1], { ...deferring, total: 2 }),
];
