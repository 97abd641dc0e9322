import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, u64 } from '../../src/bytes.ts';
import { CorruptShareError, UnknownVersionError } from '../../src/errors.ts';
import type { ShareHeader } from '../../src/share/header.ts';
import { type Entry, ShareReader } from '../../src/share/reader.ts';
import { FileSignatures } from '../../src/share/signatures.ts';
import { VersionVerifier } from '../../src/share/verify.ts';
import {
  allShares,
  encode,
  type GoldenCase,
  golden,
  goldenBytes,
  readerOf,
} from '../support/shares.ts';

/** A share of a file that Tahoe signed, and what may be read from it. */
interface Original {
  readonly shnum: number;
  readonly bytes: Uint8Array;
  readonly header: ShareHeader;
  readonly entries: readonly Entry[];
}

/** SDMF with 26 bytes, MDMF with 5 and MDMF with three segments; two shares of each. */
const originals = await readOriginals();

async function readOriginals(): Promise<Original[]> {
  const found: Original[] = [];
  for (const [format, size] of [
    ['sdmf', 26],
    ['mdmf', 5],
    ['mdmf', 300001],
  ] as const) {
    const c = golden.cases.find(
      (g) => g.format === format && g.size === size && g.total === 10,
    ) as GoldenCase;
    const salts = c.salts.values();
    const newSalt = () => salts.next().value as Uint8Array;
    const version = await encode(
      { ...c, newSalt, sign: async () => c.signature },
      goldenBytes(size),
    );
    const shares = await allShares(version);
    for (const shnum of [2, 9]) {
      const bytes = shares[shnum] as Uint8Array;
      const { header } = version;
      const entries = await readerOf(bytes).reader.blocks(0, header.segmentCount);
      found.push({ shnum, bytes, header, entries });
    }
  }
  return found;
}

/** What an attacker on a server may do to bytes of a share. */
type Mutation = (bytes: Uint8Array) => Uint8Array;

/** Mostly where the structure is, for the data are by far the most. */
const place = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 130 }) },
  { weight: 2, arbitrary: fc.nat({ max: 2250 }) },
  { weight: 1, arbitrary: fc.nat({ max: 46_000 }) },
);
const extreme = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 50_000n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const bigEndian = (value: bigint) =>
  Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * (7 - i))) & 0xffn));

const overwrite = (bytes: Uint8Array, offset: number, piece: Uint8Array) => {
  const at = Math.min(offset, bytes.length);
  bytes.set(piece.subarray(0, bytes.length - at), at);
  return bytes;
};

const flip = fc.tuple(place, fc.nat({ max: 7 })).map(
  ([offset, bit]): Mutation =>
    (bytes) =>
      overwrite(bytes, offset, Uint8Array.of((bytes[offset] ?? 0) ^ (1 << bit))),
);
const truncate = place.map(
  (length): Mutation =>
    (bytes) =>
      bytes.subarray(0, length),
);
const extend = fc.uint8Array({ maxLength: 40 }).map(
  (more): Mutation =>
    (bytes) =>
      concatBytes(bytes, more),
);
/** Bytes of another share, of this file or of another one. */
const splice = fc.tuple(fc.constantFrom(...originals), place, place, fc.nat({ max: 3000 })).map(
  ([{ bytes: other }, from, to, length]): Mutation =>
    (bytes) =>
      overwrite(bytes, to, other.subarray(from, from + length)),
);
/** An extreme number in a field of 64 bits, or across two of 32. */
const number64 = fc
  .tuple(fc.constantFrom(1, 43, 51, 59, 67, 75, 79, 83, 87, 91, 99, 107, 115), extreme)
  .map(
    ([offset, value]): Mutation =>
      (bytes) =>
        overwrite(bytes, offset, bigEndian(value)),
  );
/** MDMF's offset table, or what lies there in SDMF. */
const offsetTable = fc
  .array(fc.nat({ max: 3000 }), { minLength: 8, maxLength: 8 })
  .chain((offsets) =>
    fc.boolean().map((sorted) => (sorted ? offsets.toSorted((a, b) => a - b) : offsets)),
  )
  .map(
    (offsets): Mutation =>
      (bytes) =>
        overwrite(bytes, 59, Uint8Array.from(offsets.flatMap((n) => [...u64(n)]))),
  );

const mutations = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: flip },
    { weight: 1, arbitrary: truncate },
    { weight: 1, arbitrary: extend },
    { weight: 3, arbitrary: splice },
    { weight: 2, arbitrary: number64 },
    { weight: 1, arbitrary: offsetTable },
  ),
  { minLength: 1, maxLength: 3 },
);

test('10,000 mutated shares: typed errors only, and never a byte that was not signed', async () => {
  const seen = { accepted: 0, partly: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...originals),
      mutations,
      fc.constantFrom(0, 100, 1000, 4000),
      async (original, steps, headLength) => {
        const bytes = steps.reduce<Uint8Array>((b, step) => step(b), original.bytes.slice());
        const accepted = await read(original.shnum, bytes, headLength, true);
        if (accepted === original.entries.length) seen.accepted++;
        else if (accepted > 0) seen.partly++;
        else seen.refused++;
        // A writer with the key may sign anything: then only good behaviour is asked for.
        await read(original.shnum, bytes, headLength, false);
      },
    ),
    { numRuns: 10_000 },
  );
  // All kinds of outcome occurred, or the test would say nothing.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
});

/**
 * Reads a share as a client does.
 * @returns how many entries were accepted
 */
async function read(
  shnum: number,
  bytes: Uint8Array,
  headLength: number,
  signed: boolean,
): Promise<number> {
  let genuine: Original | undefined;
  let reads = 0;
  const reader = new ShareReader(
    async ({ offset, length }) => {
      if (++reads > 12) throw new Error('too many reads');
      if (!Number.isSafeInteger(offset) || !(length > 0)) throw new Error('a nonsensical range');
      return bytes.subarray(offset, offset + length);
    },
    bytes.subarray(0, headLength),
  );
  let accepted = 0;
  try {
    const header = await reader.header();
    if (signed) {
      const key = await reader.verificationKey();
      await new FileSignatures(golden.fingerprint).verify(header, key, await reader.signature());
      // A splice can make a share of another version, as genuine: all are signed with one key.
      genuine = originals.find(
        (o) => o.shnum === shnum && Buffer.compare(o.header.prefix, header.prefix) === 0,
      );
      expect(genuine).toBeDefined();
    }
    const verifier = new VersionVerifier(header);
    await reader.encryptedPrivateKey();
    verifier.acceptTree(shnum, await reader.shareHashChain(), await reader.blockHashTree());
    for (let segnum = 0; segnum < Math.min(3, header.segmentCount); segnum++) {
      const [entry] = await reader.blocks(segnum, 1);
      if (entry === undefined) throw new Error('no entry');
      try {
        verifier.acceptBlock(shnum, segnum, entry.block, entry.salt);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptShareError);
        continue;
      }
      accepted++;
      if (genuine) expectSame(entry, genuine.entries[segnum] as Entry);
    }
  } catch (error) {
    if (error instanceof CorruptShareError || error instanceof UnknownVersionError) return accepted;
    throw error;
  }
  return accepted;
}

function expectSame(a: Entry, b: Entry): void {
  expect(Buffer.compare(a.block, b.block)).toBe(0);
  expect(a.salt).toEqual(b.salt);
}
