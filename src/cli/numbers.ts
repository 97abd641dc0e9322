/**
 * @module numbers: numbers on the command line. Digits only: `1e3`, `0x10`, `-1` and the empty
 * string are mistakes, not numbers that JavaScript happens to read.
 */
import { InvalidArgumentError } from 'commander';
import type { Encoding } from '../encoding.ts';

/**
 * A whole number from 0 to 2^53-1.
 * @throws InvalidArgumentError, which commander completes with the option's name
 */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be at most 2^53-1.');
  }
  return value;
}

/** A TCP port; 0 is any free one. @throws InvalidArgumentError */
export function portNumber(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) throw new InvalidArgumentError('It must be at most 65535.');
  return value;
}

/** `k,N` or, as Tahoe has it, `k,happy,N`. Ranges are checked by who uses them. */
export function encodingNumbers(text: string): Partial<Encoding> {
  if (!/^\d+,\d+(,\d+)?$/.test(text)) {
    throw new InvalidArgumentError('It must be k,N or k,happy,N, like 3,10.');
  }
  const [required = 0, second = 0, third] = text.split(',').map(wholeNumber);
  if (third === undefined) return { required, total: second };
  return { required, happy: second, total: third };
}
