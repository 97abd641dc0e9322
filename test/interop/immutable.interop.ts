/** Immutable files that a Tahoe gateway has put on real servers are read here, and damage is met. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concatBytes, toBase32 } from '../../src/bytes.ts';
import { tahoeCheck } from '../../src/finding.ts';
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
import { inspect } from './recorded.ts';

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
    pairs.set(encoding, { theirs, ours: await openGrid(theirs.folder, { inspect }) });
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

describe('what is found of a file is what Tahoe finds', () => {
  /** Both, field by field; of which server was asked first nothing depends. */
  async function agree(cap: string, verify: boolean) {
    const { ours, theirs } = pairs.get(ENCODINGS[0])!;
    const file = ours.openImmutable(cap);
    const found = await (verify ? file.verify() : file.check());
    const own = tahoeCheck(found, file.cap, ours.encoding);
    expect(inOrder(own)).toEqual(inOrder(await theirs.check(cap, { verify })));
    const verifier = ours.openImmutable(file.verifyCap as string);
    expect((await (verify ? verifier.verify() : verifier.check())).isHealthy).toBe(found.isHealthy);
    return own.summary;
  }

  /** A report whose lists are in order. */
  function inOrder(report: unknown): unknown {
    return JSON.parse(JSON.stringify(report), (_, value) =>
      Array.isArray(value) ? value.map((it) => JSON.stringify(it)).sort() : value,
    );
  }

  async function newFile(seed: number) {
    const { theirs } = pairs.get(ENCODINGS[0])!;
    const text = await theirs.putImmutable(bytesOf(300_000, seed));
    const storageIndex = immutableStorageIndexOf(parseImmutableCap(text) as ChkCap);
    /** Where a share is. */
    const positionOf = async (shnum: number) => {
      for (const position of real.servers.keys()) {
        if ((await real.sharesOf(position, storageIndex)).includes(shnum)) return position;
      }
      throw new Error(`share ${shnum} is nowhere`);
    };
    const flip = async (shnum: number, at: number) => {
      const position = await positionOf(shnum);
      const container = await real.readContainer(position, storageIndex, shnum);
      container[at < 0 ? container.length - 72 + at : 12 + at]! ^= 1;
      const name = toBase32(storageIndex);
      const { folder } = real.servers[position]!;
      const path = join(folder, 'storage/shares', name.slice(0, 2), name, `${shnum}`);
      await writeFile(path, container);
    };
    const remove = async (shnum: number) =>
      real.deleteShare(await positionOf(shnum), storageIndex, shnum);
    return { text, flip, remove };
  }

  test('while it is whole, and when shares are missing', async () => {
    const { text, remove } = await newFile(11);
    expect([await agree(text, false), await agree(text, true)]).toEqual(['Healthy', 'Healthy']);
    await remove(3);
    const nine = 'Not Healthy: 9 shares (enc 3-of-10)';
    expect([await agree(text, false), await agree(text, true)]).toEqual([nine, nine]);
    for (const shnum of [0, 1, 2, 4, 5, 6, 7]) await remove(shnum);
    const two = 'Not Healthy: 2 shares (enc 3-of-10)';
    expect([await agree(text, false), await agree(text, true)]).toEqual([two, two]);
  });

  test('when a block, a hash or a field of some shares is another one', async () => {
    const { text, flip } = await newFile(12);
    await flip(1, 36 + 1000);
    expect([await agree(text, false), await agree(text, true)]).toEqual([
      'Healthy',
      'Not Healthy: 9 shares (enc 3-of-10)',
    ]);
    const data = 36 + 100_000;
    // Of one segment each of three trees is one hash; the first one nobody looks at.
    await flip(2, data + 32);
    await flip(4, data + 64);
    await flip(6, data + 96 + 20);
    await flip(8, -1);
    expect(await agree(text, true)).toBe('Not Healthy: 5 shares (enc 3-of-10)');
  });

  test('a literal has nothing to be found of', async () => {
    const { theirs } = pairs.get(ENCODINGS[0])!;
    const file = pairs.get(ENCODINGS[0])!.ours.openImmutable('URI:LIT:nbswy3dp');
    const own = tahoeCheck(await file.check(), file.cap, { required: 3, total: 10 });
    expect(own).toEqual(await theirs.check('URI:LIT:nbswy3dp'));
  });
});
