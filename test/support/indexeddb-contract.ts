/**
 * @module indexeddb-contract: what the backend over IndexedDB does beyond the storage contract. It
 * runs in a browser, and on fake-indexeddb.
 */
import { deleteDB, openDB } from 'idb';
import { expect, test } from 'vitest';
import { toBase32, utf8 } from '../../src/bytes.ts';
import { ServerUnavailableError } from '../../src/errors.ts';
import { IndexedDbServer } from '../../src/storage/indexeddb.ts';
import type { ImmutableServerUnderTest } from './immutable-contract.ts';
import { immutableContainer } from './immutable-contract.ts';
import { ABSENT, holds, part, TestSlot, write } from './test-slot.ts';

let made = 0;
/** A server that nobody has used. */
const newServer = () => new IndexedDbServer({ id: `server ${++made}` });

/** Another page's: the same database, and nothing else in common. */
const elsewhere = ({ id }: IndexedDbServer) => new IndexedDbServer({ id });

/** The same slot, through another server. */
const through = (server: IndexedDbServer, slot: TestSlot): TestSlot =>
  Object.assign(new TestSlot(server), {
    storageIndex: slot.storageIndex,
    secrets: slot.secrets,
  });

/** What the database holds of a share. */
export async function containerIn(
  { database }: IndexedDbServer,
  storageIndex: Uint8Array,
  shnum: number,
): Promise<Uint8Array> {
  const open = await openDB(database);
  const { container } = await open.get('shares', [toBase32(storageIndex), shnum]);
  open.close();
  return new Uint8Array(await (container as Blob).arrayBuffer());
}

/** A server, and a way to have immutable shares on it, as no client of ours makes any. */
export async function withImmutables(): Promise<ImmutableServerUnderTest> {
  const server = newServer();
  await server.listShares(new Uint8Array(16));
  const place = async (storageIndex: Uint8Array, shnum: number, data: Uint8Array) => {
    const open = await openDB(server.database);
    const container = new Blob([immutableContainer(data) as BlobPart]);
    await open.put('shares', { container, stamp: '' }, [toBase32(storageIndex), shnum]);
    open.close();
  };
  return { server, place };
}

export function indexedDbContract(): void {
  const unavailable = (server: IndexedDbServer, problem: string) =>
    new ServerUnavailableError(server.id, problem);

  test('of 20 in two pages that want to create the same share, exactly one does', async () => {
    const server = newServer();
    const slot = new TestSlot(server);
    const slots = [slot, through(elsewhere(server), slot)];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        slots[i % 2]!.send({ 0: write({ tests: [ABSENT], parts: [part(0, `writer ${i}`)] }) }),
      ),
    );
    const winners = [...answers.keys()].filter((i) => answers[i]?.wrote);
    expect(winners).toHaveLength(1);
    expect(await slot.contents()).toEqual({ 0: `writer ${winners[0]}` });
  });

  test('two pages that count together lose no increment', async () => {
    const server = newServer();
    const slot = new TestSlot(server);
    await slot.hold({ 0: '00' });
    const increment = async (mine: TestSlot) => {
      for (;;) {
        const text = await mine.text(0);
        const next = String(Number(text) + 1).padStart(2, '0');
        const change = write({ tests: [holds(0, text)], parts: [part(0, next)] });
        if ((await mine.send({ 0: change })).wrote) return;
      }
    };
    const slots = [slot, through(elsewhere(server), slot)];
    await Promise.all(Array.from({ length: 10 }, (_, i) => increment(slots[i % 2]!)));
    expect(await slot.text(0)).toBe('10');
  });

  test('a write whose slot another page changes meanwhile is judged anew', async () => {
    const server = newServer();
    const slot = new TestSlot(server);
    await slot.hold({ 0: 'old' });
    const other = through(elsewhere(server), slot);
    let asked = 0;
    const change = write({
      tests: [holds(0, 'old')],
      parts: [
        {
          offset: 0,
          length: 3,
          bytes: async () => {
            asked += 1;
            await other.send({ 0: write({ parts: [part(0, 'new')] }) });
            return utf8('bad');
          },
        },
      ],
    });
    expect((await slot.send({ 0: change })).wrote).toBe(false);
    expect(asked).toBe(1);
    expect(await slot.contents()).toEqual({ 0: 'new' });
  });

  test('what a caller’s part throws is not taken for the browser’s failure', async () => {
    const slot = new TestSlot(newServer());
    const gone = new DOMException('the file is gone', 'NotReadableError');
    const failing = { offset: 0, length: 1, bytes: () => Promise.reject(gone) };
    await expect(slot.send({ 0: write({ parts: [failing] }) })).rejects.toBe(gone);
    expect(await slot.contents()).toEqual({});
  });

  test('a hole that no memory could fill is refused', async () => {
    const server = newServer();
    const slot = new TestSlot(server);
    await expect(slot.send({ 0: write({ parts: [part(2 ** 50, 'x')] }) })).rejects.toEqual(
      unavailable(server, `no memory for ${2 ** 50} bytes`),
    );
    expect(await slot.contents()).toEqual({});
  });

  test('parts may lie over each other in any way', async () => {
    const slot = new TestSlot(newServer());
    await slot.hold({ 0: '0123456789' });
    const parts = [part(4, 'dd'), part(2, 'bbb'), part(2, 'a'), part(0, ''), part(8, 'eeee')];
    await slot.send({ 0: write({ parts }) });
    expect(await slot.text(0)).toBe('01abbd67eeee');
    await slot.send({ 0: write({ parts: [part(1, 'xxxxxxxxx'), part(14, 'y')], newLength: 15 }) });
    expect(await slot.text(0)).toBe('0xxxxxxxxxee\0\0y');
  });

  test('closing ends what is under way, and nothing of it is written', async () => {
    const server = newServer();
    const slot = new TestSlot(server);
    await slot.hold({ 0: 'zero' });
    const closing = {
      offset: 0,
      length: 1,
      bytes: async () => {
        server.close();
        return utf8('Z');
      },
    };
    const first = slot.send({ 0: write({ parts: [closing] }) });
    const second = slot.send({ 0: write({ parts: [part(0, 'Y')] }) });
    await expect(first).rejects.toEqual(
      unavailable(server, 'its database was closed meanwhile (InvalidStateError)'),
    );
    await expect(second).rejects.toEqual(unavailable(server, 'it was closed meanwhile'));
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });

  test('a database of a newer library is left alone', async () => {
    const server = newServer();
    (await openDB(server.database, 2)).close();
    await expect(new TestSlot(server).contents()).rejects.toEqual(
      unavailable(
        server,
        'its database was made by a newer version of this library (VersionError)',
      ),
    );
    await deleteDB(server.database);
    expect(await new TestSlot(server).contents()).toEqual({});
  });

  test('a page that wants a newer database, or none, is not in our way, nor we in its', async () => {
    const server = newServer();
    const slot = new TestSlot(server);
    await slot.hold({ 0: 'zero' });
    await deleteDB(server.database);
    expect(await slot.contents()).toEqual({});
  });

  test('another’s database of the same name is no server', async () => {
    const server = newServer();
    (await openDB(server.database, 1, { upgrade: (it) => void it.createObjectStore('x') })).close();
    await expect(new TestSlot(server).contents()).rejects.toEqual(
      unavailable(server, 'its database is not one of this library (NotFoundError)'),
    );
  });

  test('a lease leaves the data of a share as it was', async () => {
    const server = newServer();
    const slot = new TestSlot(server);
    await slot.hold({ 0: 'zero' });
    const before = await containerIn(server, slot.storageIndex, 0);
    await server.addLease(slot.storageIndex, new TestSlot(server).secrets);
    const after = await containerIn(server, slot.storageIndex, 0);
    expect(after.subarray(468)).toEqual(before.subarray(468));
    expect(after.length).toBe(before.length);
    expect(after.subarray(100, 468)).not.toEqual(before.subarray(100, 468));
  });
}
