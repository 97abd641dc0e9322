/**
 * @module encode: a whole new version of a file (`mutable/publish.py` `Publish.publish`;
 * docs/format.md §5).
 */
import type { Format } from '../caps.ts';
import { releaseOwn } from '../crypto/release.ts';
import { deferred } from '../deferred.ts';
import { checkEncoding } from '../erasure/shares.ts';
import type { WritePart } from '../storage/server.ts';
import { Stint } from '../turn.ts';
import { geometryOf, type MutableGeometry } from './geometry.ts';
import { buildLongHashTree, hashIn } from './hashtree.ts';
import { checkstringLengthOf } from './header.ts';
import { segmentsKept } from './kept-segments.ts';
import { layoutOf, type ShareLayout } from './layout.ts';
import { type EntryOf, Lockstep, type Patience } from './lockstep.ts';
import type { Plaintext } from './plaintext.ts';
import {
  type EncodedVersion,
  encodedVersion,
  entryParts,
  headRange,
  partOf,
  type SealedVersion,
  type SendableVersion,
  sealVersion,
  signatureLength,
  tailRange,
  type VersionInput,
} from './seal.ts';
import { type Around, checkEncodable, encodeSegments, type SegmentOptions } from './segments.ts';

export interface EncodeInput extends VersionInput, SegmentOptions {
  readonly format: Format;
  readonly plaintext: Plaintext;
  /** k */
  readonly required: number;
  /** N, at most 255. */
  readonly total: number;
  /** 16 fresh random bytes. */
  readonly newSalt: () => Uint8Array;
  /** Of an MDMF file of more than a few segments. */
  readonly along?: Along | undefined;
}

/** Writers who go along with the first pass. */
export interface Along {
  readonly patience: Patience;
  /** Is told before the pass begins. */
  readonly begin: (version: UnsealedVersion, lockstep: Lockstep) => void;
}

/** Of the blocks that are kept while all writers come by: a few segments, and two at least. */
const keptBytes = 1 << 22;

/** A version that is being encoded. The last two parts of a share are ready when that is over. */
export interface UnsealedVersion extends Omit<SendableVersion, 'shareParts'> {
  /** @param entry of a writer in the lockstep */
  shareParts(shnum: number, entry: EntryOf): readonly WritePart[];
}

/**
 * The first pass over the plaintext; the second happens when parts are asked for their bytes, unless
 * whoever asks goes along with the first.
 * @throws OutOfRangeError unless 1 <= k <= N <= 255, and for a file that would be too large
 * @throws SourceChangedError as do the parts, when the plaintext is not the same each time
 */
export async function encodeVersion(input: EncodeInput): Promise<EncodedVersion> {
  const { format, plaintext, required, total, newSalt } = input;
  checkEncoding(required, total);
  const geometry = geometryOf(format, required, plaintext.size);
  checkEncodable(geometry);
  const salt = format === 'sdmf' ? newSalt() : undefined;
  const isLong = format === 'mdmf' && geometry.segmentCount > segmentsKept;
  const along = isLong ? input.along : undefined;
  const lockstep = along && new Lockstep(windowOf(geometry, total), along.patience);
  const sealing = deferred<SealedVersion>();
  // Whoever goes along is told; if nobody does, the caller is.
  sealing.promise.catch(() => {});
  if (lockstep) along?.begin(unsealed(input, geometry, sealing.promise), lockstep);
  try {
    const sealed = await encoded({ ...input, geometry, salt, lockstep });
    sealing.resolve(sealed.sealed);
    return sealed.version;
  } catch (error) {
    lockstep?.fail(error);
    sealing.reject(error);
    throw error;
  }
}

function windowOf({ segmentSize, required }: MutableGeometry, total: number): number {
  const copies = required === 1 ? 1 : total / required;
  return Math.max(2, Math.floor(keptBytes / (segmentSize * copies)));
}

/** The pass over a plaintext whose geometry is known. */
export interface EncodeRun extends Omit<EncodeInput, 'format' | 'required' | 'along'> {
  readonly geometry: MutableGeometry;
  readonly salt: Uint8Array | undefined;
  readonly lockstep?: Lockstep | undefined;
  /** Of MDMF; where Tahoe puts them unless the share exists. */
  readonly shareDataOffset?: number | undefined;
}

/** The version, and its parts before they are put together. */
export async function encoded(input: EncodeRun) {
  const { geometry, salt, newSalt, total } = input;
  const around = roomAround(geometry, expectedLayout(input, geometry, total));
  const segments = await encodeSegments({
    ...input,
    around,
    firstSegment: 0,
    nextSalt: () => salt ?? newSalt(),
  });
  const stint = new Stint();
  const blockHashTrees: Uint8Array[] = [];
  for (const hashes of segments.blockHashes) {
    blockHashTrees.push(await buildLongHashTree(hashes, stint));
  }
  const sealed = await sealVersion({
    ...input,
    roots: blockHashTrees.map((tree) => hashIn(tree, 0)),
    treeOf: (shnum) => blockHashTrees[shnum] as Uint8Array,
  });
  const { header, head, tail } = sealed;
  const { layout } = header;
  // A server may be sent a great many, one after the other: those that are done with may go before.
  const shares: WeakRef<Uint8Array>[] = [];
  const newShare = async () => {
    const share = new Uint8Array(layout.end);
    shares.push(new WeakRef(share));
    return share;
  };
  const partsOf = (shnum: number) => {
    const rest = [tail(shnum), head(shnum)];
    if (around !== undefined && around.before === layout.shareData.offset) {
      return [wholeShare(layout.end, rest, () => segments.surrounded(0, shnum))];
    }
    const parts = [...entryParts(header, layout, segments, shnum), ...rest];
    return geometry.format === 'sdmf' ? [wholeShare(layout.end, parts, newShare)] : parts;
  };
  const letGo = () => {
    segments.letGo();
    for (const ref of shares) {
      const share = ref.deref();
      if (share !== undefined) releaseOwn(share);
    }
  };
  return { sealed, version: encodedVersion(sealed, partsOf, letGo) };
}

/** As it will be: of all fields the lengths are known. */
function expectedLayout(
  { verificationKey, encryptedPrivateKey }: Pick<EncodeInput, keyof VersionInput>,
  geometry: MutableGeometry,
  total: number,
): ShareLayout {
  const lengths = {
    verificationKey: verificationKey.length,
    signature: signatureLength,
    encryptedPrivateKey: encryptedPrivateKey.length,
  };
  return layoutOf(geometry, total, lengths);
}

/** What a share of SDMF has around its block, unless all N have one block. */
function roomAround(
  { format, required, segmentCount }: MutableGeometry,
  { shareData, end }: ShareLayout,
): Around | undefined {
  if (format !== 'sdmf' || required === 1 || segmentCount === 0) return undefined;
  return { before: shareData.offset, after: end - shareData.offset - shareData.length };
}

/** Its parts can be asked for before it is signed. */
function unsealed(
  input: EncodeInput,
  geometry: MutableGeometry,
  sealing: Promise<SealedVersion>,
): UnsealedVersion {
  const layout = expectedLayout(input, geometry, input.total);
  const count = geometry.segmentCount;
  return {
    checkstringLength: checkstringLengthOf(geometry.format),
    shareLength: layout.end,
    shareParts: (shnum, entry) => [
      ...entryParts(geometry, layout, { first: 0, count, entry }, shnum),
      partOf(tailRange(geometry, layout), async () => (await sealing).tail(shnum).bytes()),
      partOf(headRange(geometry, layout), async () => (await sealing).head(shnum).bytes()),
    ],
  };
}

/**
 * One write, so that a server that crashes keeps one version of the share whole, if it can.
 * @param room where the parts are put; what they leave is there already
 */
function wholeShare(
  length: number,
  parts: readonly WritePart[],
  room: () => Promise<Uint8Array>,
): WritePart {
  return partOf({ offset: 0, length }, async () => {
    const share = await room();
    for (const part of parts) share.set(await part.bytes(), part.offset);
    return share;
  });
}
