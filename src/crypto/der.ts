/**
 * @module der: the little of DER (X.690) that both {@link Primitives} must agree on.
 *
 * OpenSSL ignores bytes after the end of a key. The write key hashes all of them, so a key with a
 * tail would be one key under two names.
 */

/** Whether `der` is a single SEQUENCE (tag 0x30) that fills it to the last byte. */
export function isOneDerSequence(der: Uint8Array): boolean {
  const [tag, first = 0] = der;
  if (tag !== 0x30) return false;
  if (first < 0x80) return der.length === 2 + first;
  const end = 2 + (first & 0x7f);
  const length = der.subarray(2, end).reduce((sum, byte) => sum * 256 + byte, 0);
  return der.length === end + length;
}
