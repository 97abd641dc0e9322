/**
 * @module plaintext: a source of a file's bytes that can be read at any place, more than once.
 *
 * Encoding reads everything twice (once to hash, once to send), so a source must not change. A
 * source is the caller's: whoever reads one does so by {@link readExactly}.
 */
import { isBytes } from '../bytes.ts';
import { BadSourceError, SourceChangedError } from '../errors.ts';

/** Contents of one's own making, which are read piece by piece, and some of them twice. */
export interface Plaintext {
  /** Bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on, all within `size`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * What `source` gives for a range, if that is what it promised.
 * @throws SourceChangedError when it gives fewer bytes, or more
 * @throws BadSourceError when it gives something else
 */
export async function readExactly(
  source: Plaintext,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const bytes: unknown = await source.read(offset, length);
  if (!isBytes(bytes)) throw new BadSourceError('contents', 'what was read is no Uint8Array');
  if (bytes.length === length) return bytes;
  const facts = { offset, wanted: length, got: bytes.length };
  const what = `${bytes.length} bytes at offset ${offset}, not ${length}`;
  throw new SourceChangedError(what, facts);
}

/** A source over bytes in memory, which are not copied. */
export function plaintextOf(bytes: Uint8Array): Plaintext {
  return {
    size: bytes.length,
    read: async (offset, length) => {
      try {
        return bytes.subarray(offset, offset + length);
      } catch {
        // Their memory was given away, or made shorter: it gives what is left.
        return new Uint8Array(0);
      }
    },
  };
}

/** One source after the other; one alone is not copied. */
export function joinPlaintexts(...sources: readonly Plaintext[]): Plaintext {
  const [only] = sources;
  if (only !== undefined && sources.length === 1) return only;
  const size = sources.reduce((sum, source) => sum + source.size, 0);
  return {
    size,
    async read(offset, length) {
      const out = new Uint8Array(length);
      let start = 0;
      for (const source of sources) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + length, start + source.size);
        if (from < to) out.set(await readExactly(source, from - start, to - from), from - offset);
        start += source.size;
      }
      return out;
    },
  };
}
