/**
 * @module storage-contract: what every storage backend does, seen through its interface only.
 *
 * Source: mutable-format §6.2-6.3 and storage-http §2.3, which were seen on real Tahoe servers. Each
 * test uses a slot and secrets of its own, so that one server, also a real one that keeps what it
 * was given, serves the whole suite.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { BadWriteEnablerError, NoSuchShareError, OutOfRangeError } from '../../src/errors.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ShareTest,
  ShareWrite,
  StorageServer,
  WritePart,
  WriteSecrets,
} from '../../src/storage/server.ts';

export interface ServerUnderTest {
  readonly server: StorageServer;
  cleanup?(): Promise<void>;
}

/** Any range that covers every share of these tests. */
export const EVERYTHING: ByteRange = { offset: 0, length: 100_000 };

/** The test that a share does not exist, as Tahoe's own client writes it. */
export const ABSENT: ShareTest = { offset: 0, length: 1, specimen: new Uint8Array(0) };

/** `length` random bytes as a plain array. */
export function random(length: number): Uint8Array {
  return Uint8Array.from(randomBytes(length));
}

export function randomSecrets(): WriteSecrets {
  return { writeEnabler: random(32), renewSecret: random(32), cancelSecret: random(32) };
}

/** Text or bytes that are to be written at an offset. */
export function part(offset: number, content: string | Uint8Array): WritePart {
  const bytes = typeof content === 'string' ? utf8(content) : content;
  return { offset, length: bytes.length, bytes: async () => bytes };
}

/** That the share holds `specimen` at `offset`. */
export function holds(offset: number, specimen: string): ShareTest {
  return { offset, length: specimen.length, specimen: utf8(specimen) };
}

/** A {@link ShareWrite} from what is worth saying of it. */
export function write(...details: readonly Partial<ShareWrite>[]): ShareWrite {
  return Object.assign({ tests: [], parts: [], newLength: null }, ...details);
}

/** A slot of which nobody has heard, with short ways to use it. */
export class TestSlot {
  readonly server: StorageServer;
  readonly storageIndex = random(16);
  readonly secrets = randomSecrets();

  constructor(server: StorageServer) {
    this.server = server;
  }

  /** One read-test-write; `reads` defaults to none. */
  send(
    shares: Readonly<Record<number, ShareWrite>>,
    reads: readonly ByteRange[] = [],
    options: { secrets?: WriteSecrets; signal?: AbortSignal } = {},
  ): Promise<ReadTestWriteAnswer> {
    const named = new Map(Object.entries(shares).map(([shnum, share]) => [Number(shnum), share]));
    const request = { secrets: options.secrets ?? this.secrets, shares: named, reads };
    return this.server.readTestWrite(this.storageIndex, request, { signal: options.signal });
  }

  /** Writes each text as a whole new share. */
  async hold(shares: Readonly<Record<number, string>>): Promise<void> {
    const writes = Object.entries(shares).map(([shnum, text]) => [
      shnum,
      write({ tests: [ABSENT], parts: text === '' ? [] : [part(0, text)] }),
    ]);
    expect((await this.send(Object.fromEntries(writes))).wrote).toBe(true);
  }

  /** All shares as text. */
  async contents(): Promise<Record<number, string>> {
    const shares: Record<number, string> = {};
    for (const shnum of await this.server.listShares(this.storageIndex)) {
      shares[shnum] = await this.text(shnum);
    }
    return shares;
  }

  async text(shnum: number, range = EVERYTHING): Promise<string> {
    return asText(await this.server.readShare(this.storageIndex, shnum, range));
  }
}

function asText(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}

/** The reads of an answer as text. */
function readTexts({ reads }: ReadTestWriteAnswer): Record<number, string[]> {
  return Object.fromEntries([...reads].map(([shnum, results]) => [shnum, results.map(asText)]));
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

type NewSlot = () => TestSlot;

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
    expect(Buffer.compare(read, bytes)).toBe(0);
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

function parts(newSlot: NewSlot): void {
  test('are produced on demand', async () => {
    const slot = newSlot();
    const lazy = (offset: number, text: string): WritePart => ({
      offset,
      length: text.length,
      bytes: () => new Promise((resolve) => setImmediate(() => resolve(utf8(text)))),
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

  test('can be used again for another request', async () => {
    const slot = newSlot();
    const same = write({ parts: [part(0, 'abc'), part(3, 'def')] });
    await slot.send({ 0: same, 1: same });
    await slot.send({ 2: same });
    expect(await slot.contents()).toEqual({ 0: 'abcdef', 1: 'abcdef', 2: 'abcdef' });
  });
}

function concurrency(newSlot: NewSlot): void {
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

function leasesAndAdvisories(newSlot: NewSlot): void {
  test('a lease is added and renewed', async () => {
    const slot = newSlot();
    await slot.hold({ 0: 'zero', 1: 'one' });
    const secrets = { renewSecret: random(32), cancelSecret: random(32) };
    expect(await slot.server.addLease(slot.storageIndex, secrets)).toBe(undefined);
    expect(await slot.server.addLease(slot.storageIndex, secrets)).toBe(undefined);
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

  test('a lease on a slot without shares is no error, and creates nothing', async () => {
    const slot = newSlot();
    expect(await slot.server.addLease(slot.storageIndex, slot.secrets)).toBe(undefined);
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

function aborting(newSlot: NewSlot): void {
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

function badArguments(newSlot: NewSlot): void {
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
