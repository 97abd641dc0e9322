/**
 * Repair on grids in memory: what is written, byte for byte, what is refused, and what is said of it.
 */
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { type Cap, parseCap, storageIndexOf } from '../../src/caps.ts';
import {
  BadWriteEnablerError,
  InsufficientCapError,
  MissingPrivateKeyError,
  NewerVersionSeenError,
  NotEnoughServersError,
  ServerUnavailableError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import { diskOf, type MemoryServer } from '../../src/storage/memory.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  type Held,
  holdings,
  passTime,
  putShare,
  shareOf,
  sharesMade,
  testGrid,
} from '../support/client-grid.ts';

const placesOf = (held: readonly Held[]) =>
  held.map(({ server, shnum }) => ({ server: server.id, shnum }));

/** Every share by place, whole. */
const allBytes = (servers: readonly MemoryServer[], cap: Cap) =>
  new Map(
    holdings(servers, cap).map((held) => [
      `${held.shnum}@${held.server.id}`,
      Buffer.from(shareOf(held, cap)).toString('base64'),
    ]),
  );

const drop = (cap: Cap, { server, shnum }: Held) =>
  diskOf(server).deleteShare(storageIndexOf(cap), shnum);

const damage = (cap: Cap, { server, shnum }: Held, offset: number, bytes = [1, 2, 3, 4]) => {
  const at = offset < 0 ? shareOf({ server, shnum }, cap).length + offset : offset;
  diskOf(server).overwriteShare(storageIndexOf(cap), shnum, at, Uint8Array.from(bytes));
};

/** A file of two versions on servers that count what is written to them. */
async function fileOn(
  count: number,
  format: 'sdmf' | 'mdmf',
  size = 300_000,
  encoding = { required: 3, happy: 7, total: 10 },
) {
  const written: string[] = [];
  const foreign = new Set<string>();
  const silent = new Set<string>();
  const { create, servers, another } = testGrid({
    ...{ count, encoding },
    wrap: (server) =>
      altered(server, {
        listShares: async (...args) => {
          if (silent.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
          return server.listShares(...args);
        },
        readTestWrite: async (index, request, options) => {
          const shnums = [...request.shares].flatMap(([shnum, { parts }]) =>
            parts.length > 0 ? [shnum] : [],
          );
          if (shnums.length > 0 && foreign.has(server.id)) {
            throw new BadWriteEnablerError(server.id);
          }
          written.push(...shnums.map((shnum) => `${shnum}@${server.id}`));
          return server.readTestWrite(index, request, options);
        },
      }),
  });
  const file = await create(format, bytesOf(100));
  await file.overwrite(bytesOf(size, 2));
  if (format === 'mdmf') await file.update(bytesOf(10, 3), 5);
  const contents = await file.read();
  const { cap } = file;
  const before = allBytes(servers, cap);
  const held = holdings(servers, cap);
  const open = () => another().open(cap);
  const seqnum = (await open().verify()).seqnum;
  written.length = 0;
  return { ...{ servers, open, cap, contents, before, held, seqnum }, written, foreign, silent };
}

type It = Awaited<ReturnType<typeof fileOn>>;

/** That a second repair finds nothing to do, and a reader the contents. */
async function expectDone({ open, written, contents, seqnum }: It) {
  written.length = 0;
  const outcome = await open().repair();
  expect(outcome).toMatchObject({ way: 'nothing', placed: [], isHealthy: true, seqnum });
  expect(written).toEqual([]);
  expect((await open().verify()).isHealthy).toBe(true);
  expectBytes(await open().read(), contents);
}

describe.each(['sdmf', 'mdmf'] as const)('of %s', (format) => {
  test('a whole file: nothing is written', async () => {
    await expectDone(await fileOn(10, format));
  });

  test('nine of ten shares: exactly one is written, byte for byte, and then none', async () => {
    const it = await fileOn(10, format);
    const [lost] = it.held as [Held];
    drop(it.cap, lost);
    const outcome = await it.open().repair();
    expect(it.written).toEqual([`${lost.shnum}@${lost.server.id}`]);
    expect(allBytes(it.servers, it.cap)).toEqual(it.before);
    const { seqnum } = it;
    const good = placesOf(it.held.slice(1));
    expect(outcome).toMatchObject({
      ...{ way: 'again', seqnum, placed: placesOf([lost]), missing: [], failures: [] },
      ...{ isHealthy: true, before: { good, bad: [], isHealthy: false } },
    });
    await expectDone(it);
  });

  test.each([
    ['a block', format === 'sdmf' ? 2000 : 2300],
    ['the signature', format === 'sdmf' ? 500 : 1700],
    ['a hash', format === 'sdmf' ? 700 : -10],
    ['the seqnum, which then claims to be older', 8],
  ])('%s of a share is damaged: that share is written', async (what, offset) => {
    const it = await fileOn(10, format);
    const [, , bad] = it.held as [Held, Held, Held];
    damage(it.cap, bad, offset, what.startsWith('the seqnum') ? [0] : undefined);
    const outcome = await it.open().repair();
    expect(it.written).toEqual([`${bad.shnum}@${bad.server.id}`]);
    expect(allBytes(it.servers, it.cap)).toEqual(it.before);
    expect(outcome).toMatchObject({ way: 'again', seqnum: it.seqnum, isHealthy: true });
    expect(outcome.before.bad.map(({ server, shnum }) => ({ server, shnum }))).toEqual(
      placesOf([bad]),
    );
    await expectDone(it);
  });

  test('the private key of most shares is damaged, which only a write cap can tell', async () => {
    const it = await fileOn(10, format);
    const bad = it.held.slice(0, 9);
    for (const held of bad) damage(it.cap, held, format === 'sdmf' ? -600 : 300);
    const found = await it.open().verify();
    const reason = 'corrupt share: encrypted private key: not that of the cap';
    expect(found.bad).toEqual(placesOf(bad).map((place) => ({ ...place, reason })));
    const readers = [it.open().readCap, it.open().verifyCap];
    for (const cap of readers) {
      const asReader = testGrid({ wrap: (_, i) => it.servers[i] as MemoryServer, count: 10 });
      expect((await asReader.grid.open(cap).verify()).isHealthy).toBe(true);
    }
    const outcome = await it.open().repair();
    expect(outcome).toMatchObject({ way: 'again', seqnum: it.seqnum, isHealthy: true });
    expect(it.written.sort()).toEqual(
      bad.map(({ server, shnum }) => `${shnum}@${server.id}`).sort(),
    );
    expect(allBytes(it.servers, it.cap)).toEqual(it.before);
    await expectDone(it);
  });

  test('doubled shares move to servers of their own; what is doubled stays', async () => {
    const it = await fileOn(10, format);
    const [a, b, c] = it.held as [Held, Held, Held];
    for (const { server, shnum } of [b, c]) {
      await putShare(a.server, it.cap, shnum, shareOf({ server, shnum }, it.cap));
      drop(it.cap, { server, shnum });
    }
    const outcome = await it.open().repair();
    expect(outcome.placed.map(({ shnum }) => shnum).sort()).toEqual([b.shnum, c.shnum]);
    expect(new Set(holdings(it.servers, it.cap).map(({ server }) => server.id)).size).toBe(10);
    await expectDone(it);
  });

  test('a share of an older version that was left behind is replaced', async () => {
    const encoding = { required: 3, happy: 7, total: 10 };
    const [old] = await sharesMade(format, encoding, bytesOf(40));
    const it = await fileOn(13, format);
    const used = new Set(it.held.map(({ server }) => server.id));
    const idle = it.servers.find(({ id }) => !used.has(id)) as MemoryServer;
    await putShare(idle, it.cap, 0, old as Uint8Array);
    const outcome = await it.open().repair();
    expect(outcome).toMatchObject({ way: 'again', placed: [{ server: idle.id, shnum: 0 }] });
    await expectDone(it);
  });
});

test('an empty file, and one of a single byte', async () => {
  for (const size of [0, 1]) {
    const it = await fileOn(10, 'sdmf', size);
    drop(it.cap, it.held[4] as Held);
    expect(await it.open().repair()).toMatchObject({ way: 'again', isHealthy: true });
    expect(allBytes(it.servers, it.cap)).toEqual(it.before);
    await expectDone(it);
  }
});

test('the private key of an empty file is looked at, and mended', async () => {
  const it = await fileOn(10, 'sdmf', 0);
  const [first] = it.held as [Held];
  const { layout } = parseShareHeader(shareOf(first, it.cap));
  damage(it.cap, first, layout.encryptedPrivateKey.offset + 100);
  const found = { isHealthy: false, bad: [{ server: first.server.id, shnum: first.shnum }] };
  expect(await it.open().verify()).toMatchObject(found);
  expect(await it.open().repair()).toMatchObject({ way: 'again', isHealthy: true });
  expect(allBytes(it.servers, it.cap)).toEqual(it.before);
  await expectDone(it);
});

test('seven shares are lost: the three that are left give the others, on other servers', async () => {
  const it = await fileOn(13, 'mdmf');
  for (const lost of it.held.slice(3)) drop(it.cap, lost);
  const outcome = await it.open().repair();
  expect(outcome.placed).toHaveLength(7);
  const bytes = (all: ReadonlyMap<string, string>) => [...all.values()].sort();
  expect(bytes(allBytes(it.servers, it.cap))).toEqual(bytes(it.before));
  await expectDone(it);
});

test('more are lost: nothing can be read, and nothing is written', async () => {
  const it = await fileOn(10, 'mdmf');
  for (const lost of it.held.slice(2)) drop(it.cap, lost);
  await expect(it.open().repair()).rejects.toThrow(UnrecoverableFileError);
  expect(it.written).toEqual([]);
});

test('a server that refuses: it is named and skipped, its share goes to another', async () => {
  const it = await fileOn(13, 'mdmf');
  const [bad] = it.held as [Held];
  damage(it.cap, bad, 2300);
  it.foreign.add(bad.server.id);
  const outcome = await it.open().repair();
  expect(outcome.placed).toEqual([{ server: expect.any(String), shnum: bad.shnum }]);
  expect(outcome.placed[0]?.server).not.toBe(bad.server.id);
  const detail = new BadWriteEnablerError(bad.server.id).message;
  expect(outcome.failures).toEqual([{ kind: 'refused', detail }]);
  expect(outcome.isHealthy).toBe(false);
  it.written.length = 0;
  const again = await it.open().repair();
  expect([again.placed, it.written]).toEqual([[], []]);
  expect(again.isHealthy).toBe(false);
});

test('a server that hangs is waited for once, and its share gets another home', async () => {
  const clock = new SimulatedClock();
  let hung = '';
  const { create, servers, another } = testGrid({
    ...{ clock, now: () => clock.now() },
    wrap: (server) =>
      altered(server, {
        listShares: (...args) =>
          server.id === hung ? new Promise(() => {}) : server.listShares(...args),
        readTestWrite: (...args) =>
          server.id === hung ? new Promise(() => {}) : server.readTestWrite(...args),
      }),
  });
  const { cap } = await create('mdmf', bytesOf(1000));
  const [first] = holdings(servers, cap) as [Held];
  hung = first.server.id;
  const repairing = another().open(cap).repair();
  await passTime(clock, repairing);
  const { placed, way, isHealthy } = await repairing;
  expect({ way, isHealthy }).toEqual({ way: 'again', isHealthy: true });
  expect(placed).toEqual([{ server: expect.any(String), shnum: first.shnum }]);
});

describe('what is refused', () => {
  test('a read cap, and a verify cap: they have no write enabler', async () => {
    const it = await fileOn(10, 'sdmf');
    const { grid } = testGrid();
    for (const kind of ['readCap', 'verifyCap'] as const) {
      const cap = parseCap(it.open()[kind]);
      const error = new InsufficientCapError('repairing', 'write', cap.kind);
      await expect(grid.open(cap).repair()).rejects.toEqual(error);
    }
  });

  test('too few servers: nothing is written', async () => {
    const it = await fileOn(10, 'mdmf');
    for (const { server } of it.held.slice(0, 4)) it.silent.add(server.id);
    await expect(it.open().repair()).rejects.toThrow(NotEnoughServersError);
    expect(it.written).toEqual([]);
  });

  test('no share has the private key any more', async () => {
    const it = await fileOn(10, 'sdmf');
    for (const held of it.held) damage(it.cap, held, -600);
    drop(it.cap, it.held[0] as Held);
    await expect(it.open().repair()).rejects.toThrow(MissingPrivateKeyError);
    expect(it.written).toEqual([]);
  });

  const encoding = { required: 3, happy: 7, total: 10 };
  const [a, b, c] = [bytesOf(100), bytesOf(100, 2), bytesOf(100, 3)];

  /** Shares of `first` on all servers, with those of `second` over the first `count` of them. */
  async function mixed(first: readonly Uint8Array[], second: readonly Uint8Array[], count: number) {
    const { create, servers, another } = testGrid({ count: 10, encoding });
    const { cap } = await create('mdmf');
    const held = holdings(servers, cap);
    for (const [i, { server, shnum }] of held.entries()) {
      await putShare(server, cap, shnum, (i < count ? second : first)[shnum] as Uint8Array);
    }
    return { servers, cap, open: () => another().open(cap) };
  }

  test('a newer version that can not be read: by force, a new one replaces both', async () => {
    const old = await sharesMade('mdmf', encoding, a);
    const it = await mixed(old, await sharesMade('mdmf', encoding, a, b), 2);
    const before = allBytes(it.servers, it.cap);
    const error = await it
      .open()
      .repair()
      .catch((found) => found);
    expect(error).toBeInstanceOf(NewerVersionSeenError);
    expect(error.message).toMatch(
      /^a repair would lose version 2 \(\w{8}\), of which 2 of the 3 shares it needs are there: repair by `force`$/,
    );
    expect(allBytes(it.servers, it.cap)).toEqual(before);
    const outcome = await it.open().repair({ force: true });
    expect(outcome).toMatchObject({ way: 'merge', seqnum: 3, isHealthy: true });
    expectBytes(await it.open().read(), a);
    expect(await it.open().repair()).toMatchObject({ way: 'nothing', placed: [] });
  });

  test('a fork that can be read on both sides; by force the one on more servers is kept', async () => {
    const [x, y] = [
      await sharesMade('mdmf', encoding, c, a),
      await sharesMade('mdmf', encoding, c, b),
    ];
    const it = await mixed(x, y, 3);
    await expect(it.open().repair()).rejects.toThrow(NewerVersionSeenError);
    const outcome = await it.open().repair({ force: true });
    expect(outcome.isHealthy).toBe(true);
    expectBytes(await it.open().read(), a);
    expect(await it.open().repair()).toMatchObject({ way: 'nothing', placed: [] });
  });

  test('a fork of which one side is a dead rest is merged, or written over: both heal', async () => {
    const pair = [
      await sharesMade('mdmf', encoding, c, a),
      await sharesMade('mdmf', encoding, c, b),
    ] as const;
    const ways = new Set<string>();
    for (const [kept, rest] of [pair, [...pair].reverse()] as const) {
      const it = await mixed(kept as Uint8Array[], rest as Uint8Array[], 2);
      const outcome = await it.open().repair();
      ways.add(`${outcome.way} ${outcome.seqnum}`);
      expect(outcome.isHealthy).toBe(true);
      expect(await it.open().repair()).toMatchObject({ way: 'nothing', placed: [] });
    }
    // The newer of the two can replace the other as it is.
    expect([...ways].sort()).toEqual(['again 2', 'merge 3']);
  });
});
