import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinPlaintexts, plaintextOf } from '../../src/share/plaintext.ts';

test('bytes are read where they are', async () => {
  const source = plaintextOf(Uint8Array.of(1, 2, 3, 4));
  expect(source.size).toBe(4);
  expect(await source.read(1, 2)).toEqual(Uint8Array.of(2, 3));
  expect(await source.read(4, 0)).toEqual(new Uint8Array(0));
});

test('joined sources read as one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 5 }),
      fc.nat(),
      fc.nat(),
      async (pieces, a, b) => {
        const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
        const joined = joinPlaintexts(...pieces.map(plaintextOf));
        expect(joined.size).toBe(whole.length);
        const offset = a % (whole.length + 1);
        const length = b % (whole.length - offset + 1);
        expect(await joined.read(offset, length)).toEqual(whole.slice(offset, offset + length));
      },
    ),
  );
});
