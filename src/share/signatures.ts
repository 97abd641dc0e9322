/**
 * @module signatures: the signatures of one file. All its shares carry one key, and all shares of a
 * version one signature: the key is imported once, and what is equal is verified once.
 */
import { primitives } from '#crypto';
import { binaryString, concatBytes, equalBytes } from '../bytes.ts';
import type { Primitives, VerifyingKey } from '../crypto/primitives.ts';
import { Recent } from '../recent.ts';
import type { ShareHeader } from './header.ts';
import { importFileKey, verifyBy } from './verify.ts';

/** Of each; many bad ones leave no more. */
const remembered = 64;

/** What a share says of its signature, and what comes of it. */
interface Signed {
  readonly prefix: Uint8Array;
  readonly verificationKey: Uint8Array;
  readonly signature: Uint8Array;
  readonly salt: Promise<Uint8Array>;
}

export class FileSignatures {
  readonly #fingerprint: Uint8Array;
  readonly #primitives: Pick<Primitives, 'importVerifyingKey'>;
  readonly #keys = new Recent<string, Promise<VerifyingKey>>(remembered);
  readonly #salts = new Recent<string, Promise<Uint8Array>>(remembered);

  /** What was asked last: most shares of a file are of one version, and no name of it is needed. */
  #last: Signed | undefined;

  /** @param fingerprint 32 bytes, from the cap */
  constructor(
    fingerprint: Uint8Array,
    crypto: Pick<Primitives, 'importVerifyingKey'> = primitives,
  ) {
    this.#fingerprint = fingerprint;
    this.#primitives = crypto;
  }

  /**
   * The salt of the signature, once that is verified.
   * @throws CorruptShareError naming the verification key or the signature
   */
  verify(
    { prefix }: Pick<ShareHeader, 'prefix'>,
    verificationKey: Uint8Array,
    signature: Uint8Array,
  ): Promise<Uint8Array> {
    const last = this.#last;
    const isLast =
      last !== undefined &&
      equalBytes(last.prefix, prefix) &&
      equalBytes(last.verificationKey, verificationKey) &&
      equalBytes(last.signature, signature);
    if (isLast) return last.salt;
    // Copies: what was verified stays what it was, whoever else has the bytes.
    const copies = [prefix.slice(), verificationKey.slice(), signature.slice()] as const;
    const salt = this.#verify(...copies);
    this.#last = { prefix: copies[0], verificationKey: copies[1], signature: copies[2], salt };
    return salt;
  }

  async #verify(
    prefix: Uint8Array,
    verificationKey: Uint8Array,
    signature: Uint8Array,
  ): Promise<Uint8Array> {
    const key = await this.#keys.of(binaryString(verificationKey), () =>
      importFileKey(verificationKey, this.#fingerprint, this.#primitives),
    );
    // The first byte of a prefix tells its length.
    return this.#salts.of(binaryString(concatBytes(prefix, signature)), () =>
      verifyBy(key, prefix, signature),
    );
  }
}
