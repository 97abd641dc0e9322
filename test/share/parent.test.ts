import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { primitives } from '#crypto';
import { noParentTag } from '../../machines/servermap.ts';
import { bytesToHex, hexToBytes } from '../../src/bytes.ts';
import { taggedHash, tagOf } from '../../src/crypto/hash.ts';
import { parentTagLength, parentTagOf } from '../../src/share/parent.ts';
import { FileSignatures } from '../../src/share/signatures.ts';
import {
  allShares,
  countingSalts,
  encode,
  golden,
  goldenBytes,
  readerOf,
} from '../support/shares.ts';

const signing = await primitives.importSigningKey(golden.pkcs8);

test('the tag is a hash of the signed prefix, and of no bytes for a first version', () => {
  const prefix = hexToBytes(golden.cases[0]?.prefix as string);
  const hash = taggedHash(tagOf('tahoe_mutable_signed_prefix_to_parent_v1'), prefix);
  expect(parentTagOf(prefix)).toEqual(hash.slice(0, 16));
  expect(bytesToHex(parentTagOf(new Uint8Array(0)))).toBe(noParentTag);
});

test('a share whose signature names a parent is another only in the signature', async () => {
  const input = fc.record({
    format: fc.constantFrom('sdmf' as const, 'mdmf' as const),
    required: fc.integer({ min: 1, max: 4 }),
    more: fc.nat(3),
    size: fc.constantFrom(0, 1, 5000, 140_000),
    seqnum: fc.integer({ min: 1, max: 1000 }),
    prefix: fc.uint8Array({ maxLength: 75 }),
  });
  await fc.assert(
    fc.asyncProperty(input, async ({ more, size, prefix, ...spec }) => {
      const made = async (saltStart?: Uint8Array) => {
        const sign = (signed: Uint8Array) => signing.sign(signed, saltStart);
        const total = spec.required + more;
        const newSalt = countingSalts();
        const version = await encode({ ...spec, total, newSalt, sign }, goldenBytes(size));
        return allShares(version);
      };
      const [named, plain] = [await made(parentTagOf(prefix)), await made()];
      for (const [shnum, share] of named.entries()) {
        const other = plain[shnum] as Uint8Array;
        const { reader } = readerOf(share);
        const header = await reader.header();
        const { offset, length } = header.layout.signature;
        expect(length).toBe(256);
        const unsigned = (bytes: Uint8Array) => bytes.map((b, i) => (isIn(i) ? 0 : b));
        const isIn = (i: number) => i >= offset && i < offset + length;
        expect(bytesToHex(unsigned(share))).toBe(bytesToHex(unsigned(other)));
        const salts = await Promise.all([share, other].map(saltOf));
        const [start, random] = salts.map((salt) => salt.subarray(0, parentTagLength));
        expect(start).toEqual(parentTagOf(prefix));
        expect(random).not.toEqual(start);
      }
    }),
    { numRuns: 25 },
  );
});

/** The salt of a share's signature, as a reader that trusts nothing comes to it. */
async function saltOf(share: Uint8Array): Promise<Uint8Array> {
  const { reader } = readerOf(share);
  const header = await reader.header();
  const key = await reader.verificationKey();
  return new FileSignatures(golden.fingerprint).verify(header, key, await reader.signature());
}

describe("Tahoe's own shares", () => {
  test('name no parent: their salts are random, and no first version’s either', async () => {
    const tags = golden.cases.map(({ prefix }) => bytesToHex(parentTagOf(hexToBytes(prefix))));
    const verifying = await primitives.importVerifyingKey(golden.spki);
    const named = await Promise.all(
      golden.cases.map(async ({ prefix, signature }) => {
        const salt = (await verifying.verify(hexToBytes(prefix), signature)) as Uint8Array;
        return bytesToHex(salt.subarray(0, parentTagLength));
      }),
    );
    expect(new Set([...tags, ...named, noParentTag]).size).toBe(2 * golden.cases.length + 1);
  });
});
