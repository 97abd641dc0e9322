/**
 * @module real-grid: a grid of unmodified Tahoe-LAFS 1.20 nodes for the interop suite.
 *
 * `grid.py` runs the nodes; this module starts it, gives it orders and speaks to its gateways'
 * web API. `setup.sh` must have made the Python environment. Every grid has its own temporary
 * folder and ports, so suites may run side by side.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fromBase32, toBase32, utf8 } from '../../src/bytes.ts';
import { deriveLeaseSecrets } from '../../src/crypto/leases.ts';
import type { GatewayListing } from '../support/directories.ts';
import { spellings, textsOf } from '../support/secret-search.ts';

/** A gateway's `shares.needed`, `shares.happy` and `shares.total`. */
interface GatewayEncoding {
  readonly needed: number;
  readonly happy: number;
  readonly total: number;
}

/** One storage node, as it announces itself. */
export interface RealServer {
  readonly id: string;
  readonly nickname: string;
  /** The node folder; its shares are below `storage/shares/`. */
  readonly folder: string;
  readonly port: number;
  readonly 'anonymous-storage-FURL': string;
  readonly 'anonymous-storage-NURLs': readonly string[];
  readonly 'permutation-seed-base32': string;
}

export interface RealGrid {
  /** The temporary folder that holds all nodes, and `grid.log`. */
  readonly folder: string;
  /** The description of the grid that the gateways themselves use. */
  readonly serversYaml: string;
  readonly servers: readonly RealServer[];
  /**
   * A gateway with this encoding, started when first asked for; it sees every running server.
   * @param serversYaml what it reads instead of {@link serversYaml}: the same servers elsewhere
   */
  gateway(encoding?: GatewayEncoding, serversYaml?: string): Promise<Gateway>;
  /** As if the machine had lost power: live connections are cut. Returns when gateways noticed. */
  stopServer(...positions: readonly number[]): Promise<void>;
  startServer(...positions: readonly number[]): Promise<void>;
  /** From now on the server answers 500 to every write, for lack of space; or writes again. */
  fillDisk(position: number, full: boolean): Promise<void>;
  /** The share numbers on a server's disk, ascending. */
  sharesOf(position: number, storageIndex: Uint8Array): Promise<readonly number[]>;
  /** A share's container file, as it lies on the server's disk. */
  readContainer(position: number, storageIndex: Uint8Array, shnum: number): Promise<Uint8Array>;
  writeContainer(
    position: number,
    storageIndex: Uint8Array,
    shnum: number,
    container: Uint8Array,
  ): Promise<void>;
  deleteShare(position: number, storageIndex: Uint8Array, shnum: number): Promise<void>;
  /** Of the process that all its nodes run in. */
  readonly pid: number;
  /** Milliseconds of CPU that this process has used. */
  cpuMs(): Promise<number>;
  close(): Promise<void>;
}

/** Also when this module is compiled to `dist/`, for the benchmark. */
const ROOT = dirname(createRequire(import.meta.url).resolve('tahoe-mutable/package.json'));
const TAHOE_DEFAULTS: GatewayEncoding = { needed: 3, happy: 7, total: 10 };

/** Starts `count` real storage servers on loopback; with none, a place for gateways to others. */
export async function startRealGrid(count = 13): Promise<RealGrid> {
  const folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-interop-'));
  const launcher = new Launcher(folder, count);
  const ready = await launcher.ready.catch(async (problem) => {
    await launcher.close();
    throw problem;
  });
  const gateways: string[] = [];
  const slot = (position: number, storageIndex: Uint8Array): string => {
    const name = toBase32(storageIndex);
    const { folder } = ready.servers[position]!;
    return join(folder, 'storage/shares', name.slice(0, 2), name);
  };
  return {
    folder,
    serversYaml: ready.serversYaml,
    servers: ready.servers,
    gateway: async (encoding = TAHOE_DEFAULTS, serversYaml = ready.serversYaml) => {
      const asked = await launcher.ask('gateway', { ...encoding, servers: serversYaml });
      const place = asked as GatewayPlace;
      gateways.push(place.folder);
      return new Gateway(place);
    },
    stopServer: async (...servers) => void (await launcher.ask('stop', { servers })),
    startServer: async (...servers) => void (await launcher.ask('start', { servers })),
    fillDisk: async (server, full) => void (await launcher.ask('fill-disk', { server, full })),
    sharesOf: async (position, storageIndex) =>
      (await namesIn(slot(position, storageIndex))).map(Number).sort((a, b) => a - b),
    readContainer: (position, storageIndex, shnum) =>
      readFile(join(slot(position, storageIndex), String(shnum))),
    writeContainer: (position, storageIndex, shnum, container) =>
      writeFile(join(slot(position, storageIndex), String(shnum)), container),
    deleteShare: (position, storageIndex, shnum) =>
      rm(join(slot(position, storageIndex), String(shnum))),
    pid: launcher.pid,
    cpuMs: async () => ((await launcher.ask('usage', {})) as { cpuMs: number }).cpuMs,
    close: async () => {
      await launcher.close();
      await noteSecrets(ready.servers, gateways);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Leaves what must not have been printed for `run.sh` to search for: every swissnum, the write
 * enabler (bytes 52 to 84) of every container that is on a server's disk by now, and the lease
 * secrets that the gateways, and clients of ours with their folders, have for it.
 */
async function noteSecrets(
  servers: readonly RealServer[],
  gateways: readonly string[],
): Promise<void> {
  const notes = process.env.INTEROP_SECRETS;
  if (notes === undefined) return;
  const leaseSecrets = await Promise.all(
    gateways.map(async (folder) => {
      const text = await readFile(join(folder, 'private/secret'), 'utf8');
      return fromBase32(text.trim()) as Uint8Array;
    }),
  );
  const lines = leaseSecrets.flatMap(spellings);
  for (const server of servers) {
    for (const nurl of server['anonymous-storage-NURLs']) {
      lines.push(...spellings(utf8(new URL(nurl).pathname.slice(1))));
    }
    const tubId = fromBase32(server['anonymous-storage-FURL'].slice('pb://'.length).split('@')[0]!);
    const shares = join(server.folder, 'storage/shares');
    const files = await readdir(shares, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const { parentPath, name } of files.filter((file) => file.isFile())) {
      const enabler = (await readFile(join(parentPath, name))).subarray(52, 84);
      if (enabler.length === 32) lines.push(...spellings(enabler));
      const storageIndex = fromBase32(basename(parentPath)) as Uint8Array;
      for (const leaseSecret of leaseSecrets) {
        const secrets = deriveLeaseSecrets(leaseSecret, storageIndex, tubId as Uint8Array);
        lines.push(...Object.values(secrets).flatMap(textsOf));
      }
    }
  }
  const searchable = new Set(lines.filter((spelling) => !/[\n\0]/.test(spelling)));
  await appendFile(notes, `${[...searchable].join('\n')}\n`);
}

/**
 * A Tahoe web gateway: the independent implementation that reads and writes what we write and read.
 */
export class Gateway {
  readonly url: string;
  /** Its node folder, with its servers, its encoding and its lease secret. */
  readonly folder: string;

  constructor({ url, folder }: GatewayPlace) {
    this.url = url;
    this.folder = folder;
  }

  /** Creates a file and returns its write cap; `privateKey` is a PKCS#1 or PKCS#8 DER. */
  async put(
    format: 'sdmf' | 'mdmf',
    contents: Uint8Array,
    options: { readonly privateKey?: Uint8Array } = {},
  ): Promise<string> {
    const query = new URLSearchParams({ format: format.toUpperCase() });
    if (options.privateKey) {
      // Python's urlsafe_b64decode wants the padding that base64url leaves out.
      const standard = Buffer.from(options.privateKey).toString('base64');
      query.set('private-key', standard.replaceAll('+', '-').replaceAll('/', '_'));
    }
    return (await this.#ask('PUT', `/uri?${query}`, contents)).toString();
  }

  /** Puts an immutable file there, and returns its cap. */
  async putImmutable(contents: Uint8Array): Promise<string> {
    return (await this.#ask('PUT', '/uri', contents)).toString();
  }

  /** Makes an empty directory and returns its write cap. */
  async mkdir(format: 'sdmf' | 'mdmf'): Promise<string> {
    return (await this.#ask('POST', `/uri?t=mkdir&format=${format.toUpperCase()}`)).toString();
  }

  /** Puts an immutable file into a directory. */
  async putChild(
    directory: string,
    name: string,
    contents: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#ask('PUT', `${file(directory)}/${encodeURIComponent(name)}`, contents, signal);
  }

  /** What is in a directory, as its web API words it. */
  async list(directory: string): Promise<GatewayListing> {
    return JSON.parse((await this.#ask('GET', `${file(directory)}?t=json`)).toString());
  }

  /** Changes a directory, as `t` says: `rename`, `relink`, `unlink`, `uri`, `set_children`. */
  async edit(
    directory: string,
    query: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<void> {
    const path = `${file(directory)}?${new URLSearchParams(query)}`;
    await this.#ask('POST', path, body === undefined ? undefined : utf8(body));
  }

  /** What it says of a directory and all below it, line by line; `t` is `stream-manifest` and such. */
  async walk(directory: string, query: Readonly<Record<string, string>>): Promise<WalkLine[]> {
    const path = `${file(directory)}?${new URLSearchParams(query)}`;
    const lines = (await this.#ask('POST', path)).toString().trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line));
  }

  async get(cap: string): Promise<Uint8Array> {
    return await this.#ask('GET', file(cap));
  }

  async overwrite(cap: string, contents: Uint8Array): Promise<void> {
    await this.#ask('PUT', file(cap), contents);
  }

  /** Writes `data` into the file at `offset`; MDMF only. */
  async updateAt(cap: string, offset: number, data: Uint8Array): Promise<void> {
    await this.#ask('PUT', `${file(cap)}?offset=${offset}`, data);
  }

  /** The gateway's check report, as its web API words it. */
  async check(
    cap: string,
    options: { verify?: boolean; addLease?: boolean; repair?: boolean } = {},
  ): Promise<CheckReport> {
    const query = new URLSearchParams({
      t: 'check',
      output: 'JSON',
      verify: String(options.verify ?? false),
      'add-lease': String(options.addLease ?? false),
      repair: String(options.repair ?? false),
    });
    return JSON.parse((await this.#ask('POST', `${file(cap)}?${query}`)).toString());
  }

  async #ask(
    method: string,
    path: string,
    body?: Uint8Array,
    signal: AbortSignal | null = null,
  ): Promise<Buffer> {
    const asked = { method, body: body ? Buffer.from(body) : null, signal };
    const answer = await fetch(this.url + path, asked);
    const content = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`gateway answered ${answer.status} to ${method}: ${content}`);
    return content;
  }
}

/** An object that it has met, or the numbers at last. */
export type WalkLine = Readonly<Record<string, unknown>> & {
  readonly path?: readonly string[];
  readonly 'check-results'?: { readonly results: CheckReport['results'] };
};

/** What tests look at in a check report; after a repair, the report of what was found before it. */
interface CheckReport {
  readonly summary: string;
  readonly results: {
    readonly healthy: boolean;
    readonly recoverable: boolean;
    readonly 'count-shares-good': number;
    readonly 'count-corrupt-shares': number;
    readonly 'count-recoverable-versions': number;
    readonly 'count-unrecoverable-versions': number;
    readonly sharemap: Readonly<Record<string, readonly string[]>>;
  };
}

function file(cap: string): string {
  return `/uri/${encodeURIComponent(cap)}`;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw problem;
  }
}

interface GatewayPlace {
  readonly url: string;
  readonly folder: string;
}

interface Ready {
  readonly serversYaml: string;
  readonly servers: readonly RealServer[];
}

interface Pending {
  resolve(value: unknown): void;
  reject(problem: Error): void;
}

/** The `grid.py` process and its lines of JSON. */
class Launcher {
  readonly ready: Promise<Ready>;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #pending = new Map<number, Pending>();
  #asked = 0;
  #complaints = '';

  constructor(folder: string, count: number) {
    const python = join(ROOT, '.venv/tahoe/bin/python');
    const script = join(ROOT, 'test/interop/grid.py');
    this.#process = spawn(python, [script, folder, String(count)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.on('error', (problem) =>
      this.#fail(`cannot start ${python}: ${problem.message}`),
    );
    this.#process.on('exit', () => this.#fail(`grid.py ended: ${this.#complaints || 'no reason'}`));
    this.#process.stderr.on('data', (text) => {
      this.#complaints += text;
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#hear(line));
    // Request 0 is the one nobody sends: its answer is `ready`.
    this.ready = this.#expect(0) as Promise<Ready>;
  }

  ask(command: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = ++this.#asked;
    const answer = this.#expect(id);
    this.#process.stdin.write(`${JSON.stringify({ id, do: command, ...parameters })}\n`);
    return answer;
  }

  /** Once it is ready. */
  get pid(): number {
    return this.#process.pid as number;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.pid === undefined) return;
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }

  #expect(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }

  #hear(line: string): void {
    const message = JSON.parse(line);
    const id = message.ready ? 0 : message.id;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (message.error) pending?.reject(new Error(message.error));
    else pending?.resolve(message.ready ?? message.ok);
  }

  #fail(problem: string): void {
    for (const pending of this.#pending.values()) pending.reject(new Error(problem));
    this.#pending.clear();
  }
}
