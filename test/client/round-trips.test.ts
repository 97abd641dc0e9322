/** How many round trips an operation waits for, and what it asks for, where nobody disturbs it. */
import { describe, expect, test } from 'vitest';
import { storageIndexOf } from '../../src/caps.ts';
import { ServerUnavailableError } from '../../src/errors.ts';
import { diskOf, type MemoryServer } from '../../src/storage/memory.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  type Held,
  holdings,
  putShare,
  shareOf,
  testGrid,
} from '../support/client-grid.ts';
import { farFile, Waves } from '../support/waves.ts';

const small = bytesOf(2048);
const other = bytesOf(2048, 2);

/** `read 3` and the like count as one. */
function counts(calls: readonly string[]): Readonly<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const call of calls) {
    const [, kind] = /^\S+ (read all|list|read|write)/.exec(call) as unknown as [string, string];
    counted[kind] = (counted[kind] ?? 0) + 1;
  }
  return counted;
}

// B servers have to answer a reader; when only one is still to, another one is asked too.
describe.each(['sdmf', 'mdmf'] as const)('a small file, %s', (format) => {
  test('is read in one round trip by its write cap', async () => {
    const { waves, file, another } = await farFile({ format, contents: small });
    const read = await waves.of(() => another().open(file.writeCap).read());
    expectBytes(read.result, small);
    expect(read.waves).toBe(1);
    expect(counts(read.calls)).toEqual({ 'read all': 8 });
  });

  test('is read in one round trip by its read cap, where shares are where they were put', async () => {
    const { waves, file, another } = await farFile({ format, contents: small });
    const read = await waves.of(() => another().open(file.readCap).read());
    expectBytes(read.result, small);
    expect(read.waves).toBe(1);
    expect(counts(read.calls)).toEqual({ list: 8, read: 8 });
  });

  test('is overwritten in two round trips: all servers are read, N are written', async () => {
    const { waves, file, another } = await farFile({ format, contents: small });
    const overwrite = await waves.of(() => another().open(file.writeCap).overwrite(other));
    expect(overwrite.waves).toBe(2);
    expect(counts(overwrite.calls)).toEqual({ 'read all': 13, write: 10 });
    expectBytes((await waves.of(() => file.read())).result, other);
  });
});

describe('an SDMF file of 1 MiB', () => {
  const contents = bytesOf(2 ** 20);

  test('is overwritten in two round trips: the private key comes with the whole of one share', async () => {
    const { waves, file, another } = await farFile({ format: 'sdmf', contents });
    const overwrite = await waves.of(() => another().open(file.writeCap).overwrite(other));
    expect(overwrite.waves).toBe(2);
    expect(counts(overwrite.calls)).toEqual({ 'read all': 13, write: 10 });
  });

  test('takes one more where that share is elsewhere: all others are asked for the key', async () => {
    const { waves, file, another, servers } = await farFile({ format: 'sdmf', contents });
    const order = (await waves.of(() => file.servermap())).result.servers;
    const first = servers.find(({ id }) => id === order[0]?.id) as MemoryServer;
    const index = storageIndexOf(file.cap);
    const [held] = holdings([first], file.cap) as [Held];
    const spare = servers.find((one) => diskOf(one).sharesOf(index).length === 0) as MemoryServer;
    await putShare(spare, file.cap, held.shnum, shareOf(held, file.cap));
    diskOf(first).deleteShare(index, held.shnum);
    const overwrite = await waves.of(() => another().open(file.writeCap).overwrite(other));
    expect(overwrite.waves).toBe(3);
    expect(overwrite.result.missing).toEqual([]);
  });
});

describe.each(['sdmf', 'mdmf'] as const)('a file that was just written, %s', (format) => {
  test('is overwritten in one round trip: what it wrote is tested for', async () => {
    const { waves, file } = await farFile({ format, contents: small });
    for (const seed of [2, 3]) {
      const contents = bytesOf(2048, seed);
      const overwrite = await waves.of(() => file.overwrite(contents));
      expect(overwrite.waves).toBe(1);
      expect(counts(overwrite.calls)).toEqual({ write: 10 });
      expectBytes((await waves.of(() => file.read())).result, contents);
    }
  });

  test('has a version of another writer since: that is found, and built on', async () => {
    const { waves, file, another } = await farFile({ format, contents: small });
    await waves.of(() => another().open(file.writeCap).overwrite(bytesOf(1000, 3)));
    const overwrite = await waves.of(() => file.overwrite(other));
    expect(overwrite.result).toMatchObject({
      seqnum: 3,
      base: { seqnum: 2 },
      placed: { length: 10 },
    });
    expect(overwrite.waves).toBe(4);
    expectBytes((await waves.of(() => another().open(file.writeCap).read())).result, other);
  });
});

test('a share that is not where it was guessed is read where it is', async () => {
  const { waves, file, another, servers } = await farFile({ format: 'mdmf', contents: small });
  // Another client's order of servers: what it guesses is wrong everywhere.
  const readCap = file.readCap;
  const [first] = servers;
  expect(first).toBeDefined();
  const wrong = another({ servers: servers.slice(1).map(waves.far), gridSize: 13 });
  const read = await waves.of(() => wrong.open(readCap).read());
  expectBytes(read.result, small);
});

test('a server that takes another write enabler is listed and read all the same', async () => {
  const waves = new Waves();
  const { create, another, servers } = testGrid({ wrap: waves.far });
  const { result: file } = await waves.of(() => create('mdmf', small));
  const foreign = servers.map((server) =>
    Object.assign(waves.far(server), { tubId: new Uint8Array(20).fill(9) }),
  );
  const read = await waves.of(() => another({ servers: foreign }).open(file.writeCap).read());
  expectBytes(read.result, small);
  expect(read.waves).toBe(3);
});

test('a change in place takes three: the map, what it needs of trees and blocks, the writes', async () => {
  const { waves, file, another } = await farFile({ format: 'mdmf', contents: bytesOf(500_000) });
  const change = () => another().open(file.writeCap).update(bytesOf(9, 3), 200_000);
  const update = await waves.of(change);
  expect(update.result.inPlace).toBe(true);
  expect(update.waves).toBe(3);
  expect(counts(update.calls)).toEqual({ 'read all': 16, read: 7, write: 10 });
});

describe('a change in place of a file that was just written', () => {
  const size = 500_000;
  const twoTrips = { waves: 2, calls: { 'read all': 10, write: 10 } };
  const oneTrip = { waves: 1, calls: { write: 10 } };

  async function justWritten() {
    const { waves, file, another } = await farFile({ format: 'mdmf', contents: bytesOf(size) });
    const contents = [...bytesOf(size)];
    const update = async (offset: number | undefined, seed: number) => {
      const data = bytesOf(9, seed);
      const at = offset ?? contents.length;
      contents.splice(at, data.length, ...data);
      const write = () => (offset === undefined ? file.append(data) : file.update(data, offset));
      const { result, waves: count, calls } = await waves.of(write);
      expect(result.inPlace).toBe(true);
      const read = await waves.of(() => another().open(file.writeCap).read());
      expectBytes(read.result, Uint8Array.from(contents));
      return { waves: count, calls: counts(calls) };
    };
    return { waves, file, another, update };
  }

  test('takes two, for what it needs of trees and blocks, and then one in the same segment', async () => {
    const { update } = await justWritten();
    expect(await update(200_000, 3)).toEqual(twoTrips);
    expect(await update(200_000, 4)).toEqual(oneTrip);
    expect(await update(200_007, 5)).toEqual(oneTrip);
    expect((await update(0, 6)).waves).toBe(2);
    expect(await update(200_000, 7)).toEqual(oneTrip);
    expect(await update(3, 8)).toEqual(oneTrip);
  });

  test('is one after the other where appended to: what was written is known', async () => {
    const { update } = await justWritten();
    expect((await update(undefined, 3)).waves).toBe(2);
    for (const seed of [4, 5, 6]) expect(await update(undefined, seed)).toEqual(oneTrip);
  });

  test('is in vain where somebody else has written since: what was met is read, then all is made again', async () => {
    const { waves, file, another, update } = await justWritten();
    await update(200_000, 3);
    await waves.of(() => another().open(file.writeCap).update(bytesOf(9, 4), 200_004));
    const again = await waves.of(() => file.update(bytesOf(9, 5), 200_000));
    expect(again.result).toMatchObject({ seqnum: 4, base: { seqnum: 3 }, inPlace: true });
    expect(again.waves).toBe(5);
    const { result } = await waves.of(() => another().open(file.writeCap).read());
    const both = [...bytesOf(9, 5), ...bytesOf(9, 4).slice(5)];
    expectBytes(result.subarray(200_000, 200_013), Uint8Array.from(both));
  });
});

test('servers that refuse every read-test-write, their disks being full, are read all the same', async () => {
  const waves = new Waves();
  const { create, another, servers } = testGrid({ wrap: waves.far });
  const { result: file } = await waves.of(() => create('mdmf', small));
  const full = servers.map((server) =>
    altered(waves.far(server), {
      readTestWrite: async () => {
        throw new ServerUnavailableError(server.id, 'it answered with status 500');
      },
    }),
  );
  const read = await waves.of(() => another({ servers: full }).open(file.writeCap).read());
  expectBytes(read.result, small);
});
