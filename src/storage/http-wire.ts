/**
 * @module http-wire: what goes through Tahoe's HTTP storage protocol, as CBOR.
 *
 * Source: the CDDL in `http-storage-node-protocol.rst` and `storage/http_server.py`; docs/format.md
 * §7.3 and §7.4. A read-test-write is framed by hand, so that share data is never in memory
 * whole; every item in it comes from the CBOR library, the words of the protocol once. Answers are
 * judged by shape: whatever is not exactly what was asked for is a {@link BadAnswerError}, which
 * quotes nothing of it.
 */
import { decode, encode } from 'cborg';
import { TAG_BIGINT_POS, TAG_SET } from 'cborg/taglib';
import { bytesToHex } from '../bytes.ts';
import { OutOfRangeError } from '../errors.ts';
import type { HttpBody } from './http-call.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ShareWrite,
  WritePart,
} from './server.ts';

/** The limits that Tahoe's own client sets to answers, in bytes. */
export const answerMax = 30 * 1024 * 1024;
export const smallAnswerMax = 64 * 1024;

/** A server takes 32768 bytes of CBOR; the rest is the frame of the reason. */
const REASON_MAX = 32_768 - 16;

/** An answer that is not what the protocol says. */
export class BadAnswerError extends Error {
  override name = 'BadAnswerError';
}

/** What a server says of itself. Sizes are in bytes and may exceed 2^53. */
export interface ServerVersion {
  /** Its program and its version, for people. */
  readonly application: string;
  /** Bytes. */
  readonly maximumMutableShareSize: bigint;
  /** Bytes, as far as it says. */
  readonly availableSpace: bigint;
}

// --- requests -----------------------------------------------------------------------------------

type Piece = Uint8Array | WritePart;

/** RFC 8949, section 3.1. */
const major = { unsigned: 0, byteString: 2, array: 4, map: 5 } as const;

/** The words of the protocol, as the library writes them. */
const words = {
  testWriteVectors: encode('test-write-vectors'),
  test: encode('test'),
  write: encode('write'),
  newLength: encode('new-length'),
  readVector: encode('read-vector'),
  size: encode('size'),
  offset: encode('offset'),
  specimen: encode('specimen'),
  data: encode('data'),
  null: encode(null),
};

/** The body of a read-test-write; its parts are produced when it is sent. */
export function encodeReadTestWrite({ shares, reads }: ReadTestWriteRequest): HttpBody {
  const frame = new Frame();
  frame.head(major.map, 2).item(words.testWriteVectors).head(major.map, shares.size);
  for (const [shnum, write] of shares) {
    frame.head(major.unsigned, shnum);
    frameShareWrite(frame, write);
  }
  frame.item(words.readVector).head(major.array, reads.length);
  for (const range of reads) frameRange(frame.head(major.map, 2), range);
  return bodyOf(frame.pieces());
}

function frameShareWrite(frame: Frame, { tests, parts, newLength }: ShareWrite): void {
  frame.head(major.map, 3).item(words.test).head(major.array, tests.length);
  for (const test of tests) {
    frameRange(frame.head(major.map, 3), test);
    frame.item(words.specimen).head(major.byteString, test.specimen.length).item(test.specimen);
  }
  frame.item(words.write).head(major.array, parts.length);
  for (const part of parts) {
    frame.head(major.map, 2).item(words.offset).head(major.unsigned, part.offset);
    frame.item(words.data).head(major.byteString, part.length).part(part);
  }
  frame.item(words.newLength);
  if (newLength === null) frame.item(words.null);
  else frame.head(major.unsigned, newLength);
}

/** Short keys come first, as in the library's maps. */
function frameRange(frame: Frame, { offset, length }: ByteRange): void {
  frame.item(words.size).head(major.unsigned, length);
  frame.item(words.offset).head(major.unsigned, offset);
}

/** Of an item of CBOR: its first byte, and a number of 64 bits. */
const headLengthMax = 9;

/** What goes around the parts of a body, in as few pieces as there are parts. */
class Frame {
  readonly #pieces: Piece[] = [];
  #bytes = new Uint8Array(256);
  /** Of what has been framed since the last part. */
  #start = 0;
  #end = 0;

  /** The bytes that begin an item: its major type above the bytes of an unsigned integer. */
  head(type: number, count: number): this {
    this.#reserve(headLengthMax);
    const start = this.#end++;
    if (count < 24) {
      this.#bytes[start] = (type << 5) | count;
      return this;
    }
    // Big-endian in 1, 2, 4 or 8 bytes, whichever are enough: 24 to 27 say how many.
    const power = [2 ** 8, 2 ** 16, 2 ** 32].filter((limit) => count >= limit).length;
    this.#bytes[start] = (type << 5) | (24 + power);
    this.#end += 2 ** power;
    for (let at = this.#end - 1, rest = count; at > start; at--, rest = Math.floor(rest / 256)) {
      this.#bytes[at] = rest;
    }
    return this;
  }

  /** Bytes as they are. */
  item(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
    return this;
  }

  part(part: WritePart): void {
    this.#pieces.push(this.#framed(), part);
  }

  pieces(): readonly Piece[] {
    return [...this.#pieces, this.#framed()];
  }

  #framed(): Uint8Array {
    const framed = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return framed;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    const begun = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = new Uint8Array(2 * (begun.length + length) + 256);
    this.#bytes.set(begun);
    this.#start = 0;
    this.#end = begun.length;
  }
}

/** The body that advises of a corrupt share; a long reason is cut. */
export function encodeAdvice(reason: string): HttpBody {
  const bytes = new Uint8Array(REASON_MAX);
  // Cuts between characters.
  const { written } = new TextEncoder().encodeInto(reason, bytes);
  const cut = new TextDecoder().decode(bytes.subarray(0, written));
  // The protocol has no empty reason.
  return bodyOf([encode({ reason: cut || 'unspecified' })]);
}

function bodyOf(pieces: readonly Piece[]): HttpBody {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { length, pieces: () => produce(pieces) };
}

/** What goes before a part is given when the part is there. */
async function* produce(pieces: readonly Piece[]): AsyncGenerator<Uint8Array> {
  let frame: Uint8Array = new Uint8Array(0);
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      frame = piece;
      continue;
    }
    const bytes = await piece.bytes();
    if (bytes.length !== piece.length) {
      const promised = `${piece.length} were promised`;
      throw new OutOfRangeError('bytes of a part', bytes.length, promised);
    }
    yield frame;
    yield bytes;
  }
  yield frame;
}

// --- answers ------------------------------------------------------------------------------------

/**
 * The largest sensible answer to a read-test-write: every read, of as many shares as there may be.
 */
export function readTestWriteAnswerMax({ reads }: ReadTestWriteRequest): number {
  const frameMax = 16;
  const perShare = reads.reduce((sum, { length }) => sum + length + frameMax, frameMax);
  return Math.min(smallAnswerMax + 256 * perShare, answerMax);
}

/** @throws BadAnswerError unless a set of share numbers, which come back ascending */
export function decodeShareNumbers(body: Uint8Array): readonly number[] {
  const numbers = decodeItem(body);
  if (!(numbers instanceof Set)) throw new BadAnswerError('its list of shares is not a set');
  return [...numbers].map(shareNumber).sort((a, b) => a - b);
}

/** @throws BadAnswerError unless the answer to `request` */
export function decodeReadTestWrite(
  body: Uint8Array,
  { reads }: ReadTestWriteRequest,
): ReadTestWriteAnswer {
  const answer = decodeItem(body);
  const wrote = answer instanceof Map ? answer.get('success') : undefined;
  const data = answer instanceof Map ? answer.get('data') : undefined;
  if (typeof wrote !== 'boolean' || !(data instanceof Map)) {
    throw new BadAnswerError('it does not say whether it wrote');
  }
  const results = [...data].map(([shnum, found]): [number, readonly Uint8Array[]] => {
    const fits =
      Array.isArray(found) &&
      found.length === reads.length &&
      found.every((bytes, i) => bytes instanceof Uint8Array && bytes.length <= reads[i]!.length);
    if (!fits) throw new BadAnswerError('it did not read what it was asked to');
    return [shareNumber(shnum), found];
  });
  return { wrote, reads: new Map(results.sort(([a], [b]) => a - b)) };
}

/** @throws BadAnswerError unless a description of a version 1 storage server */
export function decodeVersion(body: Uint8Array): ServerVersion {
  const version = byByteStrings(decodeItem(body));
  const storage = byByteStrings(version.get('http://allmydata.org/tahoe/protocols/storage/v1'));
  const application = version.get('application-version');
  if (!(application instanceof Uint8Array)) throw new BadAnswerError('it names no version');
  return {
    application: new TextDecoder().decode(application),
    maximumMutableShareSize: size(storage.get('maximum-mutable-share-size')),
    availableSpace: size(storage.get('available-space')),
  };
}

/** One item of CBOR: maps as Map, sets as Set, integers beyond 2^53 as bigint. */
function decodeItem(body: Uint8Array): unknown {
  try {
    return decode(body, {
      useMaps: true,
      rejectDuplicateMapKeys: true,
      tags: {
        [TAG_SET]: (content) => new Set(content() as Iterable<unknown>),
        // A server that cannot tell its free space states 2^64, which no plain integer holds.
        [TAG_BIGINT_POS]: (content) => bignum(content()),
      },
    });
  } catch {
    // The library's error may quote the answer; so may a stack overflow by deep nesting.
    throw new BadAnswerError('its answer is not CBOR');
  }
}

/** Of at most 128 bits: turning many bytes into a bigint takes quadratic time. */
function bignum(content: unknown): bigint {
  if (content instanceof Uint8Array && content.length <= 16) {
    return BigInt(`0x${bytesToHex(content)}`);
  }
  throw new BadAnswerError('it states an absurd number');
}

function shareNumber(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new BadAnswerError('it named a share by something else than a number');
}

function size(value: unknown): bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return BigInt(value as number);
  throw new BadAnswerError('it states a size that is no whole number');
}

/** /version alone has byte strings for keys, which are no good as keys of a Map. */
function byByteStrings(value: unknown): ReadonlyMap<string, unknown> {
  if (!(value instanceof Map)) throw new BadAnswerError('its version is not a map');
  const decoder = new TextDecoder();
  return new Map(
    [...value].map(([key, entry]) => [
      key instanceof Uint8Array ? decoder.decode(key) : String(key),
      entry,
    ]),
  );
}
