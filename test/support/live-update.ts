/**
 * @module live-update: a whole servermap update, live: the coordinator, real children, real
 * mailboxes. Only the IO is by hand, and each answer is one call in one turn.
 */
import { type AnyActorRef, createActor, fromCallback, SimulatedClock } from 'xstate';
import type { ShareJudged } from '../../machines/events.ts';
import type { QueryInput, QueryResult, VerifyInput } from '../../machines/io.ts';
import { serverQueryMachine } from '../../machines/server-query.machine.ts';
import type { ServerId, Servermap } from '../../machines/servermap.ts';
import {
  type ServermapUpdateInput,
  servermapUpdateMachine,
} from '../../machines/servermap-update.machine.ts';
import type { UpdateRecord } from '../../machines/update-kernel.ts';
import { byHand, reject, settle } from './by-hand.ts';
import { pathOf } from './walk.ts';

type Update = typeof servermapUpdateMachine;

export interface LiveUpdate {
  readonly state: () => string;
  readonly record: () => UpdateRecord;
  readonly output: () => Servermap | undefined;
  /** The state of a server's child; `gone` when it is not running. */
  readonly child: (server: ServerId) => string;
  /** The server's answer to the query. */
  readonly answer: (server: ServerId, result: QueryResult) => void;
  readonly rejectQuery: (server: ServerId, error: unknown) => void;
  /** The verdict on one share. */
  readonly judge: (server: ServerId, judged: ShareJudged) => void;
  readonly clock: SimulatedClock;
  readonly actor: AnyActorRef;
}

/** Starts `machine` with children whose IO is by hand. */
export function liveUpdate(
  input: ServermapUpdateInput,
  machine: Update = servermapUpdateMachine,
): LiveUpdate {
  const clock = new SimulatedClock();
  const actor = createActor(withHands(machine), { input, clock });
  actor.start();
  const childOf = (server: ServerId): AnyActorRef | undefined => {
    const child = (actor.getSnapshot().children as Record<string, AnyActorRef>)[`query:${server}`];
    return child?.getSnapshot().status === 'active' ? child : undefined;
  };
  const inner = (server: ServerId, id: string): AnyActorRef | undefined =>
    childOf(server)?.getSnapshot().children[id];
  return {
    actor,
    clock,
    state: () => pathOf(actor.getSnapshot().value),
    record: () => actor.getSnapshot().context.record,
    output: () => actor.getSnapshot().output,
    child: (server) => childOf(server)?.getSnapshot().value ?? 'gone',
    answer: (server, result) => settle(inner(server, 'queryServer'), result),
    rejectQuery: (server, error) => reject(inner(server, 'queryServer'), error),
    judge: (server, judged) => childOf(server)?.send(judged),
  };
}

const provided = new WeakMap<Update, Update>();

function withHands(machine: Update): Update {
  const known = provided.get(machine);
  if (known !== undefined) return known;
  const serverQuery = serverQueryMachine.provide({
    actors: {
      queryServer: byHand<QueryResult, QueryInput>() as never,
      verifyShares: fromCallback<ShareJudged, VerifyInput>(() => {}),
    },
  });
  const made = machine.provide({ actors: { serverQuery } });
  provided.set(machine, made);
  return made;
}
