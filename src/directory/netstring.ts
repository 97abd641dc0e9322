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
  const head = bytes.subarray(at, at + lengthTextMax + 1);
  const colon = head.indexOf(COLON);
  if (colon < 0) return undefined;
  const [, digits] = LENGTH.exec(ascii.decode(head.subarray(0, colon))) ?? [];
  if (digits === undefined) return undefined;
  const from = at + colon + 1;
  const to = from + Number(digits.replaceAll('_', ''));
  if (to >= bytes.length || bytes[to] !== COMMA) return undefined;
  return { bytes: bytes.subarray(from, to), end: to + 1 };
}
