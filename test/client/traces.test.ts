/**
 * @module traces: orders of answers that break today's Tahoe, by their names in
 * test/scenarios/README.md.
 *
 * Each test has the grid and the order of the trace; `s0`, `s1`, … are the servers in permuted
 * order. Where a historic rule has the same defect in this kernel, the same order shows it.
 */
import { describe, expect, test } from 'vitest';
import { planWrites } from '../../machines/publish-kernel.ts';
import type { Rule } from '../../machines/rules.ts';
import type { MarkedSlot, Servermap } from '../../machines/servermap.ts';
import { storageIndexOf } from '../../src/caps.ts';
import { defaultEncoding } from '../../src/encoding.ts';
import { Advisories } from '../../src/runtime/advisories.ts';
import { updateOn } from '../../src/runtime/map-servers.ts';
import { Pace } from '../../src/runtime/pace.ts';
import { defaultDeadlines, runMachine } from '../../src/runtime/run.ts';
import { Workbench } from '../../src/runtime/workbench.ts';
import { bytesOf } from '../support/client-grid.ts';
import {
  type Layout,
  oneEach,
  ScheduledGrid,
  type StoredFile,
  storedFile,
} from '../support/scheduled-grid.ts';
import { fifo, randomOrder, scheduleSeed } from '../support/scheduler.ts';

/** k = 2: so two servers without shares make a boundary. */
const encoding = { required: 2, happy: 2, total: 3 };
/** Shares of 10 kB: the private key lies at their ends and takes a read of its own. */
const sdmf = await storedFile('sdmf', encoding, bytesOf(20_000));
/** Three segments. */
const mdmf = await storedFile('mdmf', encoding, bytesOf(300_000));
const change = bytesOf(100, 2);

async function gridOf(
  file: StoredFile,
  serverCount: number,
  layout: Layout,
  { headLength = 4000, rule = 'ours' }: { headLength?: number; rule?: Rule } = {},
) {
  const grid = await ScheduledGrid.holding(file, serverCount, layout);
  const { scheduler } = grid;
  return { grid, scheduler, client: grid.client({ headLength, rule }) };
}

/** What a map says of each share: `sh2@s4 good`. */
function verdicts({ slots }: Servermap): readonly string[] {
  return slots.map(({ server, shnum, verdict }) => `sh${shnum}@${server} ${verdict.kind}`);
}

function statuses({ servers }: Servermap): readonly string[] {
  return servers.map(({ status }) => status);
}

/** A share right of a gap that makes a boundary. */
const rightOfGap: Layout = [[0], [1], [], [], [2]];

describe('B1: a share right of the boundary is in verification when the boundary is found', () => {
  /** Everything of s0 to s3; of s4 no more than that it holds a share. */
  const order = ['s4:list', 's0+', 's1+', 's2:list', 's3:list'] as const;

  test('the update waits for it', async () => {
    const { scheduler, client } = await gridOf(sdmf, 5, rightOfGap);
    const run = scheduler.start(() => client.file.servermap({ mode: 'write' }));
    await run.play(...order);
    expect(scheduler.pendingLabels).toEqual(['s4:sh2:head']);
    expect(run.isSettled).toBe(false);
    await run.play('s4:sh2:head');
    // The private key is known by now, so this copy of it is not read.
    expect(run.isSettled).toBe(true);
    const map = await run.finish();
    expect(verdicts(map)).toEqual(['sh0@s0 good', 'sh1@s1 good', 'sh2@s4 good']);
    expect(map).toMatchObject({ outcome: 'enough', privateKey: 'found' });
  });

  test('also when it lacks only the private key, as in the trace', async () => {
    const { scheduler, client } = await gridOf(sdmf, 5, rightOfGap);
    const run = scheduler.start(() => client.file.servermap({ mode: 'write' }));
    await run.play('s4:list', 's4:sh2:head', ...order.slice(1));
    expect(scheduler.pendingLabels).toEqual(['s4:sh2:encryptedPrivateKey']);
    expect(run.isSettled).toBe(false);
    await run.play('s4+');
    expect(run.isSettled).toBe(true);
    expect(verdicts(await run.finish())).toEqual(['sh0@s0 good', 'sh1@s1 good', 'sh2@s4 good']);
  });

  test.each(['fix2015', 'ticket'] as const)('%s drops it', async (rule) => {
    const { scheduler, client } = await gridOf(sdmf, 5, rightOfGap, { rule });
    const run = scheduler.start(() => client.file.servermap({ mode: 'write' }));
    await run.play(...order);
    expect(run.isSettled).toBe(true);
    expect(verdicts(await run.finish())).toEqual(['sh0@s0 good', 'sh1@s1 good']);
    expect(client.maps[0]?.reported).toContainEqual({ server: 's4', shnum: 2 });
  });
});

describe('B2: and then the file is overwritten', () => {
  const order = ['s4:list', 's0+', 's1+', 's2:list', 's3:list'] as const;
  const overwrite = async (rule: 'ours' | 'fix2015') => {
    const { grid, scheduler, client } = await gridOf(sdmf, 5, rightOfGap, { rule });
    const run = scheduler.start(() => client.file.overwrite(change));
    await run.play(...order);
    const outcome = await run.finish();
    return { holdings: grid.holdings(), versions: await versionsOf(grid), outcome };
  };

  test('no share of the old version is left', async () => {
    const { holdings, versions } = await overwrite('ours');
    expect(holdings).toEqual([{ 0: 2 }, { 1: 2 }, {}, {}, { 2: 2 }]);
    expect(versions).toEqual([2]);
  });

  test('fix2015 leaves one behind, and calls it a success', async () => {
    const { holdings, versions, outcome } = await overwrite('fix2015');
    expect(holdings).toEqual([{ 0: 2 }, { 1: 2 }, { 2: 2 }, {}, { 2: 1 }]);
    expect(versions).toEqual([1, 2]);
    expect(outcome.missing).toEqual([]);
  });
});

describe('B4: and then the file is updated in place, with three reads pending', () => {
  /** Key, signature and private key of s4 are still to come. */
  const order = ['s4:list', 's4:sh2:head', 's0+', 's1+', 's2:list', 's3:list'] as const;
  const update = async (rule: 'ours' | 'fix2015') => {
    const { grid, scheduler, client } = await gridOf(mdmf, 5, rightOfGap, {
      headLength: 123,
      rule,
    });
    const run = scheduler.start(() => client.file.update(change, 1000));
    await run.play(...order);
    const pending = scheduler.pendingLabels;
    const outcome = await run.finish();
    const contents = await grid.observer().read();
    return { pending, holdings: grid.holdings(), isInPlace: outcome.inPlace, contents };
  };
  const updated = bytesOf(300_000);
  updated.set(change, 1000);

  test('every share is there to be updated', async () => {
    const { pending, holdings, isInPlace, contents } = await update('ours');
    expect(pending).toEqual(['s4:sh2:verificationKey', 's4:sh2:signature']);
    expect(holdings).toEqual([{ 0: 2 }, { 1: 2 }, {}, {}, { 2: 2 }]);
    expect(isInPlace).toBe(true);
    expect(Buffer.compare(contents, updated)).toBe(0);
  });

  test('fix2015 has no share 2: Tahoe ends with a KeyError, this publish with a stale share', async () => {
    const { holdings, isInPlace, contents } = await update('fix2015');
    expect(holdings).toEqual([{ 0: 2 }, { 1: 2 }, { 2: 2 }, {}, { 2: 1 }]);
    expect(isInPlace).toBe(false);
    expect(Buffer.compare(contents, updated)).toBe(0);
  });
});

describe('C1: the second share of a server is in verification, left of the boundary', () => {
  const layout: Layout = [[0, 1], [2], [], []];
  const order = ['s0:list', 's0:sh0+', 's1+', 's2:list', 's3:list'] as const;

  test('the update waits for it', async () => {
    const { scheduler, client } = await gridOf(sdmf, 4, layout);
    const run = scheduler.start(() => client.file.servermap({ mode: 'write' }));
    await run.play(...order);
    expect(scheduler.pendingLabels).toEqual(['s0:sh1:head']);
    expect(run.isSettled).toBe(false);
    const map = await run.finish();
    expect(verdicts(map)).toEqual(['sh0@s0 good', 'sh1@s0 good', 'sh2@s1 good']);
    expect(statuses(map)).toEqual(['good', 'good', 'empty', 'empty']);
  });

  test('an overwrite leaves no stale share, and nobody else is suspected', async () => {
    const { grid, scheduler, client } = await gridOf(sdmf, 4, layout);
    const run = scheduler.start(() => client.file.overwrite(change));
    await run.play(...order);
    const outcome = await run.finish();
    expect(outcome).toMatchObject({ seqnum: 2, missing: [] });
    expect(grid.holdings()).toEqual([{ 0: 2, 1: 2 }, { 2: 2 }, {}, {}]);
  });
});

test('C2: the first share of a server is in verification when its last one is done; two servers', async () => {
  const { grid, scheduler, client } = await gridOf(mdmf, 2, [[0, 2], [1]], { headLength: 123 });
  const run = scheduler.start(() => client.file.update(change, 0));
  await run.play('s1+', 's0:list', 's0:sh2+', 's0:sh0:head');
  expect(scheduler.pendingLabels).toEqual(['s0:sh0:verificationKey', 's0:sh0:signature']);
  expect(client.maps).toEqual([]);
  const outcome = await run.finish();
  expect(client.maps.map(({ map }) => verdicts(map))).toEqual([
    ['sh0@s0 good', 'sh2@s0 good', 'sh1@s1 good'],
  ]);
  expect(outcome).toMatchObject({ seqnum: 2, inPlace: true, missing: [] });
  expect(grid.holdings()).toEqual([{ 0: 2, 2: 2 }, { 1: 2 }]);
  expect((await grid.observer().read()).subarray(0, 100)).toEqual(change);
});

describe('D1: a corrupt share has a sibling that is in verification', () => {
  const layout: Layout = [[0, 1], [2, 3], [], []];
  const corruptFirst = async () => {
    const four = await storedFile('sdmf', { ...encoding, total: 4 }, bytesOf(20_000));
    const scene = await gridOf(four, 4, layout);
    // In the sequence number: the signature is not of this header.
    scene.grid.corrupt(0, 0, 'header', 8);
    return scene;
  };
  const order = ['s0:list', 's0:sh0+', 's1+', 's2:list', 's3:list'] as const;

  test('the update waits for the sibling, and each has its own verdict', async () => {
    const { scheduler, client, grid } = await corruptFirst();
    const run = scheduler.start(() => client.file.servermap({ mode: 'write' }));
    await run.play(...order);
    expect(scheduler.pendingLabels).toEqual(['s0:sh1:head']);
    expect(run.isSettled).toBe(false);
    const map = await run.finish();
    expect(verdicts(map)).toEqual(['sh0@s0 bad', 'sh1@s0 good', 'sh2@s1 good', 'sh3@s1 good']);
    expect(statuses(map)).toEqual(['good', 'good', 'empty', 'empty']);
    expect(grid.servers[0]?.advisories.map(({ shnum }) => shnum)).toEqual([0]);
  });

  test('an overwrite mends the one and leaves nothing of the other', async () => {
    const { grid, scheduler, client } = await corruptFirst();
    const run = scheduler.start(() => client.file.overwrite(change));
    await run.play(...order);
    expect(await run.finish()).toMatchObject({ seqnum: 2, missing: [] });
    expect(grid.holdings()).toEqual([{ 0: 2, 1: 2 }, { 2: 2, 3: 2 }, {}, {}]);
    expect(await versionsOf(grid)).toEqual([2]);
  });
});

test('D2: a private key is found and another is lost in one turn: both shares are in the map', async () => {
  const { scheduler, client } = await gridOf(sdmf, 3, oneEach(3));
  scheduler.fail('s0:sh0:encryptedPrivateKey', 'lost');
  scheduler.fail('s2:sh2:encryptedPrivateKey', 'lost');
  const run = scheduler.start(() => client.file.servermap({ mode: 'write' }));
  await run.play('s2+', 's0:list', 's0:sh0:head', 's1:list', 's1:sh1:head');
  expect(scheduler.pendingLabels).toEqual([
    's0:sh0:encryptedPrivateKey',
    's1:sh1:encryptedPrivateKey',
  ]);
  await run.play(['s1:sh1:encryptedPrivateKey', 's0:sh0:encryptedPrivateKey']);
  expect(run.isSettled).toBe(true);
  const map = await run.finish();
  expect(verdicts(map)).toEqual(['sh0@s0 good', 'sh1@s1 good', 'sh2@s2 good']);
  expect(map.privateKey).toBe('found');
});

test('H: a share that is marked bad already costs no query more: 13 of 30 servers, one wave', async () => {
  const file = await storedFile('sdmf', defaultEncoding, bytesOf(100));
  const { grid, scheduler, client } = await gridOf(file, 30, oneEach(10));
  const [version] = Object.keys((await grid.observer().servermap()).versions);
  const marked: MarkedSlot = {
    server: 's0',
    shnum: 0,
    reason: 'a block is corrupt',
    version: version as string,
  };
  const { clock } = scheduler;
  const engine = { clock, now: () => clock.now, random: () => 0.5, deadlines: defaultDeadlines };
  const pace = new Pace(engine);
  const session = {
    engine,
    paces: { query: pace, field: pace, blocks: pace, write: pace },
    cap: file.cap,
    storageIndex: storageIndexOf(file.cap),
    keyring: {},
    servers: new Map(client.grid.servers.map((server) => [server.id, server])),
    heads: new Map(),
    headers: new Map(),
    headLength: 4000,
    leaseSecret: new Uint8Array(32),
    advisories: new Advisories(engine),
  };
  const servers = [...session.servers.keys()];
  const grid13 = { servers, required: 3, total: 10, deadlines: defaultDeadlines };
  const run = scheduler.start(() =>
    runMachine(engine, updateOn(new Workbench(() => session)), {
      input: { ...grid13, mode: 'write', marked: [marked], wantsPrivateKey: true },
    }),
  );
  await run.play();
  const wave = Array.from({ length: 13 }, (_, i) => `s${i}:list`);
  expect(scheduler.pendingLabels).toEqual(wave);
  const map = await run.finish();
  expect(scheduler.delivered.filter((label) => label.endsWith(':list'))).toEqual(wave);
  expect(map.outcome).toBe('enough');
  expect(map.slots[0]).toEqual({
    server: 's0',
    shnum: 0,
    verdict: { kind: 'bad', reason: 'a block is corrupt', head: version },
  });
  expect(verdicts(map).slice(1)).toEqual(
    Array.from({ length: 9 }, (_, i) => `sh${i + 1}@s${i + 1} good`),
  );
});

describe('I: the connection is lost during the read of a signature', () => {
  const scene = async () => {
    const made = await gridOf(sdmf, 5, oneEach(3), { headLength: 123 });
    made.scheduler.fail('s0:sh0:signature', 'lost');
    return made;
  };

  test('the share is unverified, not corrupt; nobody is told otherwise, and nothing overwrites it', async () => {
    const { grid, scheduler, client } = await scene();
    const map = await scheduler.run(() => client.file.servermap({ mode: 'write' }), fifo);
    expect(map.slots[0]).toEqual({
      server: 's0',
      shnum: 0,
      verdict: { kind: 'unverified', reason: 'server s0: connection lost' },
    });
    expect(statuses(map)).toEqual(['failed', 'good', 'good', 'empty', 'empty']);
    expect(scheduler.delivered.filter((label) => label.endsWith(':advise'))).toEqual([]);
    expect(grid.servers.flatMap(({ advisories }) => advisories)).toEqual([]);
    const plan = planWrites({ map, ...encoding, wholeShares: true, force: false });
    expect(plan.writes.map(({ server, shnum }) => `sh${shnum}@${server}`)).toEqual([
      'sh1@s1',
      'sh2@s2',
      'sh0@s3',
    ]);
  });

  test('an overwrite puts the share elsewhere, and the next one takes it home', async () => {
    const { grid, scheduler, client } = await scene();
    const overwrite = () => scheduler.run(() => client.file.overwrite(change), fifo);
    expect(await overwrite()).toMatchObject({ seqnum: 2, missing: [] });
    expect(grid.holdings()).toEqual([{ 0: 1 }, { 1: 2 }, { 2: 2 }, { 0: 2 }, {}]);
    scheduler.heal('s0:sh0:signature');
    expect(await overwrite()).toMatchObject({ seqnum: 3, missing: [] });
    expect(grid.holdings()).toEqual([{ 0: 3 }, { 1: 3 }, { 2: 3 }, { 0: 3 }, {}]);
    expect(await versionsOf(grid)).toEqual([3]);
  });
});

describe('J: a server never answers', () => {
  /** Virtual milliseconds: the server is given up, and by its deadline at the latest. */
  const expectGivenUp = (ms: number, deadlineMs: number) => {
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(deadlineMs);
  };

  test.each(['write', 'check', 'repair'] as const)(
    'an update in mode %s ends by its deadline, the server failed',
    async (mode) => {
      const { scheduler, client } = await gridOf(sdmf, 5, oneEach(3));
      scheduler.fail('s0', 'silent');
      const map = await scheduler.run(() => client.file.servermap({ mode }), fifo);
      expectGivenUp(scheduler.clock.now, defaultDeadlines.queryMs);
      expect(statuses(map)).toEqual(['failed', 'good', 'good', 'empty', 'empty']);
      expect(verdicts(map)).toEqual(['sh1@s1 good', 'sh2@s2 good']);
    },
  );

  test('a reader that has heard enough does not wait for it at all', async () => {
    const { scheduler, client } = await gridOf(sdmf, 5, oneEach(3));
    scheduler.fail('s0', 'silent');
    const contents = await scheduler.run(() => client.file.read(), fifo);
    expect(Buffer.compare(contents, sdmf.contents)).toBe(0);
    expect(scheduler.clock.now).toBe(0);
  });

  test('nor about a share that it said it has: that one is unverified', async () => {
    const { scheduler, client } = await gridOf(sdmf, 5, oneEach(3));
    scheduler.fail('s0:sh0', 'silent');
    const map = await scheduler.run(() => client.file.servermap({ mode: 'write' }), fifo);
    expectGivenUp(scheduler.clock.now, defaultDeadlines.verifyMs);
    expect(verdicts(map)).toEqual(['sh0@s0 unverified', 'sh1@s1 good', 'sh2@s2 good']);
    expect(statuses(map)).toEqual(['failed', 'good', 'good', 'empty', 'empty']);
  });

  test('an overwrite finds another place for its share', async () => {
    const { grid, scheduler, client } = await gridOf(sdmf, 5, oneEach(3));
    scheduler.fail('s0', 'silent');
    const outcome = await scheduler.run(() => client.file.overwrite(change), fifo);
    expect(outcome).toMatchObject({ seqnum: 2, missing: [] });
    expect(grid.holdings()).toEqual([{ 0: 1 }, { 1: 2 }, { 2: 2 }, { 0: 2 }, {}]);
    expectGivenUp(scheduler.clock.now, defaultDeadlines.queryMs);
  });
});

describe('under a hundred random orders', () => {
  const gap: Layout = [...oneEach(7), [], [], [], [7], [8], [9]];
  const layouts: readonly (readonly [name: string, serverCount: number, layout: Layout])[] = [
    ['B1', 5, rightOfGap],
    ['C1', 4, [[0, 1], [2], [], []]],
    ['seven shares, a gap, three shares', 13, gap],
  ];
  const seeds = Array.from({ length: 100 }, (_, i) => i);

  /** What the map of a writer lacks of what servers had reported when it was finished. */
  const dropped = async (serverCount: number, layout: Layout, seed: number, rule: Rule) => {
    const file = serverCount === 13 ? await tenShares : sdmf;
    const { scheduler, client } = await gridOf(file, serverCount, layout, {
      headLength: 123,
      rule,
    });
    await scheduler.run(() => client.file.servermap({ mode: 'write' }), randomOrder(seed));
    return client.maps.flatMap(({ map, reported }) => {
      const known = new Set(map.slots.map(({ server, shnum }) => `sh${shnum}@${server}`));
      return reported
        .map(({ server, shnum }) => `sh${shnum}@${server}`)
        .filter((slot) => !known.has(slot));
    });
  };
  const tenShares = storedFile('sdmf', defaultEncoding, bytesOf(100));

  test.each(layouts)('nothing that was reported is dropped: %s', async (_, count, layout) => {
    for (const seed of seeds.map((n) => scheduleSeed + n)) {
      const lost = await dropped(count, layout, seed, 'ours');
      expect({ seed, lost }).toEqual({ seed, lost: [] });
    }
  });

  test.each([
    ['fix2015', 'B1', 5, rightOfGap],
    ['ticket', 'seven shares, a gap, three shares', 13, gap],
  ] as const)('%s drops some: %s', async (rule, _, count, layout) => {
    const lost = [];
    for (const seed of seeds) lost.push(...(await dropped(count, layout, seed, rule)));
    expect(lost).not.toEqual([]);
  });
});

/** The sequence numbers of all versions on the grid, ascending. */
async function versionsOf(grid: ScheduledGrid): Promise<readonly number[]> {
  const { versions } = await grid.observer().servermap();
  return Object.values(versions)
    .map(({ seqnum }) => seqnum)
    .sort((a, b) => a - b);
}
