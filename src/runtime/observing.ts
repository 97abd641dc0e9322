/**
 * @module observing: functions of the caller's that are told of things and have no say: `onProgress`,
 * `inspect`, `log`.
 *
 * What goes wrong in one of them is no reason for a write to fail, nor to look as if it had. Nor does
 * it vanish: the first error of each is passed on, to the grid's log or as a warning of the process.
 */

/** Passes on what a function of that name has thrown. */
export type Complain = (name: string, error: unknown) => void;

/** `call`, which never throws; of what it throws, or rejects with, the first goes to `complain`. */
export function observing<Args extends unknown[]>(
  name: string,
  call: (...args: Args) => unknown,
  complain: Complain,
): (...args: Args) => void {
  let hasComplained = false;
  const fail = (error: unknown) => {
    if (hasComplained) return;
    hasComplained = true;
    complain(name, error);
  };
  return (...args) => {
    try {
      const answer = call(...args);
      // Nobody waits for an async function.
      if (answer !== undefined) Promise.resolve(answer).catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}

/** `value`; if it is a promise, which nobody waits for, its rejection goes to `fail`. */
export function heard<T>(value: T, fail: (error: unknown) => void): T {
  const { then } = Object(value) as Partial<PromiseLike<unknown>>;
  if (typeof then === 'function') Promise.resolve(value).catch(fail);
  return value;
}

/** What a platform that is like Node warns with. */
interface Warner {
  readonly process?: { readonly emitWarning?: (warning: Error) => void };
}

/** Where there is no log: Node prints it once, and tells who listens to `warning`. */
export const warn: Complain = (name, error) => {
  const problem = new Error(`${name} has thrown, and what it was told of goes on`, {
    cause: error,
  });
  problem.name = 'TahoeMutableWarning';
  const { process } = globalThis as Warner;
  if (process?.emitWarning === undefined) console.warn(problem);
  else process.emitWarning(problem);
};
