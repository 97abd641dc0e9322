/**
 * Leases on real servers: what this client asks for is in the share files of Tahoe's, where Tahoe's own
 * client finds the lease that is its own.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { viewOf } from '../../src/bytes.ts';
import { parseCap, storageIndexOf } from '../../src/caps.ts';
import type { Grid } from '../../src/grid.ts';
import { immutableStorageIndexOf, parseImmutableCap } from '../../src/immutable/caps.ts';
import { openGrid } from '../../src/node.ts';
import { DATA_OFFSET, parseHeader } from '../../src/storage/container.ts';
import {
  immutableDataOffset,
  immutableHeader,
  parseImmutableLeases,
} from '../../src/storage/immutable-container.ts';
import { bytesOf } from '../support/client-grid.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

const encoding = { needed: 1, happy: 2, total: 3 };
const days31 = 31 * 24 * 60 * 60;

let real: RealGrid;
let theirs: Gateway;
/** With the gateway's lease secret, and with one of its own. */
let ours: Grid;
let other: Grid;
beforeAll(async () => {
  real = await startRealGrid(4);
  theirs = await real.gateway(encoding);
  ours = await openGrid(theirs.folder, { inspect });
  other = await openGrid(theirs.folder, { leaseSecret: new Uint8Array(32).fill(7), inspect });
});
afterAll(async () => {
  for (const grid of [ours, other]) grid.close();
  await real.close();
});

/** When the leases on every share file end (Unix time in seconds). */
async function leasesOn(
  storageIndex: Uint8Array,
  parse: (file: Uint8Array) => readonly ({ readonly expires: number } | undefined)[],
) {
  const found: number[][] = [];
  for (const position of real.servers.keys()) {
    for (const shnum of await real.sharesOf(position, storageIndex)) {
      const leases = parse(await real.readContainer(position, storageIndex, shnum));
      found.push(leases.flatMap((lease) => lease?.expires ?? []));
    }
  }
  return found;
}

const ofSlot = (file: Uint8Array) =>
  parseHeader(file.subarray(0, DATA_OFFSET), file.length, 'container').leases;

function ofImmutable(file: Uint8Array) {
  const start = file.subarray(0, immutableDataOffset);
  const { dataLength } = immutableHeader(start, file.length, 'container');
  expect(viewOf(file).getUint32(0)).toBe(2);
  return parseImmutableLeases(file.subarray(immutableDataOffset + dataLength));
}

test('a lease that is added is in every share file, for 31 days, and is renewed', async () => {
  const { writeCap } = await ours.create({ contents: bytesOf(100) });
  const index = storageIndexOf(parseCap(writeCap));
  const cap = await theirs.putImmutable(bytesOf(100));
  const immutableIndex = immutableStorageIndexOf(parseImmutableCap(cap) as never);
  const files = [
    { of: other.open(ours.open(writeCap).verifyCap), leases: () => leasesOn(index, ofSlot) },
    { of: other.openImmutable(cap), leases: () => leasesOn(immutableIndex, ofImmutable) },
  ];
  for (const { of, leases } of files) {
    expect((await leases()).map(({ length }) => length)).toEqual([1, 1, 1]);
    for (let i = 0; i < 2; i++) {
      const before = Math.floor(Date.now() / 1000);
      const { renewed, absent, failures } = await of.renewLeases();
      expect([renewed.length, absent.length, failures]).toEqual([3, 1, []]);
      const after = Math.ceil(Date.now() / 1000);
      for (const [first, added, ...more] of await leases()) {
        expect(more).toEqual([]);
        expect(first).toBeLessThanOrEqual(after + days31);
        expect(added).toBeGreaterThanOrEqual(before + days31);
        expect(added).toBeLessThanOrEqual(after + days31);
      }
    }
  }
});

test('with the secret of Tahoe’s own client its leases are renewed, and none is added', async () => {
  const cap = await theirs.put('mdmf', bytesOf(100));
  await ours.open(cap).renewLeases();
  await theirs.check(cap, { addLease: true });
  const immutable = await theirs.putImmutable(bytesOf(101));
  await ours.openImmutable(immutable).renewLeases();
  await theirs.check(immutable, { addLease: true });
  const counts = (found: readonly (readonly number[])[]) => found.map(({ length }) => length);
  const index = immutableStorageIndexOf(parseImmutableCap(immutable) as never);
  expect(counts(await leasesOn(storageIndexOf(parseCap(cap)), ofSlot))).toEqual([1, 1, 1]);
  expect(counts(await leasesOn(index, ofImmutable))).toEqual([1, 1, 1]);
});

test('a file that is nowhere has none, and that is no failure', async () => {
  const { writeCap } = await ours.create({ contents: bytesOf(3) });
  const index = storageIndexOf(parseCap(writeCap));
  for (const position of real.servers.keys()) {
    for (const shnum of await real.sharesOf(position, index)) {
      await real.deleteShare(position, index, shnum);
    }
  }
  const { renewed, absent, failures } = await ours.open(writeCap).renewLeases();
  expect([renewed, absent.length, failures]).toEqual([[], 4, []]);
});
