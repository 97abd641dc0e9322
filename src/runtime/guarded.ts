/**
 * @module guarded: the caller's own functions, called within an operation.
 *
 * They are called from the depth of a chart, where an exception would end the process or be taken
 * for a server's. `onProgress` and `inspect` only look on, and change nothing (`observing.ts`). What
 * `clock`, `now` or `random` throws ends the operation as an abort does, and is what the
 * operation rejects with: a chart stops, and what has landed of a write has landed. Nothing that they
 * do later has any effect.
 */
import { BadArgumentError } from '../errors.ts';
import { heard, observing, warn } from './observing.ts';
import type { OperationOptions } from './options.ts';
import { ProgressTeller } from './progress.ts';
import { isRecorder, operationOf } from './recorded.ts';
import { type Engine, type Inspect, statedIn } from './run.ts';

/** Why the signal of an operation is aborted when a function has thrown. */
interface Broken {
  readonly error: unknown;
}

/**
 * Runs an operation on `own` engine, whose functions never throw in it.
 * @param work is given an engine for this operation only, and options with a signal that is
 *   aborted, too, when a function has thrown
 * @throws what the first function that has a say and threw has thrown; else as `work`
 */
export async function guarded<Options extends OperationOptions, T>(
  own: Engine,
  given: Options,
  work: (engine: Engine, options: Options) => Promise<T>,
): Promise<T> {
  const broken = new AbortController();
  const { signal, onProgress, deadlines } = given;
  const { complain = warn } = own;
  const signals = signal === undefined ? [broken.signal] : [signal, broken.signal];
  const options = {
    ...given,
    signal: signals.length === 1 ? broken.signal : AbortSignal.any(signals),
  };
  const progress = onProgress && new ProgressTeller(observing('onProgress', onProgress, complain));
  const engine: Engine = {
    ...own,
    ...wary(own, (error) => broken.abort({ error } satisfies Broken)),
    deadlines: { ...own.deadlines, ...statedIn(deadlines) },
    operation: operationOf(given),
    inspect: watched(own, given),
    progress,
  };
  const throwIfBroken = () => {
    if (broken.signal.aborted) throw (broken.signal.reason as Broken).error;
  };
  try {
    const value = await work(engine, options);
    throwIfBroken();
    progress?.succeeded();
    return value;
  } finally {
    progress?.stop();
    throwIfBroken();
  }
}

/**
 * A clock and its like that never throw.
 * @param stop in an object: `abort(undefined)` would make up an error of its own. Only the first
 *   abort counts.
 */
function wary({ clock, now, random }: Engine, stop: (error: unknown) => void) {
  /** What `call` gives, or `otherwise`. */
  const attempt = <T>(call: () => T, otherwise: T): T => {
    try {
      return call();
    } catch (error) {
      stop(error);
      return otherwise;
    }
  };
  const told = <T>(value: T): T => heard(value, stop);
  const number = (name: string, call: () => number, fits: (n: number) => boolean, wanted: string) =>
    attempt(() => {
      const value = told(call());
      if (typeof value === 'number' && fits(value)) return value;
      throw new BadArgumentError(name, `did not give ${wanted}`);
    }, 0);
  return {
    clock: {
      setTimeout: (callback: () => void, ms: number) =>
        attempt(() => told(clock.setTimeout(callback, ms)), undefined),
      clearTimeout: (id: unknown) => attempt(() => told(clock.clearTimeout(id)), undefined),
    },
    now: () => number('now', now, Number.isFinite, 'a finite number'),
    random: () => number('random', random, (n) => n >= 0 && n < 1, 'a number in [0, 1)'),
  };
}

/** What is told of the actors of this operation: a recorder within it, anybody else as they come. */
function watched(
  { inspect, complain = warn }: Engine,
  given: OperationOptions,
): Inspect | undefined {
  const recorder = operationOf(given)?.inspect;
  if (inspect === undefined || isRecorder(inspect)) return recorder;
  const tell = observing('inspect', functionOf(inspect), complain);
  if (recorder === undefined) return tell;
  return (event) => {
    recorder(event);
    tell(event);
  };
}

function functionOf(inspect: Inspect): Extract<Inspect, (event: never) => void> {
  return typeof inspect === 'function' ? inspect : (event) => inspect.next?.(event);
}
