/**
 * @module server: the visualizer, served on this machine only, with a run of this process in it.
 *
 * Any web page can open a socket to 127.0.0.1, so a socket must know a random token, come from our
 * own page (`Origin`) and name us by our address (`Host`: no rebinding of names). Who joins late
 * gets everything from the beginning. What is sent is a trace: it holds no secret and no byte of a
 * share (see `runtime/trace.ts`).
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import type { InspectionEvent } from 'xstate';
import * as machines from '../../machines/index.ts';
import { type Chart, chartOf } from '../diagram/chart.ts';
import { createRecorder } from '../runtime/trace.ts';
import { createWire, type LiveRecord } from './wire.ts';

export interface InspectorOptions {
  /** 0, the default: any that is free. */
  readonly port?: number | undefined;
  /** A file for the trace, as JSON lines. */
  readonly trace?: string | undefined;
  /** The folder of the built page; the one in the package by default. */
  readonly page?: string | undefined;
}

export interface Inspector {
  /** The page that shows this run. It holds the token: for this machine's user only. */
  readonly url: string;
  /** The page by itself. */
  readonly explorerUrl: string;
  /** For `inspect` of a `Grid`, or of XState. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Ends the server; the trace file is complete then. */
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** The same as in the page itself, and nothing may frame it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "worker-src 'self'; connect-src 'self' ws://127.0.0.1:*; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";

/**
 * Starts the visualizer on 127.0.0.1.
 *
 *     const inspector = await createInspector();
 *     const grid = await openGrid('my-grid', { inspect: inspector.inspect });
 *     console.log(inspector.url);
 */
export async function createInspector(options: InspectorOptions = {}): Promise<Inspector> {
  const page = options.page ?? fileURLToPath(new URL('../../visualizer/', import.meta.url));
  const token = randomBytes(16).toString('hex');
  const server = createServer((request, response) => void serve(page, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const broadcast = acceptSockets(server, host, token);
  const file = options.trace === undefined ? undefined : createWriteStream(options.trace);
  const wire = createWire(shippedChart);
  const began = Date.now();
  let count = 0;
  const inspect = createRecorder({
    write: (record) => {
      const live: LiveRecord = { ...record, seq: count++, at: Date.now() - began };
      file?.write(`${JSON.stringify({ ...live, step: 0 })}\n`);
      for (const message of wire(live)) broadcast.send(JSON.stringify(message));
    },
  });
  return {
    url: `http://${host}/#live=${host}/${token}`,
    explorerUrl: `http://${host}/`,
    inspect,
    close: async () => {
      broadcast.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => (file === undefined ? resolve() : file.end(resolve)));
    },
  };
}

function acceptSockets(server: Server, host: string, token: string) {
  const sockets = new WebSocketServer({ noServer: true });
  const history: string[] = [];
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { origin, host: named } = request.headers;
    if (named !== host || origin !== `http://${host}` || !isToken(request.url, token)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      for (const message of history) client.send(message);
      sockets.emit('connection', client, request);
    });
  });
  return {
    send: (message: string) => {
      history.push(message);
      for (const client of sockets.clients as Set<WebSocket>) client.send(message);
    },
    close: () => {
      for (const client of sockets.clients as Set<WebSocket>) client.terminate();
      sockets.close();
    },
  };
}

function isToken(url: string | undefined, token: string): boolean {
  const [given, expected] = [Buffer.from(url ?? ''), Buffer.from(`/${token}`)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function serve(page: string, request: IncomingMessage, response: ServerResponse) {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const path = normalize(join(page, pathname === '/' ? 'index.html' : pathname));
  const type = types[extname(path)];
  const isOurs = /^127\.0\.0\.1:\d+$/.test(request.headers.host ?? '');
  const body =
    isOurs && type !== undefined && path.startsWith(normalize(page))
      ? await readFile(path).catch(() => undefined)
      : undefined;
  if (body === undefined) {
    const hint =
      pathname === '/' && isOurs ? 'The page is not built: npm run visualizer:build\n' : '';
    return void response.writeHead(404, { 'content-type': 'text/plain' }).end(hint);
  }
  response.writeHead(200, {
    'content-type': type,
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

const shipped = new Map<string, Chart>();

function shippedChart(id: string): Chart | undefined {
  if (shipped.size === 0) {
    const { blockReadMachine, modifyMachine, publishMachine, retrieveMachine } = machines;
    const { servermapUpdateMachine, serverQueryMachine, shareWriteMachine } = machines;
    const all = [
      ...[blockReadMachine, modifyMachine, publishMachine, retrieveMachine],
      ...[servermapUpdateMachine, serverQueryMachine, shareWriteMachine],
    ];
    for (const machine of all) shipped.set(machine.id, chartOf(machine));
  }
  return shipped.get(id);
}
