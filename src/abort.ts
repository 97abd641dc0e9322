/**
 * @module abort: waiting for something that the waiter may lose interest in.
 */

/** One that is aborted with a signal as well, until it is let go. */
export interface Follower {
  readonly controller: AbortController;
  /** What it followed keeps nothing of it. */
  readonly letGo: () => void;
}

/** Who follows a signal. It has one listener for all: Node warns of more than ten. */
const followers = new WeakMap<AbortSignal, Set<AbortController>>();

/** For a call that ends; `AbortSignal.any`, for signals that nobody lets go, costs far more. */
export function followerOf(signal: AbortSignal | undefined): Follower {
  const controller = new AbortController();
  if (signal?.aborted) controller.abort(signal.reason);
  if (signal === undefined || signal.aborted) return { controller, letGo: () => {} };
  const all = followers.get(signal) ?? followed(signal);
  all.add(controller);
  return { controller, letGo: () => all.delete(controller) };
}

function followed(signal: AbortSignal): Set<AbortController> {
  const all = new Set<AbortController>();
  followers.set(signal, all);
  const follow = () => {
    for (const controller of all) controller.abort(signal.reason);
  };
  signal.addEventListener('abort', follow, { once: true });
  return all;
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
