import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OutOfRangeError } from '../../src/errors.ts';
import { decodeSegment } from '../../src/share/decode.ts';
import {
  countingSalts,
  encode,
  golden,
  goldenBytes,
  readerOf,
  readFile,
  shareBytes,
} from '../support/shares.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('any k shares give the file back, whatever its format, encoding and size', async () => {
  const encoding = fc.integer({ min: 1, max: 12 }).chain((total) =>
    fc.record({
      total: fc.constant(total),
      required: fc.integer({ min: 1, max: total }),
      order: fc.shuffledSubarray([...Array(total).keys()], { minLength: total }),
    }),
  );
  /** Around 0, a few bytes, one and two segments (131072 to 131076 for these k). */
  const size = fc
    .tuple(fc.constantFrom(0, 0, 1, 2), fc.integer({ min: -3, max: 15 }))
    .map(([segments, more]) => Math.max(0, segments * 131072 + more));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('sdmf' as const, 'mdmf' as const),
      encoding,
      size,
      async (format, { required, total, order }, length) => {
        const plaintext = goldenBytes(length);
        const version = await encode({ format, required, total }, plaintext);
        const shares = new Map<number, Uint8Array>();
        for (const shnum of order.slice(0, required)) {
          shares.set(shnum, await shareBytes(version, shnum));
        }
        expect(sha256(await readFile(shares, golden.readkey))).toBe(sha256(plaintext));
      },
    ),
    { numRuns: 60 },
  );
});

describe('bad arguments', async () => {
  const version = await encode(
    { format: 'mdmf', required: 2, total: 3, newSalt: countingSalts() },
    goldenBytes(9),
  );
  const { reader } = readerOf(await shareBytes(version, 2));
  const [{ block, salt } = { block: new Uint8Array(0), salt: undefined }] = await reader.blocks(
    0,
    1,
  );
  const decode = (segnum: number, blocks: [number, Uint8Array][], givenSalt = salt) =>
    decodeSegment(version.header, golden.readkey, segnum, new Map(blocks), givenSalt);

  test('too few blocks', async () => {
    await expect(decode(0, [[2, block]])).rejects.toThrowError(
      new OutOfRangeError('blocks', 1, 'decoding needs 2'),
    );
  });

  test('a block of a wrong length', async () => {
    const blocks: [number, Uint8Array][] = [2, 1].map((shnum) => [shnum, block.subarray(1)]);
    await expect(decode(0, blocks)).rejects.toThrowError(
      new OutOfRangeError('block length', 4, 'segment 0 has 5'),
    );
  });

  test('a share or segment that there is not', async () => {
    const blocks: [number, Uint8Array][] = [2, 3].map((shnum) => [shnum, block]);
    await expect(decode(0, blocks)).rejects.toThrowError(
      new OutOfRangeError('shnum', 3, 'must be 0 to 2'),
    );
    await expect(decode(1, blocks)).rejects.toThrowError(
      new OutOfRangeError('segment', 1, 'the file has 1'),
    );
  });

  test('no salt, for MDMF', async () => {
    const blocks = new Map([2, 1].map((shnum) => [shnum, block]));
    await expect(decodeSegment(version.header, golden.readkey, 0, blocks)).rejects.toThrowError(
      new OutOfRangeError('salt length', 0, 'MDMF has a salt per segment'),
    );
  });
});
