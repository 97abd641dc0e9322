/**
 * @module keyrings: what a grid remembers of the files that it wrote last.
 *
 * A file that is opened again is the same file: its writes take turns by its storage index, and
 * may begin where the last one ended. Who only reads has nothing to remember.
 */
import { binaryString } from '../bytes.ts';
import { type Cap, storageIndexOf } from '../caps.ts';
import { Recent } from '../recent.ts';
import type { Keyring } from './session.ts';

export class Keyrings {
  readonly #max: number;
  #recent: Recent<string, Keyring>;

  /** @param max of how many files */
  constructor(max: number) {
    this.#max = max;
    this.#recent = new Recent(max);
  }

  /** For a write of that file; `own`, from now on, if none is remembered. */
  of(cap: Cap, own: Keyring): Keyring {
    return this.#recent.of(nameOf(cap), () => own);
  }

  /** Of a file that is being made: remembers it, to be called when it is, unless all is forgotten. */
  ofNew(cap: Cap, keyring: Keyring): () => void {
    const recent = this.#recent;
    return () => recent.put(nameOf(cap), keyring);
  }

  /** Handles that are still there keep what they have. */
  forget(): void {
    this.#recent = new Recent(this.#max);
  }
}

/** By all that a cap says: one with another fingerprint is of another file, whatever its index. */
function nameOf(cap: Cap): string {
  return [cap.format, ...[storageIndexOf(cap), cap.fingerprint].map(binaryString)].join(' ');
}
