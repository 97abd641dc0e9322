/**
 * @module exhaust: every state and every step of something that runs and can not be copied.
 *
 * A state is reached again by replaying the moves that led there; a run goes on for as long as it
 * finds steps that were not taken yet, so that most steps need no replay of their own.
 */

/** One delivery: what it is called, and what does it. */
export type Move<Live> = readonly [name: string, make: (live: Live) => void];

export interface Exhausted {
  readonly states: number;
  readonly transitions: number;
  /** States without a move. */
  readonly ends: number;
}

export interface ExhaustOptions<Live> {
  readonly start: () => Live;
  readonly movesOf: (live: Live) => readonly Move<Live>[];
  readonly keyOf: (live: Live) => string;
  /** Called in every state, each time it is met; throws when something does not hold. */
  readonly always: (live: Live) => void;
  readonly onStep?: (transitions: number) => void;
}

/** @throws Error with the moves that led to what does not hold */
export function exhaust<Live>(options: ExhaustOptions<Live>): Exhausted {
  const { start, movesOf, keyOf, always, onStep } = options;
  const pathTo = new Map<string, readonly Move<Live>[]>([[keyOf(start()), []]]);
  const taken = new Set<string>();
  let ends = 0;

  /** Runs on from a state until nothing is new. @returns whether anything was */
  const run = (from: string, path: readonly Move<Live>[]): boolean => {
    const live = start();
    for (const [, make] of path) make(live);
    const trail = [...path];
    for (let at = from; ; ) {
      try {
        always(live);
      } catch (cause) {
        throw new Error(`after ${trail.map(([name]) => name).join(', ')}`, { cause });
      }
      const move = movesOf(live).find(([name]) => !taken.has(`${at} ${name}`));
      if (move === undefined) return trail.length > path.length;
      taken.add(`${at} ${move[0]}`);
      move[1](live);
      trail.push(move);
      at = keyOf(live);
      if (pathTo.has(at)) continue;
      pathTo.set(at, [...trail]);
      if (movesOf(live).length === 0) ends++;
      onStep?.(taken.size);
    }
  };
  for (const [key, path] of pathTo) while (run(key, path));
  return { states: pathTo.size, transitions: taken.size, ends };
}
