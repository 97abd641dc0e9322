import { describe, expect, test } from 'vitest';
import { storageIndexOf } from '../../src/caps.ts';
import {
  AnswerLostError,
  BadWriteEnablerError,
  FileExistsError,
  IndeterminateWriteError,
  MissingPrivateKeyError,
  NewerVersionSeenError,
  NotEnoughServersError,
  OutOfRangeError,
  ServerUnavailableError,
  SourceChangedError,
  UncoordinatedWriteError,
  UnrecoverableFileError,
  WrongFormatError,
} from '../../src/errors.ts';
import type { Progress } from '../../src/runtime/options.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  forgetful,
  type Held,
  holdings,
  putShare,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const formats = ['sdmf', 'mdmf'] as const;

/** Servers by id whose writes do what the test says. */
type Writes = Map<string, (write: () => Promise<never>) => Promise<never>>;

/** Puts what `writes` says in the way of every read-test-write. */
function disturbing(writes: Writes) {
  return (server: StorageServer) =>
    altered(server, {
      readTestWrite: (...args) => {
        const write = () => server.readTestWrite(...args) as Promise<never>;
        return writes.get(server.id)?.(write) ?? write();
      },
    });
}

const unavailable = (id: string) => async () => {
  throw new ServerUnavailableError(id, 'gone');
};

function seqnums(held: readonly Held[], cap: Parameters<typeof shareOf>[1]): number[] {
  return held.map((h) => Number(new DataView(shareOf(h, cap).buffer).getBigUint64(1)));
}

describe.each(formats)('creating a %s file', (format) => {
  test('puts one share on each of the first N servers of its order', async () => {
    const { grid, servers } = testGrid();
    const file = await grid.create({ format, contents: bytesOf(100) });
    const map = await file.servermap();
    expect(map.holdings.map(({ shnum, server }) => [shnum, server])).toEqual(
      map.servers.slice(0, 10).map(({ id }, shnum) => [shnum, id]),
    );
    expect(seqnums(holdings(servers, file.cap), file.cap)).toEqual(Array(10).fill(1));
  });

  test('on fewer servers than shares goes round', async () => {
    const { create, servers } = testGrid({
      count: 4,
      encoding: { required: 3, happy: 7, total: 10 },
    });
    const file = await create(format, bytesOf(100));
    const order = (await file.servermap()).servers.map(({ id }) => id);
    expect(holdings(servers, file.cap).map(({ server }) => order.indexOf(server.id))).toEqual([
      0, 1, 2, 3, 0, 1, 2, 3, 0, 1,
    ]);
  });

  test('with a key that has a file already changes nothing', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(100));
    const before = holdings(servers, file.cap).map((held) => shareOf(held, file.cap));
    for (const other of formats) {
      const error = await create(other, bytesOf(50)).catch((e) => e);
      expect(error).toBeInstanceOf(FileExistsError);
      expect(error.message).toMatch(/^this key has a file already: share \d on s\d+(, .*){9}$/);
      expect(error.facts.placed).toEqual([]);
      expect(error.facts.shares.length).toBe(10);
    }
    const after = holdings(servers, file.cap).map((held) => shareOf(held, file.cap));
    expect(after).toEqual(before);
  });
});

describe.each(formats)('overwriting a %s file', (format) => {
  test('replaces the contents, and says where everything is', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(5000));
    const { version: base } = await file.stat();
    const outcome = await file.overwrite(bytesOf(100, 2));
    expectBytes(await file.read(), bytesOf(100, 2));
    const held = holdings(servers, file.cap);
    const placed = held.map(({ server, shnum }) => ({ server: server.id, shnum }));
    const byShnum = [...outcome.placed].sort((a, b) => a.shnum - b.shnum);
    expect({ ...outcome, placed: byShnum }).toEqual({
      seqnum: 2,
      version: (await file.stat()).version,
      quorum: 7,
      placed,
      missing: [],
      stale: [],
      failures: [],
      inPlace: false,
      base,
    });
    // Nothing of the longer version is left behind the shorter one.
    const fresh = testGrid();
    const like = await fresh.create(format, bytesOf(100, 2));
    const lengthOf = (h: Held) => shareOf(h, file.cap).length;
    expect(held.map(lengthOf)).toEqual(holdings(fresh.servers, like.cap).map(lengthOf));
  });

  test('keeps its k and N, whatever the grid is set to', async () => {
    const { create, another, servers } = testGrid({
      count: 20,
      encoding: { required: 3, happy: 7, total: 20 },
    });
    const file = await create(format, bytesOf(100));
    const other = another({ encoding: { required: 2, happy: 5, total: 10 } }).open(file.writeCap);
    const { seqnum, placed, quorum } = await other.overwrite(bytesOf(50, 2));
    expect([seqnum, placed.length, quorum]).toEqual([2, 20, 5]);
    expect(seqnums(holdings(servers, file.cap), file.cap)).toEqual(Array(20).fill(2));
    expectBytes(await file.read(), bytesOf(50, 2));
  });

  test('puts the shares of servers that fail on others', async () => {
    const writes: Writes = new Map();
    const { create, servers } = testGrid({ wrap: disturbing(writes) });
    const file = await create(format, bytesOf(100));
    const [a, b, c] = holdings(servers, file.cap).map(({ server }) => server.id) as [
      string,
      string,
      string,
    ];
    writes.set(a, unavailable(a));
    writes.set(b, async () => {
      throw new BadWriteEnablerError(b);
    });
    const outcome = await file.overwrite(bytesOf(50, 2));
    expect(outcome.missing).toEqual([]);
    const of = (shnum: number) => outcome.placed.filter((p) => p.shnum === shnum);
    expect(of(0).length + of(1).length).toBe(2);
    expect([a, b]).not.toContain(of(0)[0]?.server);
    expect([a, b]).not.toContain(of(1)[0]?.server);
    expect(new Set(outcome.placed.map(({ server }) => server)).size).toBe(10);
    expect(of(2)).toEqual([{ server: c, shnum: 2 }]);
    expectBytes(await file.read(), bytesOf(50, 2));
    // What could not be overwritten is still there, and no harm.
    const map = await file.servermap();
    expect(
      Object.values(map.versions)
        .map(({ seqnum }) => seqnum)
        .sort(),
    ).toEqual([1, 2]);
    // Back again, it is overwritten where it is.
    writes.clear();
    expect((await file.overwrite(bytesOf(60, 3))).placed.length).toBe(12);
    expect(Object.values((await file.servermap()).versions).map((v) => v.seqnum)).toEqual([3]);
  });

  test('names the shares for which nobody was left', async () => {
    const writes: Writes = new Map();
    const { create, servers } = testGrid({ count: 10, wrap: disturbing(writes) });
    const file = await create(format, bytesOf(100));
    const held = holdings(servers, file.cap);
    for (const { server } of held.slice(0, 3)) writes.set(server.id, unavailable(server.id));
    // Seven servers take all ten shares: they are enough, and none is missing.
    const outcome = await file.overwrite(bytesOf(50, 2));
    expect(outcome.missing).toEqual([]);
    expect(new Set(outcome.placed.map(({ server }) => server)).size).toBe(7);
    // One fewer is below the quorum.
    const last = held[3]?.server.id as string;
    writes.set(last, unavailable(last));
    const error = await file.overwrite(bytesOf(60, 3)).catch((e) => e);
    expect(error).toBeInstanceOf(NotEnoughServersError);
    expect(error.message).toBe(
      `version 3 reached 6 of the 7 servers it needs; last failure: server ${error.facts.failures.at(-1).detail.split(' ')[1].replace(':', '')}: gone`,
    );
    // When a quorum is out of reach nothing further is sent.
    expect(error.facts).toMatchObject({ seqnum: 3, quorum: 7, missing: [0, 3], surprises: [] });
  });

  test('writes nothing at all when too few servers answered for a quorum', async () => {
    const gone = new Set<string>();
    const written: string[] = [];
    const wrap = (server: StorageServer) =>
      altered(server, {
        listShares: async (...args) => {
          if (gone.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
          return server.listShares(...args);
        },
        readTestWrite: (...args) => {
          written.push(server.id);
          return server.readTestWrite(...args);
        },
      });
    const { create, servers } = testGrid({ count: 10, wrap });
    const file = await create(format, bytesOf(100));
    for (const { server } of holdings(servers, file.cap).slice(0, 4)) gone.add(server.id);
    written.length = 0;
    const error = await file.overwrite(bytesOf(50)).catch((e) => e);
    expect(error).toBeInstanceOf(NotEnoughServersError);
    expect(error.message).toMatch(
      /^version 2 reached 0 of the 7 servers it needs; no answer before from s\d+, s\d+, s\d+ and s\d+: server s\d+: gone$/,
    );
    expect(error.facts.unheard.map(({ server }: { server: string }) => server).sort()).toEqual(
      [...gone].sort(),
    );
    expect(error.facts.placed).toEqual([]);
    expect(written).toEqual([]);
    gone.clear();
    expectBytes(await file.read(), bytesOf(100));
  });

  test('counts a write whose answer was lost when the share turns out to be there', async () => {
    const writes: Writes = new Map();
    const { create, servers } = testGrid({ wrap: disturbing(writes) });
    const file = await create(format, bytesOf(100));
    for (const { server } of holdings(servers, file.cap)) {
      writes.set(server.id, async (write) => {
        await write();
        throw new AnswerLostError(server.id, 'connection reset');
      });
    }
    const outcome = await file.overwrite(bytesOf(50, 2));
    expect([outcome.seqnum, outcome.placed.length, outcome.missing]).toEqual([2, 10, []]);
    expectBytes(await file.read(), bytesOf(50, 2));
  });

  test('goes elsewhere when a lost answer turns out to be a lost request', async () => {
    const writes: Writes = new Map();
    const { create, servers } = testGrid({ wrap: disturbing(writes) });
    const file = await create(format, bytesOf(100));
    const [first] = holdings(servers, file.cap);
    const lost = first?.server.id as string;
    writes.set(lost, async () => {
      throw new AnswerLostError(lost, 'connection reset');
    });
    const outcome = await file.overwrite(bytesOf(50, 2));
    const places = outcome.placed.filter(({ shnum }) => shnum === 0);
    expect(places.length).toBe(1);
    expect(places[0]?.server).not.toBe(lost);
  });

  test('is indeterminate when the answers and the re-reads of too many writes are lost', async () => {
    const lost = new Set<string>();
    const wrap = (server: StorageServer) =>
      altered(server, {
        readTestWrite: async (...args) => {
          const answer = await server.readTestWrite(...args);
          if (lost.has(server.id)) throw new AnswerLostError(server.id, 'connection reset');
          return answer;
        },
        readShare: async (index, shnum, range, options) => {
          // The re-read of the checkstring, which alone is so short.
          if (lost.has(server.id) && range.length < 60) {
            throw new ServerUnavailableError(server.id, 'gone');
          }
          return server.readShare(index, shnum, range, options);
        },
      });
    const { create, servers } = testGrid({ count: 10, wrap });
    const file = await create(format, bytesOf(100));
    for (const { server } of holdings(servers, file.cap).slice(0, 4)) lost.add(server.id);
    const error = await file.overwrite(bytesOf(50, 2)).catch((e) => e);
    expect(error).toBeInstanceOf(IndeterminateWriteError);
    expect(error.message).toMatch(
      /^version 2 may be in force, or not: it is on 6 servers, needs 7, and of others nobody can tell; last failure: server s\d: connection reset$/,
    );
  });

  test('tells when somebody else wrote in between, and leaves their version alone', async () => {
    const writes: Writes = new Map();
    const { create, another, servers } = testGrid({ wrap: disturbing(writes) });
    const file = await create(format, bytesOf(100));
    const other = another().open(file.writeCap);
    let meanwhile: Promise<unknown> | undefined;
    for (const { id } of servers) {
      writes.set(id, async (write) => {
        meanwhile ??= Promise.resolve().then(() => {
          writes.clear();
          return other.overwrite(bytesOf(70, 2));
        });
        await meanwhile;
        return write();
      });
    }
    const error = await file.overwrite(bytesOf(50, 3)).catch((e) => e);
    expect(error).toBeInstanceOf(UncoordinatedWriteError);
    expect(error.facts.placed).toEqual([]);
    expect(error.facts.surprises.length).toBe(10);
    expect(error.message).toMatch(
      /^somebody else has written to this file: share \d on s\d+(, share \d on s\d+){9}; read what is there now, then write again$/,
    );
    expectBytes(await file.read(), bytesOf(70, 2));
  });

  test('replaces old shares that the map did not come to', async () => {
    const { create, servers } = testGrid({ count: 20 });
    const file = await create(format, bytesOf(100));
    const [held] = holdings(servers, file.cap);
    const old = shareOf(held as Held, file.cap);
    const order = (await file.servermap()).servers.map(({ id }) => id);
    await file.overwrite(bytesOf(80, 2));
    await forgetful(file);
    // Another share of version 1, on a server that holds a share of version 2 already.
    const place = servers.find(({ id }) => id === order[5]);
    await putShare(place as StorageServer, file.cap, 0, old);
    await file.overwrite(bytesOf(60, 3));
    expect(seqnums(holdings(servers, file.cap), file.cap)).toEqual(Array(11).fill(3));
    expectBytes(await file.read(), bytesOf(60, 3));
  });

  test('heals: lost shares are made again', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(100));
    const index = storageIndexOf(file.cap);
    for (const { server, shnum } of holdings(servers, file.cap).slice(0, 7)) {
      diskOf(server).deleteShare(index, shnum);
    }
    expect((await file.overwrite(bytesOf(50, 2))).missing).toEqual([]);
    expect((await file.verify()).isHealthy).toBe(true);
  });

  test('goes through its phases, and never beyond the total', async () => {
    const writes: Writes = new Map();
    const { create, servers } = testGrid({ wrap: disturbing(writes) });
    const file = await create(format, bytesOf(100));
    // Three shares on two servers each, and one server that fails: more writes than shares.
    const held = holdings(servers, file.cap);
    for (const h of held.slice(0, 3)) {
      const other = servers.find((s) => diskOf(s).sharesOf(storageIndexOf(file.cap)).length === 0);
      await putShare(other as StorageServer, file.cap, h.shnum, shareOf(h, file.cap));
    }
    const failing = held[9]?.server.id as string;
    writes.set(failing, unavailable(failing));
    const events: Progress[] = [];
    const outcome = await file.overwrite(bytesOf(50, 2), { onProgress: (e) => events.push(e) });
    expect(outcome.placed.length).toBe(13);
    expect(events.every(({ done, total }) => done >= 0 && done <= total)).toBe(true);
    const phases = events.map(({ phase }) => phase).filter((p, i, all) => p !== all[i - 1]);
    expect(phases).toEqual(['mapping', 'encoding', 'writing']);
    const done = events.map((e) => e.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(events.filter((e) => e.done === e.total)).toEqual(events.slice(-1));
    expect(events.at(-1)).toMatchObject({ phase: 'writing', waitingFor: [] });
  });
});

describe.each(formats)('a newer version of a %s file that cannot be read', (format) => {
  async function withNewer() {
    const grid = testGrid();
    const { create, servers } = grid;
    const file = await create(format, bytesOf(100));
    const held = holdings(servers, file.cap);
    const old = held.map((h) => shareOf(h, file.cap));
    await file.overwrite(bytesOf(50, 2));
    await file.overwrite(bytesOf(60, 3));
    await forgetful(file);
    // Only two shares of version 3 are left; the other servers were restored to version 1.
    for (const [i, { server, shnum }] of held.entries()) {
      if (i >= 2) await putShare(server, file.cap, shnum, old[i] as Uint8Array);
    }
    return { ...grid, file };
  }

  test('is not forgotten when all who have it fall silent while everybody is asked', async () => {
    const silent = new Set<string>();
    const wrap = (server: StorageServer) =>
      altered(server, {
        listShares: async (...args) => {
          if (silent.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
          // Whoever has shares answers once at most.
          const shnums = await server.listShares(...args);
          if (isOn && shnums.length > 0) silent.add(server.id);
          return shnums;
        },
      });
    let isOn = false;
    const { create, servers } = testGrid({ count: 20, wrap });
    const file = await create(format, bytesOf(100));
    const held = holdings(servers, file.cap);
    for (const { server } of held.slice(1)) silent.add(server.id);
    isOn = true;
    const error = await file.overwrite(bytesOf(10)).catch((e) => e);
    expect(error).toBeInstanceOf(NewerVersionSeenError);
    expect(error.facts.newer).toEqual([expect.objectContaining({ seqnum: 1, size: 100, format })]);
    expect(error.message).toMatch(/: wait until more servers answer, or write over it by `force`$/);
    // The ten servers without a share are enough for a quorum: none has got one.
    expect(holdings(servers, file.cap)).toEqual(held);
  });

  test('stops whoever knows that it was acknowledged, before anything is written', async () => {
    const { file, servers } = await withNewer();
    const before = seqnums(holdings(servers, file.cap), file.cap);
    const message =
      'version 3 was acknowledged before, and nothing as new can be read here (13 of 13 servers ' +
      'answered): restore its shares, or write over it by `force`';
    for (const write of [
      () => file.overwrite(bytesOf(10)),
      () => file.update(bytesOf(10), 0),
      () => file.append(bytesOf(10)),
      () => file.modify((old) => old, { attempts: 1 }),
    ]) {
      const error = await write().catch((e) => e);
      expect(error).toBeInstanceOf(NewerVersionSeenError);
      expect(error.message).toBe(message);
      expect(error.facts.newer).toEqual([expect.objectContaining({ seqnum: 3, size: 60, format })]);
    }
    expect(seqnums(holdings(servers, file.cap), file.cap)).toEqual(before);
    // A reader gets the newest version that can be read.
    expectBytes(await file.read(), bytesOf(100));
  });

  test('is overwritten by force, with a number above it', async () => {
    const { file, servers } = await withNewer();
    const outcome = await file.overwrite(bytesOf(10, 4), { force: true });
    expect(outcome.seqnum).toBe(4);
    expect(seqnums(holdings(servers, file.cap), file.cap)).toEqual(Array(13).fill(4));
    expectBytes(await file.read(), bytesOf(10, 4));
  });

  test('is built over by a forced update, which starts from what can be read', async () => {
    const { file } = await withNewer();
    const outcome = await file.update(Uint8Array.of(1, 2), 5, { force: true });
    expect([outcome.seqnum, outcome.inPlace]).toEqual([4, false]);
    const expected = bytesOf(100);
    expected.set([1, 2], 5);
    expectBytes(await file.read(), expected);
  });
});

describe('a write', () => {
  test.each(formats)('through the cap of the other format is refused (%s)', async (format) => {
    const { create, another, servers } = testGrid();
    const other = format === 'sdmf' ? 'mdmf' : 'sdmf';
    const file = await create(format, bytesOf(100));
    const [, ...rest] = file.writeCap.split(':').slice(1);
    const wrong = another().open(['URI', other === 'sdmf' ? 'SSK' : 'MDMF', ...rest].join(':'));
    const error = new WrongFormatError(`this is an ${other} cap, and the file is ${format}`, {
      cap: other,
      file: format,
    });
    await expect(wrong.overwrite(bytesOf(1))).rejects.toThrowError(error);
    await expect(wrong.update(bytesOf(1), 0)).rejects.toThrowError(error);
    await expect(wrong.modify((old) => old)).rejects.toThrowError(error);
    expect(seqnums(holdings(servers, file.cap), file.cap)).toEqual(Array(10).fill(1));
    // Reading goes by the shares.
    expectBytes(await wrong.read(), bytesOf(100));
  });

  test.each(formats)('needs the private key out of some share (%s)', async (format) => {
    const { create, another, servers } = testGrid();
    const file = await create(format, bytesOf(100));
    const held = holdings(servers, file.cap);
    const keyAt = (share: Uint8Array) => {
      const view = new DataView(share.buffer);
      return Number(view.getBigUint64(format === 'sdmf' ? 91 : 59));
    };
    const spoil = ({ server, shnum }: Held) => {
      const share = shareOf({ server, shnum }, file.cap);
      const index = storageIndexOf(file.cap);
      diskOf(server).overwriteShare(index, shnum, keyAt(share) + 77, Uint8Array.of(0, 0, 0, 0));
    };
    for (const h of held.slice(0, 9)) spoil(h);
    // One good copy is enough, and the others are mended by the write.
    await another().open(file.writeCap).overwrite(bytesOf(90, 2));
    for (const h of held) spoil(h);
    const error = await another()
      .open(file.writeCap)
      .overwrite(bytesOf(80, 3))
      .catch((e) => e);
    expect(error).toBeInstanceOf(MissingPrivateKeyError);
    expect(error.message).toBe('no share within reach holds the private key of this file');
    expect(error.facts.versions).toEqual([expect.objectContaining({ seqnum: 2, size: 90 })]);
    // Whoever made the file has the key.
    expect((await file.overwrite(bytesOf(80, 3))).seqnum).toBe(3);
  });

  test('to a file that is gone says so, and only force makes it again', async () => {
    const { create, another, servers } = testGrid();
    const file = await create('mdmf', bytesOf(100));
    for (const { server, shnum } of holdings(servers, file.cap)) {
      diskOf(server).deleteShare(storageIndexOf(file.cap), shnum);
    }
    const error = await another()
      .open(file.writeCap)
      .overwrite(bytesOf(1))
      .catch((e) => e);
    expect(error).toBeInstanceOf(UnrecoverableFileError);
    expect(error.message).toBe(
      'no version can be read: no good share found (13 of 13 servers answered)',
    );
    // Whoever made it knows what was there.
    const own = await file.overwrite(bytesOf(1)).catch((e) => e);
    expect(own).toBeInstanceOf(NewerVersionSeenError);
    expect(own.message).toBe(
      'version 1 was acknowledged before, and nothing as new can be read here ' +
        '(13 of 13 servers answered): restore its shares, or write over it by `force`',
    );
    expect((await file.overwrite(bytesOf(5, 2), { force: true })).seqnum).toBe(2);
    expectBytes(await another().open(file.readCap).read(), bytesOf(5, 2));
  });

  test('of a source that ends early or changes under way writes nothing', async () => {
    const { grid, create, servers } = testGrid();
    const short = { size: 10, read: async () => new Uint8Array(9) };
    await expect(
      grid.create({ contents: short, key: testKey, format: 'mdmf' }),
    ).rejects.toThrowError(
      new SourceChangedError('9 bytes at offset 0, not 10', { offset: 0, wanted: 10, got: 9 }),
    );
    const file = await create('mdmf', bytesOf(10));
    await expect(file.overwrite(short)).rejects.toThrowError(
      new SourceChangedError('9 bytes at offset 0, not 10', { offset: 0, wanted: 10, got: 9 }),
    );
    expect(seqnums(holdings(servers, file.cap), file.cap)).toEqual(Array(10).fill(1));
  });

  test('waits for the writes to the same file before it, through whichever cap', async () => {
    const { create, grid } = testGrid();
    const file = await create('mdmf', bytesOf(0));
    const asDirectory = grid.open(file.writeCap.replace('URI:MDMF:', 'URI:DIR2-MDMF:'));
    const appended = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((n) => {
        const same = [file, grid.open(file.writeCap), asDirectory][n % 3];
        return same?.append(Uint8Array.of(n), { raw: same === asDirectory });
      }),
    );
    expect(appended.map((outcome) => outcome?.seqnum)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(await file.read()).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5));
  });
});

describe('a grid', () => {
  test('refuses what cannot be', () => {
    const { servers } = testGrid();
    const { another } = testGrid();
    expect(() => another({ servers: [] })).toThrowError('grid: it has no servers');
    const twice = [servers[0], servers[0]] as StorageServer[];
    expect(() => another({ servers: twice })).toThrowError('grid: two servers are called s0');
    for (const [encoding, error] of [
      [{ required: 0, happy: 1, total: 1 }, ['required shares', 0, 'must be 1 to 1, the total']],
      [{ required: 4, happy: 1, total: 3 }, ['required shares', 4, 'must be 1 to 3, the total']],
      [{ required: 1, happy: 1, total: 256 }, ['total shares', 256, 'must be 1 to 255']],
      [{ required: 1, happy: 4, total: 3 }, ['happy', 4, 'must be from 1 to 3']],
      [{ required: 1, happy: 0, total: 3 }, ['happy', 0, 'must be from 1 to 3']],
    ] as const) {
      const [argument, value, problem] = error;
      expect(() => another({ encoding })).toThrowError(
        new OutOfRangeError(argument, value, problem),
      );
    }
    expect(() => another({ headLength: 122 })).toThrowError(
      new OutOfRangeError('headLength', 122, 'must be at least 123'),
    );
  });
});
