/**
 * @module limits: how much one share can make its reader ask for, and keep, at once.
 *
 * What of a whole version is too much is in `machines/limits.ts`.
 */
import { beyondMemory } from '../../machines/limits.ts';
import { BeyondLimitError } from '../errors.ts';

/** Bytes of one request: what is longer is asked for piece by piece, while pieces come whole. */
export const requestLengthMax = 2 ** 22;
/** Bytes of a block hash tree that is read whole: of 2048 segments, 256 MiB in Tahoe's. */
export const wholeTreeMax = 2 ** 17;
/** Nodes that are read at once of a larger one. */
export const pageNodes = 512;
/** Bytes of the block hash trees, all N of them, that a change in place may need in memory. */
export const updateTreesMax = 2 ** 28;

/** @throws BeyondLimitError when this many bytes of contents are wanted in one array */
export function requireInMemory(length: number): void {
  const beyond = beyondMemory(length);
  if (beyond !== null) throw new BeyondLimitError(beyond.what, beyond.value, beyond.max);
}
