/**
 * @module shares: golden cases, and shares as plain bytes.
 */
import { readFileSync } from 'node:fs';
import { hexToBytes } from '../../src/bytes.ts';
import type { Format } from '../../src/caps.ts';
import { decodeSegment } from '../../src/share/decode.ts';
import { type EncodeInput, encodeVersion } from '../../src/share/encode.ts';
import { plaintextOf } from '../../src/share/plaintext.ts';
import { ShareReader } from '../../src/share/reader.ts';
import type { EncodedVersion } from '../../src/share/seal.ts';
import { FileSignatures } from '../../src/share/signatures.ts';
import { VersionVerifier } from '../../src/share/verify.ts';
import type { WritePart } from '../../src/storage/server.ts';

export interface GoldenCase {
  readonly format: Format;
  readonly required: number;
  readonly total: number;
  readonly size: number;
  readonly seqnum: number;
  readonly salts: readonly Uint8Array[];
  readonly signature: Uint8Array;
  readonly rootHash: string;
  readonly prefix: string;
  readonly shareLength: number;
  readonly shareSha256: readonly string[];
  readonly share0: string | undefined;
}

/** `test/vectors/mutable-golden.json`: share sets made by Tahoe, all with one key. */
export const golden = readGolden();

function readGolden() {
  const path = new URL('../vectors/mutable-golden.json', import.meta.url);
  const json = JSON.parse(readFileSync(path, 'utf8'));
  return {
    pkcs8: hexToBytes(json.privkey_pkcs8_der),
    spki: hexToBytes(json.pubkey_spki_der),
    readkey: hexToBytes(json.readkey),
    fingerprint: hexToBytes(json.fingerprint),
    encryptedPrivateKey: hexToBytes(json.encprivkey),
    cases: json.cases.map(
      // biome-ignore lint/suspicious/noExplicitAny: the file's own shape
      (c: any): GoldenCase => ({
        format: c.format.toLowerCase(),
        required: c.k,
        total: c.N,
        size: c.size,
        seqnum: c.seqnum,
        salts: c.salts.map(hexToBytes),
        signature: hexToBytes(c.signature),
        rootHash: c.root_hash,
        prefix: c.signed_prefix,
        shareLength: c.share_len,
        shareSha256: c.share_sha256,
        share0: c.share0_hex,
      }),
    ) as readonly GoldenCase[],
  };
}

/** The plaintext of the golden cases. */
export function goldenBytes(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => 7 * i + 3);
}

/** Encodes with the golden key and a signature that is not checked. */
export function encode(
  input: Pick<EncodeInput, 'format' | 'required' | 'total'> & Partial<EncodeInput>,
  plaintext: Uint8Array,
): Promise<EncodedVersion> {
  return encodeVersion({
    plaintext: plaintextOf(plaintext),
    seqnum: 1,
    readkey: golden.readkey,
    encryptedPrivateKey: golden.encryptedPrivateKey,
    verificationKey: golden.spki,
    sign: async () => new Uint8Array(256),
    newSalt: countingSalts(),
    ...input,
  });
}

/** Salts that differ from each other and, with another `series`, from other ones. */
export function countingSalts(series = 0): () => Uint8Array {
  let count = 0;
  return () => new Uint8Array(16).fill(++count).fill(series, 0, 8);
}

/** What a server holds after the parts: holes are zeros. Parts must have the length they claim. */
export async function applyParts(
  share: Uint8Array,
  parts: readonly WritePart[],
): Promise<Uint8Array> {
  const end = Math.max(share.length, ...parts.map(({ offset, length }) => offset + length));
  const out = new Uint8Array(end);
  out.set(share);
  for (const part of parts) {
    const bytes = await part.bytes();
    if (bytes.length !== part.length) throw new Error(`part at ${part.offset}: ${bytes.length}`);
    out.set(bytes, part.offset);
  }
  return out;
}

export function shareBytes(version: EncodedVersion, shnum: number): Promise<Uint8Array> {
  return applyParts(new Uint8Array(0), version.shareParts(shnum));
}

export async function allShares(version: EncodedVersion): Promise<Uint8Array[]> {
  const shares: Uint8Array[] = [];
  for (let shnum = 0; shnum < version.header.total; shnum++) {
    shares.push(await shareBytes(version, shnum));
  }
  return shares;
}

/** A reader over bytes, which notes the ranges it reads. */
export function readerOf(share: Uint8Array, head?: Uint8Array) {
  const ranges: [offset: number, length: number][] = [];
  const reader = new ShareReader(async ({ offset, length }) => {
    ranges.push([offset, length]);
    return share.slice(offset, offset + length);
  }, head);
  return { reader, ranges };
}

/**
 * Reads a file the way a client does: every share's trees and blocks are verified up to the root
 * of the first one, the signature if a fingerprint is given, then the first k are decoded.
 */
export async function readFile(
  shares: ReadonlyMap<number, Uint8Array>,
  readkey: Uint8Array,
  fingerprint?: Uint8Array,
): Promise<Uint8Array> {
  const readers = new Map([...shares].map(([shnum, bytes]) => [shnum, readerOf(bytes).reader]));
  const [first] = readers.values();
  if (first === undefined) throw new Error('no shares');
  const header = await first.header();
  const verifier = new VersionVerifier(header);
  for (const [shnum, reader] of readers) {
    if (fingerprint !== undefined) {
      const key = await reader.verificationKey();
      const signatures = new FileSignatures(fingerprint);
      await signatures.verify(await reader.header(), key, await reader.signature());
    }
    verifier.acceptTree(shnum, await reader.shareHashChain(), await reader.blockHashTree());
  }
  const plaintext = new Uint8Array(header.dataLength);
  for (let segnum = 0; segnum < header.segmentCount; segnum++) {
    const blocks = new Map<number, Uint8Array>();
    let salt: Uint8Array | undefined;
    for (const [shnum, reader] of readers) {
      const [entry] = await reader.blocks(segnum, 1);
      if (entry === undefined) throw new Error('no entry');
      verifier.acceptBlock(shnum, segnum, entry.block, entry.salt);
      blocks.set(shnum, entry.block);
      salt = entry.salt;
    }
    const segment = await decodeSegment(header, readkey, segnum, blocks, salt);
    plaintext.set(segment, segnum * header.segmentSize);
  }
  return plaintext;
}
