/**
 * @module encode-update: a version of an MDMF file that differs from its base in a run of segments,
 * as what has to be written over the base's shares (`mutable/publish.py` `Publish.update`;
 * docs/format.md §5.4).
 *
 * The new root covers old blocks too, so nothing is signed before every old hash that it will
 * cover has been led to the base's root. The trees of all N shares are needed for that.
 */
import { equalBytes } from '../bytes.ts';
import { CorruptShareError, OutOfRangeError, WrongFormatError } from '../errors.ts';
import type { ByteRange, WritePart } from '../storage/server.ts';
import { Stint } from '../turn.ts';
import { type Geometry, geometryOf } from './geometry.ts';
import {
  buildHashTree,
  buildLongHashTree,
  hashIn,
  hashLength,
  nodeCount,
  nodeRuns,
} from './hashtree.ts';
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

export interface UpdateInput extends VersionInput, SegmentOptions {
  /** MDMF, signature verified. Its layout must be that of every share that will be written to. */
  readonly base: ShareHeader;
  /** The base's block hash trees, all nodes, of all N shares. */
  readonly trees: ReadonlyMap<number, readonly Uint8Array[]>;
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
    throw new WrongFormatError('only MDMF files can be updated in place', { format: base.format });
  }
  const geometry = geometryOf('mdmf', base.required, newDataLength, base.segmentSize);
  checkRun(input, geometry);
  const oldTrees = await rebuildTrees(base, input.trees);
  const segments = await encodeSegments({
    ...input,
    geometry,
    total: base.total,
    nextSalt: input.newSalt,
  });
  const newLeaves = oldTrees.map((tree, shnum) => {
    const firstLeaf = (nodeCount(base.segmentCount) - 1) / 2;
    const leaves = Array.from({ length: base.segmentCount }, (_, n) => hashIn(tree, firstLeaf + n));
    return [
      ...leaves.slice(0, segments.first),
      ...(segments.blockHashes[shnum] as readonly Uint8Array[]),
      ...leaves.slice(segments.first + segments.count),
    ];
  });
  const blockHashTrees = await treesOver(newLeaves);
  const sealed = await sealVersion({
    ...input,
    geometry,
    salt: undefined,
    blockHashTrees,
    shareDataOffset: base.layout.shareData.offset,
  });
  const { header, head, tail } = sealed;
  const treeStays = equalRanges(header.layout.blockHashTree, base.layout.blockHashTree);
  return encodedVersion(sealed, (shnum) => [
    ...entryParts(header, segments, shnum),
    ...(treeStays
      ? nodeParts(header, oldTrees[shnum] as Uint8Array, blockHashTrees[shnum] as Uint8Array)
      : [tail(shnum)]),
    head(shnum),
  ]);
}

/** Every segment of the new version must be in the run or be, whole, in the base. */
function checkRun(input: UpdateInput, { segmentSize }: Geometry): void {
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

/** The trees over the given leaves, whatever the given inner nodes, if these lead to the root. */
async function rebuildTrees(
  { total, segmentCount, rootHash }: ShareHeader,
  trees: ReadonlyMap<number, readonly Uint8Array[]>,
): Promise<Uint8Array[]> {
  const oldLeaves = Array.from({ length: total }, (_, shnum) => {
    const tree = trees.get(shnum);
    if (tree?.length !== nodeCount(segmentCount)) {
      throw new OutOfRangeError('share', shnum, 'its block hash tree is missing or not whole');
    }
    // The bottom row, with the padding as it is.
    return tree.slice((tree.length - 1) / 2);
  });
  const rebuilt = await treesOver(oldLeaves);
  const root = buildHashTree(rebuilt.map((tree) => hashIn(tree, 0)))[0] as Uint8Array;
  if (!equalBytes(root, rootHash)) {
    throw new CorruptShareError('block hash tree', 'the trees do not lead to the signed root');
  }
  return rebuilt;
}

async function treesOver(leavesOfShares: readonly (readonly Uint8Array[])[]) {
  const stint = new Stint();
  const trees: Uint8Array[] = [];
  for (const leaves of leavesOfShares) trees.push(await buildLongHashTree(leaves, stint));
  return trees;
}

/** The nodes that differ, neighbours in one part. */
function nodeParts({ layout }: ShareHeader, before: Uint8Array, after: Uint8Array): WritePart[] {
  const nodes = Array.from({ length: after.length / hashLength }, (_, node) => node);
  const changed = nodes.filter((node) => !equalBytes(hashIn(before, node), hashIn(after, node)));
  return nodeRuns(changed).map(({ first, count }) => {
    const [start, end] = [first * hashLength, (first + count) * hashLength];
    const range = { offset: layout.blockHashTree.offset + start, length: end - start };
    return partOf(range, () => after.subarray(start, end));
  });
}

function equalRanges(a: ByteRange, b: ByteRange): boolean {
  return a.offset === b.offset && a.length === b.length;
}
