/**
 * @module verify-file: look at every block of every share of the newest version.
 *
 * Theory of operation. Everybody is asked, so that no share is left out; then every copy of every
 * share of the newest version is read and checked up to its signed root, and nothing is decoded: a
 * verify cap is enough. That shares are bad is a finding and no failure.
 */
import { assign, setup } from 'xstate';
import type { OperationCancel } from './events.ts';
import { recordBug } from './failure.ts';
import { type Deadlines, type OpenInput, unprovided } from './io.ts';
import { type GridView, newestIn } from './read-kernel.ts';
import { windowsOf } from './read-version-kernel.ts';
import { type RetrieveInput, retrieveMachine } from './retrieve.machine.ts';
import type { Version } from './servermap.ts';
import { type ServermapUpdateInput, servermapUpdateMachine } from './servermap-update.machine.ts';
import {
  apply,
  decide,
  start,
  type VerifyDecision,
  type VerifyEnd,
  type VerifyFact,
  type VerifyRecord,
} from './verify-kernel.ts';

/** What the chart is given, as JSON. */
export interface VerifyFileInput {
  /** Whom to ask: all of them are. */
  readonly grid: GridView;
  /** `queryMs`, `verifyMs` and `readMs` of them: nothing is written. */
  readonly deadlines: Deadlines;
}

/** How a verification ended, and the newest version seen that may be acknowledged. */
export type VerifyFileReport = (VerifyEnd | { readonly kind: 'cancelled' }) & {
  /** For later operations on the file, which must not go below it; null: none was seen. */
  readonly newest: Version | null;
};

/** What the chart knows as it goes, as JSON. */
export interface VerifyFileContext {
  /** The books of `verifyKernel`: each state follows from them. */
  readonly record: VerifyRecord;
  /** From the input: whom the map asks, and what confirms a version. */
  readonly grid: GridView;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** What traces and pictures show of a context. */
export function verifyFileSummary({ record: { map, report } }: VerifyFileContext) {
  const sources = report?.sources ?? [];
  return {
    isMapped: map !== null,
    sources: sources.map(({ server, shnum, status }) => ({ server, shnum, status })),
  };
}

function mapInput({ grid, deadlines }: VerifyFileContext): ServermapUpdateInput {
  return { mode: 'check', ...grid, wantsPrivateKey: false, deadlines };
}

/** What of a retrieve makes it a look at every block. */
export function everyBlock(version: Version) {
  const { dataLength, segmentSize } = version;
  // Shares without a segment are looked at as well: they have a private key.
  const endSegment = Math.max(1, Math.ceil(dataLength / Math.max(1, segmentSize)));
  const { first } = windowsOf(version);
  // All shares are read, so each a little at a time.
  const windows = { first, longest: first, ahead: 0 };
  const range = { from: 0, to: dataLength };
  return { purpose: 'verify', firstSegment: 0, endSegment, windows, range } as const;
}

function retrieveInput({ record, deadlines }: VerifyFileContext): RetrieveInput {
  const { map, version } = decide(record) as Extract<VerifyDecision, { kind: 'verify' }>;
  return { map, version, ...everyBlock(version), deadlines };
}

function reportOf({ record, grid }: VerifyFileContext, kind: 'end' | 'cancelled') {
  const newest = record.map === null ? null : (newestIn(record.map, grid) ?? null);
  return { ...(kind === 'end' ? decide(record) : { kind }), newest };
}

const end = {
  type: 'final',
  output: ({ context }: { readonly context: VerifyFileContext }) => reportOf(context, 'end'),
} as const;

/** Every block of every share of a mutable file, looked at. */
export const verifyFileMachine = setup({
  types: {
    context: {} as VerifyFileContext,
    input: {} as VerifyFileInput,
    output: {} as VerifyFileReport,
    events: {} as OperationCancel,
  },
  actors: {
    openSession: unprovided<unknown, OpenInput>('openSession'),
    servermapUpdate: servermapUpdateMachine,
    retrieve: retrieveMachine,
  },
  actions: {
    record: assign(({ context }, fact: VerifyFact) => ({
      record: apply(context.record, fact),
    })),
  },
  guards: {
    isNext: ({ context }, kind: VerifyDecision['kind']) => decide(context.record).kind === kind,
  },
}).createMachine({
  id: 'verifyFile',
  description: 'Look at every block of every share of the newest version.',
  context: ({ input: { grid, deadlines } }) => ({ record: start, grid, deadlines }),
  initial: 'opening',
  on: { 'operation.cancel': '.cancelled' },
  states: {
    opening: {
      description: 'Nothing that was read before is kept.',
      invoke: {
        id: 'openSession',
        src: 'openSession',
        input: { attempt: 0 },
        onDone: 'weighing',
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    weighing: {
      description: 'What the map shows, and what was found, decide what comes next.',
      always: [
        { guard: { type: 'isNext', params: 'map' }, target: 'mapping' },
        { guard: { type: 'isNext', params: 'verify' }, target: 'verifying' },
        { guard: { type: 'isNext', params: 'verified' }, target: 'verified' },
        { guard: { type: 'isNext', params: 'unrecoverable' }, target: 'unrecoverable' },
        { guard: { type: 'isNext', params: 'beyondLimit' }, target: 'beyondLimit' },
        { target: 'failed' },
      ],
    },
    mapping: {
      description: 'Everybody is being asked.',
      invoke: {
        id: 'servermapUpdate',
        src: 'servermapUpdate',
        input: ({ context }) => mapInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'mapped', map: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    verifying: {
      description: 'Every share of the newest version is being read and checked.',
      invoke: {
        id: 'retrieve',
        src: 'retrieve',
        input: ({ context }) => retrieveInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'verified', report: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    verified: { description: 'Every share was looked at; what is bad is named.', ...end },
    unrecoverable: { description: 'Everybody was asked, and no version can be read.', ...end },
    beyondLimit: { description: 'The version is larger than may be asked for.', ...end },
    failed: { description: 'A bug.', ...end },
    cancelled: {
      description: 'The caller lost interest.',
      type: 'final',
      output: ({ context }) => reportOf(context, 'cancelled'),
    },
  },
  output: ({ event }) => event.output as VerifyFileReport,
});
