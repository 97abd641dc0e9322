/** The backend over IndexedDB, here on fake-indexeddb; test/browser/ has the real one. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { toBase32 } from '../../src/bytes.ts';
import { ServerUnavailableError } from '../../src/errors.ts';
import { bucketIn, DirectoryServer } from '../../src/storage/directory.ts';
import { IndexedDbServer } from '../../src/storage/indexeddb.ts';
import { fakeIndexedDb } from '../support/fake-browser.ts';
import { immutableSharesContract } from '../support/immutable-contract.ts';
import { containerIn, indexedDbContract, withImmutables } from '../support/indexeddb-contract.ts';
import { storageServerContract } from '../support/storage-contract.ts';
import { part, randomSecrets, TestSlot, write } from '../support/test-slot.ts';

fakeIndexedDb();

storageServerContract('indexeddb', async () => ({ server: new IndexedDbServer({ id: 'i0' }) }));
immutableSharesContract('indexeddb', withImmutables);
describe('a server in IndexedDB', indexedDbContract);

test('a container is, byte for byte, that of a folder', async () => {
  const now = () => 1_700_000_000;
  const directory = await mkdtemp(join(tmpdir(), 'tahoe-mutable-same-'));
  await mkdir(join(directory, 'shares'));
  const stored = new IndexedDbServer({ id: 'same', now });
  const { id, nickname, tubId, permutationSeed } = stored;
  const identity = { id, nickname, tubId, permutationSeed };
  const folder = new DirectoryServer({ ...identity, directory, now });
  const slot = new TestSlot(stored);
  const twin = Object.assign(new TestSlot(folder), { ...slot, server: folder });
  const leases = Array.from({ length: 6 }, randomSecrets);
  for (const it of [slot, twin]) {
    await it.send({ 3: write({ parts: [part(2, 'hello')] }) });
    for (const lease of leases) await it.server.addLease(it.storageIndex, lease);
    await it.send({ 3: write({ parts: [part(9, 'more'), part(4, 'xx')], newLength: 12 }) });
  }
  const file = join(bucketIn(directory, toBase32(slot.storageIndex)), '3');
  const bytes = await containerIn(stored, slot.storageIndex, 3);
  expect(bytes).toEqual(new Uint8Array(await readFile(file)));
  await rm(directory, { recursive: true });
});

test('a request of which the browser refuses one share writes none', async () => {
  const server = new IndexedDbServer({ id: 'refusing' });
  const slot = new TestSlot(server);
  await slot.hold({ 0: 'zero' });
  const real = IDBObjectStore.prototype.put;
  const put = vi.spyOn(IDBObjectStore.prototype, 'put');
  put.mockImplementationOnce(function (this: IDBObjectStore, ...args) {
    return real.apply(this, args);
  });
  put.mockImplementationOnce(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  const both = { 0: write({ parts: [part(0, 'Z')] }), 1: write({ parts: [part(0, 'one')] }) };
  await expect(slot.send(both)).rejects.toEqual(
    new ServerUnavailableError(
      'refusing',
      'the browser gives this site no more room (QuotaExceededError)',
    ),
  );
  put.mockRestore();
  expect(await slot.contents()).toEqual({ 0: 'zero' });
});

test('an abort in the very transaction undoes it', async () => {
  const slot = new TestSlot(new IndexedDbServer({ id: 'aborted' }));
  await slot.hold({ 0: 'zero' });
  const abort = new AbortController();
  const reason = new Error('enough');
  const real = IDBObjectStore.prototype.put;
  const put = vi.spyOn(IDBObjectStore.prototype, 'put');
  put.mockImplementationOnce(function (this: IDBObjectStore, ...args) {
    const request = real.apply(this, args);
    abort.abort(reason);
    return request;
  });
  const change = { 0: write({ parts: [part(0, 'Z')] }) };
  await expect(slot.send(change, [], abort)).rejects.toBe(reason);
  put.mockRestore();
  expect(await slot.contents()).toEqual({ 0: 'zero' });
});

test('without IndexedDB a server is unavailable, and says why', async () => {
  const { indexedDB } = globalThis;
  vi.stubGlobal('indexedDB', undefined);
  const server = new IndexedDbServer({ id: 'nowhere' });
  await expect(new TestSlot(server).contents()).rejects.toEqual(
    new ServerUnavailableError('nowhere', 'this platform has no IndexedDB'),
  );
  vi.stubGlobal('indexedDB', indexedDB);
  expect(await new TestSlot(server).contents()).toEqual({});
});
