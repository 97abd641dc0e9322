/**
 * @module history: whether what writers and readers saw can be explained by their operations having
 * happened one after the other (Wing and Gong's search, with Lowe's memory of where it has been).
 *
 * The object is a versioned register: a version number that only grows, and a list of words. A
 * write that names what it saw happens only while the register holds just that. An operation of
 * which nobody knows (it failed half way, its process died, it still runs) may have happened or
 * not, at any time after it began; and so may every attempt of an operation but its last one. One
 * that failed before it wrote has not happened. Where an attempt of a write that is not told what it
 * writes over has happened, another one of it changes nothing.
 */
import { type Effect, wordsAfter } from './effects.ts';

export interface HistoryEntry {
  /** Unique. */
  readonly name: string;
  readonly kind: Effect;
  readonly word: string;
  readonly outcome: 'acknowledged' | 'indeterminate' | 'failed';
  /** When it began, and when its caller was told that it had succeeded; infinity if never. */
  readonly start: number;
  readonly end: number;
  /** What an appender was given, or a reader got; unknown for a blind one. */
  readonly seen: Words | undefined;
  /** The number of the version that it saw; unknown for a blind one. */
  readonly base: number | undefined;
  /** The number of the version that it wrote; unknown for one that wrote none. */
  readonly made: number | undefined;
}

export interface Register {
  readonly version: number;
  readonly words: Words;
}

type Words = readonly string[];

/** An order that explains everything, by name; nothing when there is none. */
export function linearize(
  history: readonly HistoryEntry[],
  initial: Register,
): readonly string[] | undefined {
  const deadEnds = new Set<string>();

  const search = (
    rest: readonly HistoryEntry[],
    state: Register,
    done: Words,
  ): string[] | undefined => {
    if (rest.every(({ outcome }) => outcome !== 'acknowledged')) return [];
    const key = `${rest.map(({ name }) => name).join()} ${state.version} ${state.words.join()}`;
    if (deadEnds.has(key)) return undefined;
    const firstEnd = Math.min(...rest.map(({ end }) => end));
    for (const entry of rest) {
      // Somebody had ended before this one began: that one comes first.
      if (entry.start > firstEnd) continue;
      const next = after(entry, state);
      if (next === undefined) continue;
      const isDone = isBlind(entry) && done.includes(entry.word);
      if (isDone && !isEqual(next.words, state.words)) continue;
      const order = search(
        rest.filter((other) => other !== entry),
        next,
        isBlind(entry) ? [...done, entry.word] : done,
      );
      if (order !== undefined) return [entry.name, ...order];
    }
    deadEnds.add(key);
    return undefined;
  };
  return search(
    history.filter(({ outcome }) => outcome !== 'failed'),
    initial,
    [],
  );
}

/** Whether it writes over whatever is there. */
function isBlind({ kind }: HistoryEntry): boolean {
  return kind === 'set' || kind === 'replace';
}

/** The register after `entry` happens to it; nothing when what it saw or wrote says otherwise. */
function after(entry: HistoryEntry, { version, words }: Register): Register | undefined {
  const { seen, base, made = version } = entry;
  if (seen !== undefined && !isEqual(seen, words)) return undefined;
  if (base !== undefined && base !== version) return undefined;
  if (entry.made !== undefined && entry.made <= version) return undefined;
  return { version: made, words: wordsAfter(entry.kind, entry.word, words) };
}

function isEqual(a: Words, b: Words): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
