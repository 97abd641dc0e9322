/**
 * @module write-file: create, overwrite, update, append or modify a file.
 *
 * Theory of operation. Every attempt opens a fresh session, makes a fresh map, and **picks its base
 * version from that map** (Tahoe re-reads the version it began with, and so overwrites what it
 * never looked at). The first may take the map that the last write left (`remembered.ts`); if that
 * does not hold any more, it begins again with a fresh one. `weighing` is the only way to
 * `publishing`: it asks everybody when something stands in the way, takes the way in place where
 * all shares allow it, has read what is kept, and has it changed. A collision, a newer version that
 * can not be found, or shares replaced under the reader mean that somebody else is writing: back
 * off, then try again. Attempts are bounded, and the waiting times come in by input: no clock and
 * no randomness here.
 */
import { assign, emit, setup } from 'xstate';
import type { OperationCancel } from './events.ts';
import { recordBug } from './failure.ts';
import {
  type ApplyModifierInput,
  type ApplyModifierResult,
  type Deadlines,
  type OpenInput,
  type ReadTreesInput,
  type ReadTreesResult,
  unprovided,
} from './io.ts';
import { type PublishInput, publishMachine } from './publish.machine.ts';
import { type ReadVersionInput, readVersionMachine } from './read-version.machine.ts';
import type { Recipe } from './rewrite.ts';
import type { Servermap, Version } from './servermap.ts';
import { type ServermapUpdateInput, servermapUpdateMachine } from './servermap-update.machine.ts';
import {
  apply,
  decide,
  isAsBefore,
  leftBy,
  type Standoff,
  standoffIn,
  start,
  type WriteDecision,
  type WriteEnd,
  type WriteFact,
  type WriteRecord,
  type WriteTask,
} from './write-kernel.ts';

/** What the chart is given, as JSON. */
export interface WriteFileInput {
  /** What to write, and who has to acknowledge it; `backoffsMs` counts the attempts. */
  readonly task: Omit<WriteTask, 'attemptsMax'>;
  /** Whether the signing key is at hand already; if not, the map looks for it. */
  readonly hasPrivateKey: boolean;
  /** The newest version that is remembered from earlier operations. */
  readonly newest: Version | null;
  /** How the servers stood after the last write, if nothing disturbed it. */
  readonly remembered?: Servermap | null;
  /** How long to wait after each collision, in milliseconds; one more attempt than entries. */
  readonly backoffsMs: readonly number[];
  /** All four, for each attempt anew. */
  readonly deadlines: Deadlines;
}

/** How a write ended, after how many attempts, and the newest version that it has seen or made. */
export type WriteFileReport = (WriteEnd | { readonly kind: 'cancelled' }) & {
  /** 1 if nobody came in between. */
  readonly attempts: number;
  /** For later operations on the file, which must not go below it; null: none was seen. */
  readonly newest: Version | null;
  /** For the next write of the file, if nothing disturbed this one. */
  readonly remembered: Servermap | null;
  /** Whether what was remembered before is so still, as far as this write goes. */
  readonly isAsBefore: boolean;
};

/** What the chart knows as it goes, as JSON. */
export interface WriteFileContext {
  /** The books of `writeKernel`: each state follows from them. */
  readonly record: WriteRecord;
  /** From the input: the wait after the attempt of that number. */
  readonly backoffsMs: readonly number[];
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** Another writer was there, and the next attempt comes after a wait. */
export interface AttemptCollided {
  readonly type: 'attempt.collided';
  /** Counts from 0. */
  readonly attempt: number;
  /** How many may be made. */
  readonly attemptsMax: number;
  /** Milliseconds until the next one begins. */
  readonly waitMs: number;
  /** What is waited for, if no version could be built on. */
  readonly standoff: Standoff | null;
}

/** What traces and pictures show of a context. */
export function writeFileSummary({ record }: WriteFileContext) {
  const { change, force, expected, attempt, attemptsMax, hasPrivateKey, newest, map } = record;
  const { trees, isRead, modified, obstacle } = record;
  return {
    change,
    force,
    ...(expected != null && { expected: expected.seqnum }),
    attempt,
    attemptsMax,
    hasPrivateKey,
    newest: newest?.seqnum ?? null,
    mapped: record.isRemembered ? 'remembered' : (map?.mode ?? null),
    trees,
    isRead,
    modified,
    obstacle: obstacle?.kind ?? null,
  };
}

/** What is decided: a state is entered for a decision of its kind. */
function decided<Kind extends WriteDecision['kind']>({ record }: WriteFileContext) {
  return decide(record) as Extract<WriteDecision, { kind: Kind }>;
}

function gridOf({ record: { servers, required, total, membership } }: WriteFileContext) {
  return { servers, required, total, membership };
}

function mapInput(context: WriteFileContext): ServermapUpdateInput {
  const { mode } = decided<'map'>(context);
  const wantsPrivateKey = mode !== 'check' && !context.record.hasPrivateKey;
  return { mode, ...gridOf(context), wantsPrivateKey, deadlines: context.deadlines };
}

function readInput(context: WriteFileContext): ReadVersionInput {
  const { map, base, ranges } = decided<'read'>(context);
  const grid = gridOf(context);
  const { marked } = context.record;
  return { grid, map, version: base, ranges, marked, deadlines: context.deadlines };
}

function publishInput(context: WriteFileContext): PublishInput & { readonly recipe: Recipe } {
  const { plan, recipe } = decided<'publish'>(context);
  return { ...plan, recipe, deadlines: context.deadlines };
}

function reportOf({ record }: WriteFileContext, end: object) {
  const { attempt, newest } = record;
  const left = { remembered: leftBy(record), isAsBefore: isAsBefore(record) };
  return { ...end, attempts: attempt + 1, newest, ...left };
}

const end = {
  type: 'final',
  output: ({ context }: { readonly context: WriteFileContext }) =>
    reportOf(context, decide(context.record)),
} as const;

/** A write: map, weigh, publish; after a collision again. */
export const writeFileMachine = setup({
  types: {
    context: {} as WriteFileContext,
    input: {} as WriteFileInput,
    output: {} as WriteFileReport,
    events: {} as OperationCancel,
    emitted: {} as AttemptCollided,
  },
  actors: {
    openSession: unprovided<unknown, OpenInput>('openSession'),
    servermapUpdate: servermapUpdateMachine,
    readTrees: unprovided<ReadTreesResult, ReadTreesInput>('readTrees'),
    readVersion: readVersionMachine,
    applyModifier: unprovided<ApplyModifierResult, ApplyModifierInput>('applyModifier'),
    publish: publishMachine,
  },
  delays: { backoff: ({ context: { record, backoffsMs } }) => backoffsMs[record.attempt] ?? 0 },
  actions: {
    record: assign(({ context }, fact: WriteFact) => ({ record: apply(context.record, fact) })),
    tellCollision: emit(({ context }): AttemptCollided => {
      const { record, backoffsMs } = context;
      const { attempt, attemptsMax } = record;
      const standoff = standoffIn(decided<'backOff'>(context).obstacle);
      const waitMs = backoffsMs[attempt] ?? 0;
      return { type: 'attempt.collided', attempt, attemptsMax, waitMs, standoff };
    }),
  },
  guards: {
    isNext: ({ context }, kind: WriteDecision['kind']) => decide(context.record).kind === kind,
  },
}).createMachine({
  id: 'writeFile',
  description: 'Create, overwrite, update or modify a file; on a collision, do it again.',
  context: ({ input }) => {
    const { task, hasPrivateKey, newest, remembered = null, backoffsMs, deadlines } = input;
    const attemptsMax = backoffsMs.length + 1;
    const record = start({ ...task, attemptsMax }, hasPrivateKey, newest, remembered);
    return { record, backoffsMs, deadlines };
  },
  initial: 'opening',
  on: { 'operation.cancel': '.cancelled' },
  states: {
    opening: {
      description: 'An attempt begins: nothing that was read before is kept.',
      invoke: {
        id: 'openSession',
        src: 'openSession',
        input: ({ context }) => ({ attempt: context.record.attempt }),
        onDone: 'weighing',
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    weighing: {
      description: 'What is known decides what comes next; nothing is written but from here.',
      always: [
        { guard: { type: 'isNext', params: 'map' }, target: 'mapping' },
        { guard: { type: 'isNext', params: 'readTrees' }, target: 'readingTrees' },
        { guard: { type: 'isNext', params: 'read' }, target: 'reading' },
        { guard: { type: 'isNext', params: 'modify' }, target: 'changing' },
        { guard: { type: 'isNext', params: 'publish' }, target: 'publishing' },
        { guard: { type: 'isNext', params: 'backOff' }, target: 'backingOff' },
        {
          guard: { type: 'isNext', params: 'forget' },
          target: 'opening',
          actions: { type: 'record', params: { type: 'forgotten' } },
        },
        { guard: { type: 'isNext', params: 'published' }, target: 'published' },
        { guard: { type: 'isNext', params: 'unchanged' }, target: 'unchanged' },
        { guard: { type: 'isNext', params: 'gaveUp' }, target: 'gaveUp' },
        { target: 'failed' },
      ],
    },
    mapping: {
      description: 'A fresh servermap is being made; everybody is asked if it shows an obstacle.',
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
    readingTrees: {
      description: 'The block hash trees of all shares are being led to the signed root.',
      invoke: {
        id: 'readTrees',
        src: 'readTrees',
        input: ({ context }) => {
          const { kind, base, ...input } = decided<'readTrees'>(context);
          return { ...input, version: base };
        },
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'treesRead', areHeld: event.output.ok }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    reading: {
      description: 'What is kept of the base version is being read.',
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
    changing: {
      description: "The caller's modifier has the contents.",
      invoke: {
        id: 'applyModifier',
        src: 'applyModifier',
        input: ({ context }) => ({
          attempt: context.record.attempt,
          seqnum: decided<'modify'>(context).base.seqnum,
        }),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'record',
            params: ({ event }) => ({ type: 'modified', result: event.output }),
          },
        },
        onError: { target: 'weighing', actions: recordBug },
      },
    },
    publishing: {
      description: 'The new version is being written over what the map saw.',
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
    backingOff: {
      description: 'Waiting for the other writer to finish; the caller has been told how long.',
      entry: 'tellCollision',
      after: {
        backoff: { target: 'opening', actions: { type: 'record', params: { type: 'waited' } } },
      },
    },
    published: { description: 'The new version is on a quorum of servers.', ...end },
    unchanged: { description: 'There was nothing to write.', ...end },
    gaveUp: { description: 'Every attempt collided with another writer.', ...end },
    failed: { description: 'Something stands in the way that no waiting helps with.', ...end },
    cancelled: {
      description: 'The caller lost interest; writes under way may or may not have landed.',
      type: 'final',
      output: ({ context }) => ({
        ...reportOf(context, { kind: 'cancelled' }),
        // What is under way may land.
        isAsBefore: false,
      }),
    },
  },
  output: ({ event }) => event.output as WriteFileReport,
});
