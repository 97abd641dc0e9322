/**
 * @module recent: the latest few results, also those that are still being made, by name.
 */

export class Recent<Name, Result> {
  readonly #max: number;
  readonly #results = new Map<Name, Result>();

  /** @param max how many are remembered: those that were asked for last */
  constructor(max: number) {
    this.#max = max;
  }

  /** The result of that name, made unless it is remembered. */
  of(name: Name, make: () => Result): Result {
    const result = this.#results.get(name) ?? make();
    this.#results.delete(name);
    this.#results.set(name, result);
    for (const oldest of this.#results.keys()) {
      if (this.#results.size <= this.#max) break;
      this.#results.delete(oldest);
    }
    return result;
  }

  /** Whatever was remembered under that name, this is its result now. */
  put(name: Name, result: Result): void {
    this.#results.delete(name);
    this.of(name, () => result);
  }

  /** Forgets `result`, if that is what is remembered under the name. */
  forget(name: Name, result: Result): void {
    if (this.#results.get(name) === result) this.#results.delete(name);
  }
}
