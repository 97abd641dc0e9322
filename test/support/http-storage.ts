/**
 * @module http-storage: Tahoe's HTTP storage protocol in front of any storage server, for tests.
 *
 * As strict as Tahoe's `storage/http_server.py` (docs/format.md §7): what that answers with
 * 400, 401, 406, 415 or 416 is answered so here. The interop suite holds the same client against
 * the real thing, so this one only has to be quick and to misbehave when told.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { decode, encode, Tagged } from 'cborg';
import { fromBase32, utf8 } from '../../src/bytes.ts';
import { BadWriteEnablerError, NoSuchShareError } from '../../src/errors.ts';
import type {
  ReadableShares,
  ReadTestWriteRequest,
  ShareTest,
  ShareWrite,
  StorageServer,
  WritePart,
  WriteSecrets,
} from '../../src/storage/server.ts';
import { makeCertificate, type TestCertificate } from './certificates.ts';

export const SWISSNUM = 'w5jbsj5tkzcx2cmqzxkvslrqvtf7vz6y';

export interface HttpStorageOptions {
  readonly certificate?: TestCertificate;
  /** The highest TLS version it speaks. */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** Stands in for the server's normal answer to a request; `answer()` gives the normal one. */
export type Misbehaviour = (
  request: IncomingMessage,
  response: ServerResponse,
  answer: () => Promise<void>,
) => unknown;

type Body = Map<unknown, unknown>;

/** A share of one of the two kinds. */
interface SharePlace {
  readonly storageIndex: Uint8Array;
  readonly shnum: number;
  readonly shares: ReadableShares;
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, text = '') {
    super(text);
    this.status = status;
  }
}

/** A storage server on loopback. */
export class HttpStorage {
  /** How the next requests are treated; by default they are answered. */
  misbehaviour: Misbehaviour | undefined;
  /** `GET mutable/…/shares` and so on, of all requests that were heard. */
  readonly requests: string[] = [];
  readonly nurl: string;
  readonly port: number;
  readonly #backing: StorageServer;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(backing: StorageServer, server: Server, spkiHash: string) {
    this.#backing = backing;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.nurl = `pb://${spkiHash}@127.0.0.1:${this.port}/${SWISSNUM}#v=1`;
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
    });
    server.on('request', (request, response) => void this.#hear(request, response));
  }

  static async start(backing: StorageServer, options: HttpStorageOptions = {}) {
    const { cert, key, spkiHash } = options.certificate ?? (await makeCertificate());
    const { maxVersion = 'TLSv1.3' } = options;
    // Tahoe's servers offer no HTTP/2 and close idle connections after 60 s.
    const server = createServer({ cert, key, maxVersion, keepAliveTimeout: 60_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HttpStorage(backing, server, spkiHash);
  }

  /** As if the machine had lost power. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await once(this.#server, 'close');
  }

  async restart(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** To be shown on the next connections. */
  showCertificate({ cert, key }: TestCertificate): void {
    this.#server.setSecureContext({ cert, key });
  }

  async #hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url?.replace('/storage/v1/', '')}`);
    const answer = () => this.#answer(request, response);
    // A test that cuts the connection half way leaves these two behind.
    request.on('error', () => {});
    response.on('error', () => {});
    await (this.misbehaviour ? this.misbehaviour(request, response, answer) : answer());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (problem) {
      if (request.destroyed && !request.complete) return;
      const status = problem instanceof Refusal ? problem.status : 500;
      response.writeHead(status).end(problem instanceof Refusal ? problem.message : 'oops');
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [resource, name, ...rest] = pathOf(request);
    if (resource === 'version') return this.#version(request, response);
    const storageIndex = storageIndexOf(name);
    if (resource === 'lease') return this.#lease(request, response, storageIndex);
    const [what, corrupt] = rest;
    const shares = resource === 'mutable' ? this.#backing : this.#backing.immutable;
    if ((resource !== 'mutable' && resource !== 'immutable') || shares === undefined) {
      throw new Refusal(404, '<html>');
    }
    if (what === 'shares') return this.#shares(request, response, storageIndex, shares);
    if (what === 'read-test-write') return this.#readTestWrite(request, response, storageIndex);
    if (!/^\d+$/.test(what ?? '')) throw new Refusal(404, '<html>');
    const place = { storageIndex, shnum: Number(what), shares };
    if (corrupt === 'corrupt') return this.#advise(request, response, place);
    return this.#read(request, response, place);
  }

  #version(request: IncomingMessage, response: ServerResponse): void {
    secretsOf(request, 'GET', []);
    const sizes: [Uint8Array, unknown][] = [
      [utf8('maximum-immutable-share-size'), 12_000n],
      [utf8('maximum-mutable-share-size'), 69_105_000_000_000_000n],
      [utf8('available-space'), 2n ** 63n],
    ];
    const version: [Uint8Array, unknown][] = [
      [utf8('http://allmydata.org/tahoe/protocols/storage/v1'), new Map(sizes)],
      [utf8('application-version'), utf8('test/1.0')],
    ];
    sendCbor(request, response, new Map(version));
  }

  async #shares(
    request: IncomingMessage,
    response: ServerResponse,
    storageIndex: Uint8Array,
    shares: ReadableShares,
  ): Promise<void> {
    secretsOf(request, 'GET', []);
    const shnums = await shares.listShares(storageIndex);
    sendCbor(request, response, new Tagged(258, [...shnums]));
  }

  async #read(
    request: IncomingMessage,
    response: ServerResponse,
    { storageIndex, shnum, shares }: SharePlace,
  ): Promise<void> {
    secretsOf(request, 'GET', []);
    const stated = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const [offset, last] = [Number(stated?.[1]), Number(stated?.[2])];
    if (!(last >= offset)) throw new Refusal(416);
    const range = { offset, length: last - offset + 1 };
    const bytes = await shares
      .readShare(storageIndex, shnum, range)
      .catch((problem) => refuse(problem, NoSuchShareError, 404));
    if (bytes.length === 0) throw new Refusal(204);
    const end = offset + bytes.length - 1;
    response.writeHead(206, { 'Content-Range': `bytes ${offset}-${end}/*` });
    response.write(bytes);
    response.end();
  }

  async #readTestWrite(
    request: IncomingMessage,
    response: ServerResponse,
    storageIndex: Uint8Array,
  ): Promise<void> {
    const kinds = ['write-enabler', 'lease-renew-secret', 'lease-cancel-secret'];
    const [writeEnabler, renewSecret, cancelSecret] = secretsOf(request, 'POST', kinds);
    const secrets = { writeEnabler, renewSecret, cancelSecret } as WriteSecrets;
    const body = await bodyOf(request, 2 ** 48);
    const answer = await this.#backing
      .readTestWrite(storageIndex, requestOf(body, secrets))
      .catch((problem) => refuse(problem, BadWriteEnablerError, 401));
    sendCbor(
      request,
      response,
      new Map<string, unknown>([
        ['success', answer.wrote],
        ['data', new Map([...answer.reads].map(([shnum, results]) => [shnum, [...results]]))],
      ]),
    );
  }

  async #lease(request: IncomingMessage, response: ServerResponse, storageIndex: Uint8Array) {
    const kinds = ['lease-renew-secret', 'lease-cancel-secret'];
    const [renewSecret, cancelSecret] = secretsOf(request, 'PUT', kinds);
    const secrets = { renewSecret, cancelSecret } as WriteSecrets;
    if (!(await this.#backing.addLease(storageIndex, secrets))) throw new Refusal(404);
    response.writeHead(204).end();
  }

  async #advise(
    request: IncomingMessage,
    response: ServerResponse,
    { storageIndex, shnum, shares }: SharePlace,
  ): Promise<void> {
    secretsOf(request, 'POST', []);
    const held = await shares.listShares(storageIndex);
    if (!held.includes(shnum)) throw new Refusal(404);
    const reason = fieldsOf(await bodyOf(request, 32_768), 'reason').get('reason');
    if (typeof reason !== 'string' || reason === '') throw new Refusal(400, 'reason');
    await shares.adviseCorruptShare(storageIndex, shnum, reason);
    response.writeHead(200).end();
  }
}

function refuse(problem: unknown, kind: new (...of: never[]) => Error, status: number): never {
  throw problem instanceof kind ? new Refusal(status) : problem;
}

function pathOf(request: IncomingMessage): string[] {
  const [empty, storage, version, ...path] = (request.url ?? '').split('/');
  if (empty !== '' || storage !== 'storage' || version !== 'v1') throw new Refusal(404, '<html>');
  return path;
}

function storageIndexOf(name = ''): Uint8Array {
  const storageIndex = fromBase32(name);
  if (storageIndex?.length !== 16) throw new Refusal(404, '<html>');
  return storageIndex;
}

/** Checks method and swissnum, and that the request has exactly these kinds of secrets. */
function secretsOf(request: IncomingMessage, method: string, kinds: string[]): Uint8Array[] {
  if (request.method !== method) throw new Refusal(405, '<html>');
  const expected = `Tahoe-LAFS ${Buffer.from(SWISSNUM).toString('base64')}`;
  if (request.headers.authorization !== expected) {
    throw new Refusal(401, 'Wrong Authorization header');
  }
  const lines = request.headersDistinct['x-tahoe-authorization'] ?? [];
  const secrets = new Map(lines.map((line) => line.split(' ', 2) as [string, string]));
  // Tahoe echoes what it does not like, and so does this.
  if (lines.length !== kinds.length || !kinds.every((kind) => secrets.has(kind))) {
    throw new Refusal(400, `Wrong secrets: ${lines}`);
  }
  return kinds.map((kind) => {
    const secret = Buffer.from(secrets.get(kind)!, 'base64');
    if (secret.length !== 32) throw new Refusal(400, `Wrong length: ${lines}`);
    return secret;
  });
}

async function bodyOf(request: IncomingMessage, max: number): Promise<unknown> {
  const type = request.headers['content-type'] ?? 'application/cbor';
  if (type !== 'application/cbor') throw new Refusal(415);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (body.length > max) throw new Refusal(413);
  try {
    return decode(body, { useMaps: true, rejectDuplicateMapKeys: true });
  } catch {
    throw new Refusal(400, 'not CBOR');
  }
}

function sendCbor(request: IncomingMessage, response: ServerResponse, answer: unknown): void {
  const { accept = 'application/cbor' } = request.headers;
  if (accept !== 'application/cbor') throw new Refusal(406);
  response.writeHead(200, { 'Content-Type': 'application/cbor' });
  // Two writes make it chunked, as Tahoe's answers are.
  response.write(encode(answer));
  response.end();
}

/** The protocol's maps are closed. */
function fieldsOf(value: unknown, ...keys: string[]): Body {
  if (value instanceof Map && value.size === keys.length && keys.every((key) => value.has(key))) {
    return value;
  }
  throw new Refusal(400, `expected ${keys}`);
}

function requestOf(body: unknown, secrets: WriteSecrets): ReadTestWriteRequest {
  const fields = fieldsOf(body, 'test-write-vectors', 'read-vector');
  const vectors = fields.get('test-write-vectors') as Body;
  const shares = [...vectors].map(([shnum, vector]): [number, ShareWrite] => {
    const share = fieldsOf(vector, 'test', 'write', 'new-length');
    const write = {
      tests: (share.get('test') as unknown[]).map(testOf),
      parts: (share.get('write') as unknown[]).map(partOf),
      newLength: share.get('new-length') as number | null,
    };
    return [shnum as number, write];
  });
  const reads = (fields.get('read-vector') as unknown[]).map((read) => {
    const range = fieldsOf(read, 'offset', 'size');
    return { offset: range.get('offset') as number, length: range.get('size') as number };
  });
  return { secrets, shares: new Map(shares), reads };
}

function testOf(value: unknown): ShareTest {
  const test = fieldsOf(value, 'offset', 'size', 'specimen');
  return {
    offset: test.get('offset') as number,
    length: test.get('size') as number,
    specimen: test.get('specimen') as Uint8Array,
  };
}

function partOf(value: unknown): WritePart {
  const part = fieldsOf(value, 'offset', 'data');
  const data = part.get('data') as Uint8Array;
  return { offset: part.get('offset') as number, length: data.length, bytes: async () => data };
}
