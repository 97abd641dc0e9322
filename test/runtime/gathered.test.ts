import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes.ts';
import { BeyondLimitError } from '../../src/errors.ts';
import { Gathered } from '../../src/runtime/gathered.ts';
import { bytesOf } from '../support/client-grid.ts';

function gather(pieces: readonly Bytes[], expected?: number): Bytes {
  const gathered = new Gathered(expected);
  for (const piece of pieces) gathered.add(piece);
  return gathered.whole();
}

test('pieces of any lengths become one, in order', () => {
  const length = fc.oneof(fc.nat(9), fc.constantFrom(30_000, 65_535, 65_536, 65_537, 100_000));
  fc.assert(
    fc.property(fc.array(length, { maxLength: 12 }), (lengths) => {
      const pieces = lengths.map((n, i) => bytesOf(n, i).slice());
      const whole = Buffer.concat(pieces);
      for (const expected of [0, whole.length - 1, whole.length, whole.length + 1]) {
        expect(Buffer.compare(gather(pieces, Math.max(0, expected)), whole)).toBe(0);
      }
    }),
    { numRuns: 200 },
  );
});

test('two hundred thousand pieces are no more than one call takes; one alone is not copied', () => {
  const piece = Uint8Array.of(1, 2, 3);
  const whole = gather(Array<Bytes>(200_000).fill(piece));
  expect([whole.length, whole[599_999]]).toEqual([600_000, 3]);
  expect(gather([piece])).toBe(piece);
  expect(gather([])).toEqual(new Uint8Array(0));
});

test('of what is expected, pieces can be made where they will be', () => {
  const gathered = new Gathered(9);
  const first = gathered.roomFor(4)?.fill(1) as Bytes;
  gathered.add(first);
  gathered.add(Uint8Array.of(2, 2));
  expect(gathered.roomFor(4)).toBe(undefined);
  gathered.add(gathered.roomFor(3)?.fill(3) as Bytes);
  expect(gathered.whole()).toEqual(Uint8Array.of(1, 1, 1, 1, 2, 2, 3, 3, 3));
  expect(gathered.whole().buffer).toBe(first.buffer);
  expect(new Gathered(2 ** 32).roomFor(1)).toBe(undefined);
});

test('what one array does not hold is refused before it is put together', () => {
  const gathered = new Gathered();
  // The same bytes again and again: they are kept, not copied.
  const piece = new Uint8Array(2 ** 28);
  for (let i = 0; i < 15; i++) gathered.add(piece);
  expect(() => gathered.add(piece)).toThrowError(
    new BeyondLimitError('bytes in memory', 2 ** 32, 2 ** 32 - 1),
  );
});
