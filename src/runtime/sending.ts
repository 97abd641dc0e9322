/**
 * @module sending: a version as it is being sent.
 *
 * Its contents may be read a second time then. If they cannot be read, no share is sent after that,
 * and the failure is held against no server.
 */
import type { Failure } from '../../machines/failure.ts';
import type { Place } from '../../machines/servermap.ts';
import type { EncodedVersion } from '../share/seal.ts';
import type { WritePart } from '../storage/server.ts';
import type { RememberedShares } from './remembered-shares.ts';
import type { Thrown } from './thrown.ts';

export class Sending {
  #version: EncodedVersion | undefined;
  /** Whether whole shares are sent, and not parts of them. */
  readonly isWhole: boolean;
  readonly #thrown: Thrown;
  readonly #shares: RememberedShares | undefined;
  /** Parts of shares, until it is known whether they have landed. */
  readonly #sent: (Place & { readonly offset: number; readonly bytes: Uint8Array })[] = [];
  /** Calls under way, in which parts may still be asked for. */
  #underWay = 0;
  #isOver = false;
  #failed: { readonly error: unknown; readonly failure: Failure } | undefined;

  /** @param shares in which is noted what has landed in place */
  constructor(isWhole: boolean, thrown: Thrown, shares?: RememberedShares) {
    this.isWhole = isWhole;
    this.#thrown = thrown;
    this.#shares = isWhole ? undefined : shares;
  }

  /** It is there once it is encoded. */
  get version(): EncodedVersion {
    return this.#version as EncodedVersion;
  }

  set version(version: EncodedVersion) {
    this.#version = version;
    // All may be over by then.
    this.#letGo();
  }

  /** Why nothing can be sent any more. */
  get failure(): Failure | undefined {
    return this.#failed?.failure;
  }

  /** The failure, if `error` is what the source failed with. */
  failureBy(error: unknown): Failure | undefined {
    return this.#failed?.error === error ? this.failure : undefined;
  }

  /** What is to be written of a share. */
  parts(place: Place): readonly WritePart[] {
    const parts = this.watched(this.version.shareParts(place.shnum));
    return this.#shares === undefined ? parts : parts.map((part) => this.#noted(place, part));
  }

  #noted({ server, shnum }: Place, part: WritePart): WritePart {
    const bytes = async () => {
      const made = await part.bytes();
      // What sends it may use the memory again.
      this.#sent.push({ server, shnum, offset: part.offset, bytes: made.slice() });
      return made;
    };
    return { ...part, bytes };
  }

  /** Makes a call that sends parts. */
  async within<T>(call: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await call();
    } finally {
      this.#underWay--;
      this.#letGo();
    }
  }

  /** No further call is made. */
  end(): void {
    this.#isOver = true;
    this.#letGo();
  }

  /** Nobody uses what parts gave once its call is settled. */
  #letGo(): void {
    if (this.#isOver && this.#underWay === 0) this.#version?.letGo();
  }

  /** The server has written what it was sent. */
  landed({ server }: Pick<Place, 'server'>): void {
    for (const { offset, bytes, ...place } of this.#sent) {
      if (place.server === server) this.#shares?.add(place, offset, bytes);
    }
  }

  /** The same parts; what the source fails with is noted. */
  watched(parts: readonly WritePart[]): readonly WritePart[] {
    return parts.map((part) => this.#watched(part));
  }

  #watched(part: WritePart): WritePart {
    const { offset, length } = part;
    const bytes = async () => {
      try {
        return await part.bytes();
      } catch (error) {
        this.#failed ??= { error, failure: this.#thrown.failureOf(error) };
        throw error;
      }
    };
    return { offset, length, bytes };
  }
}
