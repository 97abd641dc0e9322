/**
 * Leases: who keeps a file for how long, and what renews that.
 */
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { type Cap, storageIndexOf } from '../../src/caps.ts';
import { BadArgumentError, GridClosedError, ServerUnavailableError } from '../../src/errors.ts';
import { Grid, type GridOptions } from '../../src/grid.ts';
import {
  formatImmutableCap,
  immutableStorageIndexOf,
  litCapOf,
  toImmutableVerifyCap,
} from '../../src/immutable/caps.ts';
import type { Progress } from '../../src/runtime/options.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { chkContents, encodeChk } from '../support/chk.ts';
import {
  altered,
  bytesOf,
  holdings,
  manyTurns,
  passTime,
  testKey,
} from '../support/client-grid.ts';

const day = 24 * 60 * 60;
const encoding = { required: 1, happy: 3, total: 3 };
const leaseSecret = new Uint8Array(32).fill(1);

/** Five servers, three of which get a share of each file; it is day 1000. */
function leaseGrid(wrap = (server: MemoryServer): StorageServer => server) {
  const time = { days: 1000 };
  const servers = ['s0', 's1', 's2', 's3', 's4'].map(
    (id) => new MemoryServer({ id, now: () => time.days * day }),
  );
  const gridWith = (options: Partial<GridOptions> = {}) =>
    new Grid({ servers: servers.map(wrap), encoding, leaseSecret, ...options });
  const create = (format: 'sdmf' | 'mdmf' = 'mdmf') =>
    gridWith().create({ format, contents: bytesOf(300), key: testKey });
  return { time, servers, gridWith, create };
}

/** On which days the leases of a file end, by share number. */
function endsOf(servers: readonly MemoryServer[], { cap }: { readonly cap: Cap }) {
  return holdings(servers, cap).map(({ server, shnum }) =>
    diskOf(server)
      .leasesOf(storageIndexOf(cap), shnum)
      .map(({ expires }) => expires / day),
  );
}

describe('a write', () => {
  test.each(['sdmf', 'mdmf'] as const)('renews the leases of a %s file', async (format) => {
    const { time, servers, create } = leaseGrid();
    const file = await create(format);
    const ends = () => endsOf(servers, file);
    expect(ends()).toEqual([[1031], [1031], [1031]]);
    time.days = 1010;
    await file.overwrite(bytesOf(200));
    expect(ends()).toEqual([[1041], [1041], [1041]]);
    time.days = 1020;
    await file.update(bytesOf(1), 7);
    expect(ends()).toEqual([[1051], [1051], [1051]]);
    // Tahoe never shortens one either.
    time.days = 1005;
    await file.append(bytesOf(1));
    expect(ends()).toEqual([[1051], [1051], [1051]]);
  });

  test('that repairs does so for what it writes; reading, checking and looking for none', async () => {
    const { time, servers, create } = leaseGrid();
    const file = await create();
    time.days = 1010;
    await file.read();
    await file.servermap();
    await file.verify();
    expect(endsOf(servers, file)).toEqual([[1031], [1031], [1031]]);
    const [first] = holdings(servers, file.cap);
    if (first !== undefined)
      diskOf(first.server).deleteShare(storageIndexOf(file.cap), first.shnum);
    await file.repair();
    expect(endsOf(servers, file)).toEqual([[1041], [1031], [1031]]);
  });
});

describe('renewLeases', () => {
  test.each(['writeCap', 'readCap', 'verifyCap'] as const)('by a %s', async (kind) => {
    const { time, servers, gridWith, create } = leaseGrid();
    const file = await create();
    const holders = holdings(servers, file.cap).map(({ server }) => server.id);
    time.days = 1010;
    const told: Progress[] = [];
    const onProgress = (progress: Progress) => told.push(progress);
    const outcome = await gridWith().open(file[kind]).renewLeases({ onProgress });
    expect({ ...outcome, renewed: [...outcome.renewed].sort() }).toEqual({
      renewed: [...holders].sort(),
      absent: expect.arrayContaining(
        servers.map(({ id }) => id).filter((id) => !holders.includes(id)),
      ),
      failures: [],
    });
    expect(outcome.absent).toHaveLength(2);
    expect(endsOf(servers, file)).toEqual([[1041], [1041], [1041]]);
    // A server counts for 4000 bytes; the last of them is not the end yet.
    expect(told.map(({ phase, done, total }) => `${phase} ${done}/${total}`)).toEqual(
      ['0/20000', '4000/20000', '8000/20000', '12000/20000', '16000/20000']
        .concat('20000/20001', '20000/20000')
        .map((part) => `leasing ${part}`),
    );
    expect(told.map(({ waitingFor }) => waitingFor.length)).toEqual([5, 4, 3, 2, 1, 0, 0]);
  });

  test('of another client adds one to those that are there', async () => {
    const { time, servers, gridWith, create } = leaseGrid();
    const file = await create();
    time.days = 1010;
    const other = gridWith({ leaseSecret: new Uint8Array(32).fill(2) });
    for (let i = 0; i < 2; i++) await other.open(file.verifyCap).renewLeases();
    expect(endsOf(servers, file)).toEqual(Array(3).fill([1031, 1041]));
  });

  test('of an immutable file, by its verify cap as well; of a literal there are none', async () => {
    const { time, servers, gridWith } = leaseGrid();
    const { cap, shares } = await encodeChk(chkContents(100), { required: 1, total: 3 });
    const index = immutableStorageIndexOf(cap);
    shares.forEach((share, i) => {
      diskOf(servers[i] as MemoryServer).setImmutable(index, i, share);
    });
    const ends = () =>
      servers.map((server) =>
        diskOf(server)
          .immutablesOf(index)
          .map(({ leases }) => leases.map((lease) => (lease?.expires ?? 0) / day)),
      );
    const sorted = (ids: readonly string[]) => [...ids].sort();
    for (const one of [cap, toImmutableVerifyCap(cap)]) {
      const { renewed, absent, failures } = await gridWith().openImmutable(one).renewLeases();
      expect([sorted(renewed), sorted(absent), failures]).toEqual([
        ['s0', 's1', 's2'],
        ['s3', 's4'],
        [],
      ]);
      expect(ends()).toEqual([[[time.days + 31]], [[time.days + 31]], [[time.days + 31]], [], []]);
      time.days += 10;
    }
    const literal = gridWith().openImmutable(formatImmutableCap(litCapOf(bytesOf(5))));
    expect(await literal.renewLeases()).toEqual({ renewed: [], absent: [], failures: [] });
  });

  test('tells who does not answer, and does not wait for the hung one longer than its deadline', async () => {
    const clock = new SimulatedClock();
    const wrap = (server: MemoryServer) => {
      const failing: Record<string, Partial<StorageServer>> = {
        s0: { addLease: () => new Promise(() => {}) },
        s1: {
          addLease: async () => {
            throw new ServerUnavailableError('s1', 'no space');
          },
        },
        // What is not said is not known.
        s2: { addLease: async () => undefined as never },
      };
      return altered(server, failing[server.id] ?? {});
    };
    const { gridWith, create } = leaseGrid(wrap);
    const file = await create();
    const grid = gridWith({ clock, now: () => clock.now(), deadlines: { queryMs: 5000 } });
    const renewing = grid.open(file.readCap).renewLeases();
    // Three of five have answered, so that a second is long.
    expect(await passTime(clock, renewing)).toBeLessThanOrEqual(5000);
    const { renewed, absent, failures } = await renewing;
    expect([...renewed, ...absent].sort()).toEqual(['s3', 's4']);
    expect([...failures].sort((a, b) => (a.server < b.server ? -1 : 1))).toEqual([
      { server: 's0', failure: { kind: 'timeout', detail: expect.any(String) } },
      { server: 's1', failure: { kind: 'unreachable', detail: 'server s1: no space' } },
      {
        server: 's2',
        failure: {
          kind: 'unreachable',
          detail: 'server s2: nonsense: not whether any share is there',
        },
      },
    ]);
  });

  test('takes what a server was not to throw for a failure of that server', async () => {
    const addLease = () => {
      throw new TypeError('a bug');
    };
    const wrap = (server: MemoryServer) => altered(server, server.id === 's0' ? { addLease } : {});
    const { gridWith, create } = leaseGrid(wrap);
    const { readCap } = await create();
    const { renewed, absent, failures } = await gridWith().open(readCap).renewLeases();
    expect([...renewed, ...absent].toSorted()).toEqual(['s1', 's2', 's3', 's4']);
    expect(failures).toEqual([{ server: 's0', failure: { kind: 'internal', detail: 'a bug' } }]);
  });

  test('ends when it is aborted, or the grid closed', async () => {
    const wrap = (server: MemoryServer) =>
      altered(server, server.id === 's0' ? { addLease: () => new Promise(() => {}) } : {});
    const { gridWith, create } = leaseGrid(wrap);
    const { readCap } = await create();
    const abort = new AbortController();
    const told: Progress[] = [];
    const onProgress = (progress: Progress) => told.push(progress);
    const aborted = gridWith().open(readCap).renewLeases({ signal: abort.signal, onProgress });
    await manyTurns();
    const before = told.length;
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrowError('enough');
    // Who was given up has not answered.
    expect(told.at(-1)?.waitingFor).toEqual(['s0']);
    expect(told).toHaveLength(before);
    const grid = gridWith();
    const closed = grid.open(readCap).renewLeases();
    await manyTurns();
    grid.close();
    await expect(closed).rejects.toThrowError(new GridClosedError());
    const wrong = gridWith()
      .open(readCap)
      .renewLeases({ signal: 'x' as never });
    await expect(wrong).rejects.toBeInstanceOf(BadArgumentError);
  });
});
