/**
 * @module turns: one caller at a time per key, within this process, first come first served.
 *
 * Both embedded backends need it: producing a part is asynchronous, so a read-test-write yields
 * to others half way.
 */
export class Turns {
  /** Per key, settles when everybody who has asked so far is finished. */
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `work` when its turn comes; gives the turn up when `signal` is aborted before. */
  async run<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
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
      if (before !== undefined) await unlessAborted(before, signal);
      return await work();
    } finally {
      finish();
    }
  }
}

/** What `promise` gives, or a rejection with `signal.reason` as soon as that is aborted. */
async function unlessAborted(promise: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return promise;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
