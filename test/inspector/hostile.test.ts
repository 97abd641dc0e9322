/**
 * The inspector's server against everybody else on the machine, a web page included. It runs in a
 * process of its own, as it would: what throws out of it ends that process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prng } from '../../src/simulation/prng.ts';
import { builtPackage } from '../support/built.ts';

const PROGRAM = `
const { createInspector } = await import(process.env.SRC + '/node.js');
const inspector = await createInspector({ page: process.env.PAGE });
console.log(inspector.url);
process.stdin.on('data', () => {
  console.log(process.memoryUsage().rss);
}).on('end', () => inspector.close());
`;

let folder: string;
let program: ChildProcess;
let port: number;
let host: string;
let token: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inspector-hostile-'));
  await writeFile(join(folder, 'index.html'), '<title>page</title>');
  const script = join(folder, 'program.mjs');
  await writeFile(script, PROGRAM);
  const env = { SRC: pathToFileURL(await builtPackage()).href, PAGE: folder };
  program = spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const url = await said();
  [, host = '', token = ''] = /#live=([^/]*)\/(\w*)/.exec(url) ?? [];
  port = Number(host.split(':')[1]);
}, 60_000);

afterAll(async () => {
  const ended = once(program, 'exit');
  program.stdin?.end();
  // It ends by itself, whoever is still connected.
  expect(await ended).toEqual([0, null]);
  await rm(folder, { recursive: true });
});

async function said(): Promise<string> {
  const [line] = await once(program.stdout!, 'data');
  return String(line).trim();
}

/** What the page looks like to who asks for it with these headers. */
async function page(headers: Record<string, string> = {}, path = '/') {
  const [response] = (await once(
    get({ host: '127.0.0.1', port, path, headers, agent: false }),
    'response',
  )) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, body: Buffer.concat(chunks).toString() };
}

const thePage = { status: 200, body: '<title>page</title>' };

/** A connection on which nothing is minded. */
function socketTo(): Socket {
  const socket = connect(port, '127.0.0.1');
  return socket.on('error', () => {});
}

/** Resolves however it ends. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

/** Sends that, hears what comes first, and hangs up, by a reset. */
async function send(...pieces: readonly (string | Uint8Array)[]): Promise<void> {
  const socket = socketTo();
  for (const piece of pieces) socket.write(piece);
  await Promise.race([new Promise((resolve) => socket.once('data', resolve)), closed(socket)]);
  if (!socket.destroyed) socket.resetAndDestroy();
  await closed(socket);
}

const request = (line: string, ...headers: readonly string[]) =>
  `${[`${line} HTTP/1.1`, `Host: ${host}`, ...headers].join('\r\n')}\r\n\r\n`;

const upgrade = (path: string, ...headers: readonly string[]) =>
  request(
    `GET ${path}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    ...headers,
  );
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const ourPage = () => `Origin: http://${host}`;

/** With the token: as the page itself, and then not. */
async function sendAsPage(...frames: readonly Uint8Array[]): Promise<void> {
  const socket = socketTo();
  socket.write(upgrade(`/${token}`, key, ourPage()));
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain('101 Switching Protocols');
  for (const frame of frames) socket.write(frame);
  socket.end();
  socket.resume();
  await closed(socket);
}

const attacks: readonly [string, () => Promise<unknown>][] = [
  ['//', () => send(request('GET //'))],
  ['http://[', () => send(request('GET http://['))],
  ['http://evil.example/', () => send(request('GET http://evil.example/'))],
  ['*', () => send(request('OPTIONS *'))],
  ['%', () => send(request('GET /%'))],
  ['a path of 10,000 characters', () => send(request(`GET /${'a'.repeat(10_000)}.html`))],
  ['a path below a file', () => send(request('GET /index.html/index.html'))],
  ['a path with a NUL', () => send(request('GET /%00.html'))],
  ['a tunnel', () => send(request('CONNECT evil.example:443'))],
  ['no host', () => send('GET / HTTP/1.1\r\n\r\n')],
  ['two hosts', () => send(request('GET /', 'Host: evil.example'))],
  ['no HTTP', () => send('\0\0\0\0\0\0\r\n\r\n')],
  ['TLS', () => send(Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3))],
  ['a head of a megabyte', () => send('GET / HTTP/1.1\r\n', `X: ${'x'.repeat(2 ** 20)}`)],
  ['a body of ten megabytes', () => send(request('POST /', 'Content-Length: 10000000'), big)],
  ['a wrong length', () => send(request('POST /', 'Content-Length: -1'))],
  ['half a chunk', () => send(request('POST /', 'Transfer-Encoding: chunked'), 'ffffff\r\nx')],
  ['an expectation', () => send(request('POST /', 'Expect: 100-continue', 'Content-Length: 9'))],
  ['a thousand requests at once', () => send(request('GET /').repeat(1000))],
  ['an upgrade without a token', () => send(upgrade('/', key, ourPage()))],
  ['an upgrade of another page', () => send(upgrade(`/${token}`, key, 'Origin: http://evil'))],
  ['an upgrade without a key', () => send(upgrade(`/${token}`, ourPage()))],
  [
    'an upgrade to something else',
    () => send(request('GET /', 'Connection: Upgrade', 'Upgrade: x')),
  ],
  [
    'refused upgrades that are reset at once, a hundred times',
    async () => {
      for (let i = 0; i < 100; i++) {
        const socket = socketTo();
        await once(socket, 'connect');
        socket.write(upgrade('/', key, ourPage()), () => socket.resetAndDestroy());
        await closed(socket);
      }
    },
  ],
  ['a frame with reserved bits', () => sendAsPage(Uint8Array.of(0xff, 0x80, 0, 0, 0, 0))],
  ['a frame that is not masked', () => sendAsPage(Uint8Array.of(0x81, 1, 65))],
  ['a frame of bad text', () => sendAsPage(Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0xff))],
  ['a frame of 100 MiB', () => sendAsPage(frameOf(100 * 2 ** 20), big)],
  ['a frame of 2^63 bytes', () => sendAsPage(frameOf(2 ** 63), big)],
  ['noise for frames', () => sendAsPage(randomBytes(5000))],
];

const big = new Uint8Array(10_000_000);

/** The head of a masked frame of binary. */
function frameOf(length: number): Uint8Array {
  const head = Buffer.alloc(14);
  head.writeUInt16BE(0x82ff);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

describe('a program with an inspector survives', () => {
  test.each(attacks)('%s', async (_, attack) => {
    await attack();
    expect(await page()).toEqual(thePage);
    expect(program.exitCode).toBe(null);
  });

  test('more connections than it takes, and takes others again when they are gone', async () => {
    const sockets = Array.from({ length: 300 }, socketTo);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.resetAndDestroy();
    await Promise.all(sockets.map(closed));
    expect(await page()).toEqual(thePage);
  });

  test('500 requests that are cut, doubled and garbled, in little memory', async () => {
    const seed = Number(process.env.SEED ?? 8);
    const random = new Prng(seed);
    const seeds = [
      request('GET /index.html'),
      upgrade('/', key, ourPage()),
      upgrade(`/${token}`, key),
    ];
    for (let i = 0; i < 500; i++) {
      const bytes = Buffer.from(seeds[random.below(seeds.length)]!);
      for (let changes = random.below(6); changes > 0; changes--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      const cut = bytes.subarray(0, 1 + random.below(bytes.length));
      const socket = socketTo();
      await once(socket, 'connect');
      socket.write(cut, () => socket.resetAndDestroy());
      await closed(socket);
      expect(program.exitCode, `seed ${seed}, request ${i}`).toBe(null);
    }
    expect(await page()).toEqual(thePage);
    program.stdin?.write('memory?');
    expect(Number(await said())).toBeLessThan(300 * 2 ** 20);
  });
});

describe('a web page of another origin gets nothing', () => {
  const nothing = { status: 404, body: '' };
  test.each([
    ['by a name that leads here', { host: 'evil.example' }],
    ['by a name that leads here, with the port', () => ({ host: `evil.example:${port}` })],
    ['by another name of ours', () => ({ host: `localhost:${port}` })],
    ['by another port', { host: '127.0.0.1:1' }],
    ['by fetch', { origin: 'http://evil.example' }],
    ['by fetch, sandboxed', { origin: 'null' }],
    ['as a script or an image', { 'sec-fetch-site': 'cross-site' }],
    ['of another port of this machine', { 'sec-fetch-site': 'same-site' }],
  ])('%s', async (_, headers) => {
    const given = typeof headers === 'function' ? headers() : headers;
    expect(await page(given as Record<string, string>)).toEqual(nothing);
    expect(await page(given as Record<string, string>, '/none')).toEqual(nothing);
  });

  test('and our own does', async () => {
    expect(await page({ origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).toEqual(
      thePage,
    );
    expect(await page({ 'sec-fetch-site': 'none' })).toEqual(thePage);
  });
});
