/**
 * @module gate: no more than so many pieces of work at once; the others wait, first come first served.
 */
import { unlessAborted } from '../abort.ts';
import { type Deferred, deferred } from '../deferred.ts';

export class Gate {
  #free: number;
  readonly #waiting: Deferred<void>[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  /** Runs `work` when it is let in. @throws the reason of `signal` when that comes first */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const turn = deferred<void>();
    this.#waiting.push(turn);
    try {
      await unlessAborted(turn.promise, signal);
    } catch (error) {
      // Who has gone away while it was let in gives its place to the next one.
      const place = this.#waiting.indexOf(turn);
      if (place < 0) this.#leave();
      else this.#waiting.splice(place, 1);
      throw error;
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next.resolve();
  }
}
