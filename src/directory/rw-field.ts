/**
 * @module rw-field: the write cap of a child, encrypted for those who may write to the directory
 * (`dirnode.py` `_encrypt_rw_uri`, `_decrypt_rwcapdata`).
 *
 *     salt (16) || AES-128-CTR(key, cap) || mac (32)
 *
 * The salt follows from the cap, so that packing a child again gives the same bytes. The mac is no
 * HMAC (its key is not padded), is for nobody, and nobody checks it: it is written for Tahoe's sake.
 */
import { primitives } from '#crypto';
import { concatBytes } from '../bytes.ts';
import { taggedHash, taggedPairHash, tagOf } from '../crypto/hash.ts';
import type { Primitives } from '../crypto/primitives.ts';

const SALT_TAG = tagOf('allmydata_dirnode_child_rwcap_to_salt_v1');
const KEY_TAG = tagOf('allmydata_mutable_writekey_and_salt_to_dirnode_child_capkey_v1');
const saltLength = 16;
const macLength = 32;
/** Bytes around the cap. */
export const rwFieldOverhead = saltLength + macLength;

/** Whoever holds the write cap of a directory. */
export interface Writer {
  /** 16 bytes. */
  readonly writekey: Uint8Array;
  readonly aesCtr: Primitives['aesCtr'];
}

/** The field for a cap, or for none, which is a cap of no bytes. */
export async function sealRwCap(writer: Writer, cap: Uint8Array): Promise<Uint8Array> {
  const salt = taggedHash(SALT_TAG, cap).slice(0, saltLength);
  const key = keyOf(writer, salt);
  const encrypted = await writer.aesCtr(key, cap);
  const inner = sha256(masked(key, 0x36), salt, encrypted);
  return concatBytes(salt, encrypted, sha256(masked(key, 0x5c), inner));
}

/** The cap in a field of {@link rwFieldOverhead} bytes or more. */
export function openRwCap(writer: Writer, field: Uint8Array): Promise<Uint8Array> {
  const key = keyOf(writer, field.subarray(0, saltLength));
  return writer.aesCtr(key, field.subarray(saltLength, -macLength));
}

function keyOf({ writekey }: Writer, salt: Uint8Array): Uint8Array {
  return taggedPairHash(KEY_TAG, salt, writekey).slice(0, 16);
}

function masked(key: Uint8Array, mask: number): Uint8Array {
  return key.map((byte) => byte ^ mask);
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = primitives.sha256();
  for (const part of parts) hash.update(part);
  return hash.digest();
}
