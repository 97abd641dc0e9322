/**
 * @module storage-contract: what every storage backend does, seen through its interface only.
 *
 * Source: docs/format.md §6.2, §6.3 and §7.4, which were seen on real Tahoe servers.
 * Each test uses a slot and secrets of its own, so that one server, also a real one that keeps
 * what it was given, serves the whole suite. It runs in browsers, too. The second half is in `storage-contract-hazards.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { equalBytes, utf8 } from '../../src/bytes.ts';
import { BadWriteEnablerError, NoSuchShareError } from '../../src/errors.ts';
import type { ShareTest, StorageServer } from '../../src/storage/server.ts';
import {
  aborting,
  badArguments,
  concurrency,
  leasesAndAdvisories,
  parts,
} from './storage-contract-hazards.ts';
import {
  ABSENT,
  EVERYTHING,
  holds,
  type NewSlot,
  part,
  random,
  randomSecrets,
  readTexts,
  TestSlot,
  write,
} from './test-slot.ts';

export interface ServerUnderTest {
  readonly server: StorageServer;
  cleanup?(): Promise<void>;
}

/** The conformance suite. `makeServer` is called once, `cleanup` after the last test. */
export function storageServerContract(
  name: string,
  makeServer: () => Promise<ServerUnderTest>,
): void {
  describe(`${name} is a storage server:`, () => {
    let made: ServerUnderTest;
    beforeAll(async () => {
      made = await makeServer();
    });
    afterAll(async () => {
      await made?.cleanup?.();
    });
    const newSlot = () => new TestSlot(made.server);

    describe('it', () => identity(() => made.server));
    describe('reading', () => reading(newSlot));
    describe('read-test-write tests', () => testing(newSlot));
    describe('read-test-write', () => allOrNothing(newSlot));
    describe('read-test-write reads', () => readingBeforeWriting(newSlot));
    describe('read-test-write writes', () => writing(newSlot));
    describe('new length', () => newLength(newSlot));
    describe('the write enabler', () => writeEnabler(newSlot));
    describe('parts', () => parts(newSlot));
    describe('concurrent callers', () => concurrency(newSlot));
    describe('leases and advisories', () => leasesAndAdvisories(newSlot));
    describe('an abort signal', () => aborting(newSlot));
    describe('arguments', () => badArguments(newSlot));
  });
}

function identity(server: () => StorageServer): void {
  test('has an id, a nickname, a 20-byte TubID and a permutation seed', () => {
    const { id, nickname, tubId, permutationSeed } = server();
    expect(id).not.toBe('');
    expect(typeof nickname).toBe('string');
    expect(tubId).toHaveLength(20);
    expect(permutationSeed.length).toBeGreaterThan(0);
  });
}

function reading(newSlot: NewSlot): void {
  test('an unknown slot has no shares', async () => {
    const slot = newSlot();
    expect(await slot.server.listShares(slot.storageIndex)).toEqual([]);
  });

  test('an absent share is NoSuchShareError, in an unknown slot and in a known one', async () => {
    const slot = newSlot();
    const absent = new NoSuchShareError(slot.server.id, 3);
    await expect(slot.text(3)).rejects.toThrowError(absent);
    await slot.hold({ 0: 'zero' });
    await expect(slot.text(3)).rejects.toThrowError(absent);
  });

  test('shares are listed in ascending order of number, not of text', async () => {
    const slot = newSlot();
    await slot.hold({ 10: 'ten', 9: 'nine', 0: 'zero', 255: 'last' });
    expect(await slot.server.listShares(slot.storageIndex)).toEqual([0, 9, 10, 255]);
  });

  test.each([0, 3, 7, 70_000])('memory may be given for what is read: %d more', async (more) => {
    const slot = newSlot();
    const { server, storageIndex } = slot;
    await slot.hold({ 1: '0123456789' });
    const read = async (offset: number, length: number, into = new Uint8Array(length + more)) => {
      const bytes = await server.readShare(storageIndex, 1, { offset, length }, { into });
      return new TextDecoder().decode(bytes);
    };
    expect(await read(3, 4)).toBe('3456');
    expect(await read(8, 50)).toBe('89');
    expect(await read(10, 5)).toBe('');
    const into = new Uint8Array(10 + more);
    expect([await read(0, 10, into), await read(2, 3, into)]).toEqual(['0123456789', '234']);
  });

  test('a range is cut at the end of the share, and empty beyond it', async () => {
    const slot = newSlot();
    await slot.hold({ 1: '0123456789' });
    expect(await slot.text(1, { offset: 0, length: 10 })).toBe('0123456789');
    expect(await slot.text(1, { offset: 3, length: 4 })).toBe('3456');
    expect(await slot.text(1, { offset: 8, length: 50 })).toBe('89');
    expect(await slot.text(1, { offset: 10, length: 1 })).toBe('');
    expect(await slot.text(1, { offset: 5000, length: 100 })).toBe('');
    expect(await slot.text(1, { offset: 4, length: 0 })).toBe('');
  });

  test('bytes come back as plain arrays that are the caller’s own', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'abc' });
    const first = await slot.server.readShare(slot.storageIndex, 0, EVERYTHING);
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype);
    first.fill(0);
    expect(await slot.text(0)).toBe('abc');
  });

  test('two slots do not know of each other', async () => {
    const [one, other] = [newSlot(), newSlot()];
    await one.hold({ 0: 'one' });
    await other.hold({ 0: 'other', 1: 'more' });
    expect(await one.contents()).toEqual({ 0: 'one' });
    expect(await other.contents()).toEqual({ 0: 'other', 1: 'more' });
  });
}

function testing(newSlot: NewSlot): void {
  test('a share must hold exactly the specimen', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'abcdef' });
    const attempt = async (...tests: ShareTest[]) =>
      (await slot.send({ 0: write({ tests, parts: [part(0, 'abcdef')] }) })).wrote;
    expect(await attempt(holds(0, 'abc'), holds(3, 'def'))).toBe(true);
    expect(await attempt(holds(0, 'abx'))).toBe(false);
    expect(await attempt(holds(0, 'abc'), holds(3, 'deg'))).toBe(false);
    // Too short a specimen is not a prefix test, and too long a one never holds.
    expect(await attempt({ offset: 0, length: 3, specimen: utf8('ab') })).toBe(false);
    expect(await attempt({ offset: 0, length: 3, specimen: utf8('abcd') })).toBe(false);
  });

  test('a test reads what exists, so the end of the share can be tested', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'abc' });
    const attempt = async (check: ShareTest) =>
      (await slot.send({ 0: write({ tests: [check] }) })).wrote;
    expect(await attempt({ offset: 2, length: 10, specimen: utf8('c') })).toBe(true);
    expect(await attempt({ offset: 3, length: 1, specimen: utf8('') })).toBe(true);
    expect(await attempt({ offset: 3, length: 1, specimen: utf8('d') })).toBe(false);
    expect(await attempt({ offset: 900, length: 1, specimen: utf8('') })).toBe(true);
  });

  test('a test of no bytes always passes', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'abc' });
    const nothing = { offset: 1, length: 0, specimen: utf8('') };
    const answer = await slot.send({
      0: write({ tests: [nothing] }),
      1: write({ tests: [nothing], parts: [part(0, 'new')] }),
    });
    expect(answer.wrote).toBe(true);
    expect(await slot.contents()).toEqual({ 0: 'abc', 1: 'new' });
  });

  test('an absent share reads as no bytes', async () => {
    const slot = newSlot();
    const other = { tests: [holds(0, 'x')], parts: [part(0, 'y')] };
    expect((await slot.send({ 0: write(other) })).wrote).toBe(false);
    expect((await slot.send({ 0: write({ tests: [ABSENT], parts: [part(0, 'x')] }) })).wrote).toBe(
      true,
    );
    expect((await slot.send({ 0: write({ tests: [ABSENT], parts: [part(0, 'z')] }) })).wrote).toBe(
      false,
    );
    expect((await slot.send({ 0: write(other) })).wrote).toBe(true);
    expect(await slot.contents()).toEqual({ 0: 'y' });
  });

  test('an empty share passes the test for absence: it reads as no bytes too', async () => {
    const slot = newSlot();
    await slot.send({ 0: write() });
    const answer = await slot.send({ 0: write({ tests: [ABSENT], parts: [part(0, 'x')] }) });
    expect(answer.wrote).toBe(true);
  });
}

function allOrNothing(newSlot: NewSlot): void {
  test('one failed test keeps every share of the request as it was', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 1: 'one', 2: 'two' });
    const answer = await slot.send({
      0: write({ tests: [holds(0, 'zero')], parts: [part(0, 'ZERO')] }),
      1: write({ tests: [holds(0, 'ONE')], parts: [part(0, 'uno!')] }),
      2: write({ newLength: 0 }),
      3: write({ parts: [part(0, 'three')] }),
    });
    expect(answer.wrote).toBe(false);
    expect(await slot.contents()).toEqual({ 0: 'zero', 1: 'one', 2: 'two' });
  });

  test('thirty tests of a share and thirty reads are taken', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'abc' });
    const tests = Array.from({ length: 30 }, () => holds(1, 'b'));
    const reads = Array.from({ length: 30 }, (_, i) => ({ offset: i, length: 1 }));
    const answer = await slot.send({ 0: write({ tests }) }, reads);
    expect(answer.wrote).toBe(true);
    expect(readTexts(answer)).toEqual({ 0: ['a', 'b', 'c', ...Array(27).fill('')] });
  });
}

function readingBeforeWriting(newSlot: NewSlot): void {
  const reads = [
    { offset: 0, length: 3 },
    { offset: 2, length: 100 },
    { offset: 50, length: 5 },
  ];

  test('gives what was there before, of every share, also those not named', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 7: 'seven' });
    const answer = await slot.send({ 0: write({ parts: [part(0, 'ZERO')] }) }, reads);
    expect(answer.wrote).toBe(true);
    expect(readTexts(answer)).toEqual({ 0: ['zer', 'ro', ''], 7: ['sev', 'ven', ''] });
    expect(await slot.contents()).toEqual({ 0: 'ZERO', 7: 'seven' });
  });

  test('does the same when a test fails', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 7: 'seven' });
    const answer = await slot.send({ 0: write({ tests: [ABSENT] }) }, reads);
    expect(answer.wrote).toBe(false);
    expect(readTexts(answer)).toEqual({ 0: ['zer', 'ro', ''], 7: ['sev', 'ven', ''] });
  });

  test('does not mention a share that the request creates', async () => {
    const slot = newSlot();
    const first = await slot.send({ 0: write({ parts: [part(0, 'a')] }) }, reads);
    expect(readTexts(first)).toEqual({});
    const second = await slot.send({ 1: write({ parts: [part(0, 'b')] }) }, reads);
    expect(readTexts(second)).toEqual({ 0: ['a', '', ''] });
  });

  test('still reads a share that the request deletes', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero' });
    const answer = await slot.send({ 0: write({ newLength: 0 }) }, reads);
    expect(readTexts(answer)).toEqual({ 0: ['zer', 'ro', ''] });
    expect(await slot.contents()).toEqual({});
  });

  test('with no range names every share, with no result', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 7: 'seven' });
    expect(readTexts(await slot.send({}))).toEqual({ 0: [], 7: [] });
  });

  test('names shares in ascending order', async () => {
    const slot = newSlot();
    await slot.hold({ 10: 'ten', 2: 'two', 1: 'one' });
    expect([...(await slot.send({}, reads)).reads.keys()]).toEqual([1, 2, 10]);
  });

  test('with no share named reads, and creates nothing', async () => {
    const slot = newSlot();
    expect(await slot.send({}, reads)).toEqual({ wrote: true, reads: new Map() });
    expect(await slot.contents()).toEqual({});
  });
}

function writing(newSlot: NewSlot): void {
  test('creates, overwrites a part, and extends', async () => {
    const slot = newSlot();
    await slot.hold({ 0: '0123456789' });
    await slot.send({ 0: write({ parts: [part(2, 'ab')] }) });
    expect(await slot.contents()).toEqual({ 0: '01ab456789' });
    await slot.send({ 0: write({ parts: [part(8, 'xyz')] }) });
    expect(await slot.contents()).toEqual({ 0: '01ab4567xyz' });
  });

  test('fills a hole with zeros, in a new share and in an old one', async () => {
    const slot = newSlot();
    await slot.send({ 0: write({ parts: [part(2, 'ab')] }) });
    expect(await slot.contents()).toEqual({ 0: '\0\0ab' });
    await slot.send({ 0: write({ parts: [part(6, 'z')] }) });
    expect(await slot.contents()).toEqual({ 0: '\0\0ab\0\0z' });
  });

  test('applies parts in order: the later one wins', async () => {
    const slot = newSlot();
    const overlapping = [part(0, 'aaaaaa'), part(4, 'bbbb'), part(2, 'ccc')];
    await slot.send({ 0: write({ parts: overlapping }) });
    expect(await slot.contents()).toEqual({ 0: 'aacccbbb' });
  });

  test('writes several shares at once', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 1: 'one' });
    await slot.send({
      0: write({ parts: [part(0, 'Z')] }),
      1: write({ newLength: 0 }),
      2: write({ parts: [part(0, 'two')] }),
    });
    expect(await slot.contents()).toEqual({ 0: 'Zero', 2: 'two' });
  });

  test('creates an empty share when it is named with nothing to write', async () => {
    const slot = newSlot();
    expect((await slot.send({ 4: write() })).wrote).toBe(true);
    expect(await slot.contents()).toEqual({ 4: '' });
  });

  test('takes share numbers above 255', async () => {
    const slot = newSlot();
    await slot.hold({ 255: 'a', 256: 'b', 70000: 'c' });
    expect(await slot.contents()).toEqual({ 255: 'a', 256: 'b', 70000: 'c' });
  });

  test('keeps a megabyte as it was given', async () => {
    const slot = newSlot();
    const bytes = random(2 ** 20 + 17);
    const half = 2 ** 19;
    const halves = [part(0, bytes.slice(0, half)), part(half, bytes.slice(half))];
    await slot.send({ 0: write({ parts: halves }) });
    await slot.send({ 0: write({ parts: [part(half - 2, bytes.slice(half - 2, half + 2))] }) });
    const range = { offset: 0, length: bytes.length + 1 };
    const read = await slot.server.readShare(slot.storageIndex, 0, range);
    expect(equalBytes(read, bytes)).toBe(true);
  });
}

function newLength(newSlot: NewSlot): void {
  test('cuts a longer share, after the parts are written', async () => {
    const slot = newSlot();
    await slot.hold({ 0: '0123456789' });
    await slot.send({ 0: write({ parts: [part(3, 'abcdef')], newLength: 5 }) });
    expect(await slot.contents()).toEqual({ 0: '012ab' });
  });

  test('that is larger is ignored', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'abc' });
    await slot.send({ 0: write({ newLength: 9 }), 1: write({ newLength: 9 }) });
    expect(await slot.contents()).toEqual({ 0: 'abc', 1: '' });
  });

  test('a cut share that grows again has zeros where it had bytes', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'abcdef' });
    await slot.send({ 0: write({ newLength: 2 }) });
    await slot.send({ 0: write({ parts: [part(4, 'z')] }) });
    expect(await slot.contents()).toEqual({ 0: 'ab\0\0z' });
  });

  test('null keeps the tail of a longer share', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'abcdef' });
    await slot.send({ 0: write({ parts: [part(0, 'xy')] }) });
    expect(await slot.contents()).toEqual({ 0: 'xycdef' });
  });

  test('0 deletes the share, whatever is written to it, and creates none', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 1: 'one' });
    await slot.send({
      0: write({ parts: [part(0, 'gone')], newLength: 0 }),
      5: write({ parts: [part(0, 'gone')], newLength: 0 }),
    });
    expect(await slot.contents()).toEqual({ 1: 'one' });
    await expect(slot.text(0)).rejects.toThrowError(new NoSuchShareError(slot.server.id, 0));
  });

  test('0 for the last share ends the slot: any write enabler may create it again', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero' });
    await slot.send({ 0: write({ newLength: 0 }) });
    const secrets = randomSecrets();
    await slot.send({ 0: write({ parts: [part(0, 'mine')] }) }, [], { secrets });
    expect(await slot.contents()).toEqual({ 0: 'mine' });
  });
}

function writeEnabler(newSlot: NewSlot): void {
  test('of another is refused for every share of the slot, also those not named', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 1: 'one' });
    const other = { secrets: { ...slot.secrets, writeEnabler: random(32) } };
    const refusal = new BadWriteEnablerError(slot.server.id);
    const overwrite = { 0: write({ parts: [part(0, 'evil')] }) };
    await expect(slot.send(overwrite, [], other)).rejects.toThrowError(refusal);
    const create = { 9: write({ parts: [part(0, 'evil')] }) };
    await expect(slot.send(create, [], other)).rejects.toThrowError(refusal);
    await expect(slot.send({ 0: write({ newLength: 0 }) }, [], other)).rejects.toThrowError(
      refusal,
    );
    expect(await slot.contents()).toEqual({ 0: 'zero', 1: 'one' });
  });

  test('is asked for before any test is judged or anything read', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero' });
    const other = { secrets: randomSecrets() };
    const refusal = new BadWriteEnablerError(slot.server.id);
    await expect(slot.send({ 0: write({ tests: [ABSENT] }) }, [], other)).rejects.toThrowError(
      refusal,
    );
    await expect(slot.send({}, [EVERYTHING], other)).rejects.toThrowError(refusal);
  });

  test('is fixed by the first write, and not by the lease secrets', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero' });
    const secrets = { ...randomSecrets(), writeEnabler: slot.secrets.writeEnabler };
    const answer = await slot.send({ 0: write({ parts: [part(0, 'Z')] }) }, [], { secrets });
    expect(answer.wrote).toBe(true);
    expect(await slot.contents()).toEqual({ 0: 'Zero' });
  });
}
