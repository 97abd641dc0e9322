/**
 * @module pss: the encoding of RSASSA-PSS (RFC 8017, 9.1): SHA-256, MGF1 with it, a salt of 32
 * bytes.
 *
 * A platform signs and verifies by itself, but neither takes a salt nor tells it. Here is what
 * lies between a message and the bare operation with the key, for keys of any size.
 */
import { concatBytes, viewOf } from '../bytes.ts';
import type { Primitives } from './primitives.ts';

type NewHash = Primitives['sha256'];

export const pssSaltLength = 32;
const hashLength = 32;

/** What the private operation turns into a signature: as many bytes as the modulus has. */
export function encodePss(
  newHash: NewHash,
  message: Uint8Array,
  salt: Uint8Array,
  modulusBits: number,
): Uint8Array {
  const { padding, length, spareBits } = shapeOf(modulusBits);
  const digest = newHash().update(message).digest();
  const hash = newHash().update(new Uint8Array(8)).update(digest).update(salt).digest();
  const block = new Uint8Array(length);
  block[length - pssSaltLength - 1] = 1;
  block.set(salt, length - pssSaltLength);
  const masked = maskedBy(newHash, hash, block);
  masked[0] = (masked[0] as number) & (0xff >> spareBits);
  return concatBytes(new Uint8Array(padding), masked, hash, Uint8Array.of(0xbc));
}

/** The salt in what {@link encodePss} gives. Of anything else, 32 bytes without a meaning. */
export function saltIn(newHash: NewHash, encoded: Uint8Array, modulusBits: number): Uint8Array {
  const { padding, length } = shapeOf(modulusBits);
  const end = padding + length;
  const masked = encoded.subarray(padding, end);
  const hash = encoded.subarray(end, end + hashLength);
  return maskedBy(newHash, hash, masked).slice(length - pssSaltLength);
}

/**
 * Of a signature, in bytes: as long as the modulus (RFC 8017, 8.1.2). OpenSSL also takes one whose
 * zeros in front are left out.
 */
export function signatureLengthOf(modulusBits: number): number {
  return Math.ceil(modulusBits / 8);
}

/** One bit less than the modulus has; a byte less than it too, if that bit is alone in its byte. */
function shapeOf(modulusBits: number) {
  const encodedLength = Math.ceil((modulusBits - 1) / 8);
  return {
    padding: signatureLengthOf(modulusBits) - encodedLength,
    /** Of the masked block, which ends with the salt. */
    length: encodedLength - hashLength - 1,
    spareBits: 8 * encodedLength - (modulusBits - 1),
  };
}

/** MGF1 of `seed` over `block`; twice, and nothing has happened. */
function maskedBy(newHash: NewHash, seed: Uint8Array, block: Uint8Array): Uint8Array {
  const masked = block.slice();
  const counter = new Uint8Array(4);
  for (let start = 0; start < block.length; start += hashLength) {
    viewOf(counter).setUint32(0, start / hashLength);
    const mask = newHash().update(seed).update(counter).digest();
    for (const [i, byte] of block.subarray(start, start + hashLength).entries()) {
      masked[start + i] = byte ^ (mask[i] as number);
    }
  }
  return masked;
}
