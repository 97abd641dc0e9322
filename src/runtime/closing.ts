/**
 * @module closing: the end of all that is under way on a grid, told to whoever listens.
 *
 * It is no AbortSignal, since Node warns when many listen to one.
 */
import { GridClosedError } from '../errors.ts';

/** One closing. Operations that begin after it listen to another one. */
export class Closing {
  readonly #listeners = new Set<() => void>();
  #isOver = false;

  /** @returns how to stop listening */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#isOver = true;
    for (const listener of this.#listeners) listener();
  }

  /** @throws GridClosedError */
  throwIfClosed(): void {
    if (this.#isOver) throw new GridClosedError();
  }
}
