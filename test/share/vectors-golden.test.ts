import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesToHex } from '../../src/bytes.ts';
import { parseCap, readkeyOf } from '../../src/caps.ts';
import { CorruptShareError } from '../../src/errors.ts';
import { encodeSame } from '../../src/share/encode-same.ts';
import type { ShareHeader } from '../../src/share/header.ts';
import { plaintextOf } from '../../src/share/plaintext.ts';
import {
  allShares,
  encode,
  type GoldenCase,
  golden,
  goldenBytes,
  readerOf,
  readFile,
} from '../support/shares.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The version of that header again. */
const same = (header: ShareHeader, plaintext: Uint8Array, { salts, signature }: GoldenCase) =>
  encodeSame({
    ...{ header, signature, plaintext: plaintextOf(plaintext), readkey: golden.readkey },
    verificationKey: golden.spki,
    encryptedPrivateKey: golden.encryptedPrivateKey,
    saltOf: (segnum) => salts[segnum] as Uint8Array,
  });

describe.each(
  golden.cases.map((c) => [`${c.format} ${c.required}-of-${c.total}, ${c.size} bytes`, c] as const),
)('Tahoe wrote %s', (_, c) => {
  const plaintext = goldenBytes(c.size);
  const version = async () => {
    const salts = c.salts.values();
    const signed: string[] = [];
    const made = await encode(
      {
        ...c,
        newSalt: () => salts.next().value as Uint8Array,
        sign: async (prefix) => {
          signed.push(bytesToHex(prefix));
          return c.signature;
        },
      },
      plaintext,
    );
    return { made, signed, saltsLeft: [...salts].length };
  };

  test('and so does this library, from the same key, salts and signature', async () => {
    const { made, signed, saltsLeft } = await version();
    expect(signed).toEqual([c.prefix]);
    expect(saltsLeft).toBe(0);
    expect(bytesToHex(made.header.prefix)).toBe(c.prefix);
    expect(bytesToHex(made.header.rootHash)).toBe(c.rootHash);
    expect(made.shareLength).toBe(c.shareLength);
    const checkstringLength = c.format === 'sdmf' ? 57 : 41;
    expect(bytesToHex(made.checkstring)).toBe(c.prefix.slice(0, 2 * checkstringLength));
    const shares = await allShares(made);
    expect(shares.map(sha256)).toEqual(c.shareSha256);
    if (c.share0 !== undefined) expect(bytesToHex(shares[0] as Uint8Array)).toBe(c.share0);
  });

  test('and its shares are made again byte for byte, from header, salts and contents', async () => {
    const { made } = await version();
    const again = await same(made.header, plaintext, c);
    const shares = await allShares(again);
    expect(shares.map(sha256)).toEqual(c.shareSha256);
  });

  test('and from other contents, or another salt, nothing is made', async () => {
    const { made } = await version();
    const other = plaintext.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    if (c.size === 0) return;
    const root = c.rootHash.slice(0, 12);
    const error = new CorruptShareError(
      'share hash tree',
      `the contents do not lead to root ${root}…`,
    );
    await expect(same(made.header, other, c)).rejects.toEqual(error);
    if (c.format === 'sdmf') return;
    const salts = c.salts.map((salt) => salt.map((byte) => byte ^ 1));
    await expect(same(made.header, plaintext, { ...c, salts })).rejects.toEqual(error);
  });

  test('and this library reads it, verified', async () => {
    const { made } = await version();
    const shares = new Map((await allShares(made)).entries());
    for (const share of shares.values()) {
      expect(await readerOf(share).reader.header()).toEqual(made.header);
    }
    const read = await readFile(shares, golden.readkey, golden.fingerprint);
    expect(sha256(read)).toBe(sha256(plaintext));
  });
});

describe('the stored SDMF shares of a Tahoe of 2008', () => {
  const json = JSON.parse(
    readFileSync(new URL('../vectors/legacy-sdmf-v1.json', import.meta.url), 'utf8'),
  );
  const shares = new Map<number, Uint8Array>();
  for (const [shnum, text] of Object.entries(json.containers_base64 as Record<string, string>)) {
    const container = Buffer.from(text, 'base64');
    const length = Number(container.readBigUInt64BE(84));
    shares.set(Number(shnum), new Uint8Array(container.subarray(468, 468 + length)));
  }

  test('are read, verified, with a key whose exponent is 17 and whose SPKI has 292 bytes', async () => {
    const key = await readerOf(shares.get(0) as Uint8Array).reader.verificationKey();
    expect(key.length).toBe(292);
    const cap = parseCap(json.cap);
    const plaintext = await readFile(shares, readkeyOf(cap), cap.fingerprint);
    expect(new TextDecoder().decode(plaintext)).toBe(json.plaintext);
  });
});
