/**
 * @module storage-contract-hazards: the half of the storage contract about what can go wrong: parts
 * that fail, callers at the same time, aborts, arguments that no server would take.
 */
import { expect, test } from 'vitest';
import { equalBytes, utf8 } from '../../src/bytes.ts';
import { OutOfRangeError } from '../../src/errors.ts';
import type { WritePart } from '../../src/storage/server.ts';
import {
  ABSENT,
  EVERYTHING,
  holds,
  type NewSlot,
  part,
  random,
  randomSecrets,
  write,
} from './test-slot.ts';

export function parts(newSlot: NewSlot): void {
  test('are produced on demand', async () => {
    const slot = newSlot();
    const lazy = (offset: number, text: string): WritePart => ({
      offset,
      length: text.length,
      bytes: () => new Promise((resolve) => setTimeout(() => resolve(utf8(text)))),
    });
    await slot.send({ 0: write({ parts: [lazy(0, 'abc'), lazy(3, 'def')] }) });
    expect(await slot.contents()).toEqual({ 0: 'abcdef' });
  });

  test('that fail, fail the request with their own error; nothing is written', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 1: 'one' });
    const failure = Object.assign(new Error('ENOENT: the source is gone'), { code: 'ENOENT' });
    const failing = { offset: 2, length: 2, bytes: () => Promise.reject(failure) };
    const request = {
      0: write({ parts: [part(0, 'Z')] }),
      1: write({ parts: [part(0, 'O'), failing] }),
      2: write({ parts: [part(0, 'two')] }),
    };
    await expect(slot.send(request)).rejects.toBe(failure);
    expect(await slot.contents()).toEqual({ 0: 'zero', 1: 'one' });
    // The slot is free for the next one.
    expect((await slot.send({ 0: write({ parts: [part(0, 'Z')] }) })).wrote).toBe(true);
  });

  test('of another length than promised fail the request; nothing is written', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero' });
    for (const text of ['no', 'too long']) {
      const liar = { offset: 0, length: 4, bytes: async () => utf8(text) };
      await expect(slot.send({ 0: write({ parts: [liar] }) })).rejects.toThrowError(
        new OutOfRangeError('bytes of a part', text.length, '4 were promised'),
      );
    }
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });

  test.each([
    [3, 100],
    [10_000, 300],
    [50_000, 60],
  ])('of %d bytes, each made where the one before was', async (length, count) => {
    const slot = newSlot();
    const bytes = random(length * count);
    const place = new Uint8Array(length);
    const parts = Array.from({ length: count }, (_, i): WritePart => {
      const offset = i * length;
      const made = () => {
        place.set(bytes.subarray(offset, offset + length));
        return place;
      };
      return { offset, length, bytes: async () => made() };
    });
    await slot.send({ 0: write({ parts }) });
    const read = await slot.server.readShare(slot.storageIndex, 0, { offset: 0, length: 2 ** 22 });
    expect(equalBytes(read, bytes)).toBe(true);
  });

  test('can be used again for another request', async () => {
    const slot = newSlot();
    const same = write({ parts: [part(0, 'abc'), part(3, 'def')] });
    await slot.send({ 0: same, 1: same });
    await slot.send({ 2: same });
    expect(await slot.contents()).toEqual({ 0: 'abcdef', 1: 'abcdef', 2: 'abcdef' });
  });
}

export function concurrency(newSlot: NewSlot): void {
  test('of 20 that want to create the same share, exactly one does', async () => {
    const slot = newSlot();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        slot.send({ 0: write({ tests: [ABSENT], parts: [part(0, `writer ${i}`)] }) }),
      ),
    );
    const winners = [...answers.keys()].filter((i) => answers[i]?.wrote);
    expect(winners).toHaveLength(1);
    expect(await slot.contents()).toEqual({ 0: `writer ${winners[0]}` });
  });

  test('of 20 that replace what they all have read, exactly one does', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'version 1', 1: 'version 1' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const next = { tests: [holds(0, 'version 1')], parts: [part(0, `by no. ${i + 10}`)] };
        return slot.send({ 0: write(next), 1: write(next) });
      }),
    );
    const winners = [...answers.keys()].filter((i) => answers[i]?.wrote);
    expect(winners).toHaveLength(1);
    const text = `by no. ${(winners[0] as number) + 10}`;
    expect(await slot.contents()).toEqual({ 0: text, 1: text });
  });

  test('that count together lose no increment', async () => {
    const slot = newSlot();
    await slot.hold({ 0: '00' });
    const increment = async () => {
      for (;;) {
        const text = await slot.text(0);
        const next = String(Number(text) + 1).padStart(2, '0');
        const change = write({ tests: [holds(0, text)], parts: [part(0, next)] });
        if ((await slot.send({ 0: change })).wrote) return;
      }
    };
    await Promise.all(Array.from({ length: 8 }, increment));
    expect(await slot.text(0)).toBe('08');
  });

  test('see a share wholly old or wholly new while it is replaced', async () => {
    const slot = newSlot();
    const length = 50_000;
    await slot.hold({ 0: 'a'.repeat(length) });
    const replaced = slot.send({ 0: write({ parts: [part(0, 'b'.repeat(length))] }) });
    const seen = await Promise.all(Array.from({ length: 10 }, () => slot.text(0)));
    await replaced;
    const whole = new Set(['a'.repeat(length), 'b'.repeat(length)]);
    expect(seen.filter((text) => !whole.has(text))).toEqual([]);
  });
}

export function leasesAndAdvisories(newSlot: NewSlot): void {
  test('a lease is added and renewed', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 1: 'one' });
    const secrets = { renewSecret: random(32), cancelSecret: random(32) };
    expect(await slot.server.addLease(slot.storageIndex, secrets)).toBe(true);
    expect(await slot.server.addLease(slot.storageIndex, secrets)).toBe(true);
    expect(await slot.contents()).toEqual({ 0: 'zero', 1: 'one' });
  });

  test('more leases than a container’s header has room for leave the data whole', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero' });
    for (let i = 0; i < 6; i++) await slot.server.addLease(slot.storageIndex, randomSecrets());
    await slot.send({ 0: write({ parts: [part(4, ' and more')] }) });
    await slot.server.addLease(slot.storageIndex, randomSecrets());
    expect(await slot.contents()).toEqual({ 0: 'zero and more' });
  });

  test('a lease on a slot without shares is none, and creates nothing', async () => {
    const slot = newSlot();
    expect(await slot.server.addLease(slot.storageIndex, slot.secrets)).toBe(false);
    expect(await slot.contents()).toEqual({});
  });

  test('a corrupt share can be reported, also when it is gone', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero' });
    const advise = (shnum: number) =>
      slot.server.adviseCorruptShare(slot.storageIndex, shnum, 'block 3 — bad hash');
    expect(await advise(0)).toBe(undefined);
    expect(await advise(1)).toBe(undefined);
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });
}

export function aborting(newSlot: NewSlot): void {
  test('that is already aborted rejects every call with its reason, and does nothing', async () => {
    const slot = newSlot();
    const { server, storageIndex, secrets } = slot;
    await slot.hold({ 0: 'zero' });
    const reason = new Error('the caller changed its mind');
    const options = { signal: AbortSignal.abort(reason) };
    const calls = [
      server.listShares(storageIndex, options),
      server.readShare(storageIndex, 0, EVERYTHING, options),
      slot.send({ 0: write({ parts: [part(0, 'Z')] }) }, [], options),
      server.addLease(storageIndex, secrets, options),
      server.adviseCorruptShare(storageIndex, 0, 'bad', options),
    ];
    const rejected = { status: 'rejected', reason };
    expect(await Promise.allSettled(calls)).toEqual(calls.map(() => rejected));
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });

  test('that is aborted while the parts are produced stops the write', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero' });
    const abort = new AbortController();
    const reason = new Error('enough');
    const aborts: WritePart = {
      offset: 1,
      length: 1,
      bytes: async () => {
        abort.abort(reason);
        return utf8('E');
      },
    };
    const change = write({ parts: [part(0, 'Z'), aborts, part(2, 'RO')] });
    await expect(slot.send({ 0: change }, [], { signal: abort.signal })).rejects.toBe(reason);
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });

  abortingWhileWaiting(newSlot);
}

function abortingWhileWaiting(newSlot: NewSlot): void {
  test('that is aborted while others are served gives the place up', async () => {
    const slot = newSlot();
    await slot.hold({ 0: '0' });
    let release = () => {};
    let entered = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const slow: WritePart = {
      offset: 0,
      length: 1,
      bytes: () => {
        entered();
        return new Promise((resolve) => {
          release = () => resolve(utf8('1'));
        });
      },
    };
    const first = slot.send({ 0: write({ parts: [slow] }) });
    await inside;
    const abort = new AbortController();
    // Its part is never produced: an embedded server waits for the first caller, a remote one
    // for this part.
    const stuck = { offset: 0, length: 1, bytes: () => new Promise<Uint8Array>(() => {}) };
    const second = slot.send({ 0: write({ parts: [stuck] }) }, [], { signal: abort.signal });
    const reason = new Error('no more');
    abort.abort(reason);
    await expect(second).rejects.toBe(reason);
    release();
    expect((await first).wrote).toBe(true);
    expect((await slot.send({ 0: write({ tests: [holds(0, '1')] }) })).wrote).toBe(true);
  });
}

export function badArguments(newSlot: NewSlot): void {
  const OUT_OF_RANGE = expect.objectContaining({ code: 'OutOfRangeError' });
  const refused = (call: Promise<unknown>) => expect(call).rejects.toEqual(OUT_OF_RANGE);

  test('that no server would take are OutOfRangeError in every backend', async () => {
    const slot = newSlot();
    const { server, storageIndex, secrets } = slot;
    await slot.hold({ 0: 'zero' });
    await refused(server.listShares(random(15)));
    await refused(server.readShare(storageIndex, -1, EVERYTHING));
    await refused(server.readShare(storageIndex, 1.5, EVERYTHING));
    await refused(server.readShare(storageIndex, 0, { offset: -1, length: 1 }));
    await refused(server.readShare(storageIndex, 0, { offset: 0, length: 2 ** 53 }));
    await refused(server.addLease(storageIndex, { ...secrets, renewSecret: random(31) }));
    const short = { secrets: { ...secrets, writeEnabler: random(31) } };
    await refused(slot.send({}, [], short));
    await refused(slot.send({}, Array(31).fill(EVERYTHING)));
    await refused(slot.send({ 0: write({ tests: Array(31).fill(ABSENT) }) }));
    await refused(slot.send({ 0: write({ newLength: -1 }) }));
    await refused(slot.send({ 0: write({ parts: [part(2 ** 53 - 2, 'abcd')] }) }));
    const tooMany = Array.from({ length: 257 }, (_, shnum) => [shnum, write()]);
    await refused(slot.send(Object.fromEntries(tooMany)));
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });
}
