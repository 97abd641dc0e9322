/** Immutable files that a Tahoe gateway has put on real servers are read here, and damage is met. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concatBytes, toBase32 } from '../../src/bytes.ts';
import type { Grid } from '../../src/grid.ts';
import {
  type ChkCap,
  formatImmutableCap,
  immutableStorageIndexOf,
  litCapOf,
  parseImmutableCap,
} from '../../src/immutable/caps.ts';
import { openGrid } from '../../src/node.ts';
import { bytesOf, expectBytes } from '../support/client-grid.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';

const ENCODINGS = [
  { needed: 3, happy: 7, total: 10 },
  { needed: 1, happy: 1, total: 1 },
  { needed: 7, happy: 7, total: 10 },
] as const;
const SIZES = [56, 2048, 131_073, 1_048_576, 1_048_577, 3_500_000];

let real: RealGrid;
const pairs = new Map<unknown, { readonly ours: Grid; readonly theirs: Gateway }>();
beforeAll(async () => {
  real = await startRealGrid();
  for (const encoding of ENCODINGS) {
    const theirs = await real.gateway(encoding);
    pairs.set(encoding, { theirs, ours: await openGrid(theirs.folder) });
  }
});
afterAll(async () => {
  for (const { ours } of pairs.values()) ours.close();
  await real.close();
});

describe.each(ENCODINGS)('$needed of $total', (encoding) => {
  test.each(SIZES)('%i bytes are read, in one piece, in part and as a stream', async (size) => {
    const { ours, theirs } = pairs.get(encoding)!;
    const contents = bytesOf(size, size);
    const cap = await theirs.putImmutable(contents);
    const file = ours.openImmutable(cap);
    expect(formatImmutableCap(file.cap)).toBe(cap);
    expect(file.size).toBe(size);
    expectBytes(await file.read(), contents);
    const offset = Math.floor(size / 3);
    expectBytes(await file.read({ offset, length: 17 }), contents.subarray(offset, offset + 17));
    const pieces: Uint8Array[] = [];
    for await (const piece of file.stream()) pieces.push(piece);
    expectBytes(concatBytes(...pieces), contents);
  });
});

test('55 bytes are a literal, the same here and there', async () => {
  const { ours, theirs } = pairs.get(ENCODINGS[0])!;
  const contents = bytesOf(55, 3);
  const cap = await theirs.putImmutable(contents);
  expect(formatImmutableCap(litCapOf(contents))).toBe(cap);
  expectBytes(await ours.openImmutable(cap).read(), contents);
  expectBytes(await theirs.get(formatImmutableCap(litCapOf(bytesOf(7)))), bytesOf(7));
});

test('shares that are damaged on the disks of their servers are met, and others are read', async () => {
  const { ours, theirs } = pairs.get(ENCODINGS[0])!;
  const contents = bytesOf(300_000, 5);
  const cap = parseImmutableCap(await theirs.putImmutable(contents)) as ChkCap;
  const storageIndex = immutableStorageIndexOf(cap);
  const name = toBase32(storageIndex);
  let left = 7;
  for (const [position, { folder }] of real.servers.entries()) {
    for (const shnum of await real.sharesOf(position, storageIndex)) {
      if (--left < 0) continue;
      const container = await real.readContainer(position, storageIndex, shnum);
      const path = join(folder, 'storage/shares', name.slice(0, 2), name, `${shnum}`);
      container[12 + 36 + 1000]! ^= 1;
      // One that ends in its header sends Tahoe's own reader round and round.
      await writeFile(path, left % 2 === 0 ? container : container.subarray(0, 12 + 20));
    }
  }
  expectBytes(await ours.openImmutable(cap).read(), contents);
});
