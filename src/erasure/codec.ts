/**
 * @module codec: k-of-N erasure coding with the same output as zfec, byte for byte
 * (docs/format.md §4.1).
 *
 * Byte t of the k primary blocks gives the values at p_0 … p_{k-1} of one polynomial of degree
 * below k; share r holds its value at p_r, where p_0 = 0 and p_r = 2^(r-1). Making check blocks and
 * recovering lost primary blocks are therefore one operation: interpolate from any k shares to
 * other ones. Its weights do not depend on t, so each is kept as a table of 256 products.
 */
import { OutOfRangeError } from '../errors.ts';
import { logarithm, multiply, power } from './gf256.ts';

/** One k-of-N code. Blocks are never copied: primary blocks come back as the arrays given. */
export interface Codec {
  /**
   * The shares `shnums` of the k primary `blocks`.
   * @throws OutOfRangeError unless there are k blocks of one length and each shnum is below N
   */
  encode(blocks: readonly Uint8Array[], shnums: readonly number[]): Uint8Array[];
  /**
   * The k primary blocks, from any k or more shares keyed by shnum.
   * @throws OutOfRangeError when there are fewer than k, a shnum is not below N, or lengths differ
   */
  decode(blocks: ReadonlyMap<number, Uint8Array>): Uint8Array[];
}

/** The share header has one byte for each of k and N. */
const totalSharesMax = 255;

/** @throws OutOfRangeError unless 1 <= required <= total <= 255 */
export function checkEncoding(required: number, total: number): void {
  if (!Number.isInteger(total) || total < 1 || total > totalSharesMax) {
    throw new OutOfRangeError('total shares', total, `must be 1 to ${totalSharesMax}`);
  }
  if (!Number.isInteger(required) || required < 1 || required > total) {
    throw new OutOfRangeError('required shares', required, `must be 1 to ${total}, the total`);
  }
}

/** @throws OutOfRangeError unless 1 <= required <= total <= 255 */
export function createCodec(required: number, total: number): Codec {
  checkEncoding(required, total);
  const primaries = Array.from({ length: required }, (_, shnum) => shnum);
  const isPrimary = (shnum: number) => shnum < required;

  return {
    encode(blocks, shnums) {
      if (blocks.length !== required) {
        throw new OutOfRangeError('blocks', blocks.length, `encoding needs ${required}`);
      }
      checkShnums(shnums, total);
      checkLengths(blocks);
      const checks = shnums.filter((shnum) => !isPrimary(shnum));
      const made = interpolationOf(primaries, checks)(blocks).values();
      return shnums.map((shnum) => blocks[shnum] ?? (made.next().value as Uint8Array));
    },

    decode(blocks) {
      checkShnums([...blocks.keys()], total);
      if (blocks.size < required) {
        throw new OutOfRangeError('blocks', blocks.size, `decoding needs ${required}`);
      }
      checkLengths([...blocks.values()]);
      // Ascending order puts the primary blocks, which need no arithmetic, first.
      const chosen = [...blocks.keys()].sort((a, b) => a - b).slice(0, required);
      const missing = primaries.filter((shnum) => !blocks.has(shnum));
      const sources = chosen.map((shnum) => blocks.get(shnum) as Uint8Array);
      const made = interpolationOf(chosen, missing)(sources).values();
      return primaries.map((shnum) => blocks.get(shnum) ?? (made.next().value as Uint8Array));
    },
  };
}

function checkShnums(shnums: readonly number[], total: number): void {
  for (const shnum of shnums) {
    if (!Number.isInteger(shnum) || shnum < 0 || shnum >= total) {
      throw new OutOfRangeError('shnum', shnum, `must be 0 to ${total - 1}`);
    }
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

/** Maps the blocks of one fixed set of shares to those of another. */
type Interpolation = (blocks: readonly Uint8Array[]) => Uint8Array[];

/** All segments of a file use the same few; the tables of one can reach 4 MiB (k = 128). */
const interpolationsKept = 8;
const interpolations = new Map<string, Interpolation>();

function interpolationOf(from: readonly number[], to: readonly number[]): Interpolation {
  if (to.length === 0) return () => [];
  const key = `${from}>${to}`;
  const interpolation = interpolations.get(key) ?? createInterpolation(weightsOf(from, to));
  interpolations.delete(key);
  interpolations.set(key, interpolation);
  for (const oldest of interpolations.keys()) {
    if (interpolations.size <= interpolationsKept) break;
    interpolations.delete(oldest);
  }
  return interpolation;
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

/** The products of 4 targets travel in the bytes of one 32-bit word: one look-up for four. */
const targetsPerWord = 4;
/** Three sources are added in one pass over the sums, which are then loaded and stored once. */
const sourcesPerPass = 3;
/** Words summed before they are unpacked: they and the tables in use stay in the L1 cache. */
const stripLength = 2048;

type Three<T> = readonly [T, T, T];
type Four<T> = readonly [T, T, T, T];

function createInterpolation(weights: readonly Uint8Array[]): Interpolation {
  const groups: (readonly Three<Int32Array>[])[] = [];
  for (let target = 0; target < weights.length; target += targetsPerWord) {
    groups.push(productTables(weights.slice(target, target + targetsPerWord)));
  }
  return (blocks) =>
    groups.flatMap((passes) => sumProducts(passes, blocks)).slice(0, weights.length);
}

/** The tables of up to four targets, by passes; those of absent sources are all zeros. */
function productTables(rows: readonly Uint8Array[]): Three<Int32Array>[] {
  const sourceCount = (rows[0] as Uint8Array).length;
  const tableOf = (source: number) => productTable(rows.map((row) => row[source] ?? 0));
  return Array.from({ length: Math.ceil(sourceCount / sourcesPerPass) }, (_, pass) => {
    const first = pass * sourcesPerPass;
    return [tableOf(first), tableOf(first + 1), tableOf(first + 2)];
  });
}

/** 256 words; byte i of word b is b times weight i. */
function productTable(weights: readonly number[]): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) =>
    weights.reduce((word, weight, i) => word | (multiply(byte, weight) << (8 * i)), 0),
  );
}

/** The weighted sums of `sources` for four targets; those without a row come out as zeros. */
function sumProducts(
  passes: readonly Three<Int32Array>[],
  sources: readonly Uint8Array[],
): readonly Uint8Array[] {
  const length = (sources[0] as Uint8Array).length;
  const target = () => new Uint8Array(length);
  const targets: Four<Uint8Array> = [target(), target(), target(), target()];
  const sums = new Int32Array(Math.min(stripLength, length));
  for (let start = 0; start < length; start += stripLength) {
    const count = Math.min(stripLength, length - start);
    sums.fill(0);
    passes.forEach((tables, pass) => {
      const first = pass * sourcesPerPass;
      const x = sources[first] as Uint8Array;
      addProducts(
        sums,
        tables,
        [x, sources[first + 1] ?? x, sources[first + 2] ?? x],
        start,
        count,
      );
    });
    unpack(sums, targets, start, count);
  }
  return targets;
}

/** The hot loop: adds the products of three sources. */
function addProducts(
  sums: Int32Array,
  [a, b, c]: Three<Int32Array>,
  [x, y, z]: Three<Uint8Array>,
  start: number,
  count: number,
): void {
  for (let t = 0; t < count; t++) {
    const at = start + t;
    sums[t] =
      (sums[t] as number) ^
      (a[x[at] as number] as number) ^
      (b[y[at] as number] as number) ^
      (c[z[at] as number] as number);
  }
}

function unpack(sums: Int32Array, targets: Four<Uint8Array>, start: number, count: number): void {
  const [first, second, third, fourth] = targets;
  for (let t = 0; t < count; t++) {
    const word = sums[t] as number;
    first[start + t] = word;
    second[start + t] = word >>> 8;
    third[start + t] = word >>> 16;
    fourth[start + t] = word >>> 24;
  }
}
