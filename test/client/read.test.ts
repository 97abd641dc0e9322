import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { bestVersion, type Mode } from '../../machines/servermap.ts';
import { storageIndexOf } from '../../src/caps.ts';
import {
  NotEnoughSharesError,
  OutOfRangeError,
  ServerUnavailableError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import type { Progress } from '../../src/runtime/options.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { ByteRange, StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  holdings,
  manyTurns,
  passTime,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const formats = ['sdmf', 'mdmf'] as const;
/** MDMF's segment size at k = 3. */
const S = 131_073;

/** Every read of a share, as it was asked for. */
interface Read extends ByteRange {
  readonly server: string;
  readonly shnum: number;
}

function notingReads(reads: Read[]) {
  return (server: StorageServer) =>
    altered(server, {
      readShare: (index, shnum, range, options) => {
        reads.push({ server: server.id, shnum, ...range });
        return server.readShare(index, shnum, range, options);
      },
    });
}

describe.each(formats)('a %s file', (format) => {
  test.each([0, 1, 2, 3, 4, 3999, 4000, 4001, 30_000])('of %i bytes is read back', async (size) => {
    const { create, another } = testGrid();
    const file = await create(format, bytesOf(size));
    expectBytes(await file.read(), bytesOf(size));
    // Also by somebody who has only the cap.
    expectBytes(await another().open(file.writeCap).read(), bytesOf(size));
    expectBytes(await another().open(file.readCap).read(), bytesOf(size));
  });

  test.each([
    [1, 1],
    [2, 3],
    [7, 10],
    [3, 20],
    [1, 13],
  ])('in %i-of-%i shares is read back from any k of them', async (required, total) => {
    const encoding = { required, happy: 1, total };
    const { create, another, servers } = testGrid({ encoding });
    const contents = bytesOf(10_000);
    const file = await create(format, contents);
    const held = holdings(servers, file.cap);
    expect(held.map(({ shnum }) => shnum)).toEqual([...Array(total).keys()]);
    // The last k shares: nothing but check blocks, where there are enough.
    const index = storageIndexOf(file.cap);
    for (const { server, shnum } of held.slice(0, -required))
      diskOf(server).deleteShare(index, shnum);
    expectBytes(await another().open(file.readCap).read(), contents);
  });

  test('is read in any part', async () => {
    const { create } = testGrid();
    const contents = bytesOf(1000);
    const file = await create(format, contents);
    for (const [offset, length] of [
      [0, 0],
      [0, 1],
      [0, 1000],
      [1, 998],
      [500, 0],
      [999, 1],
      [1000, 0],
    ] as const) {
      expect(await file.read({ offset, length })).toEqual(
        contents.subarray(offset, offset + length),
      );
      expect(await file.read({ offset })).toEqual(contents.subarray(offset));
    }
    expect(await file.read({ length: 7 })).toEqual(contents.subarray(0, 7));
  });

  test('gives no more than there is, and refuses what begins beyond its end', async () => {
    const { create } = testGrid();
    const file = await create(format, bytesOf(10));
    const whole = 'must be a whole number from 0 to 2^53-1';
    expect(await file.read({ offset: 4, length: 7 })).toEqual(bytesOf(10).subarray(4));
    expect(await file.read({ length: 2 ** 53 - 1 })).toEqual(bytesOf(10));
    expect(await file.read({ offset: 10, length: 1 })).toEqual(new Uint8Array(0));
    await expect(file.read({ offset: 11 })).rejects.toThrowError(
      new OutOfRangeError('offset', 11, 'the file has 10 bytes'),
    );
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      const error = (argument: string) => new OutOfRangeError(argument, bad, whole);
      await expect(file.read({ offset: bad })).rejects.toThrowError(error('offset'));
      await expect(file.read({ length: bad })).rejects.toThrowError(error('length'));
    }
  });

  test('with one share fewer than k has no readable version, and the error says what is there', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(100));
    const index = storageIndexOf(file.cap);
    for (const { server, shnum } of holdings(servers, file.cap).slice(2)) {
      diskOf(server).deleteShare(index, shnum);
    }
    const error = await file.read().catch((e) => e);
    expect(error).toBeInstanceOf(UnrecoverableFileError);
    expect(error.message).toBe(
      'no version can be read: version 1 has 2 of the 3 shares it needs (13 of 13 servers answered)',
    );
    expect(error.facts.seen).toEqual([
      expect.objectContaining({ seqnum: 1, format, required: 3, total: 10, size: 100, shares: 2 }),
    ]);
  });

  test('cannot be read when no server has a share', async () => {
    const { create, another, servers } = testGrid();
    const file = await create(format);
    const index = storageIndexOf(file.cap);
    for (const { server, shnum } of holdings(servers, file.cap))
      diskOf(server).deleteShare(index, shnum);
    await expect(another().open(file.readCap).read()).rejects.toThrowError(
      'no version can be read: no good share found (13 of 13 servers answered)',
    );
  });

  test('is read whichever N-k servers are gone', async () => {
    const gone = new Set<string>();
    const wrap = (server: StorageServer) => {
      const answer = () => {
        if (gone.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
      };
      return altered(server, {
        listShares: async (...args) => {
          answer();
          return server.listShares(...args);
        },
        readShare: async (...args) => {
          answer();
          return server.readShare(...args);
        },
      });
    };
    const { create, servers } = testGrid({ count: 10, wrap });
    const contents = bytesOf(5000);
    const file = await create(format, contents);
    for (const first of [0, 3, 7]) {
      gone.clear();
      for (let i = 0; i < 7; i++) gone.add(servers[(first + i) % 10]?.id as string);
      expectBytes(await file.read(), contents);
    }
  });

  test('is read whatever the length of the first read of each share', async () => {
    const { create, another } = testGrid();
    const contents = bytesOf(6000);
    const file = await create(format, contents);
    for (const headLength of [123, 124, 500, 2167, 100_000]) {
      expectBytes(await another({ headLength }).open(file.readCap).read(), contents);
    }
  });
});

describe('a file of several segments', () => {
  const contents = bytesOf(5 * S - 1000);

  test('is read whole and in parts around the segment boundaries', async () => {
    const { create } = testGrid();
    const file = await create('mdmf', contents);
    expectBytes(await file.read(), contents);
    for (const [offset, length] of [
      [S - 1, 1],
      [S - 1, 2],
      [S, 1],
      [S, S],
      [0, S],
      [S + 5, 2 * S],
      [5 * S - 1001, 1],
      [4 * S, S - 1000],
    ] as const) {
      const wanted = contents.subarray(offset, offset + length);
      expectBytes(await file.read({ offset, length }), wanted);
    }
  });

  test('costs the blocks of the segments asked for, and no others', async () => {
    const reads: Read[] = [];
    const { create, another } = testGrid({ wrap: notingReads(reads) });
    const file = another().open((await create('mdmf', contents)).readCap);
    reads.length = 0;
    await file.read({ offset: 2 * S + 10, length: S });
    const block = S / 3 + 16;
    // Heads of 2k servers' shares, then per share the two blocks in one read and the tree.
    const inBlocks = reads.filter(({ offset, length }) => offset >= 2167 && length !== 15 * 32);
    expect(inBlocks).toEqual(
      [0, 1, 2].map((shnum) =>
        expect.objectContaining({ shnum, offset: 2167 + 2 * block, length: 2 * block }),
      ),
    );
    const trees = reads.filter(({ length }) => length === 15 * 32);
    expect(trees.map(({ shnum }) => shnum).sort()).toEqual([0, 1, 2]);
    const heads = reads.filter((read) => !inBlocks.includes(read) && !trees.includes(read));
    expect(new Set(heads.map(({ offset, length }) => `${offset}+${length}`))).toEqual(
      new Set(['0+4000']),
    );
    // 2k answers are enough; up to five queries are kept under way until they are in.
    expect(heads.length).toBeGreaterThanOrEqual(6);
    expect(heads.length).toBeLessThanOrEqual(10);
  });

  test('goes on with another share when one goes bad half way', async () => {
    const { create, servers } = testGrid();
    const long = bytesOf(12 * S);
    const file = await create('mdmf', long);
    const [first] = holdings(servers, file.cap);
    if (first === undefined) throw new Error('no share');
    // In the second window: the first one has been delivered by then.
    diskOf(first.server).overwriteShare(
      storageIndexOf(file.cap),
      0,
      2167 + 10 * (S / 3 + 16) + 99,
      new Uint8Array(16),
    );
    expectBytes(await file.read(), long);
    expect(diskOf(first.server).advisories.map(({ shnum, reason }) => [shnum, reason])).toEqual([
      [0, expect.stringMatching(/^corrupt share: block hash tree: node \d+: contradicts/)],
    ]);
  });

  test('is given up when the good shares run out, and the error names every loss', async () => {
    const { create, servers } = testGrid();
    const file = await create('mdmf', contents);
    const held = holdings(servers, file.cap);
    for (const { server, shnum } of held.slice(0, 8)) {
      const at = 2167 + 4 * (S / 3 + 16) + 20;
      diskOf(server).overwriteShare(storageIndexOf(file.cap), shnum, at, new Uint8Array(16));
    }
    // The good segments can be read all the same.
    expectBytes(await file.read({ length: S }), contents.subarray(0, S));
    const error = await file.read().catch((e) => e);
    expect(error).toBeInstanceOf(NotEnoughSharesError);
    expect(error.facts).toMatchObject({ seqnum: 1, required: 3 });
    expect(error.message).toMatch(/^version 1 ran out of good shares: \d left of the 3 it needs$/);
  });
});

describe('a stream', () => {
  const contents = bytesOf(30 * S + 17);

  async function streamed(reads: Read[] = []) {
    const { create, another } = testGrid({ wrap: notingReads(reads) });
    const { readCap } = await create('mdmf', contents);
    reads.length = 0;
    return another().open(readCap);
  }

  test('gives the file segment by segment, in order', async () => {
    const file = await streamed();
    const pieces: Uint8Array[] = [];
    for await (const piece of file.stream()) pieces.push(piece);
    expect(pieces.map(({ length }) => length)).toEqual([...Array(30).fill(S), 17]);
    expectBytes(Buffer.concat(pieces), contents);
  });

  test('gives a range', async () => {
    const file = await streamed();
    const pieces: Uint8Array[] = [];
    for await (const piece of file.stream({ offset: S - 3, length: S + 10 })) pieces.push(piece);
    expect(pieces.map(({ length }) => length)).toEqual([3, S, 7]);
    const whole = contents.subarray(S - 3, 2 * S + 7);
    expectBytes(Buffer.concat(pieces), whole);
    for await (const piece of file.stream({ length: 0 })) expect(piece.length).toBe(-1);
  });

  /** Of which anybody has been asked for the block: blocks are long, other fields short. */
  function segmentsAsked(reads: readonly Read[]): number {
    const lengths = reads.map(({ length }) => length).filter((length) => length > 2 ** 17);
    return lengths.reduce((sum, length) => sum + Math.floor(length / 2 ** 17), 0);
  }

  /** 81 segments, each a single block. */
  async function long(reads: Read[]) {
    const encoding = { required: 1, happy: 1, total: 1 };
    const { grid } = testGrid({ count: 1, encoding, wrap: notingReads(reads) });
    return grid.create({ format: 'mdmf', contents: new Uint8Array(81 * 2 ** 17), key: testKey });
  }

  test('reads one mebibyte, then two, then four at once, seven mebibytes ahead at most', async () => {
    const reads: Read[] = [];
    const reader = (await long(reads)).stream().getReader();
    // 8 segments are the first window, 16 the second.
    for (const [delivered, asked] of [
      [1, 8 + 16 + 32],
      [8, 8 + 16 + 32],
      [16, 81],
    ] as const) {
      for (let i = 0; i < delivered; i++) await reader.read();
      await manyTurns();
      expect(segmentsAsked(reads)).toBe(asked);
    }
    await reader.cancel();
  });

  test('stops asking when its consumer goes away', async () => {
    const reads: Read[] = [];
    const reader = (await long(reads)).stream().getReader();
    await reader.read();
    await reader.cancel(new Error('enough'));
    await manyTurns();
    const asked = reads.length;
    await manyTurns();
    expect(reads.length).toBe(asked);
    expect(segmentsAsked(reads)).toBe(56);
  });

  test('fails as a read does', async () => {
    const file = await streamed();
    const reader = file.stream({ offset: contents.length + 1 }).getReader();
    await expect(reader.read()).rejects.toThrowError(
      new OutOfRangeError('offset', contents.length + 1, `the file has ${contents.length} bytes`),
    );
  });
});

describe('a version that is replaced under its reader', () => {
  test.each(formats)('is not mixed with the new one (%s)', async (format) => {
    let beforeBlocks: (() => Promise<void>) | undefined;
    const wrap = (server: StorageServer) =>
      altered(server, {
        readShare: async (index, shnum, range, options) => {
          if (range.offset > 0 && beforeBlocks !== undefined) {
            const now = beforeBlocks;
            beforeBlocks = undefined;
            await now();
          }
          return server.readShare(index, shnum, range, options);
        },
      });
    const { create, another } = testGrid({ wrap });
    const file = await create(format, bytesOf(2 * S, 1));
    const other = another().open(file.writeCap);
    beforeBlocks = async () => {
      await other.overwrite(bytesOf(2 * S + 9, 2));
    };
    expectBytes(await file.read(), bytesOf(2 * S + 9, 2));
  });
});

describe('the map', () => {
  test.each<[Mode, number]>([
    ['anything', 3],
    ['read', 6],
    ['write', 13],
    ['check', 13],
    ['repair', 13],
  ])('in mode %s has answers from at least %i servers', async (mode, least) => {
    const { create, another } = testGrid({ count: 20 });
    const file = another().open((await create('mdmf', bytesOf(100))).writeCap);
    const map = await file.servermap({ mode });
    const settled = map.servers.filter(({ status }) => status === 'good' || status === 'empty');
    expect(map.mode).toBe(mode);
    expect(map.outcome).toBe('enough');
    expect(settled.length).toBeGreaterThanOrEqual(least);
    expect(bestVersion(map)).toMatchObject({ seqnum: 1, dataLength: 100, required: 3, total: 10 });
    const isForWriting = mode === 'write' || mode === 'repair';
    expect(map.privateKey).toBe(isForWriting ? 'found' : 'unneeded');
    if (mode === 'check' || mode === 'repair') expect(settled.length).toBe(20);
    if (mode !== 'anything' && mode !== 'read') expect(map.holdings.length).toBe(10);
  });

  test('lists servers in the permuted order of the file, and places in theirs', async () => {
    const { create, servers } = testGrid();
    const file = await create('sdmf', bytesOf(10));
    const map = await file.servermap();
    // A fresh file has share i on the i-th server.
    expect(map.holdings.map(({ shnum }) => shnum)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(map.holdings.map(({ server }) => server)).toEqual(
      map.servers.slice(0, 10).map(({ id }) => id),
    );
    expect(map.servers.map(({ status }) => status)).toEqual([
      ...Array(10).fill('good'),
      ...Array(3).fill('empty'),
    ]);
    expect(holdings(servers, file.cap).map(({ server }) => server.id)).toEqual(
      map.holdings.map(({ server }) => server),
    );
  });

  test('tells two versions apart, and knows which one can be read', async () => {
    const { create, servers, another } = testGrid();
    const file = await create('sdmf', bytesOf(10));
    const old = holdings(servers, file.cap).map((held) => shareOf(held, file.cap));
    await file.overwrite(bytesOf(20));
    const index = storageIndexOf(file.cap);
    // Two servers missed the second version: as a restored backup would have it.
    for (const { server, shnum } of holdings(servers, file.cap).slice(0, 2)) {
      const before = old[shnum] as Uint8Array;
      diskOf(server).overwriteShare(index, shnum, 0, before);
    }
    const map = await another().open(file.readCap).servermap();
    const versions = Object.values(map.versions).sort((a, b) => a.seqnum - b.seqnum);
    expect(versions.map(({ seqnum, dataLength }) => [seqnum, dataLength])).toEqual([
      [1, 10],
      [2, 20],
    ]);
    expect(bestVersion(map)?.seqnum).toBe(2);
    expect(await file.read()).toEqual(bytesOf(20));
  });
});

describe('what a reader is told while it waits', () => {
  test('goes up to its total in every phase', async () => {
    const { create, another } = testGrid();
    const contents = bytesOf(3 * S);
    const file = another().open((await create('mdmf', contents)).readCap);
    const events: Progress[] = [];
    await file.read({ onProgress: (event) => events.push(event) });
    const mapping = events.filter(({ phase }) => phase === 'mapping');
    expect(mapping.map(({ bytes }) => bytes.heard)).toEqual(mapping.map((_, i) => i * 4000));
    // The size is not known yet: the map is taken for a twentieth.
    expect(mapping.every(({ total }) => total === 20 * 13 * 4000)).toBe(true);
    const heard = (mapping.length - 1) * 4000;
    const reading = events.slice(mapping.length).map(({ done, total }) => [done, total]);
    const all = heard + 3 * S;
    expect(reading).toEqual([
      ...[0, S, 2 * S].map((read) => [heard + read, all]),
      ...[all + 1, all].map((total) => [all, total]),
    ]);
  });
});

test('inspect sees the charts of XState, each under the name of its machine', async () => {
  const machines = new Set<string>();
  const states = new Set<string>();
  const { create } = testGrid({
    inspect: (event) => {
      if (event.type !== '@xstate.snapshot') return;
      const { actorRef, snapshot } = event as unknown as {
        actorRef: { logic: { id?: string } };
        snapshot: { value?: unknown };
      };
      if (actorRef.logic.id !== undefined) machines.add(actorRef.logic.id);
      if (snapshot.value !== undefined) states.add(JSON.stringify(snapshot.value));
    },
  });
  const file = await create('mdmf', bytesOf(5000));
  await file.modify((old) => old.subarray(1));
  expect([...machines].sort()).toEqual([
    'blockRead',
    'publish',
    'readVersion',
    'retrieve',
    'serverQuery',
    'servermapUpdate',
    'shareWrite',
    'writeFile',
  ]);
  expect([...states]).toEqual(expect.arrayContaining(['{"collecting":"verifying"}', '"done"']));
});

test('a server that never answers is passed over when its deadline comes', async () => {
  const clock = new SimulatedClock();
  const silent = new Set<string>();
  const wrap = (server: StorageServer) =>
    altered(server, {
      listShares: (...args) =>
        silent.has(server.id) ? new Promise(() => {}) : server.listShares(...args),
    });
  const { create, servers } = testGrid({ wrap, clock, count: 10 });
  const contents = bytesOf(1000);
  const file = await create('mdmf', contents);
  for (const { server } of holdings(servers, file.cap).slice(0, 5)) silent.add(server.id);
  // Reading needs 2k answers, and five are never given.
  const read = file.read();
  expect(await passTime(clock, read)).toBeGreaterThanOrEqual(15_000);
  expectBytes(await read, contents);
});
