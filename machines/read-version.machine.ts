/**
 * @module read-version: read ranges of bytes of one version.
 *
 * Theory of operation. Ranges are read in order, each by a `retrieve`. Out of good shares,
 * everybody is asked once, and the reading goes on at the segment that it had reached; what proved
 * corrupt stays out. A read of a file and a write that keeps old bytes both read in this way.
 */
import { assign, setup } from 'xstate';
import { recordBug } from './failure.ts';
import type { Deadlines } from './io.ts';
import type { GridView } from './read-kernel.ts';
import {
  apply,
  decide,
  segmentsOf,
  start,
  type VersionRead,
  type VersionReadDecision,
  type VersionReadEnd,
  type VersionReadFact,
  windowsOf,
} from './read-version-kernel.ts';
import { type RetrieveInput, retrieveMachine } from './retrieve.machine.ts';
import type { Span } from './rewrite.ts';
import type { MarkedHolding, Servermap, Version } from './servermap.ts';
import { type ServermapUpdateInput, servermapUpdateMachine } from './servermap-update.machine.ts';

/** What the chart is given, as JSON. */
export interface ReadVersionInput {
  /** Whom to ask when good shares run out. */
  readonly grid: GridView;
  /** Where shares of it are, to begin with. */
  readonly map: Servermap;
  /** The one that is read: no other takes its place. */
  readonly version: Version;
  /** None of them empty. */
  readonly ranges: readonly Span[];
  /** Shares that proved corrupt before. */
  readonly marked: readonly MarkedHolding[];
  /** `queryMs`, `verifyMs` and `readMs` of them: nothing is written. */
  readonly deadlines: Deadlines;
}

/** What the chart knows as it goes, as JSON. */
export interface ReadVersionContext {
  /** The books of `readVersionKernel`: each state follows from them. */
  readonly record: VersionRead;
  /** From the input: whom a map asks, in permuted order. */
  readonly grid: GridView;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** What traces and pictures show of a context. */
export function readVersionSummary({ record }: ReadVersionContext) {
  const { version, ranges, nextSegment, segmentsDelivered, hasAskedAll, marked } = record;
  const { seqnum } = version;
  return { seqnum, ranges, nextSegment, segmentsDelivered, hasAskedAll, marked };
}

/** The segments of the range under way that were not delivered, and which bytes of them count. */
function retrieveInput({ record, deadlines }: ReadVersionContext): RetrieveInput {
  const { map, version, nextSegment, ranges } = record;
  const range = ranges[0] as Span;
  const { endSegment } = segmentsOf(version, range);
  const segments = { firstSegment: nextSegment, endSegment, windows: windowsOf(version) };
  return { purpose: 'read', map, version, ...segments, range, deadlines };
}

function mapInput({
  record: { marked },
  grid,
  deadlines,
}: ReadVersionContext): ServermapUpdateInput {
  return { mode: 'check', ...grid, wantsPrivateKey: false, marked, deadlines };
}

const end = {
  type: 'final',
  output: ({ context }: { readonly context: ReadVersionContext }) => decide(context.record),
} as const;

/** Reads a range of one version, and maps again where its shares run out. */
export const readVersionMachine = setup({
  types: {
    context: {} as ReadVersionContext,
    input: {} as ReadVersionInput,
    output: {} as VersionReadEnd,
  },
  actors: { servermapUpdate: servermapUpdateMachine, retrieve: retrieveMachine },
  actions: {
    record: assign(({ context }, fact: VersionReadFact) => ({
      record: apply(context.record, fact),
    })),
  },
  guards: {
    isNext: ({ context }, kind: VersionReadDecision['kind']) =>
      decide(context.record).kind === kind,
  },
}).createMachine({
  id: 'readVersion',
  description: 'Read ranges of bytes of one version.',
  context: ({ input: { map, version, ranges, marked, grid, deadlines } }) => ({
    record: start(map, version, ranges, marked),
    grid,
    deadlines,
  }),
  initial: 'weighing',
  states: {
    weighing: {
      description: 'What was delivered, and who was asked, decide what comes next.',
      always: [
        { guard: { type: 'isNext', params: 'retrieve' }, target: 'retrieving' },
        { guard: { type: 'isNext', params: 'remap' }, target: 'remapping' },
        { guard: { type: 'isNext', params: 'delivered' }, target: 'delivered' },
        { guard: { type: 'isNext', params: 'notEnoughShares' }, target: 'notEnoughShares' },
        { target: 'failed' },
      ],
    },
    retrieving: {
      description: 'The rest of a range is being fetched and delivered.',
      invoke: {
        id: 'retrieve',
        src: 'retrieve',
        input: ({ context }) => retrieveInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'retrieved' as const, report: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    remapping: {
      description: 'Good shares ran out: everybody is being asked.',
      invoke: {
        id: 'servermapUpdate',
        src: 'servermapUpdate',
        input: ({ context }) => mapInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'mapped' as const, map: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    delivered: {
      description: 'Every range has been delivered.',
      ...end,
    },
    notEnoughShares: {
      description: 'Everybody was asked, and fewer than k good shares are left.',
      ...end,
    },
    failed: {
      description: 'A bug, or the consumer has failed.',
      ...end,
    },
  },
  output: ({ event }) => event.output as VersionReadEnd,
});
