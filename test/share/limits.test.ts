import { describe, expect, test } from 'vitest';
import { formatCap, type WriteCap } from '../../src/caps.ts';
import { BeyondLimitError, NotEnoughSharesError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { bytesOf, testGrid } from '../support/client-grid.ts';
import {
  turnsDuring,
  type ZeroOptions,
  type ZeroRead,
  zeroFile,
  zeroServers,
} from '../support/zero-file.ts';

/** A client of servers that hold a version of zeros. */
async function hostile(options: ZeroOptions) {
  const { create } = testGrid();
  const cap = (await create(options.format)).cap as WriteCap;
  const file = await zeroFile(options);
  const { servers, reads, atOnce } = zeroServers(file);
  const { required, total } = options;
  const grid = new Grid({ servers, encoding: { required, happy: 1, total } });
  return { grid, cap, file: grid.open(formatCap(cap)), zero: file, reads, atOnce };
}

const sum = (reads: readonly ZeroRead[]) => reads.reduce((all, { length }) => all + length, 0);
const longest = (reads: readonly ZeroRead[]) => Math.max(...reads.map(({ length }) => length));
const MiB = 2 ** 20;

const endless = {
  format: 'mdmf',
  required: 3,
  total: 10,
  segmentSize: 3,
  segmentCount: 2 ** 31,
} as const;

describe('a share of 2^31 segments of three bytes', () => {
  test.each([0, 3 * 2 ** 30 + 1, 3 * 2 ** 31 - 1])(
    'gives its byte %i for what leads to it',
    async (offset) => {
      const { file, zero, cap, reads } = await hostile(endless);
      const segment = await zero.segment(cap);
      expect(await file.read({ offset, length: 1 })).toEqual(
        segment.slice(offset % 3, (offset % 3) + 1),
      );
      // 64 GiB of hashes and 34 GiB of blocks are there: 23 levels of three shares, each in a page.
      expect(longest(reads)).toBe(512 * 32);
      expect(sum(reads)).toBeLessThan(2 * MiB);
    },
  );

  test('gives many in a row, and asks for each part of its tree once', async () => {
    const { file, zero, cap, reads } = await hostile(endless);
    const segment = await zero.segment(cap);
    const bytes = await file.read({ offset: 3 * 5000, length: 3 * 5000 });
    expect(bytes.length).toBe(15_000);
    expect(bytes.every((byte, i) => byte === segment[i % 3])).toBe(true);
    const { blockHashTree } = zero.header.layout;
    const pages = reads.filter(({ offset }) => offset >= blockHashTree.offset);
    expect(new Set(pages.map(({ shnum, offset }) => `${shnum}:${offset}`)).size).toBe(pages.length);
    expect(sum(reads)).toBeLessThan(4 * MiB);
  });

  test('is not taken into memory whole, nor its trees', async () => {
    const { file, reads } = await hostile(endless);
    const size = 3 * 2 ** 31;
    const error = new BeyondLimitError('bytes in memory', size, 2 ** 32 - 1);
    await expect(file.append(bytesOf(1))).rejects.toThrowError(error);
    await expect(file.modify((c) => c)).rejects.toThrowError(error);
    expect(longest(reads)).toBeLessThanOrEqual(4000);
  });
});

describe('a version beyond a limit', () => {
  test.each<[string, ZeroOptions, BeyondLimitError]>([
    [
      'of a segment too long, SDMF',
      { format: 'sdmf', required: 3, total: 10, segmentSize: 3 * 2 ** 27, segmentCount: 1 },
      new BeyondLimitError('segment size of version 7', 3 * 2 ** 27, 2 ** 28),
    ],
    [
      'of segments too long, MDMF',
      { format: 'mdmf', required: 3, total: 10, segmentSize: 3 * 2 ** 48, segmentCount: 2 },
      new BeyondLimitError('segment size of version 7', 3 * 2 ** 48, 2 ** 28),
    ],
    [
      'of too many segments',
      { format: 'mdmf', required: 3, total: 10, segmentSize: 3, segmentCount: 2 ** 33 },
      new BeyondLimitError('segment count of version 7', 2 ** 33, 2 ** 32),
    ],
  ])('%s, is seen, and refused by name before a block is asked for', async (_, options, error) => {
    const { file, grid, reads } = await hostile(options);
    const map = await file.servermap();
    expect(Object.values(map.versions)).toEqual([expect.objectContaining({ seqnum: 7 })]);
    for (const operation of [
      () => file.read({ length: 1 }),
      () => new Response(file.stream({ length: 1 }) as ReadableStream).bytes(),
      () => file.verify(),
      () => grid.open(file.verifyCap).verify(),
      () => file.update(bytesOf(5), 0),
      () => file.append(bytesOf(5)),
      () => file.modify((c) => c),
    ]) {
      await expect(operation()).rejects.toThrowError(error);
    }
    expect(longest(reads)).toBeLessThanOrEqual(4000);
    // An empty range needs no segment.
    expect(await file.read({ length: 0 })).toEqual(new Uint8Array(0));
  });

  test('is none that Tahoe writes, up to 100 TiB in MDMF and 256 MiB in SDMF', async () => {
    const tahoe = { required: 4, total: 10, segmentSize: 2 ** 17, segmentCount: 2 ** 30 };
    const { file, zero, cap } = await hostile({ format: 'mdmf', ...tahoe });
    const segment = await zero.segment(cap);
    expect(await file.read({ offset: 2 ** 47 - 5, length: 5 })).toEqual(segment.slice(-5));
    const large = { required: 4, total: 10, segmentSize: 2 ** 28, segmentCount: 1, length: 6000 };
    const short = await hostile({ format: 'sdmf', ...large });
    await expect(short.file.read()).rejects.toThrowError(NotEnoughSharesError);
  });
});

describe('a block that is larger than a request', () => {
  const large = {
    format: 'sdmf',
    required: 2,
    total: 4,
    segmentSize: 10 * 2 * MiB,
    segmentCount: 1,
  } as const;

  test('comes in several', async () => {
    const { file, zero, cap, reads } = await hostile(large);
    const segment = await zero.segment(cap);
    expect(Buffer.compare(await file.read(), segment)).toBe(0);
    expect(longest(reads)).toBe(4 * MiB);
    expect(
      reads
        .filter(({ length }) => length > 4000)
        .map(({ length }) => length / MiB)
        .sort(),
    ).toEqual([2, 2, 4, 4, 4, 4]);
    const { good, bad } = await file.verify();
    expect([good.length, bad.length]).toEqual([4, 0]);
  });

  test('that is not there is asked for once', async () => {
    const { file, reads } = await hostile({ ...large, length: 5000 });
    await expect(file.read({ length: 1 })).rejects.toThrowError(NotEnoughSharesError);
    const blocks = reads.filter(({ length }) => length > 4000);
    // Each of the four shares by each of two attempts at most, and none for a second piece.
    expect(blocks.length).toBeLessThanOrEqual(8);
    expect(new Set(blocks.map(({ offset }) => offset)).size).toBe(1);
    expect(longest(reads)).toBe(4 * MiB);
  });
});

test('many shares are verified a few at a time', async () => {
  const { file, zero, reads, atOnce } = await hostile({
    ...({ format: 'mdmf', required: 1, total: 60 } as const),
    ...{ segmentSize: 131_072, segmentCount: 4 },
  });
  const verified = await file.verify();
  expect(verified.isHealthy).toBe(true);
  const { offset: data } = zero.header.layout.shareData;
  // All 60 are mapped at once; of ten at a time, blocks, chain and tree are read.
  expect(atOnce.mostBeyond(data)).toBe(20);
  expect(reads.filter(({ offset }) => offset === data).length).toBe(60);
});

describe('long loops leave others their turn', () => {
  /** Hashes and segments between two turns. */
  const perTurn = 1024;

  test('over 2^14 segments of one byte', async () => {
    const { file } = await hostile({
      ...{ format: 'mdmf', required: 1, total: 2 },
      ...{ segmentSize: 1, segmentCount: 2 ** 14 },
    });
    const reading = file.read();
    expect(await turnsDuring(reading)).toBeGreaterThan((8 * 2 ** 14) / perTurn);
    expect((await reading).length).toBe(2 ** 14);
    const verifying = file.verify();
    expect(await turnsDuring(verifying)).toBeGreaterThan((2 * 2 * 2 ** 14) / perTurn);
    expect((await verifying).isHealthy).toBe(true);
  });

  test('over a segment of 24 MiB, read and written', async () => {
    const size = 24 * MiB;
    const encoding = { required: 2, happy: 1, total: 4 };
    const { create, servers } = testGrid({ count: 4, encoding });
    const creating = create('sdmf', new Uint8Array(size));
    // Hashed, encrypted, encoded and hashed again: each at least once, 2 MiB at a stretch.
    expect(await turnsDuring(creating)).toBeGreaterThan((3 * size) / (2 * MiB));
    const { readCap } = await creating;
    // Of a client that has not verified the signature yet, as the writer has.
    const reading = new Grid({ servers, encoding }).open(readCap).read();
    // Decrypted; the two blocks are hashed side by side, in half as many turns.
    expect(await turnsDuring(reading)).toBeGreaterThan((1.5 * size) / (2 * MiB));
    expect((await reading).length).toBe(size);
  });
});
