/**
 * @module tap: what goes over the wire: requests, bytes, and the longest chain of requests each of which
 * began after the one before had been answered.
 *
 * Clients speak to proxies that end TLS with the servers' own certificates and pass requests on. A proxy
 * holds every answer back for a while, so that requests which do not wait for one another overlap.
 * The chain counts requests that nobody waits for, too: how long an operation waits is measured by
 * two delays (`delay.ts`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Far above what a request takes on loopback, so that concurrent ones overlap. */
const answerDelayMs = 150;

export interface Request {
  readonly begunAt: number;
  answeredAt: number;
  /** Bytes with headers, in either direction. */
  bytes: number;
}

/** What goes through all proxies. */
export class Tap {
  readonly #proxies: Server[] = [];
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  #requests: Request[] = [];

  /** @returns the port that stands for `port` */
  async before(port: number, pem: string): Promise<number> {
    const proxy = createServer({ cert: pem, key: pem }, (request, response) => {
      this.#pass(request, response, port).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    this.#proxies.push(proxy);
    return (proxy.address() as AddressInfo).port;
  }

  /** What `work` sent, once everything is answered. */
  async watch(work: () => Promise<unknown>): Promise<readonly Request[]> {
    this.#requests = [];
    await work();
    const seen = this.#requests;
    while (seen.some(({ answeredAt }) => answeredAt === Number.POSITIVE_INFINITY)) {
      await pause(answerDelayMs);
    }
    return seen;
  }

  close(): void {
    for (const proxy of this.#proxies) {
      proxy.close();
      proxy.closeAllConnections();
    }
    this.#agent.destroy();
  }

  async #pass(request: IncomingMessage, response: ServerResponse, port: number): Promise<void> {
    const { method = '', url = '', rawHeaders } = request;
    const noted = {
      begunAt: performance.now(),
      answeredAt: Number.POSITIVE_INFINITY,
      bytes: method.length + url.length + headerBytes(rawHeaders),
    };
    // Tahoe's gateway asks every server for its version now and then; that is no operation's doing.
    if (!url.endsWith('/version')) this.#requests.push(noted);
    const body = await bytesOf(request);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const place = { agent: this.#agent, host: '127.0.0.1', port, method, path: url };
      const onward = httpsRequest(place, resolve).on('error', reject);
      for (const [name, values] of Object.entries(request.headersDistinct)) {
        onward.setHeader(name, values as string[]);
      }
      onward.end(body);
    });
    const content = await bytesOf(answer);
    await pause(answerDelayMs);
    noted.bytes += body.length + content.length + headerBytes(answer.rawHeaders);
    noted.answeredAt = performance.now();
    response.writeHead(answer.statusCode ?? 500, answer.rawHeaders).end(content);
  }
}

function headerBytes(rawHeaders: readonly string[]): number {
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
}

async function bytesOf(message: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The length of the longest chain of requests, each begun after the one before was answered. */
export function roundTrips(requests: readonly Request[]): number {
  const byBegin = [...requests].sort((a, b) => a.begunAt - b.begunAt);
  const depths = new Map<Request, number>();
  for (const request of byBegin) {
    let before = 0;
    for (const [earlier, depth] of depths) {
      if (earlier.answeredAt <= request.begunAt) before = Math.max(before, depth);
    }
    depths.set(request, before + 1);
  }
  return Math.max(0, ...depths.values());
}
