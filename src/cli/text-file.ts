/**
 * @module text-file: text out of a file, in whatever encoding an editor or a shell has chosen.
 *
 * PowerShell's `>` writes UTF-16 with a byte order mark, Windows editors UTF-8 with one.
 */

const MARKS: readonly (readonly [mark: readonly number[], encoding: string])[] = [
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];

/** The text of `bytes`, without a byte order mark. */
export function textIn(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

function encodingOf(bytes: Uint8Array): string {
  const marked = MARKS.find(([mark]) => mark.every((byte, i) => bytes[i] === byte));
  if (marked !== undefined) return marked[1];
  // Caps and keys are ASCII: a NUL beside a character is the other half of it.
  if (bytes[0] === 0 && bytes[1]) return 'utf-16be';
  return bytes[0] && bytes[1] === 0 ? 'utf-16le' : 'utf-8';
}
