/**
 * @module run-chart: starts a chart, feeds its progress to the caller, and waits for its outcome.
 *
 * The only place where actors are created.
 */
import {
  type Actor,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type InputFrom,
  type OutputFrom,
  toPromise,
} from 'xstate';
import { operationCancel } from '../../machines/events.ts';
import type { Engine } from './run.ts';

/** What all actors of a run have in common. */
export type System = AnyActorRef['system'];

export interface RunOptions<Machine extends AnyStateMachine> {
  readonly input: InputFrom<Machine>;
  readonly signal?: AbortSignal | undefined;
  /** Gets it before the run starts. */
  readonly onSystem?: (system: System) => void;
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
  { input, signal, onSystem, onOutput }: RunOptions<Machine>,
): Promise<OutputFrom<Machine>> {
  const { clock, inspect, closing, progress } = engine;
  const throwIfAborted = () => {
    signal?.throwIfAborted();
    closing?.throwIfClosed();
  };
  throwIfAborted();
  // XState types its clock by `any`; ours is the same shape.
  const options = { id: machine.id, input, clock, ...(inspect && { inspect }) } as object;
  const actor = createActor(machine, options as never) as Actor<Machine>;
  onSystem?.(actor.system);
  if (progress !== undefined) {
    // What a chart invokes in its first state is there before anybody can listen.
    for (const made of actorsIn(actor as AnyActorRef)) progress.watch(made);
    actor.system.inspect((event) => {
      if (event.type === '@xstate.actor') progress.watch(event.actorRef as AnyActorRef);
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
