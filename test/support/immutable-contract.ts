/**
 * @module immutable-contract: what every storage backend does with shares of immutable files, seen
 * through its interface. How they got there is the backend's own: nothing here writes any.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concatBytes, utf8, viewOf } from '../../src/bytes.ts';
import { NoSuchShareError, OutOfRangeError } from '../../src/errors.ts';
import type { ByteRange, ReadableShares, StorageServer } from '../../src/storage/server.ts';
import { EVERYTHING, random, randomSecrets, TestSlot } from './test-slot.ts';

export interface ImmutableServerUnderTest {
  readonly server: StorageServer;
  /** Puts a share there, as an uploader has done. */
  place(storageIndex: Uint8Array, shnum: number, data: Uint8Array): Promise<void>;
  cleanup?(): Promise<void>;
}

/** A share as a server of Tahoe's keeps it in a file. */
export function immutableContainer(data: Uint8Array, version = 2, leases = 1): Uint8Array {
  const header = new Uint8Array(12);
  viewOf(header).setUint32(0, version);
  viewOf(header).setUint32(4, data.length);
  viewOf(header).setUint32(8, leases);
  return concatBytes(header, data, random(72 * leases));
}

/** The conformance suite. `make` is called once, `cleanup` after the last test. */
export function immutableSharesContract(
  name: string,
  make: () => Promise<ImmutableServerUnderTest>,
): void {
  describe(`${name} has shares of immutable files:`, () => {
    let made: ImmutableServerUnderTest;
    beforeAll(async () => {
      made = await make();
    });
    afterAll(async () => {
      await made?.cleanup?.();
    });
    const shares = () => made.server.immutable as ReadableShares;
    /** A file of which these shares are there. */
    const newFile = async (texts: Readonly<Record<number, string>>): Promise<Uint8Array> => {
      const storageIndex = random(16);
      for (const [shnum, text] of Object.entries(texts)) {
        await made.place(storageIndex, Number(shnum), utf8(text));
      }
      return storageIndex;
    };
    const read = async (storageIndex: Uint8Array, shnum: number, range: ByteRange = EVERYTHING) =>
      new TextDecoder().decode(await shares().readShare(storageIndex, shnum, range));

    test('they are listed in ascending order of number', async () => {
      const file = await newFile({ 10: 'ten', 9: 'nine', 0: 'zero', 255: 'last' });
      expect(await shares().listShares(file)).toEqual([0, 9, 10, 255]);
    });

    test('a lease is left on them, also on many, and renewed', async () => {
      const secrets = randomSecrets();
      const lease = (file: Uint8Array) => made.server.addLease(file, secrets);
      const file = await newFile({ 0: 'zero', 7: 'seven' });
      for (let i = 0; i < 2; i++) expect(await lease(file)).toBe(true);
      expect(await lease(random(16))).toBe(false);
      expect([await read(file, 0), await read(file, 7)]).toEqual(['zero', 'seven']);
    });

    test('of an unknown file there are none', async () => {
      expect(await shares().listShares(random(16))).toEqual([]);
    });

    test('an absent share is NoSuchShareError, of an unknown file and of a known one', async () => {
      const absent = new NoSuchShareError(made.server.id, 3);
      await expect(read(random(16), 3)).rejects.toThrowError(absent);
      await expect(read(await newFile({ 0: 'zero' }), 3)).rejects.toThrowError(absent);
    });

    test('a range is cut at the end of the share, and empty beyond it', async () => {
      const file = await newFile({ 1: '0123456789' });
      expect(await read(file, 1)).toBe('0123456789');
      expect(await read(file, 1, { offset: 0, length: 10 })).toBe('0123456789');
      expect(await read(file, 1, { offset: 3, length: 4 })).toBe('3456');
      expect(await read(file, 1, { offset: 8, length: 50 })).toBe('89');
      expect(await read(file, 1, { offset: 10, length: 1 })).toBe('');
      expect(await read(file, 1, { offset: 5000, length: 100 })).toBe('');
      expect(await read(file, 1, { offset: 4, length: 0 })).toBe('');
    });

    test('bytes come back as plain arrays that are the caller’s own', async () => {
      const file = await newFile({ 0: 'abc' });
      const first = await shares().readShare(file, 0, EVERYTHING);
      expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype);
      first.fill(0);
      expect(await read(file, 0)).toBe('abc');
    });

    test('they are no shares of a slot', async () => {
      const slot = new TestSlot(made.server);
      await newFile({ 0: 'immutable' });
      await slot.hold({ 0: 'mutable' });
      expect(await slot.contents()).toEqual({ 0: 'mutable' });
    });

    test('one that is corrupt is told of, one that is gone is no error', async () => {
      const file = await newFile({ 0: 'zero' });
      await shares().adviseCorruptShare(file, 0, 'a bad hash');
      await shares().adviseCorruptShare(file, 1, 'a bad hash');
      await shares().adviseCorruptShare(random(16), 0, 'a bad hash');
      expect(await read(file, 0)).toBe('zero');
    });

    test('a signal that is aborted rejects every call with its reason', async () => {
      const file = await newFile({ 0: 'zero' });
      const reason = new Error('the caller changed its mind');
      const options = { signal: AbortSignal.abort(reason) };
      const calls = [
        shares().listShares(file, options),
        shares().readShare(file, 0, EVERYTHING, options),
        shares().adviseCorruptShare(file, 0, 'bad', options),
      ];
      const rejected = { status: 'rejected', reason };
      expect(await Promise.allSettled(calls)).toEqual(calls.map(() => rejected));
    });

    test('bad arguments are refused by name', async () => {
      const index = (length: number) =>
        new OutOfRangeError('storage index length', length, 'must be 16 bytes');
      await expect(shares().listShares(random(15))).rejects.toThrowError(index(15));
      const range = { offset: -1, length: 1 };
      await expect(shares().readShare(random(16), 0, range)).rejects.toThrowError('offset -1');
      await expect(shares().readShare(random(17), 0, EVERYTHING)).rejects.toThrowError(index(17));
      const advice = shares().adviseCorruptShare(random(16), -1, 'bad');
      await expect(advice).rejects.toThrowError('share number -1');
    });
  });
}
