/**
 * @module seal: from block hash trees to a signed version (docs/format.md §5.3).
 *
 * The root of share s's block hash tree is leaf s of the share hash tree; the root of that one is
 * in the prefix, and the prefix is what is signed, once for all shares.
 */
import { concatBytes, viewOf } from '../bytes.ts';
import { OutOfRangeError } from '../errors.ts';
import type { ByteRange, WritePart } from '../storage/server.ts';
import { entryRange, type Geometry } from './geometry.ts';
import { buildHashTree, hashIn, neededHashes } from './hashtree.ts';
import {
  checkstringOf,
  packHeader,
  packPrefix,
  parseShareHeader,
  type ShareHeader,
} from './header.ts';
import { chainEntryLength, layoutOf } from './layout.ts';
import type { EncodedSegments } from './segments.ts';

/** A version whose shares can be written, any of them at any time and more than once. */
export interface EncodedVersion {
  /** The same in all shares. */
  readonly header: ShareHeader;
  readonly signature: Uint8Array;
  readonly checkstring: Uint8Array;
  /** Bytes of a whole share. */
  readonly shareLength: number;
  /**
   * What to write into share `shnum`, in this order: a share is of the new version when its header,
   * the last part, is there.
   * @throws OutOfRangeError when there is no such share
   */
  shareParts(shnum: number): readonly WritePart[];
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
  readonly geometry: Geometry;
  /** SDMF's IV. */
  readonly salt: Uint8Array | undefined;
  /** One per share, as it is stored. */
  readonly blockHashTrees: readonly Uint8Array[];
  /** Of MDMF; where Tahoe puts them unless the share exists. */
  readonly shareDataOffset?: number | undefined;
}

export interface SealedVersion {
  readonly header: ShareHeader;
  readonly signature: Uint8Array;
  /** The part in front of the share data: header and fields, without a gap. */
  head(shnum: number): WritePart;
  /** The field behind the share data. */
  tail(shnum: number): WritePart;
}

export async function sealVersion(input: SealInput): Promise<SealedVersion> {
  const { geometry, seqnum, salt, blockHashTrees, verificationKey, encryptedPrivateKey } = input;
  const total = blockHashTrees.length;
  const shareHashTree = buildHashTree(blockHashTrees.map((tree) => hashIn(tree, 0)));
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
  const tree = (shnum: number) => blockHashTrees[shnum] as Uint8Array;
  const front = (shnum: number) =>
    geometry.format === 'sdmf'
      ? [verificationKey, signature, chain(shnum), tree(shnum)]
      : [encryptedPrivateKey, chain(shnum), signature, verificationKey];
  const { offset, length } =
    geometry.format === 'sdmf' ? layout.blockHashTree : layout.verificationKey;
  return {
    header,
    signature,
    head: (shnum) =>
      partOf({ offset: 0, length: offset + length }, () =>
        concatBytes(headerBytes, ...front(shnum)),
      ),
    tail: (shnum) =>
      geometry.format === 'sdmf'
        ? partOf(layout.encryptedPrivateKey, () => encryptedPrivateKey)
        : partOf(layout.blockHashTree, () => tree(shnum)),
  };
}

/** The entries of all encoded segments, in share `shnum`. */
export function entryParts(
  header: ShareHeader,
  { first, count, entry }: EncodedSegments,
  shnum: number,
): WritePart[] {
  return Array.from({ length: count }, (_, i) => {
    const { offset, length } = entryRange(header, first + i);
    const range = { offset: header.layout.shareData.offset + offset, length };
    return partOf(range, () => entry(first + i, shnum));
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
): EncodedVersion {
  return {
    header,
    signature,
    checkstring: checkstringOf(header),
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
