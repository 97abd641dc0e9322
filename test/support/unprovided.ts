/** @module unprovided: a chart's IO as it comes: named, and not there. */
import { type AnyActorLogic, type AnyStateMachine, createActor, toPromise } from 'xstate';

/** How each actor of `machine` that is no chart itself ends when nobody provides it. */
export function endsUnprovided(machine: AnyStateMachine): Promise<readonly string[]> {
  const actors = Object.values<AnyActorLogic>(machine.implementations.actors as never);
  return Promise.all(
    actors.filter((logic) => !('root' in logic)).map((it) => endOf(machine.id, it)),
  );
}

async function endOf(chart: string, logic: AnyActorLogic): Promise<string> {
  const actor = createActor(logic, { input: {} });
  const end = toPromise(actor);
  actor.start();
  return `${chart}: ${await end.catch(String)}`;
}
