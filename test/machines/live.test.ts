import { describe, expect, test } from 'vitest';
import { createActor, fromCallback, fromPromise, SimulatedClock, toPromise } from 'xstate';
import { blockReadMachine } from '../../machines/block-read.machine.ts';
import { operationCancel, type ShareJudged, shareJudged } from '../../machines/events.ts';
import { historicUpdateMachine } from '../../machines/historic-rules.ts';
import {
  type ClaimInput,
  type ClaimResult,
  type DecodeInput,
  type DecodeResult,
  failed,
  type PrepareInput,
  type PrepareResult,
  type QueryInput,
  type QueryResult,
  type ReadBlocksInput,
  type ReadBlocksResult,
  type RereadInput,
  type RereadResult,
  type VerifyInput,
  type WriteInput,
  type WriteResult,
} from '../../machines/io.ts';
import { publishMachine } from '../../machines/publish.machine.ts';
import { retrieveMachine } from '../../machines/retrieve.machine.ts';
import { serverQueryMachine } from '../../machines/server-query.machine.ts';
import { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { shareWriteMachine } from '../../machines/share-write.machine.ts';
import {
  deadlines,
  goodAt,
  mapOf,
  membershipOf,
  serversOf,
  unverified,
  versionOf,
} from '../support/facts.ts';
import { liveUpdate } from '../support/live-update.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);

const grid = (count: number) => ({
  mode: 'write' as const,
  servers: serversOf(count),
  required: 2,
  total: 3,
  membership: membershipOf(count),
  wantsPrivateKey: false,
  deadlines,
});

const good = (shnum: number): ShareJudged =>
  shareJudged(shnum, { kind: 'good', version: v1.id }, { version: v1 });
const holds = (...shnums: readonly number[]): QueryResult => ({ ok: true, shnums });

describe('a live update', () => {
  test('a silent server is failed at its deadline, and the update ends (U9)', () => {
    const live = liveUpdate(grid(2));
    live.answer('s0', holds(0));
    live.judge('s0', good(0));
    live.clock.increment(deadlines.queryMs - 1);
    expect([live.state(), live.child('s1')]).toEqual(['collecting.awaiting', 'querying']);
    live.clock.increment(1);
    expect(live.state()).toBe('done');
    expect(live.output()?.servers.map(({ status }) => status)).toEqual(['good', 'failed']);
  });

  test('a silent verification ends at its deadline; verdicts in hand count', () => {
    const live = liveUpdate(grid(1));
    live.answer('s0', holds(0, 1));
    live.judge('s0', good(1));
    live.clock.increment(deadlines.verifyMs);
    expect(live.output()?.holdings).toEqual([
      { server: 's0', shnum: 0, verdict: unverified('timeout') },
      goodAt('s0', 1, v1),
    ]);
  });

  test('answers after the end change nothing (frozen map)', () => {
    const live = liveUpdate(grid(5));
    for (const n of [0, 1]) {
      live.answer(`s${n}`, holds(n));
      live.judge(`s${n}`, good(n));
    }
    live.answer('s2', holds());
    live.answer('s3', holds());
    expect([live.state(), live.child('s4')]).toEqual(['done', 'gone']);
    const map = JSON.stringify(live.output());
    live.answer('s4', holds(4));
    live.clock.increment(1_000);
    expect(JSON.stringify(live.output())).toBe(map);
  });

  test('a provider that rejects is a failed server, and nothing is left unhandled', () => {
    const live = liveUpdate(grid(1));
    live.rejectQuery('s0', new Error('bug'));
    expect(live.output()?.servers).toEqual([
      { id: 's0', status: 'failed', failure: { kind: 'internal', detail: 'bug' } },
    ]);
  });

  test('emits its progress', () => {
    const live = liveUpdate(grid(1));
    const events: string[] = [];
    (live.actor as ReturnType<typeof createActor>).on('*', (event) => events.push(event.type));
    live.answer('s0', holds(0));
    live.judge('s0', good(0));
    expect(events).toEqual(['server.settled']);
  });

  test('the historic chart loses the share that is being verified', () => {
    const live = liveUpdate({ ...grid(5), rule: 'ticket' }, historicUpdateMachine);
    for (const n of [0, 1, 2]) live.answer(`s${n}`, holds(n));
    for (const n of [0, 1]) live.judge(`s${n}`, good(n));
    live.answer('s3', holds());
    live.answer('s4', holds());
    expect(live.state()).toBe('done');
    live.judge('s2', good(2));
    expect(live.output()?.holdings.map(({ shnum }) => shnum)).toEqual([0, 1]);
  });

  test.each(['done', 'cancelled'])('open queries are aborted when it is %s', async (end) => {
    const aborted: string[] = [];
    const single = versionOf(1, 'a', { required: 1, total: 1 });
    const isGood = shareJudged(0, { kind: 'good', version: single.id }, { version: single });
    const queryServer = fromPromise<QueryResult, QueryInput>(
      ({ input: { server }, signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => aborted.push(server));
          if (end === 'done' && server === 's0') resolve(holds(0));
        }),
    );
    const verifyShares = fromCallback<ShareJudged, VerifyInput>(({ sendBack }) => sendBack(isGood));
    const serverQuery = serverQueryMachine.provide({ actors: { queryServer, verifyShares } });
    const machine = servermapUpdateMachine.provide({ actors: { serverQuery } });
    const input = { ...grid(3), mode: 'anything' as const, required: 1 };
    const actor = createActor(machine, { input, clock: new SimulatedClock() });
    actor.start();
    if (end === 'cancelled') actor.send(operationCancel());
    const map = await toPromise(actor);
    expect(map.outcome).toBe(end === 'done' ? 'enough' : 'cancelled');
    expect(aborted).toEqual(end === 'done' ? ['s1'] : ['s0', 's1']);
  });
});

describe('a live publish', () => {
  const holdings = [goodAt('s0', 0, v1), goodAt('s1', 1, v1), goodAt('s2', 2, v1)];
  const input = {
    map: mapOf(4, holdings, [v1]),
    base: v1,
    quorum: { servers: 4, size: 3 },
    required: 2,
    total: 3,
    wholeShares: true,
    force: false,
    recipe: { kind: 'whole', required: 2, total: 3, parts: [{ kind: 'new' }] },
    deadlines,
  } as const;

  /** Servers as answers; anything not listed accepts. */
  function publish(
    answers: Readonly<Record<string, (request: WriteInput) => Promise<WriteResult>>>,
    reread: () => Promise<RereadResult> = async () => failed('unreachable', 'gone'),
    claim: (input: ClaimInput) => Promise<ClaimResult> = async () => failed('unreachable', 'gone'),
  ) {
    const clock = new SimulatedClock();
    const written: string[] = [];
    const held = new Map(holdings.map(({ server, shnum }) => [server, new Map([[shnum, v1]])]));
    /** What it held before, with these shares of ours written. */
    const accept = async ({ server, shnums }: WriteInput): Promise<WriteResult> => {
      const before = [...(held.get(server) ?? [])];
      held.set(server, new Map([...before, ...shnums.map((shnum) => [shnum, v2] as const)]));
      const seen = before.map(([shnum, { checkstring }]) => ({ shnum, checkstring }));
      return { kind: 'answered', wrote: true, seen };
    };
    const machine = publishMachine.provide({
      actors: {
        prepareShares: fromPromise<PrepareResult, PrepareInput>(async () => ({
          ok: true,
          version: v2,
        })),
        shareWrite: shareWriteMachine.provide({
          actors: {
            writeShare: fromPromise<WriteResult, WriteInput>(({ input: request }) => {
              const { server, shnums } = request;
              written.push(`${server}:${shnums}`);
              return (answers[`${server}:${shnums}`] ?? accept)(request);
            }),
            rereadShare: fromPromise<RereadResult, RereadInput>(reread),
            verifyClaim: fromPromise<ClaimResult, ClaimInput>(({ input }) => claim(input)),
          },
        }),
      },
    });
    const actor = createActor(machine, { input, clock });
    actor.start();
    return { report: toPromise(actor), clock, written, actor };
  }

  test('lands everywhere', async () => {
    const { report, written } = publish({});
    expect(await report).toMatchObject({ kind: 'published', seqnum: 2, missing: [] });
    expect(written).toEqual(['s0:0', 's1:1', 's2:2']);
  });

  test('a refusing server is replaced; a rejecting provider is a lost answer', async () => {
    const { report, written } = publish({
      's0:0': async () => ({ kind: 'refused', failure: { kind: 'unreachable', detail: 'full' } }),
      's1:1': () => Promise.reject(new Error('bug')),
    });
    const { kind, writes } = await report;
    // Of five servers two are lost: the third share, and the quorum with it, is on the fourth.
    expect(written.slice(3)).toEqual(['s3:0']);
    expect(writes.map(({ status }) => status)).toEqual([
      ...['refused', 'unknown', 'accepted', 'accepted'],
    ]);
    // Two servers of three: the third may or may not have it.
    expect(kind).toBe('indeterminate');
  });

  const foreign = versionOf(2, 'x', { parent: v1 });
  const showing = async ({ shnums }: WriteInput): Promise<WriteResult> => ({
    ...{ kind: 'answered', wrote: false },
    seen: shnums.map((shnum) => ({ shnum, checkstring: foreign.checkstring })),
  });

  test.each([
    ['a quorum is won on the others', 'published', ['s0']],
    ['the others are no quorum', 'uncoordinated', ['s0', 's1']],
  ])('a signed share that a server shows is another writer’s: %s', async (_, kind, servers) => {
    const theirs = ({ shnums }: ClaimInput): ClaimResult => ({
      ok: true,
      seen: shnums.map((shnum) => ({
        shnum,
        checkstring: foreign.checkstring,
        version: foreign,
      })),
    });
    const answers = Object.fromEntries(servers.map((id, shnum) => [`${id}:${shnum}`, showing]));
    const { report } = publish(answers, undefined, async (claim) => theirs(claim));
    expect(await report).toMatchObject({
      kind,
      surprises: servers.map((server, shnum) => ({ server, shnum, found: foreign.checkstring })),
    });
  });

  test('a server that shows a share without proof of it loses the share that it was to get', async () => {
    const { report, written } = publish({ 's0:0': showing });
    expect(await report).toMatchObject({
      kind: 'published',
      surprises: [],
      failures: [{ kind: 'unreachable', detail: 'gone' }],
    });
    expect(written).toEqual(['s0:0', 's1:1', 's2:2', 's3:0']);
  });

  test('a write without an answer by its deadline is re-read, and counts when it had landed', async () => {
    const { report, clock, actor } = publish({ 's0:0': () => new Promise(() => {}) }, async () => ({
      ok: true,
      seen: [{ shnum: 0, checkstring: v2.checkstring }],
    }));
    let settled = 0;
    await new Promise<void>((resolve) => {
      actor.on('write.settled', () => ++settled === 2 && resolve());
    });
    clock.increment(deadlines.writeMs);
    const { kind, writes, failures } = await report;
    expect([kind, writes[0]?.status]).toEqual(['published', 'accepted']);
    expect(failures).toEqual([{ kind: 'timeout', detail: 'no answer to the write' }]);
  });
});

describe('a live retrieve', () => {
  const holdings = [0, 1, 2].map((n) => goodAt(`s${n}`, n, v1));

  test('windows come in order, and a consumer that is slow is waited for', async () => {
    const log: string[] = [];
    const machine = retrieveMachine.provide({
      actors: {
        blockRead: blockReadMachine.provide({
          actors: {
            readBlocks: fromPromise<ReadBlocksResult, ReadBlocksInput>(async ({ input }) => {
              log.push(`read ${input.server} ${input.firstSegment}+${input.segmentCount}`);
              return input.server === 's0' ? failed('corrupt', 'block') : { ok: true };
            }),
          },
        }),
        decodeSegments: fromPromise<DecodeResult, DecodeInput>(async ({ input }) => {
          log.push(`take ${input.firstSegment}+${input.segmentCount} of ${input.shnums}`);
          await Promise.resolve();
          log.push('taken');
          return { ok: true };
        }),
      },
    });
    const segments = {
      firstSegment: 0,
      endSegment: 3,
      windows: { first: 2, longest: 2, ahead: 0 },
      range: { from: 0, to: 3000 },
    };
    const map = mapOf(3, holdings, [v1]);
    const actor = createActor(machine, {
      input: { purpose: 'read', map, version: v1, ...segments, deadlines },
      clock: new SimulatedClock(),
    });
    actor.start();
    expect(await toPromise(actor)).toMatchObject({ kind: 'delivered', segmentsDelivered: 3 });
    expect(log).toEqual([
      ...['read s0 0+2', 'read s1 0+2', 'read s2 0+2', 'take 0+2 of 1,2', 'taken'],
      ...['read s1 2+1', 'read s2 2+1', 'take 2+1 of 1,2', 'taken'],
    ]);
  });
});
