/** What Tahoe 1.20 makes, byte for byte; and each share of it, led to the hash in the cap. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bytesToHex, concatBytes, hexToBytes } from '../../src/bytes.ts';
import { type ChkCap, formatImmutableCap, parseImmutableCap } from '../../src/immutable/caps.ts';
import { CrypttextChecks } from '../../src/immutable/crypttext.ts';
import { decodeChkSegment } from '../../src/immutable/decode.ts';
import { ChkReader } from '../../src/immutable/reader.ts';
import { VersionVerifier } from '../../src/share/verify.ts';
import { chkContents, chkVectors, fileOfVector } from '../support/chk.ts';

const sha256 = (...bytes: readonly Uint8Array[]) =>
  createHash('sha256')
    .update(concatBytes(...bytes))
    .digest('hex');

const named = chkVectors.cases.map((vector) => {
  const { size, k, n, max_segment_size, layout } = vector;
  const name = `${size} bytes, ${k} of ${n}, segments of ${max_segment_size}, layout ${layout}`;
  return [name, vector] as const;
});

/** The contents, from these shares alone, every hash of which is checked. */
async function readBy(cap: ChkCap, shares: ReadonlyMap<number, Uint8Array>): Promise<Uint8Array> {
  const readers = [...shares].map(([shnum, share]) => {
    const read = async ({ offset = 0, length = 0 }) => share.slice(offset, offset + length);
    return [shnum, new ChkReader(cap, read)] as const;
  });
  const [, first] = readers[0]!;
  const version = await first.header();
  const verifier = new VersionVerifier(version);
  const checks = new CrypttextChecks(version, 'read');
  await checks.lead(first, 'first', 0, version.segmentCount);
  const pieces: Uint8Array[] = [];
  const entries = new Map<number, readonly { readonly block: Uint8Array }[]>();
  for (const [shnum, reader] of readers) {
    const [chain, tree] = [await reader.shareHashChain(), await reader.blockHashTree()];
    verifier.acceptTree(shnum, chain, tree);
    entries.set(shnum, await reader.blocks(0, version.segmentCount));
  }
  for (let segnum = 0; segnum < version.segmentCount; segnum++) {
    const blocks = [...entries].map(([shnum, ofShare]) => [shnum, ofShare[segnum]!.block] as const);
    for (const [shnum, block] of blocks) verifier.acceptBlock(shnum, segnum, block, undefined);
    pieces.push(await decodeChkSegment(version, cap.key, segnum, new Map(blocks), checks));
  }
  return concatBytes(...pieces);
}

describe.each(named)('%s', (_, vector) => {
  const { cap, k, n, size } = vector;

  test('is what the encoder of these tests makes, too', async () => {
    const { shares, cap: made } = await fileOfVector(vector);
    expect(formatImmutableCap(made)).toBe(cap);
    expect(shares).toHaveLength(n);
    expect(new Set(shares.map(({ length }) => length))).toEqual(new Set([vector.share_size]));
    // Of 256 shares the vector tells the order of few chains: those are compared as a whole.
    if (vector.share_sha256) {
      expect(shares.map((share) => sha256(share))).toEqual(vector.share_sha256);
    }
    for (const [shnum, hex] of Object.entries(vector.shares ?? {})) {
      expect(bytesToHex(shares[Number(shnum)]!)).toBe(hex);
    }
    for (const [shnum, { header, after_data }] of Object.entries(vector.frames ?? {})) {
      const share = shares[Number(shnum)]!;
      expect(bytesToHex(share.subarray(0, header.length / 2))).toBe(header);
      expect(bytesToHex(share.subarray(-after_data.length / 2))).toBe(after_data);
    }
  });

  test('is read from the first k shares, the last k and every other one', async () => {
    const { shares } = await fileOfVector(vector);
    const parsed = parseImmutableCap(cap) as ChkCap;
    const all = shares.map((share, shnum) => [shnum, share] as const);
    const others = all.filter(([shnum]) => shnum % 2 === 1);
    for (const some of [all.slice(0, k), all.slice(-k), others.slice(0, k)]) {
      if (some.length < k) continue;
      const contents = await readBy(parsed, new Map(some));
      expect(Buffer.compare(contents, chkContents(size))).toBe(0);
    }
  });

  test('has this URI extension block in each share', async () => {
    const { shares } = await fileOfVector(vector);
    const ueb = Buffer.from(hexToBytes(vector.ueb));
    expect(shares.every((share) => Buffer.from(share).subarray(-ueb.length).equals(ueb))).toBe(
      true,
    );
  });
});
