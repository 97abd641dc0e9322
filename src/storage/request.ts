/**
 * @module request: what a storage server accepts, checked before anything is asked of one.
 *
 * The limits are those of Tahoe's HTTP protocol (docs/format.md §6.3 and §7.4), so that a caller
 * that works with an embedded server works with a real one.
 */
import { OutOfRangeError } from '../errors.ts';
import type { ByteRange, ReadTestWriteRequest, ShareWrite, WriteSecrets } from './server.ts';

const STORAGE_INDEX_LENGTH = 16;
export const TUB_ID_LENGTH = 20;
const SECRET_LENGTH = 32;
/** Test vectors per share, and read vectors per request. */
const VECTORS_MAX = 30;
/** Shares named by one request. Their numbers may be any. */
const SHARES_PER_REQUEST_MAX = 256;

/** @throws OutOfRangeError unless 16 bytes */
export function checkStorageIndex(storageIndex: Uint8Array): void {
  checkLength('storage index length', storageIndex, STORAGE_INDEX_LENGTH);
}

/** @throws OutOfRangeError unless a whole number from 0 */
export function checkShnum(shnum: number): void {
  checkNatural('share number', shnum);
}

/** A range may reach beyond any share: reads are cut. @throws OutOfRangeError */
export function checkRange(range: ByteRange): void {
  checkNatural('offset', range.offset);
  checkNatural('length', range.length);
}

/** @throws OutOfRangeError unless a read of the range fits in */
export function checkRoom({ length }: ByteRange, into: Uint8Array | undefined): void {
  if (into === undefined || into.length >= length) return;
  throw new OutOfRangeError('room', into.length, `the range has ${length} bytes`);
}

/** @throws OutOfRangeError unless both are 32 bytes: a real server would cut or pad silently */
export function checkLeaseSecrets(
  secrets: Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>,
): void {
  checkLength('renew secret length', secrets.renewSecret, SECRET_LENGTH);
  checkLength('cancel secret length', secrets.cancelSecret, SECRET_LENGTH);
}

/** @throws OutOfRangeError naming the first thing a real server would answer with 400 */
export function checkRequest(request: ReadTestWriteRequest): void {
  checkLength('write enabler length', request.secrets.writeEnabler, SECRET_LENGTH);
  checkLeaseSecrets(request.secrets);
  checkCount('shares of one request', request.shares.size, SHARES_PER_REQUEST_MAX);
  checkCount('reads of one request', request.reads.length, VECTORS_MAX);
  for (const range of request.reads) checkRange(range);
  for (const [shnum, write] of request.shares) {
    checkShnum(shnum);
    checkShareWrite(write);
  }
}

function checkShareWrite(write: ShareWrite): void {
  checkCount('tests of one share', write.tests.length, VECTORS_MAX);
  for (const test of write.tests) checkRange(test);
  for (const part of write.parts) {
    checkRange(part);
    checkNatural('end of a part', part.offset + part.length);
  }
  if (write.newLength !== null) checkNatural('new length', write.newLength);
}

function checkNatural(argument: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new OutOfRangeError(argument, value, 'must be a whole number from 0 to 2^53-1');
  }
}

function checkLength(argument: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new OutOfRangeError(argument, bytes.length, `must be ${length} bytes`);
  }
}

function checkCount(argument: string, count: number, max: number): void {
  if (count > max) throw new OutOfRangeError(argument, count, `must be at most ${max}`);
}
