/**
 * @module effects: what operations do to the words of a file.
 */
import type { Task } from './operations.ts';

/**
 * What an operation does with its word: `append` adds it unless it is there, `replace` writes it
 * over the beginning of the first one, `set` leaves nothing else.
 */
export type Effect = 'append' | 'replace' | 'set' | 'read';

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
    case 'update':
      return task.offset === 0 ? 'replace' : 'unknown';
    case 'read':
      return 'read';
    case 'map':
    case 'verify':
    case 'repair':
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
