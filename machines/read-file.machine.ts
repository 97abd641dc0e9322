/**
 * @module read-file: read a range of the newest version of a file, or of one that is named.
 *
 * Theory of operation. A map of few servers shows the newest version within reach; when it shows
 * none, none that is confirmed, or not the one that is wanted, everybody is asked before that is
 * said. A version that turns out to have too few good shares before any of it is given out makes
 * room for the newest of what is left. And when shares run out otherwise (a writer may have
 * replaced them), all of it begins again, from a fresh session, as often as it may, provided that
 * what was delivered can be taken back.
 */
import { assign, enqueueActions, setup } from 'xstate';
import type { OperationCancel } from './events.ts';
import { recordBug } from './failure.ts';
import { type Deadlines, type OpenInput, unprovided } from './io.ts';
import {
  apply,
  decide,
  type GridView,
  type ReadDecision,
  type ReadEnd,
  type ReadFact,
  type ReadRecord,
  start,
  type WantedRange,
  type WantedVersion,
} from './read-kernel.ts';
import { type ReadVersionInput, readVersionMachine } from './read-version.machine.ts';
import { type ServerId, silentIn, type Version } from './servermap.ts';
import { type ServermapUpdateInput, servermapUpdateMachine } from './servermap-update.machine.ts';

/** What the chart is given, as JSON. */
export interface ReadFileInput {
  /** Whom to ask, and what makes a quorum. */
  readonly grid: GridView;
  /** Which bytes of the version that is chosen. */
  readonly wanted: WantedRange;
  /** The newest if none is named. */
  readonly version?: WantedVersion | null;
  /** Whether what was delivered can be taken back: a collector can forget, a stream can not. */
  readonly canTakeBack: boolean;
  /** How often it may begin: twice by default. */
  readonly attemptsMax?: number;
  /** `queryMs`, `verifyMs` and `readMs` of them: nothing is written. */
  readonly deadlines: Deadlines;
}

/** How a read of a file ended, and the newest version seen that may be acknowledged. */
export type ReadFileReport = (ReadEnd | { readonly kind: 'cancelled' }) & {
  /** For later operations on the file, which must not go below it; null: none was seen. */
  readonly newest: Version | null;
};

/** What is read was seen on so few servers that a newer version may be acknowledged. */
export interface VersionUnconfirmed {
  readonly type: 'version.unconfirmed';
  /** Of the version that is read. */
  readonly seqnum: number;
  /** Servers that could tell. */
  readonly silent: readonly ServerId[];
}

/** What the chart knows as it goes, as JSON. */
export interface ReadFileContext {
  /** The books of `readKernel`: each state follows from them. */
  readonly record: ReadRecord;
  /** From the input: whom a map asks, in permuted order. */
  readonly grid: GridView;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** What traces and pictures show of a context. */
export function readFileSummary({ record }: ReadFileContext) {
  const { wanted, version, attempt, looks, tried, marked, newest } = record;
  const seqnums = { tried: tried.map(({ seqnum }) => seqnum), newest: newest?.seqnum ?? null };
  return { wanted, version, attempt, looks, ...seqnums, marked };
}

/** What is decided, which is of this kind: a state is entered for what was decided. */
function decided<Kind extends ReadDecision['kind']>(record: ReadRecord) {
  return decide(record) as Extract<ReadDecision, { kind: Kind }>;
}

function mapInput({ record, grid, deadlines }: ReadFileContext): ServermapUpdateInput {
  const { mode } = decided<'map'>(record);
  return { mode, ...grid, wantsPrivateKey: false, marked: record.marked, deadlines };
}

function readInput({ record, grid, deadlines }: ReadFileContext): ReadVersionInput {
  const { version, range, map } = decided<'read'>(record);
  return { grid, map, version, ranges: [range], marked: record.marked, deadlines };
}

const end = {
  type: 'final',
  output: ({ context: { record } }: { readonly context: ReadFileContext }) => ({
    ...decide(record),
    newest: record.newest,
  }),
} as const;

/** A read of a mutable file: map, choose a version, read it. */
export const readFileMachine = setup({
  types: {
    context: {} as ReadFileContext,
    input: {} as ReadFileInput,
    output: {} as ReadFileReport,
    events: {} as OperationCancel,
    emitted: {} as VersionUnconfirmed,
  },
  actors: {
    openSession: unprovided<unknown, OpenInput>('openSession'),
    servermapUpdate: servermapUpdateMachine,
    readVersion: readVersionMachine,
  },
  actions: {
    record: assign(({ context }, fact: ReadFact) => ({ record: apply(context.record, fact) })),
    tellUnconfirmed: enqueueActions(({ context: { record }, enqueue }) => {
      const { version, isConfirmed } = decided<'read' | 'delivered'>(record);
      // Who wants a version of his own does not ask for the newest.
      if (isConfirmed || record.version !== null || record.map === null) return;
      const silent = silentIn(record.map);
      enqueue.emit({ type: 'version.unconfirmed', seqnum: version.seqnum, silent });
    }),
  },
  guards: {
    isNext: ({ context }, kind: ReadDecision['kind']) => decide(context.record).kind === kind,
    /** Nothing has to be read: an empty range. */
    isNothing: ({ context: { record } }) =>
      decide(record).kind === 'delivered' && record.end === null,
  },
}).createMachine({
  id: 'readFile',
  description: 'Read a range of the newest version of a file, or of one that is named.',
  context: ({ input: { grid, wanted, version, canTakeBack, attemptsMax, deadlines } }) => ({
    record: start(grid, wanted, canTakeBack, version, attemptsMax),
    grid,
    deadlines,
  }),
  initial: 'opening',
  on: { 'operation.cancel': '.cancelled' },
  states: {
    opening: {
      description: 'Nothing that was read before is kept, and nothing that was delivered.',
      invoke: {
        id: 'openSession',
        src: 'openSession',
        input: ({ context }) => ({ attempt: context.record.attempt }),
        onDone: 'weighing',
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    weighing: {
      description: 'What the map shows, and what came of reading it, decide what comes next.',
      always: [
        { guard: { type: 'isNext', params: 'map' }, target: 'mapping' },
        { guard: { type: 'isNext', params: 'read' }, target: 'reading' },
        {
          guard: { type: 'isNext', params: 'startOver' },
          target: 'opening',
          actions: { type: 'record', params: { type: 'startedOver' } },
        },
        { guard: 'isNothing', target: 'delivered', actions: 'tellUnconfirmed' },
        { guard: { type: 'isNext', params: 'delivered' }, target: 'delivered' },
        { guard: { type: 'isNext', params: 'unrecoverable' }, target: 'unrecoverable' },
        { guard: { type: 'isNext', params: 'versionUnavailable' }, target: 'versionUnavailable' },
        { guard: { type: 'isNext', params: 'outOfRange' }, target: 'outOfRange' },
        { guard: { type: 'isNext', params: 'beyondLimit' }, target: 'beyondLimit' },
        { guard: { type: 'isNext', params: 'notEnoughShares' }, target: 'notEnoughShares' },
        { target: 'failed' },
      ],
    },
    mapping: {
      description: 'Servers are being asked: few first, everybody when those confirm no version.',
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
      description: 'A version is being read: the newest, the newest of what is left, or one named.',
      entry: 'tellUnconfirmed',
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
    unrecoverable: { description: 'Everybody was asked, and no version can be read.', ...end },
    versionUnavailable: {
      description: 'Everybody was asked, and the version that is wanted cannot be read.',
      ...end,
    },
    outOfRange: { description: 'The range begins beyond the contents.', ...end },
    beyondLimit: { description: 'The version is larger than may be asked for.', ...end },
    notEnoughShares: { description: 'Good shares ran out, and it may not begin again.', ...end },
    failed: { description: 'A bug, or the consumer has failed.', ...end },
    cancelled: {
      description: 'The caller lost interest.',
      type: 'final',
      output: ({ context }) => ({ kind: 'cancelled', newest: context.record.newest }),
    },
  },
  output: ({ event }) => event.output as ReadFileReport,
});
