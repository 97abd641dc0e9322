/**
 * @module signatures: the signatures of one file. All its shares carry one key, and all shares of a
 * version one signature: the key is imported once, and what is equal is verified once.
 */
import { primitives } from '#crypto';
import { binaryString, concatBytes } from '../bytes.ts';
import type { Primitives, VerifyingKey } from '../crypto/primitives.ts';
import { Recent } from '../recent.ts';
import type { ShareHeader } from './header.ts';
import { importFileKey, verifyBy } from './verify.ts';

/** Of each; many bad ones leave no more. */
const remembered = 64;

export class FileSignatures {
  readonly #fingerprint: Uint8Array;
  readonly #primitives: Pick<Primitives, 'importVerifyingKey'>;
  readonly #keys = new Recent<string, Promise<VerifyingKey>>(remembered);
  readonly #salts = new Recent<string, Promise<Uint8Array>>(remembered);

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
  async verify(
    { prefix }: Pick<ShareHeader, 'prefix'>,
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
