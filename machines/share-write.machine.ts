/**
 * @module share-write: one test-and-set of one share on one server.
 *
 * Theory of operation. The server either writes, or tells what the slot holds instead, or refuses,
 * or the request never reached it. When its answer is lost (or late) the write may have happened:
 * the slot is read again before anything is concluded, and our own checkstring there means
 * success. Only when the re-read fails too does `unknown` remain. The child decides nothing global.
 */
import { type AnyActorRef, assign, sendTo, setup } from 'xstate';
import { writeSettled } from './events.ts';
import {
  type Deadlines,
  type Failure,
  internalFailure,
  type RereadInput,
  type RereadResult,
  type SeenShare,
  unprovided,
  type WriteInput,
  type WriteResult,
} from './io.ts';
import type { WriteReport, WriteTest } from './publish-kernel.ts';
import type { Hex, ServerId } from './servermap.ts';

export interface ShareWriteInput {
  readonly server: ServerId;
  readonly shnum: number;
  readonly test: WriteTest;
  /** The checkstring of the version being written. */
  readonly checkstring: Hex;
  readonly parent: AnyActorRef;
  readonly deadlines: Deadlines;
}

export interface Context extends ShareWriteInput {
  readonly seen: readonly SeenShare[];
  readonly failure: Failure | null;
}

/** What the re-read found in the slot; to a server a share without bytes is no share. */
function foundIn({ shnum }: Context, result: RereadResult): Hex | null {
  const found = result.ok ? result.seen.find((share) => share.shnum === shnum) : undefined;
  return found?.checkstring || null;
}

/** Whether the slot still holds what the test expected: the write did not happen. */
function isUntouched({ test }: Context, found: Hex | null): boolean {
  if (found === null || test.kind === 'absent') return found === null && test.kind === 'absent';
  return found.startsWith(test.head) || test.head.startsWith(found);
}

export const shareWriteMachine = setup({
  types: { context: {} as Context, input: {} as ShareWriteInput },
  actors: {
    writeShare: unprovided<WriteResult, WriteInput>('writeShare'),
    rereadShare: unprovided<RereadResult, RereadInput>('rereadShare'),
  },
  delays: {
    writeDeadline: ({ context }) => context.deadlines.writeMs,
    readDeadline: ({ context }) => context.deadlines.readMs,
  },
  actions: {
    recordAnswer: assign((_, result: WriteResult) =>
      result.kind === 'answered' ? { seen: result.seen } : { failure: result.failure },
    ),
    recordReread: assign((_, result: RereadResult) => (result.ok ? { seen: result.seen } : {})),
    recordFailure: assign((_, failure: Failure) => ({ failure })),
    reportSettled: sendTo(
      ({ context }) => context.parent,
      ({ context: { server, shnum, seen, failure } }, status: WriteReport['status']) =>
        writeSettled({ server, shnum, status, seen, failure }),
    ),
  },
  guards: {
    hasWritten: (_, result: WriteResult) => result.kind === 'answered' && result.wrote,
    isSurprise: (_, result: WriteResult) => result.kind === 'answered' && !result.wrote,
    isRefusal: (_, result: WriteResult) => result.kind === 'refused',
    isNotSent: (_, result: WriteResult) => result.kind === 'notSent',
    isUnreadable: (_, result: RereadResult) => !result.ok,
    isOurs: ({ context }, result: RereadResult) => foundIn(context, result) === context.checkstring,
    isUntouched: ({ context }, result: RereadResult) =>
      isUntouched(context, foundIn(context, result)),
  },
}).createMachine({
  id: 'shareWrite',
  description: 'Write one share if the slot still holds what was seen there.',
  context: ({ input }) => ({ ...input, seen: [], failure: null }),
  initial: 'writing',
  states: {
    writing: {
      description: 'The server has our test-and-set and has not answered.',
      invoke: {
        id: 'writeShare',
        src: 'writeShare',
        input: ({ context: { server, shnum, test } }) => ({ server, shnum, test }),
        onDone: [
          {
            guard: { type: 'hasWritten', params: ({ event }) => event.output },
            target: 'accepted',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isSurprise', params: ({ event }) => event.output },
            target: 'surprised',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isRefusal', params: ({ event }) => event.output },
            target: 'refused',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isNotSent', params: ({ event }) => event.output },
            target: 'failed',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            target: 'rereading',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
        ],
        onError: {
          target: 'rereading',
          actions: { type: 'recordFailure', params: ({ event }) => internalFailure(event.error) },
        },
      },
      after: {
        writeDeadline: {
          target: 'rereading',
          actions: {
            type: 'recordFailure',
            params: { kind: 'timeout', detail: 'no answer to the write' },
          },
        },
      },
    },
    rereading: {
      description: 'The answer was lost: the slot is read to learn whether the write happened.',
      invoke: {
        id: 'rereadShare',
        src: 'rereadShare',
        input: ({ context: { server, shnum } }) => ({ server, shnum }),
        onDone: [
          {
            guard: { type: 'isUnreadable', params: ({ event }) => event.output },
            target: 'unknown',
          },
          {
            guard: { type: 'isOurs', params: ({ event }) => event.output },
            target: 'accepted',
            actions: { type: 'recordReread', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isUntouched', params: ({ event }) => event.output },
            target: 'failed',
          },
          {
            target: 'surprised',
            actions: { type: 'recordReread', params: ({ event }) => event.output },
          },
        ],
        onError: { target: 'unknown' },
      },
      after: { readDeadline: { target: 'unknown' } },
    },
    accepted: {
      description: 'The share is on the server; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'accepted' },
    },
    surprised: {
      description: 'The slot held something else; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'surprised' },
    },
    refused: {
      description: 'The server said no; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'refused' },
    },
    failed: {
      description: 'The write did not happen; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'failed' },
    },
    unknown: {
      description: 'Nobody can say whether the write happened; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'unknown' },
    },
  },
});
