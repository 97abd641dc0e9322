/**
 * @module der: the little of DER (X.690) that the {@link Primitives} need.
 *
 * OpenSSL ignores bytes after the end of a key. The write key hashes all of them, so a key with a
 * tail would be one key under two names.
 */
import { concatBytes, equalBytes } from '../bytes.ts';

/** The AlgorithmIdentifier of rsaEncryption (RFC 8017, A.1), with its NULL. */
const rsaEncryption = Uint8Array.of(48, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0);
const tags = { integer: 0x02, bitString: 0x03, octetString: 0x04, sequence: 0x30 } as const;

/** The RSAPublicKey in a SubjectPublicKeyInfo of the usual form; of another one nothing. */
export function publicKeyIn(spki: Uint8Array): Uint8Array | undefined {
  return keyIn(spki, insideOf(spki, 0).start, tags.bitString);
}

/** The RSAPrivateKey in a PKCS#8 of the usual form, of version 0 and without attributes. */
export function privateKeyIn(pkcs8: Uint8Array): Uint8Array | undefined {
  const { start } = insideOf(pkcs8, 0);
  const { end } = insideOf(pkcs8, start);
  const isUsual = equalBytes(pkcs8.subarray(start, end), Uint8Array.of(tags.integer, 1, 0));
  return isUsual ? keyIn(pkcs8, end, tags.octetString) : undefined;
}

/** What is wrapped behind the algorithm at `at`, if that is RSA's, and it fills the rest. */
function keyIn(der: Uint8Array, at: number, tag: number): Uint8Array | undefined {
  const wrappedAt = insideOf(der, at).end;
  if (!equalBytes(der.subarray(at, wrappedAt), rsaEncryption)) return undefined;
  const { start, end } = insideOf(der, wrappedAt);
  if (der[wrappedAt] !== tag || end !== der.length) return undefined;
  // A BIT STRING begins with how many bits of its last byte are none of it.
  const isBits = tag === tags.bitString;
  if (isBits && der[start] !== 0) return undefined;
  const key = der.subarray(isBits ? start + 1 : start);
  return isOneDerSequence(key) ? key : undefined;
}

/** The SubjectPublicKeyInfo of an RSAPublicKey of 2048 bits, so of 256 bytes and more. */
export function spkiOf(key: Uint8Array): Uint8Array {
  const bits = concatBytes(headOf(tags.bitString, key.length + 1), Uint8Array.of(0), key);
  const head = headOf(tags.sequence, rsaEncryption.length + bits.length);
  return concatBytes(head, rsaEncryption, bits);
}

/** Of a value of 256 to 65,535 bytes. */
function headOf(tag: number, length: number): Uint8Array {
  return Uint8Array.of(tag, 0x82, length >> 8, length & 0xff);
}

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
  return der[0] === tags.sequence && insideOf(der, 0).end === der.length;
}
