/**
 * @module kernel: what codec.ts asks of the code that computes its sums.
 */

/**
 * Writes to each target the weighted sum of the sources, byte by byte. All are of one length, and
 * no target shares memory with a source.
 */
export type Sums = (sources: readonly Uint8Array[], targets: readonly Uint8Array[]) => void;

/** There are two, with equal results: simd-kernel.ts, and portable-kernel.ts where that fails. */
export interface Kernel {
  readonly name: string;
  /** @param weights for each target the weight of each source; at least one of either */
  prepare(weights: readonly Uint8Array[]): Sums;
}
