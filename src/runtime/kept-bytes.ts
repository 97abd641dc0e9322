/**
 * @module kept-bytes: contents that an operation has read for its own use, by the range that it
 * asked for.
 */
import type { Span } from '../../machines/rewrite.ts';
import { Gathered } from './gathered.ts';

export class KeptBytes {
  readonly #ranges = new Map<string, { readonly range: Span; bytes: Gathered }>();

  /** Adds the bytes of `range` from `at` on. At its beginning, what was kept of it is forgotten. */
  add(range: Span, at: number, bytes: Uint8Array): void {
    const key = `${range.from}-${range.to}`;
    const known = this.#ranges.get(key);
    const kept = known !== undefined && at > range.from ? known : { range, bytes: new Gathered() };
    this.#ranges.set(key, kept);
    kept.bytes.add(bytes);
  }

  /** A part of one of the ranges that have been read. */
  cut({ from, to }: Span): Uint8Array {
    for (const { range, bytes } of this.#ranges.values()) {
      if (range.from > from || to > range.to) continue;
      return bytes.whole().subarray(from - range.from, to - range.from);
    }
    throw new Error(`bytes ${from} to ${to} have not been read`);
  }

  /** The bytes of the only range that was read; no bytes if none was. */
  whole(): Uint8Array {
    const [kept] = this.#ranges.values();
    return kept?.bytes.whole() ?? new Uint8Array(0);
  }
}
