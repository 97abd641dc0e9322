import { describe, expect, test } from 'vitest';
import { bytesToHex } from '../../src/bytes.ts';
import { CorruptShareError, OutOfRangeError, SourceChangedError } from '../../src/errors.ts';
import { type Plaintext, plaintextOf } from '../../src/share/plaintext.ts';
import {
  allShares,
  applyParts,
  encode,
  golden,
  goldenBytes,
  readerOf,
  readFile,
  shareBytes,
} from '../support/shares.ts';

/** Of MDMF with k = 1. */
const segmentSize = 131072;
const empty = new Uint8Array(0);

/** A source that notes what is read, and that a test can change. */
function watched(bytes: Uint8Array) {
  const reads: [offset: number, length: number][] = [];
  const source = plaintextOf(bytes);
  const plaintext: Plaintext = {
    size: bytes.length,
    read(offset, length) {
      reads.push([offset, length]);
      return source.read(offset, length);
    },
  };
  return { plaintext, reads };
}

describe('parts', () => {
  const ranges = (parts: readonly { offset: number; length: number }[]) =>
    parts.map(({ offset, length }) => [offset, length]);

  test('SDMF is one', async () => {
    const version = await encode({ format: 'sdmf', required: 3, total: 10 }, goldenBytes(26));
    expect(ranges(version.shareParts(9))).toEqual([[0, 2051]]);
    expect(version.shareLength).toBe(2051);
  });

  test.each([1, 2])(
    'SDMF at once, k = %d: no two shares are in the way of each other',
    async (k) => {
      const version = await encode({ format: 'sdmf', required: k, total: 3 }, goldenBytes(26));
      const at = (shnum: number) => version.shareParts(shnum)[0]?.bytes() as Promise<Uint8Array>;
      const [two, zero, one, again] = await Promise.all([2, 0, 1, 2].map(at));
      expect(again).toEqual(two);
      const kept = new Map([zero, one, two].entries()) as Map<number, Uint8Array>;
      expect(await readFile(kept, golden.readkey)).toEqual(goldenBytes(26));
    },
  );

  test('the shares of an SDMF file of several blocks lie in one memory, and are not copied', async () => {
    const version = await encode({ format: 'sdmf', required: 2, total: 3 }, goldenBytes(26));
    const [one, other] = [await shareBytes(version, 0), await version.shareParts(0)[0]?.bytes()];
    expect(one).toEqual(other);
    const shares = await Promise.all([0, 1, 2].map((n) => version.shareParts(n)[0]?.bytes()));
    expect(new Set(shares.map((share) => share?.buffer)).size).toBe(1);
  });

  test('MDMF is one per segment, the tree, and last the head; the gap is left out', async () => {
    const version = await encode(
      { format: 'mdmf', required: 1, total: 2 },
      goldenBytes(2 * segmentSize + 5),
    );
    expect(ranges(version.shareParts(0))).toEqual([
      [2167, 131088],
      [133255, 131088],
      [264343, 21],
      [264364, 224],
      [0, 1924],
    ]);
    expect(version.shareLength).toBe(264588);
  });

  test('an empty MDMF file has a tree and a head', async () => {
    const version = await encode({ format: 'mdmf', required: 3, total: 10 }, empty);
    expect(ranges(version.shareParts(0))).toEqual([
      [2167, 32],
      [0, 2026],
    ]);
  });

  test('a head that does not fit in front of 2167 moves the share data', async () => {
    const version = await encode(
      { format: 'mdmf', required: 1, total: 1, encryptedPrivateKey: new Uint8Array(2000) },
      goldenBytes(7),
    );
    expect(version.header.layout.shareData).toEqual({ offset: 123 + 2000 + 256 + 294, length: 23 });
    const shares = new Map([[0, await shareBytes(version, 0)]]);
    expect(await readFile(shares, golden.readkey)).toEqual(goldenBytes(7));
  });

  test.each([2, -1, 0.5])('there is no share %d of two', async (shnum) => {
    const version = await encode({ format: 'mdmf', required: 1, total: 2 }, empty);
    expect(() => version.shareParts(shnum)).toThrowError(
      new OutOfRangeError('shnum', shnum, 'the version has 2 shares'),
    );
  });
});

describe('the largest and the smallest encoding', () => {
  test.each([
    [1, 1],
    [1, 255],
    [255, 255],
    [100, 255],
  ])('%d of %d', async (required, total) => {
    const plaintext = goldenBytes(1000);
    const version = await encode({ format: 'mdmf', required, total }, plaintext);
    const last = (await allShares(version)).map((bytes, i) => [i, bytes] as const).slice(-required);
    expect(await readFile(new Map(last), golden.readkey)).toEqual(plaintext);
  });

  test.each([
    [0, 1, new OutOfRangeError('required shares', 0, 'must be 1 to 1, the total')],
    [4, 3, new OutOfRangeError('required shares', 4, 'must be 1 to 3, the total')],
    [3, 256, new OutOfRangeError('total shares', 256, 'must be 1 to 255')],
  ])('%d of %d is refused before anything is read', async (required, total, error) => {
    const { plaintext, reads } = watched(goldenBytes(10));
    await expect(
      encode({ format: 'sdmf', required, total, plaintext }, empty),
    ).rejects.toThrowError(error);
    expect(reads).toEqual([]);
  });

  test('a key that no reader would take is refused', async () => {
    await expect(
      encode(
        { format: 'sdmf', required: 1, total: 1, verificationKey: new Uint8Array(4097) },
        empty,
      ),
    ).rejects.toThrowError(new CorruptShareError('verification key', '4097 bytes, more than 4096'));
  });
});

describe('salts', () => {
  test('SDMF draws one, also when empty; MDMF one per segment', async () => {
    const drawn = async (format: 'sdmf' | 'mdmf', size: number) => {
      let count = 0;
      const newSalt = () => new Uint8Array(16).fill(++count);
      await allShares(await encode({ format, required: 1, total: 3, newSalt }, goldenBytes(size)));
      return count;
    };
    expect(await drawn('sdmf', 0)).toBe(1);
    expect(await drawn('sdmf', 300_000)).toBe(1);
    expect(await drawn('mdmf', 0)).toBe(0);
    expect(await drawn('mdmf', 6 * segmentSize + 1)).toBe(7);
  });

  test('equal segments are stored differently', async () => {
    const version = await encode(
      { format: 'mdmf', required: 1, total: 1 },
      new Uint8Array(2 * segmentSize),
    );
    const entries = await readerOf(await shareBytes(version, 0)).reader.blocks(0, 2);
    const [first, second] = entries.map(({ block }) => bytesToHex(block.subarray(0, 16)));
    expect(first).not.toBe(second);
  });
});

describe('the two passes', () => {
  const size = 6 * segmentSize + 1;
  const once = Array.from({ length: 7 }, (_, i) => [i * segmentSize, i < 6 ? segmentSize : 1]);

  test('a small file is read once', async () => {
    const { plaintext, reads } = watched(goldenBytes(4 * segmentSize));
    await allShares(await encode({ format: 'mdmf', required: 1, total: 3, plaintext }, empty));
    expect(reads).toEqual(once.slice(0, 4));
  });

  test('a large file twice, segment by segment, when its shares are written in lockstep', async () => {
    const { plaintext, reads } = watched(goldenBytes(size));
    const version = await encode({ format: 'mdmf', required: 1, total: 3, plaintext }, empty);
    expect(reads).toEqual(once);
    const parts = [0, 1, 2].map((shnum) => version.shareParts(shnum).slice(0, 7));
    for (const i of once.keys()) {
      await Promise.all(parts.map((ofShare) => ofShare[i]?.bytes()));
    }
    // The last four segments of the first pass are kept, but gone when their turn comes.
    expect(reads.slice(7)).toEqual(once);
  });

  test('a share can be made at any time, again and in any order, with the same bytes', async () => {
    const version = await encode({ format: 'mdmf', required: 2, total: 3 }, goldenBytes(size));
    const first = await shareBytes(version, 2);
    await shareBytes(version, 0);
    const backwards = await applyParts(empty, version.shareParts(2).toReversed());
    expect(Buffer.compare(first, backwards)).toBe(0);
    const shares = new Map([
      [2, first],
      [1, await shareBytes(version, 1)],
    ]);
    const read = await readFile(shares, golden.readkey);
    expect(Buffer.compare(read, goldenBytes(size))).toBe(0);
  });

  test('signs once, and reports each segment of the first pass', async () => {
    let signatures = 0;
    const progress: number[] = [];
    const version = await encode(
      {
        format: 'mdmf',
        required: 1,
        total: 3,
        sign: async () => {
          signatures++;
          return new Uint8Array(256);
        },
        onSegment: (bytes) => progress.push(bytes),
      },
      goldenBytes(2 * segmentSize + 1),
    );
    await allShares(version);
    expect(signatures).toBe(1);
    expect(progress).toEqual([segmentSize, segmentSize, 1]);
  });
});

describe('a source that is not what it was', () => {
  test.each(['sdmf', 'mdmf'] as const)('ends early: %s', async (format) => {
    const plaintext: Plaintext = { size: 100, read: async () => new Uint8Array(99) };
    await expect(encode({ format, required: 1, total: 1, plaintext }, empty)).rejects.toThrowError(
      new SourceChangedError('99 bytes at offset 0, not 100', { offset: 0, wanted: 100, got: 99 }),
    );
  });

  test('changes between the passes: no part is produced any more, though it may change back', async () => {
    const bytes = goldenBytes(6 * segmentSize);
    const version = await encode({ format: 'mdmf', required: 1, total: 1 }, bytes);
    bytes[segmentSize] = 1 ^ (bytes[segmentSize] as number);
    const [first, second] = version.shareParts(0);
    expect((await first?.bytes())?.length).toBe(131088);
    await expect(second?.bytes()).rejects.toThrowError(
      new SourceChangedError('segment 1', { segment: 1 }),
    );
    bytes[segmentSize] = 1 ^ (bytes[segmentSize] as number);
    for (const part of [second, first, version.shareParts(0)[2]]) {
      await expect(part?.bytes()).rejects.toThrowError(
        new SourceChangedError('segment 1', { segment: 1 }),
      );
    }
  });

  test('fails to read: the error passes through', async () => {
    const broken = new Error('disk');
    const plaintext: Plaintext = { size: 1, read: () => Promise.reject(broken) };
    await expect(encode({ format: 'mdmf', required: 1, total: 1, plaintext }, empty)).rejects.toBe(
      broken,
    );
  });
});

describe('a signal', () => {
  const large = goldenBytes(24 * segmentSize);

  test('stops the first pass, whose turns let a timer give it', async () => {
    const controller = new AbortController();
    const { plaintext, reads } = watched(large);
    setTimeout(() => controller.abort(new Error('enough')));
    const { signal } = controller;
    await expect(
      encode({ format: 'mdmf', required: 1, total: 1, plaintext, signal }, empty),
    ).rejects.toThrowError('enough');
    expect(reads.length).toBe(16);
  });

  test('stops the second pass', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const version = await encode({ format: 'mdmf', required: 1, total: 1, signal }, large);
    controller.abort(new Error('enough'));
    await expect(version.shareParts(0)[0]?.bytes()).rejects.toThrowError('enough');
  });
});
