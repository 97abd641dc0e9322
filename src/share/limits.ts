/**
 * @module limits: how much one share can make its reader ask for, and keep, at once.
 *
 * The numbers in a header are signed, but whoever may write may sign anything, and a hole in a file
 * costs its server nothing. Nothing here refuses what Tahoe writes: MDMF in segments of 128 KiB,
 * and SDMF, one segment, which Tahoe keeps N times in memory.
 */
import { BeyondLimitError } from '../errors.ts';
import type { Geometry } from './geometry.ts';

/** Bytes of one segment, which is decoded whole. */
export const segmentSizeMax = 2 ** 28;
/** Segments of a file: 512 TiB in Tahoe's. */
export const segmentCountMax = 2 ** 32;
/** Bytes of one request: what is longer is asked for piece by piece, while pieces come whole. */
export const requestLengthMax = 2 ** 22;
/** Segments that are fetched and checked at once, however short. */
export const windowSegmentsMax = 1024;
/** Bytes of a block hash tree that is read whole: of 2048 segments, 256 MiB in Tahoe's. */
export const wholeTreeMax = 2 ** 17;
/** Nodes that are read at once of a larger one. */
export const pageNodes = 512;
/** Bytes of the block hash trees, all N of them, that a change in place may need in memory. */
export const updateTreesMax = 2 ** 28;

/** Bytes of contents that are gathered in one array; more of them come as a stream. */
export const contentsMax = 2 ** 32 - 1;

/** @throws BeyondLimitError when this many bytes of contents are wanted in one array */
export function requireInMemory(length: number): void {
  if (length > contentsMax) throw new BeyondLimitError('bytes in memory', length, contentsMax);
}

/** @throws BeyondLimitError naming the number of a version that is too large to be read */
export function requireReadable(
  version: Pick<Geometry, 'segmentSize' | 'dataLength'> & { readonly seqnum: number },
): void {
  const { seqnum, segmentSize, dataLength } = version;
  const of = `version ${seqnum}`;
  if (Math.min(segmentSize, dataLength) > segmentSizeMax) {
    throw new BeyondLimitError(`segment size of ${of}`, segmentSize, segmentSizeMax);
  }
  const segmentCount = Math.ceil(dataLength / Math.max(1, segmentSize));
  if (segmentCount > segmentCountMax) {
    throw new BeyondLimitError(`segment count of ${of}`, segmentCount, segmentCountMax);
  }
}
