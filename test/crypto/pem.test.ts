import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hexToBytes } from '../../src/bytes.ts';
import { primitives } from '../../src/crypto/node.ts';
import { signingKeyFromPem } from '../../src/crypto/pem.ts';
import { BadKeyError } from '../../src/errors.ts';
import { keyFromDer, newKeys } from '../support/new-keys.ts';

const golden = JSON.parse(
  readFileSync(new URL('../vectors/mutable-golden.json', import.meta.url), 'utf8'),
);
const pkcs8 = hexToBytes(golden.privkey_pkcs8_der);
/** `openssl genrsa -primes 3 2048` */
const threePrimes = readFileSync(new URL('../vectors/three-primes.pem', import.meta.url), 'utf8');
const goldenKey = keyFromDer(pkcs8);

const pemOf = (key: KeyObject, type: 'pkcs1' | 'pkcs8') =>
  key.export({ type, format: 'pem' }) as string;
const rsa = (modulusLength: number) => keyFromDer(newKeys.rsa(modulusLength).privateKey);
const ec = () => keyFromDer(newKeys.ec().privateKey);
const ed25519 = () => keyFromDer(newKeys.ed25519().privateKey);
const LOCK = { cipher: 'aes-128-cbc', passphrase: 'p' };

describe('a key that Tahoe would take', () => {
  test.each(['pkcs1', 'pkcs8'] as const)('%s PEM gives the same PKCS#8 DER', async (type) => {
    const key = await signingKeyFromPem(pemOf(goldenKey, type));
    expect(key.pkcs8).toEqual(pkcs8);
    expect(key.spki).toEqual(hexToBytes(golden.pubkey_spki_der));
    const verifier = await primitives.importVerifyingKey(key.spki);
    expect(await verifier.verify(pkcs8, await key.sign(pkcs8))).toHaveLength(32);
  });

  test('comments around it and CRLF line ends do no harm', async () => {
    const pem = `my key\n${pemOf(goldenKey, 'pkcs8')}the end\n`;
    expect((await signingKeyFromPem(pem.replaceAll('\n', '\r\n'))).pkcs8).toEqual(pkcs8);
  });
});

describe('a key that Tahoe would refuse, or that is damaged', () => {
  const good = pemOf(goldenKey, 'pkcs8');
  const lines = good.split('\n');
  /** The modulus of one key with everything else of another. */
  const mixed = () => {
    const stranger = rsa(2048).export({ format: 'jwk' });
    const jwk = { ...goldenKey.export({ format: 'jwk' }), n: stranger.n! };
    return pemOf(createPrivateKey({ key: jwk, format: 'jwk' }), 'pkcs8');
  };
  /** The key with some of its parts changed. */
  const altered = (change: (jwk: JsonWebKey) => JsonWebKey) => () => {
    const jwk = goldenKey.export({ format: 'jwk' });
    const key = { ...jwk, ...change(jwk) };
    return pemOf(createPrivateKey({ key, format: 'jwk' }), 'pkcs8');
  };
  const unfit = 'its parts do not belong together';
  const encrypted = 'it is encrypted; remove the passphrase first';
  const notPem = 'it is not a PKCS#1 or PKCS#8 PEM';
  const notRsa = 'it is not an RSA private key';

  test.each<[string, () => string, string]>([
    ['1024 bits', () => pemOf(rsa(1024), 'pkcs1'), 'it has 1024 bits, not 2048'],
    ['3072 bits', () => pemOf(rsa(3072), 'pkcs8'), 'it has 3072 bits, not 2048'],
    [
      'encrypted PKCS#1',
      () => goldenKey.export({ type: 'pkcs1', format: 'pem', ...LOCK }) as string,
      encrypted,
    ],
    [
      'encrypted PKCS#8',
      () => goldenKey.export({ type: 'pkcs8', format: 'pem', ...LOCK }) as string,
      encrypted,
    ],
    ['an elliptic curve in PKCS#8', () => pemOf(ec(), 'pkcs8'), notRsa],
    ['an Ed25519 key', () => pemOf(ed25519(), 'pkcs8'), notRsa],
    [
      'an elliptic curve in SEC 1',
      () =>
        ec().export({
          type: 'sec1',
          format: 'pem',
        }) as string,
      notPem,
    ],
    [
      'a public key',
      () => createPublicKey(rsa(1024)).export({ type: 'spki', format: 'pem' }) as string,
      notPem,
    ],
    ['nothing', () => '', notPem],
    ['garbage', () => 'garbage', notPem],
    ['an OpenSSH key', () => good.replaceAll('PRIVATE', 'OPENSSH PRIVATE'), notPem],
    ['no end line', () => lines.slice(0, -2).join('\n'), 'the PEM is damaged'],
    ['a lost line', () => lines.toSpliced(5, 1).join('\n'), 'the PEM is damaged'],
    ['an empty body', () => `${lines[0]}\n${lines.at(-2)}\n`, 'the PEM is damaged'],
    ['parts of two keys', mixed, unfit],
    ['three primes', () => threePrimes, 'it has more than two primes'],
    // OpenSSL, and so Tahoe, signs with these as if nothing were wrong.
    ['its primes swapped', altered(({ p, q }) => ({ p: q!, q: p! })), unfit],
    ['its CRT exponents swapped', altered(({ dp, dq }) => ({ dp: dq!, dq: dp! })), unfit],
    ['a wrong CRT coefficient', altered(({ p }) => ({ qi: p! })), unfit],
    ['public exponent 1', altered(() => ({ e: 'AQ', d: 'AQ', dp: 'AQ', dq: 'AQ' })), unfit],
  ])('%s', async (_, pem, problem) => {
    const text = pem();
    const error = await signingKeyFromPem(text).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BadKeyError);
    expect((error as BadKeyError).facts).toEqual({ problem });
    expect((error as BadKeyError).cause).toBeUndefined();
  });
});
