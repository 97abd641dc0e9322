/**
 * @module block-checks: blocks as they are read from shares of one version, each led to its root.
 *
 * No byte is given out that is not proven by the signed root: the hash chain and the block hash
 * tree of a share are checked before its first block, and every block before it is kept. A tree of
 * usual size is read whole; of a larger one, only the nodes between the segments and the root. A
 * block of usual size is read whole; a larger one is hashed as it comes, and kept only if a caller
 * reads it.
 */
import type { ReadBlocksInput } from '../../machines/io.ts';
import type { Purpose } from '../../machines/retrieve-kernel.ts';
import type { Hex } from '../../machines/servermap.ts';
import { concatBytes } from '../bytes.ts';
import type { BlockReader, Entry } from '../share/block-reader.ts';
import { blockLength, entrySaltLength, type Geometry } from '../share/geometry.ts';
import {
  type HashNode,
  hashLength,
  neededHashes,
  nodeCount,
  TaggedHasher,
} from '../share/hashtree.ts';
import { requestLengthMax, wholeTreeMax } from '../share/limits.ts';
import { TreePages } from '../share/tree-pages.ts';
import { type Rooted, VersionVerifier } from '../share/verify.ts';
import { bytesPerWork, Stint } from '../turn.ts';
import { placeName } from './place-name.ts';

/** Of a version: how its blocks are cut, and what they hang on. */
type CheckedHeader = Geometry & Rooted;

export class BlockChecks {
  readonly #header: CheckedHeader;
  readonly #purpose: Purpose;
  readonly #verifier: VersionVerifier;
  /** The copies whose tree is admitted: whole, or its root. */
  readonly #rooted = new Set<string>();
  /** The pages of trees that are too large to be read whole, by copy. */
  readonly #pages = new Map<string, TreePages>();

  /** @param header it must have been verified: of a mutable file, by its signature */
  constructor(header: CheckedHeader, purpose: Purpose) {
    this.#header = header;
    this.#purpose = purpose;
    this.#verifier = new VersionVerifier(header);
  }

  /**
   * The entries of a window, if they are for reading; to verify is only to look at each.
   * @param fetched gives them as the server does, if they are of usual size
   */
  async checkedEntries(
    reader: BlockReader,
    input: ReadBlocksInput,
    fetched: () => Promise<readonly Entry[]>,
  ): Promise<readonly Entry[]> {
    const { firstSegment } = input;
    if (blockLength(this.#header, firstSegment) > requestLengthMax) {
      return this.#checkedInPieces(reader, input);
    }
    const [entries] = await Promise.all([fetched(), this.#admitTree(reader, input)]);
    const stint = new Stint();
    for (const [i, { block, salt }] of entries.entries()) {
      const nodes = this.#nodesFor(input, firstSegment + i);
      this.#verifier.acceptBlock(input.shnum, firstSegment + i, block, salt, nodes);
      await stint.spend(2 + nodes.length + block.length / bytesPerWork);
    }
    this.#forget(input);
    return this.#purpose === 'read' ? entries : [];
  }

  /** The same of blocks that are larger than what is asked for at once. */
  async #checkedInPieces(reader: BlockReader, input: ReadBlocksInput): Promise<readonly Entry[]> {
    const { shnum, firstSegment, segmentCount } = input;
    await this.#admitTree(reader, input);
    const checked: Entry[] = [];
    for (let segnum = firstSegment; segnum < firstSegment + segmentCount; segnum++) {
      const hasher = new TaggedHasher();
      const kept: Uint8Array[] = [];
      await reader.entryPieces(segnum, (piece) => {
        hasher.update(piece);
        if (this.#purpose === 'read') kept.push(piece);
      });
      const nodes = this.#nodesFor(input, segnum);
      this.#verifier.acceptBlockHash(shnum, segnum, hasher.digest(), nodes);
      if (this.#purpose === 'read') checked.push(this.#entryOf(concatBytes(...kept)));
    }
    this.#forget(input);
    return checked;
  }

  #entryOf(entry: Uint8Array): Entry {
    const saltEnd = entrySaltLength(this.#header);
    const salt = saltEnd > 0 ? entry.subarray(0, saltEnd) : undefined;
    return { salt, block: entry.subarray(saltEnd) };
  }

  /** Nodes of the block hash tree of a share, its root among them, that were read for another use. */
  admitNodes(shnum: number, chain: Iterable<HashNode>, nodes: Iterable<HashNode>): void {
    this.#verifier.acceptNodes(shnum, chain, nodes);
  }

  /** Whether what is admitted already leads all these segments to the root. */
  #isLed({ shnum, firstSegment, segmentCount }: ReadBlocksInput): boolean {
    if (this.#purpose === 'verify' || !this.#verifier.hasRoot(shnum)) return false;
    const segnums = Array.from({ length: segmentCount }, (_, i) => firstSegment + i);
    return segnums.every((segnum) => this.#verifier.missingNodes(shnum, segnum).length === 0);
  }

  async #admitTree(reader: BlockReader, input: ReadBlocksInput): Promise<void> {
    const { shnum, firstSegment, segmentCount } = input;
    const copy = placeName(input);
    const isRooted = this.#rooted.has(copy);
    if ((isRooted && !this.#isPaged) || this.#isLed(input)) return;
    if (!this.#isPaged) {
      const [chain, tree] = await Promise.all([reader.shareHashChain(), reader.blockHashTree()]);
      this.#verifier.acceptTree(shnum, chain, tree);
      await new Stint().spend(tree.length);
    } else {
      const pages = this.#pages.get(copy) ?? new TreePages(this.#header.segmentCount);
      this.#pages.set(copy, pages);
      const [chain] = await Promise.all([
        isRooted ? [] : reader.shareHashChain(),
        pages.turnTo((...nodes) => reader.blockHashes(...nodes), firstSegment, segmentCount),
      ]);
      if (!isRooted) this.#verifier.acceptRoot(shnum, chain, pages.hashAt(0));
    }
    this.#rooted.add(copy);
  }

  /** The nodes of a tree in pages that a block needs; `verify` also reads those known already. */
  #nodesFor(input: ReadBlocksInput, segnum: number): HashNode[] {
    const pages = this.#pages.get(placeName(input));
    if (pages === undefined) return [];
    const nodes =
      this.#purpose === 'read'
        ? this.#verifier.missingNodes(input.shnum, segnum)
        : neededHashes(this.#header.segmentCount, segnum);
    return nodes.map((node) => [node, pages.hashAt(node)]);
  }

  #forget({ shnum }: ReadBlocksInput): void {
    if (this.#isPaged) this.#verifier.forgetNodes(shnum);
  }

  get #isPaged(): boolean {
    return nodeCount(this.#header.segmentCount) * hashLength > wholeTreeMax;
  }
}

/** The checks of a version for one purpose, made when they are first wanted. */
export function checksOf(
  checks: Map<string, BlockChecks>,
  id: Hex,
  header: CheckedHeader,
  purpose: Purpose,
): BlockChecks {
  const key = `${purpose} ${id}`;
  const known = checks.get(key) ?? new BlockChecks(header, purpose);
  checks.set(key, known);
  return known;
}
