/**
 * @module plaintext: a source of a file's bytes that can be read at any place, more than once.
 *
 * Encoding reads everything twice (once to hash, once to send), so a source must not change.
 */

export interface Plaintext {
  /** Bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on, all within `size`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A source over bytes in memory, which are not copied. */
export function plaintextOf(bytes: Uint8Array): Plaintext {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** One source after the other. */
export function joinPlaintexts(...sources: readonly Plaintext[]): Plaintext {
  const size = sources.reduce((sum, source) => sum + source.size, 0);
  return {
    size,
    async read(offset, length) {
      const out = new Uint8Array(length);
      let start = 0;
      for (const source of sources) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + length, start + source.size);
        if (from < to) out.set(await source.read(from - start, to - from), from - offset);
        start += source.size;
      }
      return out;
    },
  };
}
