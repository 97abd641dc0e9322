/**
 * @module repair-file: place again what is missing or bad of the newest version.
 *
 * Theory of operation. Everybody is asked, and every block of every share of the best version is
 * judged; if that leaves fewer than k good shares of it, of the next one. `repair-kernel.ts` plans
 * the fewest writes that help: the same version again, or, where versions have to be merged, the
 * best one written over itself. Its contents are read, a `publish` places the shares, and everybody
 * is asked again what is there then. What would lose something is refused before anything is sent.
 */
import { assign, setup } from 'xstate';
import type { OperationCancel } from './events.ts';
import { recordBug } from './failure.ts';
import { type Deadlines, type OpenInput, unprovided } from './io.ts';
import { type PublishInput, publishMachine } from './publish.machine.ts';
import { type ReadVersionInput, readVersionMachine } from './read-version.machine.ts';
import {
  apply,
  decide,
  marksLeft,
  marksToRead,
  newestSeen,
  type RepairDecision,
  type RepairEnd,
  type RepairFact,
  type RepairRecord,
  type RepairTask,
  start,
} from './repair-kernel.ts';
import { type RetrieveInput, retrieveMachine } from './retrieve.machine.ts';
import type { Version } from './servermap.ts';
import { type ServermapUpdateInput, servermapUpdateMachine } from './servermap-update.machine.ts';
import { everyBlock } from './verify-file.machine.ts';

/** What the chart is given, as JSON. */
export interface RepairFileInput {
  /** What may be written over what, and who has to acknowledge it. */
  readonly task: RepairTask;
  /** Whether the signing key is at hand already; if not, the map looks for it. */
  readonly hasPrivateKey: boolean;
  /** All four: it maps, reads, writes, and maps again. */
  readonly deadlines: Deadlines;
}

/** How a repair ended, and the newest version, seen or made, that may be acknowledged. */
export type RepairFileReport = (RepairEnd | { readonly kind: 'cancelled' }) & {
  /** For later operations on the file, which must not go below it; null: none was seen. */
  readonly newest: Version | null;
};

/** What the chart knows as it goes, as JSON. */
export interface RepairFileContext {
  /** The books of `repairKernel`: each state follows from them. */
  readonly record: RepairRecord;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** What traces and pictures show of a context. */
export function repairFileSummary({ record }: RepairFileContext) {
  const { force, hasPrivateKey, map, judged, isRead, published, after, obstacle } = record;
  return {
    ...{ force, hasPrivateKey, isMapped: map !== null },
    judged: Object.keys(judged).map((id) => map?.versions[id]?.seqnum ?? null),
    ...{ isRead, published: published?.kind ?? null },
    ...{ isConfirmed: after !== null, obstacle: obstacle?.kind ?? null },
  };
}

/** What is decided: a state is entered for a decision of its kind. */
function decided<Kind extends RepairDecision['kind']>({ record }: RepairFileContext) {
  return decide(record) as Extract<RepairDecision, { kind: Kind }>;
}

function mapInput({ record, deadlines }: RepairFileContext): ServermapUpdateInput {
  const { grid, hasPrivateKey } = record;
  return { mode: 'repair', ...grid, wantsPrivateKey: !hasPrivateKey, deadlines };
}

function judgeInput(context: RepairFileContext): RetrieveInput {
  const { map, version } = decided<'judge'>(context);
  return { map, version, ...everyBlock(version), deadlines: context.deadlines };
}

function readInput(context: RepairFileContext): ReadVersionInput {
  const { map, version, ranges } = decided<'read'>(context);
  const { record, deadlines } = context;
  return { grid: record.grid, map, version, ranges, marked: marksToRead(record), deadlines };
}

function publishInput(context: RepairFileContext): PublishInput {
  const { plan, recipe } = decided<'publish'>(context);
  return { ...plan, recipe, deadlines: context.deadlines };
}

function confirmInput({ record, deadlines }: RepairFileContext): ServermapUpdateInput {
  const marked = marksLeft(record);
  return { mode: 'check', ...record.grid, wantsPrivateKey: false, marked, deadlines };
}

function reportOf({ record }: RepairFileContext, end: object) {
  return { ...end, newest: newestSeen(record) };
}

const end = {
  type: 'final',
  output: ({ context }: { readonly context: RepairFileContext }) =>
    reportOf(context, decide(context.record)),
} as const;

/** A repair: map and verify everything, write what is missing, map again. */
export const repairFileMachine = setup({
  types: {
    context: {} as RepairFileContext,
    input: {} as RepairFileInput,
    output: {} as RepairFileReport,
    events: {} as OperationCancel,
  },
  actors: {
    openSession: unprovided<unknown, OpenInput>('openSession'),
    servermapUpdate: servermapUpdateMachine,
    retrieve: retrieveMachine,
    readVersion: readVersionMachine,
    publish: publishMachine,
  },
  actions: {
    record: assign(({ context }, fact: RepairFact) => ({
      record: apply(context.record, fact),
    })),
  },
  guards: {
    isNext: ({ context }, kind: RepairDecision['kind']) => decide(context.record).kind === kind,
  },
}).createMachine({
  id: 'repairFile',
  description: 'Place again what is missing or bad of the newest version.',
  context: ({ input: { task, hasPrivateKey, deadlines } }) => ({
    record: start(task, hasPrivateKey),
    deadlines,
  }),
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
      description: 'What was found decides what comes next; nothing is written but from here.',
      always: [
        { guard: { type: 'isNext', params: 'map' }, target: 'mapping' },
        { guard: { type: 'isNext', params: 'judge' }, target: 'judging' },
        { guard: { type: 'isNext', params: 'read' }, target: 'reading' },
        { guard: { type: 'isNext', params: 'publish' }, target: 'placing' },
        { guard: { type: 'isNext', params: 'confirm' }, target: 'confirming' },
        { guard: { type: 'isNext', params: 'repaired' }, target: 'repaired' },
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
    judging: {
      description: 'Every block of every share of the best version is being checked.',
      invoke: {
        id: 'retrieve',
        src: 'retrieve',
        input: ({ context }) => judgeInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ context, event }) => ({
              type: 'judged',
              version: decided<'judge'>(context).version.id,
              report: event.output,
            }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    reading: {
      description: 'The contents are being read, to make shares of.',
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
    placing: {
      description: 'What is missing or bad is being written.',
      invoke: {
        id: 'publish',
        src: 'publish',
        input: ({ context }) => publishInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'published', report: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    confirming: {
      description: 'Everybody is being asked what is there now.',
      invoke: {
        id: 'servermapUpdate',
        src: 'servermapUpdate',
        input: ({ context }) => confirmInput(context),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'confirmed', map: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    repaired: { description: 'What could be placed is there; or nothing was missing.', ...end },
    failed: { description: 'Something stands in the way, or would be lost.', ...end },
    cancelled: {
      description: 'The caller lost interest; writes under way may or may not have landed.',
      type: 'final',
      output: ({ context }) => reportOf(context, { kind: 'cancelled' }),
    },
  },
  output: ({ event }) => event.output as RepairFileReport,
});
