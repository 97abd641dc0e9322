/**
 * @module limits: how much of one version may be asked for, kept and written.
 *
 * The numbers in a header are signed, but whoever may write may sign anything, and a hole in a file
 * costs its server nothing. Nothing here refuses what Tahoe writes: MDMF in segments of 128 KiB,
 * and SDMF, one segment, which Tahoe keeps N times in memory.
 */
import type { Format, Version } from './servermap.ts';

/** Bytes of one segment, which is decoded whole. */
export const segmentSizeMax = 2 ** 28;
/** Segments of a file that is read: 512 TiB in Tahoe's. */
export const segmentCountMax = 2 ** 32;
/** Segments of a file that is written: the block hash tree, 64 bytes each, is sent as one part. */
export const segmentsWrittenMax = 2 ** 24;
/** Bytes of contents that are gathered in one array; more of them come as a stream. */
export const contentsMax = 2 ** 32 - 1;
/** Of MDMF, rounded up to a multiple of k. Tahoe cannot update a file of another segment size. */
export const mdmfSegmentSize = 131072;

/** What is too much, and how much of it there may be. */
export interface Beyond {
  /** In words: `segment size of version 3`. */
  readonly what: string;
  /** How much there is, in the unit of what it is: bytes, or segments. */
  readonly value: number;
  /** In the same unit; one of the constants here. */
  readonly max: number;
}

/** What of `version` is too much to be read, or null. */
export function beyondReading(
  version: Pick<Version, 'seqnum' | 'segmentSize' | 'dataLength'>,
): Beyond | null {
  const { seqnum, segmentSize, dataLength } = version;
  // An immutable file has but one version.
  const ofVersion = seqnum === 0 ? '' : ` of version ${seqnum}`;
  if (Math.min(segmentSize, dataLength) > segmentSizeMax) {
    return { what: `segment size${ofVersion}`, value: segmentSize, max: segmentSizeMax };
  }
  const value = divideUp(dataLength, Math.max(1, segmentSize));
  if (value <= segmentCountMax) return null;
  return { what: `segment count${ofVersion}`, value, max: segmentCountMax };
}

/** Whether this many bytes of contents are too many for one array. */
export function beyondMemory(length: number): Beyond | null {
  return length > contentsMax ? { what: 'bytes in memory', value: length, max: contentsMax } : null;
}

/** The segment size that Tahoe writes. */
export function segmentSizeOf(format: Format, required: number, dataLength: number): number {
  return divideUp(format === 'sdmf' ? dataLength : mdmfSegmentSize, required) * required;
}

/** The least integer not below a / b, without the rounding of a floating-point quotient. */
export function divideUp(a: number, b: number): number {
  const rest = a % b;
  return (a - rest) / b + (rest > 0 ? 1 : 0);
}

/** Whether a file of `dataLength` bytes can be encoded. */
export function isEncodable(format: Format, required: number, dataLength: number): boolean {
  const segmentSize = segmentSizeOf(format, required, dataLength);
  const isFew = divideUp(dataLength, Math.max(1, segmentSize)) <= segmentsWrittenMax;
  return segmentSize <= segmentSizeMax && isFew;
}
