/**
 * @module bytes: big-endian integers, base32 and netstrings, as Tahoe spells them.
 */
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';

export { bytesToHex, concatBytes, hexToBytes };

/**
 * A `Uint8Array<ArrayBuffer>`: what `Blob`, `fetch` and `crypto.subtle` take, which want no shared
 * memory. Spelled so that TypeScript before 5.7 has it too, as its `Uint8Array`.
 */
export type Bytes = ReturnType<Uint8ArrayConstructor['of']>;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const encoder = new TextEncoder();

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Whether UTF-8 has no bytes for a part of `text`: half of what takes two units of UTF-16. */
export function hasHalfCharacter(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** A character for each byte: what names bytes at the least cost, in a Map. For some thousands. */
export function binaryString(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

const uint8ArrayTag = '[object Uint8Array]';

/** Whether `value` is a Uint8Array, of whatever realm (a frame, a worker's, a test runner's). */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === uint8ArrayTag;
}

/** Constant-time only in length; use it for public values. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // Six times as fast as `every` on a hash.
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lower-case RFC 3548 base32 without padding: n bytes give ceil(8n/5) characters. */
export function toBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >>> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += ALPHABET[(held << (5 - bits)) & 31];
  return text;
}

/**
 * The inverse of {@link toBase32}, strict: no upper case, no padding, no non-zero spare bits.
 * @returns the bytes, or `undefined` when `text` is not what {@link toBase32} would have written.
 */
export function fromBase32(text: string): Uint8Array | undefined {
  const out = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[length++] = held >>> bits;
    }
    held &= (1 << bits) - 1;
  }
  return bits < 5 && held === 0 ? out : undefined;
}

/** `<decimal length>:<bytes>,` */
export function netstring(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  return concatBytes(shortLengths[length] ?? utf8(`${length}:`), bytes, COMMA);
}
const COMMA = utf8(',');
/** Hashes are what is wrapped most: their lengths are not spelled every time. */
const shortLengths = Array.from({ length: 65 }, (_, length) => utf8(`${length}:`));

/** A big-endian view over `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A u64 as a number, or `undefined` above 2^53-1: nothing this library can store is that large,
 * so such a value is a broken or hostile field.
 */
export function readSafeU64(view: DataView, offset: number): number | undefined {
  const value = view.getBigUint64(offset);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

/** `value` as 8 big-endian bytes. */
export function u64(value: number): Uint8Array {
  const out = new Uint8Array(8);
  viewOf(out).setBigUint64(0, BigInt(value));
  return out;
}
