/**
 * @module simd-kernel: the sums in WebAssembly with SIMD (codec.wat).
 *
 * Blocks are copied into the kernel's memory strip by strip, and sums out of it: with this the
 * kernel still is ten times as fast as plain loops, and callers keep their blocks where they like.
 */
import { hexToBytes } from '../bytes.ts';
import { codecWasm } from './codec-wasm.ts';
import { multiply } from './gf256.ts';
import type { Kernel } from './kernel.ts';

/** What codec.wat exports. */
interface CodecExports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory;
  sum(
    tables: number,
    sources: number,
    sourceCount: number,
    stride: number,
    target: number,
    length: number,
  ): void;
}

/** Of one weight: the products of the 16 low halves of a byte, and those of the 16 high ones. */
const tableLength = 32;
/** The first half of the memory is for tables: of 128 targets and 128 sources they fill it. */
const stripsAt = 2 ** 19;
/** The second half is for a strip of each source and of one target; these stay in the L2 cache. */
const stripsLength = 2 ** 19;
const stripLengthMax = 2 ** 14;
/** Bytes that the kernel sums at a time. */
const step = 64;

/** Nothing where WebAssembly or its SIMD is missing, or forbidden by a page's security policy. */
export function createSimdKernel(): Kernel | undefined {
  const exports = instantiated();
  if (exports === undefined) return undefined;
  const { sum } = exports;
  const memory = new Uint8Array(exports.memory.buffer);
  /** Those of the last sums: a file has many segments. */
  let tablesInMemory: Uint8Array | undefined;

  return {
    name: 'simd',
    prepare(weights) {
      const tables = tablesOf(weights);
      const sourceCount = (weights[0] as Uint8Array).length;
      const room = Math.floor(stripsLength / (sourceCount + 1));
      const stride = Math.min(stripLengthMax, room - (room % step));
      const targetAt = stripsAt + sourceCount * stride;
      return (sources, targets) => {
        if (tablesInMemory !== tables) memory.set(tables);
        tablesInMemory = tables;
        const length = (sources[0] as Uint8Array).length;
        for (let start = 0; start < length; start += stride) {
          const end = Math.min(start + stride, length);
          for (let c = 0; c < sourceCount; c++) {
            memory.set((sources[c] as Uint8Array).subarray(start, end), stripsAt + c * stride);
          }
          const made = memory.subarray(targetAt, targetAt + end - start);
          for (const [row, target] of targets.entries()) {
            const rowAt = row * sourceCount * tableLength;
            sum(rowAt, stripsAt, sourceCount, stride, targetAt, made.length);
            target.set(made, start);
          }
        }
      };
    },
  };
}

function instantiated(): CodecExports | undefined {
  try {
    const module = new WebAssembly.Module(hexToBytes(codecWasm) as Uint8Array<ArrayBuffer>);
    return new WebAssembly.Instance(module).exports as CodecExports;
  } catch {
    return undefined;
  }
}

/** Row by row, as the sums read them. */
function tablesOf(weights: readonly Uint8Array[]): Uint8Array {
  const rowLength = (weights[0] as Uint8Array).length * tableLength;
  const tables = new Uint8Array(weights.length * rowLength);
  for (const [row, ofSources] of weights.entries()) {
    for (const [source, weight] of ofSources.entries()) {
      const table = tables.subarray(row * rowLength + source * tableLength);
      for (let half = 0; half < 16; half++) {
        table[half] = multiply(weight, half);
        table[16 + half] = multiply(weight, half << 4);
      }
    }
  }
  return tables;
}
