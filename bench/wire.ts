/**
 * @module wire: what operations cost on the wire, for this client and for Tahoe's gateway, on the
 * same 13 real servers, 3-of-10. `npm run bench:wire`.
 *
 * Both speak to the servers through proxies that end TLS with the servers' own certificates and
 * pass requests on. A proxy holds every answer back for a while: so requests that do not wait for
 * one another overlap, and what is counted as a round trip is the longest chain of requests each of
 * which began after the one before had been answered. Files are made by a third client, directly.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { primitives } from '#crypto';
import { table } from '../src/cli/plain-text.ts';
import type { Grid } from '../src/grid.ts';
import { openGrid } from '../src/node.ts';
import { type Gateway, type RealGrid, startRealGrid } from '../test/interop/real-grid.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
/** Far above what a request takes on loopback, so that concurrent ones overlap. */
const answerDelayMs = 150;

interface Request {
  readonly begunAt: number;
  answeredAt: number;
  /** Bytes with headers, in either direction. */
  bytes: number;
}

/** What goes through all proxies. */
class Tap {
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
function roundTrips(requests: readonly Request[]): number {
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

interface Operation {
  readonly name: string;
  readonly format: 'sdmf' | 'mdmf';
  readonly size: number;
  ours(grid: Grid, cap: string): Promise<unknown>;
  theirs(gateway: Gateway, cap: string): Promise<unknown>;
}

const patch = primitives.randomBytes(KiB);
const place = 5 * MiB;

function overwrite(size: number): Pick<Operation, 'ours' | 'theirs'> {
  const contents = primitives.randomBytes(size);
  return {
    ours: (grid, cap) => grid.open(cap).overwrite(contents),
    theirs: (gateway, cap) => gateway.overwrite(cap, contents),
  };
}

const read: Pick<Operation, 'ours' | 'theirs'> = {
  ours: (grid, cap) => grid.open(cap).read(),
  theirs: (gateway, cap) => gateway.get(cap),
};

const operations: readonly Operation[] = [
  { name: 'read 1 KiB, SDMF', format: 'sdmf', size: KiB, ...read },
  { name: 'overwrite 1 KiB, SDMF', format: 'sdmf', size: KiB, ...overwrite(KiB) },
  { name: 'overwrite 1 MiB, MDMF', format: 'mdmf', size: MiB, ...overwrite(MiB) },
  {
    name: '1 KiB in place in 10 MiB, MDMF',
    format: 'mdmf',
    size: 10 * MiB,
    ours: (grid, cap) => grid.open(cap).update(patch, place),
    theirs: (gateway, cap) => gateway.updateAt(cap, place, patch),
  },
  { name: 'read 10 MiB, MDMF', format: 'mdmf', size: 10 * MiB, ...read },
];

/** A `servers.yaml` of the same servers behind proxies. */
async function proxied(real: RealGrid, tap: Tap): Promise<string> {
  const ports = new Map<number, number>();
  for (const { port, folder } of real.servers) {
    ports.set(
      port,
      await tap.before(port, await readFile(join(folder, 'private/node.pem'), 'utf8')),
    );
  }
  const text = await readFile(real.serversYaml, 'utf8');
  const moved = text.replace(
    /@127\.0\.0\.1:(\d+)\//g,
    (_, port) => `@127.0.0.1:${ports.get(Number(port))}/`,
  );
  const path = join(real.folder, 'proxied.yaml');
  await writeFile(path, moved);
  return path;
}

async function main(): Promise<void> {
  const real = await startRealGrid();
  const tap = new Tap();
  const servers = await proxied(real, tap);
  const leaseSecret = primitives.randomBytes(32);
  const maker = await openGrid(real.serversYaml, { leaseSecret });
  const ours = await openGrid(servers, { leaseSecret });
  const theirs = await real.gateway(undefined, servers);
  const rows: string[][] = [];
  try {
    for (const operation of operations) {
      const { name, format, size } = operation;
      const contents = primitives.randomBytes(size);
      for (const client of ['tahoe-mutable', 'Tahoe 1.20'] as const) {
        const { writeCap } = await maker.create({ format, contents });
        const seen = await tap.watch(() =>
          client === 'Tahoe 1.20'
            ? operation.theirs(theirs, writeCap)
            : operation.ours(ours, writeCap),
        );
        const bytes = seen.reduce((sum, request) => sum + request.bytes, 0);
        rows.push([
          name,
          client,
          `${seen.length}`,
          `${roundTrips(seen)}`,
          `${Math.ceil(bytes / KiB)}`,
        ]);
      }
    }
  } finally {
    for (const grid of [maker, ours]) grid.close();
    tap.close();
    await real.close();
  }
  console.log(table([['operation', 'client', 'requests', 'round trips', 'KiB'], ...rows], ''));
}

await main();
