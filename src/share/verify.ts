/**
 * @module verify: the chain of trust of one version: fingerprint (in every cap) -> verification
 * key -> signature -> prefix with root hash -> share hash tree -> block hash trees -> blocks.
 */
import { primitives } from '#crypto';
import { equalBytes } from '../bytes.ts';
import { deriveFingerprint } from '../crypto/keys.ts';
import type { Primitives, VerifyingKey } from '../crypto/primitives.ts';
import { BadKeyError, CorruptShareError, OutOfRangeError } from '../errors.ts';
import type { Geometry } from './geometry.ts';
import { blockHash, type HashNode, neededHashes, nodeCount, VerifyingTree } from './hashtree.ts';
import type { ShareHeader } from './header.ts';

/**
 * The key that a share carries, if it is that of the file.
 * @param fingerprint 32 bytes, from the cap
 * @throws CorruptShareError naming the verification key
 */
export async function importFileKey(
  verificationKey: Uint8Array,
  fingerprint: Uint8Array,
  { importVerifyingKey }: Pick<Primitives, 'importVerifyingKey'> = primitives,
): Promise<VerifyingKey> {
  if (!equalBytes(deriveFingerprint(verificationKey), fingerprint)) {
    throw new CorruptShareError('verification key', 'it is not the key of the cap');
  }
  return importVerifyingKey(verificationKey).catch((error) => {
    if (!(error instanceof BadKeyError)) throw error;
    throw new CorruptShareError('verification key', 'it is the key of the cap, but not of RSA');
  });
}

/**
 * The salt of the signature of a header, once that is verified.
 * @throws CorruptShareError naming the signature
 */
export async function verifyBy(
  key: VerifyingKey,
  prefix: Uint8Array,
  signature: Uint8Array,
): Promise<Uint8Array> {
  const salt = await key.verify(prefix, signature);
  if (salt !== undefined) return salt;
  throw new CorruptShareError('signature', 'it does not sign this header');
}

/**
 * Checks that a share has the number it is shown under. Nothing in it tells the number but its
 * share hash chain, which leads the root of its block hash tree to the signed root. Without that
 * first root, only which nodes the chain has is checked.
 * @param header its signature must have been verified
 * @throws CorruptShareError naming the share number, the share hash chain or the share hash tree
 */
export function verifyNumber(
  header: ShareHeader,
  shnum: number,
  chain: readonly HashNode[],
  root: Uint8Array | undefined,
): void {
  const { total } = header;
  checkNumber(header, shnum);
  const needed = neededHashes(total, shnum);
  if (chain.length !== needed.length || chain.some(([node], i) => node !== needed[i])) {
    throw new CorruptShareError('share hash chain', `it is not that of share ${shnum}`);
  }
  if (root !== undefined) new VersionVerifier(header).acceptRoot(shnum, chain, root);
}

/** A share's number is only what the server says. */
function checkNumber({ total }: Rooted, shnum: number): void {
  if (shnum >= total) throw new CorruptShareError('share number', `${shnum} of ${total} shares`);
}

/** A version, as far as its hashes depend on it. */
export interface Rooted extends Pick<Geometry, 'format' | 'segmentCount'> {
  /** N */
  readonly total: number;
  /** 32 bytes: the root of the share hash tree. */
  readonly rootHash: Uint8Array;
}

/**
 * Accepts the hashes and blocks of one version, from any shares of it in any order, and nothing
 * that does not hang on its root. What is refused leaves no trace.
 */
export class VersionVerifier {
  readonly #header: Rooted;
  readonly #shareHashTree: VerifyingTree;
  readonly #blockHashTrees = new Map<number, VerifyingTree>();

  /** @param header it must have been verified: of a mutable file, by its signature */
  constructor(header: Rooted) {
    this.#header = header;
    this.#shareHashTree = new VerifyingTree('share hash tree', header.total, header.rootHash);
  }

  /** Whether the root of the share's block hash tree has been accepted. */
  hasRoot(shnum: number): boolean {
    return this.#blockHashTrees.has(shnum);
  }

  /**
   * The root of a share's block hash tree, with the share hash chain that came with it.
   * @throws CorruptShareError naming the share number, when the version has no such share, or the
   * share hash tree
   */
  acceptRoot(shnum: number, chain: Iterable<HashNode>, root: Uint8Array): void {
    const { segmentCount } = this.#header;
    checkNumber(this.#header, shnum);
    // Tahoe #1654: the leaf is always what the share claims, never left out because it is known.
    this.#shareHashTree.admitLeaf(shnum, root, chain);
    if (this.hasRoot(shnum)) return;
    this.#blockHashTrees.set(shnum, new VerifyingTree('block hash tree', segmentCount, root));
  }

  /**
   * A share's whole block hash tree, root first, with its share hash chain.
   * @throws CorruptShareError as {@link acceptRoot}, or naming the block hash tree
   */
  acceptTree(shnum: number, chain: Iterable<HashNode>, tree: readonly Uint8Array[]): void {
    const nodes = nodeCount(this.#header.segmentCount);
    if (tree.length !== nodes) {
      throw new CorruptShareError('block hash tree', `${tree.length} of ${nodes} nodes`);
    }
    this.acceptNodes(shnum, chain, tree.entries());
  }

  /**
   * Nodes of a share's block hash tree, the root among them, with its share hash chain.
   * @throws CorruptShareError as {@link acceptRoot}, or naming the block hash tree
   */
  acceptNodes(shnum: number, chain: Iterable<HashNode>, nodes: Iterable<HashNode>): void {
    const given = [...nodes];
    const root = given.find(([node]) => node === 0)?.[1];
    if (root === undefined) throw new CorruptShareError('block hash tree', 'its root is missing');
    this.acceptRoot(shnum, chain, root);
    this.#treeOf(shnum).admit(given);
  }

  /** Forgets what has been accepted of a share's block hash tree, but for its root. */
  forgetNodes(shnum: number): void {
    this.#treeOf(shnum).forget();
  }

  /** The nodes that {@link acceptBlock} needs besides what has been accepted. */
  missingNodes(shnum: number, segnum: number): number[] {
    return this.#treeOf(shnum).missingHashes(segnum);
  }

  /**
   * The block of a segment (and its MDMF salt), with nodes of the block hash tree that are missing.
   * @throws OutOfRangeError when there is no such segment, or the root has not been accepted
   * @throws CorruptShareError naming the block hash tree
   */
  acceptBlock(
    shnum: number,
    segnum: number,
    block: Uint8Array,
    salt: Uint8Array | undefined,
    nodes: Iterable<HashNode> = [],
  ): void {
    // SDMF's IV is in the signed prefix, so the caller may well pass it.
    const hashed = blockHash(block, this.#header.format === 'mdmf' ? salt : undefined);
    this.acceptBlockHash(shnum, segnum, hashed, nodes);
  }

  /** As {@link acceptBlock}, of a block that was hashed as it came. */
  acceptBlockHash(
    shnum: number,
    segnum: number,
    hash: Uint8Array,
    nodes: Iterable<HashNode> = [],
  ): void {
    this.#treeOf(shnum).admitLeaf(segnum, hash, nodes);
  }

  #treeOf(shnum: number): VerifyingTree {
    const tree = this.#blockHashTrees.get(shnum);
    if (tree === undefined) throw new OutOfRangeError('share', shnum, 'its root is not accepted');
    return tree;
  }
}
