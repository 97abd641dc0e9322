/**
 * @module share-write: one test-and-set on one server, of one share or several.
 *
 * Theory of operation. A request tests every share number of the server, so it lands only if the
 * server holds just what was last seen there. The server either writes, or tells what it holds
 * instead, or refuses, or the request never reached it. When its answer is lost (or late) the write
 * may have happened: the server is read again before anything is concluded, and our own checkstring
 * in every place that can tell means success. `unknown` remains where the server cannot be read,
 * where no place can tell, where no answer came in time and it holds what it held (the request may
 * come to it yet), or where it contradicts itself. What it shows of another writer is a claim: it
 * is read, and its signature checked, before the coordinator hears of it. The child decides
 * nothing global.
 */
import { type ActorRef, assign, type Snapshot, sendTo, setup } from 'xstate';
import { type WriteSettled, writeSettled } from './events.ts';
import {
  type ClaimInput,
  type ClaimResult,
  type Deadlines,
  type Failure,
  internalFailure,
  type RereadInput,
  type RereadResult,
  type SeenShare,
  unprovided,
  type WriteInput,
  type WriteResult,
} from './io.ts';

import { allPass, claimsIn, passes } from './publish-claims.ts';
import type { ProvenShare, WriteReport, WriteTest } from './reports.ts';
import type { Hex, ServerId } from './servermap.ts';

/** What the chart is given, as JSON. */
export interface ShareWriteInput {
  /** Its id in the map. */
  readonly server: ServerId;
  /** Of the shares that are written. */
  readonly shnums: readonly number[];
  /** Of every share number. */
  readonly tests: readonly WriteTest[];
  /** The checkstring of the version being written. */
  readonly checkstring: Hex;
  /** The publish: hears once how it ended. */
  readonly parent: ActorRef<Snapshot<unknown>, WriteSettled>;
  /** `writeMs` for the answer; `readMs` for a re-read, and for the proof of a claim. */
  readonly deadlines: Deadlines;
}

/** What the chart knows as it goes, as JSON. */
export interface ShareWriteContext extends ShareWriteInput {
  /** Whether it was written, as the server says; null: it has not said. */
  readonly wrote: boolean | null;
  /** Whether its answer was lost, and the server read again. */
  readonly isReread: boolean;
  /** What the server showed last of the whole file; empty before. */
  readonly seen: readonly SeenShare[];
  /** Those of them with a signature that was checked. */
  readonly proven: readonly ProvenShare[];
  /** What went wrong on the way; a re-read may find the shares there even so. */
  readonly failure: Failure | null;
}

type Seen = readonly SeenShare[];

function seenIn(result: WriteResult | RereadResult | ClaimResult): Seen {
  return 'seen' in result ? result.seen : [];
}

/**
 * Whether the new version is there: since its tests were of the whole server, they have held. One
 * that fails half way leaves some of its writes done: every place that can tell has to.
 */
function isOurs({ shnums, tests, checkstring }: ShareWriteContext, seen: Seen): boolean {
  const telling = shnums.filter((shnum) => !passes(tests[shnum], checkstring));
  const isThere = (shnum: number) =>
    seen.some((share) => share.shnum === shnum && share.checkstring === checkstring);
  return telling.length > 0 && telling.every(isThere);
}

/** Whether no place can tell: a bad share of the very version may begin like a good one. */
function isUntold({ shnums, tests, checkstring }: ShareWriteContext): boolean {
  return shnums.every((shnum) => passes(tests[shnum], checkstring));
}

/** The shown shares that would be another writer's. */
function claimsOf({ tests, checkstring }: ShareWriteContext, seen: Seen): readonly number[] {
  return claimsIn(tests, checkstring, seen);
}

/** What was shown, with each claim replaced by what was found when it was checked. */
function withChecked(seen: Seen, checked: Seen): Seen {
  const rest = seen.filter(({ shnum }) => !checked.some((share) => share.shnum === shnum));
  return [...rest, ...checked.map(({ shnum, checkstring }) => ({ shnum, checkstring }))];
}

/** What traces and pictures show of a context. */
export function shareWriteSummary({ server, shnums, tests, seen, failure }: ShareWriteContext) {
  return { server, shnums, tests, seen, failure };
}

/** One test-and-set to one server; a lost answer is read again before it counts. */
export const shareWriteMachine = setup({
  types: { context: {} as ShareWriteContext, input: {} as ShareWriteInput },
  actors: {
    writeShare: unprovided<WriteResult, WriteInput>('writeShare'),
    rereadShare: unprovided<RereadResult, RereadInput>('rereadShare'),
    verifyClaim: unprovided<ClaimResult, ClaimInput>('verifyClaim'),
  },
  delays: {
    writeDeadline: ({ context }) => context.deadlines.writeMs,
    readDeadline: ({ context }) => context.deadlines.readMs,
  },
  actions: {
    recordAnswer: assign((_, result: WriteResult) =>
      result.kind === 'answered'
        ? { wrote: result.wrote, seen: result.seen }
        : { failure: result.failure },
    ),
    recordLoss: assign({ isReread: true }),
    recordReread: assign((_, result: RereadResult) => ({ seen: seenIn(result) })),
    recordChecked: assign(({ context }, result: ClaimResult) =>
      result.ok
        ? {
            seen: withChecked(context.seen, result.seen),
            proven: result.seen.flatMap(({ shnum, version }) =>
              version === null ? [] : [{ shnum, version }],
            ),
          }
        : { failure: result.failure },
    ),
    recordContradiction: assign(({ context: { server } }, wrote: boolean) => ({
      failure: {
        kind: 'contradictory' as const,
        detail: wrote
          ? `server ${server}: it has written, and what it held was in the way`
          : `server ${server}: it has not written, and nothing was in the way`,
      },
    })),
    recordFailure: assign((_, failure: Failure) => ({ failure })),
    reportSettled: sendTo(
      ({ context }) => context.parent,
      ({ context }, status: WriteReport['status']) => {
        const { server, isReread, seen, proven, failure } = context;
        return writeSettled({ server, status, isReread, seen, proven, failure });
      },
    ),
  },
  guards: {
    hasWritten: (_, result: WriteResult) => result.kind === 'answered' && result.wrote,
    isSurprise: (_, result: WriteResult) => result.kind === 'answered' && !result.wrote,
    isFalseNo: ({ context }, result: WriteResult) =>
      result.kind === 'answered' && !result.wrote && allPass(context.tests, result.seen),
    isFalseYes: ({ context }, result: WriteResult) =>
      result.kind === 'answered' && result.wrote && !allPass(context.tests, result.seen),
    isRefusal: (_, result: WriteResult) => result.kind === 'refused',
    isNotSent: (_, result: WriteResult) => result.kind === 'notSent',
    isUnreadable: (_, result: RereadResult | ClaimResult) => !result.ok,
    isOurs: ({ context }, result: RereadResult) => isOurs(context, seenIn(result)),
    isUntold: ({ context }, result: RereadResult) =>
      isUntold(context) && allPass(context.tests, seenIn(result)),
    isUntouched: ({ context }, result: RereadResult) => allPass(context.tests, seenIn(result)),
    isMaybeLate: ({ context }, result: RereadResult) =>
      context.failure?.kind === 'timeout' && allPass(context.tests, seenIn(result)),
    isClaim: ({ context }, result: WriteResult | RereadResult) =>
      claimsOf(context, seenIn(result)).length > 0,
    isDisproved: ({ context }, result: ClaimResult) =>
      context.wrote === false && allPass(context.tests, withChecked(context.seen, seenIn(result))),
    wasNotWritten: ({ context }) => context.wrote === false,
  },
}).createMachine({
  id: 'shareWrite',
  description: 'Write to one server if it still holds what was seen there.',
  context: ({ input }) => ({
    ...input,
    wrote: null,
    isReread: false,
    seen: [],
    proven: [],
    failure: null,
  }),
  initial: 'writing',
  states: {
    writing: {
      description: 'The server has our test-and-set and has not answered.',
      invoke: {
        id: 'writeShare',
        src: 'writeShare',
        input: ({ context: { server, shnums, tests } }) => ({ server, shnums, tests }),
        onDone: [
          {
            guard: { type: 'isFalseNo', params: ({ event }) => event.output },
            target: 'failed',
            actions: { type: 'recordContradiction', params: false },
          },
          {
            guard: { type: 'isFalseYes', params: ({ event }) => event.output },
            target: 'unknown',
            actions: { type: 'recordContradiction', params: true },
          },
          {
            guard: { type: 'hasWritten', params: ({ event }) => event.output },
            target: 'accepted',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isClaim', params: ({ event }) => event.output },
            target: 'checkingClaim',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isSurprise', params: ({ event }) => event.output },
            target: 'surprised',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isRefusal', params: ({ event }) => event.output },
            target: 'refused',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isNotSent', params: ({ event }) => event.output },
            target: 'failed',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
          {
            target: 'rereading',
            actions: { type: 'recordAnswer', params: ({ event }) => event.output },
          },
        ],
        onError: {
          target: 'rereading',
          actions: { type: 'recordFailure', params: ({ event }) => internalFailure(event.error) },
        },
      },
      after: {
        writeDeadline: {
          target: 'rereading',
          actions: {
            type: 'recordFailure',
            params: { kind: 'timeout', detail: 'no answer to the write' },
          },
        },
      },
    },
    rereading: {
      description: 'The answer was lost: the server is read to learn whether the write happened.',
      entry: 'recordLoss',
      invoke: {
        id: 'rereadShare',
        src: 'rereadShare',
        input: ({ context: { server } }) => ({ server }),
        onDone: [
          {
            guard: { type: 'isUnreadable', params: ({ event }) => event.output },
            target: 'unknown',
          },
          {
            guard: { type: 'isOurs', params: ({ event }) => event.output },
            target: 'accepted',
            actions: { type: 'recordReread', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isUntold', params: ({ event }) => event.output },
            target: 'unknown',
          },
          {
            guard: { type: 'isMaybeLate', params: ({ event }) => event.output },
            target: 'unknown',
          },
          {
            guard: { type: 'isUntouched', params: ({ event }) => event.output },
            target: 'failed',
          },
          {
            guard: { type: 'isClaim', params: ({ event }) => event.output },
            target: 'checkingClaim',
            actions: { type: 'recordReread', params: ({ event }) => event.output },
          },
          {
            target: 'surprised',
            actions: { type: 'recordReread', params: ({ event }) => event.output },
          },
        ],
        onError: { target: 'unknown' },
      },
      after: { readDeadline: { target: 'unknown' } },
    },
    checkingClaim: {
      description:
        "The server shows what would be another writer's; its signature is being checked.",
      invoke: {
        id: 'verifyClaim',
        src: 'verifyClaim',
        input: ({ context }) => ({
          server: context.server,
          shnums: claimsOf(context, context.seen),
        }),
        onDone: [
          {
            guard: { type: 'isUnreadable', params: ({ event }) => event.output },
            target: 'doubted',
            actions: { type: 'recordChecked', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isDisproved', params: ({ event }) => event.output },
            target: 'failed',
            actions: { type: 'recordContradiction', params: false },
          },
          {
            target: 'surprised',
            actions: { type: 'recordChecked', params: ({ event }) => event.output },
          },
        ],
        onError: {
          target: 'doubted',
          actions: { type: 'recordFailure', params: ({ event }) => internalFailure(event.error) },
        },
      },
      after: {
        readDeadline: {
          target: 'doubted',
          actions: {
            type: 'recordFailure',
            params: { kind: 'timeout', detail: 'no proof of what the server showed' },
          },
        },
      },
    },
    doubted: {
      description: 'What the server showed has no proof: its word is good for nothing but a no.',
      always: [{ guard: 'wasNotWritten', target: 'failed' }, { target: 'unknown' }],
    },
    accepted: {
      description: 'The shares are on the server; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'accepted' },
    },
    surprised: {
      description: 'The server held something else; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'surprised' },
    },
    refused: {
      description: 'The server said no; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'refused' },
    },
    failed: {
      description: 'The write did not happen; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'failed' },
    },
    unknown: {
      description: 'Nobody can say whether the write happened; the coordinator has been told.',
      entry: { type: 'reportSettled', params: 'unknown' },
    },
  },
});
