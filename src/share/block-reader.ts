/**
 * @module block-reader: what shares of every kind have, by range reads: blocks, and the hashes that
 * lead them to a root. It follows a share's own header and judges lengths only; `verify.ts` judges
 * contents.
 */
import { concatBytes, viewOf } from '../bytes.ts';
import { CorruptShareError, OutOfRangeError } from '../errors.ts';
import type { ByteRange } from '../storage/server.ts';
import { blockLength, entryRange, entrySaltLength, type Geometry } from './geometry.ts';
import { type HashNode, hashLength } from './hashtree.ts';
import { chainEntryLength, fieldNames, type ShareField } from './layout.ts';
import { requestLengthMax } from './limits.ts';

/**
 * Reads one share, whichever the caller has in mind; gives fewer bytes when the share ends before.
 * They may be put into memory that is given, and has room for them.
 */
export type ReadRange = (range: ByteRange, into?: Uint8Array) => Promise<Uint8Array>;

/** Memory for so many bytes, or more. */
export type RoomFor = (length: number) => Uint8Array;

/** What a share holds of one segment. */
export interface Entry {
  /** 16 bytes, of MDMF alone; SDMF has one in the header instead, an immutable file none. */
  readonly salt: Uint8Array | undefined;
  readonly block: Uint8Array;
}

type BlockField = Extract<ShareField, 'shareHashChain' | 'blockHashTree' | 'shareData'>;

/** How a file is cut, and where a share has its blocks and hashes. */
export interface BlockHeader extends Geometry {
  readonly layout: Readonly<Record<BlockField, ByteRange>>;
}

/**
 * All methods reject with {@link CorruptShareError} when the share is too short for the field or
 * its header cannot be, with {@link UnknownVersionError}, and with what `read` rejects with.
 */
export abstract class BlockReader<Header extends BlockHeader = BlockHeader> {
  readonly #read: ReadRange;
  readonly #head: Uint8Array;
  readonly #isWhole: boolean;

  /**
   * @param head the first bytes of the share, if they were read before
   * @param isWhole whether the share ends with them
   */
  constructor(read: ReadRange, head: Uint8Array = new Uint8Array(0), isWhole = false) {
    this.#read = read;
    this.#head = head;
    this.#isWhole = isWhole;
  }

  abstract header(): Promise<Header>;

  async shareHashChain(): Promise<HashNode[]> {
    const bytes = await this.#field('shareHashChain');
    const view = viewOf(bytes);
    return piecesOf(bytes, chainEntryLength).map((entry, i) => [
      view.getUint16(i * chainEntryLength),
      entry.subarray(2),
    ]);
  }

  /** All nodes, root first. */
  async blockHashTree(): Promise<Uint8Array[]> {
    return piecesOf(await this.#field('blockHashTree'), hashLength);
  }

  /**
   * `count` nodes of the block hash tree, from node `first` on.
   * @throws OutOfRangeError when there are no such nodes
   */
  async blockHashes(first: number, count: number): Promise<Uint8Array[]> {
    const { blockHashTree } = (await this.header()).layout;
    return this.hashes(fieldNames.blockHashTree, blockHashTree, first, count);
  }

  /** Whether the first bytes of the share, as they were read, hold these nodes and the chain. */
  async hasRootAtHand(): Promise<boolean> {
    const { shareHashChain, blockHashTree } = (await this.header()).layout;
    const root = rangeOfHashes(fieldNames.blockHashTree, blockHashTree, 0, 1);
    return this.#isAtHand(shareHashChain) && this.#isAtHand(root);
  }

  /** Whether the first bytes of the share, as they were read, hold the share hash chain. */
  async hasChainAtHand(): Promise<boolean> {
    return this.#isAtHand((await this.header()).layout.shareHashChain);
  }

  #isAtHand({ offset, length }: ByteRange): boolean {
    return offset + length <= this.#head.length;
  }

  /**
   * The entries of `count` segments from `first` on, in one read.
   * @param roomFor where they may be; new memory by default
   * @throws OutOfRangeError when there are no such segments
   */
  async blocks(first: number, count: number, roomFor?: RoomFor): Promise<Entry[]> {
    const header = await this.header();
    const { offset, length } = entryRange(header, first, count);
    const range = { offset: header.layout.shareData.offset + offset, length };
    const bytes = await this.whole(fieldNames.shareData, range, roomFor);
    const saltEnd = entrySaltLength(header);
    return Array.from({ length: count }, (_, i) => {
      const start = entryRange(header, first + i).offset - offset;
      const entry = bytes.subarray(start, start + saltEnd + blockLength(header, first + i));
      return {
        salt: saltEnd > 0 ? entry.subarray(0, saltEnd) : undefined,
        block: entry.subarray(saltEnd),
      };
    });
  }

  /**
   * The entry of one segment, piece by piece: salt and block are for `take` to tell apart.
   * @throws OutOfRangeError when there is no such segment
   */
  async entryPieces(segnum: number, take: (piece: Uint8Array) => void): Promise<void> {
    const header = await this.header();
    const { offset, length } = entryRange(header, segnum);
    const range = { offset: header.layout.shareData.offset + offset, length };
    requireWhole(fieldNames.shareData, await this.#pieces(range, take), range);
  }

  async #field(field: BlockField): Promise<Uint8Array> {
    return this.whole(fieldNames[field], (await this.header()).layout[field]);
  }

  /** `count` nodes of the tree that lies at `tree`, which errors call `what`. */
  protected async hashes(
    what: string,
    tree: ByteRange,
    first: number,
    count: number,
  ): Promise<Uint8Array[]> {
    return piecesOf(await this.whole(what, rangeOfHashes(what, tree, first, count)), hashLength);
  }

  /** What lies in `range`, which errors call `what`. */
  protected async whole(what: string, range: ByteRange, roomFor?: RoomFor): Promise<Uint8Array> {
    const bytes = await this.bytes(range, roomFor);
    requireWhole(what, bytes.length, range);
    return bytes;
  }

  /** Fewer when the share ends before. */
  protected async bytes(range: ByteRange, roomFor?: RoomFor): Promise<Uint8Array> {
    const { offset, length } = range;
    if (this.#isWhole || this.#isAtHand(range)) return this.#head.subarray(offset, offset + length);
    if (length <= requestLengthMax) {
      return length === 0 ? new Uint8Array(0) : this.#read(range, roomFor?.(length));
    }
    const pieces: Uint8Array[] = [];
    await this.#pieces(range, (piece) => pieces.push(piece));
    return concatBytes(...pieces);
  }

  /** In order, up to the first that is cut: a share that ends before is not asked for more. */
  async #pieces({ offset, length }: ByteRange, take: (piece: Uint8Array) => void): Promise<number> {
    let done = 0;
    while (done < length) {
      const wanted = Math.min(requestLengthMax, length - done);
      const piece = await this.#read({ offset: offset + done, length: wanted });
      take(piece);
      done += piece.length;
      if (piece.length < wanted) break;
    }
    return done;
  }
}

function requireWhole(what: string, found: number, { length }: ByteRange): void {
  if (found === length) return;
  throw new CorruptShareError(what, `${found} of ${length} bytes`);
}

function rangeOfHashes(
  what: string,
  { offset, length }: ByteRange,
  first: number,
  count: number,
): ByteRange {
  const nodes = length / hashLength;
  for (const node of [first, first + count - 1]) {
    if (Number.isInteger(node) && node >= 0 && node < nodes) continue;
    throw new OutOfRangeError('node', node, `the ${what} has ${nodes}`);
  }
  return { offset: offset + first * hashLength, length: count * hashLength };
}

function piecesOf(bytes: Uint8Array, length: number): Uint8Array[] {
  const count = bytes.length / length;
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}
