/**
 * @module hashtree: Tahoe's Merkle trees (`hashtree.py`; docs/format.md §2).
 *
 * L leaves are padded to P = the next power of two. Nodes are numbered as a heap: root 0, children
 * of i at 2i+1 and 2i+2, leaf n at P-1+n. Zero leaves make one node, padding leaf 0.
 */
import { primitives } from '#crypto';
import { equalBytes, utf8 } from '../bytes.ts';
import { hashLength, pairHasherOf, sha256d, type Tag, taggedHash, tagOf } from '../crypto/hash.ts';
import type { Sha256 } from '../crypto/primitives.ts';
import { CorruptShareError, OutOfRangeError } from '../errors.ts';
import type { Stint } from '../turn.ts';

const NODE_TAG = tagOf('Merkle tree internal node');
const PADDING_TAG = tagOf('Merkle tree empty leaf');
const BLOCK_TAG = tagOf('allmydata_encoded_subshare_v1');

export { hashLength } from '../crypto/hash.ts';

/** A node number and the 32-byte hash it should hold. */
export type HashNode = readonly [node: number, hash: Uint8Array];

/** Where a block is laid behind the tag of its hash: as long as one of MDMF can be, and its salt. */
const laid = new Uint8Array(BLOCK_TAG.length + 2 ** 17 + 2 ** 4);

/**
 * The hash of a block, a leaf of its share's block hash tree. MDMF hashes salt || block. What came
 * over a wire lies in no cache: copied first, it is hashed in two thirds of the time.
 */
export function blockHash(block: Uint8Array, salt: Uint8Array = none): Uint8Array {
  const blockStart = BLOCK_TAG.length + salt.length;
  const message = laid.subarray(0, blockStart + block.length);
  if (message.length < blockStart + block.length) return taggedHash(BLOCK_TAG, salt, block);
  message.set(salt, BLOCK_TAG.length);
  message.set(block, blockStart);
  return hashTagged(message);
}

const none = new Uint8Array(0);

/** Bytes in front of a block, and of its salt, for {@link hashTagged}. */
export const blockTagLength = BLOCK_TAG.length;

/** The {@link blockHash} of what lies behind room for the tag: native hashing of one stretch. */
export function hashTagged(message: Uint8Array): Uint8Array {
  message.set(BLOCK_TAG);
  return sha256d(message);
}

/**
 * A tagged hash in progress, piece by piece; by default the {@link blockHash} of a block, in MDMF
 * with its salt in front.
 */
export class TaggedHasher {
  readonly #inner: Sha256;

  constructor(tag: Tag = BLOCK_TAG) {
    this.#inner = primitives.sha256().update(tag);
  }

  update(piece: Uint8Array): void {
    this.#inner.update(piece);
  }

  digest(): Uint8Array {
    const hash = new Uint8Array(hashLength);
    primitives.hashInto(this.#inner.digest(), hash, 0);
    return hash;
  }
}

/** All 2P-1 nodes, root first. */
export function buildHashTree(leaves: readonly Uint8Array[]): Uint8Array[] {
  const tree = withLeaves(leaves);
  for (const _ of growing(tree, leaves.length));
  return Array.from({ length: nodeCount(leaves.length) }, (_, node) => hashIn(tree, node));
}

/** As it is stored, over any number of leaves, while others have their turn. */
export async function buildLongHashTree(
  leaves: readonly Uint8Array[],
  stint: Stint,
): Promise<Uint8Array> {
  const tree = withLeaves(leaves);
  for (const hashes of growing(tree, leaves.length)) await stint.spend(hashes);
  return tree;
}

/** Of a tree as it is stored, the hash of a node. */
export function hashIn(tree: Uint8Array, node: number): Uint8Array {
  return tree.subarray(node * hashLength, (node + 1) * hashLength);
}

function withLeaves(leaves: readonly Uint8Array[]): Uint8Array {
  const tree = new Uint8Array(nodeCount(leaves.length) * hashLength);
  const first = widthOf(leaves.length) - 1;
  leaves.forEach((leaf, n) => {
    tree.set(leaf, (first + n) * hashLength);
  });
  return tree;
}

/** Fills in the padding and the inner nodes. Yields now and then, how many hashes it has made. */
function* growing(tree: Uint8Array, leafCount: number): Generator<number> {
  for (const { node, hashes } of yield* paddingOf(leafCount)) tree.set(hashes, node * hashLength);
  let last = widthOf(leafCount) - 2 + leafCount;
  for (let first = widthOf(leafCount) - 1; first > 0; first = parentOf(first)) {
    last = parentOf(last);
    for (let node = parentOf(first); node <= last; node++) {
      hashPair(tree, (2 * node + 1) * hashLength, tree, node * hashLength);
      if (node % hashesPerStep === 0) yield hashesPerStep;
    }
  }
}

/** Hashes between two chances for others to have their turn. */
const hashesPerStep = 128;

/** Neighbours on one level of a tree. */
interface Run {
  readonly node: number;
  readonly hashes: Uint8Array;
}

/** What is kept for the next tree is 64 bytes of each padding leaf, so 4 MiB at most. */
const paddingKept = 2 ** 16;
const paddingsKept = 8;
const paddings = new Map<number, readonly Run[]>();

/**
 * The nodes over padding alone, at the right end of each level. They depend on the number of leaves
 * and nothing else, and a version has N trees over as many.
 */
function* paddingOf(leafCount: number): Generator<number, readonly Run[]> {
  const known = paddings.get(leafCount);
  if (known !== undefined) return known;
  const runs: Run[] = [];
  let width = widthOf(leafCount);
  let used = leafCount;
  let below = new Uint8Array((width - used) * hashLength);
  for (let n = used; n < width; n++) {
    below.set(taggedHash(PADDING_TAG, utf8(String(n))), (n - used) * hashLength);
    if (n % hashesPerStep === 0) yield hashesPerStep;
  }
  while (below.length > 0) {
    runs.push({ node: width - 1 + used, hashes: below });
    // Of an odd number the first goes with the last leaf.
    const skipped = used % 2;
    [width, used] = [width / 2, (used + skipped) / 2];
    const hashes = new Uint8Array(
      Math.floor((below.length / hashLength - skipped) / 2) * hashLength,
    );
    for (let at = 0; at < hashes.length; at += hashLength) {
      hashPair(below, skipped * hashLength + 2 * at, hashes, at);
      if (at % (hashesPerStep * hashLength) === 0) yield hashesPerStep;
    }
    below = hashes;
  }
  if (paddings.size >= paddingsKept) paddings.clear();
  if (widthOf(leafCount) - leafCount <= paddingKept) paddings.set(leafCount, runs);
  return runs;
}

/**
 * What a tree becomes when its leaves from `first` on are `leaves`: these and all nodes above them,
 * ascending. Of the rest of the tree only what lies beside their paths is asked of `hashAt`.
 * @throws OutOfRangeError when there are no such leaves
 */
export function replaceLeaves(
  leafCount: number,
  first: number,
  leaves: readonly Uint8Array[],
  hashAt: (node: number) => Uint8Array,
): HashNode[] {
  let start = leafNode(leafCount, first);
  let row = leaves.slice();
  leafNode(leafCount, first + leaves.length - 1);
  const levels: HashNode[][] = [];
  for (;;) {
    levels.unshift(row.map((hash, i) => [start + i, hash]));
    if (start === 0) return levels.flat();
    const end = start + row.length - 1;
    if (start % 2 === 0) row.unshift(hashAt(start - 1));
    if (end % 2 === 1) row.push(hashAt(end + 1));
    const below = row;
    row = Array.from({ length: below.length / 2 }, (_, i) =>
      parentHash(below[2 * i] as Uint8Array, below[2 * i + 1] as Uint8Array),
    );
    start = parentOf(start);
  }
}

/**
 * The roots of several trees over as many leaves each, which come one by one: of each tree no more
 * than the left siblings of one path are in memory.
 */
export class GrowingRoots {
  /** Of each tree, by level from the leaves up: the root of what is complete and has no sibling. */
  readonly #trees: readonly (Uint8Array | undefined)[][];
  #leafCount = 0;

  constructor(trees: number) {
    this.#trees = Array.from({ length: trees }, () => []);
  }

  /** The next leaf of each tree. */
  add(leaves: readonly Uint8Array[]): void {
    this.#leafCount++;
    for (const [i, complete] of this.#trees.entries()) {
      let hash = leaves[i] as Uint8Array;
      let level = 0;
      for (let left = complete[0]; left !== undefined; left = complete[++level]) {
        complete[level] = undefined;
        hash = parentHash(left, hash);
      }
      complete[level] = hash;
    }
  }

  /** The roots, when all leaves were there. */
  async roots(stint: Stint): Promise<readonly Uint8Array[]> {
    const runs = paddingOf(this.#leafCount);
    let step = runs.next();
    for (; !step.done; step = runs.next()) await stint.spend(step.value);
    const padding = step.value;
    return this.#trees.map((complete) => this.#rootOf(complete, padding));
  }

  #rootOf(complete: readonly (Uint8Array | undefined)[], padding: readonly Run[]): Uint8Array {
    /** What is not complete without padding, if anything. */
    let open: Uint8Array | undefined = this.#leafCount === 0 ? padding[0]?.hashes : undefined;
    const levels = Math.log2(widthOf(this.#leafCount));
    for (let level = 0; level < levels; level++) {
      const left = complete[level] ?? open;
      if (left === undefined) continue;
      const right = complete[level] === undefined ? undefined : open;
      open = parentHash(left, right ?? (padding[level] as Run).hashes.subarray(0, hashLength));
    }
    return (complete[levels] ?? open) as Uint8Array;
  }
}

/** How many nodes the tree over this many leaves has. */
export function nodeCount(leafCount: number): number {
  return 2 * widthOf(leafCount) - 1;
}

/** The hashes that lead from leaf `leaf` to the root: a sibling per level, ascending by node. */
export function neededHashes(leafCount: number, leaf: number): number[] {
  const needed: number[] = [];
  for (let i = leafNode(leafCount, leaf); i > 0; i = parentOf(i)) needed.unshift(siblingOf(i));
  return needed;
}

/**
 * From the leaves up, the nodes of each level between which the {@link neededHashes} of `count`
 * leaves lie.
 */
export function pathRuns(
  leafCount: number,
  leaf: number,
  count: number,
): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = [];
  let first = leafNode(leafCount, leaf);
  let last = leafNode(leafCount, leaf + count - 1);
  for (; first > 0; first = parentOf(first), last = parentOf(last)) {
    runs.push({ first: Math.min(first, siblingOf(first)), last: Math.max(last, siblingOf(last)) });
  }
  return runs;
}

/** Ascending node numbers as runs of neighbours. */
export function nodeRuns(nodes: readonly number[]): { first: number; count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (const node of nodes) {
    const run = runs.at(-1);
    if (run && node === run.first + run.count) run.count++;
    else runs.push({ first: node, count: 1 });
  }
  return runs;
}

/**
 * A tree that is filled in from an untrusted source and admits only hashes that lead to its root.
 * Seed the root, from a trusted source, before anything else.
 */
export class VerifyingTree {
  readonly #name: string;
  readonly #leafCount: number;
  readonly #nodeCount: number;
  /** Sparse: a hostile leaf count must not allocate. */
  readonly #hashes = new Map<number, Uint8Array>();

  /** @param name what errors call the tree */
  constructor(name: string, leafCount: number, root: Uint8Array) {
    this.#name = name;
    this.#leafCount = leafCount;
    this.#nodeCount = nodeCount(leafCount);
    this.#hashes.set(0, root);
  }

  /** The hash of a node that has been admitted. */
  hashAt(node: number): Uint8Array | undefined {
    return this.#hashes.get(node);
  }

  /** Of {@link neededHashes}, those not yet here. */
  missingHashes(leaf: number): number[] {
    return neededHashes(this.#leafCount, leaf).filter((node) => !this.#hashes.has(node));
  }

  /** Keeps the root alone: of a large tree, no more is in memory than is being looked at. */
  forget(): void {
    const root = this.#hashes.get(0) as Uint8Array;
    this.#hashes.clear();
    this.#hashes.set(0, root);
  }

  /**
   * Admits leaf `leaf` and the nodes that came with it, all or none.
   * @throws OutOfRangeError when there is no such leaf
   * @throws CorruptShareError as {@link admit}
   */
  admitLeaf(leaf: number, hash: Uint8Array, nodes: Iterable<HashNode> = []): void {
    const node = leafNode(this.#leafCount, leaf);
    this.admit([[node, hash], ...nodes]);
  }

  /**
   * Admits nodes, all or none.
   * @throws CorruptShareError naming the tree and the node when a node is outside the tree,
   * contradicts its children or what is already here, or cannot be led to the root
   */
  admit(nodes: Iterable<HashNode>): void {
    const added: number[] = [];
    try {
      for (const [node, hash] of nodes) {
        if (!this.#contains(node)) throw this.#corrupt(node, `outside ${this.#nodeCount} nodes`);
        if (this.#adds(node, hash, 'contradicts the hash already here')) added.push(node);
      }
      this.#checkUpwards(added);
    } catch (error) {
      for (const node of added) this.#hashes.delete(node);
      throw error;
    }
  }

  #contains(node: number): boolean {
    return Number.isInteger(node) && node >= 0 && node < this.#nodeCount;
  }

  /** @returns whether the node was empty, and now holds `hash` */
  #adds(node: number, hash: Uint8Array, otherwise: string): boolean {
    const held = this.#hashes.get(node);
    if (held === undefined) {
      this.#hashes.set(node, hash);
      return true;
    }
    if (!equalBytes(held, hash)) throw this.#corrupt(node, otherwise);
    return false;
  }

  /** Checks every node of `added` against its parent, and appends the parents it fills in. */
  #checkUpwards(added: number[]): void {
    // Descending numbers are bottom level first: a parent is judged when its children are settled.
    const given = added.toSorted((a, b) => b - a);
    const filled: number[] = [];
    let settled = -1;
    for (let g = 0, f = 0; ; ) {
      const node = Math.max(given[g] ?? 0, filled[f] ?? 0);
      if (node === 0) return;
      if (node === given[g]) g++;
      else f++;
      const parent = parentOf(node);
      if (parent === settled) continue; // its sibling, one step earlier
      settled = parent;
      if (this.#adds(parent, this.#hashOfChildren(parent, node), 'does not match its children')) {
        filled.push(parent);
        added.push(parent);
      }
    }
  }

  #hashOfChildren(parent: number, cause: number): Uint8Array {
    const left = this.#hashes.get(2 * parent + 1);
    const right = this.#hashes.get(2 * parent + 2);
    if (left && right) return parentHash(left, right);
    throw this.#corrupt(cause, 'not enough hashes to check it');
  }

  #corrupt(node: number, problem: string): CorruptShareError {
    return new CorruptShareError(this.#name, `node ${node}: ${problem}`);
  }
}

/** P of the module comment. Not bit arithmetic: a hostile header can claim 2^53 segments. */
function widthOf(leafCount: number): number {
  let width = 1;
  while (width < leafCount) width *= 2;
  return width;
}

function leafNode(leafCount: number, leaf: number): number {
  if (!Number.isInteger(leaf) || leaf < 0 || leaf >= leafCount) {
    throw new OutOfRangeError('leaf', leaf, `the tree has ${leafCount}`);
  }
  return widthOf(leafCount) - 1 + leaf;
}

function parentOf(node: number): number {
  return Math.floor((node - 1) / 2);
}

function siblingOf(node: number): number {
  return node % 2 === 1 ? node + 1 : node - 1;
}

/** Of two hashes side by side. */
const hashPair = pairHasherOf(NODE_TAG);
const pair = new Uint8Array(2 * hashLength);

function parentHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const hash = new Uint8Array(hashLength);
  pair.set(left);
  pair.set(right, hashLength);
  hashPair(pair, 0, hash, 0);
  return hash;
}
