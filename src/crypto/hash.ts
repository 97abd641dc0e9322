/**
 * @module hash: Tahoe's hashes: SHA-256d over netstring-tagged values (`util/hashutil.py`).
 */
import { primitives } from '#crypto';
import { concatBytes, netstring, utf8 } from '../bytes.ts';

/** Of every hash, in bytes. */
export const hashLength = 32;

/** Small messages are put together here, to be hashed at once; of secrets nothing stays. */
const message = new Uint8Array(512);
/** The inner hash of the two. */
const inner = new Uint8Array(hashLength);

/** SHA-256 of SHA-256 of the concatenated parts, 32 bytes. */
export function sha256d(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = new Uint8Array(hashLength);
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > message.length) {
    const [only] = parts;
    if (only !== undefined && parts.length === 1) {
      primitives.hashInto(only, inner, 0);
      primitives.hashInto(inner, hash, 0);
      return hash;
    }
    const long = primitives.sha256();
    for (const part of parts) long.update(part);
    primitives.hashInto(long.digest(), hash, 0);
    return hash;
  }
  length = 0;
  for (const part of parts) {
    message.set(part, length);
    length += part.length;
  }
  primitives.hashInto(message.subarray(0, length), inner, 0);
  primitives.hashInto(inner, hash, 0);
  message.fill(0, 0, length);
  inner.fill(0);
  return hash;
}

/** A tag, netstring-encoded once. */
export type Tag = Uint8Array;

export function tagOf(text: string): Tag {
  return netstring(utf8(text));
}

/** H(tag, value): the value is *not* netstring-wrapped. Several parts are hashed as one value. */
export function taggedHash(tag: Tag, ...value: readonly Uint8Array[]): Uint8Array {
  return sha256d(tag, ...value);
}

/** PairH(tag, a, b): both values are netstring-wrapped. */
export function taggedPairHash(tag: Tag, a: Uint8Array, b: Uint8Array): Uint8Array {
  return sha256d(tag, netstring(a), netstring(b));
}

/**
 * PairH of one tag over two hashes that lie side by side at `pairs[from]`, put at `target[at]`. The
 * message is laid out once: inner nodes of hash trees are made by the ten thousands.
 */
export function pairHasherOf(
  tag: Tag,
): (pairs: Uint8Array, from: number, target: Uint8Array, at: number) => void {
  const wrapped = netstring(new Uint8Array(hashLength));
  const pair = concatBytes(tag, wrapped, wrapped);
  const first = pair.length - 2 * wrapped.length + wrapped.indexOf(0);
  const second = first + wrapped.length;
  return (pairs, from, target, at) => {
    for (let i = 0; i < hashLength; i++) {
      pair[first + i] = pairs[from + i] as number;
      pair[second + i] = pairs[from + hashLength + i] as number;
    }
    primitives.hashInto(pair, inner, 0);
    primitives.hashInto(inner, target, at);
  };
}
