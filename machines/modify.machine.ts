/**
 * @module modify: read, change, write, and on a collision do it again.
 *
 * Theory of operation. Every attempt maps afresh and **picks its base version from that fresh map**
 * (Tahoe re-reads the version it began with, and so overwrites what it never looked at). A
 * collision, a newer version that cannot be read yet, or shares replaced under the reader mean
 * that somebody else is writing: back off, then try again. Attempts are bounded, and the waiting
 * times come in by input: no clock and no randomness here.
 */
import { assign, emit, setup } from 'xstate';
import type { OperationCancel } from './events.ts';
import {
  type AttemptInput,
  type Failure,
  internalFailure,
  type MapResult,
  type ModifierResult,
  type PublishAttemptResult,
  type ReadBaseResult,
  unprovided,
} from './io.ts';

export interface ModifyInput {
  /** How long to wait after each collision, in milliseconds; one more attempt than entries. */
  readonly backoffsMs: readonly number[];
}

export interface ModifyReport {
  readonly kind: 'published' | 'unchanged' | 'gaveUp' | 'failed' | 'threw' | 'cancelled';
  /** How many attempts were made. */
  readonly attempts: number;
  /** The last thing that went wrong. */
  readonly failure: Failure | null;
}

export interface Context {
  readonly backoffsMs: readonly number[];
  /** Counts from 0. */
  readonly attempt: number;
  readonly failure: Failure | null;
  readonly kind: ModifyReport['kind'];
}

/** Another writer was there, and the next attempt comes after a wait. */
export interface AttemptCollided {
  readonly type: 'attempt.collided';
  /** Counts from 0. */
  readonly attempt: number;
  readonly waitMs: number;
}

/** What any step of an attempt answers. */
interface Answer {
  readonly kind: string;
  readonly failure?: Failure;
}

const answerOf = ({ event }: { readonly event: { readonly output: Answer } }) => event.output;

const recordAnswer = {
  type: 'recordFailure',
  params: ({ event }: { readonly event: { readonly output: Answer } }) =>
    event.output.failure ?? null,
} as const;

const recordBug = {
  type: 'recordFailure',
  params: ({ event }: { readonly event: { readonly error: unknown } }) =>
    internalFailure(event.error),
} as const;

export const modifyMachine = setup({
  types: {
    context: {} as Context,
    input: {} as ModifyInput,
    output: {} as ModifyReport,
    events: {} as OperationCancel,
    emitted: {} as AttemptCollided,
  },
  actors: {
    mapServers: unprovided<MapResult, AttemptInput>('mapServers'),
    readBase: unprovided<ReadBaseResult, AttemptInput>('readBase'),
    applyModifier: unprovided<ModifierResult, AttemptInput>('applyModifier'),
    publishVersion: unprovided<PublishAttemptResult, AttemptInput>('publishVersion'),
  },
  delays: { backoff: ({ context }) => context.backoffsMs[context.attempt] ?? 0 },
  actions: {
    recordFailure: assign((_, failure: Failure | null) => ({ failure })),
    countAttempt: assign(({ context }) => ({ attempt: context.attempt + 1 })),
    recordKind: assign((_, kind: ModifyReport['kind']) => ({ kind })),
    reportCollision: emit(({ context: { attempt, backoffsMs } }) => ({
      type: 'attempt.collided' as const,
      attempt,
      waitMs: backoffsMs[attempt] ?? 0,
    })),
  },
  guards: {
    isMapped: (_, { kind }: Answer) => kind === 'mapped',
    isRead: (_, { kind }: Answer) => kind === 'read',
    isChanged: (_, { kind }: Answer) => kind === 'changed',
    isUnchanged: (_, { kind }: Answer) => kind === 'unchanged',
    isPublished: (_, { kind }: Answer) => kind === 'published',
    isContended: (_, { kind }: Answer) => kind === 'contended',
    hasAttemptsLeft: ({ context }) => context.attempt < context.backoffsMs.length,
  },
}).createMachine({
  id: 'modify',
  description: 'Read, change, write, and on a collision do it again.',
  context: ({ input }) => ({
    backoffsMs: input.backoffsMs,
    attempt: 0,
    failure: null,
    kind: 'cancelled',
  }),
  initial: 'mapping',
  states: {
    mapping: {
      description: 'A fresh servermap is being made; the base version is picked from it.',
      on: { 'operation.cancel': 'cancelled' },
      invoke: {
        id: 'mapServers',
        src: 'mapServers',
        input: ({ context }) => ({ attempt: context.attempt }),
        onDone: [
          {
            guard: { type: 'isMapped', params: answerOf },
            target: 'reading',
          },
          {
            guard: { type: 'isContended', params: answerOf },
            target: 'contended',
            actions: recordAnswer,
          },
          {
            target: 'failed',
            actions: recordAnswer,
          },
        ],
        onError: {
          target: 'failed',
          actions: recordBug,
        },
      },
    },
    reading: {
      description: 'The base version is being read.',
      on: { 'operation.cancel': 'cancelled' },
      invoke: {
        id: 'readBase',
        src: 'readBase',
        input: ({ context }) => ({ attempt: context.attempt }),
        onDone: [
          {
            guard: { type: 'isRead', params: answerOf },
            target: 'modifying',
          },
          {
            target: 'contended',
            actions: recordAnswer,
          },
        ],
        onError: {
          target: 'failed',
          actions: recordBug,
        },
      },
    },
    modifying: {
      description: "The caller's modifier has the contents.",
      on: { 'operation.cancel': 'cancelled' },
      invoke: {
        id: 'applyModifier',
        src: 'applyModifier',
        input: ({ context }) => ({ attempt: context.attempt }),
        onDone: [
          {
            guard: { type: 'isChanged', params: answerOf },
            target: 'publishing',
          },
          {
            guard: { type: 'isUnchanged', params: answerOf },
            target: 'unchanged',
          },
          { target: 'threw' },
        ],
        onError: { target: 'threw' },
      },
    },
    publishing: {
      description: 'The changed contents are being written over the base version.',
      on: { 'operation.cancel': 'cancelled' },
      invoke: {
        id: 'publishVersion',
        src: 'publishVersion',
        input: ({ context }) => ({ attempt: context.attempt }),
        onDone: [
          {
            guard: { type: 'isPublished', params: answerOf },
            target: 'published',
          },
          {
            guard: { type: 'isContended', params: answerOf },
            target: 'contended',
            actions: recordAnswer,
          },
          {
            target: 'failed',
            actions: recordAnswer,
          },
        ],
        onError: {
          target: 'failed',
          actions: recordBug,
        },
      },
    },
    contended: {
      description: 'Somebody else is writing this file.',
      always: [{ guard: 'hasAttemptsLeft', target: 'backingOff' }, { target: 'gaveUp' }],
    },
    backingOff: {
      description: 'Waiting for the other writer to finish; the caller has been told how long.',
      entry: 'reportCollision',
      on: { 'operation.cancel': 'cancelled' },
      after: { backoff: { target: 'mapping', actions: 'countAttempt' } },
    },
    published: {
      description: 'The change is on a quorum of servers.',
      type: 'final',
      entry: { type: 'recordKind', params: 'published' },
    },
    unchanged: {
      description: 'The modifier wanted no change.',
      type: 'final',
      entry: { type: 'recordKind', params: 'unchanged' },
    },
    gaveUp: {
      description: 'Every attempt collided with another writer.',
      type: 'final',
      entry: { type: 'recordKind', params: 'gaveUp' },
    },
    failed: {
      description: 'Trying again would not help.',
      type: 'final',
      entry: { type: 'recordKind', params: 'failed' },
    },
    threw: {
      description: "The caller's modifier threw.",
      type: 'final',
      entry: { type: 'recordKind', params: 'threw' },
    },
    cancelled: {
      description: 'The caller lost interest.',
      type: 'final',
      entry: { type: 'recordKind', params: 'cancelled' },
    },
  },
  output: ({ context: { kind, attempt, failure } }) => ({ kind, attempts: attempt + 1, failure }),
});
