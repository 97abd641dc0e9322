import { describe, expect, test } from 'vitest';
import {
  beyondMemory,
  beyondReading,
  contentsMax,
  divideUp,
  isEncodable,
  segmentCountMax,
  segmentSizeMax,
  segmentSizeOf,
  segmentsWrittenMax,
} from '../../machines/limits.ts';

test('the limits', () => {
  expect([segmentSizeMax, segmentCountMax, segmentsWrittenMax, contentsMax]).toEqual([
    268_435_456, 4_294_967_296, 16_777_216, 4_294_967_295,
  ]);
});

describe('what may be read', () => {
  const beyond = (segmentSize: number, dataLength: number) =>
    beyondReading({ seqnum: 7, segmentSize, dataLength });

  test('segments that can be decoded', () => {
    expect(beyond(segmentSizeMax, segmentSizeMax + 1)).toBe(null);
    expect(beyond(segmentSizeMax + 1, segmentSizeMax + 1)).toEqual({
      what: 'segment size of version 7',
      value: segmentSizeMax + 1,
      max: segmentSizeMax,
    });
    // A segment holds no more than the file.
    expect(beyond(segmentSizeMax + 1, segmentSizeMax)).toBe(null);
  });

  test('as many segments as can be counted', () => {
    expect(beyond(2, 2 * segmentCountMax)).toBe(null);
    expect(beyond(2, 2 * segmentCountMax + 1)).toEqual({
      what: 'segment count of version 7',
      value: segmentCountMax + 1,
      max: segmentCountMax,
    });
  });

  test('an empty file, and segments of one byte', () => {
    expect(beyond(0, 0)).toBe(null);
    expect(beyond(1, segmentCountMax)).toBe(null);
    expect(beyond(1, segmentCountMax + 1)).toMatchObject({ value: segmentCountMax + 1 });
  });

  test('contents that fit into one array', () => {
    expect(beyondMemory(contentsMax)).toBe(null);
    expect(beyondMemory(contentsMax + 1)).toEqual({
      what: 'bytes in memory',
      value: contentsMax + 1,
      max: contentsMax,
    });
  });
});

test('SDMF is one segment, MDMF has 128 KiB in each; both are multiples of k', () => {
  expect(segmentSizeOf('sdmf', 3, 9)).toBe(9);
  expect(segmentSizeOf('sdmf', 3, 10)).toBe(12);
  expect(segmentSizeOf('sdmf', 3, 0)).toBe(0);
  expect(segmentSizeOf('mdmf', 1, 10)).toBe(131072);
  expect(segmentSizeOf('mdmf', 2, 10)).toBe(131072);
  expect(segmentSizeOf('mdmf', 3, 10)).toBe(131073);
});

test('division rounds up', () => {
  expect([0, 1, 5, 6, 7].map((a) => divideUp(a, 3))).toEqual([0, 1, 2, 2, 3]);
});

test('what may be written: SDMF of one segment, MDMF of so many', () => {
  const mdmfMax = segmentsWrittenMax * segmentSizeOf('mdmf', 1, 0);
  expect(isEncodable('sdmf', 1, 0)).toBe(true);
  expect(isEncodable('sdmf', 1, segmentSizeMax)).toBe(true);
  expect(isEncodable('sdmf', 1, segmentSizeMax + 1)).toBe(false);
  // Rounded up to a multiple of k it is too large.
  expect(isEncodable('sdmf', 3, segmentSizeMax)).toBe(false);
  expect(isEncodable('mdmf', 1, mdmfMax)).toBe(true);
  expect(isEncodable('mdmf', 1, mdmfMax + 1)).toBe(false);
});
