/**
 * @module turns: one caller at a time per key, within this process, first come first served.
 *
 * Writes of one file take turns, and searches for keys. So do requests to a server in this process:
 * producing a part is asynchronous, so a read-test-write yields to others half way.
 */
import { unlessAborted } from './abort.ts';

/** Those who wait for each other, by their keys: different keys do not. */
export class Turns {
  /** Per key, settles when everybody who has asked so far is finished. */
  readonly #tails = new Map<string, Promise<void>>();
  /** The reason of the last dismissal: whoever waited at that time rejects with it. */
  #dismissal: Error | undefined;

  /** Dismisses all who wait: they reject with `reason` when their turn comes. */
  dismiss(reason: Error): void {
    this.#dismissal = reason;
  }

  /** Runs `work` when its turn comes; gives the turn up when `signal` is aborted before. */
  async run<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const dismissal = this.#dismissal;
    let finish = () => {};
    const mine = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const tail = before === undefined ? mine : before.then(() => mine);
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    try {
      signal?.throwIfAborted();
      // Only who waits listens: Node warns when many calls listen to one signal.
      if (before !== undefined) await waitFor(before, signal);
      if (dismissal !== this.#dismissal) throw this.#dismissal;
      return await work();
    } finally {
      finish();
    }
  }
}

function waitFor(turn: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  return signal === undefined ? turn : unlessAborted(turn, signal);
}
