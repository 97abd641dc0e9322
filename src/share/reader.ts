/**
 * @module reader: the fields of one share, by range reads (`mutable/layout.py`
 * `MDMFSlotReadProxy`). It follows the share's own header and judges lengths only; `verify.ts`
 * judges contents.
 */
import { concatBytes, viewOf } from '../bytes.ts';
import { CorruptShareError, OutOfRangeError } from '../errors.ts';
import type { ByteRange } from '../storage/server.ts';
import { blockLength, entryRange, entrySaltLength } from './geometry.ts';
import { type HashNode, hashLength } from './hashtree.ts';
import { headerLengthMax, parseShareHeader, type ShareHeader } from './header.ts';
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
  /** 16 bytes; SDMF has one in the header instead. */
  readonly salt: Uint8Array | undefined;
  readonly block: Uint8Array;
}

/**
 * All methods reject with {@link CorruptShareError} when the share is too short for the field or
 * its header cannot be, with {@link UnknownVersionError}, and with what `read` rejects with.
 */
export class ShareReader {
  readonly #read: ReadRange;
  readonly #head: Uint8Array;
  #header: ShareHeader | undefined;

  /** @param head the first bytes of the share, if they were read before */
  constructor(read: ReadRange, head: Uint8Array = new Uint8Array(0)) {
    this.#read = read;
    this.#head = head;
  }

  async header(): Promise<ShareHeader> {
    this.#header ??= parseShareHeader(await this.#bytes({ offset: 0, length: headerLengthMax }));
    return this.#header;
  }

  /** SubjectPublicKeyInfo DER. */
  verificationKey(): Promise<Uint8Array> {
    return this.#field('verificationKey');
  }

  signature(): Promise<Uint8Array> {
    return this.#field('signature');
  }

  encryptedPrivateKey(): Promise<Uint8Array> {
    return this.#field('encryptedPrivateKey');
  }

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
    const range = this.#hashRange(await this.header(), first, count);
    return piecesOf(await this.#whole('blockHashTree', range), hashLength);
  }

  /** Whether the first bytes of the share, as they were read, hold these nodes and the chain. */
  async hasRootAtHand(): Promise<boolean> {
    const header = await this.header();
    const { shareHashChain } = header.layout;
    return this.#isAtHand(shareHashChain) && this.#isAtHand(this.#hashRange(header, 0, 1));
  }

  /** Whether the first bytes of the share, as they were read, hold the share hash chain. */
  async hasChainAtHand(): Promise<boolean> {
    return this.#isAtHand((await this.header()).layout.shareHashChain);
  }

  #hashRange({ layout }: ShareHeader, first: number, count: number): ByteRange {
    const { offset, length } = layout.blockHashTree;
    const nodes = length / hashLength;
    for (const node of [first, first + count - 1]) {
      if (Number.isInteger(node) && node >= 0 && node < nodes) continue;
      throw new OutOfRangeError('node', node, `the block hash tree has ${nodes}`);
    }
    return { offset: offset + first * hashLength, length: count * hashLength };
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
    const bytes = await this.#whole('shareData', range, roomFor);
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
    this.#requireWhole('shareData', await this.#pieces(range, take), range);
  }

  async #field(field: ShareField): Promise<Uint8Array> {
    return this.#whole(field, (await this.header()).layout[field]);
  }

  async #whole(field: ShareField, range: ByteRange, roomFor?: RoomFor): Promise<Uint8Array> {
    const bytes = await this.#bytes(range, roomFor);
    this.#requireWhole(field, bytes.length, range);
    return bytes;
  }

  #requireWhole(field: ShareField, found: number, { length }: ByteRange): void {
    if (found === length) return;
    throw new CorruptShareError(fieldNames[field], `${found} of ${length} bytes`);
  }

  async #bytes(range: ByteRange, roomFor?: RoomFor): Promise<Uint8Array> {
    const { offset, length } = range;
    if (this.#isAtHand(range)) return this.#head.subarray(offset, offset + length);
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

function piecesOf(bytes: Uint8Array, length: number): Uint8Array[] {
  const count = bytes.length / length;
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}
