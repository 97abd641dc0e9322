/**
 * @module history: whether what writers and readers saw can be explained by their operations having
 * happened one after the other (Wing and Gong's search, with Lowe's memory of where it has been).
 *
 * The object is a list of words. An operation that failed, or whose process died, may have happened
 * or not, at any time after it began; and so may every attempt of an operation but its last one.
 */

export interface HistoryEntry {
  /** Unique. */
  readonly name: string;
  /** `append` adds its word unless it is there, `set` leaves nothing but its word. */
  readonly kind: 'append' | 'set' | 'read';
  readonly word: string;
  readonly start: number;
  /** Nothing for an operation that may or may not have happened. */
  readonly end: number | undefined;
  /** What an appender was given, or a reader got; unknown for a blind one. */
  readonly seen: readonly string[] | undefined;
}

type Words = readonly string[];

/** An order that explains everything, by name; nothing when there is none. */
export function linearize(
  history: readonly HistoryEntry[],
  initial: Words,
): readonly string[] | undefined {
  const deadEnds = new Set<string>();

  const search = (rest: readonly HistoryEntry[], state: Words): string[] | undefined => {
    if (rest.every(({ end }) => end === undefined)) return [];
    const key = `${rest.map(({ name }) => name).join()} ${state.join()}`;
    if (deadEnds.has(key)) return undefined;
    const firstEnd = Math.min(...rest.map(({ end = Number.POSITIVE_INFINITY }) => end));
    for (const entry of rest) {
      // Somebody had ended before this one began: that one comes first.
      if (entry.start > firstEnd) continue;
      const next = after(entry, state);
      if (next === undefined) continue;
      const order = search(
        rest.filter((other) => other !== entry),
        next,
      );
      if (order !== undefined) return [entry.name, ...order];
    }
    deadEnds.add(key);
    return undefined;
  };
  return search(history, initial);
}

/** The state after `entry` happens in `state`; nothing when what it saw says otherwise. */
function after({ kind, word, seen }: HistoryEntry, state: Words): Words | undefined {
  if (kind === 'set') return [word];
  if (seen !== undefined && !isEqual(seen, state)) return undefined;
  return kind === 'read' || state.includes(word) ? state : [...state, word];
}

function isEqual(a: Words, b: Words): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
