/**
 * @module contents: what callers may give as the contents of a write.
 *
 * Encoding reads everything twice and at any place. What can be read so is a {@link Plaintext}; all
 * else is a {@link Once}, and kept in a spool first.
 */
import { requireCount } from '../arguments.ts';
import { BadArgumentError } from '../errors.ts';
import { refuse } from '../refusal.ts';
import { type Plaintext, plaintextOf } from '../share/plaintext.ts';
import { Once, onceFrom } from './once.ts';
import { bytesFrom, type Piece, tagOf } from './piece.ts';

/**
 * What can be written: bytes or text (UTF-8) in memory, a `Blob` or `File`, a source that can be read
 * at any place, or what gives its pieces one after the other: a web stream, a Node `Readable`, an
 * iterable. See docs/contents.md.
 */
export type Contents =
  | Piece
  | Blob
  | Plaintext
  | ReadableStream<Piece>
  | AsyncIterable<Piece>
  | Iterable<Piece>;

const wanted =
  'bytes, a string, a Blob, a stream, an iterable of bytes or strings, ' +
  'or a source of `size` bytes with a method `read(offset, length)`';

/**
 * What `contents` are read by. A stream is taken hold of: from here on it is read to its end, or
 * released.
 * @throws BadArgumentError; BadSourceError for a stream that somebody else has read
 */
export function contentsFrom(contents: unknown): Plaintext | Once {
  const bytes = bytesFrom(contents, (problem) => new BadArgumentError('contents', problem));
  if (bytes !== undefined) return plaintextOf(bytes);
  if (typeof contents !== 'object' || contents === null) {
    return refuse('contents', contents, wanted);
  }
  if (isBlob(contents)) return blobSource(contents);
  if (isPlaintext(contents)) {
    requireCount('size of the contents', contents.size);
    return { size: contents.size, read: (offset, length) => contents.read(offset, length) };
  }
  return onceFrom(contents) ?? refuse('contents', contents, wanted);
}

/** @throws BadArgumentError for contents in the place of options, where they would be overlooked */
export function refuseContents(options: unknown): void {
  if (isContents(options)) throw new BadArgumentError('options', 'are contents: say { contents }');
}

/** Nothing is taken hold of. */
function isContents(value: unknown): boolean {
  if (typeof value === 'string') return true;
  if (typeof value !== 'object' || value === null) return false;
  return (
    ArrayBuffer.isView(value) ||
    ['ArrayBuffer', 'SharedArrayBuffer', 'ReadableStream'].includes(tagOf(value)) ||
    isBlob(value) ||
    isPlaintext(value) ||
    Symbol.asyncIterator in value ||
    Symbol.iterator in value
  );
}

/** Lets go of what will not be read. */
export function release(contents: Plaintext | Once, reason: unknown): void {
  if (contents instanceof Once) contents.release(reason);
}

function isBlob(value: object): value is Blob {
  return ['Blob', 'File'].includes(tagOf(value)) && 'slice' in value && 'arrayBuffer' in value;
}

function blobSource(blob: Blob): Plaintext {
  return {
    size: blob.size,
    async read(offset, length) {
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** A Node stream has a `read`, too, and may have been given a `size`. */
function isPlaintext(value: object): value is Plaintext {
  const { size, read } = value as Partial<Plaintext>;
  return typeof size === 'number' && typeof read === 'function' && !('pipe' in value);
}
