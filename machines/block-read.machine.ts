/**
 * @module block-read: fetch and verify the blocks of one share for one window of segments.
 *
 * The provider reads, checks every block up to the signed root hash and keeps the bytes; the child
 * only reports whether they are held. A lost connection is `failed`, never `corrupt`.
 */
import { type ActorRef, assign, type Snapshot, sendTo, setup } from 'xstate';
import { type BlocksSettled, blocksSettled } from './events.ts';
import {
  type Deadlines,
  type Failure,
  internalFailure,
  type ReadBlocksInput,
  type ReadBlocksResult,
  unprovided,
} from './io.ts';
import type { BlockReport } from './reports.ts';

/** What the chart is given, as JSON. */
export interface BlockReadInput extends ReadBlocksInput {
  /** The `retrieve` that fetches the window: hears once how it ended. */
  readonly parent: ActorRef<Snapshot<unknown>, BlocksSettled>;
  /** `readMs` of them, for all of the window. */
  readonly deadlines: Deadlines;
}

/** What the chart knows as it goes, as JSON. */
export interface BlockReadContext extends BlockReadInput {
  /** Why the blocks are not held; null until that is so. */
  readonly failure: Failure | null;
}

/** What traces and pictures show of a context. */
export function blockReadSummary(context: BlockReadContext) {
  const { server, shnum, firstSegment, segmentCount, failure } = context;
  return { server, shnum, firstSegment, segmentCount, failure };
}

/** One share, one window of segments: read, checked against the signed root, held. */
export const blockReadMachine = setup({
  types: { context: {} as BlockReadContext, input: {} as BlockReadInput },
  actors: { readBlocks: unprovided<ReadBlocksResult, ReadBlocksInput>('readBlocks') },
  delays: { readDeadline: ({ context }) => context.deadlines.readMs },
  actions: {
    recordFailure: assign((_, failure: Failure) => ({ failure })),
    recordResult: assign((_, result: ReadBlocksResult) =>
      result.ok ? {} : { failure: result.failure },
    ),
    reportSettled: sendTo(
      ({ context }) => context.parent,
      ({ context: { server, shnum, failure } }, status: BlockReport['status']) =>
        blocksSettled({ server, shnum, status, failure }),
    ),
  },
  guards: {
    hasBlocks: (_, result: ReadBlocksResult) => result.ok,
    isCorrupt: (_, result: ReadBlocksResult) =>
      !result.ok && (result.failure.kind === 'corrupt' || result.failure.kind === 'keyless'),
  },
}).createMachine({
  id: 'blockRead',
  description: 'Fetch and verify the blocks of one share for one window.',
  context: ({ input }) => ({ ...input, failure: null }),
  initial: 'reading',
  states: {
    reading: {
      description: 'The blocks are on their way or being verified.',
      invoke: {
        id: 'readBlocks',
        src: 'readBlocks',
        input: ({ context: { parent, deadlines, failure, ...input } }) => input,
        onDone: [
          {
            guard: { type: 'hasBlocks', params: ({ event }) => event.output },
            target: 'held',
          },
          {
            guard: { type: 'isCorrupt', params: ({ event }) => event.output },
            target: 'corrupt',
            actions: { type: 'recordResult', params: ({ event }) => event.output },
          },
          {
            target: 'failed',
            actions: { type: 'recordResult', params: ({ event }) => event.output },
          },
        ],
        onError: {
          target: 'failed',
          actions: { type: 'recordFailure', params: ({ event }) => internalFailure(event.error) },
        },
      },
      after: {
        readDeadline: {
          target: 'failed',
          actions: {
            type: 'recordFailure',
            params: { kind: 'timeout', detail: 'no answer to the read' },
          },
        },
      },
    },
    held: {
      description: 'Every block is here and hangs on the signed root; the coordinator knows.',
      entry: { type: 'reportSettled', params: 'held' },
    },
    corrupt: {
      description: 'The bytes do not hang on the signed root; the coordinator knows.',
      entry: { type: 'reportSettled', params: 'corrupt' },
    },
    failed: {
      description: 'The bytes did not arrive; the coordinator knows.',
      entry: { type: 'reportSettled', params: 'failed' },
    },
  },
});
