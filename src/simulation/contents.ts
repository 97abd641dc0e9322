/**
 * @module contents: what simulated files hold: words joined by `+`, filled up with dots.
 *
 * Every writer appends its own name, so the contents tell the history of the file.
 */
import { utf8 } from '../bytes.ts';
import type { Task } from './operations.ts';

/** `['base', 'w1']` as `base+w1.....`, of at least `size` bytes. */
export function contentsOf(words: readonly string[], size = 0): Uint8Array {
  return utf8(words.join('+').padEnd(size, '.'));
}

export function wordsOf(contents: Uint8Array): readonly string[] {
  const words = new TextDecoder().decode(contents).split('+');
  return words.map(withoutFilling).filter((word) => word !== '');
}

/** Without the dots at its end. (A regular expression would look at each dot in turn as a beginning.) */
function withoutFilling(word: string): string {
  let end = word.length;
  while (word[end - 1] === '.') end--;
  return word.slice(0, end);
}

/**
 * What an operation does with its word: `append` adds it unless it is there, `replace` writes it over
 * the beginning of the first one, `set` leaves nothing else.
 */
export type Effect = 'append' | 'replace' | 'set' | 'read';

/** What a task does to the words of a file: nothing at all, or something, or nobody can say. */
export function effectOf(task: Task): Effect | 'none' | 'unknown' {
  switch (task.kind) {
    case 'create':
    case 'overwrite':
      return 'set';
    case 'modify':
    case 'append':
      return 'append';
    case 'update':
      return task.offset === 0 ? 'replace' : 'unknown';
    case 'read':
      return 'read';
    case 'map':
    case 'verify':
      return 'none';
  }
}

/** What is there after an operation on `words`. */
export function wordsAfter(
  effect: Effect,
  word: string,
  words: readonly string[],
): readonly string[] {
  const [first = '', ...others] = words;
  switch (effect) {
    case 'set':
      return [word];
    case 'replace':
      return [word + first.slice(word.length), ...others];
    case 'append':
      return words.includes(word) ? words : [...words, word];
    case 'read':
      return words;
  }
}
