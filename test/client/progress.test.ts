/**
 * What the progress of an operation says never contradicts what happened: random files, writers and
 * servers that fail; the servers count what they are handed and what they acknowledge.
 */
import { expect, test } from 'vitest';
import { storageIndexOf } from '../../src/caps.ts';
import { ServerUnavailableError } from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { OperationOptions, Progress, WorkBytes } from '../../src/runtime/options.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { ReadTestWriteRequest, StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  type Held,
  holdings,
  testGrid,
  testKey,
} from '../support/client-grid.ts';
import { vectorKey } from '../support/directories.ts';

/** Bytes that servers have asked for, to write them, and that they have said to have written. */
class Counts {
  asked = 0;
  acknowledged = 0;

  /** `server`, whose writes are counted. @param fails asked before and after each write */
  counting(server: StorageServer, fails: (when: 'before' | 'after') => boolean): StorageServer {
    return altered(server, {
      readTestWrite: async (index, request, options) => {
        const unavailable = () => new ServerUnavailableError(server.id, 'down');
        if (fails('before')) throw unavailable();
        const bytes = lengthOf(request);
        const answer = await server.readTestWrite(index, this.#watched(request), options);
        if (answer.wrote) this.acknowledged += bytes;
        if (fails('after')) throw unavailable();
        return answer;
      },
    });
  }

  #watched(request: ReadTestWriteRequest): ReadTestWriteRequest {
    const shares = [...request.shares].map(([shnum, share]) => {
      const parts = share.parts.map((part) => ({
        ...part,
        bytes: async () => {
          this.asked += part.length;
          return part.bytes();
        },
      }));
      return [shnum, { ...share, parts }] as const;
    });
    return { ...request, shares: new Map(shares) };
  }
}

function lengthOf({ shares }: ReadTestWriteRequest): number {
  const parts = [...shares.values()].flatMap((share) => share.parts);
  return parts.reduce((sum, { length }) => sum + length, 0);
}

const sumOf = (bytes: WorkBytes) => Object.values(bytes).reduce((sum, n) => sum + n, 0);

/** What must hold of the reports of one operation. @param succeeded whether it has */
function expectTrue(told: readonly Progress[], succeeded: boolean): void {
  for (const reports of byAttempt(told)) {
    const done = reports.map((report) => report.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    for (const kind of ['spooled', 'heard', 'read', 'encoded', 'sent', 'stored'] as const) {
      const ofKind = reports.map(({ bytes }) => bytes[kind]);
      expect(ofKind).toEqual([...ofKind].sort((a, b) => a - b));
    }
  }
  const order = told.map(({ attempt }) => attempt);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  for (const { done, total, bytes, attempt, attempts: most } of told) {
    expect(done).toBe(sumOf(bytes));
    expect(done).toBeLessThanOrEqual(total);
    expect(attempt).toBeLessThanOrEqual(most);
    expect(bytes.stored).toBeLessThanOrEqual(bytes.sent);
  }
  const ends = told.flatMap(({ done, total }, i) => (done === total ? [i] : []));
  expect(ends).toEqual(succeeded ? [told.length - 1] : []);
  if (succeeded) expect(told.at(-1)?.waitingFor).toEqual([]);
}

function byAttempt(told: readonly Progress[]): readonly (readonly Progress[])[] {
  const attempts = [...new Set(told.map(({ attempt }) => attempt))];
  return attempts.map((attempt) => told.filter((one) => one.attempt === attempt));
}

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const worlds = Number(process.env.WORLDS ?? 2);

test(`is true of random writes, reads, collisions and failures (SEED=${seed})`, async () => {
  const prng = new Prng(seed);
  const below = (n: number) => prng.below(n);
  for (let world = 0; world < worlds; world++) {
    const counts = new Counts();
    const rate = below(3) / 20;
    let isCalm = true;
    const { create, another } = testGrid({
      count: 5,
      encoding: { required: 2, happy: 3, total: 4 },
      deadlines: { writeMs: 1000 },
      wrap: (server) => counts.counting(server, () => !isCalm && prng.random() < rate),
    });
    const format = below(2) === 0 ? 'sdmf' : 'mdmf';
    const file = await create(format, bytesOf(below(4) * 100_000 + below(50)));
    const other = another().open(file.writeCap);
    isCalm = false;
    const size = below(5) * 90_000 + below(100);
    const operations: readonly ((options: OperationOptions) => Promise<unknown>)[] = [
      (options) => file.overwrite(bytesOf(size, 2), options),
      (options) => file.append(bytesOf(size, 3), options),
      (options) => file.modify(meeting(other, below(2)), { ...options, backoffMs: 0 }),
      (options) => file.read(options),
      (options) => file.verify(options),
      (options) => file.repair(options),
      (options) => file.stat(options),
    ];
    for (const operate of operations) {
      const told: Progress[] = [];
      const seen: { asked: number; acknowledged: number }[] = [];
      const before = { ...counts };
      const onProgress = (progress: Progress) => {
        told.push(progress);
        seen.push({ ...counts });
      };
      const succeeded = await operate({ onProgress }).then(
        () => true,
        () => false,
      );
      expectTrue(told, succeeded);
      // Never more than servers have asked for, and have acknowledged.
      for (const [i, { bytes }] of told.entries()) {
        const { asked = 0, acknowledged = 0 } = seen[i] ?? {};
        expect(bytes.stored).toBeLessThanOrEqual(acknowledged - before.acknowledged);
        expect(bytes.sent).toBeLessThanOrEqual(asked - before.asked);
      }
    }
  }
});

/** A modifier that meets another writer so many times. */
function meeting(other: MutableFile, times: number) {
  let met = 0;
  return async (contents: Uint8Array) => {
    if (met++ < times) await other.append(bytesOf(5)).catch(() => {});
    return contents.subarray(1);
  };
}

test('a write that meets nobody ends with what servers have acknowledged, byte for byte', async () => {
  for (const size of [0, 10, 700_000]) {
    const counts = new Counts();
    const { grid } = testGrid({ wrap: (server) => counts.counting(server, () => false) });
    const told: Progress[] = [];
    const onProgress = (progress: Progress) => void told.push(progress);
    const file = await grid.create({ key: testKey, contents: bytesOf(size), onProgress });
    const { asked, acknowledged } = counts;
    const bytes = {
      spooled: 0,
      heard: 0,
      read: 0,
      encoded: size,
      sent: asked,
      stored: acknowledged,
    };
    const heard = told.at(-1)?.bytes.heard ?? 0;
    expect(told.at(-1)?.bytes).toEqual({ ...bytes, heard });
    expect(asked).toBe(acknowledged);
    expectTrue(told, true);
    const reads: Progress[] = [];
    await file.read({ onProgress: (progress) => void reads.push(progress) });
    expect(reads.at(-1)?.bytes.read).toBe(size);
    expectTrue(reads, true);
    const looks: Progress[] = [];
    const { way } = await file.repair({ onProgress: (progress) => void looks.push(progress) });
    expect(way).toBe('nothing');
    expectTrue(looks, true);
  }
});

test('while servers are waited for, a write is not at its end, and says who they are', async () => {
  const held: (() => void)[] = [];
  const slow = new Set(['s3', 's7']);
  const { grid } = testGrid({
    wrap: (server) =>
      altered(server, {
        readTestWrite: async (...args) => {
          const answer = await server.readTestWrite(...args);
          if (slow.has(server.id)) await new Promise<void>((resolve) => held.push(resolve));
          return answer;
        },
      }),
    encoding: { required: 3, happy: 10, total: 13 },
  });
  const told: Progress[] = [];
  const onProgress = (progress: Progress) => {
    told.push(progress);
    // All others have answered.
    if (progress.waitingFor.length === slow.size && progress.bytes.stored > 0) {
      for (const release of held.splice(0)) release();
    }
  };
  await grid.create({ key: testKey, contents: bytesOf(700_000), onProgress });
  const waiting = told.filter(({ phase, waitingFor }) => {
    return phase === 'writing' && waitingFor.length === slow.size;
  });
  expect(new Set(waiting.map(({ waitingFor }) => [...waitingFor].sort().join()))).toEqual(
    new Set(['s3,s7']),
  );
  // Eleven of thirteen have acknowledged: two shares of the rest are missing.
  const [{ bytes, done, total } = {} as Progress] = waiting;
  expect(total - done).toBeGreaterThanOrEqual((bytes.sent / 13) * 2 - 13);
  expectTrue(told, true);
});

test('a call on a directory that consists of several on files has one end', async () => {
  const { grid, create } = testGrid();
  const file = await create('sdmf', bytesOf(1));
  const [one, two] = [
    await grid.createDirectory({ key: await vectorKey(0) }),
    await grid.createDirectory({ key: await vectorKey(1) }),
  ];
  await one.add('a', file);
  const told: Progress[] = [];
  await one.move('a', two, 'b', { onProgress: (progress) => void told.push(progress) });
  expectTrue(told, true);
  const phases = told.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
  expect(phases.filter((phase) => phase === 'writing')).toHaveLength(2);
  const { waitingFor, bytes } = told.at(-1) as Progress;
  expect([waitingFor, bytes.stored > 0]).toEqual([[], true]);
});

/** So many bytes, in pieces that can be read once. */
function* readOnce(length: number): Generator<Uint8Array, void, undefined> {
  const bytes = bytesOf(length, 5);
  for (let at = 0; at < length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

test('what can be read only once is told of as it is kept, and counts as work', async () => {
  const { grid } = testGrid();
  const file = await testGrid().create('mdmf', bytesOf(70));
  const operations: readonly ((options: OperationOptions) => Promise<unknown>)[] = [
    (options) => grid.create({ key: testKey, contents: readOnce(250_000), ...options }),
    (options) => file.overwrite(readOnce(250_000), options),
    (options) => file.append(readOnce(250_000), options),
  ];
  for (const operate of operations) {
    const told: Progress[] = [];
    await operate({ onProgress: (progress) => void told.push(progress) });
    expectTrue(told, true);
    const spooling = told.filter(({ phase }) => phase === 'spooling');
    expect(told.indexOf(spooling.at(-1) as Progress)).toBe(spooling.length - 1);
    expect(spooling.map(({ done }) => done)).toEqual([0, 100_000, 200_000, 250_000]);
    expect(told.at(-1)?.bytes.spooled).toBe(250_000);
  }
});

test('nothing looks like the end while most of the work is ahead', async () => {
  for (const format of ['sdmf', 'mdmf'] as const) {
    const { create, another, servers } = testGrid();
    const file = await create(format, bytesOf(900_000));
    const index = storageIndexOf(file.cap);
    const [rotten, ...lost] = holdings(servers, file.cap).slice(5) as [Held, ...Held[]];
    // One that does not remember what the servers have.
    const other = () => another().open(file.writeCap);
    const meets = meeting(file, 1);
    const operations: Record<string, (options: OperationOptions) => Promise<unknown>> = {
      read: (options) => other().read(options),
      'read of a part': (options) => other().read({ offset: 100, length: 700_000, ...options }),
      verify: (options) => other().verify(options),
      append: (options) => other().append(bytesOf(400_000), options),
      overwrite: (options) => other().overwrite(bytesOf(600_000), options),
      'overwrite with a stream': (options) => other().overwrite(readOnce(600_000), options),
      repair: (options) => other().repair(options),
      'repair of a share that rots': (options) => {
        diskOf(rotten.server).overwriteShare(index, rotten.shnum, 290_000, bytesOf(9));
        return other().repair(options);
      },
      'repair of shares that are lost': (options) => {
        for (const { server, shnum } of lost) diskOf(server).deleteShare(index, shnum);
        return other().repair(options);
      },
      'modify of what is known': (options) => file.modify((old) => old.subarray(1), options),
      modify: (options) => other().modify(meets, { ...options, backoffMs: 0 }),
    };
    for (const [name, operate] of Object.entries(operations)) {
      const told: Progress[] = [];
      await operate({ onProgress: (progress) => void told.push(progress) });
      for (const reports of byAttempt(told)) expectHonest(`${name} of ${format}`, reports);
    }
  }
});

/** No report of an attempt is near the end before half of its bytes have gone, or falls far. */
function expectHonest(name: string, reports: readonly Progress[]): void {
  const gone = ({ bytes: { read, sent } }: Progress) => read + sent;
  const half = gone(reports.at(-1) as Progress) / 2;
  let most = 0;
  for (const report of reports) {
    const ratio = report.done / report.total;
    const what = `${name}, ${report.phase}: ${ratio} after ${most}`;
    if (gone(report) < half) expect(ratio, what).toBeLessThan(0.9);
    expect(ratio, what).toBeGreaterThan(most - 0.05);
    most = Math.max(most, ratio);
  }
}
