/**
 * @module contents: what simulated files hold: words joined by `+`, filled up with dots; of a
 * directory the words are its names.
 *
 * Every writer appends its own name, so the contents tell the history of the file.
 */
import { utf8 } from '../bytes.ts';
import { newEntry, packTable, parseTable } from '../directory/table.ts';

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

/** A directory with a link for each word. */
export function directoryOf(words: readonly string[]): Uint8Array {
  const empty = new Uint8Array(0);
  const fields = { ro: utf8(emptyFile), rw: empty, metadata: utf8('{}') };
  const entries = words.map((word) => newEntry(word, fields));
  return packTable({ entries, tail: empty });
}

/** What every link of a simulated directory leads to. */
export const emptyFile = 'URI:LIT:';

export function namesOf(contents: Uint8Array): readonly string[] {
  return parseTable(contents).entries.flatMap(({ name }) => name ?? []);
}
