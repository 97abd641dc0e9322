import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { primitives } from '#crypto';
import { concatBytes, u64 } from '../../src/bytes.ts';
import { CorruptShareError, OutOfRangeError, WrongFormatError } from '../../src/errors.ts';
import { encodeUpdate, type UpdateInput } from '../../src/share/encode-update.ts';
import { parseShareHeader, type ShareHeader } from '../../src/share/header.ts';
import { joinPlaintexts, plaintextOf } from '../../src/share/plaintext.ts';
import type { EncodedVersion } from '../../src/share/seal.ts';
import { countNeeded, nodesNeeded, type OldTree } from '../../src/share/update-trees.ts';
import {
  allShares,
  applyParts,
  countingSalts,
  encode,
  golden,
  goldenBytes,
  readerOf,
  readFile,
} from '../support/shares.ts';

const empty = new Uint8Array(0);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A file as it lies on servers, with what a test must know to predict its next version. */
interface Stored {
  readonly header: ShareHeader;
  readonly shares: readonly Uint8Array[];
  readonly plaintext: Uint8Array;
  readonly salts: readonly Uint8Array[];
}

async function stored(required: number, total: number, size: number): Promise<Stored> {
  const plaintext = goldenBytes(size);
  const version = await encode({ format: 'mdmf', required, total }, plaintext);
  const salts = Array.from({ length: version.header.segmentCount }, countingSalts());
  return { header: version.header, shares: await allShares(version), plaintext, salts };
}

async function treesOf(shares: readonly Uint8Array[]) {
  const trees = new Map<number, Uint8Array[]>();
  for (const [shnum, share] of shares.entries()) {
    trees.set(shnum, await readerOf(share).reader.blockHashTree());
  }
  return trees;
}

const oldTrees = (trees: ReadonlyMap<number, readonly Uint8Array[]>) =>
  new Map([...trees].map(([shnum, tree]): [number, OldTree] => [shnum, (node) => tree[node]]));

/** Everything that does not matter to a test. */
async function inputFor(file: Stored, more: Partial<UpdateInput>): Promise<UpdateInput> {
  return {
    base: file.header,
    trees: oldTrees(await treesOf(file.shares)),
    firstSegment: 0,
    plaintext: plaintextOf(empty),
    newDataLength: file.header.dataLength,
    seqnum: file.header.seqnum + 1,
    readkey: golden.readkey,
    encryptedPrivateKey: golden.encryptedPrivateKey,
    verificationKey: golden.spki,
    sign: async () => new Uint8Array(256).fill(2),
    newSalt: countingSalts(file.header.seqnum + 1),
    ...more,
  };
}

/** What a client does to write `data` at `offset`, which is not beyond the end. */
async function writeAt(file: Stored, offset: number, data: Uint8Array) {
  const { segmentSize, dataLength } = file.header;
  const newDataLength = Math.max(dataLength, offset + data.length);
  const plaintext = concatBytes(
    file.plaintext.subarray(0, offset),
    data,
    file.plaintext.subarray(offset + data.length),
  );
  const firstSegment = Math.floor(offset / segmentSize);
  const lastTouched = Math.ceil((offset + data.length) / segmentSize);
  const start = firstSegment * segmentSize;
  const end = Math.max(start, Math.min(lastTouched * segmentSize, newDataLength));
  const version = await encodeUpdate(
    await inputFor(file, {
      firstSegment,
      plaintext: joinPlaintexts(
        plaintextOf(file.plaintext.subarray(start, offset)),
        plaintextOf(data),
        plaintextOf(plaintext.subarray(offset + data.length, end)),
      ),
      newDataLength,
    }),
  );
  const count = Math.ceil((end - start) / segmentSize);
  const salts = file.salts.slice();
  const fresh = Array.from({ length: count }, countingSalts(file.header.seqnum + 1));
  salts.splice(firstSegment, count, ...fresh);
  return { version, plaintext, salts };
}

/**
 * Writes, applies the parts to the old shares, and expects the very bytes of a version that was
 * encoded whole from the same plaintext and salts: nothing too little and nothing too much.
 */
async function update(file: Stored, offset: number, data: Uint8Array): Promise<Stored> {
  const { version, plaintext, salts } = await writeAt(file, offset, data);
  const shares = await Promise.all(
    file.shares.map((share, shnum) => applyParts(share, version.shareParts(shnum))),
  );
  const source = salts.values();
  const whole = await encode(
    {
      format: 'mdmf',
      required: file.header.required,
      total: file.header.total,
      seqnum: file.header.seqnum + 1,
      sign: async () => new Uint8Array(256).fill(2),
      newSalt: () => source.next().value as Uint8Array,
    },
    plaintext,
  );
  expect(version.header).toEqual(whole.header);
  expect(version.shareLength).toBe(whole.shareLength);
  expect(version.checkstring).toEqual(whole.checkstring);
  expect(shares.map(sha256)).toEqual((await allShares(whole)).map(sha256));
  const all = new Map(shares.entries());
  expect(sha256(await readFile(all, golden.readkey))).toBe(sha256(plaintext));
  return { header: version.header, shares, plaintext, salts };
}

const rangesOf = (version: EncodedVersion, shnum = 0) =>
  version.shareParts(shnum).map(({ offset, length }) => [offset, length]);

/** For k = 2. */
const S = 131072;
const data = (length: number) => new Uint8Array(length).fill(0xd5);

describe('an updated file equals one that was encoded whole', () => {
  test.each([
    ['the first byte', 3 * S + 9, 0, 1],
    ['the last byte of a segment', 3 * S + 9, S - 1, 1],
    ['the first byte of a segment', 3 * S + 9, S, 1],
    ['two bytes over a boundary', 3 * S + 9, 2 * S - 1, 2],
    ['exactly one segment', 3 * S + 9, S, S],
    ['all but the ends', 3 * S + 9, 1, 3 * S + 7],
    ['all of it', 2 * S, 0, 2 * S],
    ['the last byte', 3 * S + 9, 3 * S + 8, 1],
    ['inside the only segment', 100, 40, 5],
    ['the end and beyond, in one segment', 100, 90, 20],
    ['an append to a tail', S + 5, S + 5, 7],
    ['an append that fills the tail', S + 5, S + 5, S - 5],
    ['an append at a boundary', S, S, 1],
    ['an append of whole segments at a boundary', 2 * S, 2 * S, 2 * S],
    ['the empty file', 0, 0, 1],
    ['the empty file, by several segments', 0, 0, 2 * S + 1],
    ['two to three segments', S + 5, S + 5, S],
    ['one to five segments', 17, 3, 4 * S + 1],
    ['within the padding of the block, so that the tree stays', 5, 5, 1],
    ['nothing, at the start', S + 5, 0, 0],
    ['nothing, at a boundary', 2 * S + 5, S, 0],
    ['nothing, at the end', S, S, 0],
    ['nothing, in an empty file', 0, 0, 0],
  ])('%s', async (_, size, offset, length) => {
    await update(await stored(2, 3, size), offset, data(length));
  });

  test('after growing 0 -> 1 -> 2 -> 3 -> 5 segments, each on the shares of the last', async () => {
    let file = await stored(2, 3, 0);
    const counts: number[] = [];
    for (const [offset, length] of [
      [0, 9],
      [9, S],
      [S + 9, S],
      [2 * S - 1, 3 * S],
      [3, 4],
    ] as const) {
      file = await update(file, offset, data(length).fill(length & 255));
      counts.push(file.header.segmentCount);
    }
    expect(counts).toEqual([1, 2, 3, 5, 5]);
    expect(file.header.seqnum).toBe(6);
  });

  test('whatever is written where', async () => {
    const nearEdge = fc
      .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -4, max: 4 }))
      .map(([segments, more]) => Math.max(0, segments * S + more));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom([1, 1], [2, 3], [3, 4], [1, 2]),
        nearEdge,
        fc.array(fc.tuple(nearEdge, nearEdge), { minLength: 1, maxLength: 2 }),
        async ([required = 1, total = 1], size, writes) => {
          let file = await stored(required, total, size);
          for (const [offset, length] of writes) {
            file = await update(file, Math.min(offset, file.plaintext.length), data(length));
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('only what changes is sent', () => {
  const head = [0, 123 + 1217 + 68 + 256 + 294];
  const entry = S / 2 + 16;

  test('a rewritten segment, its path in the tree, and the head', async () => {
    const file = await stored(2, 3, 7 * S);
    const { version } = await writeAt(file, 5 * S + 1, data(3));
    const tree = 2167 + 7 * entry;
    expect(rangesOf(version)).toEqual([
      [2167 + 5 * entry, entry],
      [tree, 32],
      [tree + 2 * 32, 32],
      [tree + 5 * 32, 32],
      [tree + 12 * 32, 32],
      head,
    ]);
  });

  test('neighbouring nodes are one part', async () => {
    const { version } = await writeAt(await stored(2, 3, 3 * S), 0, data(3 * S));
    const tree = 2167 + 3 * entry;
    expect(rangesOf(version).slice(3)).toEqual([[tree, 6 * 32], head]);
  });

  test('the whole tree when it moves', async () => {
    const { version } = await writeAt(await stored(2, 3, 3 * S), 3 * S, data(10));
    const newEntry = 2167 + 3 * entry;
    expect(rangesOf(version)).toEqual([[newEntry, 21], [newEntry + 21, 7 * 32], head]);
  });

  test('a head, when nothing changes but the sequence number', async () => {
    const { version } = await writeAt(await stored(2, 3, 2 * S), S, empty);
    expect(rangesOf(version)).toEqual([head]);
    expect(version.header.seqnum).toBe(2);
  });

  test('what lies outside the parts keeps its bytes, stale ones in the gap as well', async () => {
    const file = await stored(2, 3, 2 * S);
    const { version } = await writeAt(file, S, data(1));
    const ones = new Uint8Array(version.shareLength + 50).fill(1);
    const after = await applyParts(ones, version.shareParts(1));
    expect(after.subarray(head[1], 2167 + entry)).toEqual(ones.subarray(head[1], 2167 + entry));
    expect(after.subarray(version.shareLength)).toEqual(ones.subarray(version.shareLength));
  });
});

test('the share data stay where the base has them', async () => {
  const file = await stored(1, 1, 10);
  // As another writer might have laid it out: data 33 bytes later.
  const [share] = file.shares as [Uint8Array];
  const moved = new Uint8Array(share.length + 33);
  moved.set(share.subarray(0, 2167));
  moved.set(share.subarray(2167), 2200);
  moved.set(u64(2200), 99);
  moved.set(u64(2226), 107);
  moved.set(u64(2258), 115);
  const base = parseShareHeader(moved);
  const plaintext = concatBytes(file.plaintext.subarray(0, 8), data(5));
  const version = await encodeUpdate(
    await inputFor(
      { ...file, header: base, shares: [moved] },
      { plaintext: plaintextOf(plaintext), newDataLength: 13 },
    ),
  );
  expect(version.header.layout.shareData).toEqual({ offset: 2200, length: 29 });
  const after = await applyParts(moved, version.shareParts(0));
  expect(await readFile(new Map([[0, after]]), golden.readkey)).toEqual(plaintext);
});

test('the signature is over the new prefix, by the key of the file', async () => {
  const key = await primitives.importSigningKey(golden.pkcs8);
  const signed: Uint8Array[] = [];
  const sign = (prefix: Uint8Array) => {
    signed.push(prefix);
    return key.sign(prefix);
  };
  const file = await stored(2, 3, S + 1);
  const plaintext = plaintextOf(data(1));
  const version = await encodeUpdate(await inputFor(file, { firstSegment: 1, plaintext, sign }));
  expect(signed).toEqual([version.header.prefix]);
  const after = new Map<number, Uint8Array>();
  for (const shnum of [0, 2]) {
    after.set(shnum, await applyParts(file.shares[shnum] as Uint8Array, version.shareParts(shnum)));
  }
  const read = await readFile(after, golden.readkey, golden.fingerprint);
  expect(sha256(read)).toBe(sha256(concatBytes(goldenBytes(S), data(1))));
});

describe('refused before anything is signed', async () => {
  const file = await stored(2, 3, 2 * S + 10);
  const refused = async (more: Partial<UpdateInput>, error: Error) => {
    let signatures = 0;
    const sign = async () => {
      signatures++;
      return empty;
    };
    const input = await inputFor(file, { sign, ...more });
    await expect(encodeUpdate(input)).rejects.toThrowError(error);
    expect(signatures).toBe(0);
  };
  const bytes = (length: number) => plaintextOf(data(length));

  test('an SDMF base', async () => {
    const { header: base } = await encode({ format: 'sdmf', required: 2, total: 3 }, data(5));
    await refused(
      { base },
      new WrongFormatError('only MDMF files can be updated in place', {
        cap: 'mdmf',
        file: 'sdmf',
      }),
    );
  });

  test('a file that shrinks', async () => {
    await refused(
      { newDataLength: 2 * S + 9 },
      new OutOfRangeError('newDataLength', 2 * S + 9, `the base has ${2 * S + 10}`),
    );
  });

  test.each([3, -1, 0.5])('a run from segment %d of three', async (firstSegment) => {
    await refused(
      { firstSegment },
      new OutOfRangeError('firstSegment', firstSegment, 'the base has 3'),
    );
  });

  test.each([
    ['inside a segment', 0, S - 1, 2 * S + 10],
    ['inside the tail', 2, 9, 2 * S + 10],
    ['beyond the new end', 2, 11, 2 * S + 10],
    ['before the new end, when the tail must grow', 1, S, 2 * S + 11],
    ['before the tail, when the tail must grow', 0, S, 2 * S + 11],
  ])('a run that ends %s', async (_, firstSegment, size, newDataLength) => {
    await refused(
      { firstSegment, plaintext: bytes(size), newDataLength },
      new OutOfRangeError('plaintext size', size, 'must end with a segment'),
    );
  });

  test('a missing tree, or one that is not whole', async () => {
    const trees = await treesOf(file.shares);
    const error = new OutOfRangeError('share', 1, 'its block hash tree is missing or not whole');
    const without = new Map([...trees].filter(([shnum]) => shnum !== 1));
    await refused({ trees: oldTrees(without) }, error);
    const cut = trees.get(1)?.slice(0, 6) ?? [];
    const more = { firstSegment: 2, plaintext: bytes(11), newDataLength: 2 * S + 11 };
    await refused({ ...more, trees: oldTrees(new Map(trees).set(1, cut)) }, error);
  });

  const unsigned = new CorruptShareError(
    'block hash tree',
    'the trees do not lead to the signed root',
  );

  test('a tree with any leaf that the base did not sign, where all are needed', async () => {
    const trees = await treesOf(file.shares);
    const more = { firstSegment: 2, plaintext: bytes(11), newDataLength: 2 * S + 11 };
    for (const leaf of [3, 4, 5]) {
      const tree = trees.get(1)?.with(leaf, new Uint8Array(32)) ?? [];
      await refused({ ...more, trees: oldTrees(new Map(trees).set(1, tree)) }, unsigned);
    }
  });

  test('a tree with any hash that the base did not sign, of those that are needed', async () => {
    const trees = await treesOf(file.shares);
    const run = { firstSegment: 1, segmentCount: 1, newDataLength: 2 * S + 10 };
    const needed = nodesNeeded(file.header, run);
    expect(needed).toEqual([2, 3, 4]);
    for (const shnum of trees.keys()) {
      for (const node of needed) {
        const tree = trees.get(shnum)?.with(node, new Uint8Array(32)) ?? [];
        const more = { firstSegment: 1, plaintext: bytes(S) };
        await refused({ ...more, trees: oldTrees(new Map(trees).set(shnum, tree)) }, unsigned);
      }
    }
  });
});

describe('of the old trees', () => {
  test('only what lies beside the way of the run is asked for', async () => {
    const file = await stored(2, 3, 9 * 2 ** 17 - 5);
    const asked = new Set<number>();
    const trees = new Map(
      [...(await treesOf(file.shares))].map(([shnum, tree]): [number, OldTree] => [
        shnum,
        (node) => {
          asked.add(node);
          return tree[node];
        },
      ]),
    );
    const plaintext = plaintextOf(goldenBytes(2 * 2 ** 17));
    const run = { firstSegment: 4, segmentCount: 2, newDataLength: file.header.dataLength };
    await encodeUpdate(await inputFor(file, { trees, firstSegment: 4, plaintext }));
    const needed = nodesNeeded(file.header, run);
    // Leaf 4 is node 19; the tree has 16 leaves.
    expect(needed).toEqual([2, 3, 10, 19, 20]);
    expect(countNeeded(file.header, run)).toBe(2 + 2 * 4 + 1);
    const longer = { ...run, newDataLength: run.newDataLength + 2 ** 17 };
    expect(nodesNeeded(file.header, longer)).toHaveLength(countNeeded(file.header, longer));
    expect([...asked].sort((a, b) => a - b)).toEqual(needed);
  });
});
