/**
 * @module immutable-reader: the fields of one immutable share, by range reads.
 */
import { BlockReader, type ReadRange } from '../share/block-reader.ts';
import type { ChkFields } from './caps.ts';
import {
  type ChkLayout,
  checkHashes,
  chkFieldNames,
  chkHeaderLengthMax,
  parseChkLayout,
} from './layout.ts';
import { type ChkVersion, parseUeb, uebIn, uebLengthMax } from './ueb.ts';

export interface ChkHeader extends ChkVersion {
  readonly layout: ChkLayout;
}

/** What was read of a share before. */
export interface Opened {
  /** Its first bytes. */
  readonly head: Uint8Array;
  /** Whether it ends with them. */
  readonly isWhole: boolean;
  /** What lies where the URI extension block is likely to be, if that was read. */
  readonly tail: { readonly offset: number; readonly bytes: Uint8Array } | undefined;
  readonly header: ChkHeader;
}

export class ChkReader extends BlockReader<ChkHeader> {
  readonly #cap: ChkFields;
  readonly #tail: Opened['tail'];
  #header: Promise<ChkHeader> | undefined;

  constructor(cap: ChkFields, read: ReadRange, opened: Partial<Opened> = {}) {
    super(read, opened.head, opened.isWhole);
    this.#cap = cap;
    this.#tail = opened.tail;
    if (opened.header !== undefined) this.#header = Promise.resolve(opened.header);
  }

  /** How the file is cut, by the share's own copy of the URI extension block. */
  header(): Promise<ChkHeader> {
    this.#header ??= this.#parsed();
    return this.#header;
  }

  async #parsed(): Promise<ChkHeader> {
    const bytes = await this.bytes({ offset: 0, length: chkHeaderLengthMax });
    const layout = parseChkLayout(bytes, this.#cap);
    const version = parseUeb(await this.#ueb(layout), this.#cap);
    checkHashes(layout, version);
    return { ...version, layout };
  }

  async #ueb({ uebLength }: ChkLayout): Promise<Uint8Array> {
    const { offset, length: width } = uebLength;
    // The share ends with it: what is asked for beyond is cut off.
    const range = { offset, length: width + uebLengthMax };
    const bytes = this.#tail?.offset === offset ? this.#tail.bytes : await this.bytes(range);
    return uebIn(bytes, width);
  }

  /**
   * `count` nodes of the crypttext hash tree, from node `first` on.
   * @throws OutOfRangeError when there are no such nodes
   */
  async crypttextHashes(first: number, count: number): Promise<Uint8Array[]> {
    const { crypttextHashTree } = (await this.header()).layout;
    return this.hashes(chkFieldNames.crypttextHashTree, crypttextHashTree, first, count);
  }
}
