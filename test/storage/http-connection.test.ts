import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CallFailedError,
  ConnectionClosedError,
  type HttpBody,
  type HttpCall,
} from '../../src/storage/http-call.ts';
import { type ConnectionSettings, HttpConnection } from '../../src/storage/http-connection.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { Nurl, parseNurl } from '../../src/storage/nurl.ts';
import { HttpStorage } from '../support/http-storage.ts';

const MIB = 2 ** 20;

let storage: HttpStorage;
let connection: HttpConnection;
const latencies: number[] = [];

beforeEach(async () => {
  latencies.length = 0;
  storage = await HttpStorage.start(new MemoryServer({ id: 'c0' }));
  connection = new HttpConnection(parseNurl(storage.nurl), {
    socketsMax: 1,
    connectMs: 60_000,
    silenceMs: 60_000,
    onLatency: (ms) => latencies.push(ms),
  });
});
afterEach(async () => {
  for (const made of others.splice(0)) made.close();
  connection.close();
  await storage.stop();
});

const others: HttpConnection[] = [];

function connectionTo(address: string | Nurl, settings: Partial<ConnectionSettings> = {}) {
  const nurl = typeof address === 'string' ? parseNurl(address) : address;
  const patient = { socketsMax: 1, connectMs: 60_000, silenceMs: 60_000 };
  const made = new HttpConnection(nurl, { ...patient, ...settings });
  others.push(made);
  return made;
}

function call(details: Partial<HttpCall> = {}): HttpCall {
  const base = { method: 'GET', path: 'version', headers: {}, idempotent: true } as const;
  return { ...base, answerMax: 1000, ...details };
}

function post(body: HttpBody, details: Partial<HttpCall> = {}): HttpCall {
  return call({ method: 'POST', path: 'x', body, idempotent: false, ...details });
}

/** `count` times the same piece; `onPiece` is told before each how many there were. */
function repeated(piece: Uint8Array, count: number, onPiece: (made: number) => void): HttpBody {
  return {
    length: piece.length * count,
    async *pieces() {
      for (let made = 0; made < count; made++) {
        onPiece(made);
        yield piece;
      }
    },
  };
}

test('latency is told of every answer, whatever it says, and of nothing else', async () => {
  await connection.call(call());
  await connection.call(call({ path: 'nowhere' }));
  expect(latencies.length).toBe(2);
  expect(latencies.filter((ms) => !(ms > 0))).toEqual([]);
  storage.misbehaviour = (_, response) => response.destroy();
  await expect(connection.call(call())).rejects.toThrowError(CallFailedError);
  expect(latencies.length).toBe(2);
});

test('a call that waits for a place can be given up; the one before goes on', async () => {
  let answerFirst = () => {};
  const heard = new Promise<void>((resolve) => {
    storage.misbehaviour = (_, __, answer) => {
      answerFirst = answer;
      resolve();
    };
  });
  const first = connection.call(call());
  await heard;
  storage.misbehaviour = undefined;
  const abort = new AbortController();
  const second = connection.call(call({ signal: abort.signal }));
  const third = connection.call(call());
  const reason = new Error('enough');
  abort.abort(reason);
  await expect(second).rejects.toBe(reason);
  answerFirst();
  expect([(await first).status, (await third).status]).toEqual([200, 200]);
  expect(storage.requests).toEqual(['GET version', 'GET version']);
});

test('a call that is given up while connecting is given up at once', async () => {
  const abort = new AbortController();
  const given = connection.call(call({ signal: abort.signal }));
  const reason = new Error('enough');
  queueMicrotask(() => abort.abort(reason));
  await expect(given).rejects.toBe(reason);
  expect((await connection.call(call())).status).toBe(200);
});

test('a call that is given up while the server answers leaves its connection for the next', async () => {
  const sockets = new Set<unknown>();
  const abort = new AbortController();
  const reason = new Error('enough');
  storage.misbehaviour = async ({ socket }, _, answer) => {
    sockets.add(socket);
    abort.abort(reason);
    await answer();
  };
  const given = connection.call(call({ signal: abort.signal }));
  await expect(given).rejects.toBe(reason);
  expect((await connection.call(call())).status).toBe(200);
  expect([storage.requests.length, sockets.size]).toEqual([2, 1]);
});

test('but no longer than a moment, nor for many bytes: others wait for its place', async () => {
  for (const bytes of [0, MIB]) {
    const abort = new AbortController();
    storage.misbehaviour = (_, response) => {
      response.writeHead(200);
      response.write(new Uint8Array(bytes));
      abort.abort(new Error('enough'));
    };
    const details = { signal: abort.signal, answerMax: 2 * MIB };
    await expect(connection.call(call(details))).rejects.toThrowError('enough');
    storage.misbehaviour = undefined;
    expect((await connection.call(call())).status).toBe(200);
  }
});

test('a large body is made as fast as it is taken: little of it is under way', async () => {
  const piece = new Uint8Array(64 * 1024);
  const count = 1024;
  let taken = 0;
  storage.misbehaviour = async (request, response) => {
    for await (const chunk of request) taken += chunk.length;
    response.writeHead(200).end();
  };
  let underWayMax = 0;
  const body = repeated(piece, count, (made) => {
    underWayMax = Math.max(underWayMax, made * piece.length - taken);
  });
  expect((await connection.call(post(body))).status).toBe(200);
  expect(taken).toBe(64 * MIB);
  // What is under way is what the kernel's buffers hold.
  expect(underWayMax).toBeLessThan(32 * MIB);
});

test('an answer that comes before the body was whole ends the call and the connection', async () => {
  storage.misbehaviour = (_, response) => response.writeHead(413).end();
  let asked = 0;
  const body: HttpBody = {
    length: 8 * MIB,
    async *pieces() {
      asked += 1;
      yield new Uint8Array(1000);
      await new Promise(() => {});
    },
  };
  expect((await connection.call(post(body))).status).toBe(413);
  expect(asked).toBe(1);
  storage.misbehaviour = undefined;
  expect((await connection.call(call())).status).toBe(200);
});

test('a body that fails ends the call with its own error, half sent', async () => {
  const failure = new Error('the disk is gone');
  let request: IncomingMessage | undefined;
  const heard = new Promise<void>((resolve) => {
    storage.misbehaviour = (incoming) => {
      request = incoming;
      resolve();
    };
  });
  const body: HttpBody = {
    length: 200_000,
    async *pieces() {
      yield new Uint8Array(1000);
      await heard;
      throw failure;
    },
  };
  await expect(connection.call(post(body))).rejects.toBe(failure);
  await new Promise((resolve) => request!.once('close', resolve));
  expect(request!.complete).toBe(false);
});

test('how far a call came is told', async () => {
  const progress = async (failing: HttpCall) =>
    ((await connection.call(failing).catch((problem) => problem)) as CallFailedError).progress;
  storage.misbehaviour = (_, response) => response.destroy();
  expect(await progress(call())).toBe('delivered');
  const never: HttpBody = {
    length: 200_000,
    async *pieces() {
      yield new Uint8Array(1000);
      await new Promise(() => {});
    },
  };
  expect(await progress(post(never))).toBe('partial');
  await storage.stop();
  expect(await progress(call())).toBe('unconnected');
});

test('a small body goes at once, when the last of it is there', async () => {
  let heard = false;
  storage.misbehaviour = (_, response) => {
    heard = true;
    response.destroy();
  };
  const failure = new Error('the disk is gone');
  const body: HttpBody = {
    length: 2000,
    async *pieces() {
      yield new Uint8Array(1000);
      throw failure;
    },
  };
  await expect(connection.call(post(body))).rejects.toBe(failure);
  storage.misbehaviour = undefined;
  expect((await connection.call(call())).status).toBe(200);
  expect(heard).toBe(false);
});

describe('a call always ends', () => {
  /** A server whose next answers begin, and go on byte by byte for as long as somebody listens. */
  function trickle(status: number): { readonly sent: () => number } {
    let sent = 0;
    storage.misbehaviour = (_, response) => {
      response.writeHead(status);
      const timer = setInterval(() => {
        sent += 1;
        response.write('x');
      }, 5);
      response.on('close', () => clearInterval(timer));
    };
    return { sent: () => sent };
  }

  test.each([200, 500])('also when a %i trickles, which is not silence', async (status) => {
    const hasty = connectionTo(storage.nurl, { silenceMs: 100 });
    const { sent } = trickle(status);
    const problem = 'it sent less than 65536 bytes of its answer in 200 ms';
    const failure = new CallFailedError(problem, 'delivered');
    await expect(hasty.call(call())).rejects.toEqual(failure);
    expect(sent()).toBeGreaterThan(1);
  });

  test('also when the handshake trickles', async () => {
    let sent = 0;
    const trickling = createServer((socket) => {
      const timer = setInterval(() => {
        // Of a record of 16,000 bytes.
        socket.write(sent === 0 ? Buffer.from([22, 3, 3, 0x3e, 0x80]) : 'x');
        sent += 1;
      }, 5);
      socket.on('error', () => {}).on('close', () => clearInterval(timer));
    });
    trickling.listen(0, '127.0.0.1');
    await once(trickling, 'listening');
    const { port } = trickling.address() as AddressInfo;
    const hasty = connectionTo(storage.nurl.replace(/:\d+\//, `:${port}/`), { connectMs: 100 });
    const failure = new CallFailedError('no TLS connection within 100 ms', 'unconnected');
    await expect(hasty.call(call())).rejects.toEqual(failure);
    expect(sent).toBeGreaterThan(1);
    trickling.close();
  });

  test('and an answer is kept in little memory, however small its pieces', async () => {
    const length = 200_000;
    storage.misbehaviour = (_, response) => {
      const { socket } = response;
      socket?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket?.write('1\r\nx\r\n'.repeat(length));
      socket?.write('0\r\n\r\n');
    };
    const { body } = await connection.call(call({ answerMax: length }));
    expect(body).toEqual(new Uint8Array(length).fill(120));
    expect(body.buffer.byteLength).toBeLessThanOrEqual(2 * length);
  });
});

test('an address that no request can be made to gives its place back, and says so', async () => {
  const { spkiHash, port } = parseNurl(storage.nurl);
  for (const host of ['a\u0000b', 'a\u007fb', 'a\u202eb', 'a b']) {
    const bad = connectionTo(new Nurl(spkiHash, host, port, 'swissnum'));
    // More often than there are places.
    for (let tries = 0; tries < 3; tries++) {
      const failure = await bad.call(call()).catch((problem) => problem);
      expect(failure).toBeInstanceOf(CallFailedError);
      expect(failure.progress).toBe('unconnected');
      expect(failure.message).toMatch(/\w/);
      expect(failure.message).not.toContain('swissnum');
    }
  }
});

describe('a connection that is closed', () => {
  test('ends the call under way and those that wait, and can be used again', async () => {
    const heard = new Promise<void>((resolve) => {
      storage.misbehaviour = () => resolve();
    });
    const calls = [call(), call(), call()].map((each) => connection.call(each));
    await heard;
    connection.close();
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason)).toEqual([
      new ConnectionClosedError('delivered'),
      new ConnectionClosedError('unconnected'),
      new ConnectionClosedError('unconnected'),
    ]);
    storage.misbehaviour = undefined;
    expect((await connection.call(call())).status).toBe(200);
    expect(storage.requests).toEqual(['GET version', 'GET version']);
  });

  test('lets nobody in who had just got a place', async () => {
    let answerFirst = () => {};
    const heard = new Promise<void>((resolve) => {
      storage.misbehaviour = (_, __, answer) => {
        answerFirst = answer;
        resolve();
      };
    });
    const first = connection.call(call()).finally(() => connection.close());
    await heard;
    const second = connection.call(call());
    answerFirst();
    expect((await first).status).toBe(200);
    await expect(second).rejects.toEqual(new ConnectionClosedError('unconnected'));
    expect(storage.requests).toEqual(['GET version']);
  });
});
