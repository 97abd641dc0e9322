/**
 * @module reader: the fields of one share, by range reads (`mutable/layout.py`
 * `MDMFSlotReadProxy`). It follows the share's own header and judges lengths only; `verify.ts`
 * judges contents.
 */
import { viewOf } from '../bytes.ts';
import { CorruptShareError, OutOfRangeError } from '../errors.ts';
import { type HashNode, hashLength, nodeRuns } from '../hashtree.ts';
import type { ByteRange } from '../storage/server.ts';
import { blockLength, entryRange, entrySaltLength } from './geometry.ts';
import { headerLengthMax, parseShareHeader, type ShareHeader } from './header.ts';
import { chainEntryLength, fieldNames, type ShareField } from './layout.ts';

/** Bytes of the share, fewer than asked for when it ends before; callers add server and shnum. */
export type ReadRange = (range: ByteRange) => Promise<Uint8Array>;

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

  /** @throws OutOfRangeError when there is no such node */
  async blockHashTreeNodes(nodes: readonly number[]): Promise<HashNode[]> {
    const { offset, length } = (await this.header()).layout.blockHashTree;
    const nodeCount = length / hashLength;
    for (const node of nodes) {
      if (!Number.isInteger(node) || node < 0 || node >= nodeCount) {
        throw new OutOfRangeError('node', node, `the block hash tree has ${nodeCount}`);
      }
    }
    const runs = nodeRuns(nodes.toSorted((a, b) => a - b));
    const found = runs.map(async ({ first, count }): Promise<HashNode[]> => {
      const range = { offset: offset + first * hashLength, length: count * hashLength };
      const hashes = piecesOf(await this.#whole('blockHashTree', range), hashLength);
      return hashes.map((hash, i) => [first + i, hash]);
    });
    return (await Promise.all(found)).flat();
  }

  /**
   * The entries of `count` segments from `first` on, in one read.
   * @throws OutOfRangeError when there are no such segments
   */
  async blocks(first: number, count: number): Promise<Entry[]> {
    const header = await this.header();
    const { offset, length } = entryRange(header, first, count);
    const range = { offset: header.layout.shareData.offset + offset, length };
    const bytes = await this.#whole('shareData', range);
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

  async #field(field: ShareField): Promise<Uint8Array> {
    return this.#whole(field, (await this.header()).layout[field]);
  }

  async #whole(field: ShareField, range: ByteRange): Promise<Uint8Array> {
    const bytes = await this.#bytes(range);
    if (bytes.length === range.length) return bytes;
    throw new CorruptShareError(fieldNames[field], `${bytes.length} of ${range.length} bytes`);
  }

  async #bytes({ offset, length }: ByteRange): Promise<Uint8Array> {
    const end = offset + length;
    if (end <= this.#head.length) return this.#head.subarray(offset, end);
    return length === 0 ? new Uint8Array(0) : this.#read({ offset, length });
  }
}

function piecesOf(bytes: Uint8Array, length: number): Uint8Array[] {
  const count = bytes.length / length;
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}
