/**
 * @module decode-text: the text of files that people write, in whichever of their editors.
 *
 * UTF-8, with or without a byte order mark, or what the mark says: PowerShell's `>` and some editors
 * write UTF-16. Bytes that are no UTF-8 only spoil the word that they are in.
 */

/** The text, without its mark; undefined for what is no text. */
export function decodeText(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder(encodingOf(bytes)).decode(bytes);
  return text.includes('\0') ? undefined : text;
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  // Without a mark: what is read here begins in ASCII, and a NUL is the other half of a character.
  if (first === 0 && second) return 'utf-16be';
  return first && second === 0 ? 'utf-16le' : 'utf-8';
}
