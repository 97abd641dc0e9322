/**
 * @module rebuilt: an immutable file that is encoded again from k of its shares, to see whether all
 * of them are what its maker says.
 *
 * Nothing of what is made is kept but hashes: they lead to the root in the URI extension block if
 * all N shares, wherever they are, are of one file, so that any k of them decode to it.
 */
import { equalBytes } from '../bytes.ts';
import { type Codec, createCodec } from '../erasure/codec.ts';
import { decodeInTurns } from '../erasure/in-turns.ts';
import { CorruptShareError } from '../errors.ts';
import { blockLength, segmentLength } from '../share/geometry.ts';
import { buildHashTree, GrowingRoots, TaggedHasher } from '../share/hashtree.ts';
import { bytesPerWork, Stint } from '../turn.ts';
import type { CrypttextChecks } from './crypttext.ts';
import type { ChkVersion } from './ueb.ts';

/** Bytes of a block that are coded at a stretch: of all N shares they are in memory at once. */
const sliceLength = 2 ** 16;

export class Rebuilt {
  readonly #version: ChkVersion;
  readonly #codec: Codec;
  readonly #shnums: readonly number[];
  /** Of the block hash tree of each share. */
  readonly #roots: GrowingRoots;

  constructor(version: ChkVersion) {
    const { required, total } = version;
    this.#version = version;
    this.#codec = createCodec(required, total);
    this.#shnums = Array.from({ length: total }, (_, shnum) => shnum);
    this.#roots = new GrowingRoots(total);
  }

  /**
   * The next segment, from accepted blocks of k shares, keyed by shnum.
   * @param checks must have been led to the segment
   * @throws BadCiphertextHashError when it is not the segment that was encoded
   * @throws CorruptShareError after the last one, when some share is of another file
   */
  async add(
    segnum: number,
    blocks: ReadonlyMap<number, Uint8Array>,
    checks: CrypttextChecks,
  ): Promise<void> {
    const length = blockLength(this.#version, segnum);
    const primary = await decodeInTurns(this.#codec, blocks, length);
    await checks.check(segnum, unpadded(primary, segmentLength(this.#version, segnum)));
    this.#roots.add(await this.#leavesOf(primary, length));
    if (segnum === this.#version.segmentCount - 1) await this.#requireRoot();
  }

  /** The hash of the block of each share. */
  async #leavesOf(primary: readonly Uint8Array[], length: number): Promise<readonly Uint8Array[]> {
    const hashers = this.#shnums.map(() => new TaggedHasher());
    const stint = new Stint();
    for (let start = 0; start < length; start += sliceLength) {
      const slices = primary.map((block) => block.subarray(start, start + sliceLength));
      const made = this.#codec.encode(slices, this.#shnums);
      for (const [shnum, hasher] of hashers.entries()) hasher.update(made[shnum] as Uint8Array);
      const bytes = Math.min(sliceLength, length - start) * hashers.length;
      await stint.spend(hashers.length + bytes / bytesPerWork);
    }
    return hashers.map((hasher) => hasher.digest());
  }

  async #requireRoot(): Promise<void> {
    const roots = await this.#roots.roots(new Stint());
    const [root] = buildHashTree(roots);
    if (equalBytes(root as Uint8Array, this.#version.rootHash)) return;
    throw new CorruptShareError('share hash tree', 'not all of its shares are of one file');
  }
}

/** Without what fills up the last blocks. */
function unpadded(blocks: readonly Uint8Array[], length: number): readonly Uint8Array[] {
  let left = length;
  return blocks.map((block) => {
    const piece = block.subarray(0, left);
    left -= piece.length;
    return piece;
  });
}
