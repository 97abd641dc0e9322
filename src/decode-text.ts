/**
 * @module decode-text: the text of files that people write, in whichever of their editors.
 *
 * UTF-8, with or without a byte order mark, or what the mark says: some editors and shells on
 * Windows write UTF-16. Bytes that are no UTF-8 only spoil the word that they are in.
 */

/** The text, without its mark; undefined for UTF-16 that has none, and for what is no text. */
export function decodeText(bytes: Uint8Array): string | undefined {
  const mark = `${bytes[0]},${bytes[1]}`;
  const encoding = { '255,254': 'utf-16le', '254,255': 'utf-16be' }[mark] ?? 'utf-8';
  const text = new TextDecoder(encoding).decode(bytes);
  return text.includes('\0') ? undefined : text;
}
