/**
 * @module piece: bytes that lie in memory, however a caller holds them.
 */
import { hasHalfCharacter, isBytes, utf8 } from '../bytes.ts';

/** Bytes in memory; text stands for its UTF-8. What lies in shared memory is copied at once. */
export type Piece = string | ArrayBufferLike | ArrayBufferView;

/**
 * The bytes of `value`, not copied if they need not be; undefined if it is no {@link Piece}.
 * @param wrong makes the error of one that cannot be written
 */
export function bytesFrom(
  value: unknown,
  wrong: (problem: string) => Error,
): Uint8Array | undefined {
  if (typeof value === 'string') {
    // UTF-8 has none, and what would stand in its place is another text.
    if (hasHalfCharacter(value)) throw wrong('has half a character');
    return utf8(value);
  }
  const isView = ArrayBuffer.isView(value);
  const buffer: unknown = isView ? value.buffer : value;
  const tag = tagOf(buffer);
  if (tag !== 'ArrayBuffer' && tag !== 'SharedArrayBuffer') return undefined;
  const bytes = seen(isView ? value : (buffer as ArrayBufferLike));
  if (bytes === undefined) throw wrong('is no more: its memory was given away, or cut off');
  // Another thread could change it between the two times that it is read.
  if (tag === 'SharedArrayBuffer') return bytes.slice();
  return isBytes(value) ? value : bytes;
}

/**
 * Undefined for memory that was transferred to somebody else, and for a view beyond the end of what
 * was made shorter: they would pass for no bytes.
 */
function seen(memory: ArrayBufferLike | ArrayBufferView): Uint8Array | undefined {
  try {
    if (!ArrayBuffer.isView(memory)) return new Uint8Array(memory);
    // Its lengths say 0 then, as if it were empty; a DataView's throw.
    if (tagOf(memory) !== 'DataView') Uint8Array.prototype.keys.call(memory as Uint8Array);
    return new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
  } catch {
    return undefined;
  }
}

/** What a platform's object is, of whatever realm: `Blob`. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}
