/**
 * @module shares: how many shares there may be, and of how many they are.
 */
import { OutOfRangeError } from '../errors.ts';

/** Shares of a mutable file: their header has one byte for each of k and N. */
const mutableSharesMax = 255;
/** As many different ones as there are points in the field: immutable files may have them all. */
export const sharesMax = 256;

/** @throws OutOfRangeError unless 1 <= required <= total <= totalMax, of mutable files 255 */
export function checkEncoding(
  required: number,
  total: number,
  totalMax: number = mutableSharesMax,
): void {
  if (!Number.isInteger(total) || total < 1 || total > totalMax) {
    throw new OutOfRangeError('total shares', total, `must be 1 to ${totalMax}`);
  }
  if (!Number.isInteger(required) || required < 1 || required > total) {
    throw new OutOfRangeError('required shares', required, `must be 1 to ${total}, the total`);
  }
}
