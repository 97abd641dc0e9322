/**
 * @module out-of-range: the error of a read that begins beyond the end.
 */
import type { Excess } from '../../machines/wanted-range.ts';
import { OutOfRangeError } from '../errors.ts';

/** The error of an offset beyond the end. */
export function outOfRange({ offset, size }: Excess): OutOfRangeError {
  return new OutOfRangeError('offset', offset, `the file has ${size} bytes`);
}
