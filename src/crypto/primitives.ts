/**
 * @module primitives: the one seam between this library and a platform's cryptography.
 *
 * `node.ts` and `portable.ts` (noble + WebCrypto) implement it with equal results; the import
 * `#crypto` picks one by platform. Everything else in `src/` calls through this interface.
 */

/** A hash in progress. */
export interface Sha256 {
  update(bytes: Uint8Array): Sha256;
  digest(): Uint8Array;
}

/** An RSA key that can verify: RSASSA-PSS, SHA-256, MGF1-SHA-256, salt of exactly 32 bytes. */
export interface VerifyingKey {
  /** The salt of a good signature; nothing of any other, so that no salt is read unverified. */
  verify(message: Uint8Array, signature: Uint8Array): Promise<Uint8Array | undefined>;
}

/** An RSA-2048 private key. */
export interface SigningKey {
  /** PKCS#8 DER, verbatim as it was given: the write key is a hash of these very bytes. Hidden. */
  readonly pkcs8: Uint8Array;
  /** SubjectPublicKeyInfo DER. */
  readonly spki: Uint8Array;
  /**
   * A 256-byte signature. Where the platform takes a salt (Node does, WebCrypto does not), the salt
   * begins with these bytes; the rest of it is random.
   */
  sign(message: Uint8Array, saltStart?: Uint8Array): Promise<Uint8Array>;
}

export interface Primitives {
  sha256(): Sha256;
  /** SHA-256 of `message`, put at `target[at]`: of few bytes faster than a hash in progress. */
  hashInto(message: Uint8Array, target: Uint8Array, at: number): void;
  /** AES-128-CTR from a zero counter; its own inverse. `key` is 16 bytes. */
  aesCtr(key: Uint8Array, data: Uint8Array): Promise<Uint8Array>;
  /**
   * The same of pieces that follow each other, each put into a target of its own length.
   * @param counter of the first 16 bytes: 0 by default, 2^53-1 at most
   */
  aesCtrInto(
    key: Uint8Array,
    pieces: readonly Uint8Array[],
    targets: readonly Uint8Array[],
    counter?: number,
  ): Promise<void>;
  randomBytes(length: number): Uint8Array;
  /** 16 random bytes that everybody may see. */
  newSalt(): Uint8Array;
  /** @param signal gives it up as long as it waits for its turn */
  generateKey(signal?: AbortSignal): Promise<SigningKey>;
  /** @throws BadKeyError unless `pkcs8` is an unencrypted 2048-bit RSA key */
  importSigningKey(pkcs8: Uint8Array): Promise<SigningKey>;
  /** @throws BadKeyError unless `spki` is an RSA public key */
  importVerifyingKey(spki: Uint8Array): Promise<VerifyingKey>;
}
