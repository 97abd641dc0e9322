/**
 * @module server: the visualizer, served on this machine only, with a run of this process in it.
 *
 * Any web page can open a socket to 127.0.0.1, so a socket must know a random token, come from our
 * own page (`Origin`) and name us by our address (`Host`: no rebinding of names). Whatever comes in
 * by a socket, nothing throws out of here: it would end the program that is being watched, and its
 * writes. Who joins late gets everything from the beginning, or is told what is gone. What is sent
 * is a trace: it holds no secret and no byte of a share (see `runtime/trace.ts`).
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { InspectionEvent } from 'xstate';
import { requireCount, requireOptions } from '../arguments.ts';
import { BadArgumentError, type TraceError } from '../errors.ts';
import { packageVersion } from '../package-version.ts';
import { Broadcast } from './broadcast.ts';
import { historyLimits } from './history.ts';
import { recordRealRun } from './real-run.ts';
import { TraceFile } from './trace-file.ts';

/** For {@link createInspector}. */
export interface InspectorOptions {
  /** 0, the default: any that is free. */
  readonly port?: number | undefined;
  /**
   * A file for the trace, as JSON lines: a new one, or a pipe that somebody reads. It is removed by
   * `close` if nothing was recorded.
   */
  readonly trace?: string | undefined;
  /** Told once, when the trace ends before its time, on a full disk say; a warning by default. */
  readonly onTraceProblem?: ((problem: TraceError) => void) | undefined;
  /**
   * How many records are kept for pages that are opened late; 100,000 by default, and 64 MiB of
   * their JSON in any case. Beyond that whole operations are forgotten, the oldest first, those
   * that succeeded before those that failed; of what goes on its oldest records, but not its
   * beginning. The page says how many. Up to 16 MiB are kept besides for a page that is connected
   * and has yet to be sent them.
   */
  readonly keep?: number | undefined;
  /** The folder of the built page; the one in the package by default. */
  readonly page?: string | undefined;
}

/** A visualizer that is being served. It shows runs of this process as they happen. */
export interface Inspector extends AsyncDisposable {
  /** The page that shows this run. It holds the token: for this machine's user only. */
  readonly url: string;
  /** The page by itself. */
  readonly explorerUrl: string;
  /**
   * For `inspect` of any number of grids, whose operations and storage calls are recorded, too, and
   * of your own XState machines.
   */
  readonly inspect: (event: InspectionEvent) => void;
  /**
   * Ends the server, as `await using` does. The trace file is then complete, or `onTraceProblem` was called: also when
   * nothing was taken of it for five seconds.
   */
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

/** Sockets at a time, of anybody on this machine: each takes a file descriptor from the program. */
const connectionsMax = 64;
/** For the head of a request, in milliseconds. */
const headersMs = 10_000;
/** What the system may have against a port. */
const portProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'may not be taken by this user',
};

/**
 * Starts the visualizer on 127.0.0.1.
 *
 * @throws TraceError when the file of the trace is there already, or cannot be opened
 * @throws BadArgumentError, OutOfRangeError when `keep` is no number of records, or `port` is no port
 *   that can be had
 *
 * @example
 * ```ts
 * import { createInspector, openGrid } from 'tahoe-mutable/node';
 *
 * const inspector = await createInspector();
 * const grid = await openGrid('my-grid', { inspect: inspector.inspect });
 * console.log(inspector.url); // open it in a browser: every operation of this grid shows there
 * await inspector.close(); // when the program is through
 * ```
 */
export async function createInspector(options: InspectorOptions = {}): Promise<Inspector> {
  requireOptions(options);
  const { keep = historyLimits.records } = options;
  requireCount('keep', keep);
  const page = options.page ?? fileURLToPath(new URL('../../visualizer/', import.meta.url));
  const token = randomBytes(16).toString('hex');
  const { onTraceProblem = ({ message }) => process.emitWarning(message) } = options;
  const file =
    options.trace === undefined ? undefined : await TraceFile.open(options.trace, onTraceProblem);
  const server = createServer();
  try {
    await listen(server, options.port ?? 0);
  } catch (problem) {
    await file?.close();
    throw problem;
  }
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const isOurs = (request: IncomingMessage) => isFromOurPage(request, host);
  server.on('request', (request, response) => {
    // An unhandled rejection would end the program that is being watched.
    serve(page, isOurs, token, request, response).catch(() => response.destroy());
  });
  const run = randomBytes(8).toString('hex');
  const broadcast = new Broadcast(run, { records: keep });
  acceptSockets(server, isOurs, token, broadcast);
  const inspect = recordRealRun({
    version: packageVersion(),
    write: (record) => {
      file?.write(JSON.stringify(record));
      broadcast.add(record);
    },
  });
  const close = async () => {
    await broadcast.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await file?.close();
  };
  return {
    url: `http://${host}/#live=${host}/${token}`,
    explorerUrl: `http://${host}/`,
    inspect,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** @throws BadArgumentError when the port is taken, or is not for us */
async function listen(server: Server, port: number): Promise<void> {
  server.maxConnections = connectionsMax;
  server.headersTimeout = headersMs;
  server.requestTimeout = headersMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const problem = portProblems[error.code ?? ''];
      reject(problem === undefined ? error : new BadArgumentError('port', `${port} ${problem}`));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  // Without file descriptors, for one, it can accept nobody; that is no reason to end.
  server.on('error', () => {});
}

/**
 * Whether no page of another origin can have asked: not by our address, not by a name that leads
 * to it, and not by what needs no permission, as scripts and images.
 */
function isFromOurPage({ headers }: IncomingMessage, host: string): boolean {
  const { origin = `http://${host}`, 'sec-fetch-site': site = 'none' } = headers;
  const isOurSite = site === 'none' || site === 'same-origin';
  return headers.host === host && origin === `http://${host}` && isOurSite;
}

function acceptSockets(
  server: Server,
  isOurs: (request: IncomingMessage) => boolean,
  token: string,
  broadcast: Broadcast,
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // An upgraded socket is ours alone, errors included, and the other side may hang up at any
    // time.
    socket.on('error', () => socket.destroy());
    const { origin, host } = request.headers;
    const isPage = origin === `http://${host}` && isOurs(request);
    if (!isPage || !isToken(request.url, token)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n', () => socket.destroy());
      return;
    }
    broadcast.accept(request, socket, head);
  });
}

/** Whether that is the path, whatever its query. */
function isToken(url: string | undefined, token: string): boolean {
  const [given, expected] = [Buffer.from(url?.split('?')[0] ?? ''), Buffer.from(`/${token}`)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** A path in the folder of the page: names of letters and digits, none of them hidden or `..`. */
const pagePath = /^(?:\/[\w-][\w.-]*)+$/;
/** What looks like a token. */
const tokenPath = /^\/[0-9a-f]{32}$/;

async function serve(
  page: string,
  isOurs: (request: IncomingMessage) => boolean,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => {});
  const { method, url = '' } = request;
  if (!isOurs(request) || (method !== 'GET' && method !== 'HEAD')) return refuse(response, '');
  const [path = ''] = url.split('?', 1);
  if (tokenPath.test(path)) {
    // A page that is refused a socket can not see why: it asks here.
    response.writeHead(isToken(path, token) ? 204 : 403, { 'cache-control': 'no-store' }).end();
    return;
  }
  const file = path === '/' ? '/index.html' : path;
  const type = types[extname(file)];
  const body =
    type !== undefined && pagePath.test(file)
      ? await readFile(join(page, file)).catch(() => undefined)
      : undefined;
  if (body === undefined || type === undefined) {
    return refuse(
      response,
      path === '/' ? 'The page is not built: npm run visualizer:build\n' : '',
    );
  }
  response.writeHead(200, {
    'content-type': type,
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

/** Without waiting for the rest of what is asked. */
function refuse(response: ServerResponse, hint: string): void {
  response.writeHead(404, { 'content-type': 'text/plain', connection: 'close' }).end(hint);
}
