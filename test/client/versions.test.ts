/**
 * Versions by name: what is there, to read a certain one, to write over no other.
 */
import { describe, expect, test } from 'vitest';
import { storageIndexOf } from '../../src/caps.ts';
import {
  BadArgumentError,
  InsufficientCapError,
  OutOfRangeError,
  ServerUnavailableError,
  type TahoeMutableError,
  UncoordinatedWriteError,
  UnrecoverableFileError,
  VersionChangedError,
  VersionUnavailableError,
} from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { Progress } from '../../src/runtime/options.ts';
import { diskOf, type MemoryServer } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  holdings,
  putShare,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const formats = ['sdmf', 'mdmf'] as const;
const encoding = { required: 2, happy: 3, total: 3 };
/** What was written is remembered where writers may die, and no byte is lost. */
const spread = { required: 1, happy: 3, total: 3 };
const first = bytesOf(3000, 1);
const second = bytesOf(2500, 2);

/** A grid with a file of two versions, of which `copies` shares of the older one are there again. */
async function twoVersions(format: 'sdmf' | 'mdmf', copies = 2) {
  const grid = testGrid({ count: 5, encoding });
  const { servers } = grid;
  const file = await grid.create(format, first);
  const { version: old } = await file.stat();
  const held = holdings(servers, file.cap).map((at) => ({ ...at, bytes: shareOf(at, file.cap) }));
  const { version } = await file.overwrite(second);
  const index = storageIndexOf(file.cap);
  const spare = servers.filter((one) => diskOf(one).sharesOf(index).length === 0);
  for (const [i, { shnum, bytes }] of held.slice(0, copies).entries()) {
    await putShare(spare[i] as MemoryServer, file.cap, shnum, bytes);
  }
  return { ...grid, file, old, version, reader: grid.another().open(file.readCap) };
}

async function gathered(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

describe.each(formats)('stat of a %s file', (format) => {
  test('tells what its header says, and reads no block', async () => {
    const reads: number[] = [];
    const noting = (server: StorageServer) =>
      altered(server, {
        readShare: (index, shnum, range, options) => {
          reads.push(range.offset);
          return server.readShare(index, shnum, range, options);
        },
      });
    const { create, another } = testGrid({ count: 5, encoding, wrap: noting });
    const file = await create(format, bytesOf(10));
    const { version } = await file.overwrite(bytesOf(140_001));
    reads.length = 0;
    const stat = await another().open(file.readCap).stat();
    expect(stat).toEqual({
      version,
      seqnum: 2,
      size: 140_001,
      format,
      encoding: { required: 2, total: 3 },
      segmentSize: format === 'sdmf' ? 140_002 : 131_072,
    });
    expect(version).toEqual({ seqnum: 2, rootHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(new Set(reads)).toEqual(new Set([0]));
  });

  test('goes through an empty file, needs a read cap, and fails as a read does', async () => {
    const { create, another, servers } = testGrid({ count: 5, encoding });
    const file = await create(format);
    expect(await file.stat()).toMatchObject({ seqnum: 1, size: 0 });
    const verifier = another().open(file.verifyCap);
    const insufficient = new InsufficientCapError('reading', 'read', 'verify');
    await expect(verifier.stat()).rejects.toThrowError(insufficient);
    const index = storageIndexOf(file.cap);
    for (const { server, shnum } of holdings(servers, file.cap).slice(1)) {
      diskOf(server).deleteShare(index, shnum);
    }
    await expect(file.stat()).rejects.toBeInstanceOf(UnrecoverableFileError);
  });
});

test('stat tells by its progress what cannot be confirmed, as a read does', async () => {
  const gone = new Set<string>();
  const wrap = (server: StorageServer) =>
    altered(server, {
      listShares: async (...args) => {
        if (gone.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
        return server.listShares(...args);
      },
    });
  const { create, another } = testGrid({ count: 5, encoding: spread, wrap });
  const file = await create('mdmf', first);
  const told: Progress[] = [];
  const stat = () =>
    another()
      .open(file.readCap)
      .stat({ onProgress: (progress) => told.push(progress) });
  await stat();
  expect(told.flatMap((it) => it.unconfirmed ?? [])).toEqual([]);
  const silent = (await file.servermap()).servers.slice(-3).map(({ id }) => id);
  for (const id of silent) gone.add(id);
  expect(await stat()).toMatchObject({ seqnum: 1 });
  expect(told.flatMap((it) => it.unconfirmed ?? [])).toEqual([{ seqnum: 1, silent }]);
});

describe.each(formats)('a %s file of two versions', (format) => {
  test('has each of them read by its name, and the newest without one', async () => {
    const { reader, old, version } = await twoVersions(format);
    const { versions } = await reader.servermap();
    const names = Object.values(versions).map(({ seqnum, rootHash }) => ({ seqnum, rootHash }));
    expect(names.sort((a, b) => a.seqnum - b.seqnum)).toEqual([old, version]);
    expectBytes(await reader.read(), second);
    expectBytes(await reader.read({ version }), second);
    expectBytes(await reader.read({ version: old }), first);
    expectBytes(await reader.read({ version: { seqnum: 1 } }), first);
    expectBytes(await reader.read({ version: old, offset: 2900, length: 500 }), first.slice(2900));
    expectBytes(await gathered(reader.stream({ version: old })), first);
    expect(await reader.stat({ version: old })).toMatchObject({ version: old, size: 3000 });
    const beyond = new OutOfRangeError('offset', 2501, 'the file has 2500 bytes');
    await expect(reader.read({ version, offset: 2501 })).rejects.toThrowError(beyond);
  });

  test('gives no other version than the one that is named, and says which are there', async () => {
    const { reader, old, version } = await twoVersions(format, 1);
    const short = ({ seqnum, rootHash }: typeof old) => `${seqnum} (${rootHash.slice(0, 8)})`;
    const error = await reader.read({ version: old }).catch((e) => e);
    expect(error).toBeInstanceOf(VersionUnavailableError);
    expect(error.facts).toMatchObject({ wanted: old });
    expect(error.facts.seen).toHaveLength(2);
    expect(error.facts.seen).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...old, shares: 1, required: 2 }),
        expect.objectContaining({ ...version, shares: 3 }),
      ]),
    );
    expect(error.message).toMatch(`version ${short(old)} cannot be read: `);
    expect(error.message).toContain(`3 shares of version ${short(version)}`);
    expect(error.message).toMatch(/ found \(5 of 5 servers answered\)$/);
    const unknown = { seqnum: 2, rootHash: old.rootHash };
    for (const wanted of [unknown, { seqnum: 7 }]) {
      const failed = await gathered(reader.stream({ version: wanted })).catch((e) => e);
      expect([failed.code, failed.facts.wanted]).toEqual(['VersionUnavailableError', wanted]);
    }
  });
});

describe('contents with the version that they are of', () => {
  test('as one piece, and as a stream before it is read', async () => {
    const { reader, old, version } = await twoVersions('mdmf');
    const { contents, ...stat } = await reader.readVersion({ offset: 10, length: 5 });
    expect(stat).toEqual(await reader.stat());
    expect([stat.version, contents]).toEqual([version, second.slice(10, 15)]);
    const streamed = await reader.streamVersion({ version: old });
    expect([streamed.version, streamed.size]).toEqual([old, 3000]);
    expectBytes(await gathered(streamed.contents), first);
    const nothing = await reader.streamVersion({ offset: 2500 });
    expect(nothing.version).toEqual(version);
    expectBytes(await gathered(nothing.contents), new Uint8Array(0));
  });

  test('which a stream that cannot begin does not have', async () => {
    const { reader } = await twoVersions('mdmf');
    const beyond = new OutOfRangeError('offset', 2501, 'the file has 2500 bytes');
    await expect(reader.streamVersion({ offset: 2501 })).rejects.toThrowError(beyond);
  });

  test('of what is left, where the newest version proves hollow', async () => {
    const { reader, servers, file, old, version } = await twoVersions('mdmf');
    const index = storageIndexOf(file.cap);
    for (const at of holdings(servers, file.cap)) {
      const bytes = shareOf(at, file.cap);
      if (bytes[8] !== version.seqnum) continue;
      // Some byte of its only block.
      const spoilt = bytes.slice();
      for (let i = bytes.length - 300; i < bytes.length; i++) spoilt[i] = (spoilt[i] as number) ^ 1;
      diskOf(at.server).deleteShare(index, at.shnum);
      await putShare(at.server, file.cap, at.shnum, spoilt);
    }
    const streamed = await reader.streamVersion();
    expect(streamed.version).toEqual(old);
    expectBytes(await gathered(streamed.contents), first);
  });
});

describe.each(formats)('a change of a %s file that was made for one version', (format) => {
  const changes: readonly [string, (file: MutableFile, base: never) => Promise<unknown>][] = [
    ['overwrite', (file, base) => file.overwrite(first, { base })],
    ['update', (file, base) => file.update(first, 0, { base })],
    ['append', (file, base) => file.append(first, { base })],
    ['update of nothing', (file, base) => file.update(new Uint8Array(0), 0, { base })],
  ];

  test.each(changes)('by %s is not written over another one', async (_, change) => {
    const { create, another } = testGrid({ count: 5, encoding });
    const file = await create(format, first);
    const { version: base } = await file.stat();
    const theirs = await another().open(file.writeCap).overwrite(second);
    const error = await change(file, base as never).catch((e) => e as TahoeMutableError);
    expect(error).toBeInstanceOf(VersionChangedError);
    expect((error as TahoeMutableError).facts).toMatchObject({
      expected: base,
      found: theirs.version,
    });
    expect(await file.stat()).toMatchObject({ version: theirs.version });
    expectBytes(await file.read(), second);
  });

  test('is written over that one, again and again, also from memory', async () => {
    const { create } = testGrid({ count: 5, encoding: spread });
    const file = await create(format, first);
    let base = (await file.readVersion()).version;
    for (const seed of [2, 3, 4]) {
      const outcome = await file.overwrite(bytesOf(2000, seed), { base });
      expect([outcome.base, outcome.seqnum]).toEqual([base, seed]);
      base = outcome.version;
    }
    expect((await file.update(bytesOf(9, 5), 100, { base })).base).toEqual(base);
    await expect(file.overwrite(first, { base })).rejects.toThrowError(
      /^version 5 \([0-9a-f]{8}\) is there, and not version 4 \([0-9a-f]{8}\): read what is there now/,
    );
  });

  test('from memory meets another writer: it looks again, and leaves what it finds', async () => {
    const { create, another } = testGrid({ count: 5, encoding: spread });
    const file = await create(format, first);
    const { version: base } = await file.overwrite(second);
    const theirs = await another().open(file.writeCap).overwrite(bytesOf(100, 3));
    await expect(file.overwrite(bytesOf(50, 4), { base })).rejects.toBeInstanceOf(
      VersionChangedError,
    );
    expect(await file.stat()).toMatchObject({ version: theirs.version, size: 100 });
  });
});

test('of two writers at once with one base, one at most is told that it has written', async () => {
  const { create, another } = testGrid({ count: 5, encoding });
  const file = await create('mdmf', first);
  const { version: base } = await file.stat();
  const writers = [2, 3, 4].map((seed) => {
    const contents = bytesOf(100, seed);
    return another()
      .open(file.writeCap)
      .overwrite(contents, { base })
      .then(
        (outcome) => ({ outcome, contents }),
        (error) => ({ error }),
      );
  });
  const ends = await Promise.all(writers);
  const won = ends.flatMap((end) => ('outcome' in end ? [end] : []));
  expect(won.length).toBeLessThanOrEqual(1);
  for (const end of ends) {
    if ('outcome' in end) expectBytes(await file.read(), end.contents);
    else expect([VersionChangedError, UncoordinatedWriteError]).toContain(end.error.constructor);
  }
});

test('a version that is none is refused before anybody is asked', async () => {
  const { create } = testGrid({ count: 5, encoding });
  const file = await create('mdmf', first);
  const rootHash = '0'.repeat(64);
  const digits = (is: string) =>
    new BadArgumentError('base.rootHash', `is ${is}, not 64 hex digits`);
  const write = (base: unknown) => file.overwrite(first, { base: base as never });
  await expect(write('3')).rejects.toThrowError(
    new BadArgumentError('base', 'is a string, not a version'),
  );
  await expect(write({ seqnum: 1 })).rejects.toThrowError(digits('undefined'));
  await expect(write({ seqnum: 1, rootHash: rootHash.slice(1) })).rejects.toThrowError(
    digits('a string'),
  );
  await expect(write({ seqnum: '1', rootHash })).rejects.toThrowError(
    new BadArgumentError('base.seqnum', 'is a string, not a number'),
  );
  await expect(file.read({ version: { seqnum: -1 } })).rejects.toThrowError(
    new OutOfRangeError('version.seqnum', -1, 'must be a whole number from 0 to 2^53-1'),
  );
});

describe('what a write has left is still known after an update', () => {
  test.each([
    ['of nothing', (file: MutableFile) => file.update(new Uint8Array(0), 0)],
    ['beyond the end', (file: MutableFile) => file.update(first, 4000).catch(() => {})],
  ])('%s: the next write asks nobody', async (_, update) => {
    const asked: string[] = [];
    const noting = (server: StorageServer) =>
      altered(server, {
        listShares: (...args) => {
          asked.push(server.id);
          return server.listShares(...args);
        },
      });
    const { grid } = testGrid({ count: 5, encoding: spread, wrap: noting });
    const file = await grid.create({ format: 'mdmf', contents: first, key: testKey });
    await update(file);
    asked.length = 0;
    expect(await file.overwrite(second)).toMatchObject({ seqnum: 2, base: { seqnum: 1 } });
    expect(asked).toEqual([]);
  });
});
