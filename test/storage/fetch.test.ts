/** A server behind a relay, and what the two may do to whoever asks them. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { toBase32, utf8 } from '../../src/bytes.ts';
import {
  AnswerLostError,
  BadArgumentError,
  BadWriteEnablerError,
  OutOfRangeError,
  ServerUnavailableError,
} from '../../src/errors.ts';
import { FetchServer, type FetchServerOptions } from '../../src/storage/fetch.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import { makeCertificate } from '../support/certificates.ts';
import { SWISSNUM } from '../support/http-storage.ts';
import { immutableSharesContract } from '../support/immutable-contract.ts';
import { leaksIn, shown } from '../support/secret-search.ts';
import { storageServerContract } from '../support/storage-contract.ts';
import { part, TestSlot, write } from '../support/test-slot.ts';
import { startWebRelay, TOKEN } from '../support/web-relay.ts';

storageServerContract('fetch', async () => {
  const relay = await startWebRelay(new MemoryServer({ id: 'f0' }));
  return { server: relay.server(), cleanup: relay.stop };
});

immutableSharesContract('fetch', async () => {
  const backing = new MemoryServer({ id: 'f0' });
  const relay = await startWebRelay(backing);
  return {
    server: relay.server(),
    place: async (...share) => diskOf(backing).setImmutable(...share),
    cleanup: relay.stop,
  };
});

const ID = 'f0';
const HERE = 'http://127.0.0.1:1/one';
const cbor = { 'Content-Type': 'application/cbor' };

type Fetch = typeof globalThis.fetch;

/** A server that is answered so; nothing leaves the process. */
function answered(answer: Fetch, options: Partial<FetchServerOptions> = {}): TestSlot {
  const seeds = { tubId: new Uint8Array(20), permutationSeed: new Uint8Array(32) };
  return new TestSlot(new FetchServer({ id: ID, ...seeds, url: HERE, fetch: answer, ...options }));
}
const overwrite = (slot: TestSlot) => slot.send({ 0: write({ parts: [part(0, 'new')] }) });
const unavailable = (problem: string, cause?: Error) =>
  new ServerUnavailableError(ID, problem, cause && { cause });
const lost = (problem: string) => new AnswerLostError(ID, problem);
/** Never answers, and is content to be given up. */
const hung: Fetch = () => new Promise(() => {});

afterEach(() => {
  vi.useRealTimers();
});

describe('a server behind a relay', () => {
  test('is told secrets in headers alone, and no redirection leads them on', async () => {
    const calls: [string, RequestInit][] = [];
    const slot = answered(
      async (url, init) => {
        calls.push([String(url), init as RequestInit]);
        return new Response(null, { status: 404 });
      },
      { swissnum: SWISSNUM, headers: async () => ({ 'X-Token': 'abc' }) },
    );
    await overwrite(slot).catch(() => {});
    const [[url, { headers, body, signal, ...rest }]] = calls as [[string, RequestInit]];
    const name = toBase32(slot.storageIndex);
    expect(url).toBe(`${HERE}/storage/v1/mutable/${name}/read-test-write`);
    const secrets = Object.values(slot.secrets).map((bytes) =>
      Buffer.from(bytes).toString('base64'),
    );
    const [enabler, renew, cancel] = secrets;
    expect(Object.fromEntries(headers as Headers)).toEqual({
      accept: 'application/cbor',
      authorization: `Tahoe-LAFS ${btoa(SWISSNUM)}`,
      'content-type': 'application/cbor',
      'x-tahoe-authorization': `write-enabler ${enabler}, lease-renew-secret ${renew}, lease-cancel-secret ${cancel}`,
      'x-token': 'abc',
    });
    expect(rest).toEqual({
      method: 'POST',
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
    expect(body).toBeInstanceOf(Blob);
  });

  test.each([
    ['its own error', new TypeError(`cannot fetch with ${SWISSNUM}`), 'fetch failed'],
    ['a system’s', new TypeError('x', { cause: { code: 'ECONNREFUSED' } }), 'ECONNREFUSED'],
    ['nothing', undefined, 'fetch failed'],
  ])('is unavailable where fetch throws %s, which is not quoted', async (_, thrown, word) => {
    const slot = answered(() => Promise.reject(thrown), { swissnum: SWISSNUM });
    const problem = `no answer that can be read here (${word})`;
    await expect(slot.contents()).rejects.toEqual(unavailable(problem));
    // Nobody knows how far the request has come.
    await expect(overwrite(slot)).rejects.toEqual(lost(problem));
    expect((slot.server as FetchServer).status).toEqual({ kind: 'failing', problem });
  });

  test('shows no secret when it is printed, nor do its errors', async () => {
    const quoting: Fetch = async (_, init) => {
      const told = [...new Headers(init?.headers)].join();
      throw new TypeError(told, { cause: Object.assign(new Error(told), { code: told }) });
    };
    const token = 'token-of-the-relay';
    const options = { swissnum: SWISSNUM, headers: { 'X-Token': token } };
    const slot = answered(quoting, options);
    const error = await overwrite(slot).catch((refused: unknown) => refused);
    const secrets = [utf8(SWISSNUM), utf8(token), ...Object.values(slot.secrets)];
    expect(leaksIn(shown([slot.server, error]), secrets)).toEqual([]);
    expect(error).toEqual(lost('no answer that can be read here (fetch failed)'));
  });

  test('is sent nothing when the headers for its relay cannot be made', async () => {
    let calls = 0;
    const thrown = new Error(`no token for ${SWISSNUM}`);
    const slot = answered(
      async () => {
        calls += 1;
        return new Response();
      },
      { headers: () => Promise.reject(thrown) },
    );
    const refused = await overwrite(slot).catch((error: unknown) => error);
    expect(refused).toEqual(unavailable('`headers` has thrown: nothing was sent', thrown));
    // It says what it says, and is quoted nowhere else.
    expect((refused as Error).cause).toBe(thrown);
    expect((slot.server as FetchServer).status).toEqual({
      kind: 'failing',
      problem: '`headers` has thrown: nothing was sent',
    });
    expect(calls).toBe(0);
  });

  test.each<[unknown, string, string]>([
    [undefined, 'headers', 'is undefined, not headers by their names'],
    [{ 'X-Token': undefined }, 'headers.X-Token', 'is undefined, not a string'],
    [{ [`X: ${SWISSNUM}`]: '' }, 'headers', 'one has a name that no header can have'],
    [{ 'X-Token': 'a\nb' }, 'headers.X-Token', 'is a string that no header can hold'],
  ])('is sent nothing when the headers for its relay are %o', async (given, name, problem) => {
    const slot = answered(() => expect.unreachable(), { headers: () => given as never });
    const cause = new BadArgumentError(name, problem);
    await expect(slot.contents()).rejects.toEqual(
      unavailable('`headers` gave what cannot be sent', cause),
    );
  });

  const inRange = `must be above 0 and at most ${2 ** 31 - 1}`;
  test.each<[object, Error]>([
    [{ id: 5 }, new BadArgumentError('id', 'is a number, not a string')],
    [{ tubId: 'x' }, new BadArgumentError('tubId', 'is a string, not 20 bytes')],
    [{ url: 5 }, new BadArgumentError('url', 'is a number, not an address')],
    [{ fetch: 5 }, new BadArgumentError('fetch', 'is a number, not a function')],
    [{ headers: 5 }, new BadArgumentError('headers', 'is a number, not headers by their names')],
    [
      { headers: Promise.resolve({}) },
      new BadArgumentError('headers', 'is a Promise, not headers by their names'),
    ],
    [
      { headers: { 'bad name': '' } },
      new BadArgumentError('headers', 'one has a name that no header can have'),
    ],
    [
      { silenceMs: 'x' },
      new BadArgumentError('silenceMs', 'is a string, not a number of milliseconds'),
    ],
    [{ silenceMs: -1 }, new OutOfRangeError('silenceMs', -1, inRange)],
    [{ silenceMs: 2 ** 31 }, new OutOfRangeError('silenceMs', 2 ** 31, inRange)],
  ])('is not made with %o', (options, refused) => {
    expect(() => answered(hung, options)).toThrowError(refused);
  });

  test('may be silent for as long as a timer can wait', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const longest = 2 ** 31 - 1;
    const call = overwrite(answered(hung, { silenceMs: longest }));
    const refused = expect(call).rejects.toEqual(lost(`it was silent for ${longest} ms`));
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    await vi.advanceTimersByTimeAsync(longest);
    await refused;
  });

  test.each([
    ['another write enabler', 401, '', new BadWriteEnablerError(ID)],
    ['no leave', 401, 'No.', unavailable('it or its relay refused the request (401)')],
    ['no such token', 403, 'No.', unavailable('it answered with status 403')],
    ['that the server is away', 502, 'No.', lost('it answered with status 502')],
    ['a page', 200, '<html>', lost('its answer is not CBOR')],
  ])('that answers a write with %s', async (_, status, text, problem) => {
    await expect(overwrite(answered(async () => new Response(text, { status })))).rejects.toEqual(
      problem,
    );
  });

  test('that answers without end is hung up on', async () => {
    let heard: AbortSignal | null | undefined;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(10_000)),
    });
    const slot = answered(async (_, init) => {
      heard = init?.signal;
      return new Response(endless, { headers: cbor });
    });
    await expect(slot.contents()).rejects.toEqual(unavailable('it sent over 65536 bytes'));
    expect(heard?.aborted).toBe(true);
  });

  test('is given up when it is silent, before and within its answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const started = () => new Response(new ReadableStream({ start: () => {} }), { headers: cbor });
    for (const answer of [hung, async () => started()] as readonly Fetch[]) {
      const call = answered(answer).contents();
      const refused = expect(call).rejects.toEqual(unavailable('it was silent for 60000 ms'));
      await vi.advanceTimersByTimeAsync(60_000);
      await refused;
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is given up when it trickles', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const trickle = new ReadableStream({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve, 50_000));
        controller.enqueue(new Uint8Array(1));
      },
    });
    const call = answered(async () => new Response(trickle, { headers: cbor })).contents();
    const problem = 'it sent less than 65536 bytes of its answer in 120000 ms';
    const refused = expect(call).rejects.toEqual(unavailable(problem));
    await vi.advanceTimersByTimeAsync(120_000);
    await refused;
  });

  test('may take longer for a long request', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const slot = answered(hung);
    const call = slot.send({ 0: write({ parts: [part(0, new Uint8Array(200_000))] }) });
    const refused = expect(call).rejects.toEqual(lost('it was silent for 300000 ms'));
    // The body is made first, in real time.
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    await vi.advanceTimersByTimeAsync(300_000);
    await refused;
  });

  test('is hung up on by an abort, which is what the call rejects with', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    let heard: AbortSignal | null | undefined;
    const slot = answered((_, init) => {
      heard = init?.signal;
      abort.abort(reason);
      return hung(HERE);
    });
    const { server, storageIndex } = slot;
    await expect(server.listShares(storageIndex, abort)).rejects.toBe(reason);
    expect(heard?.reason).toBe(reason);
  });

  test('that is closed ends its calls, and can be used again', async () => {
    const fetches: Fetch[] = [
      hung,
      async () => new Response(Uint8Array.of(0xd9, 1, 2, 0x80), { headers: cbor }),
    ];
    let close = () => {};
    const slot = answered((...args) => {
      queueMicrotask(close);
      return (fetches.shift() as Fetch)(...args);
    });
    close = () => slot.server.close?.();
    await expect(overwrite(slot)).rejects.toEqual(lost('the connection was closed'));
    close = () => {};
    expect(await slot.contents()).toEqual({});
  });

  test.each([
    ['http://example.org/', 'must begin with https:, since secrets are sent there'],
    ['ftp://127.0.0.1/', 'must begin with https:, since secrets are sent there'],
    ['https://me:pass@example.org/', 'must hold no credentials, query or fragment'],
    [`https://example.org/?swissnum=${SWISSNUM}`, 'must hold no credentials, query or fragment'],
    ['https://example.org/?', 'must hold no credentials, query or fragment'],
    ['https://example.org/#', 'must hold no credentials, query or fragment'],
    [`https://example.org/#${SWISSNUM}`, 'must hold no credentials, query or fragment'],
    ['one', 'must be the address of a relay'],
  ])('is not at %s', (url, problem) => {
    const refused = new BadArgumentError('url', problem);
    expect(() => answered(hung, { url })).toThrowError(refused);
  });

  test('may be at any path of a secure origin, or of this machine', () => {
    const places = ['https://example.org', 'https://example.org/a/b/', 'http://localhost:1/a'];
    const found = places.map((url) => (answered(hung, { url }).server as FetchServer).url);
    expect(found).toEqual([
      'https://example.org/',
      'https://example.org/a/b/',
      'http://localhost:1/a/',
    ]);
  });

  test('has a swissnum that a header can carry', () => {
    const refused = new BadArgumentError(
      'swissnum',
      'must be what a NURL has behind its last slash',
    );
    expect(() => answered(hung, { swissnum: 'ключ' })).toThrowError(refused);
  });
});

test('the relay shows servers to those alone who know its token, and to no other path', async () => {
  const relay = await startWebRelay(new MemoryServer({ id: ID }));
  const stranger = relay.server({ headers: { Authorization: 'Bearer another' } });
  const elsewhere = relay.server({ url: relay.url.replace('/one', '/two') });
  const refused = (status: number) => unavailable(`it answered with status ${status}`);
  await expect(stranger.version()).rejects.toEqual(refused(403));
  await expect(elsewhere.version()).rejects.toEqual(refused(404));
  expect(relay.storage.requests).toEqual([]);
  expect((await relay.server().version()).application).toBe('test/1.0');
  await relay.stop();
});

test('the relay speaks to no server with another key', async () => {
  const backing = new MemoryServer({ id: ID });
  const one = await startWebRelay(backing);
  one.storage.showCertificate(await makeCertificate());
  await expect(one.server().version()).rejects.toEqual(unavailable('it answered with status 502'));
  expect(one.storage.requests).toEqual([]);
  await one.stop();
});

test('the relay passes on no method that the protocol does not have', async () => {
  const relay = await startWebRelay(new MemoryServer({ id: ID }));
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${relay.url}/storage/v1/version`, { method: 'DELETE', headers });
  expect([answer.status, answer.headers.get('Allow'), await answer.text()]).toEqual([
    405,
    'GET, POST, PUT',
    'no such method\n',
  ]);
  expect(relay.storage.requests).toEqual([]);
  await relay.stop();
});

test('the relay leaves no connection to a silent server behind that nobody waits for', async () => {
  const relay = await startWebRelay(new MemoryServer({ id: ID }));
  const { port } = relay.storage;
  await relay.storage.stop();
  const calls = Array.from({ length: 20 }, () => new AbortController());
  const sockets: Socket[] = [];
  const silent = createServer((socket) => {
    sockets.push(socket.on('error', () => {}).resume());
    if (sockets.length === calls.length) for (const abort of calls) abort.abort();
  });
  await once(silent.listen(port, '127.0.0.1'), 'listening');
  const server = relay.server();
  const outcomes = await Promise.allSettled(
    calls.map((abort) => server.version({ signal: abort.signal })),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
  await vi.waitFor(() =>
    expect(sockets.map(({ closed }) => closed)).toEqual(calls.map(() => true)),
  );
  // It lives on.
  silent.close();
  await once(silent, 'close');
  await relay.storage.restart();
  expect((await server.version()).application).toBe('test/1.0');
  await relay.stop();
});

test('the relay waits ten seconds for a connection, and says then that there is none', async () => {
  const relay = await startWebRelay(new MemoryServer({ id: ID }));
  await relay.storage.stop();
  const silent = createServer((socket) => socket.on('error', () => {}).resume());
  await once(silent.listen(relay.storage.port, '127.0.0.1'), 'listening');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const accepted = once(silent, 'connection');
  const call = relay.server().version();
  const refused = expect(call).rejects.toEqual(unavailable('it answered with status 502'));
  const [socket] = (await accepted) as [Socket];
  const closed = once(socket, 'close');
  await vi.advanceTimersByTimeAsync(10_000);
  await refused;
  await closed;
  silent.close();
  await relay.stop();
});
