/**
 * @module sending: a version as it is being sent.
 *
 * Its contents may be read a second time then. If they cannot be read, no share is sent after that,
 * and the failure is held against no server.
 */
import type { Failure } from '../../machines/failure.ts';
import type { SendableVersion } from '../share/seal.ts';
import type { WritePart } from '../storage/server.ts';
import type { Thrown } from './thrown.ts';

export class Sending {
  /** Once it is encoded. */
  version!: SendableVersion;
  /** Whether whole shares are sent, and not parts of them. */
  readonly isWhole: boolean;
  readonly #thrown: Thrown;
  #failed: { readonly error: unknown; readonly failure: Failure } | undefined;

  constructor(isWhole: boolean, thrown: Thrown) {
    this.isWhole = isWhole;
    this.#thrown = thrown;
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
  parts(shnum: number): readonly WritePart[] {
    return this.watched(this.version.shareParts(shnum));
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
