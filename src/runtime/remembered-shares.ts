/**
 * @module remembered-shares: bytes that shares are known to have, as they were read or written.
 *
 * A change in place needs old bytes around the new ones, and a file is often changed again where it
 * was changed before. Whatever comes out of here is led to the signed root as if a server had sent it.
 */
import type { Place } from '../../machines/servermap.ts';
import type { ByteRange } from '../storage/server.ts';
import { placeName } from './place-name.ts';

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Of all shares of a file; with more, nothing is remembered. */
const bytesMax = 2 ** 22;

export class RememberedShares {
  /** Of each share, pieces that do not overlap. */
  readonly #pieces = new Map<string, readonly Piece[]>();
  #size = 0;

  /** Whether it is not too much to keep. */
  get isWorthIt(): boolean {
    return this.#size <= bytesMax;
  }

  /** Notes what a share has at `offset` now. @param bytes they must stay as they are */
  add(place: Place, offset: number, bytes: Uint8Array): void {
    if (!this.isWorthIt) return;
    const before = this.#pieces.get(placeName(place)) ?? [];
    const rest = before.flatMap((piece) => aroundOf(piece, offset, offset + bytes.length));
    const pieces = [...rest, { offset, bytes }];
    this.#pieces.set(placeName(place), pieces);
    this.#size += sizeOf(pieces) - sizeOf(before);
    if (!this.isWorthIt) this.#pieces.clear();
  }

  /** The bytes of `range`, if each of them is known. */
  cut(place: Place, { offset, length }: ByteRange): Uint8Array | undefined {
    const pieces = this.#pieces.get(placeName(place)) ?? [];
    const out = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const from = offset + at;
      const piece = pieces.find(
        (one) => one.offset <= from && from < one.offset + one.bytes.length,
      );
      if (piece === undefined) return undefined;
      const part = piece.bytes.subarray(from - piece.offset).subarray(0, length - at);
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** What is left of a piece without the bytes from `from` up to `to`. */
function aroundOf({ offset, bytes }: Piece, from: number, to: number): readonly Piece[] {
  const before = { offset, bytes: bytes.subarray(0, Math.max(0, from - offset)) };
  const skipped = Math.max(0, to - offset);
  const after = { offset: offset + skipped, bytes: bytes.subarray(skipped) };
  if (to <= offset) return [after];
  return [before, after].filter((piece) => piece.bytes.length > 0);
}
