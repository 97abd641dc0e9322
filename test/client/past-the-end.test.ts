/** Reading at and past the end: what is there is given, and an offset behind it is an error. */
import { beforeAll, describe, expect, test } from 'vitest';
import { OutOfRangeError } from '../../src/errors.ts';
import { litCapOf } from '../../src/immutable/caps.ts';
import type { Range } from '../../src/runtime/options.ts';
import { encodeChk } from '../support/chk.ts';
import { bytesOf, expectBytes, testGrid, testKey } from '../support/client-grid.ts';
import { immutableGrid } from '../support/immutable-grid.ts';

/** What mutable and immutable files have in common. */
interface Readable {
  read(range: Range): Promise<Uint8Array>;
  stream(range: Range): ReadableStream<Uint8Array>;
}

/** What a literal can hold. */
const size = 50;
const contents = bytesOf(size);
const encoding = { required: 1, happy: 1, total: 1 };

async function mutable(format: 'sdmf' | 'mdmf', bytes: Uint8Array) {
  return testGrid({ count: 1, encoding }).grid.create({ format, key: testKey, contents: bytes });
}

const files: Record<string, (bytes: Uint8Array) => Promise<Readable>> = {
  'an SDMF file': (bytes) => mutable('sdmf', bytes),
  'an MDMF file': (bytes) => mutable('mdmf', bytes),
  // Tahoe makes a literal of what is empty.
  'an immutable file': async (bytes) =>
    bytes.length === 0
      ? testGrid().grid.openImmutable(litCapOf(bytes))
      : immutableGrid(await encodeChk(bytes, { required: 1, total: 1 }), { count: 1 }).file,
  'a literal': async (bytes) => testGrid().grid.openImmutable(litCapOf(bytes)),
};

const ways: Record<string, (file: Readable, range: Range) => Promise<Uint8Array>> = {
  read: (file, range) => file.read(range),
  stream: async (file, range) =>
    new Uint8Array(await new Response(file.stream(range)).arrayBuffer()),
};

describe.each(Object.entries(files))('%s', (_, fileOf) => {
  let file: Readable;
  let empty: Readable;
  beforeAll(async () => {
    file = await fileOf(contents);
    empty = await fileOf(new Uint8Array(0));
  });

  describe.each(Object.entries(ways))('%s', (_, bytesIn) => {
    test.each<[string, Range, Uint8Array]>([
      ['more than there is', { length: size + 1 }, contents],
      ['far more', { offset: 40, length: Number.MAX_SAFE_INTEGER }, contents.subarray(40)],
      ['the last byte and another', { offset: size - 1, length: 2 }, contents.subarray(size - 1)],
      ['the end', { offset: size }, new Uint8Array(0)],
      ['something at the end', { offset: size, length: 5 }, new Uint8Array(0)],
      ['nothing', { offset: 5, length: 0 }, new Uint8Array(0)],
    ])('gives what is there of %s', async (_, range, wanted) => {
      expectBytes(await bytesIn(file, range), wanted);
    });

    test('gives nothing of nothing', async () => {
      expect(await bytesIn(empty, { length: 7 })).toEqual(new Uint8Array(0));
    });

    test('refuses what begins behind the end, and says where that is', async () => {
      for (const range of [{ offset: size + 1 }, { offset: size + 1, length: 0 }]) {
        const problem = `the file has ${size} bytes`;
        await expect(bytesIn(file, range)).rejects.toThrowError(
          new OutOfRangeError('offset', size + 1, problem),
        );
      }
      await expect(bytesIn(empty, { offset: 1 })).rejects.toThrowError(
        new OutOfRangeError('offset', 1, 'the file has 0 bytes'),
      );
    });

    test.each<[string, Range, string]>([
      ['below 0', { offset: -1 }, 'offset -1: must be a whole number from 0 to 2^53-1'],
      ['between two bytes', { length: 0.5 }, 'length 0.5: must be a whole number from 0 to 2^53-1'],
      ['no number', { offset: Number.NaN }, 'offset NaN: must be a whole number from 0 to 2^53-1'],
    ])('refuses a place that is %s', async (_, range, message) => {
      const error = await bytesIn(file, range).catch((e) => e);
      expect([error.code, error.message]).toEqual(['OutOfRangeError', message]);
    });
  });
});
