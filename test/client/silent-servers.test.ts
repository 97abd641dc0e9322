/**
 * @module silent-servers: how long operations wait for a server that takes everything and answers nothing,
 * to the millisecond of a clock that does not run by itself.
 */
import { expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { storageIndexOf } from '../../src/caps.ts';
import { NewerVersionSeenError } from '../../src/errors.ts';
import { patienceMinMs, withSilent, withSpare } from '../../src/runtime/pace.ts';
import { patienceMs } from '../../src/share/lockstep.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, bytesOf, holdings, passTime, testGrid, testKey } from '../support/client-grid.ts';

/** Servers of which one takes every call and answers none, once it is told to hang. */
function hanging() {
  let hung = '';
  const wrap = (server: StorageServer) => {
    const unlessHung = <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => {
      return (...args: Args) => (server.id === hung ? new Promise<T>(() => {}) : call(...args));
    };
    return altered(server, {
      listShares: unlessHung((...args) => server.listShares(...args)),
      readShare: unlessHung((...args) => server.readShare(...args)),
      readTestWrite: unlessHung((...args) => server.readTestWrite(...args)),
    });
  };
  const hang = (id: string) => {
    hung = id;
  };
  return { hang, wrap };
}

/** A small file; the server of its first share answers no write from then on. */
async function mutedFile() {
  const clock = new SimulatedClock();
  const now = () => clock.now();
  let silent = '';
  const wrap = (server: StorageServer) =>
    altered(server, {
      readTestWrite: (...args) =>
        server.id === silent ? new Promise(() => {}) : server.readTestWrite(...args),
    });
  const { create, servers } = testGrid({ clock, now, wrap });
  const file = await create('mdmf', bytesOf(100));
  silent = holdings(servers, file.cap)[0]?.server.id as string;
  return { clock, file, silent };
}

test('a write to a server that never answers is given up, far behind its peers, and goes elsewhere', async () => {
  const { clock, file, silent } = await mutedFile();
  const overwriting = file.overwrite(bytesOf(50, 2));
  expect(await passTime(clock, overwriting, 50)).toBe(withSpare.minMs);
  const outcome = await overwriting;
  expect(outcome.missing).toEqual([]);
  expect(outcome.placed.some(({ server }) => server === silent)).toBe(false);
});

test('a write is held up once, in the map, by a server that hangs from the start', async () => {
  const clock = new SimulatedClock();
  const now = () => clock.now();
  const { hang, wrap } = hanging();
  const { create, servers } = testGrid({ clock, now, wrap });
  const file = await create('mdmf', bytesOf(400_000));
  hang(holdings(servers, file.cap)[0]?.server.id as string);
  const overwriting = file.overwrite(bytesOf(400_000, 2));
  expect(await passTime(clock, overwriting, 50)).toBe(withSpare.minMs);
  expect((await overwriting).missing).toEqual([]);
  // Its share has another home now: the file can change in place.
  const before = clock.now();
  const updating = file.update(bytesOf(50, 3), 100);
  expect((await passTime(clock, updating, 50)) - before).toBe(withSpare.minMs);
  expect(await updating).toMatchObject({ inPlace: true, missing: [] });
});

test('a write waits for a silent server at length when the others do not suffice, as a check does', async () => {
  const clock = new SimulatedClock();
  const now = () => clock.now();
  const { hang, wrap } = hanging();
  const { create, servers } = testGrid({ clock, now, wrap });
  const file = await create('mdmf', bytesOf(100));
  hang('s0');
  const checking = file.servermap({ mode: 'check' });
  expect(await passTime(clock, checking, 50)).toBe(patienceMinMs);
  for (const { server, shnum } of holdings(servers, file.cap)) {
    diskOf(server).deleteShare(storageIndexOf(file.cap), shnum);
  }
  const before = clock.now();
  const overwriting = file.overwrite(bytesOf(1)).catch((error) => error);
  const tookMs = (await passTime(clock, overwriting, 50)) - before;
  expect(tookMs).toBe(withSpare.minMs + patienceMinMs);
  expect(await overwriting).toBeInstanceOf(NewerVersionSeenError);
});

test('a write to a server that has gone silent altogether takes a moment more, to ask it', async () => {
  const clock = new SimulatedClock();
  const now = () => clock.now();
  const mute = (server: StorageServer, index: number): StorageServer => {
    if (index !== 3) return server;
    const never = () => new Promise<never>(() => {});
    let isMapped = false;
    const listShares: StorageServer['listShares'] = (...args) => {
      if (isMapped) return never();
      isMapped = true;
      return server.listShares(...args);
    };
    return altered(server, { listShares, readShare: never, readTestWrite: never });
  };
  // Every server gets a share, or would.
  const encoding = { required: 3, happy: 7, total: 13 };
  const { grid } = testGrid({ clock, now, encoding, wrap: mute });
  const creating = grid.create({ format: 'mdmf', contents: bytesOf(100), key: testKey });
  expect(await passTime(clock, creating, 50)).toBe(withSpare.minMs + withSilent.minMs);
  await creating;
});

test('a long file is encoded without a server that takes none of it, which is given up after that', async () => {
  const { clock, file } = await mutedFile();
  const contents = bytesOf(30 * 131_073, 2);
  const overwriting = file.overwrite(contents);
  expect(await passTime(clock, overwriting, 50)).toBe(patienceMs + withSpare.minMs);
  expect((await overwriting).missing).toEqual([]);
  expect((await file.read()).length).toBe(contents.length);
});
