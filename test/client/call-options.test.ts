/** What a call may say for itself: its deadlines, and how often it is tried. */
import { expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { BadArgumentError, OutOfRangeError, UncoordinatedWriteError } from '../../src/errors.ts';
import type { GridOptions } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { OperationOptions, Progress, Retry } from '../../src/runtime/options.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  memoryServers,
  passTime,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const alone = { required: 1, happy: 1, total: 1 };
const silence = () => new Promise<never>(() => {});

/** A file on a server that is silent from then on, on a clock. */
async function onSilentServer(how: Partial<StorageServer>, options: Partial<GridOptions> = {}) {
  const clock = new SimulatedClock();
  let isSilent = false;
  const { create, another } = testGrid({
    ...{ count: 1, encoding: alone, clock, now: () => clock.now(), ...options },
    wrap: (server) =>
      altered(server, {
        ...(how.listShares && {
          listShares: (...args) => (isSilent ? silence() : server.listShares(...args)),
        }),
        ...(how.readTestWrite && {
          readTestWrite: (...args) => (isSilent ? silence() : server.readTestWrite(...args)),
        }),
      }),
  });
  const { writeCap } = await create('sdmf', bytesOf(5));
  isSilent = true;
  return { clock, file: another().open(writeCap) };
}

test('a call has its own deadlines, and those of the grid where it says nothing', async () => {
  const asked = async (deadlines: OperationOptions['deadlines']) => {
    const { clock, file } = await onSilentServer({ listShares: silence });
    return passTime(clock, file.servermap({ deadlines }));
  };
  expect(await asked({ queryMs: 2000 })).toBe(2000);
  expect(await asked({ queryMs: undefined, readMs: 7 })).toBe(15_000);
  const { clock, file } = await onSilentServer(
    { readTestWrite: silence },
    { deadlines: { writeMs: 9000, readMs: 1000 } },
  );
  const writing = file.overwrite(bytesOf(9), { deadlines: { writeMs: 4000 } });
  const ended = writing.catch(({ code }) => code);
  expect(await passTime(clock, ended)).toBe(4000);
  // The server was read again and holds what it held; but the write may come to it yet.
  expect(await ended).toBe('IndeterminateWriteError');
});

/** A file whose next write meets another writer, so many times. */
async function disturbed(times: number) {
  let left = 0;
  let busy: Promise<unknown> | undefined;
  const { create, another } = testGrid();
  const file = await create('sdmf', bytesOf(5));
  const other = another().open(file.writeCap);
  const servers = another().servers.map((server) =>
    altered(server, {
      readTestWrite: async (...args) => {
        if (left > 0) {
          left--;
          busy = other.overwrite(bytesOf(6));
        }
        await busy;
        return server.readTestWrite(...args);
      },
    }),
  );
  left = times;
  return { file: another({ servers }).open(file.writeCap) };
}

test('a write tries again as often as it is told, and builds on what it finds', async () => {
  const overwriting = async (retry?: Retry) => {
    const { file } = await disturbed(1);
    return file.overwrite(bytesOf(9, 2), { retry }).then(
      async ({ seqnum }) => ({ seqnum, contents: await file.read() }),
      (error) => error,
    );
  };
  // Once, as ever, unless it is told otherwise.
  for (const retry of [undefined, false, { attempts: 1 }, {}] as const) {
    expect(await overwriting(retry)).toBeInstanceOf(UncoordinatedWriteError);
  }
  const twice = await overwriting({ attempts: 2, backoffMs: 0 });
  expect(twice).toEqual({ seqnum: 3, contents: bytesOf(9, 2) });
  const { file } = await disturbed(1);
  await file.append(bytesOf(3, 3), { retry: { attempts: 2, backoffMs: 0 } });
  expectBytes(await file.read(), Uint8Array.of(...bytesOf(6), ...bytesOf(3, 3)));
});

test('modify tries once where it is told so', async () => {
  const { file } = await disturbed(1);
  let calls = 0;
  const change = (contents: Uint8Array) => {
    calls++;
    return contents.subarray(1);
  };
  await expect(file.modify(change, { retry: false })).rejects.toThrow(UncoordinatedWriteError);
  expect(calls).toBe(1);
});

test('progress says how often a call may be tried', async () => {
  const file = await testGrid().create('sdmf', bytesOf(5));
  const attemptsOf = async (run: (options: OperationOptions) => Promise<unknown>) => {
    const told = new Set<number>();
    await run({ onProgress: ({ attempts }: Progress) => void told.add(attempts) });
    return [...told];
  };
  const retry = { attempts: 5 };
  expect(await attemptsOf((all) => file.read(all))).toEqual([2]);
  expect(await attemptsOf((all) => file.read({ ...all, retry }))).toEqual([5]);
  expect(await attemptsOf((all) => file.stat({ ...all, retry: false }))).toEqual([1]);
  expect(await attemptsOf((all) => file.overwrite(bytesOf(1), { ...all, retry }))).toEqual([5]);
  expect(await attemptsOf((all) => file.modify((c) => c.subarray(1), all))).toEqual([8]);
  expect(await attemptsOf((all) => file.modify((c) => c, { ...all, attempts: 3 }))).toEqual([3]);
});

const range = 'must be above 0 and at most 2147483647';
const whole = 'must be a whole number from 0 to 2^53-1';
test.each<[object, Error]>([
  [{ retry: 7 }, new BadArgumentError('retry', 'is a number, not false, or an object')],
  [{ retry: true }, new BadArgumentError('retry', 'is a boolean, not false, or an object')],
  [{ retry: { tries: 2 } }, new BadArgumentError('retry.tries', 'is none of attempts, backoffMs')],
  [{ retry: { attempts: 0 } }, new OutOfRangeError('retry.attempts', 0, 'must be from 1 to 1000')],
  [
    { retry: { attempts: '2' } },
    new BadArgumentError('retry.attempts', 'is a string, not a number'),
  ],
  [{ retry: { backoffMs: -1 } }, new OutOfRangeError('retry.backoffMs', -1, whole)],
  [{ deadlines: 7 }, new BadArgumentError('deadlines', 'is a number, not an object')],
  [
    { deadlines: { readsMs: 7 } },
    new BadArgumentError('deadlines.readsMs', 'is none of queryMs, verifyMs, readMs, writeMs'),
  ],
  [{ deadlines: { readMs: 0 } }, new OutOfRangeError('deadlines.readMs', 0, range)],
])('%j is refused before anybody is asked', async (options, expected) => {
  const file = await testGrid().create('sdmf');
  const calls: ((file: MutableFile) => Promise<unknown>)[] = [
    () => file.read(options),
    () => file.overwrite(bytesOf(1), options),
    () => file.modify((c) => c, options),
  ];
  for (const call of calls) expect(await call(file).catch((e) => e)).toEqual(expected);
});

test('one call does not say twice how often it is tried', async () => {
  const file = await testGrid().create('sdmf');
  const twice = file.modify((c) => c, { retry: false, attempts: 3 });
  await expect(twice).rejects.toEqual(
    new BadArgumentError('retry', 'is given beside attempts or backoffMs, which are the same'),
  );
});

test.each<[unknown, string]>([
  [7, 'log: is a number, not a logger'],
  [{ info: () => {} }, 'log.debug: is undefined, not a function'],
])('a grid refuses the log %j', (log, message) => {
  expect(() => testGrid({ log: log as never })).toThrow(new RegExp(`^${message}$`));
});

test('a key that is a file already is no collision: create tries once', async () => {
  const { grid } = testGrid({ servers: memoryServers(13) });
  await grid.create({ key: testKey });
  const attempts = new Set<number>();
  const onProgress = (progress: Progress) => void attempts.add(progress.attempts);
  await expect(grid.create({ key: testKey, onProgress })).rejects.toThrow();
  expect([...attempts]).toEqual([1]);
});
