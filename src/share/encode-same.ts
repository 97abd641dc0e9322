/**
 * @module encode-same: shares of a version that exists, made again byte for byte.
 *
 * With its own salts, signature and layout the same contents give the same shares. Whether they do
 * is told by the root: nothing is given out that does not lead to the one that was signed.
 */
import { bytesToHex, equalBytes } from '../bytes.ts';
import { CorruptShareError } from '../errors.ts';
import { encoded } from './encode.ts';
import type { ShareHeader } from './header.ts';
import type { Plaintext } from './plaintext.ts';
import type { EncodedVersion } from './seal.ts';
import { checkEncodable, type SegmentOptions } from './segments.ts';

export interface SameInput extends SegmentOptions {
  /** Its signature must have been verified. */
  readonly header: ShareHeader;
  readonly signature: Uint8Array;
  /** SubjectPublicKeyInfo DER. */
  readonly verificationKey: Uint8Array;
  /** As it is in every share of the file, byte for byte. */
  readonly encryptedPrivateKey: Uint8Array;
  /** The contents, whole. */
  readonly plaintext: Plaintext;
  /** Of MDMF: 16 bytes for each segment. */
  readonly saltOf: (segnum: number) => Uint8Array;
}

/**
 * @throws CorruptShareError when the contents do not lead to the signed root: whoever wrote the
 * version has signed shares that are not of one file
 */
export async function encodeSame(input: SameInput): Promise<EncodedVersion> {
  const { header, signature, saltOf } = input;
  checkEncodable(header);
  const salts = header.salt === undefined ? [...Array(header.segmentCount).keys()].map(saltOf) : [];
  const { version } = await encoded({
    ...input,
    geometry: header,
    total: header.total,
    seqnum: header.seqnum,
    salt: header.salt,
    newSalt: () => salts.shift() as Uint8Array,
    sign: async () => signature,
    shareDataOffset: header.layout.shareData.offset,
  });
  if (!equalBytes(version.header.prefix, header.prefix)) {
    const root = bytesToHex(header.rootHash).slice(0, 12);
    throw new CorruptShareError('share hash tree', `the contents do not lead to root ${root}…`);
  }
  return version;
}
