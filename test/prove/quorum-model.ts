/**
 * @module quorum-model: what an exploration of several writers over a quorum is about.
 */
import type { apply, decide, firstRequests, start } from '../../machines/publish-kernel.ts';
import type { chooseBase, chooseForReader, isReplaceable } from '../../machines/quorum.ts';
import type * as repair from '../../machines/repair-kernel.ts';

export interface QuorumModel {
  /** S. */
  readonly servers: number;
  /** k. */
  readonly required: number;
  /** N. */
  readonly total: number;
  /** Shares of the first version that have gone since, the last ones. */
  readonly lost: number;
  /** Servers, the last ones, that have missed the last two versions. */
  readonly stale: number;
  /** W. */
  readonly size: number;
  readonly writers: number;
  /** How often each writer tries. */
  readonly attempts: number;
  /** How many of the writers repair: the last ones. */
  readonly repairs: number;
  /** Readers that ask server by server, beside the writers, who read when they look. */
  readonly readers: number;
  /** Whose versions name their parents. */
  readonly parents: 'all' | 'some' | 'none';
  /** Whether an answer is a step of its own, after the request has come to its server. */
  readonly late: boolean;
  /** Whether a writer may learn that a request is lost, and go on without it. */
  readonly givesUp: boolean;
  /** Whether steps are left out that others cover (`quorum-cover.ts`): of one share on each server. */
  readonly covers: boolean;
  /** Whether a writer is told what its requests have found only when it matters (`quorum-defer.ts`). */
  readonly defers: boolean;
  /** Whether a new version may be any in the order of those with its number, or the newest. */
  readonly ties: 'any' | 'newest';
  /** Whether a writer may begin its next attempt, or its next write, from what its last one left. */
  readonly remembers: boolean;
  /** Shares that may rot, with their heads legible. */
  readonly rots: number;
  /** d: how often, and for how many servers, a disk may lose shares, or go back to older ones. */
  readonly losable: number;
  /**
   * What a request tests, and what a re-read after a lost answer looks at: the whole server, or
   * only the shares that were written.
   */
  readonly tests: 'server' | 'shares';
}

/** The shipped functions that lead a writer and a reader. */
export interface Kernels {
  readonly start: typeof start;
  readonly decide: typeof decide;
  readonly apply: typeof apply;
  readonly firstRequests: typeof firstRequests;
  readonly chooseBase: typeof chooseBase;
  readonly chooseForReader: typeof chooseForReader;
  readonly isReplaceable: typeof isReplaceable;
  readonly repair: Pick<typeof repair, 'start' | 'decide' | 'apply'>;
}

/** What a command line says of a model. */
export interface QuorumSize {
  readonly servers: number;
  readonly required: number;
  readonly size: number;
  readonly writers: number;
  readonly attempts: number;
  readonly total?: number | undefined;
  readonly losable?: number | undefined;
}

/**
 * The model of a size, in full unless `more` says otherwise. N where nobody says: with k = 1 any
 * share is the file, so one number is enough, and servers are alike. With more, every server has a
 * number of its own.
 */
export function modelOf(size: QuorumSize, more: Partial<QuorumModel> = {}): QuorumModel {
  const { servers, required, total, losable = 0 } = size;
  return {
    ...size,
    total: total ?? (required === 1 ? 1 : Math.max(servers, required)),
    ...{
      lost: 0,
      stale: 0,
      repairs: 0,
      readers: 0,
      rots: 0,
      losable,
      covers: false,
      defers: false,
      remembers: false,
    },
    ...{ parents: 'all', late: true, givesUp: true, ties: 'any', tests: 'server' },
    ...more,
  };
}

/**
 * What may be met in some world.
 *
 * - `chain`: two versions won W servers, and neither contains the other
 * - `lost`: a base without a version that had been acknowledged before its writer began to look
 * - `hidden`: the same of what a reader is given
 * - `unreadable`: no version that contains all that was acknowledged has k shares
 * - `needless`: a repair is about to write over a good share of the version that it repairs, or to
 *   make a new one where nothing but that version is there
 */
export type Violation = 'chain' | 'lost' | 'hidden' | 'unreadable' | 'needless';

/**
 * How many attempts may be half way at once until what is acknowledged may become unreadable: each
 * takes up to k - 1 shares of a base that is there in full, before it goes beside the rest. With
 * N < 2k - 1 none, for the next one may find no free place; a first one does.
 */
export function deathsAllowed(model: QuorumModel): number {
  const { required, total, writers, attempts } = model;
  if (required === 1) return Number.POSITIVE_INFINITY;
  const isAlone = writers * attempts === 1;
  return Math.max(isAlone ? 1 : 0, Math.floor((total - required) / (required - 1)));
}
