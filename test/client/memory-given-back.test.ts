/**
 * @module memory-given-back: what a write was made in is given back with its end, and not before. (What
 * was made by one that ends while it is encoded goes when V8 looks for it.)
 */
import { expect, test } from 'vitest';
import { deferred } from '../../src/deferred.ts';
import type { ReadTestWriteRequest, ShareWrite, StorageServer } from '../../src/storage/server.ts';
import { altered, atRest, bytesOf, expectBytes, testGrid } from '../support/client-grid.ts';

/** Of blocks; heads and trees are not worth it. */
const longMin = 4096;

/** `server`, which notes in `memory` where the long parts that it is sent lie. */
function noting(server: StorageServer, memory: Set<ArrayBufferLike>): StorageServer {
  const noted = (write: ShareWrite): ShareWrite => ({
    ...write,
    parts: write.parts.map((part) => ({
      ...part,
      bytes: async () => {
        const bytes = await part.bytes();
        if (bytes.length >= longMin) memory.add(bytes.buffer);
        return bytes;
      },
    })),
  });
  const readTestWrite: StorageServer['readTestWrite'] = (index, request, options) => {
    const shares = new Map([...request.shares].map(([n, write]) => [n, noted(write)] as const));
    return server.readTestWrite(index, { ...request, shares } as ReadTestWriteRequest, options);
  };
  return altered(server, { readTestWrite });
}

const lengthsOf = (memory: ReadonlySet<ArrayBufferLike>) =>
  [...memory].map(({ byteLength }) => byteLength);

test.each([
  ['sdmf', 3, 40_000],
  // All shares are one block; each is sent as a whole all the same.
  ['sdmf', 1, 40_000],
  ['mdmf', 3, 300_000],
  // With the first pass, in the memory of the few segments before.
  ['mdmf', 3, 12 * 131_072],
] as const)('%s, k = %d, %d bytes', async (format, required, size) => {
  const memory = new Set<ArrayBufferLike>();
  const encoding = { required, happy: 7, total: 10 };
  const { create, another } = testGrid({ encoding, wrap: (server) => noting(server, memory) });
  const file = await create(format, bytesOf(size));
  const made = memory.size;
  expect(made).toBeGreaterThan(0);
  expect(lengthsOf(memory)).toEqual(Array(made).fill(0));
  await file.overwrite(bytesOf(size, 2));
  if (format === 'mdmf') await file.update(bytesOf(5, 3), 7);
  expect(memory.size).toBeGreaterThan(made);
  expect(lengthsOf(memory)).toEqual(Array(memory.size).fill(0));
  const patched = bytesOf(size, 2);
  if (format === 'mdmf') patched.set(bytesOf(5, 3), 7);
  expectBytes(await another().open(file.writeCap).read(), patched);
});

test('a server that is given up has what it is sent for as long as it takes', async () => {
  const memory = new Set<ArrayBufferLike>();
  const goOn = deferred<void>();
  const isHeld = deferred<void>();
  const late = deferred<Uint8Array>();
  const stopped = new AbortController();
  const { grid, create } = testGrid({
    wrap: (server, i) => {
      const noted = noting(server, memory);
      if (i !== 0) return noted;
      return altered(noted, {
        async readTestWrite(index, request, options) {
          const part = [...request.shares.values()].flatMap(({ parts }) => parts).at(0);
          if (part === undefined || !slow) return noted.readTestWrite(index, request, options);
          const bytes = await part.bytes();
          isHeld.resolve();
          await goOn.promise;
          late.resolve(bytes.slice());
          throw options?.signal?.reason;
        },
      });
    },
  });
  let slow = false;
  const file = await create('sdmf', bytesOf(40_000));
  slow = true;
  const write = grid.open(file.writeCap).overwrite(bytesOf(40_000, 2), { signal: stopped.signal });
  await isHeld.promise;
  stopped.abort();
  await expect(write).rejects.toThrowError('aborted');
  await atRest();
  goOn.resolve();
  const bytes = await late.promise;
  expect(bytes.length).toBeGreaterThan(longMin);
  await atRest();
  expect(lengthsOf(memory)).toEqual(Array(memory.size).fill(0));
});
