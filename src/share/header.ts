/**
 * @module header: the signed prefix of a share and its offset table (`mutable/layout.py`;
 * docs/format.md §5.1 and §5.2).
 *
 * Parsing is total: whatever the bytes, it gives a header whose numbers are consistent with each
 * other, or a typed error. Nothing is allocated by the numbers it finds.
 */
import { segmentSizeOf } from '../../machines/limits.ts';
import { concatBytes, readSafeU64, u64, viewOf } from '../bytes.ts';
import type { Format } from '../caps.ts';
import { saltLength } from '../crypto/salts.ts';
import { CorruptShareError, UnknownVersionError } from '../errors.ts';
import { geometryOf, type MutableGeometry } from './geometry.ts';
import { hashLength } from './hashtree.ts';
import { headerLength, packLayout, parseLayout, prefixLength, type ShareLayout } from './layout.ts';

/** What tells one version of a file from another; the bytes that are signed. */
export interface VersionFields extends MutableGeometry {
  readonly seqnum: number;
  /** 32 bytes: the root of the share hash tree. */
  readonly rootHash: Uint8Array;
  /** SDMF's IV, 16 bytes; MDMF has a salt per segment instead. */
  readonly salt: Uint8Array | undefined;
  /** N */
  readonly total: number;
}

export interface ShareHeader extends VersionFields {
  /** The signed bytes. Two shares are of one version exactly when these are equal. */
  readonly prefix: Uint8Array;
  /** Not signed: may differ between shares of one version. */
  readonly layout: ShareLayout;
}

/** The longest header: what a reader must have to parse either format. */
export const headerLengthMax = headerLength.mdmf;

const formats: readonly Format[] = ['sdmf', 'mdmf'];

/**
 * The header in the first bytes of a share (at least {@link headerLengthMax} unless it is shorter).
 * @throws UnknownVersionError for a version byte other than 0 and 1
 * @throws CorruptShareError naming the field that cannot be
 */
export function parseShareHeader(bytes: Uint8Array): ShareHeader {
  const [version] = bytes;
  if (version === undefined) throw new CorruptShareError('header', 'no bytes');
  const format = formats[version];
  if (format === undefined) throw new UnknownVersionError(version);
  const length = headerLength[format];
  if (bytes.length < length) {
    throw new CorruptShareError('header', `${bytes.length} of ${length} bytes`);
  }
  const header = bytes.slice(0, length);
  const fields = parsePrefix(header, format);
  return {
    ...fields,
    prefix: header.subarray(0, prefixLength[format]),
    layout: parseLayout(header, fields, fields.total),
  };
}

/** The signed bytes. */
export function packPrefix(fields: VersionFields): Uint8Array {
  return concatBytes(
    Uint8Array.of(formats.indexOf(fields.format)),
    u64(fields.seqnum),
    fields.rootHash,
    fields.salt ?? new Uint8Array(0),
    Uint8Array.of(fields.required, fields.total),
    u64(fields.segmentSize),
    u64(fields.dataLength),
  );
}

/** Prefix and offset table. */
export function packHeader(fields: VersionFields, layout: ShareLayout): Uint8Array {
  return concatBytes(packPrefix(fields), packLayout(fields.format, layout));
}

/** Version, seqnum, root hash and (SDMF) IV: by these a writer knows which version it replaces. */
export function checkstringOf({
  format,
  prefix,
}: Pick<ShareHeader, 'format' | 'prefix'>): Uint8Array {
  return prefix.subarray(0, checkstringLengthOf(format));
}

/** In bytes. */
export function checkstringLengthOf(format: Format): number {
  return rootHashOffset + hashLength + (format === 'sdmf' ? saltLength : 0);
}

const rootHashOffset = 9;

function parsePrefix(header: Uint8Array, format: Format): VersionFields {
  const view = viewOf(header);
  const integer = (field: string, offset: number) => {
    const value = readSafeU64(view, offset);
    if (value === undefined) throw new CorruptShareError(field, 'above 2^53-1');
    return value;
  };
  const saltOffset = rootHashOffset + hashLength;
  const encodingOffset = saltOffset + (format === 'sdmf' ? saltLength : 0);
  const seqnum = integer('seqnum', 1);
  const required = view.getUint8(encodingOffset);
  const total = view.getUint8(encodingOffset + 1);
  const segmentSize = integer('segment size', encodingOffset + 2);
  const dataLength = integer('data length', encodingOffset + 10);

  if (total === 0) throw new CorruptShareError('total shares', 'none');
  if (required === 0 || required > total) {
    throw new CorruptShareError('required shares', `${required} of ${total}`);
  }
  checkSegmentSize(format, required, dataLength, segmentSize);
  return {
    ...geometryOf(format, required, dataLength, segmentSize),
    seqnum,
    rootHash: header.subarray(rootHashOffset, saltOffset),
    salt: format === 'sdmf' ? header.subarray(saltOffset, encodingOffset) : undefined,
    total,
  };
}

function checkSegmentSize(
  format: Format,
  required: number,
  dataLength: number,
  segmentSize: number,
): void {
  const problem = (text: string) => new CorruptShareError('segment size', `${segmentSize} ${text}`);
  if (format === 'sdmf' && segmentSize !== segmentSizeOf(format, required, dataLength)) {
    throw problem(`for one segment of ${dataLength} bytes in ${required} blocks`);
  }
  if (format === 'mdmf' && (segmentSize === 0 || segmentSize % required !== 0)) {
    throw problem(`is not a multiple of ${required}`);
  }
}
