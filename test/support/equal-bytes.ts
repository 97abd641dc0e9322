/**
 * @module equal-bytes: equal bytes are equal at once, for every `toEqual` of the suite.
 *
 * Vitest compares arrays of bytes one property at a time, which takes a second for a megabyte. Where
 * they differ it still does, and says how.
 */
import { expect } from 'vitest';

expect.addEqualityTesters([
  (a, b) =>
    a instanceof Uint8Array &&
    b instanceof Uint8Array &&
    Object.getPrototypeOf(a) === Object.getPrototypeOf(b) &&
    Buffer.compare(a, b) === 0
      ? true
      : undefined,
]);
