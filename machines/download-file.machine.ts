/**
 * @module download-file: read a range of an immutable file.
 *
 * Theory of operation. Servers are asked until k different good shares are seen; a server that does
 * not answer holds up nobody. Then segments are read as those of any version (`read-version`): from
 * k shares at once, each replaced when it is slow or bad, and with everybody asked before that is
 * given up. There is one version, nobody replaces it, and so nothing is ever begun again.
 */
import { assign, setup } from 'xstate';
import {
  apply,
  type DownloadDecision,
  type DownloadEnd,
  type DownloadFact,
  type DownloadRecord,
  decide,
  start,
} from './download-kernel.ts';
import type { OperationCancel } from './events.ts';
import { recordBug } from './failure.ts';
import type { Deadlines } from './io.ts';
import type { GridView, WantedRange } from './read-kernel.ts';
import { type ReadVersionInput, readVersionMachine } from './read-version.machine.ts';
import { type ServermapUpdateInput, servermapUpdateMachine } from './servermap-update.machine.ts';

/** What the chart is given, as JSON. */
export interface DownloadFileInput {
  /** With k and N of the file, which its cap tells. */
  readonly grid: GridView;
  /** Which bytes; the cap tells how many there are. */
  readonly wanted: WantedRange;
  /** Bytes of contents, as the cap says. */
  readonly size: number;
  /** `queryMs`, `verifyMs` and `readMs` of them: nothing is written. */
  readonly deadlines: Deadlines;
}

/** How a download ended. */
export type DownloadFileReport = DownloadEnd | { readonly kind: 'cancelled' };

/** What the chart knows as it goes, as JSON. */
export interface DownloadFileContext {
  /** The books of `downloadKernel`: each state follows from them. */
  readonly record: DownloadRecord;
  /** From the input: whom a map asks, in permuted order. */
  readonly grid: GridView;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** What traces and pictures show of a context. */
export function downloadFileSummary({ record }: DownloadFileContext) {
  const { wanted, size, looks } = record;
  return { wanted, size, looks };
}

function decided<Kind extends DownloadDecision['kind']>(record: DownloadRecord) {
  return decide(record) as Extract<DownloadDecision, { kind: Kind }>;
}

function mapInput({ record, grid, deadlines }: DownloadFileContext): ServermapUpdateInput {
  return { mode: decided<'map'>(record).mode, ...grid, wantsPrivateKey: false, deadlines };
}

function readInput({ record, grid, deadlines }: DownloadFileContext): ReadVersionInput {
  const { version, range, map } = decided<'read'>(record);
  return { grid, map, version, ranges: [range], marked: [], deadlines };
}

const end = {
  type: 'final',
  output: ({ context }: { readonly context: DownloadFileContext }) => decide(context.record),
} as const;

/** A read of an immutable file: map, then read. */
export const downloadFileMachine = setup({
  types: {
    context: {} as DownloadFileContext,
    input: {} as DownloadFileInput,
    output: {} as DownloadFileReport,
    events: {} as OperationCancel,
  },
  actors: { servermapUpdate: servermapUpdateMachine, readVersion: readVersionMachine },
  actions: {
    record: assign(({ context }, fact: DownloadFact) => ({ record: apply(context.record, fact) })),
  },
  guards: {
    isNext: ({ context }, kind: DownloadDecision['kind']) => decide(context.record).kind === kind,
  },
}).createMachine({
  id: 'downloadFile',
  description: 'Read a range of an immutable file.',
  context: ({ input: { grid, wanted, size, deadlines } }) => ({
    record: start(wanted, size),
    grid,
    deadlines,
  }),
  initial: 'weighing',
  on: { 'operation.cancel': '.cancelled' },
  states: {
    weighing: {
      description: 'The cap, what the map shows and what came of reading decide what comes next.',
      always: [
        { guard: { type: 'isNext', params: 'map' }, target: 'mapping' },
        { guard: { type: 'isNext', params: 'read' }, target: 'reading' },
        { guard: { type: 'isNext', params: 'delivered' }, target: 'delivered' },
        { guard: { type: 'isNext', params: 'unrecoverable' }, target: 'unrecoverable' },
        { guard: { type: 'isNext', params: 'outOfRange' }, target: 'outOfRange' },
        { guard: { type: 'isNext', params: 'beyondLimit' }, target: 'beyondLimit' },
        { guard: { type: 'isNext', params: 'notEnoughShares' }, target: 'notEnoughShares' },
        { target: 'failed' },
      ],
    },
    mapping: {
      description: 'Servers are being asked for shares, until k different good ones are seen.',
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
    reading: {
      description: 'Segments are being read from k shares, and handed over in order.',
      invoke: {
        id: 'readVersion',
        src: 'readVersion',
        input: ({ context }) => readInput(context),
        onDone: {
          target: 'weighing',
          actions: { type: 'record', params: ({ event }) => ({ type: 'read', end: event.output }) },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    delivered: { description: 'The range has been delivered.', ...end },
    unrecoverable: { description: 'Everybody was asked: k good shares are not there.', ...end },
    outOfRange: { description: 'The range goes beyond the contents.', ...end },
    beyondLimit: { description: 'The file is larger than may be asked for.', ...end },
    notEnoughShares: { description: 'Good shares ran out in the middle.', ...end },
    failed: { description: 'A bug, a dishonest file, or the consumer has failed.', ...end },
    cancelled: {
      description: 'The caller lost interest.',
      type: 'final',
      output: { kind: 'cancelled' as const },
    },
  },
  output: ({ event }) => event.output as DownloadFileReport,
});
