/**
 * @module retrieve: read segments of one version from any k good shares of it.
 *
 * Theory of operation. Windows of segments go strictly in order, so the consumer gets a stream and
 * memory holds one window. For each window the kernel chooses shares, one child per share fetches
 * and verifies its blocks, and once k shares hold theirs the window is decoded and delivered.
 * Delivery finishes when the consumer has taken the bytes: that is the back-pressure.
 */
import { assign, enqueueActions, setup } from 'xstate';
import { blockReadMachine } from './block-read.machine.ts';
import type { BlocksSettled, OperationCancel } from './events.ts';
import {
  type Deadlines,
  type DecodeInput,
  type DecodeResult,
  type Failure,
  internalFailure,
  unprovided,
} from './io.ts';
import {
  apply,
  currentWindow,
  decide,
  heldShnums,
  type Purpose,
  type RetrieveDecision,
  type RetrieveRecord,
  type RetrieveReport,
  type ShareStatus,
  type Windows,
  windowsAhead,
} from './retrieve-kernel.ts';
import type { Span } from './rewrite.ts';
import { type Servermap, sharesOf, type Version } from './servermap.ts';

/** What the chart is given, as JSON. */
export interface RetrieveInput {
  /** `read`: from any k shares. `verify`: every copy of every share. */
  readonly purpose: Purpose;
  /** Where its good shares are: others are not asked. */
  readonly map: Servermap;
  /** Whose segments they are, each led to its signed root. */
  readonly version: Version;
  /** Counts from 0. */
  readonly firstSegment: number;
  /** One past the last segment wanted. */
  readonly endSegment: number;
  /** How many segments at once, and how far ahead. */
  readonly windows: Windows;
  /** Which bytes of these segments are wanted. */
  readonly range: Span;
  /** `readMs` of them, for each share and window. */
  readonly deadlines: Deadlines;
}

/** What the chart knows as it goes, as JSON. */
export interface RetrieveContext {
  /** The books of `retrieveKernel`: each state follows from them. */
  readonly record: RetrieveRecord;
  /** From the input, for the children and for `decodeSegments`. */
  readonly version: Version;
  /** From the input, for `decodeSegments`. */
  readonly range: Span;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
  /** How decoding or the consumer has failed; null until then. */
  readonly failure: Failure | null;
  /** Where it began: what was delivered is counted from there. */
  readonly firstSegment: number;
}

/** What traces and pictures show of a context. */
export function retrieveSummary({ record }: RetrieveContext) {
  const { purpose, required, nextSegment, endSegment, sources } = record;
  const statuses = sources.map(({ server, shnum, status }) => [`${server}:${shnum}`, status]);
  const numbers = { purpose, required, nextSegment, endSegment };
  return { ...numbers, sources: Object.fromEntries(statuses) as Record<string, ShareStatus> };
}

function recordOf(input: RetrieveInput): RetrieveRecord {
  const { purpose, map, version, firstSegment, endSegment, windows } = input;
  const sources = [...sharesOf(map, version.id)].flatMap(([shnum, servers]) =>
    servers.map((server) => ({ server, shnum, status: 'usable', failure: null }) as const),
  );
  return {
    purpose,
    required: version.required,
    sources,
    nextSegment: firstSegment,
    endSegment,
    window: windows.first,
    windows,
  };
}

function endAs(kind: RetrieveReport['kind']) {
  return {
    type: 'final',
    output: ({ context }: { readonly context: RetrieveContext }): RetrieveReport => {
      const { record, failure, firstSegment } = context;
      const { required, sources, nextSegment } = record;
      return { kind, required, sources, segmentsDelivered: nextSegment - firstSegment, failure };
    },
  } as const;
}

/** Reads a run of segments from k shares; one that fails is replaced by another. */
export const retrieveMachine = setup({
  types: {
    context: {} as RetrieveContext,
    input: {} as RetrieveInput,
    output: {} as RetrieveReport,
    events: {} as BlocksSettled | OperationCancel,
  },
  actors: {
    blockRead: blockReadMachine,
    decodeSegments: unprovided<DecodeResult, DecodeInput>('decodeSegments'),
  },
  actions: {
    fetchBlocks: enqueueActions(({ context, enqueue, self }) => {
      const { record, version, deadlines } = context;
      const decision = decide(record);
      if (decision.kind !== 'fetch') return;
      const window = currentWindow(record);
      const ahead = windowsAhead(record);
      for (const { server, shnum } of decision.sources) {
        enqueue.spawnChild('blockRead', {
          id: `read:${server}:${shnum}:${window.firstSegment}`,
          input: { server, shnum, version, ...window, ahead, parent: self, deadlines },
        });
      }
      enqueue.assign({ record: apply(record, { type: 'asked', sources: decision.sources }) });
    }),
    recordBlocks: enqueueActions(({ context: { record }, enqueue }, event: BlocksSettled) => {
      const { server, shnum } = event.report;
      enqueue.assign({ record: apply(record, { ...event, type: 'settled' }) });
      enqueue.stopChild(`read:${server}:${shnum}:${record.nextSegment}`);
    }),
    recordDelivered: assign(({ context: { record } }) => ({
      record: apply(record, { type: 'delivered' }),
    })),
    recordFailure: assign((_, failure: Failure) => ({ failure })),
  },
  guards: {
    isNext: ({ context }, kind: RetrieveDecision['kind']) => decide(context.record).kind === kind,
    isDecoded: (_, result: DecodeResult) => result.ok,
  },
}).createMachine({
  id: 'retrieve',
  description: 'Read segments of one version from any k good shares of it.',
  context: ({ input }) => ({
    record: recordOf(input),
    version: input.version,
    range: input.range,
    deadlines: input.deadlines,
    failure: null,
    firstSegment: input.firstSegment,
  }),
  initial: 'choosing',
  states: {
    choosing: {
      description: 'The next step depends on which shares hold the current window.',
      always: [
        { guard: { type: 'isNext', params: 'delivered' }, target: 'delivered' },
        { guard: { type: 'isNext', params: 'decode' }, target: 'decoding' },
        { guard: { type: 'isNext', params: 'notEnoughShares' }, target: 'notEnoughShares' },
        { target: 'fetching' },
      ],
    },
    fetching: {
      description: 'Blocks of the current window are on their way.',
      entry: 'fetchBlocks',
      on: {
        'operation.cancel': 'cancelled',
        'blocks.settled': {
          target: 'choosing',
          actions: { type: 'recordBlocks', params: ({ event }) => event },
        },
      },
    },
    decoding: {
      description: 'The window is being decoded and handed to the consumer.',
      on: { 'operation.cancel': 'cancelled' },
      invoke: {
        id: 'decodeSegments',
        src: 'decodeSegments',
        input: ({ context: { record, version, range } }) => ({
          version,
          ...currentWindow(record),
          shnums: heldShnums(record),
          range,
        }),
        onDone: [
          {
            guard: { type: 'isDecoded', params: ({ event }) => event.output },
            target: 'choosing',
            actions: 'recordDelivered',
          },
          {
            target: 'undeliverable',
            actions: {
              type: 'recordFailure',
              params: ({ event }) =>
                event.output.ok ? internalFailure('no failure') : event.output.failure,
            },
          },
        ],
        onError: {
          target: 'undeliverable',
          actions: { type: 'recordFailure', params: ({ event }) => internalFailure(event.error) },
        },
      },
    },
    delivered: {
      description: 'Every wanted segment has been delivered.',
      ...endAs('delivered'),
    },
    notEnoughShares: {
      description: 'Fewer than k good shares are left.',
      ...endAs('notEnoughShares'),
    },
    undeliverable: {
      description: 'Decoding failed, or the consumer did: a bug or the end of the consumer.',
      ...endAs('internal'),
    },
    cancelled: {
      description: 'The caller lost interest.',
      ...endAs('cancelled'),
    },
  },
  output: ({ event }) => event.output as RetrieveReport,
});
