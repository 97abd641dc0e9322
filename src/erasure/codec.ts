/**
 * @module codec: k-of-N erasure coding with the same output as zfec, byte for byte
 * (docs/format.md §4.1).
 *
 * Byte t of the k primary blocks gives the values at p_0 … p_{k-1} of one polynomial of degree
 * below k; share r holds its value at p_r, where p_0 = 0 and p_r = 2^(r-1). Making check blocks and
 * recovering lost primary blocks are therefore one operation: interpolate from any k shares to
 * other ones. Its weights do not depend on t; a {@link Kernel} keeps them as tables of products.
 */
import { OutOfRangeError } from '../errors.ts';
import { Recent } from '../recent.ts';
import { fastestKernel } from './fastest-kernel.ts';
import { logarithm, power } from './gf256.ts';
import type { Kernel, Sums } from './kernel.ts';
import { checkEncoding, sharesMax } from './shares.ts';

/**
 * One k-of-N code. What is made goes into `targets`, one per block of the answer, in any memory of
 * the caller's that none of the given blocks is in; but a target may be the very block that belongs
 * there. Without them a given block comes back as the array it is, and new memory is for the rest.
 */
export interface Codec {
  /** k */
  readonly required: number;
  /**
   * The shares `shnums` of the k primary `blocks`.
   * @throws OutOfRangeError unless there are k blocks of one length, the shnums are different ones
   * below N, and each has a target of that length
   */
  encode(
    blocks: readonly Uint8Array[],
    shnums: readonly number[],
    targets?: readonly Uint8Array[],
  ): readonly Uint8Array[];
  /**
   * The k primary blocks, from any k or more shares keyed by shnum.
   * @throws OutOfRangeError when there are fewer than k, a shnum is not below N, or lengths differ
   */
  decode(
    blocks: ReadonlyMap<number, Uint8Array>,
    targets?: readonly Uint8Array[],
  ): readonly Uint8Array[];
}

/**
 * @param kernel does the arithmetic; the platform's fastest by default
 * @throws OutOfRangeError unless 1 <= required <= total <= 256
 */
export function createCodec(
  required: number,
  total: number,
  kernel: Kernel = fastestKernel(),
): Codec {
  checkEncoding(required, total, sharesMax);
  const primaries = Array.from({ length: required }, (_, shnum) => shnum);

  return {
    required,

    encode(blocks, shnums, targets) {
      if (blocks.length !== required) {
        throw new OutOfRangeError('blocks', blocks.length, `encoding needs ${required}`);
      }
      checkShnums(shnums, total);
      return derive(new Map(blocks.entries()), shnums, required, kernel, targets);
    },

    decode(blocks, targets) {
      checkShnums([...blocks.keys()], total);
      if (blocks.size < required) {
        throw new OutOfRangeError('blocks', blocks.size, `decoding needs ${required}`);
      }
      return derive(blocks, primaries, required, kernel, targets);
    },
  };
}

/** The shares `wanted`, from any that are `given`. */
function derive(
  given: ReadonlyMap<number, Uint8Array>,
  wanted: readonly number[],
  required: number,
  kernel: Kernel,
  targets = roomFor(given, wanted, required),
): readonly Uint8Array[] {
  checkLengths([...given.values(), ...targets]);
  if (targets.length !== wanted.length) {
    throw new OutOfRangeError('targets', targets.length, `there are ${wanted.length} shares`);
  }
  const made: number[] = [];
  const places: Uint8Array[] = [];
  for (const [i, shnum] of wanted.entries()) {
    const target = targets[i] as Uint8Array;
    const block = unmade(given, shnum, required);
    if (block !== undefined) {
      if (!isSamePlace(block, target)) target.set(block);
      continue;
    }
    made.push(shnum);
    places.push(target);
  }
  if (made.length > 0) {
    // Ascending order puts the primary blocks, which need no arithmetic, first.
    const from = [...given.keys()].sort((a, b) => a - b).slice(0, required);
    const sources = from.map((shnum) => given.get(shnum) as Uint8Array);
    sumsOf(kernel, from, made)(sources, places);
  }
  return targets;
}

/** Where the shares `wanted` can be: what need not be made stays where it is. */
export function roomFor(
  given: ReadonlyMap<number, Uint8Array>,
  wanted: readonly number[],
  required: number,
): readonly Uint8Array[] {
  const found = wanted.map((shnum) => unmade(given, shnum, required));
  const [{ length } = { length: 0 }] = given.values();
  const room = new Uint8Array(length * found.filter((block) => block === undefined).length);
  let used = 0;
  return found.map((block) => {
    if (block !== undefined) return block;
    used += length;
    return room.subarray(used - length, used);
  });
}

/** The share, if it takes no arithmetic: it is given, or all shares are one because k = 1. */
function unmade(
  given: ReadonlyMap<number, Uint8Array>,
  shnum: number,
  required: number,
): Uint8Array | undefined {
  const block = given.get(shnum);
  if (block !== undefined || required > 1) return block;
  const [any] = given.values();
  return any;
}

function isSamePlace(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset;
}

function checkShnums(shnums: readonly number[], total: number): void {
  for (const shnum of shnums) {
    if (!Number.isInteger(shnum) || shnum < 0 || shnum >= total) {
      throw new OutOfRangeError('shnum', shnum, `must be 0 to ${total - 1}`);
    }
  }
  // The tables of a kernel have room for all different shares.
  if (new Set(shnums).size !== shnums.length) {
    throw new OutOfRangeError('shnums', shnums.length, 'must be different ones');
  }
}

function checkLengths(blocks: readonly Uint8Array[]): void {
  const length = blocks[0]?.length ?? 0;
  for (const block of blocks) {
    if (block.length !== length) {
      throw new OutOfRangeError('block length', block.length, `others have ${length} bytes`);
    }
  }
}

/** All segments of a file use the same few; the tables of one can reach 4 MiB (k = 128). */
const recentSums = new Recent<string, Sums>(8);

function sumsOf(kernel: Kernel, from: readonly number[], to: readonly number[]): Sums {
  return recentSums.of(`${kernel.name}:${from}>${to}`, () => kernel.prepare(weightsOf(from, to)));
}

/** Where the polynomial is evaluated for share r. */
function pointOf(shnum: number): number {
  return shnum === 0 ? 0 : power(shnum - 1);
}

/** For each target r (none of them a source), the weight of each source c: the Lagrange basis. */
function weightsOf(from: readonly number[], to: readonly number[]): Uint8Array[] {
  const points = from.map(pointOf);
  /** The logarithm of the product of (x - p) over the points p other than x. */
  const logProduct = (x: number) =>
    points.reduce((sum, p) => (p === x ? sum : sum + logarithm(x ^ p)), 0);
  const divisors = points.map(logProduct);
  return to.map((shnum) => {
    const x = pointOf(shnum);
    const dividend = logProduct(x);
    return Uint8Array.from(points, (p, c) =>
      power(dividend - logarithm(x ^ p) - (divisors[c] as number)),
    );
  });
}
