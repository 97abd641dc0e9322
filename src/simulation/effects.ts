/**
 * @module effects: what operations do to the words of a file.
 */
import type { Task } from './operations.ts';

/**
 * What an operation does with its word: `append` adds it unless it is there, `link` does so in the
 * order of the words, `replace` writes it over the beginning of the first one, `set` leaves nothing
 * else. `keep` writes all as it is.
 */
export type Effect = 'append' | 'link' | 'replace' | 'set' | 'keep' | 'read';

/** What a task does to the words of a file: nothing at all, or something, or nobody can say. */
export function effectOf(task: Task): Effect | 'none' | 'unknown' {
  switch (task.kind) {
    case 'call':
      return 'unknown';
    case 'create':
    case 'overwrite':
      return 'set';
    case 'modify':
    case 'append':
      return 'append';
    case 'link':
      return 'link';
    case 'update':
      return task.offset === 0 ? 'replace' : 'unknown';
    case 'read':
      return 'read';
    case 'repair':
      return 'keep';
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
    case 'link':
      return words.includes(word) ? words : [...words, word].sort();
    case 'keep':
    case 'read':
      return words;
  }
}
