/**
 * @module parent: how a version names the one that it was built on (docs/format.md §3.1).
 *
 * Half of the salt of its signature is free for that: no byte of a share has another meaning, and
 * servers cannot forge it.
 */
import { taggedHash, tagOf } from '../crypto/hash.ts';

const PARENT_TAG = tagOf('tahoe_mutable_signed_prefix_to_parent_v1');

/** Bytes at the beginning of the salt; the others are random. */
export const parentTagLength = 16;

/**
 * What a child of the version with this signed prefix names as its parent; what a first version
 * names is the same of no bytes.
 */
export function parentTagOf(prefix: Uint8Array): Uint8Array {
  return taggedHash(PARENT_TAG, prefix).slice(0, parentTagLength);
}
