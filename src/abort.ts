/**
 * @module abort: waiting for something that the waiter may lose interest in.
 */

/**
 * Why something is aborted that nobody waits for any more. Made once: such an object notes where it
 * was made, which takes as long as to judge a share.
 */
export const cancelled = new DOMException('cancelled', 'AbortError');

/** One that is aborted with a signal as well, until it is let go. */
export interface Follower {
  readonly controller: AbortController;
  /** What it followed keeps nothing of it. */
  readonly letGo: () => void;
}

/** Who is told of a signal's abort. It has one listener for all: Node warns of more than ten. */
const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `listener` when `signal` is aborted, until that is taken back by what is returned. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const all = listeners.get(signal) ?? listenedTo(signal);
  all.add(listener);
  return () => all.delete(listener);
}

function listenedTo(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  listeners.set(signal, all);
  const tell = () => {
    for (const listener of all) listener();
  };
  signal.addEventListener('abort', tell, { once: true });
  return all;
}

/** For a call that ends; `AbortSignal.any`, for signals that nobody lets go, costs far more. */
export function followerOf(signal: AbortSignal | undefined): Follower {
  const controller = new AbortController();
  if (signal?.aborted) controller.abort(signal.reason);
  if (signal === undefined || signal.aborted) return { controller, letGo: () => {} };
  return { controller, letGo: onAbort(signal, () => controller.abort(signal.reason)) };
}

/** What `promise` gives, or a rejection with `signal.reason` as soon as that is aborted. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let letGo = () => {};
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else letGo = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    letGo();
  }
}
