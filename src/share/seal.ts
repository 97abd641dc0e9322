/**
 * @module seal: from block hash trees to a signed version (docs/format.md §5.3).
 *
 * The root of share s's block hash tree is leaf s of the share hash tree; the root of that one is
 * in the prefix, and the prefix is what is signed, once for all shares.
 */
import { concatBytes, viewOf } from '../bytes.ts';
import { OutOfRangeError } from '../errors.ts';
import type { ByteRange, WritePart } from '../storage/server.ts';
import { entryRange, type MutableGeometry } from './geometry.ts';
import { buildHashTree, neededHashes } from './hashtree.ts';
import {
  checkstringOf,
  packHeader,
  packPrefix,
  parseShareHeader,
  type ShareHeader,
} from './header.ts';
import { chainEntryLength, layoutOf, type ShareLayout } from './layout.ts';
import type { EncodedSegments } from './segments.ts';

/** A version whose shares can be written, any of them at any time and more than once. */
export interface SendableVersion {
  /** Bytes of the checkstring. */
  readonly checkstringLength: number;
  /** Bytes of a whole share. */
  readonly shareLength: number;
  /**
   * What to write into share `shnum`, in this order: a share is of the new version when its header,
   * the last part, is there.
   * @throws OutOfRangeError when there is no such share
   */
  shareParts(shnum: number): readonly WritePart[];
}

export interface EncodedVersion extends SendableVersion {
  /** Nobody asks parts for bytes any more, or uses what they gave: their memory is given back. */
  letGo(): void;
  /** The same in all shares. */
  readonly header: ShareHeader;
  readonly signature: Uint8Array;
  readonly checkstring: Uint8Array;
}

/** What a publisher knows of a version, whatever its segments. */
export interface VersionInput {
  /** Above that of any version seen. */
  readonly seqnum: number;
  /** As it is in every share of the file, byte for byte. */
  readonly encryptedPrivateKey: Uint8Array;
  /** SubjectPublicKeyInfo DER. */
  readonly verificationKey: Uint8Array;
  /** The signature of the prefix, with the private key of the file. */
  readonly sign: (prefix: Uint8Array) => Promise<Uint8Array>;
}

/** What {@link sealVersion} is given besides. */
export interface SealInput extends VersionInput {
  readonly geometry: MutableGeometry;
  /** SDMF's IV. */
  readonly salt: Uint8Array | undefined;
  /** Of the block hash tree of each share. */
  readonly roots: readonly Uint8Array[];
  /** The block hash tree of a share as it is stored, if it is to be written as a whole. */
  readonly treeOf: (shnum: number) => Uint8Array;
  /** Of MDMF; where Tahoe puts them unless the share exists. */
  readonly shareDataOffset?: number | undefined;
}

/** Bytes of what a key of 2048 bits signs. */
export const signatureLength = 256;

export interface SealedVersion {
  readonly header: ShareHeader;
  readonly signature: Uint8Array;
  /** The part in front of the share data: header and fields, without a gap. */
  head(shnum: number): WritePart;
  /** The field behind the share data. */
  tail(shnum: number): WritePart;
}

export async function sealVersion(input: SealInput): Promise<SealedVersion> {
  const { geometry, seqnum, salt, roots, verificationKey, encryptedPrivateKey, treeOf } = input;
  const total = roots.length;
  const shareHashTree = buildHashTree(roots);
  const fields = { ...geometry, seqnum, rootHash: shareHashTree[0] as Uint8Array, salt, total };
  const signature = await input.sign(packPrefix(fields));
  const layout = layoutOf(
    geometry,
    total,
    {
      verificationKey: verificationKey.length,
      signature: signature.length,
      encryptedPrivateKey: encryptedPrivateKey.length,
    },
    input.shareDataOffset,
  );
  const headerBytes = packHeader(fields, layout);
  // Parsed again: what this library would not read, it does not publish.
  const header = parseShareHeader(headerBytes);

  const chain = (shnum: number) => packChain(shareHashTree, neededHashes(total, shnum));
  const front = (shnum: number) =>
    geometry.format === 'sdmf'
      ? [verificationKey, signature, chain(shnum), treeOf(shnum)]
      : [encryptedPrivateKey, chain(shnum), signature, verificationKey];
  const back = (shnum: number) =>
    geometry.format === 'sdmf' ? encryptedPrivateKey : treeOf(shnum);
  return {
    header,
    signature,
    head: (shnum) =>
      partOf(headRange(geometry, layout), () => concatBytes(headerBytes, ...front(shnum))),
    tail: (shnum) => partOf(tailRange(geometry, layout), () => back(shnum)),
  };
}

/** In front of the share data: header and fields, without a gap. */
export function headRange({ format }: MutableGeometry, layout: ShareLayout): ByteRange {
  const { offset, length } = format === 'sdmf' ? layout.blockHashTree : layout.verificationKey;
  return { offset: 0, length: offset + length };
}

/** Behind the share data. */
export function tailRange({ format }: MutableGeometry, layout: ShareLayout): ByteRange {
  return format === 'sdmf' ? layout.encryptedPrivateKey : layout.blockHashTree;
}

/** The entries of all encoded segments, in share `shnum`. */
export function entryParts(
  geometry: MutableGeometry,
  { shareData }: Pick<ShareLayout, 'shareData'>,
  { first, count, entry }: Pick<EncodedSegments, 'first' | 'count' | 'entry'>,
  shnum: number,
): WritePart[] {
  return Array.from({ length: count }, (_, i) => {
    const { offset, length } = entryRange(geometry, first + i);
    const bytes = () => entry(first + i, shnum);
    return { offset: shareData.offset + offset, length, bytes };
  });
}

export function partOf(
  { offset, length }: ByteRange,
  bytes: () => Uint8Array | Promise<Uint8Array>,
): WritePart {
  return { offset, length, bytes: async () => bytes() };
}

export function encodedVersion(
  { header, signature }: Pick<SealedVersion, 'header' | 'signature'>,
  partsOf: (shnum: number) => readonly WritePart[],
  letGo: () => void,
): EncodedVersion {
  const checkstring = checkstringOf(header);
  return {
    ...{ header, signature, checkstring, checkstringLength: checkstring.length, letGo },
    shareLength: header.layout.end,
    shareParts(shnum) {
      if (!Number.isInteger(shnum) || shnum < 0 || shnum >= header.total) {
        throw new OutOfRangeError('shnum', shnum, `the version has ${header.total} shares`);
      }
      return partsOf(shnum);
    },
  };
}

/** Entries of u16 node number and hash, ascending. */
function packChain(tree: readonly Uint8Array[], nodes: readonly number[]): Uint8Array {
  const out = new Uint8Array(nodes.length * chainEntryLength);
  const view = viewOf(out);
  nodes.forEach((node, i) => {
    view.setUint16(i * chainEntryLength, node);
    out.set(tree[node] as Uint8Array, i * chainEntryLength + 2);
  });
  return out;
}
