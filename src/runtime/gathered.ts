/**
 * @module gathered: joins pieces of any number and length. Memory grows with the bytes that came,
 * not with the number of pieces: a piece of three bytes does not cost a hundred. What is known to
 * become of usual size gets its room at once, in which pieces can be made.
 */
import { type Bytes, concatBytes } from '../bytes.ts';
import { requireInMemory } from '../share/limits.ts';

/** Short pieces are copied into blocks of this many bytes; a piece as long is kept as it is. */
const chunkLength = 2 ** 16;
/** Bytes of room that are given before anything came. */
const roomMax = 2 ** 28;

export class Gathered {
  readonly #chunks: Bytes[] = [];
  #open: Bytes;
  #filled = 0;
  #length = 0;

  /** @param expected bytes, if that is known */
  constructor(expected = 0) {
    this.#open = new Uint8Array(expected <= roomMax ? expected : 0);
  }

  get length(): number {
    return this.#length;
  }

  /** Where the next piece, of this length, will be, if that is known. */
  roomFor(length: number): Bytes | undefined {
    const room = this.#open.subarray(this.#filled, this.#filled + length);
    return room.length === length ? room : undefined;
  }

  /** @throws BeyondLimitError when it becomes more than one array holds */
  add(piece: Bytes): void {
    this.#length += piece.length;
    requireInMemory(this.#length);
    const room = this.roomFor(piece.length);
    if (room !== undefined) {
      const isThere = room.buffer === piece.buffer && room.byteOffset === piece.byteOffset;
      if (!isThere) room.set(piece);
      this.#filled += piece.length;
      return;
    }
    this.#close();
    if (piece.length >= chunkLength || this.#chunks.length === 0) {
      this.#chunks.push(piece);
      return;
    }
    this.#open = new Uint8Array(chunkLength);
    this.#open.set(piece);
    this.#filled = piece.length;
  }

  /** All bytes; the piece itself if there was only one. */
  whole(): Bytes {
    this.#close();
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : concatBytes(...this.#chunks);
  }

  #close(): void {
    if (this.#filled > 0) this.#chunks.push(this.#open.subarray(0, this.#filled));
    this.#open = new Uint8Array(0);
    this.#filled = 0;
  }
}
