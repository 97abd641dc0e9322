/**
 * @module encoding: how a file is spread over servers, and Tahoe's defaults for it.
 */
import { OutOfRangeError, type TahoeMutableError } from './errors.ts';

/** Any k of N shares are enough to read a file. */
export interface Encoding {
  /** k, 1 to N. */
  readonly required: number;
  /** A write needs this many distinct servers (or N, or all there are, if that is less). */
  readonly happy: number;
  /** N, at most 255: a share's header has one byte for it. */
  readonly total: number;
}

/**
 * What the description of a grid asks for and nobody can do. What needs the setting fails with it,
 * and nothing else does: a number that only writers need keeps nobody from reading.
 */
export interface UnusableSettings {
  /** The encoding: new files need it. */
  readonly encoding?: TahoeMutableError;
  /** The number of servers that a write must reach: every write needs it. */
  readonly happy?: TahoeMutableError;
  /** The format: a new file needs it whose maker names none. */
  readonly format?: TahoeMutableError;
}

/** What Tahoe does without a word in `tahoe.cfg`. */
export const defaultEncoding: Encoding = { required: 3, happy: 7, total: 10 };
const sharesMax = 255;

/** The given numbers, completed by Tahoe's defaults. @throws OutOfRangeError */
export function completeEncoding(given: Partial<Encoding>): Encoding {
  const { required = defaultEncoding.required, total = defaultEncoding.total } = given;
  const happy = given.happy ?? Math.min(defaultEncoding.happy, total);
  const encoding = { required, happy, total };
  check('shares.total', total, sharesMax, 'the most that a share can say');
  check('shares.needed', required, total, 'shares.total');
  check('shares.happy', happy, total, 'shares.total');
  return encoding;
}

function check(key: string, value: number, max: number, whatMax: string): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new OutOfRangeError(key, value, `must be from 1 to ${max}, ${whatMax}`);
  }
}
