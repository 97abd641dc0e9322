import { describe, expect, test } from 'vitest';
import { parseCap } from '../../src/caps.ts';
import {
  BadArgumentError,
  DirectoryCapError,
  FileExistsError,
  NewerVersionSeenError,
  OutOfRangeError,
  ServerUnavailableError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  forgetful,
  holdings,
  memoryServers,
  putShare,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

/** Whatever is not what its type says. */
const any = <T>(value: unknown) => value as T;

/** A grid of which every call is counted. */
function counted() {
  let calls = 0;
  const count =
    <A extends readonly unknown[], R>(method: (...args: A) => R) =>
    (...args: A) => {
      calls += 1;
      return method(...args);
    };
  const wrap = (server: StorageServer) =>
    altered(server, {
      listShares: count((...args) => server.listShares(...args)),
      readTestWrite: count((...args) => server.readTestWrite(...args)),
    });
  return { ...testGrid({ wrap }), calls: () => calls };
}

const secret =
  'URI:SSK:aaaaaaaaaaaaaaaaaaaaaaaaaa:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';

describe('wrong arguments are refused by name, before anything is sent', () => {
  test.each<[string, object, string]>([
    ['signal', { signal: {} }, 'signal: is an Object, not an AbortSignal'],
    ['onProgress', { onProgress: 7 }, 'onProgress: is a number, not a function'],
    ['force', { force: 'no' }, 'force: is a string, not true or false'],
    ['raw', { raw: 1 }, 'raw: is a number, not true or false'],
    ['rule', { rule: secret }, 'rule: is a string, not one of ours, fix2015, ticket'],
    ['mode', { mode: 'x' }, 'mode: is a string, not one of anything, read, write, check, repair'],
  ])('an option %s', async (_, options, message) => {
    const { grid, create, calls } = counted();
    const file = await create('mdmf');
    const before = calls();
    const operations = [
      () => file.read(options),
      async () => file.stream(any(options)).getReader().read(),
      () => file.servermap(options),
      () => file.verify(options),
      () => file.overwrite(bytesOf(1), options),
      () => file.append(bytesOf(1), options),
      () => file.update(bytesOf(1), 0, options),
      () => file.modify((c) => c, options),
      () => grid.create(options),
    ];
    for (const operation of operations) {
      await expect(operation()).rejects.toThrowError(message);
    }
    expect(calls()).toBe(before);
  });

  test('options, modifiers, counts, formats and keys', async () => {
    const { grid, create, calls } = counted();
    const file = await create('mdmf', bytesOf(5));
    const before = calls();
    for (const [operation, argument] of [
      [() => file.read(any(null)), 'options'],
      [() => file.overwrite(bytesOf(1), any('force')), 'options'],
      [() => file.modify(any(undefined)), 'modifier'],
      [() => file.modify((c) => c, { attempts: any('3') }), 'attempts'],
      [() => file.modify((c) => c, { backoffMs: any({}) }), 'backoffMs'],
      [() => file.update(bytesOf(1), any(secret)), 'offset'],
      [() => file.read({ length: any(secret) }), 'length'],
      [() => grid.create({ format: any('SDMF') }), 'format'],
      [() => grid.create({ key: any(new Uint8Array(32)) }), 'key'],
      [() => grid.create({ key: any('pem') }), 'key'],
    ] as [() => Promise<never>, string][]) {
      const error = await operation().catch((e: unknown) => any<BadArgumentError>(e));
      expect(error).toBeInstanceOf(BadArgumentError);
      expect([error.facts.argument, error.message.includes('aaaa')]).toEqual([argument, false]);
    }
    await expect(grid.create({ format: any('MDMF') })).rejects.toThrowError(
      new BadArgumentError('format', 'is "MDMF", not one of sdmf, mdmf'),
    );
    for (const options of [
      { attempts: Number.NaN },
      { attempts: 2 ** 40 },
      { backoffMs: Number.NaN },
    ]) {
      await expect(file.modify((c) => c, options)).rejects.toThrowError(OutOfRangeError);
    }
    expect(calls()).toBe(before);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a number', 7],
    ['an array', [1]],
    ['a Blob', new Blob([])],
  ])('a modifier that gives %s', async (kind, value) => {
    const { create } = testGrid();
    const file = await create('mdmf', bytesOf(5));
    await expect(file.modify(() => any(value))).rejects.toThrowError(
      new BadArgumentError(
        'modifier',
        `what it gave is ${kind}: let it give bytes, a string, or undefined for no change; nothing was written`,
      ),
    );
    expectBytes(await file.read(), bytesOf(5));
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['a copy without its key', { ...parseCap(`${secret}`) }],
    ['of no kind', { ...parseCap(secret), kind: 'constructor' }],
  ])('a cap that is %s', (_, cap) => {
    const { grid } = testGrid();
    expect(() => grid.open(any(cap))).toThrowError(BadArgumentError);
  });

  test.each<[string, object]>([
    ['servers', { servers: 'x' }],
    ['servers[0].readShare', { servers: [{ ...altered(memoryServers(1)[0]!, {}), readShare: 1 }] }],
    ['leaseSecret', { leaseSecret: new Uint8Array(3) }],
    ['deadlines', { deadlines: 5 }],
    ['deadlines.queryMs', { deadlines: { queryMs: '5' } }],
    ['deadlines.queryMs', { deadlines: { queryMs: Number.NaN } }],
    ['deadlines.readMs', { deadlines: { readMs: Number.POSITIVE_INFINITY } }],
    ['deadlines.writeMs', { deadlines: { writeMs: -1 } }],
    ['deadlines.verifyMs', { deadlines: { verifyMs: 2 ** 31 } }],
    ['deadlines.queryMS', { deadlines: { queryMS: 5 } }],
    ['clock.setTimeout', { clock: {} }],
    ['now', { now: 3 }],
    ['random', { random: 3 }],
    ['inspect', { inspect: 3 }],
    ['inspect.next', { inspect: { next: 3 } }],
    ['encoding.required', { encoding: { required: '3', happy: 7, total: 10 } }],
  ])('a grid with a wrong %s', (argument, options) => {
    const make = () => new Grid(any({ servers: memoryServers(3), ...options }));
    expect(make).toThrowError(
      expect.objectContaining({ facts: expect.objectContaining({ argument }) }),
    );
  });

  test('a grid of nothing', () => {
    expect(() => new Grid(any(undefined))).toThrowError(
      new BadArgumentError('options', 'is undefined, not an object'),
    );
  });
});

test.each(['sdmf', 'mdmf'] as const)(
  'a directory (%s) is not written to as a file',
  async (format) => {
    const { create, grid } = testGrid();
    const file = await create(format, bytesOf(50));
    const text = file.writeCap.replace(/^URI:(SSK|MDMF):/, (_, name) =>
      name === 'SSK' ? 'URI:DIR2:' : 'URI:DIR2-MDMF:',
    );
    const directory = grid.open(text);
    for (const [write, operation] of [
      [() => directory.overwrite(bytesOf(1)), 'overwriting'],
      [() => directory.append(bytesOf(1)), 'updating'],
      [() => directory.update(bytesOf(1), 0, { force: true }), 'updating'],
      [() => directory.modify(() => bytesOf(1)), 'modifying'],
    ] as const) {
      await expect(write()).rejects.toThrowError(new DirectoryCapError(operation));
    }
    expectBytes(await directory.read(), bytesOf(50));
    expect((await directory.append(bytesOf(1), { raw: true })).seqnum).toBe(2);
    expect((await directory.modify((c) => c.subarray(1), { raw: true }))?.seqnum).toBe(3);
  },
);

test('a first version is made once: an object knows what it has seen and made', async () => {
  const silent = new Set<string>();
  const wrap = (server: StorageServer) =>
    altered(server, {
      listShares: async (...args) => {
        if (silent.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
        return server.listShares(...args);
      },
    });
  const { create, another, servers } = testGrid({ count: 20, wrap });
  const file = await create('mdmf', bytesOf(10));
  for (const n of [2, 3, 4]) await file.overwrite(bytesOf(10, n));
  await forgetful(file);
  for (const { server } of holdings(servers, file.cap)) silent.add(server.id);
  const writes = [
    () => file.overwrite(bytesOf(3)),
    () => file.modify((c) => c.subarray(1)),
    () => file.append(bytesOf(3)),
    () => file.update(bytesOf(3), 0),
  ];
  for (const write of writes) {
    const error = await write().catch((e) => e);
    expect(error).toBeInstanceOf(NewerVersionSeenError);
    expect(error.message).toMatch(/^version 4 was acknowledged before, .* by `force`$/);
  }
  await expect(another().open(file.writeCap).overwrite(bytesOf(3))).rejects.toThrowError(
    UnrecoverableFileError,
  );
  expect(holdings(servers, file.cap).length).toBe(10);
  // By force it is at least above what was seen.
  expect((await file.overwrite(bytesOf(3), { force: true })).seqnum).toBe(5);
  silent.clear();
  const seqnums = Object.values((await file.servermap()).versions).map((v) => v.seqnum);
  expect(seqnums.sort()).toEqual([4, 5]);
});

test('two that make a file of one key at once: one of them is told that it exists', async () => {
  const { create } = testGrid();
  const results = await Promise.allSettled([
    create('mdmf', bytesOf(5, 1)),
    create('mdmf', bytesOf(5, 2)),
    create('sdmf', bytesOf(5, 3)),
  ]);
  const made = results.filter(({ status }) => status === 'fulfilled').length;
  expect(made).toBeLessThanOrEqual(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(FileExistsError);
  }
});

test('modify gets past an interrupted writer at once', async () => {
  const { create, another, servers } = testGrid();
  const file = await create('mdmf', bytesOf(10));
  const held = holdings(servers, file.cap);
  const old = held.map((h) => shareOf(h, file.cap));
  await file.overwrite(bytesOf(20, 2));
  for (const [i, { server, shnum }] of held.entries()) {
    if (i > 1) await putShare(server, file.cap, shnum, old[i] as Uint8Array);
  }
  const other = another().open(file.writeCap);
  const outcome = await other.modify((c) => c.subarray(1), { attempts: 1 });
  expect(outcome?.seqnum).toBe(3);
  expectBytes(await file.read(), bytesOf(10).subarray(1));
});

test('old shares behind a foreign write enabler are named by the write and by verify', async () => {
  const { grid, servers } = testGrid({ count: 15 });
  const file = await grid.create({ key: testKey, contents: bytesOf(10) });
  const foreign = holdings(servers, file.cap).slice(0, 5);
  const theirs = new Set(foreign.map(({ server }) => server.id));
  const wrapped = servers.map((server) =>
    theirs.has(server.id)
      ? altered(server, {
          readTestWrite: (index, request, options) => {
            const secrets = { ...request.secrets, writeEnabler: new Uint8Array(32) };
            return server.readTestWrite(index, { ...request, secrets }, options);
          },
        })
      : server,
  );
  const writer = new Grid({ servers: wrapped }).open(file.writeCap);
  const outcome = await writer.overwrite(bytesOf(20, 2));
  expect(outcome.missing).toEqual([]);
  expect(outcome.stale.toSorted((a, b) => a.shnum - b.shnum)).toEqual(
    foreign.map(({ server, shnum }) => ({
      server: server.id,
      shnum,
      reason: `server ${server.id} refused the write enabler of this slot`,
    })),
  );
  const { stale, isHealthy } = await writer.verify();
  expect(isHealthy).toBe(false);
  expect(stale.toSorted((a, b) => a.shnum - b.shnum)).toEqual(
    foreign.map(({ server, shnum }) => ({ server: server.id, shnum, seqnum: 1 })),
  );
});
