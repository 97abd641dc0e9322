import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesToHex, equalBytes, hexToBytes, toBase32, utf8, viewOf } from '../../src/bytes.ts';
import { parseCap, type WriteCap } from '../../src/caps.ts';
import { taggedHash, tagOf } from '../../src/crypto/hash.ts';
import {
  decryptPrivateKey,
  deriveDataKey,
  deriveFingerprint,
  deriveReadkey,
  deriveStorageIndex,
  deriveWriteEnabler,
  deriveWritekey,
  encryptPrivateKey,
} from '../../src/crypto/keys.ts';
import { primitives } from '../../src/crypto/node.ts';

const vectorsOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'));
const golden = vectorsOf('mutable-golden.json');
const legacy = vectorsOf('legacy-sdmf-v1.json');

const writekey = hexToBytes('000102030405060708090a0b0c0d0e0f');
const readkey = hexToBytes('cadaf6f34ba7ee41b9b4bf76a8f34793');
const iv = hexToBytes('101112131415161718191a1b1c1d1e1f');
const seed = hexToBytes('000102030405060708090a0b0c0d0e0f10111213');

const writeEnablerMaster = () =>
  taggedHash(tagOf('allmydata_mutable_writekey_to_write_enabler_master_v1'), writekey);

describe('derivations (docs/format.md §1.2)', () => {
  test.each<[string, () => Uint8Array, string]>([
    ['read key', () => deriveReadkey(writekey), 'cadaf6f34ba7ee41b9b4bf76a8f34793'],
    ['storage index', () => deriveStorageIndex(readkey), '05d82de538db1406e16fc5ff4d6690a3'],
    [
      'write enabler master',
      writeEnablerMaster,
      'f57f1d678a75602b959d26384c58b66c26d147093e906f7a49f0a02ae54a6e0c',
    ],
    [
      'write enabler',
      () => deriveWriteEnabler(writekey, seed),
      '9c73634fb14767143bf6592de0ed0d74b96d4a255794b02995fdc2a1b0a48609',
    ],
    ['data key', () => deriveDataKey(iv, readkey), '48c028135efaf3020cf7fd8aefa6cca5'],
    [
      'fingerprint',
      () => deriveFingerprint(utf8('hello-spki')),
      '0bb342de252db86d27ab280e293a0ac5d64305b7cae8e65427583e6ff3b5d9f0',
    ],
    ['write key', () => deriveWritekey(utf8('hello-pk8')), '6227148d92a38c12cc9fc7d737e180fc'],
  ])('%s', (_, value, expected) => {
    expect(bytesToHex(value())).toBe(expected);
  });

  test('the storage index in base32', () => {
    expect(toBase32(deriveStorageIndex(readkey))).toBe('axmc3zjy3mkanylpyx7u2zuqum');
  });
});

test("Tahoe's golden key: every derived value", async () => {
  const pkcs8 = hexToBytes(golden.privkey_pkcs8_der);
  const { spki } = await primitives.importSigningKey(pkcs8);
  const derived = deriveWritekey(pkcs8);
  expect({
    writekey: bytesToHex(derived),
    readkey: bytesToHex(deriveReadkey(derived)),
    storage_index: bytesToHex(deriveStorageIndex(deriveReadkey(derived))),
    fingerprint: bytesToHex(deriveFingerprint(spki)),
    write_enabler: bytesToHex(deriveWriteEnabler(derived, hexToBytes(golden.server_seed))),
    encprivkey: bytesToHex(await encryptPrivateKey(derived, pkcs8)),
  }).toEqual({
    writekey: golden.writekey,
    readkey: golden.readkey,
    storage_index: golden.storage_index,
    fingerprint: golden.fingerprint,
    write_enabler: golden.write_enabler,
    encprivkey: golden.encprivkey,
  });
});

describe('the private key in a share', () => {
  const pkcs8 = hexToBytes(golden.privkey_pkcs8_der);
  const key = hexToBytes(golden.writekey);
  const encrypted = hexToBytes(golden.encprivkey);

  test('decrypts to the very bytes that were encrypted', async () => {
    expect(await decryptPrivateKey(key, encrypted)).toEqual(pkcs8);
  });

  test('is nothing when a bit, a byte or the write key is wrong', async () => {
    const damaged = encrypted.map((byte, i) => (i === 700 ? byte ^ 1 : byte));
    expect(await decryptPrivateKey(key, damaged)).toBeUndefined();
    expect(await decryptPrivateKey(key, encrypted.subarray(1))).toBeUndefined();
    expect(await decryptPrivateKey(key, encrypted.subarray(0, -1))).toBeUndefined();
    expect(await decryptPrivateKey(key, new Uint8Array(0))).toBeUndefined();
    expect(await decryptPrivateKey(writekey, encrypted)).toBeUndefined();
  });
});

test('a share written by Tahoe before 2011 (exponent 17) opens with its write cap', async () => {
  const cap = parseCap(legacy.cap) as WriteCap;
  // Container v1: the share begins at 468. Offsets within it are those of docs/format.md §5.1.
  const container = new Uint8Array(Buffer.from(legacy.containers_base64['0'], 'base64'));
  const share = container.subarray(468);
  const view = viewOf(share);
  const signatureAt = view.getUint32(75);
  const spki = share.slice(107, signatureAt);
  const encrypted = share.slice(Number(view.getBigUint64(91)), Number(view.getBigUint64(99)));

  expect(equalBytes(deriveFingerprint(spki), cap.fingerprint)).toBe(true);
  const pkcs8 = await decryptPrivateKey(cap.writekey, encrypted);
  const key = await primitives.importSigningKey(pkcs8!);
  expect(key.spki).toEqual(spki);
  expect(spki.length).toBe(292);
  const verifier = await primitives.importVerifyingKey(spki);
  const signature = share.subarray(signatureAt, signatureAt + 256);
  expect(await verifier.verify(share.subarray(0, 75), signature)).toHaveLength(32);
});
