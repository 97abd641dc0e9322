/**
 * Salts of segments: as long as they have to be, no two alike, and drawn many at a time.
 */
import { expect, test } from 'vitest';
import { primitives } from '#crypto';
import { bytesToHex } from '../../src/bytes.ts';
import { saltsFrom } from '../../src/crypto/salts.ts';

test('of 150 salts no two are alike, and they are drawn 64 at a time', () => {
  const drawn: number[] = [];
  const randomBytes = (length: number) => {
    drawn.push(length);
    return primitives.randomBytes(length);
  };
  const newSalt = saltsFrom(randomBytes);
  const salts = Array.from({ length: 150 }, newSalt);
  expect(salts.every(({ length }) => length === 16)).toBe(true);
  expect(new Set(salts.map(bytesToHex)).size).toBe(150);
  expect(drawn).toEqual([1024, 1024, 1024]);
});
