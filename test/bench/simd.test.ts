import { expect, test } from 'vitest';
import { simdKernel } from '../../bench/local/simd.ts';
import { multiply } from '../../src/erasure/gf256.ts';

/** One target per row; every byte occurs. */
const weights = [
  [1, 2, 3],
  [0, 255, 29],
  [7, 0, 128],
  [91, 200, 17],
];

test.each([1, 16, 300])(
  'the yardstick multiplies and adds as the field does: %i bytes',
  (length) => {
    const kernel = simdKernel(weights, length);
    const sources = [3, 5, 11].map((step, i) => {
      const bytes = Uint8Array.from({ length }, (_, t) => (t * step + i) & 0xff);
      kernel.source(i).set(bytes);
      return bytes;
    });
    kernel.run();
    weights.forEach((row, target) => {
      const expected = Uint8Array.from({ length }, (_, t) =>
        row.reduce((sum, weight, i) => sum ^ multiply(weight, sources[i]?.[t] as number), 0),
      );
      expect(kernel.target(target)).toEqual(expected);
    });
  },
);
