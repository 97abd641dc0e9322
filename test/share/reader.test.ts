import { describe, expect, test } from 'vitest';
import { bytesToHex } from '../../src/bytes.ts';
import { CorruptShareError, OutOfRangeError, ServerUnavailableError } from '../../src/errors.ts';
import { ShareReader } from '../../src/share/reader.ts';
import { encode, golden, goldenBytes, readerOf, shareBytes } from '../support/shares.ts';

/** 1-of-2 MDMF: three segments, the last of 5 bytes. 131088 bytes per whole entry. */
const mdmf = await encode({ format: 'mdmf', required: 1, total: 2 }, goldenBytes(262149));
const mdmfShare = await shareBytes(mdmf, 1);
const sdmf = await encode({ format: 'sdmf', required: 3, total: 10 }, goldenBytes(100));
const sdmfShare = await shareBytes(sdmf, 7);

describe('fields', () => {
  test('of MDMF', async () => {
    const { reader, ranges } = readerOf(mdmfShare);
    expect(await reader.header()).toEqual(mdmf.header);
    expect(await reader.encryptedPrivateKey()).toEqual(golden.encryptedPrivateKey);
    expect(await reader.verificationKey()).toEqual(golden.spki);
    expect(await reader.signature()).toEqual(new Uint8Array(256));
    const [[node, hash] = [-1, new Uint8Array()], ...rest] = await reader.shareHashChain();
    expect([node, hash.length, rest]).toEqual([1, 32, []]);
    const tree = await reader.blockHashTree();
    expect(tree.map((hash) => hash.length)).toEqual([32, 32, 32, 32, 32, 32, 32]);
    expect(ranges).toEqual([
      [0, 123],
      [123, 1217],
      [1630, 294],
      [1374, 256],
      [1340, 34],
      [264364, 224],
    ]);
  });

  test('of SDMF', async () => {
    const { reader } = readerOf(sdmfShare);
    expect(await reader.header()).toEqual(sdmf.header);
    expect(await reader.encryptedPrivateKey()).toEqual(golden.encryptedPrivateKey);
    expect(await reader.verificationKey()).toEqual(golden.spki);
    expect((await reader.shareHashChain()).map(([node]) => node)).toEqual([2, 3, 9, 21]);
    expect((await reader.blockHashTree()).length).toBe(1);
    const [entry] = await reader.blocks(0, 1);
    expect([entry?.salt, entry?.block.length]).toEqual([undefined, 34]);
  });

  test('of an empty file: a tree of one node and no blocks', async () => {
    const empty = await encode({ format: 'mdmf', required: 3, total: 10 }, new Uint8Array(0));
    const { reader } = readerOf(await shareBytes(empty, 0));
    expect((await reader.blockHashTree()).map(bytesToHex)).toEqual([
      'e0024730188e2de564a697cc2987407b24ae7eb6b880190c1a0337a5740e527a',
    ]);
    expect(await reader.blocks(0, 0)).toEqual([]);
  });
});

describe('blocks', () => {
  test('come by one contiguous read', async () => {
    const { reader, ranges } = readerOf(mdmfShare);
    const entries = await reader.blocks(1, 2);
    expect(ranges.slice(1)).toEqual([[2167 + 131088, 131088 + 21]]);
    expect(entries.map(({ salt, block }) => [salt?.[15], block.length])).toEqual([
      [2, 131072],
      [3, 5],
    ]);
    expect(entries[1]?.block).toEqual((await readerOf(mdmfShare).reader.blocks(2, 1))[0]?.block);
  });

  test.each([
    [0, 4, 3],
    [3, 1, 3],
    [-1, 2, -1],
  ])('%d and the %d from there are not all segments', async (first, count, culprit) => {
    await expect(readerOf(mdmfShare).reader.blocks(first, count)).rejects.toThrowError(
      new OutOfRangeError('segment', culprit, 'the file has 3'),
    );
  });
});

describe('a part of the block hash tree', () => {
  test('comes by one read', async () => {
    const { reader, ranges } = readerOf(mdmfShare);
    const tree = await reader.blockHashTree();
    expect(await reader.blockHashes(0, 1)).toEqual([tree[0]]);
    expect(await reader.blockHashes(3, 4)).toEqual(tree.slice(3));
    const start = mdmf.header.layout.blockHashTree.offset;
    expect(ranges.slice(2)).toEqual([
      [start, 32],
      [start + 3 * 32, 128],
    ]);
  });

  test.each([
    [7, 1, 7],
    [-1, 1, -1],
    [0.5, 1, 0.5],
    [6, 2, 7],
  ])('from node %d on, %d of them, is not within seven', async (first, count, culprit) => {
    await expect(readerOf(mdmfShare).reader.blockHashes(first, count)).rejects.toThrowError(
      new OutOfRangeError('node', culprit, 'the block hash tree has 7'),
    );
  });
});

describe('the head that was read before', () => {
  test('serves what it covers, wholly', async () => {
    const { reader, ranges } = readerOf(sdmfShare, sdmfShare.slice(0, 1000));
    await reader.header();
    await reader.verificationKey();
    await reader.signature();
    await reader.shareHashChain();
    await reader.blockHashTree();
    await reader.blocks(0, 1);
    expect(ranges).toEqual([]);
    expect(await reader.encryptedPrivateKey()).toEqual(golden.encryptedPrivateKey);
    expect(ranges).toEqual([[859, 1217]]);
  });

  test('may be too short even for the header', async () => {
    const { reader, ranges } = readerOf(sdmfShare, sdmfShare.slice(0, 122));
    expect(await reader.header()).toEqual(sdmf.header);
    expect(ranges).toEqual([[0, 123]]);
  });
});

describe('a share that ends early', () => {
  test.each([
    [0, 'header', 'no bytes'],
    [122, 'header', '122 of 123 bytes'],
    [200, 'encrypted private key', '77 of 1217 bytes'],
    [1350, 'share hash chain', '10 of 34 bytes'],
    [1400, 'signature', '26 of 256 bytes'],
    [1900, 'verification key', '270 of 294 bytes'],
    [2167, 'share data', '0 of 262197 bytes'],
    [264363, 'share data', '262196 of 262197 bytes'],
    [264364, 'block hash tree', '0 of 224 bytes'],
    [264587, 'block hash tree', '223 of 224 bytes'],
  ])('after %d bytes: the %s', async (length, field, problem) => {
    const { reader } = readerOf(mdmfShare.slice(0, length));
    const everything = async () => {
      await reader.header();
      await reader.encryptedPrivateKey();
      await reader.shareHashChain();
      await reader.signature();
      await reader.verificationKey();
      await reader.blocks(0, 3);
      await reader.blockHashTree();
    };
    await expect(everything()).rejects.toThrowError(new CorruptShareError(field, problem));
  });
});

test('a failed read passes through, and the next one is tried', async () => {
  const lost = new ServerUnavailableError('v0-a', 'connection lost');
  let calls = 0;
  const reader = new ShareReader(async ({ offset, length }) => {
    if (calls++ === 0) throw lost;
    return sdmfShare.slice(offset, offset + length);
  });
  await expect(reader.header()).rejects.toBe(lost);
  expect(await reader.header()).toEqual(sdmf.header);
});
