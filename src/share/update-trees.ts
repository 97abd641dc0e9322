/**
 * @module update-trees: the block hash trees of a version that differs from its base in a run of
 * segments (docs/format.md §5.4).
 *
 * Where the file keeps its length, the trees stay where they are. The leaves of the run change, and
 * what is above them; of the old trees only these leaves are needed, and what lies beside their
 * paths. Else the trees move with the end of the share data, and are made anew from all leaves.
 *
 * The new root covers old blocks too: so every old hash that is used is led to the base's root.
 */
import { equalBytes } from '../bytes.ts';
import { CorruptShareError, OutOfRangeError } from '../errors.ts';
import { Stint } from '../turn.ts';
import { entryRange, geometryOf, type MutableGeometry } from './geometry.ts';
import {
  buildHashTree,
  buildLongHashTree,
  type HashNode,
  hashIn,
  hashLength,
  nodeCount,
  replaceLeaves,
} from './hashtree.ts';
import type { ShareHeader } from './header.ts';

/** Which segments of the base are rewritten, or added behind its last. */
export interface UpdateRun {
  readonly firstSegment: number;
  readonly segmentCount: number;
  /** Plaintext bytes of the file, not below the base's. */
  readonly newDataLength: number;
}

/** What has been read of the base's block hash tree in a share, by node. */
export type OldTree = (node: number) => Uint8Array | undefined;

export interface NewTrees {
  readonly roots: readonly Uint8Array[];
  /** As they are stored, if they are to be written as a whole. */
  readonly wholes: readonly Uint8Array[] | null;
  /** Else, of each share, the nodes that differ from the base's, ascending. */
  readonly changes: readonly (readonly HashNode[])[];
}

/** About as many as {@link nodesNeeded}, and not fewer: of a large tree they are not to be listed. */
export function countNeeded(base: ShareHeader, run: UpdateRun): number {
  const leaves = firstLeafOf(base) + 1;
  return doTreesStay(base, run) ? run.segmentCount + 2 * Math.log2(leaves) + 1 : leaves;
}

/** The nodes of each old tree that {@link updateTrees} asks for, ascending. */
export function nodesNeeded(base: ShareHeader, run: UpdateRun): readonly number[] {
  const firstLeaf = firstLeafOf(base);
  if (!doTreesStay(base, run)) return range(firstLeaf, firstLeaf + 1);
  const { firstSegment, segmentCount } = run;
  if (segmentCount === 0) return [0];
  const nodes = range(firstLeaf + firstSegment, segmentCount);
  const unread = nodes.map(() => noHash);
  replaceLeaves(base.segmentCount, firstSegment, unread, (node) => {
    nodes.push(node);
    return noHash;
  });
  return nodes.sort((a, b) => a - b);
}

const noHash = new Uint8Array(hashLength);

/**
 * @param blockHashes of each share, those of the run
 * @throws OutOfRangeError when a node is missing
 * @throws CorruptShareError when the old trees do not lead to the base's root
 */
export async function updateTrees(
  base: ShareHeader,
  run: UpdateRun,
  oldTrees: ReadonlyMap<number, OldTree>,
  blockHashes: readonly (readonly Uint8Array[])[],
): Promise<NewTrees> {
  const old = range(0, base.total).map((shnum) => hashAt(oldTrees.get(shnum), shnum));
  const update = doTreesStay(base, run) ? changedTrees : wholeTrees;
  return update(base, run, old, blockHashes);
}

type HashAt = (node: number) => Uint8Array;

function hashAt(tree: OldTree | undefined, shnum: number): HashAt {
  return (node) => {
    const hash = tree?.(node);
    if (hash !== undefined) return hash;
    throw new OutOfRangeError('share', shnum, 'its block hash tree is missing or not whole');
  };
}

async function changedTrees(
  base: ShareHeader,
  { firstSegment, segmentCount }: UpdateRun,
  old: readonly HashAt[],
  blockHashes: readonly (readonly Uint8Array[])[],
): Promise<NewTrees> {
  const firstLeaf = firstLeafOf(base) + firstSegment;
  const withLeaves = (leaves: readonly Uint8Array[], at: HashAt): readonly HashNode[] => {
    if (leaves.length === 0) return [[0, at(0)]];
    return replaceLeaves(base.segmentCount, firstSegment, leaves, at);
  };
  const before = old.map((at) => withLeaves(range(firstLeaf, segmentCount).map(at), at));
  requireRoot(base, before.map(rootOf));
  const after = old.map((at, shnum) => withLeaves(blockHashes[shnum] as Uint8Array[], at));
  const changes = after.map((nodes, shnum) => {
    const [was = []] = before.slice(shnum);
    return nodes.filter(([, hash], i) => !equalBytes(hash, (was[i] as HashNode)[1]));
  });
  return { roots: after.map(rootOf), wholes: null, changes };
}

/** The root comes first. */
function rootOf(nodes: readonly HashNode[]): Uint8Array {
  return (nodes[0] as HashNode)[1];
}

async function wholeTrees(
  base: ShareHeader,
  { firstSegment, segmentCount }: UpdateRun,
  old: readonly HashAt[],
  blockHashes: readonly (readonly Uint8Array[])[],
): Promise<NewTrees> {
  const stint = new Stint();
  const firstLeaf = firstLeafOf(base);
  // The bottom row, with the padding as it is.
  const rows = old.map((at) => range(firstLeaf, firstLeaf + 1).map(at));
  const roots: Uint8Array[] = [];
  for (const row of rows) roots.push(hashIn(await buildLongHashTree(row, stint), 0));
  requireRoot(base, roots);
  const wholes: Uint8Array[] = [];
  for (const [shnum, row] of rows.entries()) {
    const kept = row.slice(0, base.segmentCount);
    const leaves = [
      ...kept.slice(0, firstSegment),
      ...(blockHashes[shnum] as readonly Uint8Array[]),
      ...kept.slice(firstSegment + segmentCount),
    ];
    wholes.push(await buildLongHashTree(leaves, stint));
  }
  return { roots: wholes.map((tree) => hashIn(tree, 0)), wholes, changes: [] };
}

function requireRoot({ rootHash }: ShareHeader, roots: readonly Uint8Array[]): void {
  if (equalBytes(buildHashTree(roots)[0] as Uint8Array, rootHash)) return;
  throw new CorruptShareError('block hash tree', 'the trees do not lead to the signed root');
}

/** Behind share data that keep their length. */
function doTreesStay(base: ShareHeader, { newDataLength }: UpdateRun): boolean {
  if (newDataLength === base.dataLength) return true;
  const { required, segmentSize, segmentCount } = base;
  const after = geometryOf('mdmf', required, newDataLength, segmentSize);
  const lengthOf = (it: MutableGeometry) => entryRange(it, 0, segmentCount).length;
  return after.segmentCount === segmentCount && lengthOf(after) === lengthOf(base);
}

function firstLeafOf({ segmentCount }: ShareHeader): number {
  return (nodeCount(segmentCount) - 1) / 2;
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
