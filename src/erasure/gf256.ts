/**
 * @module gf256: the field GF(2^8) that zfec computes in: polynomial 0x11D, generator 2
 * (docs/format.md §4.1). Addition is XOR.
 */

/** The order of the multiplicative group: exponents count modulo this. */
const groupOrder = 255;

/** Twice round, so that the sum of two logarithms is an index. */
const powers = new Uint8Array(2 * groupOrder);
const logarithms = new Uint8Array(256);
for (let exponent = 0, value = 1; exponent < groupOrder; exponent++) {
  powers[exponent] = value;
  powers[exponent + groupOrder] = value;
  logarithms[value] = exponent;
  value <<= 1;
  if (value > 0xff) value ^= 0x11d;
}

/** 2^exponent, for any integer exponent. */
export function power(exponent: number): number {
  return powers[((exponent % groupOrder) + groupOrder) % groupOrder] as number;
}

/** The exponent e in 0…254 with 2^e = value; `value` is not 0. */
export function logarithm(value: number): number {
  return logarithms[value] as number;
}

export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : (powers[logarithm(a) + logarithm(b)] as number);
}
