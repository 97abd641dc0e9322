/**
 * @module servermap-update: find out which server holds which share of which version.
 *
 * Theory of operation. One child per server asks and judges; the coordinator keeps the books with
 * the kernel (`update-kernel.ts`) and decides whom to ask next and when enough is known.
 *
 * Rule 1, the reason this project exists (Tahoe's ticket #2034): **`done` cannot fire while a
 * verification is in flight.** `collecting` has two sub-states. In `verifying` some share of an
 * answer is not judged; no transition to `done` exists there. Only `awaiting`, in which every
 * answer in hand is judged, has one. After `done` the map is frozen: late answers find no
 * transition, and the queries still open are cancelled with the children that made them.
 */
import { assign, enqueueActions, setup } from 'xstate';
import type { OperationCancel, ServerAnswered, ServerSettled } from './events.ts';
import type { Deadlines } from './io.ts';
import type { Membership } from './quorum.ts';
import type { Rule } from './rules.ts';
import { serverQueryMachine } from './server-query.machine.ts';
import type { MarkedHolding, Mode, ServerId, Servermap, ServerStatus } from './servermap.ts';
import {
  apply,
  decideOn,
  isBuiltOn,
  nextServers,
  outcomeOf,
  statusOf,
  toServermap,
  type UpdateRecord,
} from './update-kernel.ts';

/** What the chart is given, as JSON. */
export interface ServermapUpdateInput {
  /** What the map is made for: it decides when enough is known. */
  readonly mode: Mode;
  /** In permuted order. */
  readonly servers: readonly ServerId[];
  /** k and N to begin with. */
  readonly required: number;
  /** N to begin with. */
  readonly total: number;
  /** S, W and d: how few servers might all have missed what was acknowledged. */
  readonly membership: Membership;
  /** Whether the map is not done before a share yields the signing key. */
  readonly wantsPrivateKey: boolean;
  /** `queryMs` and `verifyMs` of them, for each server by itself. */
  readonly deadlines: Deadlines;
  /** Found corrupt before: bad in this map, too, while they are of the same version. */
  readonly marked?: readonly MarkedHolding[];
  /** Anything but `ours` is for demonstrations: see `historic-rules.ts`. */
  readonly rule?: Rule;
}

/** What the chart knows as it goes, as JSON. */
export interface ServermapUpdateContext {
  /** The books of `updateKernel`: each state follows from them. */
  readonly record: UpdateRecord;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** What traces and pictures show of a context. */
export function servermapUpdateSummary({ record }: ServermapUpdateContext) {
  const { mode, rule, required, total, privateKey, servers, statuses } = record;
  const byServer = servers.map((server, i) => [server, statuses[i] as ServerStatus] as const);
  return { mode, rule, required, total, privateKey, statuses: Object.fromEntries(byServer) };
}

function recordOf(input: ServermapUpdateInput): UpdateRecord {
  const { mode, servers, required, total, membership, wantsPrivateKey } = input;
  const { marked = [], rule = 'ours' } = input;
  return {
    ...{ mode, rule, required, total, membership },
    servers,
    statuses: servers.map(() => 'unasked'),
    failures: servers.map(() => null),
    holdings: [],
    versions: {},
    privateKey: wantsPrivateKey ? 'missing' : 'unneeded',
    marked,
  };
}

/**
 * The coordinator of a map: whom to ask next, and when enough is known.
 *
 * @example
 * ```ts
 * import * as machines from 'tahoe-mutable/machines';
 * import { createActor, fromPromise, toPromise } from 'xstate';
 *
 * const queryServer = fromPromise<machines.QueryResult, machines.QueryInput>(
 *   async () => ({ ok: true, shnums: [] }), // IO of your own: these servers hold nothing
 * );
 * const serverQuery = machines.serverQueryMachine.provide({ actors: { queryServer } });
 * const update = machines.servermapUpdateMachine.provide({ actors: { serverQuery } });
 * const grid = { required: 1, total: 2, membership: { servers: 2, happy: 2 } };
 * const deadlines = { queryMs: 1000, verifyMs: 1000, readMs: 1000, writeMs: 1000 };
 * const input: machines.ServermapUpdateInput = {
 *   ...{ mode: 'check', servers: ['a', 'b'], ...grid, wantsPrivateKey: false, deadlines },
 * };
 * const map = await toPromise(createActor(update, { input }).start());
 * console.log(map.outcome, map.servers); // enough: both were asked, and are `empty`
 * ```
 */
export const servermapUpdateMachine = setup({
  types: {
    context: {} as ServermapUpdateContext,
    input: {} as ServermapUpdateInput,
    output: {} as Servermap,
    events: {} as ServerAnswered | ServerSettled | OperationCancel,
    emitted: {} as ServerSettled,
  },
  actors: { serverQuery: serverQueryMachine },
  actions: {
    askNext: enqueueActions(({ context: { record, deadlines }, enqueue, self }) => {
      const servers = nextServers(record);
      if (servers.length === 0) return;
      const wantsPrivateKey = record.privateKey === 'missing';
      const wantsNumbers = isBuiltOn(record.mode);
      for (const server of servers) {
        enqueue.spawnChild('serverQuery', {
          id: `query:${server}`,
          input: { server, parent: self, wantsPrivateKey, wantsNumbers, deadlines },
        });
      }
      enqueue.assign({ record: apply(record, { type: 'asked', servers }) });
    }),
    recordAnswer: assign(({ context }, event: ServerAnswered) => ({
      record: apply(context.record, { ...event, type: 'answered' }),
    })),
    recordReport: enqueueActions(({ context, enqueue }, event: ServerSettled) => {
      enqueue.assign({ record: apply(context.record, { ...event, type: 'settled' }) });
      enqueue.stopChild(`query:${event.report.server}`);
      enqueue.emit(event);
    }),
  },
  guards: {
    isOver: ({ context }) => decideOn(context.record).kind === 'done',
    isAsked: ({ context }, { server }: ServerAnswered) =>
      statusOf(context.record, server) === 'asked',
    isOpen: ({ context }, { report: { server } }: ServerSettled) =>
      ['asked', 'verifying'].includes(statusOf(context.record, server) ?? ''),
    isLastVerification: ({ context }, { report }: ServerSettled) =>
      !apply(context.record, { type: 'settled', report }).statuses.includes('verifying'),
  },
}).createMachine({
  id: 'servermapUpdate',
  description: 'Map which server holds which share of which version.',
  context: ({ input }) => ({
    record: recordOf(input),
    deadlines: input.deadlines,
  }),
  initial: 'collecting',
  states: {
    collecting: {
      description: 'Servers are being asked; enough is not known.',
      initial: 'awaiting',
      entry: 'askNext',
      on: { 'operation.cancel': 'cancelled' },
      states: {
        awaiting: {
          description: 'Every answer in hand is judged.',
          always: { guard: 'isOver', target: '#servermapUpdate.done' },
          on: {
            'server.answered': {
              guard: { type: 'isAsked', params: ({ event }) => event },
              target: 'verifying',
              actions: { type: 'recordAnswer', params: ({ event }) => event },
            },
            'server.settled': {
              guard: { type: 'isOpen', params: ({ event }) => event },
              actions: [{ type: 'recordReport', params: ({ event }) => event }, 'askNext'],
            },
          },
        },
        verifying: {
          description: 'Shares of at least one answer are being judged: nothing can end here.',
          on: {
            'server.answered': {
              guard: { type: 'isAsked', params: ({ event }) => event },
              actions: { type: 'recordAnswer', params: ({ event }) => event },
            },
            'server.settled': [
              {
                guard: { type: 'isLastVerification', params: ({ event }) => event },
                target: 'awaiting',
                actions: [{ type: 'recordReport', params: ({ event }) => event }, 'askNext'],
              },
              {
                guard: { type: 'isOpen', params: ({ event }) => event },
                actions: [{ type: 'recordReport', params: ({ event }) => event }, 'askNext'],
              },
            ],
          },
        },
      },
    },
    done: {
      description: 'Enough is known, or everybody was asked; the map is frozen.',
      type: 'final',
      output: ({ context: { record } }): Servermap => toServermap(record, outcomeOf(record)),
    },
    cancelled: {
      description: 'The caller lost interest; the map holds what was known by then.',
      type: 'final',
      output: ({ context: { record } }): Servermap => toServermap(record, 'cancelled'),
    },
  },
  output: ({ event }) => event.output as Servermap,
});
