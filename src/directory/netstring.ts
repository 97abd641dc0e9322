/**
 * @module netstring: reading netstrings as Tahoe reads them (`util/netstring.py`).
 *
 * A length may have what Python's `int` allows: blanks around it, a plus sign, leading zeros and
 * single underscores. To be stricter would be to lose sight of all that stands behind it. None of
 * that is ever written.
 */

const COLON = 0x3a;
const COMMA = 0x2c;
/** Characters of a length: any size is said in 16, and the rest is what Python ignores. */
const lengthTextMax = 64;
const LENGTH = /^[\t-\r ]*\+?(\d(?:_?\d)*)[\t-\r ]*$/;
const ascii = new TextDecoder('latin1');

export interface Netstring {
  /** A view. */
  readonly bytes: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** The netstring that begins at `at`; nothing where none does, or not all of one is there. */
export function readNetstring(bytes: Uint8Array, at: number): Netstring | undefined {
  let length = 0;
  let colon = at;
  // Digits alone, as everybody writes them, are read without a text being made of them.
  for (let digit = digitAt(bytes, colon); digit >= 0; digit = digitAt(bytes, ++colon)) {
    length = length * 10 + digit;
  }
  if (bytes[colon] !== COLON || colon === at) {
    const head = bytes.subarray(at, at + lengthTextMax + 1);
    const end = head.indexOf(COLON);
    const [, digits] = LENGTH.exec(ascii.decode(head.subarray(0, Math.max(0, end)))) ?? [];
    if (digits === undefined) return undefined;
    length = Number(digits.replaceAll('_', ''));
    colon = at + end;
  }
  const from = colon + 1;
  const to = from + length;
  if (to >= bytes.length || bytes[to] !== COMMA) return undefined;
  return { bytes: bytes.subarray(from, to), end: to + 1 };
}

function digitAt(bytes: Uint8Array, at: number): number {
  const digit = (bytes[at] ?? 0) - 0x30;
  return digit <= 9 ? digit : -1;
}
