/**
 * @module crypttext: an encrypted segment, led to the root in the URI extension block.
 *
 * Blocks that all hang on their roots need not be of one segment: whoever made the file may have
 * made shares of which different ones decode to different bytes. Only these hashes tell, so no
 * segment is given out without its own. Their nodes may come from any share.
 */
import type { Purpose } from '../../machines/retrieve-kernel.ts';
import { equalBytes } from '../bytes.ts';
import { tagOf } from '../crypto/hash.ts';
import { BadCiphertextHashError } from '../errors.ts';
import {
  hashLength,
  neededHashes,
  nodeCount,
  TaggedHasher,
  VerifyingTree,
} from '../share/hashtree.ts';
import { wholeTreeMax } from '../share/limits.ts';
import { TreePages } from '../share/tree-pages.ts';
import { bytesPerWork, Stint } from '../turn.ts';
import { chkFieldNames } from './layout.ts';
import type { ChkReader } from './reader.ts';
import type { ChkVersion } from './ueb.ts';

const SEGMENT_TAG = tagOf('allmydata_crypttext_segment_v1');
/** Bytes that are hashed at a stretch. */
const sliceLength = 2 ** 18;

export class CrypttextChecks {
  readonly #purpose: Purpose;
  readonly #segmentCount: number;
  readonly #nodeCount: number;
  readonly #tree: VerifyingTree;
  /** Copies that were admitted whole. */
  readonly #whole = new Set<string>();
  /** Of trees that are too large to be read whole, by copy. */
  readonly #pages = new Map<string, TreePages>();

  constructor({ segmentCount, crypttextRootHash }: ChkVersion, purpose: Purpose) {
    this.#purpose = purpose;
    this.#segmentCount = segmentCount;
    this.#nodeCount = nodeCount(segmentCount);
    const name = chkFieldNames.crypttextHashTree;
    this.#tree = new VerifyingTree(name, segmentCount, crypttextRootHash);
  }

  /**
   * Sees to it that the hashes of these segments are here, of the share called `copy` unless another
   * one brought them; to verify is to look at each copy.
   * @throws CorruptShareError naming the crypttext hash tree
   */
  async lead(reader: ChkReader, copy: string, first: number, count: number): Promise<void> {
    const looksAtAll = this.#purpose === 'verify';
    const segnums = Array.from({ length: count }, (_, i) => first + i);
    const wanted = looksAtAll ? segnums : segnums.filter((segnum) => !this.#isLed(segnum));
    if (wanted.length === 0 || this.#whole.has(copy)) return;
    if (!this.#isPaged) {
      const nodes = await reader.crypttextHashes(0, this.#nodeCount);
      this.#tree.admit(nodes.entries());
      this.#whole.add(copy);
      await new Stint().spend(nodes.length);
      return;
    }
    const pages = this.#pages.get(copy) ?? new TreePages(this.#segmentCount);
    this.#pages.set(copy, pages);
    await pages.turnTo((...nodes) => reader.crypttextHashes(...nodes), first, count);
    const stint = new Stint();
    for (const segnum of wanted) {
      const nodes = looksAtAll
        ? neededHashes(this.#segmentCount, segnum)
        : this.#tree.missingHashes(segnum);
      const leaf = pages.hashAt(this.#leafOf(segnum));
      this.#tree.admitLeaf(
        segnum,
        leaf,
        nodes.map((node) => [node, pages.hashAt(node)] as const),
      );
      await stint.spend(nodes.length);
    }
  }

  /**
   * Checks an encrypted segment, in pieces that follow each other.
   * @throws BadCiphertextHashError
   */
  async check(segnum: number, pieces: readonly Uint8Array[]): Promise<void> {
    const hasher = new TaggedHasher(SEGMENT_TAG);
    const stint = new Stint();
    for (const piece of pieces) {
      for (let start = 0; start < piece.length; start += sliceLength) {
        const slice = piece.subarray(start, start + sliceLength);
        hasher.update(slice);
        await stint.spend(slice.length / bytesPerWork);
      }
    }
    const hash = this.#tree.hashAt(this.#leafOf(segnum));
    if (hash === undefined) throw new Error(`nothing leads segment ${segnum} to the root`);
    if (!equalBytes(hash, hasher.digest())) throw new BadCiphertextHashError(segnum);
  }

  /** Segments before those that are looked at next: of a large tree, nothing of them is kept. */
  forget(): void {
    if (this.#isPaged) this.#tree.forget();
  }

  #isLed(segnum: number): boolean {
    return this.#tree.hashAt(this.#leafOf(segnum)) !== undefined;
  }

  #leafOf(segnum: number): number {
    return (this.#nodeCount - 1) / 2 + segnum;
  }

  get #isPaged(): boolean {
    return this.#nodeCount * hashLength > wholeTreeMax;
  }
}
