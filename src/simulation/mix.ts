/**
 * @module mix: two lanes of 32 bits, each with its own number to multiply by, for fingerprints of
 * what a search has met.
 */

export function mixA(hash: number, value: number): number {
  const h = Math.imul(hash ^ value, 0x9e3779b1);
  return h ^ (h >>> 15);
}

export function mixB(hash: number, value: number): number {
  const h = Math.imul(hash ^ value, 0x85ebca6b);
  return h ^ (h >>> 13);
}
