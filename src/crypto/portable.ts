/**
 * @module portable: the {@link Primitives} over @noble/hashes and WebCrypto, for browsers.
 *
 * WebCrypto chooses the salt of a signature by itself, so what is signed here names no parent. To
 * choose it, the private operation would have to be done in BigInts: with blinding and a check
 * that takes 20 times as long (5.6 ms for 0.27 ms), and how long tells of the key.
 *
 * Legacy keys with public exponent 17 (pycryptopp) import, sign and verify here as well: Node's
 * WebCrypto takes them (tested), and no specification forbids a browser's to.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, u64 } from '../bytes.ts';
import { BadKeyError } from '../errors.ts';
import { withHidden } from '../hidden.ts';
import { hasTwoPrimes, isOneDerSequence } from './der.ts';
import type { Primitives, SigningKey, VerifyingKey } from './primitives.ts';
import { pssSaltLength, saltIn, signatureLengthOf } from './pss.ts';
import { saltLength } from './salts.ts';

const { subtle } = globalThis.crypto;

const RSA_PSS = { name: 'RSA-PSS', hash: 'SHA-256' } as const;
const PSS_SALT = { name: 'RSA-PSS', saltLength: pssSaltLength } as const;

export const primitives: Primitives = {
  sha256: () => sha256.create(),
  hashInto: (message, target, at) => target.set(sha256(message), at),
  aesCtr: (key, data) => aesCtr(key, data),
  aesCtrInto,
  randomBytes,
  newSalt: () => randomBytes(saltLength),
  generateKey,
  importSigningKey,
  importVerifyingKey,
};

function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

async function aesCtr(key: Uint8Array, data: Uint8Array, counter = 0): Promise<Uint8Array> {
  // WebCrypto would take 24 and 32 bytes as AES-192 and AES-256.
  if (key.length !== 16) throw new RangeError('Invalid key length');
  const aesKey = await subtle.importKey('raw', source(key), 'AES-CTR', false, ['encrypt']);
  const start = source(concatBytes(new Uint8Array(8), u64(counter)));
  const algorithm = { name: 'AES-CTR', counter: start, length: 128 };
  return new Uint8Array(await subtle.encrypt(algorithm, aesKey, source(data)));
}

async function aesCtrInto(
  key: Uint8Array,
  pieces: readonly Uint8Array[],
  targets: readonly Uint8Array[],
  counter = 0,
): Promise<void> {
  const out = await aesCtr(key, concatBytes(...pieces), counter);
  let start = 0;
  for (const target of targets) {
    target.set(out.subarray(start, start + target.length));
    start += target.length;
  }
}

async function generateKey(): Promise<SigningKey> {
  const algorithm = { ...RSA_PSS, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const { privateKey } = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const pkcs8 = new Uint8Array(await subtle.exportKey('pkcs8', privateKey));
  try {
    return await importSigningKey(pkcs8);
  } finally {
    pkcs8.fill(0);
  }
}

async function importSigningKey(pkcs8: Uint8Array): Promise<SigningKey> {
  const key = await imported('pkcs8', pkcs8, 'private');
  const bits = (key.algorithm as RsaHashedKeyAlgorithm).modulusLength;
  if (bits !== 2048) throw new BadKeyError(`it has ${bits} bits, not 2048`);
  if (!hasTwoPrimes(pkcs8)) throw new BadKeyError('it has more than two primes');
  const shown = {
    spki: await spkiOf(key),
    sign: async (message: Uint8Array) =>
      new Uint8Array(await subtle.sign(PSS_SALT, key, source(message))),
  };
  return withHidden(shown, 'pkcs8', new Uint8Array(pkcs8));
}

async function importVerifyingKey(spki: Uint8Array): Promise<VerifyingKey> {
  const key = await imported('spki', spki, 'public');
  const { n = '', e = '' } = await subtle.exportKey('jwk', key);
  const [modulus, exponent] = [integerOf(n), integerOf(e)];
  const bits = modulus.toString(2).length;
  return {
    async verify(message, signature) {
      if (signature.length !== signatureLengthOf(bits)) return undefined;
      const isGood = await subtle
        .verify(PSS_SALT, key, source(signature), source(message))
        .catch(() => false);
      if (!isGood) return undefined;
      const encoded = power(BigInt(`0x${bytesToHex(signature)}`), exponent, modulus);
      const digits = encoded.toString(16).padStart(2 * signature.length, '0');
      return saltIn(sha256.create, hexToBytes(digits), bits);
    },
  };
}

/** An integer in a JWK: base64url, the first byte first. */
function integerOf(base64url: string): bigint {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return BigInt(`0x${bytesToHex(Uint8Array.from(text, (byte) => byte.charCodeAt(0)))}`);
}

/** Of public numbers only: how long it takes tells what they are. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

/** WebCrypto has no private-to-public step; the public half of the JWK is one. */
async function spkiOf(privateKey: CryptoKey): Promise<Uint8Array> {
  const { n = '', e = '' } = await subtle.exportKey('jwk', privateKey);
  const publicKey = await subtle.importKey('jwk', { kty: 'RSA', n, e }, RSA_PSS, true, ['verify']);
  return new Uint8Array(await subtle.exportKey('spki', publicKey));
}

/** The underlying error is not passed on: nothing about a key may reach a log. */
async function imported(
  format: 'pkcs8' | 'spki',
  der: Uint8Array,
  kind: 'private' | 'public',
): Promise<CryptoKey> {
  const problem = `it is not an RSA ${kind} key`;
  if (!isOneDerSequence(der)) throw new BadKeyError(problem);
  try {
    const usage = kind === 'private' ? 'sign' : 'verify';
    return await subtle.importKey(format, source(der), RSA_PSS, true, [usage]);
  } catch {
    throw new BadKeyError(problem);
  }
}

/** WebCrypto's types exclude shared memory; nothing in this library is shared. */
function source(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
