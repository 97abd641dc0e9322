/**
 * @module blocks-ahead: windows are read into the memory of those that are done with.
 */
import { expect, test } from 'vitest';
import { ServerUnavailableError } from '../../src/errors.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, bytesOf, expectBytes, testGrid } from '../support/client-grid.ts';

const contents = bytesOf(24_000_000);

/** The memory that reads were given. */
const given: Uint8Array[] = [];

/** A grid of which `fails` says who does not answer. */
async function watchingGrid(fails: (server: string, into: Uint8Array | undefined) => boolean) {
  const lost = new Set<Uint8Array>();
  const wrap = (server: StorageServer) =>
    altered(server, {
      readShare: async (index, shnum, range, options) => {
        const { into } = options ?? {};
        if (into !== undefined) {
          // Whoever was given up with it may still write to it.
          expect(lost.has(into)).toBe(false);
          given.push(into);
        }
        if (!fails(server.id, into)) return server.readShare(index, shnum, range, options);
        if (into !== undefined) lost.add(into);
        throw new ServerUnavailableError(server.id, 'gone');
      },
    });
  const { create, another } = testGrid({ wrap });
  const { readCap } = await create('mdmf', contents);
  given.length = 0;
  return { file: another().open(readCap), lost };
}

test('the windows of a long read take turns in the memory of a few, which is then given back', async () => {
  const held: number[] = [];
  const { file } = await watchingGrid(() => {
    held.push([...new Set(given)].reduce((sum, room) => sum + room.length, 0));
    return false;
  });
  expectBytes(await file.read(), contents);
  // Eight windows of three shares each: one in hand, of 4 MiB at most, and seven MiB ahead.
  expect(given.length).toBe(24);
  expect(Math.max(...held)).toBeLessThanOrEqual(11 * 2 ** 20);
  expect(given.map((room) => room.length)).toEqual(given.map(() => 0));
});

test('what a server that fails was given is given to nobody else', async () => {
  let failing = '';
  const { file, lost } = await watchingGrid((server, into) => {
    if (given.length > 12 && into !== undefined) failing ||= server;
    return server === failing;
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of file.stream()) pieces.push(piece);
  expectBytes(Buffer.concat(pieces), contents);
  expect(lost.size).toBeGreaterThan(0);
  expect(new Set(given).size).toBeLessThan(given.length);
});
