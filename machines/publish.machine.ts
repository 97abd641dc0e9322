/**
 * @module publish: write one new version of the file, one test-and-set per server.
 *
 * Theory of operation. The kernel (`publish-kernel.ts`) plans a request for every server that holds
 * nothing but the line of the base, and keeps the others back until what they hold is dead. If the
 * plan cannot reach a quorum, nothing is written. The new version is prepared (encoded and signed
 * once), then one child per request writes. A server that held something else is asked again, if
 * what was found may be overwritten. Once a quorum is won the version is acknowledged, whatever was
 * met elsewhere. Every outcome lists what landed where.
 */
import { assign, enqueueActions, setup } from 'xstate';
import type { OperationCancel, WriteSettled } from './events.ts';
import { recordBug } from './failure.ts';
import { type Deadlines, type PrepareInput, type PrepareResult, unprovided } from './io.ts';
import {
  apply,
  decide,
  firstRequests,
  type PublishDecision,
  type PublishFact,
  type PublishPlan,
  type PublishRecord,
  type PublishReport,
  reportOf,
  start,
  writesOf,
} from './publish-kernel.ts';
import type { WriteStatus } from './reports.ts';
import type { Recipe } from './rewrite.ts';
import { shareWriteMachine } from './share-write.machine.ts';

/** What the chart is given, as JSON. */
export interface PublishInput extends PublishPlan {
  /** What the new version is made of; the bytes are with the runtime. */
  readonly recipe: Recipe;
  /** `writeMs` and `readMs` of them, for each request by itself. */
  readonly deadlines: Deadlines;
}

/** What the chart knows as it goes, as JSON. */
export interface PublishContext {
  /** The books of `publishKernel`: each request follows from them. */
  readonly record: PublishRecord;
  /** From the input, for `prepareShares`. */
  readonly recipe: Recipe;
  /** From the input, for every child. */
  readonly deadlines: Deadlines;
}

/** What traces and pictures show of a context. */
export function publishSummary({ record }: PublishContext) {
  const { seqnum, required, total, wholeShares, version, surprises } = record;
  const statuses = writesOf(record).map(({ server, shnum, status }) => [
    `${server}:${shnum}`,
    status,
  ]);
  const checkstring = version?.checkstring ?? null;
  const quorum = record.quorum.size;
  const numbers = { seqnum, quorum, required, total, wholeShares, checkstring, surprises };
  return { ...numbers, writes: Object.fromEntries(statuses) as Record<string, WriteStatus> };
}

function factOf(result: PrepareResult): PublishFact {
  return result.ok
    ? { type: 'prepared', version: result.version }
    : { type: 'failed', failure: result.failure };
}

function endAs(kind: PublishReport['kind']) {
  return {
    type: 'final',
    output: ({ context: { record } }: { readonly context: PublishContext }) =>
      reportOf(record, kind),
  } as const;
}

/** One new version: every share gets a server, until a quorum has it or none can. */
export const publishMachine = setup({
  types: {
    context: {} as PublishContext,
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
    sendRequests: enqueueActions(({ context: { record, deadlines }, enqueue, self }) => {
      const decision = decide(record);
      if (decision.kind !== 'write') return;
      for (const request of decision.requests) {
        enqueue.spawnChild('shareWrite', {
          id: `write:${request.server}:${request.attempt}`,
          input: {
            server: request.server,
            shnums: request.shnums,
            tests: request.tests,
            checkstring: record.version?.checkstring ?? '',
            parent: self,
            deadlines,
          },
        });
      }
      enqueue.assign({ record: apply(record, { type: 'sent', requests: decision.requests }) });
    }),
    recordReport: enqueueActions(({ context: { record }, enqueue }, event: WriteSettled) => {
      const { report } = event;
      const target = record.targets.find(({ server }) => server === report.server);
      enqueue.assign({ record: apply(record, { type: 'settled', report }) });
      enqueue.stopChild(`write:${report.server}:${(target?.attempt ?? 1) - 1}`);
      enqueue.emit(event);
    }),
  },
  guards: {
    isPrepared: (_, result: PrepareResult) => result.ok,
    isNext: ({ context }, kind: PublishDecision['kind']) => decide(context.record).kind === kind,
  },
}).createMachine({
  id: 'publish',
  description: 'Write every share of a new version, each with a test-and-set.',
  context: ({ input: { deadlines, recipe, ...plan } }) => ({
    record: start(plan),
    recipe,
    deadlines,
  }),
  initial: 'choosingTargets',
  states: {
    choosingTargets: {
      description:
        'Each server that may be written has a request, each share a home; or nothing is written.',
      always: [
        { guard: { type: 'isNext', params: 'prepare' }, target: 'preparing' },
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
          base: record.base?.id ?? null,
          recipe,
          requests: firstRequests(record),
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
      description: 'Test-and-sets are under way; what they find may allow others.',
      entry: 'sendRequests',
      on: {
        'operation.cancel': 'cancelled',
        'write.settled': {
          actions: [{ type: 'recordReport', params: ({ event }) => event }, 'sendRequests'],
        },
      },
      always: [
        { guard: { type: 'isNext', params: 'published' }, target: 'published' },
        { guard: { type: 'isNext', params: 'uncoordinated' }, target: 'uncoordinated' },
        { guard: { type: 'isNext', params: 'indeterminate' }, target: 'indeterminate' },
        { guard: { type: 'isNext', params: 'notEnoughServers' }, target: 'notEnoughServers' },
      ],
    },
    published: {
      description: 'The new version has won a quorum of servers.',
      ...endAs('published'),
    },
    uncoordinated: {
      description: 'Somebody else has written at the same time, and the quorum was not won.',
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
