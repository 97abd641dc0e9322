import dns from 'node:dns';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import {
  AnswerLostError,
  BadWriteEnablerError,
  NoSuchShareError,
  OutOfRangeError,
  ServerUnavailableError,
} from '../../src/errors.ts';
import { HttpServer, type HttpServerOptions } from '../../src/storage/http.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import { httpFaults } from '../support/http-faults.ts';
import { HttpStorage, type Misbehaviour } from '../support/http-storage.ts';
import { immutableSharesContract } from '../support/immutable-contract.ts';
import { Relay } from '../support/relay.ts';
import { storageServerContract } from '../support/storage-contract.ts';
import { part, TestSlot, write } from '../support/test-slot.ts';

const ID = 'h0';

function clientOf(nurls: readonly string[], settings: Partial<HttpServerOptions> = {}): HttpServer {
  const seeds = { tubId: new Uint8Array(20), permutationSeed: utf8(ID) };
  return new HttpServer({ id: ID, ...seeds, nurls: nurls.map(parseNurl), ...settings });
}

storageServerContract('http', async () => {
  const storage = await HttpStorage.start(new MemoryServer({ id: ID }));
  const server = clientOf([storage.nurl]);
  return {
    server,
    cleanup: async () => {
      server.close();
      await storage.stop();
    },
  };
});

immutableSharesContract('http', async () => {
  const backing = new MemoryServer({ id: ID });
  const storage = await HttpStorage.start(backing);
  const server = clientOf([storage.nurl]);
  return {
    server,
    place: async (...share) => diskOf(backing).setImmutable(...share),
    cleanup: async () => {
      server.close();
      await storage.stop();
    },
  };
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  httpFaults(`a server of ours with ${maxVersion}`, async () => {
    const storage = await HttpStorage.start(new MemoryServer({ id: ID }), { maxVersion });
    return {
      nurl: storage.nurl,
      port: storage.port,
      stop: () => storage.stop(),
      start: () => storage.restart(),
      fillDisk: async (full) => {
        storage.misbehaviour = full ? fullDisk : undefined;
      },
      close: () => storage.stop(),
    };
  });
}

const fullDisk: Misbehaviour = (request, response, answer) =>
  request.url?.endsWith('/read-test-write') ? response.writeHead(500).end('no space') : answer();

describe('an http server', () => {
  let backing: MemoryServer;
  let storage: HttpStorage;
  const clients: HttpServer[] = [];

  function client(nurls = [storage.nurl], settings: Partial<HttpServerOptions> = {}): HttpServer {
    const made = clientOf(nurls, settings);
    clients.push(made);
    return made;
  }
  async function newSlot(server = client()): Promise<TestSlot> {
    const slot = new TestSlot(server);
    await slot.hold({ 0: '0123456789' });
    return slot;
  }
  const overwrite = (slot: TestSlot) => slot.send({ 0: write({ parts: [part(0, 'ZERO')] }) });
  const unavailable = (problem: string) => new ServerUnavailableError(ID, problem);
  const lost = (problem: string) => new AnswerLostError(ID, problem);

  beforeAll(async () => {
    backing = new MemoryServer({ id: ID });
    storage = await HttpStorage.start(backing);
  });
  afterEach(() => {
    storage.misbehaviour = undefined;
    for (const made of clients.splice(0)) made.close();
  });
  afterAll(() => storage.stop());

  test('needs a NURL', () => {
    const none = new OutOfRangeError('number of NURLs', 0, 'must be at least 1');
    expect(() => clientOf([])).toThrowError(none);
  });

  test('tells its version', async () => {
    expect(await client().version()).toEqual({
      application: 'test/1.0',
      maximumMutableShareSize: 69_105_000_000_000_000n,
      availableSpace: 2n ** 63n,
    });
  });

  test('reads a whole share of unknown length at once', async () => {
    const slot = await newSlot();
    const whole = { offset: 0, length: Number.MAX_SAFE_INTEGER };
    expect(await slot.text(0, whole)).toBe('0123456789');
    expect(await slot.text(0, { offset: 4, length: Number.MAX_SAFE_INTEGER })).toBe('456789');
  });

  test('has a status that follows its calls', async () => {
    const slot = new TestSlot(client());
    const server = slot.server as HttpServer;
    expect(server.status).toEqual({ kind: 'untried' });
    await expect(slot.text(5)).rejects.toThrowError(NoSuchShareError);
    expect(server.status).toEqual({ kind: 'answering' });
    storage.misbehaviour = (_, response) => response.writeHead(503).end();
    await expect(slot.contents()).rejects.toThrowError(ServerUnavailableError);
    const problem = 'it answered with status 503';
    expect(server.status).toEqual({ kind: 'failing', problem });
    storage.misbehaviour = undefined;
    expect(await slot.contents()).toEqual({});
    expect(server.status).toEqual({ kind: 'answering' });
    await server.listShares(slot.storageIndex, { signal: AbortSignal.abort() }).catch(() => {});
    expect(server.status).toEqual({ kind: 'answering' });
  });

  test('cuts a long reason to what a server takes', async () => {
    const slot = await newSlot();
    await slot.server.adviseCorruptShare(slot.storageIndex, 0, 'x'.repeat(100_000));
    await slot.server.adviseCorruptShare(slot.storageIndex, 0, '');
    const reasons = diskOf(backing).advisories.map(({ reason }) => reason);
    expect(reasons).toEqual([expect.stringMatching(/^x{32000,32768}$/), 'unspecified']);
  });

  test('has its connections closed, and opens new ones', async () => {
    const slot = await newSlot();
    (slot.server as HttpServer).close();
    expect(await slot.text(0)).toBe('0123456789');
  });

  test('that is called by a name with several addresses says why none of them does', async () => {
    const { port } = parseNurl(storage.nurl);
    await storage.stop();
    const both = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    const lookup = vi
      .spyOn(dns, 'lookup')
      .mockImplementation(((
        _: string,
        __: object,
        found: (problem: null, addresses: typeof both) => void,
      ) => found(null, both)) as never);
    const server = client([storage.nurl.replace('127.0.0.1', 'both.test')]);
    const refused = expect.stringMatching(
      `^connect \\w+ ::1:${port}.*; connect ECONNREFUSED 127.0.0.1:${port}$`,
    );
    await expect(server.version()).rejects.toMatchObject({
      code: 'ServerUnavailableError',
      facts: { server: ID, problem: refused },
    });
    expect(server.status).toEqual({ kind: 'failing', problem: refused });
    lookup.mockRestore();
    await storage.restart();
  });

  test('that is closed ends its calls without trying another address', async () => {
    const other = await Relay.to(storage.port);
    const server = client([storage.nurl, other.nurl(storage.nurl)], { socketsMax: 1 });
    const heard = new Promise<void>((resolve) => {
      storage.misbehaviour = () => resolve();
    });
    const slot = new TestSlot(server);
    const calls = [overwrite(slot), slot.contents(), server.version()];
    await heard;
    server.close();
    const outcomes = await Promise.allSettled(calls);
    const closed = 'the connection was closed';
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason)).toEqual([
      lost(closed),
      unavailable(closed),
      unavailable(closed),
    ]);
    expect(other.received).toEqual([]);
    await other.close();
  });

  describe('of several addresses', () => {
    test('takes the first that can be reached, also for writes, and stays with it', async () => {
      const [dead, relay] = [await Relay.to(storage.port), await Relay.to(storage.port)];
      const nurls = [dead.nurl(storage.nurl), relay.nurl(storage.nurl)];
      await dead.close();
      const slot = await newSlot(client(nurls));
      expect(await slot.text(0)).toBe('0123456789');
      const revived = await relayAt(dead.port);
      expect(await slot.text(0)).toBe('0123456789');
      expect([revived.received.length, relay.received.length]).toEqual([0, 1]);
      await revived.close();
      await relay.close();
    });

    test('is unavailable when none can be reached', async () => {
      const dead = await Relay.to(storage.port);
      await dead.close();
      const nurl = dead.nurl(storage.nurl);
      const problem = unavailable(`connect ECONNREFUSED 127.0.0.1:${dead.port}`);
      await expect(client([nurl, nurl]).version()).rejects.toEqual(problem);
    });

    test('does not go on to the next with a write that may have landed', async () => {
      const [first, second] = [await Relay.to(storage.port), await Relay.to(storage.port)];
      const slot = await newSlot(client([first, second].map((r) => r.nurl(storage.nurl))));
      first.mode = 'resetAnswers';
      await expect(overwrite(slot)).rejects.toMatchObject({ code: 'AnswerLostError' });
      expect(second.received).toEqual([]);
      await first.close();
      await second.close();
    });

    const relayAt = (port: number) => Relay.to(storage.port, port);
  });

  describe('that answers nonsense', () => {
    const cbor = { 'Content-Type': 'application/cbor' };
    const send =
      (status: number, headers: Record<string, string>, body: string | Uint8Array = '') =>
      (response: ServerResponse) =>
        response.writeHead(status, headers).end(body);
    const raw = (text: string) => (response: ServerResponse) => response.socket?.end(text);
    const endless = (response: ServerResponse) => {
      response.writeHead(200, cbor);
      const more = () => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    };

    test.each([
      ['a page', send(200, { 'Content-Type': 'text/html' }, '<html>'), 'its answer is not CBOR'],
      ['bytes of no kind', send(200, {}, '<html>'), 'its answer is not CBOR'],
      ['other bytes as CBOR', send(200, cbor, '<html>'), 'its answer is not CBOR'],
      ['other CBOR', send(200, cbor, Uint8Array.of(0x80)), 'its list of shares is not a set'],
      ['nothing', send(204, {}), 'it answered with status 204'],
      ['a redirection', send(302, { Location: '/' }), 'it answered with status 302'],
      ['that there is no such page', send(404, {}), 'it answered with status 404'],
      ['that it is broken', send(500, {}, 'x'.repeat(50_000)), 'it answered with status 500'],
      ['without end', endless, 'it sent over 65536 bytes'],
      ['something else than HTTP', raw('SSH-2.0-OpenSSH'), 'Parse Error: Expected HTTP/'],
      ['by hanging up', raw(''), 'socket hang up'],
      [
        'headers without end',
        raw(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(99_999)}`),
        'Parse Error: Header overflow',
      ],
      ['another protocol', raw('HTTP/1.1 101 No\r\nUpgrade: x\r\n\r\n'), ''],
      ['half an answer', raw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n?'), 'aborted'],
    ])('is unavailable: %s', async (_, misbehave, problem) => {
      const slot = await newSlot();
      storage.misbehaviour = (__, response) => misbehave(response);
      await expect(slot.contents()).rejects.toMatchObject({
        code: 'ServerUnavailableError',
        facts: { server: ID, problem: expect.stringContaining(problem) },
      });
      storage.misbehaviour = undefined;
      expect(await slot.contents()).toEqual({ 0: '0123456789' });
    });

    const range = (stated: string) => ({ 'Content-Range': stated });
    const other = 'it sent another range than it was asked for';
    test.each([
      ['no statement of the range', send(206, {}, '2345'), other],
      ['a later range', send(206, range('bytes 3-5/*'), '345'), other],
      ['an earlier range', send(206, range('bytes 0-5/*'), '0123'), other],
      ['a longer range', send(206, range('bytes 2-6/*'), '2345'), other],
      ['a backward range', send(206, range('bytes 2-1/*'), ''), other],
      [
        'fewer bytes than stated',
        send(206, range('bytes 2-5/*'), '23'),
        'it sent 2 of the 4 bytes',
      ],
      [
        'more bytes than stated',
        send(206, range('bytes 2-3/*'), '2345'),
        'it sent 4 of the 2 bytes',
      ],
      [
        'more bytes than asked for',
        send(206, range('bytes 2-5/*'), '23456'),
        'it sent over 4 bytes',
      ],
      ['the whole share', send(200, {}, '0123'), 'it answered with status 200'],
      ['no such range', send(416, {}), 'it answered with status 416'],
    ])('for a range is unavailable: %s', async (_, misbehave, problem) => {
      const slot = await newSlot();
      storage.misbehaviour = (__, response) => misbehave(response);
      const read = slot.text(0, { offset: 2, length: 4 });
      await expect(read).rejects.toMatchObject({
        code: 'ServerUnavailableError',
        facts: { server: ID, problem: expect.stringContaining(problem) },
      });
    });

    test.each([
      [
        'a refusal of the request',
        send(400, {}, 'secret!'),
        unavailable('it answered with status 400'),
      ],
      ['that it is too much', send(413, {}), unavailable('it answered with status 413')],
      ['another write enabler', send(401, {}), new BadWriteEnablerError(ID)],
      ['another swissnum', send(401, {}, 'No.'), unavailable('it refused the swissnum (401)')],
      [
        'other CBOR',
        send(200, cbor, Uint8Array.of(0x80)),
        lost('it does not say whether it wrote'),
      ],
      ['a page', send(200, {}, '<html>'), lost('its answer is not CBOR')],
      ['a redirection', send(302, { Location: '/' }), lost('it answered with status 302')],
      ['that it is broken', send(503, {}), lost('it answered with status 503')],
      ['by hanging up', raw(''), lost('socket hang up')],
    ])('to a write: %s', async (_, misbehave, problem) => {
      const slot = await newSlot();
      storage.misbehaviour = (request, response) =>
        request.resume().on('end', () => misbehave(response));
      await expect(overwrite(slot)).rejects.toEqual(problem);
    });

    test('to a lease or an advisory is unavailable', async () => {
      const slot = await newSlot();
      const { server, storageIndex, secrets } = slot;
      storage.misbehaviour = (_, response) => response.writeHead(418).end('teapot');
      const problem = unavailable('it answered with status 418');
      await expect(server.addLease(storageIndex, secrets)).rejects.toEqual(problem);
      await expect(server.adviseCorruptShare(storageIndex, 0, 'x')).rejects.toEqual(problem);
    });
  });
});
