/**
 * @module geometry: how a version is cut into segments and blocks (`mutable/publish.py`;
 * docs/format.md §4.2).
 *
 * The plaintext is cut into segments, each encrypted segment into k blocks. A share holds one
 * *entry* per segment: the block, in MDMF with the segment's salt in front. Lengths are in bytes;
 * arithmetic is exact for whatever a hostile header claims, up to 2^53-1.
 */
import { divideUp, segmentSizeOf } from '../../machines/limits.ts';
import type { Format } from '../caps.ts';
import { saltLength } from '../crypto/salts.ts';
import { OutOfRangeError } from '../errors.ts';
import type { ByteRange } from '../storage/server.ts';

/** The numbers, all of them signed, that decide every length of a share's data. */
export interface Geometry {
  /** `chk`: an immutable file's. */
  readonly format: Format | 'chk';
  /** k */
  readonly required: number;
  /** Plaintext bytes of every segment but the last, a multiple of k; SDMF has but one segment. */
  readonly segmentSize: number;
  /** Plaintext bytes of the file. */
  readonly dataLength: number;
  readonly segmentCount: number;
}

/** That of a version of a mutable file. */
export interface MutableGeometry extends Geometry {
  readonly format: Format;
}

/** @param segmentSize what an existing header says; by default what Tahoe writes */
export function geometryOf(
  format: Format,
  required: number,
  dataLength: number,
  segmentSize: number = segmentSizeOf(format, required, dataLength),
): MutableGeometry {
  const segmentCount = dataLength === 0 ? 0 : divideUp(dataLength, segmentSize);
  return { format, required, segmentSize, dataLength, segmentCount };
}

/** Plaintext bytes of one segment. @throws OutOfRangeError when there is no such segment */
export function segmentLength(geometry: Geometry, segnum: number): number {
  checkSegnum(geometry, segnum);
  return Math.min(geometry.segmentSize, geometry.dataLength - segnum * geometry.segmentSize);
}

/** Bytes of a segment's block. @throws OutOfRangeError when there is no such segment */
export function blockLength(geometry: Geometry, segnum: number): number {
  return divideUp(segmentLength(geometry, segnum), geometry.required);
}

/** Bytes of an entry in front of its block. */
export function entrySaltLength(geometry: Geometry): number {
  return geometry.format === 'mdmf' ? saltLength : 0;
}

/**
 * Where the entries of `count` segments, from `first` on, lie in the share data.
 * @throws OutOfRangeError when there are no such segments
 */
export function entryRange(geometry: Geometry, first: number, count = 1): ByteRange {
  const { segmentSize, required } = geometry;
  const salt = entrySaltLength(geometry);
  const offsetOf = (segnum: number) => segnum * (segmentSize / required + salt);
  if (count === 0) return { offset: offsetOf(first), length: 0 };
  checkSegnum(geometry, first);
  const last = first + count - 1;
  const end = offsetOf(last) + salt + blockLength(geometry, last);
  return { offset: offsetOf(first), length: end - offsetOf(first) };
}

function checkSegnum({ segmentCount }: Geometry, segnum: number): void {
  if (Number.isInteger(segnum) && segnum >= 0 && segnum < segmentCount) return;
  throw new OutOfRangeError('segment', segnum, `the file has ${segmentCount}`);
}
