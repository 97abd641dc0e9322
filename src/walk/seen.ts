/**
 * @module seen: the objects that a walk has met, in 16 bytes each: the hash of a verify cap. A storage
 * index would not do: whoever writes a directory could name that of another file in a cap that
 * leads nowhere, and so keep the walk from the file.
 */
import { utf8, viewOf } from '../bytes.ts';
import { taggedHash, tagOf } from '../crypto/hash.ts';

const TAG = tagOf('tahoe_mutable_walk_seen_v1');
/** Numbers of four bytes that one object takes. */
const wordsEach = 4;

/** A hash table with open addressing; nothing is ever taken out. */
export class Seen {
  #slots = new Uint32Array(64 * wordsEach);
  #count = 0;

  /** How many are in it. */
  get size(): number {
    return this.#count;
  }

  has(verifyCap: string): boolean {
    const words = wordsOf(verifyCap);
    return !isFree(this.#slots, placeIn(this.#slots, words));
  }

  /** Whether it is new. */
  add(verifyCap: string): boolean {
    const words = wordsOf(verifyCap);
    const place = placeIn(this.#slots, words);
    if (!isFree(this.#slots, place)) return false;
    this.#slots.set(words, place);
    this.#count++;
    if (this.#count * wordsEach * 2 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += wordsEach) {
      if (isFree(old, at)) continue;
      const words = old.subarray(at, at + wordsEach);
      slots.set(words, placeIn(slots, words));
    }
    this.#slots = slots;
  }
}

/** No hash is all zeros, for all that anybody will ever see. */
function wordsOf(verifyCap: string): Uint32Array {
  const view = viewOf(taggedHash(TAG, utf8(verifyCap)));
  return Uint32Array.from({ length: wordsEach }, (_, i) => view.getUint32(4 * i));
}

/** Where `words` are, or belong. */
function placeIn(slots: Uint32Array, words: Uint32Array): number {
  const first = words[0] as number;
  for (let at = (first * wordsEach) % slots.length; ; at = (at + wordsEach) % slots.length) {
    if (isFree(slots, at) || words.every((word, i) => slots[at + i] === word)) return at;
  }
}

function isFree(slots: Uint32Array, at: number): boolean {
  for (let i = 0; i < wordsEach; i++) if (slots[at + i] !== 0) return false;
  return true;
}
