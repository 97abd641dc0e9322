/**
 * @module abort: waiting for something that the waiter may lose interest in.
 */

/** One that is aborted with a signal as well, until it is let go. */
export interface Follower {
  readonly controller: AbortController;
  /** What it followed keeps nothing of it. */
  readonly letGo: () => void;
}

/** For a call that ends; `AbortSignal.any`, for signals that nobody lets go, costs far more. */
export function followerOf(signal: AbortSignal | undefined): Follower {
  const controller = new AbortController();
  const follow = () => controller.abort(signal?.reason);
  if (signal?.aborted) follow();
  else signal?.addEventListener('abort', follow, { once: true });
  return { controller, letGo: () => signal?.removeEventListener('abort', follow) };
}

/** What `promise` gives, or a rejection with `signal.reason` as soon as that is aborted. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  if (signal.aborted) stop();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
