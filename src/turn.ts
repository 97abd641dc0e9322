/**
 * @module turn: long loops let others have their turn: timers, signals, sockets, other files.
 *
 * What is awaited at once never lets go of the event loop, however long a chain of it is; so a loop
 * over hashes, segments or slices counts its work, and stops for a turn when it has done enough.
 */

/** Of one turn: 1024 hashes of a tree, or 2 MiB through a hash; some milliseconds. */
const workPerTurn = 1024;
/** Bytes that cost about as much as one hash of a tree. */
export const bytesPerWork = 2048;

const later: (callback: () => void) => unknown =
  globalThis.setImmediate ?? ((callback) => setTimeout(callback));

let waiting = 0;

/** When everything that is ready now has had its turn. */
export function nextTurn(): Promise<void> {
  waiting++;
  return new Promise((resolve) => {
    later(() => {
      waiting--;
      resolve();
    });
  });
}

/** What `work` comes to, which goes on by itself. */
export async function goingOn<T>(work: Promise<T>): Promise<T> {
  waiting++;
  try {
    return await work;
  } finally {
    waiting--;
  }
}

/**
 * How many loops wait for their next turn, and how much else goes on by itself: a simulator must know
 * when nothing does.
 */
export function turnsUnderWay(): number {
  return waiting;
}

/** The work of one loop. */
export class Stint {
  #done = 0;

  /** To be awaited after each step, with what it was: hashes, or bytes / {@link bytesPerWork}. */
  spend(work: number): Promise<void> | undefined {
    this.#done += work;
    if (this.#done < workPerTurn) return undefined;
    this.#done = 0;
    return nextTurn();
  }
}
