/**
 * @module roofline: the least CPU time that a publish or a read can take on this machine: each byte
 * through the bare native primitives once, hot in the cache, and nothing else.
 *
 * SHA-256 of every block and every tree (twice, as Tahoe's hashes are), AES of every segment, the
 * code by {@link simdKernel}, one signature. No copies, no buffers, no messages.
 */
import * as crypto from 'node:crypto';
import { createCipheriv, createHash, type KeyObject, randomBytes } from 'node:crypto';
import { geometryOf } from '../../src/share/geometry.ts';
import { KiB } from '../sizes.ts';
import { cpuMs } from '../usage.ts';
import { simdKernel } from './simd.ts';

const required = 3;
const total = 10;
/** What a cipher is given at once; larger answers come in fresh pages of memory, which cost more. */
const aesPiece = 64 * KiB;
/** Of a hash of two hashes, with its tags. */
const pairLength = 104;

const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

export type Pass = 'publish' | 'read';

/** Milliseconds of CPU for a file of so many bytes, 3-of-10. */
export function rooflineMs(pass: Pass, size: number): number {
  const { segmentSize, segmentCount } = geometryOf('mdmf', required, size);
  const block = randomBytes(segmentSize / required);
  const segment = randomBytes(segmentSize);
  // Of a read those of the shares that hold the text itself: nothing need be decoded.
  const hashed = pass === 'publish' ? total : required;
  const weights = Array.from({ length: total - required }, (_, t) => [t + 2, t + 3, t + 4]);
  const kernel = simdKernel(weights, block.length);
  const share = size / (segmentCount * segmentSize);
  const before = cpuMs();
  for (let s = 0; s < segmentCount * share; s++) {
    encrypt(segment);
    if (pass === 'publish') kernel.run();
    for (let b = 0; b < hashed; b++) {
      createHash('sha256').update(block).digest();
      hash(block.subarray(0, 32));
    }
  }
  // A tree has one pair less than it has leaves; what is padding is the same in all of them.
  const pairs = hashed * (segmentCount - 1);
  for (let p = 0; p < pairs; p++) {
    hash(block.subarray(0, pairLength));
    hash(block.subarray(0, 32));
  }
  if (pass === 'publish') sign(privateKey);
  return cpuMs() - before;
}

function encrypt(segment: Uint8Array): void {
  const cipher = createCipheriv('aes-128-ctr', segment.subarray(0, 16), segment.subarray(16, 32));
  for (let at = 0; at < segment.length; at += aesPiece) {
    cipher.update(segment.subarray(at, at + aesPiece));
  }
}

/** Of something short. Node has a call for that since 20.12, which makes no object. */
function hash(bytes: Uint8Array): void {
  if ('hash' in crypto) crypto.hash('sha256', bytes, 'binary');
  else createHash('sha256').update(bytes).digest();
}

function sign(key: KeyObject): void {
  crypto.sign('sha256', randomBytes(64), {
    key,
    padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  });
}
