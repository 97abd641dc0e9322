/**
 * @module node: the {@link Primitives} over `node:crypto`.
 *
 * Answers are plain `Uint8Array`s, never `Buffer`s, so that both implementations give equal values.
 */
import nodeCrypto, {
  constants,
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  verify,
} from 'node:crypto';
import { promisify } from 'node:util';
import { concatBytes, u64 } from '../bytes.ts';
import { BadKeyError } from '../errors.ts';
import { withHidden } from '../hidden.ts';
import { bytesPerWork, Stint } from '../turn.ts';
import { Turns } from '../turns.ts';
import { hasTwoPrimes, isOneDerSequence, privateKeyIn, publicKeyIn, spkiOf } from './der.ts';
import type { Primitives, Sha256, SigningKey, VerifyingKey } from './primitives.ts';
import { encodePss, pssSaltLength, saltIn, signatureLengthOf } from './pss.ts';
import { releaseOwn } from './release.ts';
import { saltsFrom } from './salts.ts';

/** Node's default is the maximum salt (222 bytes), which Tahoe rejects. */
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pssSaltLength } as const;
/** The bare operation with the key, on what {@link encodePss} gives. */
const BARE = { padding: constants.RSA_NO_PADDING } as const;
/** Bytes that are encrypted at a stretch: the cipher's answers stay in the cache. */
const sliceLength = 2 ** 16;

const generateKeyPairAsync = promisify(generateKeyPair);

export const primitives: Primitives = {
  sha256,
  hashInto,
  aesCtr,
  aesCtrInto,
  randomBytes: (length) => plain(randomBytes(length)),
  newSalt: saltsFrom((length) => plain(randomBytes(length))),
  generateKey,
  importSigningKey,
  importVerifyingKey,
};

function sha256(): Sha256 {
  const hash = createHash('sha256');
  const self: Sha256 = {
    update(bytes) {
      hash.update(bytes);
      return self;
    },
    digest: () => plain(hash.digest()),
  };
  return self;
}

/** Other runtimes may lack `crypto.hash`, which Node has had since 20.12. */
const hashOf: (message: Uint8Array) => string =
  typeof nodeCrypto.hash === 'function'
    ? (message) => nodeCrypto.hash('sha256', message, 'binary')
    : (message) => createHash('sha256').update(message).digest('binary');

/** As a string of bytes the digest comes twice as fast as in a buffer of its own. */
function hashInto(message: Uint8Array, target: Uint8Array, at: number): void {
  const digest = hashOf(message);
  for (let i = 0; i < digest.length; i++) target[at + i] = digest.charCodeAt(i);
}

async function aesCtr(key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
  if (data.length <= sliceLength) return plain(cipherOf(key).update(data));
  const out = new Uint8Array(data.length);
  await aesCtrInto(key, [data], [out]);
  return out;
}

async function aesCtrInto(
  key: Uint8Array,
  pieces: readonly Uint8Array[],
  targets: readonly Uint8Array[],
  counter = 0,
): Promise<void> {
  const cipher = cipherOf(key, counter);
  const stint = new Stint();
  for (const [i, piece] of pieces.entries()) {
    const target = targets[i] as Uint8Array;
    for (let start = 0; start < piece.length; start += sliceLength) {
      const slice = cipher.update(piece.subarray(start, start + sliceLength));
      target.set(slice, start);
      releaseOwn(slice);
      await stint.spend(Math.min(sliceLength, piece.length - start) / bytesPerWork);
    }
  }
}

function cipherOf(key: Uint8Array, counter = 0) {
  return createCipheriv('aes-128-ctr', key, concatBytes(new Uint8Array(8), u64(counter)));
}

/**
 * Two searches at a time. Node makes them in the four threads that open, read and write files for all
 * of a process: behind a hundred searches no server with a folder would answer in its time.
 */
const searches = new Turns();
let searchesBegun = 0;

function generateKey(signal?: AbortSignal): Promise<SigningKey> {
  return searches.run(`${searchesBegun++ % 2}`, signal, newKey);
}

async function newKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPairAsync('rsa', {
    modulusLength: 2048,
    publicExponent: 65537,
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  try {
    return await importSigningKey(privateKey);
  } finally {
    privateKey.fill(0);
  }
}

async function importSigningKey(pkcs8: Uint8Array): Promise<SigningKey> {
  const key = parsed(pkcs8, 'private', privateKeyOf);
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== 2048) throw new BadKeyError(`it has ${bits} bits, not 2048`);
  if (!hasTwoPrimes(pkcs8)) throw new BadKeyError('it has more than two primes');
  const shown = {
    spki: spkiOf(createPublicKey(key).export({ type: 'pkcs1', format: 'der' })),
    sign: async (message: Uint8Array, saltStart: Uint8Array = new Uint8Array(0)) => {
      const salt = concatBytes(saltStart, randomBytes(pssSaltLength - saltStart.length));
      return plain(privateEncrypt({ key, ...BARE }, encodePss(sha256, message, salt, bits)));
    },
  };
  return withHidden(shown, 'pkcs8', new Uint8Array(pkcs8));
}

async function importVerifyingKey(spki: Uint8Array): Promise<VerifyingKey> {
  const key = parsed(spki, 'public', publicKeyOf);
  const bits = key.asymmetricKeyDetails?.modulusLength as number;
  return {
    async verify(message, signature) {
      if (signature.length !== signatureLengthOf(bits)) return undefined;
      if (!isSigned(key, message, signature)) return undefined;
      return saltIn(sha256, plain(publicDecrypt({ key, ...BARE }, signature)), bits);
    },
  };
}

/**
 * At once: it takes 20 µs, to have it done by another thread three times as long. OpenSSL throws of
 * what is no signature at all.
 */
function isSigned(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify('sha256', message, { key, ...PSS }, signature);
  } catch {
    return false;
  }
}

/**
 * OpenSSL 3 takes 15 times as long for a public key in its wrapping as without, 3 times for a
 * private one: it tries all the decoders that it has. What is wrapped in an unusual way is left to
 * it.
 */
function publicKeyOf(spki: Uint8Array): KeyObject {
  const bare = publicKeyIn(spki);
  const [key, type] = bare === undefined ? ([spki, 'spki'] as const) : ([bare, 'pkcs1'] as const);
  return createPublicKey({ key: bufferOf(key), format: 'der', type });
}

function privateKeyOf(pkcs8: Uint8Array): KeyObject {
  const bare = privateKeyIn(pkcs8);
  const [key, type] = bare === undefined ? ([pkcs8, 'pkcs8'] as const) : ([bare, 'pkcs1'] as const);
  return createPrivateKey({ key: bufferOf(key), format: 'der', type });
}

/** The underlying error is not passed on: nothing about a key may reach a log. */
function parsed(
  der: Uint8Array,
  kind: 'private' | 'public',
  parse: (der: Uint8Array) => KeyObject,
): KeyObject {
  const problem = `it is not an RSA ${kind} key`;
  if (!isOneDerSequence(der)) throw new BadKeyError(problem);
  let key: KeyObject;
  try {
    key = parse(der);
  } catch {
    throw new BadKeyError(problem);
  }
  if (key.asymmetricKeyType !== 'rsa') throw new BadKeyError(problem);
  return key;
}

/** A view. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
