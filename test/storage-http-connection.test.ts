import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpConnection } from '../src/storage/http-connection.ts';
import { CallFailedError, type HttpBody, type HttpCall } from '../src/storage/http-exchange.ts';
import { MemoryServer } from '../src/storage/memory.ts';
import { parseNurl } from '../src/storage/nurl.ts';
import { HttpStorage } from './support/http-storage.ts';

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
  connection.close();
  await storage.stop();
});

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
    length: 2000,
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
    length: 2000,
    async *pieces() {
      yield new Uint8Array(1000);
      await new Promise(() => {});
    },
  };
  expect(await progress(post(never))).toBe('partial');
  await storage.stop();
  expect(await progress(call())).toBe('unconnected');
});
