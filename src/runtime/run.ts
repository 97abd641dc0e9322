/**
 * @module run: what every operation runs on. Time is the engine's clock (an XState `Clock`), so a
 * test's `SimulatedClock` drives every deadline and every backoff.
 */
import type { InspectionEvent, Observer } from 'xstate';
import type { Deadlines } from '../../machines/io.ts';
import type { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { followerOf, unlessAborted } from '../abort.ts';
import type { Primitives } from '../crypto/primitives.ts';
import type { Closing } from './closing.ts';
import type { Complain } from './observing.ts';
import type { DeadlineOptions } from './options.ts';
import type { ProgressTeller } from './progress.ts';
import type { GridRecorder, OperationRecorder } from './recorded.ts';

/** XState's clock: what `setTimeout` and `clearTimeout` are. */
export interface Clock {
  /** Calls `callback` after `ms` milliseconds. @returns what `clearTimeout` takes */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Takes it back. */
  clearTimeout(id: unknown): void;
}

/** What every operation runs on. */
export interface Engine {
  readonly clock: Clock;
  /** Milliseconds of that clock, since whenever. */
  readonly now: () => number;
  /** In [0, 1): jitter only, never keys. */
  readonly random: () => number;
  readonly deadlines: Deadlines;
  /** Handed to XState as it is. */
  readonly inspect?: Inspect | undefined;
  /** Told of operations, if that is wanted. */
  readonly recorder?: GridRecorder | undefined;
  /** Told of this one, within it. */
  readonly operation?: OperationRecorder | undefined;
  /** Counts what this one has done, if its caller wants to know. */
  readonly progress?: ProgressTeller | undefined;
  /** Is told what functions throw that only look on; by default the process is warned. */
  readonly complain?: Complain | undefined;
  /** The platform's by default. */
  readonly primitives?: Primitives | undefined;
  /** Tells that the grid is closed; every operation on it ends then. */
  readonly closing?: Closing | undefined;
  /** Instead of the shipped charts: the simulator's and the demo's. */
  readonly machines?: Machines | undefined;
}

/** Charts that others can stand in for. They are asked for when an operation begins. */
export interface Machines {
  readonly servermapUpdate: typeof servermapUpdateMachine;
}

/** As XState's `inspect`: a function or an observer, told of every actor, event and transition. */
export type Inspect = ((event: InspectionEvent) => void) | Observer<InspectionEvent>;

export const platformClock: Clock = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

/** Generous for a loaded disk and for a slow wire; a server past them is treated as gone. */
export const defaultDeadlines: Deadlines = {
  queryMs: 15_000,
  verifyMs: 15_000,
  readMs: 30_000,
  writeMs: 60_000,
};

/** Those that are stated. */
export function statedIn(given: DeadlineOptions = {}): Partial<Deadlines> {
  return Object.fromEntries(Object.entries(given).filter(([, ms]) => ms !== undefined));
}

/** What `work` gives, or a rejection after `ms` of the clock; `work`'s signal is aborted then. */
export async function withDeadline<T>(
  { clock }: Engine,
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { controller, letGo } = followerOf(signal);
  const late = () => new DOMException(`no answer within ${ms} ms`, 'TimeoutError');
  const timer = clock.setTimeout(() => controller.abort(late()), ms);
  try {
    return await unlessAborted(work(controller.signal), controller.signal);
  } finally {
    letGo();
    clock.clearTimeout(timer);
  }
}
