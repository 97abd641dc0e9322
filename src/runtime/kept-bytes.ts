/**
 * @module kept-bytes: contents that an operation has read for its own use, by the range that it
 * asked for.
 */
import type { Span } from '../../machines/rewrite.ts';
import type { Bytes } from '../bytes.ts';
import { Gathered } from './gathered.ts';

export class KeptBytes {
  readonly #ranges = new Map<string, { readonly range: Span; readonly bytes: Gathered }>();

  /** Adds the bytes of `range` from `at` on. At its beginning, what was kept of it is forgotten. */
  add(range: Span, at: number, bytes: Bytes): void {
    this.#of(range, at).add(bytes);
  }

  /** Where so many bytes of `range` from `at` on can be put before they are added, if anywhere. */
  roomFor(range: Span, at: number, length: number): Bytes | undefined {
    return this.#of(range, at).roomFor(length);
  }

  #of(range: Span, at: number): Gathered {
    const key = `${range.from}-${range.to}`;
    const known = this.#ranges.get(key);
    if (known !== undefined && (at > range.from || known.bytes.length === 0)) return known.bytes;
    const bytes = new Gathered(range.to - range.from);
    this.#ranges.set(key, { range, bytes });
    return bytes;
  }

  /** A part of one of the ranges that have been read. */
  cut({ from, to }: Span): Bytes {
    for (const { range, bytes } of this.#ranges.values()) {
      if (range.from > from || to > range.to) continue;
      return bytes.whole().subarray(from - range.from, to - range.from);
    }
    throw new Error(`bytes ${from} to ${to} have not been read`);
  }

  /** The bytes of the only range that was read; no bytes if none was. */
  whole(): Bytes {
    const [kept] = this.#ranges.values();
    return kept?.bytes.whole() ?? new Uint8Array(0);
  }
}
