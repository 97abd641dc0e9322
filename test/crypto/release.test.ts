import { expect, test } from 'vitest';
import { release } from '../../src/crypto/release.ts';

test('what is released has no bytes any more, and others have theirs', () => {
  const [gone, kept] = [new Uint8Array(100_000).fill(7), new Uint8Array(3).fill(9)];
  const view = gone.subarray(5, 9);
  release(gone);
  expect([gone.length, gone.buffer.byteLength, view.length]).toEqual([0, 0, 0]);
  release(new Uint8Array(1));
  expect(kept).toEqual(Uint8Array.of(9, 9, 9));
});

test('where arrays can be transferred, that does it', () => {
  const lengths: number[] = [];
  const buffer = Object.assign(new ArrayBuffer(4), {
    transfer: (length: number) => lengths.push(length),
  });
  release(new Uint8Array(buffer));
  expect(lengths).toEqual([0]);
});
