/** The relay in front of a server that answers with what it was sent. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DelayingRelay } from '../../bench/tahoe/delaying-relay.ts';

let echo: Server;
let relay: DelayingRelay;
/** What the server has received. */
let received: string;

beforeEach(async () => {
  received = '';
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received += bytes;
      socket.write(bytes);
    });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  relay = await DelayingRelay.to((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  vi.useRealTimers();
  await relay.close();
  echo.close();
});

async function connected(): Promise<Socket> {
  const socket = connect(relay.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** The next `length` bytes. */
async function heard(socket: Socket, length: number): Promise<string> {
  let text = '';
  while (text.length < length) text += (await once(socket, 'data'))[0];
  return text;
}

test.each([0, 1])(
  'passes everything on, in order, both ways, with a delay of %i ms',
  async (ms) => {
    relay.delayMs = ms;
    const socket = await connected();
    const text = Array.from({ length: 2000 }, (_, i) => `${i},`).join('');
    for (const piece of text.match(/.{1,97}/g) ?? []) socket.write(piece);
    expect(await heard(socket, text.length)).toBe(text);
    socket.destroy();
  },
);

test('what is sent with a delay waits for it, in both directions', async () => {
  const socket = await connected();
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  relay.delayMs = 25;
  socket.write('hello');
  await oneTimer();
  expect(received).toBe('');
  vi.advanceTimersByTime(25);
  await oneTimer();
  expect(received).toBe('hello');
  const answer = heard(socket, 5);
  vi.advanceTimersByTime(25);
  expect(await answer).toBe('hello');
  socket.destroy();
});

/** Until the relay holds something back. */
async function oneTimer(): Promise<void> {
  while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
}

test('when it hangs it takes connections and bytes, and passes none on', async () => {
  relay.hangs = true;
  const silent = await connected();
  silent.end('lost');
  // It has been heard to the end.
  await once(silent.resume(), 'close');
  expect(received).toBe('');
});

test('a client that goes is gone for the server, too', async () => {
  const gone = once(echo, 'connection').then(([socket]) => once(socket as Socket, 'close'));
  const socket = await connected();
  socket.write('x');
  await heard(socket, 1);
  socket.end();
  await gone;
});
