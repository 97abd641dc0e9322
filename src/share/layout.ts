/**
 * @module layout: where the fields of a share lie, and the offset table that says so
 * (`mutable/layout.py`; docs/format.md §5.1 and §5.2).
 *
 * Nobody signs the offset table. A reader follows it, since field lengths differ between keys and
 * ages of the format, but only when the fields lie in order, none is longer than it can be, and
 * those of a known length have it.
 */
import { readSafeU64, viewOf } from '../bytes.ts';
import { CorruptShareError } from '../errors.ts';
import type { ByteRange } from '../storage/server.ts';
import { entryRange, type MutableGeometry } from './geometry.ts';
import { hashLength, neededHashes, nodeCount } from './hashtree.ts';

/** What a share consists of after its header. */
export type ShareField =
  | 'verificationKey'
  | 'signature'
  | 'shareHashChain'
  | 'blockHashTree'
  | 'shareData'
  | 'encryptedPrivateKey';

/** What errors call the fields. */
export const fieldNames: Readonly<Record<ShareField, string>> = {
  verificationKey: 'verification key',
  signature: 'signature',
  shareHashChain: 'share hash chain',
  blockHashTree: 'block hash tree',
  shareData: 'share data',
  encryptedPrivateKey: 'encrypted private key',
};

/** Where each field lies, from the start of the share. */
export interface ShareLayout extends Readonly<Record<ShareField, ByteRange>> {
  /** The length of the share; what its container holds beyond is stale. */
  readonly end: number;
}

/** The lengths, in bytes, that the keys decide. */
export type KeyFieldLengths = Readonly<
  Record<'verificationKey' | 'signature' | 'encryptedPrivateKey', number>
>;

/** RSA-2048 needs 294, 256 and about 1217: larger keys may come, but not of any size. */
const keyFieldLengthsMax: KeyFieldLengths = {
  verificationKey: 4096,
  signature: 1024,
  encryptedPrivateKey: 16384,
};

/** In the order of the share; each offset in the table is of the given bytes. */
const tables = {
  sdmf: [
    ['verificationKey', 0], // always right after the header
    ['signature', 4],
    ['shareHashChain', 4],
    ['blockHashTree', 4],
    ['shareData', 4],
    ['encryptedPrivateKey', 8],
    ['end', 8],
  ],
  mdmf: [
    ['encryptedPrivateKey', 8],
    ['shareHashChain', 8],
    ['signature', 8],
    ['verificationKey', 8],
    ['gap', 8], // the end of the verification key
    ['shareData', 8],
    ['blockHashTree', 8],
    ['end', 8],
  ],
} as const;

/** The signed bytes in front of the offset table. */
export const prefixLength = { sdmf: 75, mdmf: 59 } as const;
/** Prefix and offset table. */
export const headerLength = { sdmf: 107, mdmf: 123 } as const;
/** MDMF's share data begin here, so that the fields in front can change in place. */
const mdmfShareDataOffset = 2167;

/** u16 node number, hash. */
export const chainEntryLength = 2 + hashLength;

/** @param shareDataOffset where MDMF's share data begin; by default where Tahoe puts them */
export function layoutOf(
  geometry: MutableGeometry,
  total: number,
  keyFieldLengths: KeyFieldLengths,
  shareDataOffset: number = mdmfShareDataOffset,
): ShareLayout {
  const lengths = { ...signedLengths(geometry, total), ...keyFieldLengths };
  const layout = {} as Record<ShareField, ByteRange>;
  let end: number = headerLength[geometry.format];
  for (const [name] of tables[geometry.format]) {
    if (name === 'end') break;
    if (name === 'gap') {
      end = Math.max(end, shareDataOffset);
    } else {
      layout[name] = { offset: end, length: lengths[name] };
      end += lengths[name];
    }
  }
  return { ...layout, end };
}

/** The offset table. */
export function packLayout(format: MutableGeometry['format'], layout: ShareLayout): Uint8Array {
  const out = new Uint8Array(headerLength[format] - prefixLength[format]);
  const view = viewOf(out);
  let at = 0;
  for (const [name, width] of tables[format]) {
    const offset = startOf(layout, name);
    if (width === 4) view.setUint32(at, offset);
    if (width === 8) view.setBigUint64(at, BigInt(offset));
    at += width;
  }
  return out;
}

/**
 * The layout in the offset table of `header` (prefix and table).
 * @throws CorruptShareError naming the offset that is out of order or the field of a wrong length
 */
export function parseLayout(
  header: Uint8Array,
  geometry: MutableGeometry,
  total: number,
): ShareLayout {
  const { format } = geometry;
  const table = tables[format];
  const offsets = parseOffsets(header, format);
  const layout = {} as Record<ShareField, ByteRange>;
  const exact: Partial<Record<ShareField, number>> = signedLengths(geometry, total);
  const most: Partial<Record<ShareField, number>> = keyFieldLengthsMax;
  table.forEach(([name], i) => {
    if (name === 'end' || name === 'gap') return;
    const offset = offsets[i] as number;
    const length = (offsets[i + 1] as number) - offset;
    if (length !== (exact[name] ?? length)) {
      throw new CorruptShareError(fieldNames[name], `${length} bytes, not ${exact[name]}`);
    }
    if (length > (most[name] ?? length)) {
      throw new CorruptShareError(fieldNames[name], `${length} bytes, more than ${most[name]}`);
    }
    layout[name] = { offset, length };
  });
  return { ...layout, end: offsets.at(-1) as number };
}

/** Every offset of the table, none below the one before. */
function parseOffsets(header: Uint8Array, format: MutableGeometry['format']): number[] {
  const view = viewOf(header);
  let at: number = prefixLength[format];
  let least: number = headerLength[format];
  return tables[format].map(([name, width]) => {
    const offset = width === 0 ? least : width === 4 ? view.getUint32(at) : readSafeU64(view, at);
    if (offset === undefined) throw new CorruptShareError(placeOf(name), 'above 2^53-1');
    if (offset < least) throw new CorruptShareError(placeOf(name), `${offset} is before ${least}`);
    at += width;
    least = offset;
    return offset;
  });
}

/** What the table says of a field, in words. */
function placeOf(name: ShareField | 'gap' | 'end'): string {
  if (name === 'end') return 'end of share';
  return name === 'gap' ? 'end of verification key' : `offset of ${fieldNames[name]}`;
}

function startOf(layout: ShareLayout, name: ShareField | 'gap' | 'end'): number {
  if (name === 'end') return layout.end;
  if (name === 'gap') return layout.verificationKey.offset + layout.verificationKey.length;
  return layout[name].offset;
}

/** The lengths that the signed header decides. */
function signedLengths(geometry: MutableGeometry, total: number) {
  return {
    shareHashChain: chainEntryLength * neededHashes(total, 0).length,
    blockHashTree: hashLength * nodeCount(geometry.segmentCount),
    shareData: entryRange(geometry, 0, geometry.segmentCount).length,
  };
}
