/**
 * @module traces: orders of answers that break today's Tahoe, by their names in
 * test/scenarios/README.md; what the scenarios of these names do not tell.
 *
 * Each test has the grid and the order of the trace. Where a historic rule has the same defect in
 * this kernel, the same order shows it.
 */
import { describe, expect, test } from 'vitest';
import { primitives } from '#crypto';
import { start, writesOf } from '../../machines/publish-kernel.ts';
import type { Rule } from '../../machines/rules.ts';
import { bestVersion, type MarkedHolding, type Servermap } from '../../machines/servermap.ts';
import { storageIndexOf } from '../../src/caps.ts';
import { defaultEncoding } from '../../src/encoding.ts';
import { ServerUnavailableError } from '../../src/errors.ts';
import { Grid, type InternalGridOptions } from '../../src/grid.ts';
import { Recent } from '../../src/recent.ts';
import { Advisories } from '../../src/runtime/advisories.ts';
import { updateOn } from '../../src/runtime/charts.ts';
import { Pace } from '../../src/runtime/pace.ts';
import { defaultDeadlines } from '../../src/runtime/run.ts';
import { batchesFor, secretsOf, type WriterKeys } from '../../src/runtime/session.ts';
import { runOn, Workbench } from '../../src/runtime/workbench.ts';
import { FileSignatures } from '../../src/share/signatures.ts';
import type { ProgramClient } from '../../src/simulation/operations.ts';
import { importVerifyingKey } from '../../src/simulation/platform.ts';
import type { ServerSpec, WorldOptions } from '../../src/simulation/world.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, bytesOf, holdings, testGrid } from '../support/client-grid.ts';
import { oneEach, randomOrder, Schedule, scheduleSeed } from '../support/schedule.ts';

/** k = 2: so two servers without shares make a boundary. */
const encoding = { required: 2, happy: 2, total: 3 };
/** Shares of 10 kB: the private key lies at their ends and takes a read of its own. */
const sdmf = { encoding, contents: () => bytesOf(20_000) } as const;
/** Three segments. */
const mdmf = { format: 'mdmf', encoding, contents: () => bytesOf(300_000) } as const;
const change = bytesOf(100, 2);

type File = Pick<WorldOptions, 'format' | 'encoding' | 'contents'>;

function scheduleOf(file: File, servers: readonly ServerSpec[], headLength = 4000) {
  return Schedule.of({ ...file, servers, headLength });
}

const map =
  (mode: 'write' | 'check' | 'repair') =>
  ({ file, options }: ProgramClient) =>
    file.servermap({ ...options, mode });
const overwrite = ({ file, options }: ProgramClient) => file.overwrite(change, options);

/** What a map says of each share: `sh2@s4 good`. */
function verdicts({ holdings }: Servermap): readonly string[] {
  return holdings.map(({ server, shnum, verdict }) => `sh${shnum}@${server} ${verdict.kind}`);
}

function statuses({ servers }: Servermap): readonly string[] {
  return servers.map(({ status }) => status);
}

/** A share right of a gap that makes a boundary. */
const rightOfGap = [[0], [1], [], [], [2]].map((shares) => ({ shares }));

describe('B1: a share right of the boundary is in verification when the boundary is found', () => {
  /** Everything of s0 to s3; of s4 no more than that it holds a share. */
  const order = ['s4 list', 's0+', 's1+', 's2 list', 's3 list'] as const;

  test('the update waits for it, and does not ask for the private key again', async () => {
    const schedule = await scheduleOf(sdmf, rightOfGap);
    const run = await schedule.start('A', map('write'));
    await schedule.play(...order);
    expect(schedule.pending).toEqual(['A s4 read sh2 head']);
    expect(run.isOver()).toBe(false);
    await schedule.play('s4 read sh2 head');
    expect(run.isOver()).toBe(true);
    const result = await run.result;
    expect(verdicts(result)).toEqual(['sh0@s0 good', 'sh1@s1 good', 'sh2@s4 good']);
    expect(result).toMatchObject({ outcome: 'enough', privateKey: 'found' });
  });

  test.each(['fix2015', 'ticket'] as const)('%s drops it', async (rule) => {
    const schedule = await scheduleOf(sdmf, rightOfGap);
    const run = await schedule.start('A', map('write'), { rule });
    await schedule.play(...order);
    expect(run.isOver()).toBe(true);
    expect(verdicts(await run.result)).toEqual(['sh0@s0 good', 'sh1@s1 good']);
    expect(schedule.dropped()).toEqual(['sh2@s4']);
  });
});

describe('B4: and then the file is updated in place, with three reads pending', () => {
  /** Key, signature and private key of s4 are still to come. */
  const order = ['s4 list', 's4 read sh2 head', 's0+', 's1+', 's2 list', 's3 list'] as const;
  const update = async (rule: 'ours' | 'fix2015') => {
    const schedule = await scheduleOf(mdmf, rightOfGap, 123);
    const run = await schedule.start(
      'A',
      ({ file, options }) => file.update(change, 1000, options),
      { rule },
    );
    await schedule.play(...order);
    const { pending } = schedule;
    const { inPlace: isInPlace } = await schedule.finish(run);
    const contents = await schedule.observer().read();
    return { pending, holdings: schedule.holdings(), isInPlace, contents };
  };
  const updated = bytesOf(300_000);
  updated.set(change, 1000);

  test('every share is there to be updated', async () => {
    const { pending, holdings: held, isInPlace, contents } = await update('ours');
    expect(pending).toEqual(['A s4 read sh2 key', 'A s4 read sh2 signature']);
    expect(held).toEqual([{ 0: 2 }, { 1: 2 }, {}, {}, { 2: 2 }]);
    expect(isInPlace).toBe(true);
    expect(Buffer.compare(contents, updated)).toBe(0);
  });

  test('fix2015 has no share 2: Tahoe ends with a KeyError, this publish with a stale share', async () => {
    const { holdings: held, isInPlace, contents } = await update('fix2015');
    // With a share lost, as it seems, the first two go beside what is there.
    expect(held).toEqual([{ 0: 2 }, { 1: 2 }, { 2: 2 }, { 0: 2 }, { 2: 1 }]);
    expect(isInPlace).toBe(false);
    expect(Buffer.compare(contents, updated)).toBe(0);
  });
});

test('C2: the first share of a server is in verification when its last one is done; two servers', async () => {
  const schedule = await scheduleOf(mdmf, [{ shares: [0, 2] }, { shares: [1] }], 123);
  const run = await schedule.start('A', ({ file }) => file.update(change, 0));
  await schedule.play('s1+', 's0 list', 's0 read sh2+', 's0 read sh0 head');
  expect(schedule.pending).toEqual(['A s0 read sh0 key', 'A s0 read sh0 signature']);
  expect(schedule.maps()).toEqual([]);
  const outcome = await schedule.finish(run);
  expect(schedule.maps().map((made) => verdicts(made.map))).toEqual([
    ['sh0@s0 good', 'sh2@s0 good', 'sh1@s1 good'],
  ]);
  expect(outcome).toMatchObject({ seqnum: 2, inPlace: true, missing: [] });
  expect(schedule.holdings()).toEqual([{ 0: 2, 2: 2 }, { 1: 2 }]);
  expect((await schedule.observer().read()).subarray(0, 100)).toEqual(change);
});

test('D2: a private key is found and another is lost in one turn: both shares are in the map', async () => {
  // A world lets one thing happen at a time; here two are let go at once.
  const { create, servers } = testGrid({ count: 3, encoding });
  const file = await create('sdmf', bytesOf(20_000));
  const held = holdings(servers, file.cap);
  const waiting = new Map<number, () => void>();
  const gated = held.map(({ server, shnum }) =>
    altered(server, {
      readShare: async (index, number, range, options) => {
        const bytes = await server.readShare(index, number, range, options);
        if (range.offset === 0) return bytes;
        if (shnum === 2) throw new ServerUnavailableError(server.id, 'connection lost');
        await new Promise<void>((resolve) => {
          waiting.set(shnum, resolve);
          if (waiting.size === 2) for (const n of [1, 0]) waiting.get(n)?.();
        });
        if (shnum === 0) throw new ServerUnavailableError(server.id, 'connection lost');
        return bytes;
      },
    }),
  );
  const found = await new Grid({ servers: gated, encoding })
    .open(file.writeCap)
    .servermap({ mode: 'write' });
  expect([...waiting.keys()].sort()).toEqual([0, 1]);
  expect(verdicts(found).toSorted()).toEqual(
    held.map(({ server, shnum }) => `sh${shnum}@${server.id} good`).toSorted(),
  );
  expect(found.privateKey).toBe('found');
});

test('H: a share that is marked bad already costs no query more: 13 of 30 servers, one wave', async () => {
  const schedule = await Schedule.of({ encoding: defaultEncoding, servers: oneEach(10, 30) });
  const { cap } = schedule.world;
  // What has been verified is not verified again: below, nothing waits for a thread.
  const known = { ...primitives, importVerifyingKey };
  const { servers } = schedule.world.grid;
  const internal: InternalGridOptions = { servers, primitives: known };
  const before = new Grid(internal);
  const version = Object.keys((await before.open(cap).servermap()).versions)[0] as string;
  const reason = 'a block is corrupt';
  const marked: MarkedHolding = { server: 's0', shnum: 0, reason, version };
  const run = await schedule.start('A', ({ grid }) => {
    const clock = { setTimeout: () => 0, clearTimeout: () => {} };
    const engine = {
      clock,
      now: () => 0,
      random: () => 0.5,
      deadlines: defaultDeadlines,
      primitives: known,
    };
    const pace = new Pace(engine);
    const storageIndex = storageIndexOf(cap);
    const secretsFor = secretsOf(cap, new Uint8Array(32), storageIndex);
    const session = {
      engine,
      paces: { query: pace, queryAll: pace, field: pace, blocks: pace, write: pace },
      asked: new Set<string>(),
      cap,
      storageIndex,
      keyring: {},
      sightings: {},
      signatures: new FileSignatures(cap.fingerprint, known),
      privateKeys: new Recent<string, Promise<WriterKeys | undefined>>(1),
      keyAhead: undefined,
      shares: undefined,
      servers: new Map(grid.servers.map((server): [string, StorageServer] => [server.id, server])),
      heads: new Map(),
      headers: new Map(),
      early: new Map(),
      batches: batchesFor({ secretsFor, storageIndex }),
      usualTotal: 10,
      headLength: 4000,
      secretsFor,
      advisories: new Advisories(engine),
    };
    const servers = [...session.servers.keys()];
    const grid30 = { servers, required: 3, total: 10, deadlines: defaultDeadlines };
    const membership = { servers: 30, happy: 7 };
    return runOn(new Workbench(() => session), updateOn(engine), {
      input: { ...grid30, membership, mode: 'write', marked: [marked], wantsPrivateKey: true },
    });
  });
  const wave = Array.from({ length: 13 }, (_, i) => `A s${i} list`);
  expect(schedule.pending).toEqual(wave);
  const found = await schedule.finish(run);
  expect(schedule.delivered.filter((label) => label.endsWith(' list'))).toEqual(wave);
  expect(found.outcome).toBe('enough');
  expect(found.holdings[0]).toEqual({
    server: 's0',
    shnum: 0,
    verdict: { kind: 'bad', reason, head: version },
  });
  expect(verdicts(found).slice(1)).toEqual(
    Array.from({ length: 9 }, (_, i) => `sh${i + 1}@s${i + 1} good`),
  );
});

describe('I: the connection is lost during the read of a signature', () => {
  const scene = async () => {
    const schedule = await scheduleOf(sdmf, oneEach(3, 5), 123);
    schedule.fail('s0 read sh0 signature', 'lost');
    return schedule;
  };

  test('the share is unverified, not corrupt; nobody is told otherwise, and nothing overwrites it', async () => {
    const schedule = await scene();
    const found = await schedule.run('A', map('write'));
    expect(found.holdings[0]).toEqual({
      server: 's0',
      shnum: 0,
      verdict: { kind: 'unverified', reason: 'server s0: connection lost' },
    });
    expect(statuses(found)).toEqual(['failed', 'good', 'good', 'empty', 'empty']);
    expect(schedule.world.trace.filter(({ kind }) => kind === 'advice')).toEqual([]);
    const { required, total } = encoding;
    const goal = { base: bestVersion(found) ?? null, quorum: { servers: 5, size: 2 } };
    const plan = { map: found, ...goal, required, total, wholeShares: true, force: false };
    expect(writesOf(start(plan)).map(({ server, shnum }) => `sh${shnum}@${server}`)).toEqual([
      // Beside what is there at first: one share is lost, as far as anybody knows.
      'sh0@s3',
      'sh1@s4',
    ]);
  });

  test('an overwrite puts the share elsewhere, and the next one takes it home', async () => {
    const schedule = await scene();
    expect(await schedule.run('A', overwrite)).toMatchObject({ seqnum: 2, missing: [] });
    expect(schedule.holdings()).toEqual([{ 0: 1 }, { 1: 2 }, { 2: 2 }, { 0: 2 }, { 1: 2 }]);
    schedule.heal('s0 read sh0 signature');
    expect(await schedule.run('A', overwrite)).toMatchObject({ seqnum: 3, missing: [] });
    expect(schedule.holdings()).toEqual([{ 0: 3 }, { 1: 3 }, { 2: 3 }, { 0: 3 }, { 1: 3 }]);
    const { versions } = await schedule.observer().servermap();
    expect(Object.values(versions).map(({ seqnum }) => seqnum)).toEqual([3]);
  });
});

describe('J: a server never answers', () => {
  /** Virtual milliseconds: the server is given up, and by its deadline at the latest. */
  const expectGivenUp = (ms: number, deadlineMs: number) => {
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(deadlineMs);
  };
  const silent = async (pattern: string) => {
    const schedule = await scheduleOf(sdmf, oneEach(3, 5));
    schedule.fail(pattern, 'silent');
    return schedule;
  };

  test.each(['write', 'check', 'repair'] as const)(
    'an update in mode %s ends by its deadline, the server failed',
    async (mode) => {
      const schedule = await silent('s0');
      const found = await schedule.run('A', map(mode));
      expectGivenUp(schedule.world.now, defaultDeadlines.queryMs);
      expect(statuses(found)).toEqual(['failed', 'good', 'good', 'empty', 'empty']);
      expect(verdicts(found)).toEqual(['sh1@s1 good', 'sh2@s2 good']);
    },
  );

  test('a reader that has heard enough does not wait for it at all', async () => {
    const schedule = await silent('s0');
    const contents = await schedule.run('A', ({ file }) => file.read());
    expect(Buffer.compare(contents, sdmf.contents())).toBe(0);
    expect(schedule.world.now).toBe(0);
  });

  test('nor about a share that it said it has: that one is unverified', async () => {
    const schedule = await silent('s0 read sh0');
    const found = await schedule.run('A', map('write'));
    expectGivenUp(schedule.world.now, defaultDeadlines.verifyMs);
    expect(verdicts(found)).toEqual(['sh0@s0 unverified', 'sh1@s1 good', 'sh2@s2 good']);
    expect(statuses(found)).toEqual(['failed', 'good', 'good', 'empty', 'empty']);
  });

  test('an overwrite finds another place for its share', async () => {
    const schedule = await silent('s0');
    expect(await schedule.run('A', overwrite)).toMatchObject({ seqnum: 2, missing: [] });
    expect(schedule.holdings()).toEqual([{ 0: 1 }, { 1: 2 }, { 2: 2 }, { 0: 2 }, { 1: 2 }]);
    expectGivenUp(schedule.world.now, defaultDeadlines.queryMs);
  });
});

describe('under a hundred random orders', () => {
  const sevenAndThree = [...oneEach(7), {}, {}, {}, ...[7, 8, 9].map((n) => ({ shares: [n] }))];
  const scenes = {
    B1: { ...sdmf, servers: rightOfGap },
    C1: { ...sdmf, servers: [{ shares: [0, 1] }, { shares: [2] }, {}, {}] },
    'seven shares, a gap, three shares': { encoding: defaultEncoding, servers: sevenAndThree },
  } as const;
  const seeds = Array.from({ length: 100 }, (_, i) => i);

  /** What the map of a writer lacks of what servers had reported when it was finished. */
  const dropped = async (scene: keyof typeof scenes, seed: number, rule: Rule) => {
    const schedule = await Schedule.of({ ...scenes[scene], headLength: 123 });
    await schedule.run('A', map('write'), { rule, order: randomOrder(seed) });
    return schedule.dropped();
  };

  test.each(Object.keys(scenes) as (keyof typeof scenes)[])(
    'nothing that was reported is dropped: %s',
    async (scene) => {
      for (const seed of seeds.map((n) => scheduleSeed + n)) {
        const lost = await dropped(scene, seed, 'ours');
        expect({ seed, lost }).toEqual({ seed, lost: [] });
      }
    },
  );

  test.each([
    ['fix2015', 'B1'],
    ['ticket', 'seven shares, a gap, three shares'],
  ] as const)('%s drops some: %s', async (rule, scene) => {
    const lost = [];
    for (const seed of seeds) lost.push(...(await dropped(scene, seed, rule)));
    expect(lost).not.toEqual([]);
  });
});
