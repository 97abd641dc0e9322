/** Whole operations, live: real children and real mailboxes; only the IO is made up. */
import { describe, expect, test } from 'vitest';
import {
  type AnyActorRef,
  createActor,
  fromCallback,
  fromPromise,
  type InspectionEvent,
  toPromise,
} from 'xstate';
import { blockReadMachine } from '../../machines/block-read.machine.ts';
import { operationCancel, type ShareJudged, shareJudged } from '../../machines/events.ts';
import type {
  ApplyModifierInput,
  ApplyModifierResult,
  ClaimInput,
  ClaimResult,
  DecodeInput,
  DecodeResult,
  OpenInput,
  PrepareInput,
  PrepareResult,
  QueryInput,
  QueryResult,
  ReadBlocksInput,
  ReadBlocksResult,
  VerifyInput,
  WriteInput,
  WriteResult,
} from '../../machines/io.ts';
import { publishMachine } from '../../machines/publish.machine.ts';
import { allPass } from '../../machines/publish-claims.ts';
import { readFileMachine } from '../../machines/read-file.machine.ts';
import { readVersionMachine } from '../../machines/read-version.machine.ts';
import { retrieveMachine } from '../../machines/retrieve.machine.ts';
import { serverQueryMachine } from '../../machines/server-query.machine.ts';
import type { Version } from '../../machines/servermap.ts';
import { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { shareWriteMachine } from '../../machines/share-write.machine.ts';
import { writeFileMachine } from '../../machines/write-file.machine.ts';
import { deadlines, versionOf } from '../support/facts.ts';
import { grid } from '../support/operations.ts';

/** Of another writer, who is quicker once. */
const theirs = versionOf(2, 'b', { parent: versionOf(1) });

/** Share n on server n, for the first three servers. */
function gridOf(version: Version) {
  const held = new Map<string, Version>(['s0', 's1', 's2'].map((id) => [id, version]));
  const log: string[] = [];
  const update = servermapUpdateMachine.provide({
    actors: {
      serverQuery: serverQueryMachine.provide({
        actors: {
          queryServer: fromPromise<QueryResult, QueryInput>(async ({ input: { server } }) => ({
            ok: true,
            shnums: held.has(server) ? [Number(server.slice(1))] : [],
          })),
          verifyShares: fromCallback<ShareJudged, VerifyInput>(({ input, sendBack }) => {
            const found = held.get(input.server) as Version;
            const verdict = { kind: 'good', version: found.id } as const;
            for (const shnum of input.shnums)
              sendBack(shareJudged(shnum, verdict, { version: found }));
          }),
        },
      }),
    },
  });
  const retrieve = retrieveMachine.provide({
    actors: {
      blockRead: blockReadMachine.provide({
        actors: {
          readBlocks: fromPromise<ReadBlocksResult, ReadBlocksInput>(async () => ({ ok: true })),
        },
      }),
      decodeSegments: fromPromise<DecodeResult, DecodeInput>(async ({ input }) => {
        log.push(`decode ${input.firstSegment}+${input.segmentCount}`);
        return { ok: true };
      }),
    },
  });
  const publish = publishMachine.provide({
    actors: {
      prepareShares: fromPromise<PrepareResult, PrepareInput>(async ({ input: { seqnum } }) => ({
        ok: true,
        version: versionOf(seqnum),
      })),
      shareWrite: shareWriteMachine.provide({
        actors: {
          writeShare: fromPromise<WriteResult, WriteInput>(async ({ input: { server, tests } }) => {
            if (!log.includes('collision')) {
              log.push('collision');
              for (const id of held.keys()) held.set(id, theirs);
            }
            const shnum = Number(server.slice(1));
            const { checkstring } = held.get(server) ?? { checkstring: '' };
            const seen = checkstring === '' ? [] : [{ shnum, checkstring }];
            return { kind: 'answered', wrote: allPass(tests, seen), seen };
          }),
          verifyClaim: fromPromise<ClaimResult, ClaimInput>(async ({ input }) => {
            const { checkstring } = theirs;
            const seen = input.shnums.map((shnum) => ({ shnum, checkstring, version: theirs }));
            return { ok: true, seen };
          }),
        },
      }),
    },
  });
  const openSession = fromPromise<unknown, OpenInput>(async ({ input: { attempt } }) => {
    log.push(`open ${attempt}`);
  });
  const readVersion = readVersionMachine.provide({ actors: { servermapUpdate: update, retrieve } });
  return { update, retrieve, publish, openSession, readVersion, log };
}

/** Runs under an inspector that notes every actor and the one that made it. */
function treeOf() {
  const parents = new Map<AnyActorRef, AnyActorRef | undefined>();
  const inspect = (event: InspectionEvent) => {
    if (event.type !== '@xstate.actor') return;
    const { actorRef } = event;
    parents.set(
      actorRef as AnyActorRef,
      (actorRef as unknown as { readonly _parent?: AnyActorRef })._parent,
    );
  };
  const roots = () => [...parents].filter(([, parent]) => parent === undefined).length;
  return { inspect, roots, count: () => parents.size };
}

describe('live', () => {
  test('a read delivers the newest version', async () => {
    const { update, readVersion, openSession, log } = gridOf(versionOf(1));
    const machine = readFileMachine.provide({
      actors: { servermapUpdate: update, readVersion, openSession },
    });
    const input = { grid, wanted: { offset: 0, length: null }, canTakeBack: true, deadlines };
    const actor = createActor(machine, { input });
    actor.start();
    expect(await toPromise(actor)).toMatchObject({ kind: 'delivered', newest: { seqnum: 1 } });
    expect(log).toEqual(['open 0', 'decode 0+3']);
  });

  test('a modify that collides: one root, and all of it below', async () => {
    const { update, readVersion, openSession, publish, log } = gridOf(versionOf(1));
    const machine = writeFileMachine.provide({
      actors: {
        servermapUpdate: update,
        readVersion,
        openSession,
        publish,
        applyModifier: fromPromise<ApplyModifierResult, ApplyModifierInput>(async ({ input }) => {
          log.push(`modify v${input.seqnum}`);
          return { ok: true, isChanged: true };
        }),
      },
    });
    const task = { change: { kind: 'modify' }, format: 'mdmf', force: false } as const;
    const tree = treeOf();
    const actor = createActor(machine, {
      input: {
        task: { ...task, ...grid },
        hasPrivateKey: true,
        newest: null,
        backoffsMs: [1],
        deadlines,
      },
      inspect: tree.inspect,
    });
    const told: unknown[] = [];
    actor.on('attempt.collided', (event) => told.push(event));
    actor.start();
    const report = await toPromise(actor);
    expect(report).toMatchObject({
      kind: 'published',
      attempts: 2,
      report: { seqnum: 3 },
      newest: { seqnum: 3 },
    });
    expect(log).toEqual([
      'open 0',
      'decode 0+3',
      'modify v1',
      'collision',
      'open 1',
      'decode 0+3',
      'modify v2',
    ]);
    expect(told).toEqual([
      { type: 'attempt.collided', attempt: 0, attemptsMax: 2, waitMs: 1, standoff: null },
    ]);
    expect([tree.roots(), tree.count() > 20]).toEqual([1, true]);
  });

  test('a cancelled write stops every child of it', async () => {
    const { update, readVersion, openSession, publish } = gridOf(versionOf(1));
    const aborted: string[] = [];
    const machine = writeFileMachine.provide({
      actors: {
        servermapUpdate: update,
        openSession,
        publish: publish.provide({
          actors: {
            shareWrite: shareWriteMachine.provide({
              actors: {
                writeShare: fromPromise<WriteResult, WriteInput>(({ input, signal }) => {
                  signal.addEventListener('abort', () => aborted.push(input.server));
                  return new Promise(() => {});
                }),
              },
            }),
          },
        }),
        readVersion,
      },
    });
    const task = { change: { kind: 'overwrite', size: 9 }, format: 'mdmf', force: false } as const;
    const input = { hasPrivateKey: true, newest: null, backoffsMs: [], deadlines };
    const actor = createActor(machine, { input: { task: { ...task, ...grid }, ...input } });
    const output = toPromise(actor);
    actor.subscribe(({ value, children }) => {
      const child = children.publish?.getSnapshot() as { value?: unknown } | undefined;
      if (value === 'publishing' && child !== undefined) {
        setImmediate(() => actor.send(operationCancel()));
      }
    });
    actor.start();
    expect(await output).toMatchObject({ kind: 'cancelled', attempts: 1 });
    expect(aborted.sort()).toEqual(['s0', 's1', 's2']);
  });
});
