/**
 * @module unwatched: which server stands behind one whose calls are recorded.
 */
import type { ReadableShares } from '../storage/server.ts';

/** What stands behind a watched server, or behind its immutable shares. */
const behind = new WeakMap<ReadableShares, ReadableShares>();

export function standsBehind(watched: ReadableShares, shares: ReadableShares): void {
  behind.set(watched, shares);
}

/** The same for everybody who watches it, and itself where nobody does. */
export function unwatched(shares: ReadableShares): ReadableShares {
  return behind.get(shares) ?? shares;
}
