/** Whole reads, ranges and streams of immutable files on embedded grids. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, hexToBytes } from '../../src/bytes.ts';
import {
  BadArgumentError,
  InsufficientCapError,
  OutOfRangeError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { litCapOf, parseImmutableCap, toImmutableVerifyCap } from '../../src/immutable/caps.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { chkContents, chkVectors, encodeChk, fileOfVector } from '../support/chk.ts';
import { immutableGrid } from '../support/immutable-grid.ts';

async function gathered(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return concatBytes(...pieces);
}

const equal = (a: Uint8Array, b: Uint8Array) => expect(Buffer.compare(a, b)).toBe(0);

describe.each(chkVectors.cases.map((vector) => [vector.cap.split(':').slice(4).join(' '), vector]))(
  'Tahoe’s file %s',
  (_, vector) => {
    test('is read byte for byte, whole and as a stream', async () => {
      const made = await fileOfVector(vector);
      const { grid, file } = immutableGrid(made, { count: Math.min(vector.n, 20) });
      const contents = chkContents(vector.size);
      expect(file.size).toBe(vector.size);
      expect(file.verifyCap).toBe(vector.verify_cap);
      equal(await file.read(), contents);
      equal(await gathered(grid.openImmutable(vector.cap).stream()), contents);
      expect(grid.openImmutable(vector.cap).cap).toEqual(parseImmutableCap(vector.cap));
    });
  },
);

describe('sizes around the edges', () => {
  const required = 3;
  const segment = 96;
  const edges = [1, 2, 3, 4, 55, 56, 95, 96, 97, 98, 99, 191, 192, 193, 288, 289, 1535, 1536, 1537];
  test.each(edges)('%i bytes in segments of 96', async (size) => {
    const made = await encodeChk(chkContents(size), { required, segmentSizeMax: segment });
    const { file } = immutableGrid(made, { placed: (shnum) => (shnum < 5 ? [] : [shnum]) });
    equal(await file.read(), chkContents(size));
  });

  test.each([
    [1, 1],
    [1, 256],
    [2, 2],
    [128, 256],
    [255, 256],
    [256, 256],
  ])('%i of %i shares, the last ones', async (required, total) => {
    const size = 3000;
    const made = await encodeChk(chkContents(size), { required, total, segmentSizeMax: 1024 });
    const placed = (shnum: number) => (shnum < total - required ? [] : [shnum % 13]);
    const { file } = immutableGrid(made, { count: 13, placed });
    equal(await file.read(), chkContents(size));
  });

  test('a hash tree that is not read whole: only the pages that lead to the range', async () => {
    // 3000 segments of 3 bytes.
    const contents = chkContents(9000);
    const made = await encodeChk(contents, { segmentSizeMax: 3 });
    const { file, calls } = immutableGrid(made);
    equal(await file.read({ offset: 8000, length: 10 }), contents.subarray(8000, 8010));
    const lengths = calls.flatMap((call) => (/\+(\d+)$/.exec(call) ?? []).slice(1).map(Number));
    // Neither tree, of 8191 nodes, was read as a whole.
    expect(Math.max(...lengths)).toBeLessThan(20_000);
    equal(await file.read(), contents);
  });
});

describe('a range', () => {
  const contents = chkContents(1000);
  const made = encodeChk(contents, { segmentSizeMax: 96 });

  test('is any part of the contents, across segments', async () => {
    const { file } = immutableGrid(await made);
    const seed = Date.now();
    const range = fc
      .tuple(fc.nat(1000), fc.nat(1000))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
    await fc.assert(
      fc.asyncProperty(range, async ([from = 0, to = 0]) => {
        const part = await file.read({ offset: from, length: to - from });
        equal(part, contents.subarray(from, to));
      }),
      { numRuns: 60, seed },
    );
  });

  test('reads no other segments', async () => {
    const { file, calls } = immutableGrid(await made, { headLength: 123 });
    equal(await file.read({ offset: 200, length: 80 }), contents.subarray(200, 280));
    // Segment 2, of blocks of 32 bytes, is behind the header and two segments.
    const data = calls.filter((call) => /read \d \d+\+32$/.test(call));
    expect(data.map((call) => call.split(' ')[3])).toEqual(Array(3).fill('100+32'));
  });

  test('of nothing asks nobody, and neither does one that cannot be', async () => {
    const { file, calls } = immutableGrid(await made);
    expect(await file.read({ offset: 1000 })).toEqual(new Uint8Array(0));
    expect(await file.read({ offset: 3, length: 0 })).toEqual(new Uint8Array(0));
    expect(await file.read({ offset: 1000, length: 7 })).toEqual(new Uint8Array(0));
    const offset = new OutOfRangeError('offset', 1001, 'the file has 1000 bytes');
    await expect(file.read({ offset: 1001 })).rejects.toThrowError(offset);
    await expect(gathered(file.stream({ offset: 1001 }))).rejects.toThrowError(offset);
    await expect(file.read({ offset: -1 })).rejects.toThrowError('offset -1');
    await expect(file.read({ length: '1' as never })).rejects.toBeInstanceOf(BadArgumentError);
    expect(calls).toEqual([]);
  });
});

describe('across a network', () => {
  const ofFirst = (calls: readonly string[]) => calls.filter((call) => call.includes('read 0 '));

  test('the URI extension is asked for with the first bytes, where Tahoe 1.20 puts it', async () => {
    const contents = chkContents(100_000);
    const { file, calls } = immutableGrid(await encodeChk(contents), { count: 1, isFar: true });
    equal(await file.read(), contents);
    // Of one segment the crypttext hash tree is its root, which the URI extension has.
    const end = 36 + 33_334 + 3 * 32 + 170;
    const [block, trees] = [`read 0 36+33334`, [36 + 33_334 + 64, end - 170]];
    const hashes = trees.map((at) => `read 0 ${at}+${at === end - 170 ? 170 : 32}`);
    const opening = ['read 0 0+4000', `read 0 ${end}+4096`];
    expect(
      ofFirst(calls)
        .map((call) => call.slice(3))
        .sort(),
    ).toEqual([...opening, block, ...hashes].sort());
    expect(
      ofFirst(calls)
        .slice(0, 2)
        .map((call) => call.slice(3)),
    ).toEqual(opening);
  });

  test('and where it is not there, it is read from where it is', async () => {
    const contents = chkContents(100_000);
    const made = await encodeChk(contents, { segmentSizeMax: 4096 });
    const { file, calls } = immutableGrid(made, { count: 1, isFar: true });
    equal(await file.read(), contents);
    const asked = ofFirst(calls).filter((call) => /\+(4096|4100)$/.test(call));
    expect(asked).toHaveLength(2);
  });

  test('a share that ends before is one that is damaged, not a server that fails', async () => {
    const contents = chkContents(100_000);
    const made = await encodeChk(contents);
    const shares = made.shares.map((share, n) => (n < 7 ? share.slice(0, 33_400) : share));
    const { file } = immutableGrid({ ...made, shares }, { count: 1, isFar: true });
    equal(await file.read(), contents);
  });
});

describe('a stream', () => {
  test('fetches no more than a few windows ahead, and nothing when nobody takes it', async () => {
    // 64 segments of 1 MiB of which a share has all blocks equal: quick to make.
    const size = 24 * 2 ** 20;
    const made = await encodeChk(new Uint8Array(size), { required: 1, total: 1 });
    const { file, calls } = immutableGrid(made, { count: 1 });
    const reader = file.stream().getReader();
    const { value } = await reader.read();
    expect(value?.length).toBe(2 ** 20);
    await reader.cancel();
    const bytes = calls
      .flatMap((call) => (/read 0 \d+\+(\d+)$/.exec(call) ?? []).slice(1).map(Number))
      .reduce((sum, length) => sum + length, 0);
    expect(bytes).toBeLessThan(14 * 2 ** 20);
  });
});

describe('a literal', () => {
  const grid = new Grid({ servers: [new MemoryServer({ id: 's0' })] });

  test.each(chkVectors.lit)('$cap is read without servers', async ({ contents, cap }) => {
    const file = grid.openImmutable(cap);
    const bytes = hexToBytes(contents);
    expect([file.size, file.verifyCap]).toEqual([bytes.length, undefined]);
    expect(await file.read()).toEqual(bytes);
    expect(await gathered(file.stream())).toEqual(bytes);
  });

  test('has ranges like any file', async () => {
    const file = grid.openImmutable(litCapOf(Uint8Array.of(1, 2, 3)));
    expect(await file.read({ offset: 1 })).toEqual(Uint8Array.of(2, 3));
    expect(await gathered(file.stream({ offset: 1, length: 1 }))).toEqual(Uint8Array.of(2));
    const excess = new OutOfRangeError('offset', 4, 'the file has 3 bytes');
    await expect(file.read({ offset: 4 })).rejects.toThrowError(excess);
    await expect(file.read({ signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });

  test('is not changed by whoever reads it', async () => {
    const file = grid.openImmutable(litCapOf(Uint8Array.of(1, 2, 3)));
    (await file.read()).fill(9);
    expect(await file.read()).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('what cannot be opened or read', () => {
  const grid = new Grid({ servers: [new MemoryServer({ id: 's0' })] });
  const cap = parseImmutableCap(chkVectors.cases[0]!.cap);

  test('by a verify cap', async () => {
    if (cap.kind !== 'chk') throw new Error('another vector');
    const file = grid.openImmutable(toImmutableVerifyCap(cap));
    expect([file.size, file.verifyCap]).toEqual([56, chkVectors.cases[0]!.verify_cap]);
    const refusal = new InsufficientCapError('reading', 'read', 'verify');
    await expect(file.read()).rejects.toThrowError(refusal);
    await expect(gathered(file.stream())).rejects.toThrowError(refusal);
  });

  test('by what is no cap, or has lost its key', () => {
    for (const bad of [undefined, 7, {}, { ...cap }, { ...litCapOf(new Uint8Array(1)) }]) {
      expect(() => grid.openImmutable(bad as never)).toThrowError(BadArgumentError);
    }
  });

  test('when no server has a share', async () => {
    const end = await grid
      .openImmutable(cap)
      .read()
      .catch((error: unknown) => error);
    expect(end).toBeInstanceOf(UnrecoverableFileError);
    expect((end as Error).message).toBe(
      'the file can not be read: no good share found (1 of 1 servers answered)',
    );
  });
});
