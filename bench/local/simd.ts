/**
 * @module simd: how fast this machine multiplies in GF(2^8) at best: 16 bytes at a time, by tables of
 * nibbles. It is a yardstick for the codec and no part of it: blocks lie in its memory already.
 */
import { multiply } from '../../src/erasure/gf256.ts';

const lane = 16;
const page = 65_536;
/** Of v128 instructions, behind their prefix. */
const simd = { load: 0, store: 11, constant: 12, swizzle: 14, and: 78, xor: 81, shiftRight: 109 };

export interface Kernel {
  /** Where source i is to be put; as long as a block. */
  source(i: number): Uint8Array;
  target(i: number): Uint8Array;
  /** Makes all targets from all sources. */
  run(): void;
}

/** A kernel for blocks of one length. @param weights of each target, one per source */
export function simdKernel(weights: readonly (readonly number[])[], blockLength: number): Kernel {
  const sources = weights[0]?.length ?? 0;
  const room = Math.ceil(blockLength / lane) * lane;
  const tables = weights.length * sources * 2 * lane;
  const offsetOf = (block: number) => Math.ceil(tables / page) * page + block * room;
  const pages = Math.ceil(offsetOf(sources + weights.length) / page);
  const module = new WebAssembly.Module(assemble(weights.length, sources, offsetOf, pages));
  const { memory, run } = new WebAssembly.Instance(module).exports as {
    memory: WebAssembly.Memory;
    run: (length: number) => void;
  };
  const bytes = new Uint8Array(memory.buffer);
  weights.flat().forEach((weight, pair) => {
    for (let nibble = 0; nibble < lane; nibble++) {
      bytes[2 * lane * pair + nibble] = multiply(nibble, weight);
      bytes[2 * lane * pair + lane + nibble] = multiply(nibble << 4, weight);
    }
  });
  const block = (n: number) => bytes.subarray(offsetOf(n), offsetOf(n) + blockLength);
  return { source: block, target: (i) => block(sources + i), run: () => run(room) };
}

/** One function: for every 16 bytes load all sources, then sum and store each target. */
function assemble(
  targets: number,
  sources: number,
  offsetOf: (block: number) => number,
  pages: number,
): Uint8Array<ArrayBuffer> {
  const [length, at, low, high] = [0, 1, 2, 2 + sources];
  const get = (local: number) => [0x20, ...leb(local)];
  const set = (local: number) => [0x21, ...leb(local)];
  const op = (code: number, ...rest: number[]) => [0xfd, code, ...rest];
  const number = (value: number) => [0x41, ...leb(value)];
  const load = (offset: number) => op(simd.load, 0, ...leb(offset));
  const code: number[] = [];
  code.push(0x03, 0x40); // loop
  for (let s = 0; s < sources; s++) {
    code.push(...get(at), ...load(offsetOf(s)), 0x22, ...leb(low + s)); // tee
    code.push(...number(4), ...op(simd.shiftRight), ...set(high + s));
    code.push(...get(low + s), ...op(simd.constant), ...new Array<number>(lane).fill(0x0f));
    code.push(...op(simd.and), ...set(low + s));
  }
  for (let t = 0; t < targets; t++) {
    code.push(...get(at));
    for (let s = 0; s < sources; s++) {
      const table = 2 * lane * (t * sources + s);
      code.push(...number(0), ...load(table), ...get(low + s), ...op(simd.swizzle));
      code.push(...number(0), ...load(table + lane), ...get(high + s), ...op(simd.swizzle));
      code.push(...op(simd.xor), ...(s === 0 ? [] : op(simd.xor)));
    }
    code.push(...op(simd.store, 0, ...leb(offsetOf(sources + t))));
  }
  // at += 16; once more while at < length
  code.push(...get(at), ...number(lane), 0x6a, 0x22, ...leb(at), ...get(length), 0x49);
  code.push(0x0d, 0x00, 0x0b, 0x0b);
  const locals = [2, 1, 0x7f, ...leb(2 * sources), 0x7b];
  const body = [...locals, ...code];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]), // one type: (i32) -> ()
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...leb(pages)]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('run'), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

/** LEB128; with the sign bit clear, so that it serves for small signed numbers too. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x40; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}
