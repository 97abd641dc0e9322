import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { divideUp } from '../../machines/limits.ts';
import { OutOfRangeError } from '../../src/errors.ts';
import { blockLength, entryRange, geometryOf, segmentLength } from '../../src/share/geometry.ts';

describe('what Tahoe writes', () => {
  test.each([
    [1, 131072],
    [2, 131072],
    [3, 131073],
    [4, 131072],
    [7, 131075],
    [255, 131325],
  ])('MDMF with k = %d has segments of %d bytes, even when empty or tiny', (required, size) => {
    for (const dataLength of [0, 1, 10 ** 6]) {
      expect(geometryOf('mdmf', required, dataLength).segmentSize).toBe(size);
    }
  });

  test.each([
    ['sdmf', 3, 0, 0, 0],
    ['sdmf', 3, 1, 3, 1],
    ['sdmf', 3, 26, 27, 1],
    ['sdmf', 2, 10 ** 7, 10 ** 7, 1],
    ['mdmf', 3, 0, 131073, 0],
    ['mdmf', 3, 131073, 131073, 1],
    ['mdmf', 3, 131074, 131073, 2],
    ['mdmf', 1, 262144, 131072, 2],
  ] as const)(
    '%s, k = %d, %d bytes: segments of %d, %d of them',
    (format, k, size, segment, count) => {
      expect(geometryOf(format, k, size)).toEqual({
        format,
        required: k,
        dataLength: size,
        segmentSize: segment,
        segmentCount: count,
      });
    },
  );
});

describe('segments, blocks, entries', () => {
  const sdmf = geometryOf('sdmf', 3, 26);
  const mdmf = geometryOf('mdmf', 3, 131073 * 2 + 4);

  test('the tail is what is left, its block the k-th part, rounded up', () => {
    expect([segmentLength(sdmf, 0), blockLength(sdmf, 0)]).toEqual([26, 9]);
    expect([0, 1, 2].map((n) => segmentLength(mdmf, n))).toEqual([131073, 131073, 4]);
    expect([0, 1, 2].map((n) => blockLength(mdmf, n))).toEqual([43691, 43691, 2]);
    expect(segmentLength(geometryOf('mdmf', 3, 131073 * 2), 1)).toBe(131073);
  });

  test('entries lie side by side, in MDMF with 16 bytes of salt each', () => {
    expect(entryRange(sdmf, 0)).toEqual({ offset: 0, length: 9 });
    expect(entryRange(mdmf, 0)).toEqual({ offset: 0, length: 43707 });
    expect(entryRange(mdmf, 2)).toEqual({ offset: 87414, length: 18 });
    expect(entryRange(mdmf, 1, 2)).toEqual({ offset: 43707, length: 43725 });
    expect(entryRange(mdmf, 0, 3)).toEqual({ offset: 0, length: 87432 });
    expect(entryRange(mdmf, 3, 0)).toEqual({ offset: 131121, length: 0 });
  });

  test('the segments of a file add up to it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('sdmf' as const, 'mdmf' as const),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 0, max: 10 ** 6 }),
        (format, required, size) => {
          const geometry = geometryOf(format, required, size);
          const segnums = [...Array(geometry.segmentCount).keys()];
          const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
          expect(sum(segnums.map((n) => segmentLength(geometry, n)))).toBe(size);
          const whole = entryRange(geometry, 0, geometry.segmentCount).length;
          expect(sum(segnums.map((n) => entryRange(geometry, n).length))).toBe(whole);
          for (const n of segnums) {
            const padding = blockLength(geometry, n) * required - segmentLength(geometry, n);
            expect(padding >= 0 && padding < required).toBe(true);
          }
        },
      ),
    );
  });

  test.each([3, -1, 0.5, Number.NaN])('segment %d is not one of three', (segnum) => {
    const error = new OutOfRangeError('segment', segnum, 'the file has 3');
    for (const f of [segmentLength, blockLength, entryRange]) {
      expect(() => f(mdmf, segnum)).toThrowError(error);
    }
  });
});

test('division is exact where floating point is not', () => {
  const largest = Number.MAX_SAFE_INTEGER;
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 255 }), (a, b) => {
      expect(BigInt(divideUp(a, b))).toBe((BigInt(a) + BigInt(b) - 1n) / BigInt(b));
    }),
    {
      examples: [
        [largest, 255],
        [largest - 1, 254],
        [largest, 1],
        [0, 7],
      ],
    },
  );
});
