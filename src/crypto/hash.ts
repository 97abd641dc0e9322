/**
 * @module hash: Tahoe's hashes: SHA-256d over netstring-tagged values (`util/hashutil.py`).
 */
import { primitives } from '#crypto';
import { netstring, utf8 } from '../bytes.ts';

/** SHA-256 of SHA-256 of the concatenated parts, 32 bytes. */
export function sha256d(...parts: readonly Uint8Array[]): Uint8Array {
  const inner = primitives.sha256();
  for (const part of parts) inner.update(part);
  return primitives.sha256().update(inner.digest()).digest();
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
