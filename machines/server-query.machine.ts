/**
 * @module server-query: the conversation with one server during a servermap update.
 *
 * Theory of operation. The server is asked which shares it holds; every share that it reports is
 * then judged by itself: a corrupt sibling changes nothing for the others, and a share whose bytes
 * did not arrive in time is `unverified`, never corrupt. Only when each has its verdict does the
 * child report the server as settled. It reads no servermap and decides nothing global; having
 * reported, it waits for the coordinator to stop it.
 */
import { type ActorRef, assign, type Snapshot, sendTo, setup } from 'xstate';
import {
  type ServerAnswered,
  type ServerSettled,
  type ShareJudged,
  serverAnswered,
  serverSettled,
} from './events.ts';
import {
  type Deadlines,
  type Failure,
  internalFailure,
  type QueryInput,
  type QueryResult,
  unprovided,
  unprovidedVerifier,
} from './io.ts';
import type { ServerReport } from './reports.ts';
import type { ServerId } from './servermap.ts';

/** What the chart is given, as JSON. */
export interface ServerQueryInput {
  /** Its id in the map under way. */
  readonly server: ServerId;
  /** The map: hears of the shares at once, and of the verdicts when all are there. */
  readonly parent: ActorRef<Snapshot<unknown>, ServerAnswered | ServerSettled>;
  /** Whether a good share is to yield the signing key as well. */
  readonly wantsPrivateKey: boolean;
  /** Whether each share has to prove its number, where the server shows several. */
  readonly wantsNumbers: boolean;
  /** `queryMs` for the list, then `verifyMs` for all verdicts. */
  readonly deadlines: Deadlines;
}

/** What the chart knows as it goes, as JSON. */
export interface ServerQueryContext extends ServerQueryInput {
  /** As the server told, each once; empty before it did. */
  readonly shnums: readonly number[];
  /** In the order in which verdicts came; what is late is added as `unverified`. */
  readonly judged: readonly ShareJudged[];
  /** Why it told of no shares; null otherwise. */
  readonly failure: Failure | null;
}

/** What traces and pictures show of a context. */
export function serverQuerySummary({ server, shnums, judged, failure }: ServerQueryContext) {
  const verdicts = judged.map(({ shnum, verdict }) => [String(shnum), verdict] as const);
  return { server, shnums, judged: Object.fromEntries(verdicts), failure };
}

function reportOf(context: ServerQueryContext, status: ServerReport['status']): ServerReport {
  const { server, judged, failure } = context;
  return {
    server,
    status,
    holdings: judged.map(({ shnum, verdict }) => ({ server, shnum, verdict })),
    versions: judged.flatMap(({ version }) => (version === undefined ? [] : [version])),
    privateKeyFound: judged.some(({ privateKeyFound }) => privateKeyFound),
    failure,
  };
}

/** The context once every share without a verdict is recorded as unverified. */
function withRestUnverified(
  context: ServerQueryContext,
  reason: string,
): Partial<ServerQueryContext> {
  const rest = context.shnums.filter((n) => !context.judged.some(({ shnum }) => shnum === n));
  return {
    judged: [
      ...context.judged,
      ...rest.map((shnum): ShareJudged => {
        const verdict = { kind: 'unverified', reason } as const;
        return { type: 'share.judged', shnum, verdict, privateKeyFound: false };
      }),
    ],
  };
}

function hasVerdict(context: ServerQueryContext, kind: 'good' | 'bad'): boolean {
  return context.judged.some(({ verdict }) => verdict.kind === kind);
}

/** One server of a map: asked what it holds, each share verified. */
export const serverQueryMachine = setup({
  types: {
    context: {} as ServerQueryContext,
    input: {} as ServerQueryInput,
    events: {} as ShareJudged,
  },
  actors: {
    queryServer: unprovided<QueryResult, QueryInput>('queryServer'),
    verifyShares: unprovidedVerifier,
  },
  delays: {
    queryDeadline: ({ context }) => context.deadlines.queryMs,
    verifyDeadline: ({ context }) => context.deadlines.verifyMs,
  },
  actions: {
    recordFailure: assign((_, failure: Failure) => ({ failure })),
    recordShares: assign((_, shnums: readonly number[]) => ({
      shnums: [...new Set(shnums)],
    })),
    recordVerdict: assign(({ context }, judged: ShareJudged) => ({
      judged: [...context.judged, judged],
    })),
    recordRestUnverified: assign(({ context }, reason: string) =>
      withRestUnverified(context, reason),
    ),
    reportAnswered: sendTo(
      ({ context }) => context.parent,
      ({ context }) => serverAnswered(context.server, context.shnums),
    ),
    reportSettled: sendTo(
      ({ context }) => context.parent,
      ({ context }, status: ServerReport['status']) => serverSettled(reportOf(context, status)),
    ),
  },
  guards: {
    isFailure: (_, result: QueryResult) => !result.ok,
    isEmpty: (_, result: QueryResult) => result.ok && result.shnums.length === 0,
    isUnjudged: ({ context }, { shnum }: ShareJudged) =>
      context.shnums.includes(shnum) && !context.judged.some((other) => other.shnum === shnum),
    isAllJudged: ({ context }) => context.judged.length === context.shnums.length,
    hasGoodShare: ({ context }) => hasVerdict(context, 'good'),
    hasBadShare: ({ context }) => hasVerdict(context, 'bad'),
  },
}).createMachine({
  id: 'serverQuery',
  description: 'Ask one server for its shares of a slot and judge each of them.',
  context: ({ input }) => ({ ...input, shnums: [], judged: [], failure: null }),
  initial: 'querying',
  states: {
    querying: {
      description: 'The server has our query and has not answered.',
      invoke: {
        id: 'queryServer',
        src: 'queryServer',
        input: ({ context: { server, wantsPrivateKey } }) => ({ server, wantsPrivateKey }),
        onDone: [
          {
            guard: { type: 'isFailure', params: ({ event }) => event.output },
            target: 'failed',
            actions: {
              type: 'recordFailure',
              params: ({ event }) =>
                event.output.ok ? internalFailure('no failure') : event.output.failure,
            },
          },
          { guard: { type: 'isEmpty', params: ({ event }) => event.output }, target: 'empty' },
          {
            target: 'verifying',
            actions: [
              {
                type: 'recordShares',
                params: ({ event }) => (event.output.ok ? event.output.shnums : []),
              },
              'reportAnswered',
            ],
          },
        ],
        onError: {
          target: 'failed',
          actions: { type: 'recordFailure', params: ({ event }) => internalFailure(event.error) },
        },
      },
      after: {
        queryDeadline: {
          target: 'failed',
          actions: {
            type: 'recordFailure',
            params: { kind: 'timeout', detail: 'no answer to the query' },
          },
        },
      },
    },
    verifying: {
      description: 'The server reported shares; not all of them are judged.',
      invoke: {
        id: 'verifyShares',
        src: 'verifyShares',
        input: ({ context: { server, shnums, wantsPrivateKey, wantsNumbers } }) => ({
          server,
          shnums,
          wantsPrivateKey,
          // A server that shows many shares may have but one.
          wantsNumbers: wantsNumbers && shnums.length > 1,
        }),
        onError: {
          target: 'weighing',
          actions: {
            type: 'recordRestUnverified',
            params: ({ event }) => internalFailure(event.error).detail,
          },
        },
      },
      on: {
        'share.judged': {
          guard: { type: 'isUnjudged', params: ({ event }) => event },
          actions: { type: 'recordVerdict', params: ({ event }) => event },
        },
      },
      always: { guard: 'isAllJudged', target: 'weighing' },
      after: {
        verifyDeadline: {
          target: 'weighing',
          actions: { type: 'recordRestUnverified', params: 'timeout' },
        },
      },
    },
    weighing: {
      description: 'Every share has its verdict; they decide what the server is.',
      always: [
        { guard: 'hasGoodShare', target: 'good' },
        { guard: 'hasBadShare', target: 'corrupt' },
        { target: 'failed' },
      ],
    },
    good: {
      description: 'At least one share is good; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'good' },
    },
    empty: {
      description: 'The server holds no share; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'empty' },
    },
    corrupt: {
      description: 'Shares, and none is good; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'corrupt' },
    },
    failed: {
      description: 'No answer, or nothing that could be judged; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'failed' },
    },
  },
});
