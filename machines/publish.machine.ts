/**
 * @module publish: write one new version of the file, every share with a test-and-set.
 *
 * Theory of operation. The kernel (`publish-kernel.ts`) plans one write for every place that the
 * servermap knows and a home for every homeless share. If a version newer than anything readable
 * was seen, or the plan cannot reach a quorum, nothing is written. The new version is prepared
 * (encoded and signed once), then one child per place writes. While `placing`, a share whose server
 * failed gets another server, and a place that holds a stale version is written again; any other
 * that is signed is somebody else's. From then on, `yielding`, writes under way are waited for and
 * none is added, and the publish ends `uncoordinated`. Every outcome lists what landed where.
 */
import { assign, enqueueActions, setup } from 'xstate';
import { type OperationCancel, type WriteSettled, writeSettled } from './events.ts';
import { recordBug } from './failure.ts';
import { type Deadlines, type PrepareInput, type PrepareResult, unprovided } from './io.ts';
import { newerEvidence } from './newer-evidence.ts';
import {
  apply,
  canSucceed,
  decide,
  expectationOf,
  modeOf,
  type PublishDecision,
  type PublishFact,
  type PublishPlanInput,
  type PublishRecord,
  type PublishReport,
  planWrites,
  reportOf,
  type WritingMode,
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
}

/** What traces and pictures show of a context. */
export function publishSummary({ record }: Context) {
  const { seqnum, quorum, required, total, wholeShares, version, writes, surprises } = record;
  const statuses = writes.map(({ server, shnum, status }) => [`${server}:${shnum}`, status]);
  const checkstring = version?.checkstring ?? null;
  const numbers = { seqnum, quorum, required, total, wholeShares, checkstring, surprises };
  return { ...numbers, writes: Object.fromEntries(statuses) as Record<string, WriteStatus> };
}

type Settled = Extract<PublishFact, { type: 'settled' }>;

/** A report, as it is taken in the state of that mode. */
function settledIn(mode: WritingMode) {
  return ({ event: { report } }: { readonly event: WriteSettled }): Settled => ({
    type: 'settled',
    report,
    mode,
  });
}

function factOf(result: PrepareResult): PublishFact {
  return result.ok
    ? { type: 'prepared', version: result.version }
    : { type: 'failed', failure: result.failure };
}

function endAs(kind: PublishReport['kind']) {
  return {
    type: 'final',
    output: ({ context: { record, newer } }: { readonly context: Context }) =>
      reportOf(record, kind, newer),
  } as const;
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
    record: assign(({ context }, fact: PublishFact) => ({ record: apply(context.record, fact) })),
    writePlanned: enqueueActions(({ context: { record, deadlines }, enqueue, self }) => {
      const decision = decide(record);
      if (decision.kind !== 'write') return;
      for (const write of decision.writes) {
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
      enqueue.assign({ record: apply(record, { type: 'begun' }) });
    }),
    recordReport: enqueueActions(({ context: { record }, enqueue }, fact: Settled) => {
      const { server, shnum } = fact.report;
      const write = record.writes.find((w) => w.server === server && w.shnum === shnum);
      enqueue.assign({ record: apply(record, fact) });
      enqueue.stopChild(`write:${server}:${shnum}:${write?.attempt ?? 0}`);
      enqueue.emit(writeSettled(fact.report));
    }),
  },
  guards: {
    hasNewerEvidence: ({ context }) => context.newer.length > 0,
    canSucceed: ({ context }) => canSucceed(context.record),
    isPrepared: (_, result: PrepareResult) => result.ok,
    isSurprise: ({ context }, { report }: WriteSettled) =>
      modeOf(context.record, report) === 'yielding',
    isNext: ({ context }, kind: PublishDecision['kind']) => decide(context.record).kind === kind,
  },
}).createMachine({
  id: 'publish',
  description: 'Write every share of a new version, each with a test-and-set.',
  context: ({ input: { deadlines, recipe, ...plan } }) => ({
    record: planWrites(plan),
    recipe,
    newer: newerEvidence(plan),
    deadlines,
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
            actions: { type: 'record', params: ({ event }) => factOf(event.output) },
          },
          {
            target: 'unprepared',
            actions: { type: 'record', params: ({ event }) => factOf(event.output) },
          },
        ],
        onError: { target: 'unprepared', actions: recordBug },
      },
    },
    writing: {
      description: 'Test-and-sets are under way.',
      initial: 'placing',
      on: { 'operation.cancel': 'cancelled' },
      always: [
        { guard: { type: 'isNext', params: 'published' }, target: 'published' },
        { guard: { type: 'isNext', params: 'uncoordinated' }, target: 'uncoordinated' },
        { guard: { type: 'isNext', params: 'indeterminate' }, target: 'indeterminate' },
        { guard: { type: 'isNext', params: 'notEnoughServers' }, target: 'notEnoughServers' },
      ],
      states: {
        placing: {
          description: 'Nobody else was seen: a write that failed may lead to another elsewhere.',
          entry: 'writePlanned',
          on: {
            'write.settled': [
              {
                guard: { type: 'isSurprise', params: ({ event }) => event },
                target: 'yielding',
                actions: { type: 'recordReport', params: settledIn('yielding') },
              },
              { actions: [{ type: 'recordReport', params: settledIn('placing') }, 'writePlanned'] },
            ],
          },
        },
        yielding: {
          description: "Another writer's version counts now: ours is not spread any further.",
          on: {
            'write.settled': {
              actions: { type: 'recordReport', params: settledIn('yielding') },
            },
          },
        },
      },
    },
    published: {
      description: 'The new version is on a quorum of servers and nobody else was seen.',
      ...endAs('published'),
    },
    uncoordinated: {
      description: 'Somebody else has written at the same time.',
      ...endAs('uncoordinated'),
    },
    indeterminate: {
      description: 'Lost answers leave open whether a quorum holds the new version.',
      ...endAs('indeterminate'),
    },
    notEnoughServers: {
      description: 'The new version is not on a quorum of servers.',
      ...endAs('notEnoughServers'),
    },
    newerVersionSeen: {
      description: 'A newer version is out there and cannot be read; nothing was written.',
      ...endAs('newerVersionSeen'),
    },
    unprepared: {
      description: 'The new version could not be encoded; nothing was written.',
      ...endAs('unprepared'),
    },
    cancelled: {
      description: 'The caller lost interest; writes under way may or may not have landed.',
      ...endAs('cancelled'),
    },
  },
  output: ({ event }) => event.output as PublishReport,
});
