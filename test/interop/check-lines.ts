/**
 * @module check-lines: what a deep check says of each object, for two clients to be compared.
 */
import type { WalkLine } from './real-grid.ts';

/** The results of every object, by its path. */
export const checkedBy = (lines: readonly WalkLine[]) =>
  lines.flatMap(({ path, 'check-results': check }) =>
    path === undefined ? [] : [[path, sorted(check?.results)]],
  );

/** Without the order in which servers happened to answer. */
export function sorted(results: object | undefined): unknown {
  return JSON.parse(JSON.stringify(results ?? null), (_, value) =>
    Array.isArray(value) ? value.map((it) => JSON.stringify(it)).sort() : value,
  );
}
