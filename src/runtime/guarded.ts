/**
 * @module guarded: the caller's own functions, called within an operation.
 *
 * `onProgress`, `inspect`, `clock`, `now` and `random` are called from the depth of a chart, where
 * an exception would end the process or be taken for a server's. So what one of them throws, or
 * rejects with, ends the operation as an abort does, and is what the operation rejects with: a chart stops,
 * and what has landed of a write has landed. Nothing that they do later has any effect.
 */
import { BadArgumentError } from '../errors.ts';
import type { OperationOptions } from './options.ts';
import { operationOf } from './recorded.ts';
import type { Engine, Inspect } from './run.ts';

/** Why the signal of an operation is aborted when a function has thrown. */
interface Broken {
  readonly error: unknown;
}

export interface Guarded<Options> {
  /** To be used by this operation only. */
  readonly engine: Engine;
  /** Its signal is aborted, too, when a function has thrown. */
  readonly options: Options;
  /** @throws what the first function that threw has thrown */
  readonly throwIfBroken: () => void;
}

/** `engine` and `options`, whose functions never throw. */
export function guarded<Options extends OperationOptions>(
  engine: Engine,
  options: Options,
): Guarded<Options> {
  const broken = new AbortController();
  // In an object: `abort(undefined)` would make up an error of its own. Only the first abort counts.
  const stop = (error: unknown) => broken.abort({ error } satisfies Broken);
  const { signal, onProgress } = options;
  const operation = operationOf(options);
  const signals = signal === undefined ? [broken.signal] : [signal, broken.signal];
  /** What `call` gives, or `otherwise`. */
  const attempt = <T>(call: () => T, otherwise: T): T => {
    try {
      return call();
    } catch (error) {
      stop(error);
      return otherwise;
    }
  };
  const tell = (call: () => unknown): void => {
    // Nobody waits for an async function; its rejection counts as long as the operation lasts.
    const answer = attempt(call, undefined);
    if (answer !== undefined) Promise.resolve(answer).catch(stop);
  };
  const number = (name: string, call: () => number, fits: (n: number) => boolean, wanted: string) =>
    attempt(() => {
      const value = call();
      if (typeof value === 'number' && fits(value)) return value;
      throw new BadArgumentError(name, `did not give ${wanted}`);
    }, 0);
  const { clock, now, random, inspect } = engine;
  return {
    engine: {
      ...engine,
      clock: {
        setTimeout: (callback, ms) => attempt(() => clock.setTimeout(callback, ms), undefined),
        clearTimeout: (id) => attempt(() => clock.clearTimeout(id), undefined),
      },
      now: () => number('now', now, Number.isFinite, 'a finite number'),
      random: () => number('random', random, (n) => n >= 0 && n < 1, 'a number in [0, 1)'),
      operation,
      inspect:
        operation?.inspect ?? (inspect && ((event) => tell(() => functionOf(inspect)(event)))),
    },
    options: {
      ...options,
      signal: signals.length === 1 ? broken.signal : AbortSignal.any(signals),
      onProgress: onProgress && ((progress) => tell(() => onProgress(progress))),
    },
    throwIfBroken: () => {
      if (broken.signal.aborted) throw (broken.signal.reason as Broken).error;
    },
  };
}

function functionOf(inspect: Inspect): Extract<Inspect, (event: never) => void> {
  return typeof inspect === 'function' ? inspect : (event) => inspect.next?.(event);
}
