/**
 * @module early-writes: what was begun while a long file was encoded is over when the operation is.
 */
import { expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import type { ReadTestWriteRequest, StorageServer, WritePart } from '../../src/storage/server.ts';
import { altered, bytesOf, expectBytes, manyTurns, testGrid } from '../support/client-grid.ts';

const before = bytesOf(900_000, 1);
const after = bytesOf(900_000, 2);

/** `request`, where `onHead` is told that the last part of a share is asked for. */
function listening(request: ReadTestWriteRequest, onHead: () => void): ReadTestWriteRequest {
  const told = (head: WritePart): WritePart => {
    const bytes = () => {
      onHead();
      return head.bytes();
    };
    return { ...head, bytes };
  };
  const shares = [...request.shares].map(([shnum, share]) => {
    const parts = [...share.parts.slice(0, -1), ...share.parts.slice(-1).map(told)];
    return [shnum, { ...share, parts }] as const;
  });
  return { ...request, shares: new Map(shares) };
}

/** A grid that knows how many of its writes are under way. */
function countingGrid() {
  const watch = { writes: 0, onHead: () => {} };
  const wrap = (server: StorageServer) =>
    altered(server, {
      readTestWrite: async (index, request, options) => {
        watch.writes++;
        try {
          const all = listening(request, () => watch.onHead());
          return await server.readTestWrite(index, all, options);
        } finally {
          watch.writes--;
        }
      },
    });
  return { watch, ...testGrid({ wrap }) };
}

test('no server keeps its lock for a head that was held back when the caller gave up', async () => {
  const { watch, create, another } = countingGrid();
  const { writeCap } = await create('mdmf', before);
  const file = another().open(writeCap);
  const controller = new AbortController();
  watch.onHead = () => controller.abort(new Error('enough'));
  await expect(file.overwrite(after, { signal: controller.signal })).rejects.toThrowError('enough');
  watch.onHead = () => {};
  await manyTurns();
  expect(watch.writes).toBe(0);
  expectBytes(await file.read(), before);
  await file.overwrite(after);
  expectBytes(await file.read(), after);
});

test('nor for a source that is silent', async () => {
  const { watch, create } = countingGrid();
  const file = await create('mdmf', before);
  const controller = new AbortController();
  const read = async (offset: number, length: number) => {
    if (offset > 0) {
      await manyTurns();
      controller.abort(new Error('enough'));
      await new Promise(() => {});
    }
    return after.subarray(offset, offset + length);
  };
  const overwriting = file.overwrite({ size: after.length, read }, { signal: controller.signal });
  await expect(overwriting).rejects.toThrowError('enough');
  await manyTurns();
  expect(watch.writes).toBe(0);
  await file.overwrite(after);
  expectBytes(await file.read(), after);
});

test('no timer waits for hung servers after the caller has given up', async () => {
  const clock = new SimulatedClock();
  const timers = new Set<unknown>();
  const counting = {
    setTimeout: (callback: () => void, ms: number) => {
      const id = clock.setTimeout(callback, ms);
      timers.add(id);
      return id;
    },
    clearTimeout: (id: unknown) => {
      timers.delete(id);
      clock.clearTimeout(id as number);
    },
  };
  let isHung = false;
  const wrap = (server: StorageServer) =>
    altered(server, {
      readTestWrite: (...args) => (isHung ? new Promise(() => {}) : server.readTestWrite(...args)),
    });
  const grid = testGrid({ wrap, clock: counting, now: () => clock.now() });
  const long = bytesOf(12_000_000, 1);
  const file = await grid.create('mdmf', before);
  isHung = true;
  const controller = new AbortController();
  const overwriting = file.overwrite(long, { signal: controller.signal });
  overwriting.catch(() => {});
  await manyTurns();
  expect(timers.size).toBeGreaterThan(0);
  controller.abort(new Error('enough'));
  await expect(overwriting).rejects.toThrowError('enough');
  await manyTurns();
  expect(timers.size).toBe(0);
});
