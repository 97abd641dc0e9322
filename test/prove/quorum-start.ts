/**
 * @module quorum-start: which versions servers hold before anybody of an exploration writes.
 */
import type { QuorumModel } from './quorum-model.ts';
import { type Mark, none } from './quorum-parts.ts';

/**
 * The newest version that is there at first; all up to it are built on one another. Where servers
 * are stale, they hold what two more were built on, the second of which is the newest. What the
 * first of them was built on, and what it lacks, is on no server.
 */
export function newestAtFirst({ stale }: QuorumModel): Mark {
  return stale > 0 ? 3 : 0;
}

/**
 * Of each server: one share of each number, dealt to the servers in turn. Where these would be too
 * few to acknowledge the newest version, every server has one.
 */
export function marksAtFirst(model: QuorumModel): readonly (readonly Mark[])[] {
  const { servers, total, size, lost, stale } = model;
  const newest = newestAtFirst(model);
  return Array.from({ length: servers }, (_, i) =>
    Array.from({ length: total }, (_, n) => {
      const isThere = n % servers === i || (total < size && i % total === n);
      const mark = i < servers - stale ? newest : newest - 2;
      return isThere && n < total - lost ? mark : none;
    }),
  );
}
