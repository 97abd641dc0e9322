/**
 * @module verify-immutable: look at every byte of every share of an immutable file.
 *
 * Theory of operation. Everybody is asked, and every copy of every share is read and checked up to
 * the hash in the cap. Then k good shares are read again, decoded, and encoded as all N: only so it
 * shows whether the file is what its maker says, whichever k shares it is read from. No segment is
 * decrypted, so a verify cap is enough. That shares are bad, or too few, is a finding and no
 * failure.
 */
import { assign, setup } from 'xstate';
import type { OperationCancel } from './events.ts';
import { recordBug } from './failure.ts';
import type { Deadlines } from './io.ts';
import type { GridView } from './read-kernel.ts';
import { windowsOf } from './read-version-kernel.ts';
import { type RetrieveInput, retrieveMachine } from './retrieve.machine.ts';
import { type ServermapUpdateInput, servermapUpdateMachine } from './servermap-update.machine.ts';
import { everyBlock } from './verify-file.machine.ts';
import {
  apply,
  decide,
  start,
  type VerifyImmutableDecision,
  type VerifyImmutableEnd,
  type VerifyImmutableFact,
  type VerifyImmutableRecord,
} from './verify-immutable-kernel.ts';

/** What the chart is given, as JSON. */
export interface VerifyImmutableInput {
  /** With k and N of the file, which its cap tells. */
  readonly grid: GridView;
  /** `queryMs`, `verifyMs` and `readMs` of them: nothing is written. */
  readonly deadlines: Deadlines;
}

/** How a look at an immutable file ended. */
export type VerifyImmutableReport = VerifyImmutableEnd | { readonly kind: 'cancelled' };

/** What the chart knows as it goes, as JSON. */
export interface VerifyImmutableContext {
  /** The books of `verifyImmutableKernel`: each state follows from them. */
  readonly record: VerifyImmutableRecord;
  /** From the input: whom the map asks. */
  readonly grid: GridView;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** What traces and pictures show of a context. */
export function verifyImmutableSummary({
  record: { map, isLookedAt, isEncoded },
}: VerifyImmutableContext) {
  const holdings = map?.holdings ?? [];
  return {
    ...{ isMapped: map !== null, isLookedAt, isEncoded },
    shares: holdings.map(({ server, shnum, verdict: { kind } }) => ({ server, shnum, kind })),
  };
}

function mapInput({ grid, deadlines }: VerifyImmutableContext): ServermapUpdateInput {
  return { mode: 'check', ...grid, wantsPrivateKey: false, deadlines };
}

function decided<Kind extends VerifyImmutableDecision['kind']>({ record }: VerifyImmutableContext) {
  return decide(record) as Extract<VerifyImmutableDecision, { kind: Kind }>;
}

function lookInput(context: VerifyImmutableContext): RetrieveInput {
  const { map, version } = decided<'look'>(context);
  return { map, version, ...everyBlock(version), deadlines: context.deadlines };
}

/** Segments as whoever reads the file has them. */
function encodeInput(context: VerifyImmutableContext): RetrieveInput {
  const { map, version } = decided<'encode'>(context);
  const asReader = { purpose: 'read', windows: windowsOf(version) } as const;
  return { map, version, ...everyBlock(version), ...asReader, deadlines: context.deadlines };
}

const end = {
  type: 'final',
  output: ({ context }: { readonly context: VerifyImmutableContext }) => decide(context.record),
} as const;

/** Every block of every share of an immutable file, looked at. */
export const verifyImmutableMachine = setup({
  types: {
    context: {} as VerifyImmutableContext,
    input: {} as VerifyImmutableInput,
    output: {} as VerifyImmutableReport,
    events: {} as OperationCancel,
  },
  actors: {
    servermapUpdate: servermapUpdateMachine,
    retrieve: retrieveMachine,
    encodeAll: retrieveMachine,
  },
  actions: {
    record: assign(({ context }, fact: VerifyImmutableFact) => ({
      record: apply(context.record, fact),
    })),
  },
  guards: {
    isNext: ({ context }, kind: VerifyImmutableDecision['kind']) =>
      decide(context.record).kind === kind,
  },
}).createMachine({
  id: 'verifyImmutable',
  description: 'Look at every byte of every share of an immutable file.',
  context: ({ input: { grid, deadlines } }) => ({ record: start, grid, deadlines }),
  initial: 'weighing',
  on: { 'operation.cancel': '.cancelled' },
  states: {
    weighing: {
      description: 'What the map shows, and what was found, decide what comes next.',
      always: [
        { guard: { type: 'isNext', params: 'map' }, target: 'mapping' },
        { guard: { type: 'isNext', params: 'look' }, target: 'looking' },
        { guard: { type: 'isNext', params: 'encode' }, target: 'encoding' },
        { guard: { type: 'isNext', params: 'verified' }, target: 'verified' },
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
    looking: {
      description: 'Every block and every hash of every share is being read and checked.',
      invoke: {
        id: 'retrieve',
        src: 'retrieve',
        input: ({ context }) => lookInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'lookedAt', report: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    encoding: {
      description: 'Segments are being decoded from k good shares, and encoded as all N.',
      invoke: {
        id: 'encodeAll',
        src: 'encodeAll',
        input: ({ context }) => encodeInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'encoded', report: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    verified: { description: 'Every share was looked at; what is bad is named.', ...end },
    beyondLimit: { description: 'The file is larger than may be asked for.', ...end },
    failed: { description: 'A bug.', ...end },
    cancelled: {
      description: 'The caller lost interest.',
      type: 'final',
      output: { kind: 'cancelled' as const },
    },
  },
  output: ({ event }) => event.output as VerifyImmutableReport,
});
