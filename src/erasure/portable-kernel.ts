/**
 * @module portable-kernel: the sums in plain loops over tables of products.
 */
import { multiply } from './gf256.ts';
import type { Kernel } from './kernel.ts';

/** The products of 4 targets travel in the bytes of one 32-bit word: one look-up for four. */
const targetsPerWord = 4;
/** Three sources are added in one pass over the sums, which are then loaded and stored once. */
const sourcesPerPass = 3;
/** Words summed before they are unpacked: they and the tables in use stay in the L1 cache. */
const stripLength = 2048;

type Three<T> = readonly [T, T, T];
type Four<T> = readonly [T, T, T, T];

export const portableKernel: Kernel = {
  name: 'portable',
  prepare(weights) {
    const groups: (readonly Three<Int32Array>[])[] = [];
    for (let target = 0; target < weights.length; target += targetsPerWord) {
      groups.push(productTables(weights.slice(target, target + targetsPerWord)));
    }
    return (sources, targets) => {
      for (const [group, passes] of groups.entries()) {
        const first = group * targetsPerWord;
        sumProducts(passes, sources, targets.slice(first, first + targetsPerWord));
      }
    };
  },
};

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

/** The weighted sums of `sources` for up to four targets. */
function sumProducts(
  passes: readonly Three<Int32Array>[],
  sources: readonly Uint8Array[],
  targets: readonly Uint8Array[],
): void {
  const length = (sources[0] as Uint8Array).length;
  const rest = targets.length < targetsPerWord ? new Uint8Array(length) : undefined;
  const target = (i: number) => targets[i] ?? (rest as Uint8Array);
  const four: Four<Uint8Array> = [target(0), target(1), target(2), target(3)];
  const sums = new Int32Array(Math.min(stripLength, length));
  for (let start = 0; start < length; start += stripLength) {
    const count = Math.min(stripLength, length - start);
    sums.fill(0);
    passes.forEach((tables, pass) => {
      const first = pass * sourcesPerPass;
      const x = sources[first] as Uint8Array;
      const three = [x, sources[first + 1] ?? x, sources[first + 2] ?? x] as const;
      addProducts(sums, tables, three, start, count);
    });
    unpack(sums, four, start, count);
  }
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
