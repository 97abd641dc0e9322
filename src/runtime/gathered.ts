/**
 * @module gathered: joins pieces of any number and length. Memory grows with the bytes that came,
 * not with the number of pieces: a piece of three bytes does not cost a hundred.
 */
import { concatBytes } from '../bytes.ts';
import { requireInMemory } from '../share/limits.ts';

/** Short pieces are copied into blocks of this many bytes; a piece as long is kept as it is. */
const chunkLength = 2 ** 16;

export class Gathered {
  readonly #chunks: Uint8Array[] = [];
  #open = new Uint8Array(0);
  #filled = 0;
  #length = 0;

  /** @throws BeyondLimitError when it becomes more than one array holds */
  add(piece: Uint8Array): void {
    this.#length += piece.length;
    requireInMemory(this.#length);
    if (piece.length < chunkLength && this.#filled + piece.length <= this.#open.length) {
      this.#open.set(piece, this.#filled);
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
  whole(): Uint8Array {
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
