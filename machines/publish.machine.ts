/**
 * @module publish: write one new version of the file, every share with a test-and-set.
 *
 * Theory of operation. The kernel (`publish-kernel.ts`) plans one write for every place that the
 * servermap knows and a home for every homeless share. If a version newer than anything readable
 * was seen, or the plan cannot reach a quorum, nothing is written. The new version is prepared
 * (encoded and signed once), then one child per place writes. A share whose server failed gets
 * another server; a place that holds a stale version is written again; any other that is signed is
 * somebody else's, and the publish ends `uncoordinated`. Every outcome lists what landed where.
 */
import { assign, enqueueActions, setup } from 'xstate';
import type { OperationCancel, WriteSettled } from './events.ts';
import {
  type Deadlines,
  type Failure,
  internalFailure,
  type PrepareInput,
  type PrepareResult,
  unprovided,
} from './io.ts';
import {
  applyWrite,
  canSucceed,
  decideOutcome,
  expectationOf,
  isSettled,
  newerEvidence,
  type PublishKind,
  type PublishPlanInput,
  type PublishRecord,
  type PublishReport,
  plannedWrites,
  planWrites,
  reportOf,
  startPlanned,
  withPrepared,
} from './publish-kernel.ts';
import type { WriteStatus } from './reports.ts';
import type { Recipe } from './rewrite.ts';
import type { Version } from './servermap.ts';
import { shareWriteMachine } from './share-write.machine.ts';

export interface PublishInput extends PublishPlanInput {
  readonly recipe: Recipe;
  readonly deadlines: Deadlines;
}

export interface Context {
  readonly record: PublishRecord;
  readonly recipe: Recipe;
  readonly newer: readonly Version[];
  readonly deadlines: Deadlines;
  readonly kind: PublishReport['kind'];
}

/** What traces and pictures show of a context. */
export function publishSummary({ record }: Context) {
  const { seqnum, quorum, required, total, wholeShares, version, writes, surprises } = record;
  const statuses = writes.map(({ server, shnum, status }) => [`${server}:${shnum}`, status]);
  const checkstring = version?.checkstring ?? null;
  const numbers = { seqnum, quorum, required, total, wholeShares, checkstring, surprises };
  return { ...numbers, writes: Object.fromEntries(statuses) as Record<string, WriteStatus> };
}

export const publishMachine = setup({
  types: {
    context: {} as Context,
    input: {} as PublishInput,
    output: {} as PublishReport,
    events: {} as WriteSettled | OperationCancel,
    emitted: {} as WriteSettled,
  },
  actors: {
    prepareShares: unprovided<PrepareResult, PrepareInput>('prepareShares'),
    shareWrite: shareWriteMachine,
  },
  actions: {
    recordPrepared: assign(({ context }, result: PrepareResult) =>
      result.ok ? { record: withPrepared(context.record, result.version) } : {},
    ),
    recordFailure: assign(({ context }, failure: Failure) => ({
      record: { ...context.record, failures: [...context.record.failures, failure] },
    })),
    writePlanned: enqueueActions(({ context: { record, deadlines }, enqueue, self }) => {
      for (const write of plannedWrites(record)) {
        const { server, shnum, test, attempt } = write;
        enqueue.spawnChild('shareWrite', {
          id: `write:${server}:${shnum}:${attempt}`,
          input: {
            server,
            shnum,
            test,
            checkstring: record.version?.checkstring ?? '',
            expectation: expectationOf(record, write),
            parent: self,
            deadlines,
          },
        });
      }
      enqueue.assign({ record: startPlanned(record) });
    }),
    recordReport: enqueueActions(({ context: { record }, enqueue }, event: WriteSettled) => {
      const { server, shnum } = event.report;
      const write = record.writes.find((w) => w.server === server && w.shnum === shnum);
      enqueue.assign({ record: applyWrite(record, event.report) });
      enqueue.stopChild(`write:${server}:${shnum}:${write?.attempt ?? 0}`);
      enqueue.emit(event);
    }),
    recordKind: assign((_, kind: PublishReport['kind']) => ({ kind })),
  },
  guards: {
    hasNewerEvidence: ({ context }) => context.newer.length > 0,
    canSucceed: ({ context }) => canSucceed(context.record),
    isPrepared: (_, result: PrepareResult) => result.ok,
    isSettled: ({ context }) => isSettled(context.record),
    isOutcome: ({ context }, kind: PublishKind) => decideOutcome(context.record) === kind,
  },
}).createMachine({
  id: 'publish',
  description: 'Write every share of a new version, each with a test-and-set.',
  context: ({ input: { deadlines, recipe, ...plan } }) => ({
    record: planWrites(plan),
    recipe,
    newer: newerEvidence(plan),
    deadlines,
    kind: 'cancelled',
  }),
  initial: 'choosingTargets',
  states: {
    choosingTargets: {
      description:
        'Every known place and every homeless share gets a write, or nothing is written.',
      always: [
        { guard: 'hasNewerEvidence', target: 'newerVersionSeen' },
        { guard: 'canSucceed', target: 'preparing' },
        { target: 'notEnoughServers' },
      ],
    },
    preparing: {
      description: 'The new version is being encoded and signed.',
      on: { 'operation.cancel': 'cancelled' },
      invoke: {
        id: 'prepareShares',
        src: 'prepareShares',
        input: ({ context: { record, recipe } }) => ({
          seqnum: record.seqnum,
          base: record.base,
          recipe,
        }),
        onDone: [
          {
            guard: { type: 'isPrepared', params: ({ event }) => event.output },
            target: 'writing',
            actions: { type: 'recordPrepared', params: ({ event }) => event.output },
          },
          {
            target: 'unprepared',
            actions: {
              type: 'recordFailure',
              params: ({ event }) =>
                event.output.ok ? internalFailure('no failure') : event.output.failure,
            },
          },
        ],
        onError: {
          target: 'unprepared',
          actions: { type: 'recordFailure', params: ({ event }) => internalFailure(event.error) },
        },
      },
    },
    writing: {
      description: 'Test-and-sets are under way; a failed one may lead to another elsewhere.',
      entry: 'writePlanned',
      always: { guard: 'isSettled', target: 'settling' },
      on: {
        'operation.cancel': 'cancelled',
        'write.settled': {
          actions: [{ type: 'recordReport', params: ({ event }) => event }, 'writePlanned'],
        },
      },
    },
    settling: {
      description: 'Every write has its answer; they decide how the publish ends.',
      always: [
        { guard: { type: 'isOutcome', params: 'published' }, target: 'published' },
        { guard: { type: 'isOutcome', params: 'uncoordinated' }, target: 'uncoordinated' },
        { guard: { type: 'isOutcome', params: 'indeterminate' }, target: 'indeterminate' },
        { target: 'notEnoughServers' },
      ],
    },
    published: {
      description: 'The new version is on a quorum of servers and nobody else was seen.',
      type: 'final',
      entry: { type: 'recordKind', params: 'published' },
    },
    uncoordinated: {
      description: 'Somebody else has written at the same time.',
      type: 'final',
      entry: { type: 'recordKind', params: 'uncoordinated' },
    },
    indeterminate: {
      description: 'Lost answers leave open whether a quorum holds the new version.',
      type: 'final',
      entry: { type: 'recordKind', params: 'indeterminate' },
    },
    notEnoughServers: {
      description: 'The new version is not on a quorum of servers.',
      type: 'final',
      entry: { type: 'recordKind', params: 'notEnoughServers' },
    },
    newerVersionSeen: {
      description: 'A newer version is out there and cannot be read; nothing was written.',
      type: 'final',
      entry: { type: 'recordKind', params: 'newerVersionSeen' },
    },
    unprepared: {
      description: 'The new version could not be encoded; nothing was written.',
      type: 'final',
      entry: { type: 'recordKind', params: 'unprepared' },
    },
    cancelled: {
      description: 'The caller lost interest; writes under way may or may not have landed.',
      type: 'final',
      entry: { type: 'recordKind', params: 'cancelled' },
    },
  },
  output: ({ context }) => reportOf(context.record, context.kind, context.newer),
});
