import {
  constants,
  sign as nodeSign,
  verify as nodeVerify,
  privateEncrypt,
  publicDecrypt,
} from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesToHex, utf8 } from '../../src/bytes.ts';
import { primitives as node } from '../../src/crypto/node.ts';
import { primitives as portable } from '../../src/crypto/portable.ts';
import { encodePss, saltIn } from '../../src/crypto/pss.ts';
import { keyFromDer, newKeys } from '../support/new-keys.ts';

const { sha256 } = node;
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
const BARE = { padding: constants.RSA_NO_PADDING };
const salt = fc.uint8Array({ minLength: 32, maxLength: 32 });
const message = fc.uint8Array({ maxLength: 100 });

test('for a modulus of any size the encoding fits, and gives its salt back', () => {
  fc.assert(
    fc.property(message, salt, fc.integer({ min: 522, max: 4097 }), (said, given, bits) => {
      const encoded = encodePss(sha256, said, given, bits);
      expect(encoded.length).toBe(Math.ceil(bits / 8));
      expect(encoded.at(-1)).toBe(0xbc);
      expect(BigInt(`0x${bytesToHex(encoded)}`) >> BigInt(bits - 1)).toBe(0n);
      expect(saltIn(sha256, encoded, bits)).toEqual(given);
      expect(saltIn(portable.sha256, encoded, bits)).toEqual(given);
    }),
  );
});

/** From the least that has room for hash and salt; every remainder by 8; what files have. */
const sizes = [522, 523, 524, 525, 526, 527, 528, 529, 1025, 2047, 2048, 3072];

describe.each(sizes)('a key of %i bits', (bits) => {
  const pair = newKeys.rsa(bits);
  const key = keyFromDer(pair.privateKey);
  expect(key.asymmetricKeyDetails?.modulusLength).toBe(bits);
  const publicKey = { key: pair.publicKey, format: 'der', type: 'spki' } as const;
  const [said, given] = [utf8('a signed prefix'), new Uint8Array(32).fill(7)];

  test('what is encoded here is signed as every platform signs', async () => {
    const signature = privateEncrypt({ key, ...BARE }, encodePss(sha256, said, given, bits));
    expect(nodeVerify('sha256', said, { ...publicKey, ...PSS }, signature)).toBe(true);
    for (const { importVerifyingKey } of [node, portable]) {
      const verifying = await importVerifyingKey(pair.publicKey);
      expect(await verifying.verify(said, signature)).toEqual(given);
      expect(await verifying.verify(utf8('another'), signature)).toBeUndefined();
    }
  });

  test('what OpenSSL encodes is what is encoded here, with its salt', async () => {
    const signature = nodeSign('sha256', said, { key, ...PSS });
    const verifying = await node.importVerifyingKey(pair.publicKey);
    const found = (await verifying.verify(said, signature)) as Uint8Array;
    const encoded = publicDecrypt({ ...publicKey, ...BARE }, signature);
    expect(encodePss(sha256, said, found, bits)).toEqual(new Uint8Array(encoded));
  });
});

describe('a signer', () => {
  const { privateKey, publicKey } = newKeys.rsa(2048);
  const start = new Uint8Array(16).fill(9);

  test('of Node begins the salt as it is told to, and leaves the rest to chance', async () => {
    const key = await node.importSigningKey(privateKey);
    const verifying = await portable.importVerifyingKey(publicKey);
    const salts = [
      await verifying.verify(start, await key.sign(start, start)),
      await verifying.verify(start, await key.sign(start, start)),
      await verifying.verify(start, await key.sign(start)),
      await verifying.verify(start, await key.sign(start)),
    ].map((found) => bytesToHex(found as Uint8Array));
    expect(salts.map((found) => found.startsWith(bytesToHex(start)))).toEqual([
      ...[true, true],
      ...[false, false],
    ]);
    expect(new Set(salts).size).toBe(4);
  });

  test('of WebCrypto takes no salt: its own is as good as none', async () => {
    const key = await portable.importSigningKey(privateKey);
    const verifying = await node.importVerifyingKey(publicKey);
    const found = await verifying.verify(start, await key.sign(start, start));
    expect(found).toHaveLength(32);
    expect(found?.subarray(0, 16)).not.toEqual(start);
  });

  test('every bit counts: no salt is read from a signature in which one is flipped', async () => {
    const key = await node.importSigningKey(privateKey);
    const verifying = await Promise.all(
      [node, portable].map(({ importVerifyingKey }) => importVerifyingKey(publicKey)),
    );
    await fc.assert(
      fc.asyncProperty(message, salt, fc.nat(2047), async (said, given, bit) => {
        const signature = await key.sign(said, given);
        const mask = 1 << (bit % 8);
        const flipped = signature.map((byte, i) => (i === bit >> 3 ? byte ^ mask : byte));
        for (const by of verifying) {
          expect(await by.verify(said, signature)).toEqual(given);
          expect(await by.verify(said, flipped)).toBeUndefined();
        }
      }),
    );
  });
});
