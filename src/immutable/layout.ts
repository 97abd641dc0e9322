/**
 * @module immutable-layout: where the fields of an immutable share lie, and the table that says so
 * (`immutable/layout.py`, versions 1 and 2).
 *
 * Nothing vouches for the table. A reader follows it where the fields lie in order and have the
 * lengths that the file gives them. Parsing is total, and nothing is allocated by what it finds.
 */
import { divideUp } from '../../machines/limits.ts';
import { readSafeU64, viewOf } from '../bytes.ts';
import { CorruptShareError, UnknownVersionError } from '../errors.ts';
import { hashLength, nodeCount } from '../share/hashtree.ts';
import { chainEntryLength } from '../share/layout.ts';
import type { ByteRange } from '../storage/server.ts';
import type { ChkFields } from './caps.ts';
import type { ChkVersion } from './ueb.ts';

/** In the order of the share. */
const fields = [
  'shareData',
  // Of zeros, since plaintext hashes told who had which file.
  'plaintextHashTree',
  'crypttextHashTree',
  'blockHashTree',
  'shareHashChain',
] as const;

type ChkField = (typeof fields)[number];

/** What errors call the fields. */
export const chkFieldNames: Readonly<Record<ChkField, string>> = {
  shareData: 'share data',
  plaintextHashTree: 'plaintext hash tree',
  crypttextHashTree: 'crypttext hash tree',
  blockHashTree: 'block hash tree',
  shareHashChain: 'share hash chain',
};

export interface ChkLayout extends Readonly<Record<ChkField, ByteRange>> {
  /** Where the length of the URI extension block is; the block itself is right behind it. */
  readonly uebLength: ByteRange;
}

/** Bytes of a number in the table, and of the length of the URI extension block, by version. */
const widths = new Map([
  [1, 4],
  [2, 8],
]);

/** The version, and two lengths that say nothing new, in front of the table. */
const tableOffsetOf = (width: number) => 4 + 2 * width;
const headerLengthOf = (width: number) => tableOffsetOf(width) + 6 * width;
/** What a reader must have to parse either version. */
export const chkHeaderLengthMax = headerLengthOf(8);

/**
 * The layout in the first bytes of a share, at least {@link chkHeaderLengthMax} unless it is
 * shorter.
 * @throws UnknownVersionError for another version than 1 and 2
 * @throws CorruptShareError naming the field that cannot be where it is
 */
export function parseChkLayout(bytes: Uint8Array, { size, required }: ChkFields): ChkLayout {
  const layout = chkLayoutIn(bytes);
  requireLength(layout, 'shareData', divideUp(size, required));
  return layout;
}

/** The same of a share of no cap that is known: its fields are of any length. @throws as that */
export function chkLayoutIn(bytes: Uint8Array): ChkLayout {
  const view = viewOf(bytes);
  if (bytes.length < 4) throw new CorruptShareError('header', `${bytes.length} bytes`);
  const version = view.getUint32(0);
  const width = widths.get(version);
  if (width === undefined) throw new UnknownVersionError(version);
  const headerLength = headerLengthOf(width);
  if (bytes.length < headerLength) {
    throw new CorruptShareError('header', `${bytes.length} of ${headerLength} bytes`);
  }
  let least = headerLength;
  const offsets = [...fields.map((field) => chkFieldNames[field]), 'URI extension'].map(
    (what, i) => {
      const at = tableOffsetOf(width) + i * width;
      const offset = width === 4 ? view.getUint32(at) : readSafeU64(view, at);
      if (offset === undefined) throw new CorruptShareError(`offset of ${what}`, 'above 2^53-1');
      if (offset < least) {
        throw new CorruptShareError(`offset of ${what}`, `${offset} is before ${least}`);
      }
      least = offset;
      return offset;
    },
  );
  const layout = {} as Record<ChkField, ByteRange>;
  fields.forEach((field, i) => {
    const offset = offsets[i] as number;
    layout[field] = { offset, length: (offsets[i + 1] as number) - offset };
  });
  return { ...layout, uebLength: { offset: offsets.at(-1) as number, length: width } };
}

/**
 * Checks the lengths that are only known with the URI extension block.
 * @throws CorruptShareError naming the field
 */
export function checkHashes(layout: ChkLayout, { segmentCount, total }: ChkVersion): void {
  const tree = nodeCount(segmentCount) * hashLength;
  requireLength(layout, 'crypttextHashTree', tree);
  requireLength(layout, 'blockHashTree', tree);
  const { length } = layout.shareHashChain;
  if (length % chainEntryLength === 0 && length <= chainLengthOf(total)) return;
  throw new CorruptShareError(chkFieldNames.shareHashChain, `${length} bytes`);
}

/** A hash per level of the tree, and its leaf: in any order. */
function chainLengthOf(total: number): number {
  return Math.log2(nodeCount(total) + 1) * chainEntryLength;
}

/** Bytes of the segments in which Tahoe cuts a file since 1.20. */
const usualSegmentSize = 2 ** 20;

/** Where a share most likely has its URI extension block: it may be asked for before that is known. */
export function likelyUebOffset({ size, required, total }: ChkFields): number {
  const segmentSize = divideUp(Math.min(usualSegmentSize, size), required) * required;
  const tree = nodeCount(divideUp(size, Math.max(1, segmentSize))) * hashLength;
  return headerLengthOf(4) + divideUp(size, required) + 3 * tree + chainLengthOf(total);
}

function requireLength(
  layout: Readonly<Record<ChkField, ByteRange>>,
  field: ChkField,
  length: number,
): void {
  const found = layout[field].length;
  if (found === length) return;
  throw new CorruptShareError(chkFieldNames[field], `${found} bytes, not ${length}`);
}
