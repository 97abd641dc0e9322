/**
 * @module contents: what simulated files hold: words joined by `+`, filled up with dots.
 *
 * Every writer appends its own name, so the contents tell the history of the file.
 */
import { utf8 } from '../bytes.ts';

/** `['base', 'w1']` as `base+w1.....`, of at least `size` bytes. */
export function contentsOf(words: readonly string[], size = 0): Uint8Array {
  return utf8(words.join('+').padEnd(size, '.'));
}

export function wordsOf(contents: Uint8Array): readonly string[] {
  const words = new TextDecoder().decode(contents).split('+');
  return words.map(withoutFilling).filter((word) => word !== '');
}

/**
 * Without the dots at its end. (A regular expression would look at each dot in turn as a
 * beginning.)
 */
function withoutFilling(word: string): string {
  let end = word.length;
  while (word[end - 1] === '.') end--;
  return word.slice(0, end);
}
