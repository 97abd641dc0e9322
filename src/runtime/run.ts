/**
 * @module run: starts a chart, feeds its progress to the caller, and waits for its outcome.
 *
 * The only place where actors are created. Time is the engine's clock (an XState `Clock`), so a
 * test's `SimulatedClock` drives every deadline and every backoff.
 */
import {
  type Actor,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type InputFrom,
  type InspectionEvent,
  type Observer,
  type OutputFrom,
  toPromise,
} from 'xstate';
import { operationCancel } from '../../machines/events.ts';
import type { Deadlines } from '../../machines/io.ts';
import type { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { followerOf, unlessAborted } from '../abort.ts';
import type { Primitives } from '../crypto/primitives.ts';
import type { Closing } from './closing.ts';
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

/** What all actors of a run have in common. */
export type System = AnyActorRef['system'];

export interface RunOptions<Machine extends AnyStateMachine> {
  readonly input: InputFrom<Machine>;
  readonly signal?: AbortSignal | undefined;
  /** Gets it before the run starts. */
  readonly onSystem?: (system: System) => void;
  /** Sees every actor of the run as it is made. */
  readonly onActor?: ((actor: AnyActorRef) => void) | undefined;
  /** Gets the output, even if the caller has aborted the run. */
  readonly onOutput?: ((output: OutputFrom<Machine>) => void) | undefined;
}

/**
 * Runs `machine` to its end. The actor's id is the machine's, so traces read the same every time.
 * @throws signal.reason when the caller aborts, GridClosedError; the chart has stopped by then
 */
export async function runMachine<Machine extends AnyStateMachine>(
  engine: Engine,
  machine: Machine,
  { input, signal, onSystem, onActor, onOutput }: RunOptions<Machine>,
): Promise<OutputFrom<Machine>> {
  const { clock, inspect, closing } = engine;
  const throwIfAborted = () => {
    signal?.throwIfAborted();
    closing?.throwIfClosed();
  };
  throwIfAborted();
  // XState types its clock by `any`; ours is the same shape.
  const options = { id: machine.id, input, clock, ...(inspect && { inspect }) } as object;
  const actor = createActor(machine, options as never) as Actor<Machine>;
  onSystem?.(actor.system);
  if (onActor !== undefined) {
    // What a chart invokes in its first state is there before anybody can listen.
    for (const made of actorsIn(actor as AnyActorRef)) onActor(made);
    actor.system.inspect((event) => {
      if (event.type === '@xstate.actor') onActor(event.actorRef as AnyActorRef);
    });
  }
  // XState warns of an event that comes after the end.
  const cancel = () => {
    if ((actor.getSnapshot() as AnyMachineSnapshot).status === 'active')
      actor.send(operationCancel() as never);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  const stopListening = closing?.listen(cancel);
  try {
    const ending = toPromise(actor);
    actor.start();
    const output = (await ending) as OutputFrom<Machine>;
    onOutput?.(output);
    return output;
  } finally {
    signal?.removeEventListener('abort', cancel);
    stopListening?.();
    throwIfAborted();
  }
}

/** An actor and all below it. */
function actorsIn(actor: AnyActorRef): readonly AnyActorRef[] {
  const { children = {} } = actor.getSnapshot() as Partial<AnyMachineSnapshot>;
  return [actor, ...Object.values(children).flatMap((child) => actorsIn(child as AnyActorRef))];
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
