/**
 * @module wanted-range: which bytes of a file are wanted, and which of these there are.
 */
import type { Span } from './rewrite.ts';

/** What is wanted of a version. */
export interface WantedRange {
  /** Bytes before the first wanted one; the size of the file itself is an empty range. */
  readonly offset: number;
  /** Null: up to the end. */
  readonly length: number | null;
}

/** An offset beyond the end, and how far it may go. */
export interface Excess {
  /** Where the range was to begin, in bytes. */
  readonly offset: number;
  /** Bytes of contents: the last offset there is. */
  readonly size: number;
}

/** Which bytes of `size` are wanted, no more than there are; beyond the end there is no offset. */
export function resolveRange(
  { offset, length }: WantedRange,
  size: number,
): { readonly range: Span; readonly excess: Excess | null } {
  const from = Math.min(offset, size);
  const range = { from, to: from + Math.min(length ?? size, size - from) };
  return { range, excess: offset > size ? { offset, size } : null };
}
