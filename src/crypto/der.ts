/**
 * @module der: the little of DER (X.690) that both {@link Primitives} must agree on.
 *
 * OpenSSL ignores bytes after the end of a key. The write key hashes all of them, so a key with a
 * tail would be one key under two names.
 */

/**
 * Whether an RSA key in PKCS#8 has just two primes: RFC 8017 calls that version 0. OpenSSL takes
 * more of them; Tahoe could not read the file.
 */
export function hasTwoPrimes(pkcs8: Uint8Array): boolean {
  // PrivateKeyInfo: version, algorithm, and an OCTET STRING around the RSAPrivateKey.
  const info = insideOf(pkcs8, 0);
  const version = insideOf(pkcs8, info.start);
  const algorithm = insideOf(pkcs8, version.end);
  const wrapped = insideOf(pkcs8, algorithm.end);
  const key = insideOf(pkcs8, wrapped.start);
  const { start, end } = insideOf(pkcs8, key.start);
  return end - start === 1 && pkcs8[start] === 0;
}

/** Where the content of the value at `at` is. */
function insideOf(der: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const start = at + 2 + (first & 0x7f);
  const length = der.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return { start, end: start + length };
}

/** Whether `der` is a single SEQUENCE (tag 0x30) that fills it to the last byte. */
export function isOneDerSequence(der: Uint8Array): boolean {
  return der[0] === 0x30 && insideOf(der, 0).end === der.length;
}
