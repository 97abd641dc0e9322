/**
 * @module quoted: what somebody else has written, in quotes, so that nothing in it can play tricks.
 */

/** More of it helps nobody. */
const lengthMax = 80;

/** `“a\u{202e}b”`: characters that are not to be seen, or that turn text round, as escapes. */
export function quoted(text: string): string {
  const characters = [...text];
  const short = characters.slice(0, lengthMax).join('');
  const plain = short.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
  return `“${plain}${characters.length > lengthMax ? '…' : ''}”`;
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}
