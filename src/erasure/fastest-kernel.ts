/**
 * @module fastest-kernel: which kernel a platform gets.
 */
import type { Kernel } from './kernel.ts';
import { portableKernel } from './portable-kernel.ts';
import { createSimdKernel } from './simd-kernel.ts';

let fastest: Kernel | undefined;

/** Chosen once, when first needed: who codes nothing compiles nothing. */
export function fastestKernel(): Kernel {
  fastest ??= createSimdKernel() ?? portableKernel;
  return fastest;
}
