import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { storageIndexOf } from '../../src/caps.ts';
import type { Contents } from '../../src/contents/contents.ts';
import { BadSourceError, OutOfRangeError, SourceChangedError } from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { geometryOf } from '../../src/share/geometry.ts';
import type { Plaintext } from '../../src/share/plaintext.ts';
import { checkEncodable } from '../../src/share/segments.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  holdings,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const formats = ['sdmf', 'mdmf'] as const;

/** Every way to write from a source. */
const writes: Record<string, (file: MutableFile, contents: Contents) => Promise<unknown>> = {
  overwrite: (file, contents) => file.overwrite(contents),
  append: (file, contents) => file.append(contents),
  'update at the start': (file, contents) => file.update(contents, 0),
  'update in the middle': (file, contents) => file.update(contents, 50),
};

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const disk = new Error('EIO: disk');

/** Sources that do not keep their promise of ten bytes. */
const liars: [string, Plaintext['read'], unknown][] = [
  ['gives too few', async () => new Uint8Array(6), SourceChangedError],
  ['gives none', async () => new Uint8Array(0), SourceChangedError],
  ['gives too many', async () => new Uint8Array(11), SourceChangedError],
  ['gives a string', async () => 'ten bytes!' as never, BadSourceError],
  ['gives nothing', async () => undefined as never, BadSourceError],
  ['rejects', () => Promise.reject(disk), disk],
  [
    'throws at once',
    () => {
      throw disk;
    },
    disk,
  ],
];

describe.each(formats)('a source for a %s file', (format) => {
  describe.each(liars)('that %s', (_, read, expected) => {
    const source = { size: 10, read };
    const isRefused = (error: unknown) =>
      typeof expected === 'function'
        ? expect(error).toBeInstanceOf(expected)
        : expect(error).toBe(expected);

    test.each(Object.keys(writes))('fails %s, and nothing is written', async (how) => {
      const { create, servers } = testGrid();
      const file = await create(format, bytesOf(300_000));
      const digests = () =>
        holdings(servers, file.cap).map((held) => digest(shareOf(held, file.cap)));
      const before = digests();
      const write = writes[how] as (typeof writes)[string];
      isRefused(await write(file, source).catch((e) => e));
      expect(digests()).toEqual(before);
      expect((await file.append(bytesOf(5))).seqnum).toBe(2);
    });

    test('fails create, and nothing is written', async () => {
      const { grid, servers } = testGrid();
      isRefused(await grid.create({ format, key: testKey, contents: source }).catch((e) => e));
      expect(servers.flatMap((server) => diskOf(server).slots)).toEqual([]);
    });
  });
});

/** A source that gives other bytes, or fails, when it is read again to be sent. */
function changing(size: number, segment: number, from: number, error?: Error): Plaintext {
  const bytes = bytesOf(size);
  let reads = 0;
  return {
    size,
    async read(offset, length) {
      const piece = bytes.slice(offset, offset + length);
      const isThere = offset <= segment * 131_073 && segment * 131_073 < offset + length;
      if (isThere && ++reads === from) {
        if (error !== undefined) throw error;
        piece.fill(0);
      }
      return piece;
    },
  };
}

describe.each([
  ['changes', undefined],
  ['fails', new Error('EIO: disk')],
] as const)('a source that %s once while it is sent', (_, error) => {
  test.each(['append', 'update at the start'])(
    'ends %s with its own error, before any server has a newer share',
    async (how) => {
      for (const segment of [0, 3, 7]) {
        const asked: string[] = [];
        const wrap = (server: StorageServer) =>
          altered(server, {
            readTestWrite: (...args) => {
              asked.push(server.id);
              return server.readTestWrite(...args);
            },
          });
        const { create } = testGrid({ wrap });
        const file = await create('mdmf', bytesOf(1000, 2));
        asked.length = 0;
        const source = changing(8 * 131_073, segment, 2, error);
        const write = writes[how] as (typeof writes)[string];
        const failure = await write(file, source).catch((e) => e);
        if (error === undefined) expect(failure).toBeInstanceOf(SourceChangedError);
        else expect(failure).toBe(error);
        // Only the ten servers of the plan: no other one is asked to take what cannot be sent.
        expect(new Set(asked).size).toBe(10);
        const seqnums = Object.values((await file.servermap()).versions).map((v) => v.seqnum);
        expect({ segment, seqnums }).toEqual({ segment, seqnums: [1] });
        // It has not changed since: the file is not locked.
        expectBytes(await file.read(), bytesOf(1000, 2));
        expect((await file.append(bytesOf(5))).seqnum).toBe(2);
      }
    },
  );
});

describe('a long file that is written whole', () => {
  const size = 20 * 131_073;
  /** How often each segment of `file` is read, and the servers that are asked to write. */
  async function overwritten(count: number, error?: Error) {
    const asked = new Map<string, number>();
    const wrap = (server: StorageServer) =>
      altered(server, {
        readTestWrite: (...args) => {
          asked.set(server.id, (asked.get(server.id) ?? 0) + 1);
          return server.readTestWrite(...args);
        },
      });
    const encoding = { required: 3, happy: 7, total: 10 };
    const { create } = testGrid({ count, wrap, encoding });
    const file = await create('mdmf', bytesOf(1000, 2));
    asked.clear();
    const source = changing(size, 7, 2, error);
    const reads = Array(20).fill(0);
    const counted = {
      size,
      read: (offset: number, length: number) => {
        reads[offset / 131_073]++;
        return source.read(offset, length);
      },
    };
    const outcome = await file.overwrite(counted).catch((e) => e);
    return { file, outcome, reads, asked };
  }

  test('is read and encoded once where every server has one share', async () => {
    const { file, outcome, reads, asked } = await overwritten(10, new Error('never read again'));
    expect(reads).toEqual(Array(20).fill(1));
    expect([...asked.values()]).toEqual(Array(10).fill(1));
    expect(outcome).toMatchObject({ seqnum: 2, missing: [] });
    expectBytes(await file.read(), bytesOf(size));
  });

  test('is read again for the second share of a server; others have theirs by then', async () => {
    const { file, outcome, reads } = await overwritten(8);
    expect(reads.slice(0, 8)).toEqual(Array(8).fill(2));
    // Six servers have one share, so the quorum of seven is not won.
    expect(outcome).toBeInstanceOf(SourceChangedError);
    expectBytes(await file.read(), bytesOf(size));
  });
});

test('a file larger than its format allows is refused before anything is read', async () => {
  const { grid, create, servers } = testGrid();
  let reads = 0;
  const huge: Plaintext = {
    size: 5 * 2 ** 30,
    read: async (_, length) => {
      reads += 1;
      return new Uint8Array(length);
    },
  };
  const refusal = new OutOfRangeError(
    'size',
    huge.size,
    'an SDMF file has at most 268435456 bytes; make it an MDMF one',
  );
  await expect(grid.create({ format: 'sdmf', key: testKey, contents: huge })).rejects.toThrowError(
    refusal,
  );
  expect(servers.flatMap((server) => diskOf(server).slots)).toEqual([]);
  const file = await create('sdmf', bytesOf(0));
  for (const write of [
    () => file.overwrite(huge),
    () => file.append(huge),
    () => file.update(huge, 0),
  ]) {
    await expect(write()).rejects.toThrowError(refusal);
  }
  const mdmf = await testGrid().create('mdmf', bytesOf(3));
  const vast = { ...huge, size: 2 ** 45 };
  for (const write of [() => mdmf.overwrite(vast), () => mdmf.update(vast, 0)]) {
    await expect(write()).rejects.toThrowError(
      new OutOfRangeError(
        'size',
        vast.size,
        'an MDMF file has at most 16777216 segments of 131073 bytes',
      ),
    );
  }
  expect(reads).toBe(0);
  expect(holdings(servers, file.cap).length).toBe(10);
  expect(storageIndexOf(file.cap).length).toBe(16);
});

test('the largest files that can be encoded are right below the limits', () => {
  const check = (format: 'sdmf' | 'mdmf', size: number) => () =>
    checkEncodable(geometryOf(format, 1, size));
  expect(check('sdmf', 2 ** 28)).not.toThrow();
  expect(check('sdmf', 2 ** 28 + 1)).toThrowError(OutOfRangeError);
  expect(check('mdmf', 2 ** 24 * 131_072)).not.toThrow();
  expect(check('mdmf', 2 ** 24 * 131_072 + 1)).toThrowError(OutOfRangeError);
});

test('nobody is asked whether a key that was just made has a file', async () => {
  const { grid, servers } = testGrid();
  const lists = servers.map((server) => vi.spyOn(server, 'listShares'));
  const file = await grid.create({ key: testKey, isNewKey: true, contents: bytesOf(10) });
  expect(lists.map(({ mock }) => mock.calls.length)).toEqual(servers.map(() => 0));
  expectBytes(await file.read(), bytesOf(10));
});
