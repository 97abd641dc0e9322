/** New files: what they are made of, how large they may be, and what it takes to make them. */
import { describe, expect, test } from 'vitest';
import { primitives as ofNode } from '#crypto';
import { formatCap, type WriteCap, writeCapOf } from '../../src/caps.ts';
import type { Contents } from '../../src/contents/contents.ts';
import type { SigningKey } from '../../src/crypto/primitives.ts';
import { deferred } from '../../src/deferred.ts';
import {
  BadArgumentError,
  GridClosedError,
  NotEnoughServersError,
  ServerUnavailableError,
} from '../../src/errors.ts';
import { Grid, type InternalGridOptions } from '../../src/grid.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  holdings,
  manyTurns,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const formats = ['sdmf', 'mdmf'] as const;

describe.each(formats)('the contents of a new %s file', (format) => {
  test('may be made of its write cap', async () => {
    const { grid } = testGrid();
    const seen: WriteCap[] = [];
    const contents = (cap: WriteCap) => {
      seen.push(cap);
      return new TextEncoder().encode(formatCap(cap));
    };
    const file = await grid.create({ format, key: testKey, contents });
    expect(seen.map(formatCap)).toEqual([formatCap(writeCapOf(testKey, format))]);
    expect(seen[0]?.writekey).toHaveLength(16);
    expect(new TextDecoder().decode(await file.read())).toBe(file.writeCap);
    expect(file.created?.seqnum).toBe(1);
    const later = async () => ({ size: 3, read: async () => Uint8Array.of(1, 2, 3) });
    const other = await testGrid().grid.create({ format, key: testKey, contents: later });
    expect(await other.read()).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('that cannot be made end it, and nothing is written', async () => {
    const { grid, servers } = testGrid();
    const error = new Error('nothing to write');
    const fails: [(cap: WriteCap) => Contents | Promise<Contents>, unknown][] = [
      [() => Promise.reject(error), error],
      [
        () => {
          throw error;
        },
        error,
      ],
      [() => 7 as never, expect.any(BadArgumentError)],
    ];
    for (const [contents, thrown] of fails) {
      await expect(grid.create({ format, key: testKey, contents })).rejects.toEqual(thrown);
    }
    expect(holdings(servers, writeCapOf(testKey, format))).toEqual([]);
  });

  test('that never come keep nobody who gives up, or closes the grid', async () => {
    const { grid, servers } = testGrid();
    const reason = new Error('enough');
    const giving = new AbortController();
    let asked = 0;
    const contents = () => {
      asked++;
      giving.abort(reason);
      return new Promise<never>(() => {});
    };
    const create = () => grid.create({ format, key: testKey, contents, signal: giving.signal });
    await expect(create()).rejects.toBe(reason);
    await expect(create()).rejects.toBe(reason);
    expect(asked).toBe(1);
    const closed = () => {
      grid.close();
      return new Promise<never>(() => {});
    };
    await expect(grid.create({ format, key: testKey, contents: closed })).rejects.toBeInstanceOf(
      GridClosedError,
    );
    expect(holdings(servers, writeCapOf(testKey, format))).toEqual([]);
  });

  test('are not asked for, nor sent, when it was given up while the key was made', async () => {
    const made = testGrid();
    const key = deferred<SigningKey>();
    const primitives = { ...ofNode, generateKey: () => key.promise };
    const options: InternalGridOptions = { servers: made.servers, primitives };
    const grid = new Grid(options);
    let asked = 0;
    const contents = () => bytesOf(++asked);
    const giving = new AbortController();
    const closed = grid.create({ format, contents });
    const aborted = new Grid(options).create({ format, contents, signal: giving.signal });
    grid.close();
    giving.abort(new Error('enough'));
    await expect(closed).rejects.toEqual(new GridClosedError());
    await expect(aborted).rejects.toThrowError('enough');
    key.resolve(testKey);
    await manyTurns();
    expect(asked).toBe(0);
    expect(holdings(made.servers, writeCapOf(testKey, format))).toEqual([]);
  });

  test('may be longer than the 3.5 MB that once were the limit', async () => {
    const { create } = testGrid({ count: 1, encoding: { required: 1, happy: 1, total: 1 } });
    const file = await create(format, bytesOf(3_500_001));
    expectBytes(await file.read(), bytesOf(3_500_001));
    await file.overwrite(bytesOf(3_500_002, 2));
    expectBytes(await file.read(), bytesOf(3_500_002, 2));
  });

  test('are in 255 shares where that is the encoding', async () => {
    const { create, servers } = testGrid({ encoding: { required: 3, happy: 7, total: 255 } });
    const file = await create(format, bytesOf(5000));
    const shnums = () => holdings(servers, file.cap).map(({ shnum }) => shnum);
    expect(shnums()).toEqual([...Array(255).keys()]);
    expect(await file.overwrite(bytesOf(4000, 2))).toMatchObject({ seqnum: 2, missing: [] });
    expect(shnums()).toEqual([...Array(255).keys()]);
    expectBytes(await file.read(), bytesOf(4000, 2));
  });

  test.each([
    [10, 'a share'],
    [4, 'all its shares'],
  ])('are sent to each of %i servers in one request, with %s', async (count) => {
    const requests = new Map<string, number>();
    const wrap = (server: StorageServer) =>
      altered(server, {
        readTestWrite: (...args) => {
          requests.set(server.id, (requests.get(server.id) ?? 0) + 1);
          return server.readTestWrite(...args);
        },
      });
    const encoding = { required: 3, happy: 4, total: 10 };
    const { grid, servers } = testGrid({ count, encoding, wrap });
    // Three segments, a tree and a head: what is written to a share goes together.
    const file = await grid.create({ format, key: testKey, contents: bytesOf(300_000) });
    expect([...requests.values()]).toEqual(Array(count).fill(1));
    expect(holdings(servers, file.cap)).toHaveLength(10);
  });

  test('have no home where every server fails', async () => {
    const { grid } = testGrid({
      wrap: (server) =>
        altered(server, {
          readTestWrite: async () => {
            throw new ServerUnavailableError(server.id, 'gone');
          },
        }),
    });
    const error = await grid.create({ format, key: testKey }).catch((e) => e);
    expect(error).toBeInstanceOf(NotEnoughServersError);
    expect(error.message).toMatch(
      /^version 1 reached 0 of the 7 servers it needs; last failure: server s\d+: gone$/,
    );
    expect(error.facts.placed).toEqual([]);
  });
});
