/**
 * @module ueb: the URI extension block: what an encoded file consists of. Every share has a copy,
 * and the cap its hash (`immutable/encode.py`, `immutable/checker.py`).
 *
 * Its maker may have written anything, and signed for it by the cap. So parsing is total: it gives
 * fields that fit each other and the cap, or a typed error. Tahoe's reader leaves out most of that.
 */
import { divideUp } from '../../machines/limits.ts';
import { equalBytes, readSafeU64, viewOf } from '../bytes.ts';
import { taggedHash, tagOf } from '../crypto/hash.ts';
import { CorruptShareError } from '../errors.ts';
import type { Geometry } from '../share/geometry.ts';
import { hashLength } from '../share/hashtree.ts';
import type { Rooted } from '../share/verify.ts';
import type { ChkFields } from './caps.ts';

const UEB_TAG = tagOf('allmydata_uri_extension_v1');

/** What errors call it. */
const uebName = 'URI extension';
/** Bytes that are read of one: Tahoe's have some 330, and its verifier takes fewer than 2000. */
export const uebLengthMax = 4096;

/** How an immutable file is cut, and the roots that its hashes lead to. */
export interface ChkVersion extends Geometry, Rooted {
  readonly format: 'chk';
  /** 32 bytes: the root of the tree over the segments as they are encrypted. */
  readonly crypttextRootHash: Uint8Array;
}

/**
 * The block that `cap` names.
 * @throws CorruptShareError when it is another one, or one that does not fit the cap
 */
export function parseUeb(bytes: Uint8Array, cap: ChkFields): ChkVersion {
  if (!equalBytes(taggedHash(UEB_TAG, bytes), cap.uebHash)) throw corrupt('is not that of the cap');
  const fields = new Fields(bytes);
  const { required, total, size } = cap;
  fields.requireNumber('needed_shares', required);
  fields.requireNumber('total_shares', total);
  fields.requireNumber('size', size);
  const segmentSize = fields.number('segment_size');
  if (segmentSize === 0 || segmentSize % required !== 0) {
    throw corrupt(`segment_size ${segmentSize} is no multiple of ${required}`);
  }
  const segmentCount = divideUp(size, segmentSize);
  fields.requireNumber('num_segments', segmentCount);
  const tail = size - Math.max(0, segmentCount - 1) * segmentSize;
  const paddedTail = divideUp(tail, required) * required;
  fields.expectText('codec_name', 'crs');
  fields.expectText('codec_params', `${segmentSize}-${required}-${total}`);
  fields.expectText('tail_codec_params', `${paddedTail}-${required}-${total}`);
  return {
    format: 'chk',
    required,
    total,
    segmentSize,
    dataLength: size,
    segmentCount,
    rootHash: fields.hash('share_root_hash'),
    crypttextRootHash: fields.hash('crypttext_root_hash'),
  };
}

/**
 * The block in what follows its place, with its length in `width` bytes in front.
 * @throws CorruptShareError where it is cut off
 */
export function uebIn(bytes: Uint8Array, width: number): Uint8Array {
  if (bytes.length < width) throw corrupt('has no length');
  const view = viewOf(bytes);
  const length = width === 4 ? view.getUint32(0) : readSafeU64(view, 0);
  if (length === undefined || length > bytes.length - width) {
    throw corrupt(`${bytes.length - width} of ${length} bytes`);
  }
  return bytes.subarray(width, width + length);
}

/** What a block tells that no cap is at hand for: its cap would say this. @throws CorruptShareError */
export function chkFieldsIn(bytes: Uint8Array): ChkFields {
  const fields = new Fields(bytes);
  return {
    uebHash: taggedHash(UEB_TAG, bytes),
    required: fields.number('needed_shares'),
    total: fields.number('total_shares'),
    size: fields.number('size'),
  };
}

function corrupt(problem: string): CorruptShareError {
  return new CorruptShareError(uebName, problem);
}

/** `name:` and the value as a netstring, any number of times; names that are not known may come. */
class Fields {
  readonly #fields = new Map<string, Uint8Array>();

  constructor(bytes: Uint8Array) {
    let at = 0;
    while (at < bytes.length) {
      const [name, start] = textUpToColon(bytes, at);
      const [digits, value] = textUpToColon(bytes, start);
      const end = value + (/^(0|[1-9]\d{0,8})$/.test(digits) ? Number(digits) : Number.NaN);
      if (!/^[a-z_]+$/.test(name) || bytes[end] !== comma) throw corrupt('is no list of fields');
      if (this.#fields.has(name)) throw corrupt(`has two of ${name}`);
      this.#fields.set(name, bytes.slice(value, end));
      at = end + 1;
    }
  }

  hash(name: string): Uint8Array {
    const value = this.#field(name);
    if (value.length !== hashLength) throw corrupt(`${name} has ${value.length} bytes`);
    return value;
  }

  number(name: string): number {
    const text = textOf(this.#field(name));
    const value = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw corrupt(`${name} is no whole number up to 2^53-1`);
    return value;
  }

  requireNumber(name: string, expected: number): void {
    const value = this.number(name);
    if (value !== expected) throw corrupt(`${name} is ${value}, not ${expected}`);
  }

  /** One that says nothing new, and so may be missing. */
  expectText(name: string, expected: string): void {
    const value = this.#fields.get(name);
    if (value !== undefined && textOf(value) !== expected) throw corrupt(`${name} does not fit`);
  }

  #field(name: string): Uint8Array {
    const value = this.#fields.get(name);
    if (value === undefined) throw corrupt(`${name} is missing`);
    return value;
  }
}

const [colon, comma] = [0x3a, 0x2c];

/** And where what follows the colon begins. */
function textUpToColon(bytes: Uint8Array, from: number): readonly [string, number] {
  const end = bytes.indexOf(colon, from);
  if (end < 0) throw corrupt('is no list of fields');
  return [textOf(bytes.subarray(from, end)), end + 1];
}

/** One character for each byte: whatever is not ASCII fits no pattern. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
