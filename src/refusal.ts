/**
 * @module refusal: how an argument is refused: by its name, and by what it is. A value is never quoted:
 * a cap or a key in the wrong place would be printed.
 */
import { isBytes } from './bytes.ts';
import { BadArgumentError } from './errors.ts';

/** @throws BadArgumentError */
export function refuse(argument: string, value: unknown, wanted: string): never {
  throw new BadArgumentError(argument, `is ${kindOf(value)}, not ${wanted}`);
}

/** @throws BadArgumentError */
export function requireObject(
  argument: string,
  value: unknown,
  wanted: string,
): Record<string, unknown> {
  const fits = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!fits) return refuse(argument, value, wanted);
  return value as Record<string, unknown>;
}

/** @throws BadArgumentError */
export function requireText(argument: string, value: unknown, wanted: string): void {
  if (typeof value !== 'string') refuse(argument, value, wanted);
}

export function isBytesOf(value: unknown, length: number): boolean {
  return isBytes(value) && value.length === length;
}

/** What `value` is, without saying it. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (value === '') return 'an empty string';
  if (Array.isArray(value)) return 'an array';
  if (isBytes(value)) return `a Uint8Array of ${value.length} bytes`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  // A class that gives itself a name, such as Blob; else "Object".
  const [, tag = ''] = /^\[object (\w+)\]$/.exec(Object.prototype.toString.call(value)) ?? [];
  return /^[AEIOU]/.test(tag) ? `an ${tag}` : `a ${tag}`;
}
