/**
 * @module encode-update: a version of an MDMF file that differs from its base in a run of segments,
 * as what has to be written over the base's shares (`mutable/publish.py` `Publish.update`;
 * docs/format.md §5.4).
 *
 * Nothing is signed before every old hash that the new root will cover has been led to the base's
 * root. Something of the trees of all N shares is needed for that (`update-trees.ts`).
 */
import { concatBytes } from '../bytes.ts';
import { OutOfRangeError, WrongFormatError } from '../errors.ts';
import type { WritePart } from '../storage/server.ts';
import { geometryOf, type MutableGeometry } from './geometry.ts';
import { type HashNode, hashLength, nodeRuns } from './hashtree.ts';
import type { ShareHeader } from './header.ts';
import type { Plaintext } from './plaintext.ts';
import {
  type EncodedVersion,
  encodedVersion,
  entryParts,
  partOf,
  sealVersion,
  type VersionInput,
} from './seal.ts';
import { encodeSegments, type SegmentOptions } from './segments.ts';
import { type OldTree, updateTrees } from './update-trees.ts';

export interface UpdateInput extends VersionInput, SegmentOptions {
  /** MDMF, signature verified. Its layout must be that of every share that will be written to. */
  readonly base: ShareHeader;
  /** The base's block hash trees of all N shares: the nodes needed of each, at least. */
  readonly trees: ReadonlyMap<number, OldTree>;
  readonly firstSegment: number;
  /** From the start of segment `firstSegment` to the end of the last segment to be rewritten. */
  readonly plaintext: Plaintext;
  /** Plaintext bytes of the file, not below the base's. */
  readonly newDataLength: number;
  /** 16 fresh random bytes. */
  readonly newSalt: () => Uint8Array;
}

/**
 * The first pass over the rewritten segments; the second happens when parts are asked for their
 * bytes. The parts are for shares that hold the base: segments outside the run are not sent.
 * @throws WrongFormatError when the base is not MDMF
 * @throws OutOfRangeError when the run leaves a hole, or segments that change but are not in it, or
 * a tree is missing
 * @throws CorruptShareError when the trees do not lead to the base's root
 */
export async function encodeUpdate(input: UpdateInput): Promise<EncodedVersion> {
  const { base, newDataLength } = input;
  if (base.format !== 'mdmf') {
    throw new WrongFormatError('only MDMF files can be updated in place', {
      cap: 'mdmf',
      file: base.format,
    });
  }
  const geometry = geometryOf('mdmf', base.required, newDataLength, base.segmentSize);
  checkRun(input, geometry);
  const segments = await encodeSegments({
    ...input,
    geometry,
    total: base.total,
    nextSalt: input.newSalt,
  });
  const { first: firstSegment, count: segmentCount, blockHashes } = segments;
  const run = { firstSegment, segmentCount, newDataLength };
  const { roots, wholes, changes } = await updateTrees(base, run, input.trees, blockHashes);
  const sealed = await sealVersion({
    ...input,
    geometry,
    salt: undefined,
    roots,
    treeOf: (shnum) => wholes?.[shnum] as Uint8Array,
    shareDataOffset: base.layout.shareData.offset,
  });
  const { header, head, tail } = sealed;
  const partsOf = (shnum: number) => [
    ...entryParts(header, header.layout, segments, shnum),
    ...(wholes === null ? nodeParts(header, changes[shnum] as readonly HashNode[]) : [tail(shnum)]),
    head(shnum),
  ];
  return encodedVersion(sealed, partsOf, segments.letGo);
}

/** Every segment of the new version must be in the run or be, whole, in the base. */
function checkRun(input: UpdateInput, { segmentSize }: MutableGeometry): void {
  const { base, firstSegment, plaintext, newDataLength } = input;
  const start = firstSegment * segmentSize;
  const end = start + plaintext.size;
  if (newDataLength < base.dataLength) {
    throw new OutOfRangeError('newDataLength', newDataLength, `the base has ${base.dataLength}`);
  }
  if (!Number.isInteger(firstSegment) || start < 0 || start > base.dataLength) {
    throw new OutOfRangeError('firstSegment', firstSegment, `the base has ${base.segmentCount}`);
  }
  const isBeforeOldSegments = end % segmentSize === 0 && end < newDataLength;
  if (end !== newDataLength && !(isBeforeOldSegments && newDataLength === base.dataLength)) {
    throw new OutOfRangeError('plaintext size', plaintext.size, 'must end with a segment');
  }
}

/** Neighbours in one part. */
function nodeParts({ layout }: ShareHeader, nodes: readonly HashNode[]): WritePart[] {
  const hashes = new Map(nodes);
  return nodeRuns([...hashes.keys()]).map(({ first, count }) => {
    const offset = layout.blockHashTree.offset + first * hashLength;
    const run = Array.from({ length: count }, (_, i) => hashes.get(first + i) as Uint8Array);
    return partOf({ offset, length: count * hashLength }, () => concatBytes(...run));
  });
}
