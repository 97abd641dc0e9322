/**
 * @module by-hand: IO actors that answer when they are told to, at once and in the same turn.
 *
 * With them a whole live system (coordinator, children, mailboxes) runs step by step without a
 * promise: one call, one delivery.
 */
import type { ActorLogic, AnyActorRef, AnyEventObject, Snapshot } from 'xstate';

/** An actor that is done or in error when it is told so by {@link settle} or {@link reject}. */
export function byHand<Output, Input>(): ActorLogic<Snapshot<Output>, AnyEventObject, Input> {
  const active = { status: 'active', output: undefined, error: undefined } as const;
  return {
    getInitialSnapshot: () => active,
    getPersistedSnapshot: (snapshot) => snapshot,
    transition: (snapshot, event) => {
      if (event.type === 'settle') {
        return { status: 'done', output: event.output as Output, error: undefined };
      }
      if (event.type === 'reject') {
        return { status: 'error', output: undefined, error: event.error };
      }
      if (event.type === 'xstate.stop') {
        return { status: 'stopped', output: undefined, error: undefined };
      }
      return snapshot;
    },
  };
}

export function settle(actor: AnyActorRef | undefined, output: unknown): void {
  actor?.send({ type: 'settle', output });
}

export function reject(actor: AnyActorRef | undefined, error: unknown): void {
  actor?.send({ type: 'reject', error });
}
