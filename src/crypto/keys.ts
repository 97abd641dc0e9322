/**
 * @module keys: every secret of a mutable file, derived from its RSA key (`util/hashutil.py`
 * `ssk_*_hash`, `mutable/common.py` `derive_mutable_keys`).
 *
 * private key -> write key -> read key -> storage index: each step is a one-way tagged hash, and
 * that is the whole difference between a write, a read and a verify cap.
 */
import { primitives } from '#crypto';
import { equalBytes } from '../bytes.ts';
import { taggedHash, taggedPairHash, tagOf } from './hash.ts';
import type { Primitives } from './primitives.ts';

const WRITEKEY_TAG = tagOf('allmydata_mutable_privkey_to_writekey_v1');
const READKEY_TAG = tagOf('allmydata_mutable_writekey_to_readkey_v1');
const STORAGE_INDEX_TAG = tagOf('allmydata_mutable_readkey_to_storage_index_v1');
const FINGERPRINT_TAG = tagOf('allmydata_mutable_pubkey_to_fingerprint_v1');
const DATA_KEY_TAG = tagOf('allmydata_mutable_readkey_to_datakey_v1');
const WRITE_ENABLER_MASTER_TAG = tagOf('allmydata_mutable_writekey_to_write_enabler_master_v1');
const WRITE_ENABLER_TAG = tagOf(
  'allmydata_mutable_write_enabler_master_and_nodeid_to_write_enabler_v1',
);

/** The 16-byte write key of a private key, given as its exact PKCS#8 DER. */
export function deriveWritekey(pkcs8: Uint8Array): Uint8Array {
  return taggedHash(WRITEKEY_TAG, pkcs8).slice(0, 16);
}

/** The 16-byte read key of a 16-byte write key. */
export function deriveReadkey(writekey: Uint8Array): Uint8Array {
  return taggedHash(READKEY_TAG, writekey).slice(0, 16);
}

/** The 16-byte storage index of a 16-byte read key. */
export function deriveStorageIndex(readkey: Uint8Array): Uint8Array {
  return taggedHash(STORAGE_INDEX_TAG, readkey).slice(0, 16);
}

/** The 32-byte fingerprint of a public key, given as its SubjectPublicKeyInfo DER. */
export function deriveFingerprint(spki: Uint8Array): Uint8Array {
  return taggedHash(FINGERPRINT_TAG, spki);
}

/** The 16-byte AES key of an SDMF version or MDMF segment; `salt` is its 16-byte IV or salt. */
export function deriveDataKey(salt: Uint8Array, readkey: Uint8Array): Uint8Array {
  return taggedPairHash(DATA_KEY_TAG, salt, readkey).slice(0, 16);
}

/** The 32-byte secret that the server with this 20-byte TubID wants to see before a write. */
export function deriveWriteEnabler(writekey: Uint8Array, tubId: Uint8Array): Uint8Array {
  const master = taggedHash(WRITE_ENABLER_MASTER_TAG, writekey);
  return taggedPairHash(WRITE_ENABLER_TAG, master, tubId);
}

/** The private key as it is stored in every share; as long as `pkcs8`, and always the same. */
export function encryptPrivateKey(
  writekey: Uint8Array,
  pkcs8: Uint8Array,
  { aesCtr }: Pick<Primitives, 'aesCtr'> = primitives,
): Promise<Uint8Array> {
  return aesCtr(writekey, pkcs8);
}

/** The PKCS#8 DER out of a share, or `undefined` when it is not this write key's private key. */
export async function decryptPrivateKey(
  writekey: Uint8Array,
  encrypted: Uint8Array,
  { aesCtr }: Pick<Primitives, 'aesCtr'> = primitives,
): Promise<Uint8Array | undefined> {
  const pkcs8 = await aesCtr(writekey, encrypted);
  return equalBytes(deriveWritekey(pkcs8), writekey) ? pkcs8 : undefined;
}
