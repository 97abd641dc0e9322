/**
 * @module http-faults: what can go wrong between the http backend and a server, over a real wire.
 *
 * Run against the in-process server (`npm test`) and against Tahoe's own (`npm run test:interop`).
 * Everything goes through a relay, which also counts connections and looks at what was sent.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { AnswerLostError, ServerUnavailableError } from '../../src/errors.ts';
import { HttpServer, type HttpServerOptions } from '../../src/storage/http.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import type { WritePart } from '../../src/storage/server.ts';
import { Relay } from './relay.ts';
import { ABSENT, EVERYTHING, part, random, TestSlot, write } from './test-slot.ts';

export interface ServerWithFaults {
  readonly nurl: string;
  readonly port: number;
  /** As if its machine had lost power. */
  stop(): Promise<void>;
  start(): Promise<void>;
  fillDisk(full: boolean): Promise<void>;
  close(): Promise<void>;
}

const ID = 'v0-faulty';
const CONNECT_MS = 200;
/** The default. */
const SILENCE_MS = 60_000;

export function httpFaults(name: string, makeServer: () => Promise<ServerWithFaults>): void {
  describe(`the http backend and ${name}:`, () => {
    let real: ServerWithFaults;
    let relay: Relay;
    const clients: HttpServer[] = [];

    function client(settings: Partial<HttpServerOptions> = {}): HttpServer {
      const nurls = [parseNurl(relay.nurl(real.nurl))];
      const seeds = { tubId: new Uint8Array(20), permutationSeed: utf8(ID) };
      const made = new HttpServer({ id: ID, ...seeds, nurls, ...settings });
      clients.push(made);
      return made;
    }
    /** A slot with share 0, and a connection that was used and is kept for the next call. */
    async function warmSlot(settings: Partial<HttpServerOptions> = {}): Promise<TestSlot> {
      const slot = new TestSlot(client(settings));
      await slot.hold({ 0: 'zero' });
      return slot;
    }
    const overwrite = (slot: TestSlot) => slot.send({ 0: write({ parts: [part(0, 'ZERO')] }) });
    /** Makes a call and, once something of it was sent, lets a minute pass. */
    async function afterSilence<T>(call: () => Promise<T>): Promise<T> {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const sent = relay.nextRequest();
      const [result] = await Promise.allSettled([
        call(),
        sent.then(() => vi.advanceTimersByTime(SILENCE_MS)),
      ]);
      vi.useRealTimers();
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    }
    const unavailable = (problem: string) => new ServerUnavailableError(ID, problem);
    const lost = (problem: string) => new AnswerLostError(ID, problem);

    beforeAll(async () => {
      real = await makeServer();
    });
    afterAll(() => real.close());
    beforeEach(async () => {
      relay = await Relay.to(real.port);
    });
    afterEach(async () => {
      for (const made of clients.splice(0)) made.close();
      await relay.close();
    });

    describe('a server that is stopped', () => {
      test('is unavailable for every call, and nothing was written', async () => {
        const slot = await warmSlot({ nurls: [parseNurl(real.nurl)] });
        const { server, storageIndex, secrets } = slot;
        await real.stop();
        const refused = unavailable(`connect ECONNREFUSED 127.0.0.1:${real.port}`);
        await expect(slot.contents()).rejects.toEqual(refused);
        await expect(slot.text(0)).rejects.toEqual(refused);
        await expect(overwrite(slot)).rejects.toEqual(refused);
        await expect(server.addLease(storageIndex, secrets)).rejects.toEqual(refused);
        await expect(server.adviseCorruptShare(storageIndex, 0, 'x')).rejects.toEqual(refused);
        await real.start();
        expect(await slot.contents()).toEqual({ 0: 'zero' });
        expect((await overwrite(slot)).wrote).toBe(true);
      });
    });

    describe('a server that hangs', () => {
      test('after accepting the connection is unavailable, also for writes', async () => {
        const slot = new TestSlot(client({ connectMs: CONNECT_MS }));
        relay.mode = 'hang';
        const refused = unavailable(`no TLS connection within ${CONNECT_MS} ms`);
        await expect(slot.text(0)).rejects.toEqual(refused);
        await expect(overwrite(slot)).rejects.toEqual(refused);
      });

      test('instead of answering is unavailable; of a write it is not known', async () => {
        const slot = await warmSlot();
        relay.mode = 'keepAnswers';
        const silent = `it was silent for ${SILENCE_MS} ms`;
        await expect(afterSilence(() => slot.text(0))).rejects.toEqual(unavailable(silent));
        relay.mode = 'forward';
        expect(await slot.text(0)).toBe('zero');
        relay.mode = 'keepAnswers';
        await expect(afterSilence(() => overwrite(slot))).rejects.toEqual(lost(silent));
      });

      test('in the middle of a share is unavailable', async () => {
        const slot = new TestSlot(client());
        await slot.hold({ 0: 'z'.repeat(90_000) });
        relay.mode = 'keepAnswers';
        relay.allowance = 30_000;
        const silent = unavailable(`it was silent for ${SILENCE_MS} ms`);
        await expect(afterSilence(() => slot.text(0))).rejects.toEqual(silent);
      });

      test('gives the caller up at once when the caller gives up', async () => {
        const slot = await warmSlot();
        relay.mode = 'keepAnswers';
        const abort = new AbortController();
        const reason = new Error('deadline');
        const read = slot.server.readShare(slot.storageIndex, 0, EVERYTHING, abort);
        const change = slot.send({ 0: write({ parts: [part(0, 'Z')] }) }, [], abort);
        setImmediate(() => abort.abort(reason));
        await expect(read).rejects.toBe(reason);
        await expect(change).rejects.toBe(reason);
      });
    });

    describe('a connection that breaks', () => {
      test('in the middle of a share makes the server unavailable', async () => {
        const slot = new TestSlot(client());
        await slot.hold({ 0: 'z'.repeat(90_000) });
        relay.mode = 'resetAnswers';
        relay.allowance = 30_000;
        await expect(slot.text(0)).rejects.toEqual(unavailable('aborted'));
      });

      test('after the write landed leaves it unknown, and it has landed', async () => {
        const slot = await warmSlot();
        relay.mode = 'resetAnswers';
        await expect(overwrite(slot)).rejects.toEqual(lost('read ECONNRESET'));
        relay.mode = 'forward';
        expect(await slot.contents()).toEqual({ 0: 'ZERO' });
      });

      test('while it was idle is replaced for calls that can be made twice', async () => {
        const slot = await warmSlot();
        const before = relay.received.length;
        relay.ageConnections();
        relay.mode = 'resetOldConnections';
        expect(await slot.text(0)).toBe('zero');
        expect(relay.received.length).toBe(before + 1);
      });

      test('while it was idle is not papered over for a write that was sent', async () => {
        const slot = await warmSlot();
        relay.ageConnections();
        relay.mode = 'resetOldConnections';
        await expect(overwrite(slot)).rejects.toMatchObject({ code: 'AnswerLostError' });
        expect(await slot.contents()).toEqual({ 0: 'zero' });
      });

      test('before the write was sent whole is replaced: it cannot have landed', async () => {
        const slot = await warmSlot();
        relay.ageConnections();
        relay.mode = 'resetOldConnections';
        let asked = 0;
        // A small body would wait for its last part.
        const first = 'Z'.repeat(2 ** 16);
        const second: WritePart = {
          offset: first.length,
          length: 2,
          // The first attempt never gets beyond its first part.
          bytes: () => (asked++ === 0 ? new Promise(() => {}) : Promise.resolve(utf8('RO'))),
        };
        const answer = await slot.send({ 0: write({ parts: [part(0, first), second] }) });
        expect(answer.wrote).toBe(true);
        expect(await slot.contents()).toEqual({ 0: `${first}RO` });
      });

      test('into noise makes the server unavailable; of a write it is not known', async () => {
        const slot = await warmSlot();
        relay.mode = 'garbleAnswers';
        await expect(overwrite(slot)).rejects.toMatchObject({ code: 'AnswerLostError' });
        await expect(slot.text(0)).rejects.toMatchObject({ code: 'ServerUnavailableError' });
      });
    });

    describe('a server that refuses', () => {
      test('the swissnum is unavailable, also for writes', async () => {
        const wrong = relay.nurl(real.nurl).replace(/\/[a-z2-7]{32}#/, `/${'a'.repeat(32)}#`);
        const slot = new TestSlot(client({ nurls: [parseNurl(wrong)] }));
        const refused = unavailable('it refused the swissnum (401)');
        await expect(slot.contents()).rejects.toEqual(refused);
        await expect(slot.text(0)).rejects.toEqual(refused);
        await expect(overwrite(slot)).rejects.toEqual(refused);
      });

      test('writes because its disk is full leaves it unknown, and still reads', async () => {
        const slot = await warmSlot();
        await real.fillDisk(true);
        await expect(overwrite(slot)).rejects.toEqual(lost('it answered with status 500'));
        await real.fillDisk(false);
        expect(await slot.contents()).toEqual({ 0: 'zero' });
        expect((await overwrite(slot)).wrote).toBe(true);
      });
    });

    describe('a server with another key than its NURL says', () => {
      test('gets nothing of 50 writes, and of none a byte', async () => {
        const { spkiHash } = parseNurl(real.nurl);
        const other = random(32);
        const wrong = relay
          .nurl(real.nurl)
          .replace(spkiHash, Buffer.from(other).toString('base64url'));
        const slot = new TestSlot(client({ nurls: [parseNurl(wrong)] }));
        const body = part(0, random(100_000));
        const mismatch = unavailable(`its public key is not the one in the NURL: ${spkiHash}`);
        for (let tries = 0; tries < 50; tries++) {
          const change = slot.send({ 0: write({ tests: [ABSENT], parts: [body] }) });
          await expect(change).rejects.toEqual(mismatch);
        }
        const sent = () => relay.received.map((chunks) => applicationBytes(Buffer.concat(chunks)));
        expect(sent()).toEqual(Array(50).fill(0));
        // The look at the wire does see what is sent: to the right server, all of it.
        await new TestSlot(client()).send({ 0: write({ parts: [body] }) });
        expect(sent()).toEqual([...Array(50).fill(0), expect.toSatisfy((n) => n > 100_000)]);
      });
    });

    test('many calls at once share few connections, which are kept', async () => {
      const slot = await warmSlot({ socketsMax: 3 });
      const texts = () => Promise.all(Array.from({ length: 40 }, () => slot.text(0)));
      expect(await texts()).toEqual(Array(40).fill('zero'));
      expect(relay.openMax).toBe(3);
      expect(await texts()).toEqual(Array(40).fill('zero'));
      expect(relay.received.length).toBe(3);
    });
  });
}

const APPLICATION_DATA = 23;
/** TLS 1.3 disguises its Finished and its alerts as application data. */
const DISGUISED_MAX = 100;

/** How many bytes of TLS records can hold anything that the application has written. */
function applicationBytes(stream: Buffer): number {
  let total = 0;
  for (let at = 0; at < stream.length; ) {
    const length = stream.readUInt16BE(at + 3);
    if (stream[at] === APPLICATION_DATA && length > DISGUISED_MAX) total += length;
    at += 5 + length;
  }
  return total;
}
