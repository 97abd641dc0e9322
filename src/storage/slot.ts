/**
 * @module slot: what a read-test-write means, for whoever keeps the shares.
 *
 * Implements docs/format.md §6.3 (Tahoe's `slot_testv_and_readv_and_writev`) over an abstract set
 * of shares, so that the embedded backends cannot differ. Nothing here changes anything: `judge`
 * answers, `planChanges` says what each share shall become, `produceParts` yields its new bytes.
 */

import { unlessAborted } from '../abort.ts';
import { equalBytes } from '../bytes.ts';
import { BadWriteEnablerError, OutOfRangeError } from '../errors.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ServerId,
  ShareTest,
  ShareWrite,
  WritePart,
} from './server.ts';

/** A share as the server holds it before the request. */
export interface HeldShare {
  /** 32 bytes, as recorded when the share was created. */
  readonly writeEnabler: Uint8Array;
  /** Bytes of data. */
  readonly length: number;
  /** The bytes of a range that is already cut to the share. */
  read(range: ByteRange): Promise<Uint8Array>;
}

/** What is to become of one share. A share that neither exists nor shall exist has no change. */
export type ShareChange = { readonly kind: 'delete' } | ShareRewrite;

export interface ShareRewrite {
  readonly kind: 'rewrite';
  /** Bytes of data afterwards. What is neither old nor written is zero. */
  readonly length: number;
  /** Bytes of data before; 0 for a new share. */
  readonly oldLength: number;
  /** Whether any old byte is still there afterwards, so that the old share must be copied first. */
  readonly keepsOld: boolean;
  readonly parts: readonly WritePart[];
}

/** `range` cut at the end of a share of `length` bytes. */
export function cutRange(range: ByteRange, length: number): ByteRange {
  const offset = Math.min(range.offset, length);
  return { offset, length: Math.min(range.length, length - offset) };
}

/**
 * Checks the write enabler of every share, then all tests, and reads from every share.
 * @throws BadWriteEnablerError when any share was created under another one
 */
export async function judge(
  server: ServerId,
  held: ReadonlyMap<number, HeldShare>,
  request: ReadTestWriteRequest,
): Promise<ReadTestWriteAnswer> {
  for (const share of held.values()) {
    if (!equalSecrets(share.writeEnabler, request.secrets.writeEnabler)) {
      throw new BadWriteEnablerError(server);
    }
  }
  const wrote = await allTestsHold(held, request.shares);
  const reads = new Map<number, readonly Uint8Array[]>();
  for (const [shnum, share] of [...held].sort(([a], [b]) => a - b)) {
    const results: Uint8Array[] = [];
    for (const range of request.reads)
      results.push(await share.read(cutRange(range, share.length)));
    reads.set(shnum, results);
  }
  return { wrote, reads };
}

async function allTestsHold(
  held: ReadonlyMap<number, HeldShare>,
  shares: ReadonlyMap<number, ShareWrite>,
): Promise<boolean> {
  for (const [shnum, { tests }] of shares) {
    for (const test of tests) {
      if (!(await testHolds(held.get(shnum), test))) return false;
    }
  }
  return true;
}

async function testHolds(share: HeldShare | undefined, test: ShareTest): Promise<boolean> {
  const range = cutRange(test, share?.length ?? 0);
  if (range.length !== test.specimen.length) return false;
  return share === undefined || equalBytes(await share.read(range), test.specimen);
}

/** What the request, whose tests have passed, makes of each share, by ascending share number. */
export function planChanges(
  held: ReadonlyMap<number, HeldShare>,
  shares: ReadonlyMap<number, ShareWrite>,
): ReadonlyMap<number, ShareChange> {
  const changes = new Map<number, ShareChange>();
  for (const [shnum, write] of [...shares].sort(([a], [b]) => a - b)) {
    const oldLength = held.get(shnum)?.length;
    if (write.newLength !== 0) changes.set(shnum, planRewrite(oldLength ?? 0, write));
    else if (oldLength !== undefined) changes.set(shnum, { kind: 'delete' });
  }
  return changes;
}

function planRewrite(oldLength: number, { parts, newLength }: ShareWrite): ShareRewrite {
  const grown = parts.reduce((end, part) => Math.max(end, part.offset + part.length), oldLength);
  // A larger new length does not extend (docs/format.md §6.3, step 4).
  const length = Math.min(grown, newLength ?? grown);
  const keepsOld = firstUncovered(parts) < Math.min(oldLength, length);
  return { kind: 'rewrite', length, oldLength, keepsOld, parts };
}

/** The rewriting of a share of `length` bytes that changes none of them. */
export function unchanged(length: number): ShareRewrite {
  return { kind: 'rewrite', length, oldLength: length, keepsOld: length > 0, parts: [] };
}

/** The lowest offset that no part writes to. */
function firstUncovered(parts: readonly WritePart[]): number {
  let covered = 0;
  for (const { offset, length } of parts.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > covered) break;
    covered = Math.max(covered, offset + length);
  }
  return covered;
}

/** New bytes of a share, and where they go. */
interface PlacedBytes {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export type Pieces = AsyncIterable<PlacedBytes>;

/**
 * The bytes to put over the old ones, in order, one part in memory at a time, cut at the new end.
 * @throws OutOfRangeError when a part does not have the length it promised; and what a part throws
 */
export async function* produceParts(
  { parts, length }: ShareRewrite,
  signal?: AbortSignal,
): AsyncGenerator<PlacedBytes> {
  for (const part of parts) {
    signal?.throwIfAborted();
    // Whoever waits for a part holds a lock.
    const bytes = await (signal ? unlessAborted(part.bytes(), signal) : part.bytes());
    if (bytes.length !== part.length) {
      throw new OutOfRangeError('bytes of a part', bytes.length, `${part.length} were promised`);
    }
    if (part.offset >= length) continue;
    yield { offset: part.offset, bytes: bytes.subarray(0, length - part.offset) };
  }
}

/** In constant time, so that a write enabler cannot be guessed byte by byte. */
function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] ?? 0);
  return difference === 0;
}
