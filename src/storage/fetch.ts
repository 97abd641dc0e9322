/**
 * @module fetch: a storage server behind a relay, through the platform's `fetch`.
 *
 * The same protocol as over pinned HTTPS (`http-protocol.ts`), for platforms that pin nothing: a
 * relay ends TLS with a certificate of the Web's. docs/browser.md says what it can see and do.
 *
 * Rules: secrets travel in headers, to one origin, and are never sent on by a redirection. What
 * `fetch` and its wrappers throw is not quoted, since it may quote what was sent. Every call ends:
 * within the times of `silenceMs`, and no answer is read beyond what makes sense.
 */
import { type Follower, followerOf, unlessAborted } from '../abort.ts';
import {
  checkIdentity,
  requireFunction,
  requireMilliseconds,
  requireOptions,
  timerMax,
} from '../arguments.ts';
import { BadArgumentError } from '../errors.ts';
import { kindOf, refuse } from '../refusal.ts';
import {
  announced,
  CallFailedError,
  CHUNK,
  ConnectionClosedError,
  ERROR_BODY_MAX,
  GrowingBytes,
  type HttpAnswer,
  type HttpBody,
  type HttpCall,
  type Progress,
} from './http-call.ts';
import { ProtocolServer } from './http-protocol.ts';
import type { ServerId } from './server.ts';

type Timer = ReturnType<typeof setTimeout> | undefined;

/** Headers of a request, by their names. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Where a relay is, and what the server behind it is called. */
export interface FetchServerOptions {
  /** No two servers of a grid have the same. */
  readonly id: ServerId;
  /** By default the id. */
  readonly nickname?: string | undefined;
  /** 20 bytes, as all who write to this server know it: write enablers are made of it. */
  readonly tubId: Uint8Array;
  /** The seed of its place in the order of a slot. */
  readonly permutationSeed: Uint8Array;
  /**
   * Where the relay has the server: `storage/v1/…` is below it. `https:`, or `http:` to this very
   * machine; in a page it may be relative. It holds no secret: neither credentials nor a query.
   */
  readonly url: string | URL;
  /** Sent in Tahoe's way, where the relay does not hold it itself. Else it never gets here. */
  readonly swissnum?: string | undefined;
  /**
   * For the relay, with every call: a token of its own, say. A function is asked every time; where
   * it throws, the server is unavailable, and what it threw is the `cause`.
   */
  readonly headers?: RequestHeaders | (() => RequestHeaders | Promise<RequestHeaders>) | undefined;
  /** The platform's by default. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /**
   * Milliseconds, 60,000 by default. A call fails when nothing came for so long, or less than 64 KiB
   * of its answer in twice that; sending may take as long again for each 64 KiB.
   */
  readonly silenceMs?: number | undefined;
}

/** As Tahoe's own client. */
const SILENCE_MS = 60_000;

/** Nothing that a browser has kept, nor what it would tell of the page. */
const PRIVATELY = {
  cache: 'no-store',
  credentials: 'omit',
  redirect: 'error',
  referrerPolicy: 'no-referrer',
} as const;

/** A {@link StorageServer} behind a relay. Runs wherever there is `fetch`. */
export class FetchServer extends ProtocolServer {
  readonly id: ServerId;
  readonly nickname: string;
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  /** Absolute, with a slash at its end. */
  readonly url: string;
  readonly #authorization: RequestHeaders;
  readonly #headers: () => RequestHeaders | Promise<RequestHeaders>;
  readonly #fetch: typeof globalThis.fetch;
  readonly #silenceMs: number;
  readonly #underWay = new Set<Exchange>();

  /** @throws BadArgumentError, also for a `url` that secrets must not be sent to; OutOfRangeError */
  constructor(options: FetchServerOptions) {
    super();
    requireOptions(options);
    checkIdentity(options);
    const { id, nickname = id, tubId, permutationSeed, swissnum, headers = {} } = options;
    const { fetch, silenceMs = SILENCE_MS } = options;
    if (typeof headers !== 'function') checkHeaders(headers);
    if (fetch !== undefined) requireFunction('fetch', fetch);
    requireMilliseconds('silenceMs', silenceMs);
    this.id = id;
    this.nickname = nickname;
    this.tubId = tubId;
    this.permutationSeed = permutationSeed;
    this.url = placeOf(options.url);
    this.#authorization = authorizationOf(swissnum);
    this.#headers = typeof headers === 'function' ? headers : () => headers;
    // Browsers refuse it as a method of anything else.
    this.#fetch = fetch ?? ((...args) => globalThis.fetch(...args));
    this.#silenceMs = silenceMs;
  }

  /** Ends the calls that are under way. The server can be used again. */
  close(): void {
    for (const exchange of this.#underWay) exchange.close();
  }

  /** Whoever it was: a relay passes refusals on, and has its own. */
  protected override get refusal(): string {
    return 'it or its relay refused the request (401)';
  }

  protected async reach(call: HttpCall): Promise<HttpAnswer> {
    call.signal?.throwIfAborted();
    const exchange = new Exchange(call, this.#silenceMs);
    this.#underWay.add(exchange);
    try {
      return await exchange.run((signal, body) => this.#prepare(call, signal, body));
    } finally {
      this.#underWay.delete(exchange);
    }
  }

  async #prepare(call: HttpCall, signal: AbortSignal, body: Blob | null): Promise<Send> {
    const { method, path } = call;
    const headers = await this.#headersOf(call);
    const init = { ...PRIVATELY, method, headers, signal, body };
    return () => this.#fetch(`${this.url}storage/v1/${path}`, init);
  }

  async #headersOf(call: HttpCall): Promise<Headers> {
    const headers = new Headers(await this.#headersForRelay());
    for (const [name, value] of Object.entries({ ...this.#authorization, ...call.headers })) {
      headers.delete(name);
      for (const line of [value].flat()) headers.append(name, line);
    }
    return headers;
  }

  /** What goes wrong here is the caller's, who gets it as it is, and is not quoted. */
  async #headersForRelay(): Promise<RequestHeaders> {
    let headers: RequestHeaders;
    try {
      headers = await this.#headers();
    } catch (cause) {
      throw new CallFailedError('`headers` has thrown: nothing was sent', 'unconnected', { cause });
    }
    try {
      checkHeaders(headers);
    } catch (cause) {
      const problem = '`headers` gave what cannot be sent';
      throw new CallFailedError(problem, 'unconnected', { cause });
    }
    return headers;
  }
}

type Send = () => Promise<Response>;
type Prepare = (signal: AbortSignal, body: Blob | null) => Promise<Send>;

/** One call, made once. */
class Exchange {
  readonly #call: HttpCall;
  readonly #silenceMs: number;
  /** Aborted by the caller's signal, too; its reason is what the call rejects with. */
  readonly #follower: Follower;
  /** `fetch` does not tell how far a request has come. */
  #progress: Progress = 'unconnected';
  #silence: Timer;
  #slowness: Timer;

  constructor(call: HttpCall, silenceMs: number) {
    this.#call = call;
    this.#silenceMs = silenceMs;
    this.#follower = followerOf(call.signal);
  }

  /** @throws CallFailedError, what the body rejects with, or the reason of the call's signal */
  async run(prepare: Prepare): Promise<HttpAnswer> {
    const { controller, letGo } = this.#follower;
    const { signal } = controller;
    try {
      const { body } = this.#call;
      const blob = body === undefined ? null : await unlessAborted(blobOf(body), signal);
      return await this.#converse(prepare, blob);
    } finally {
      this.#expectNothing();
      letGo();
      // Hangs up where an answer is not read to its end.
      controller.abort();
    }
  }

  /** Gives the call up; it fails. */
  close(): void {
    this.#fail(new ConnectionClosedError(this.#progress));
  }

  async #converse(prepare: Prepare, body: Blob | null): Promise<HttpAnswer> {
    const { signal } = this.#follower.controller;
    try {
      const send = await unlessAborted(prepare(signal, body), signal);
      this.#progress = 'delivered';
      this.#expectProgress(1 + Math.ceil((body?.size ?? 0) / CHUNK));
      const response = await unlessAborted(send(), signal);
      return await this.#receive(response);
    } catch (problem) {
      if (signal.aborted) throw signal.reason;
      throw problem instanceof CallFailedError ? problem : this.#failure(problemOf(problem));
    }
  }

  async #receive({ status, ok, headers: given, body: stream }: Response): Promise<HttpAnswer> {
    const { answerMax, into } = this.#call;
    const limit = ok ? answerMax : ERROR_BODY_MAX;
    const headers = {
      'content-type': given.get('content-type') ?? undefined,
      'content-range': given.get('content-range') ?? undefined,
    };
    const body = new GrowingBytes(into ?? new Uint8Array(Math.min(limit, announced(headers))));
    const reader = stream?.getReader();
    let expected = CHUNK;
    this.#expectChunk();
    while (reader !== undefined) {
      this.#expectProgress();
      const { done, value } = await unlessAborted(reader.read(), this.#follower.controller.signal);
      if (done) break;
      if (body.length + value.length > limit) {
        if (ok) throw this.#failure(`it sent over ${limit} bytes`);
        break;
      }
      body.add(value);
      if (body.length < expected) continue;
      expected = body.length + CHUNK;
      this.#expectChunk();
    }
    return { status, headers, body: body.whole() };
  }

  #expectProgress(times = 1): void {
    clearTimeout(this.#silence);
    const allowedMs = Math.min(times * this.#silenceMs, timerMax);
    this.#silence = setTimeout(() => {
      this.#fail(this.#failure(`it was silent for ${allowedMs} ms`));
    }, allowedMs);
  }

  #expectChunk(): void {
    clearTimeout(this.#slowness);
    const allowedMs = Math.min(2 * this.#silenceMs, timerMax);
    this.#slowness = setTimeout(() => {
      const problem = `it sent less than ${CHUNK} bytes of its answer in ${allowedMs} ms`;
      this.#fail(this.#failure(problem));
    }, allowedMs);
  }

  #expectNothing(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#slowness);
  }

  #fail(reason: CallFailedError): void {
    this.#follower.controller.abort(reason);
  }

  #failure(problem: string): CallFailedError {
    return new CallFailedError(problem, this.#progress);
  }
}

/** Whole before it is sent: no browser streams a request over HTTP/1.1. */
async function blobOf(body: HttpBody): Promise<Blob> {
  const pieces: Blob[] = [];
  // At once: what made a piece may put the next one where it is.
  for await (const piece of body.pieces()) pieces.push(new Blob([piece as BlobPart]));
  return new Blob(pieces);
}

/** A system's own word for it, on Node; browsers give none, so that no page learns of networks. */
function problemOf(problem: unknown): string {
  const { cause } = Object(problem) as { cause?: { code?: unknown } };
  const code = typeof cause?.code === 'string' && /^[A-Z_]+$/.test(cause.code);
  return `no answer that can be read here (${code ? cause.code : 'fetch failed'})`;
}

/** @throws BadArgumentError; it is not quoted */
function placeOf(given: string | URL): string {
  let url: URL;
  if (typeof given !== 'string' && !(given instanceof URL)) refuse('url', given, 'an address');
  try {
    url = new URL(given, globalThis.location?.href);
  } catch {
    throw new BadArgumentError('url', 'must be the address of a relay');
  }
  const { protocol, hostname, username, password, href } = url;
  const isHere = /^(.+\.)?localhost$|^127(\.\d+){3}$|^\[::1\]$/.test(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && isHere)) {
    throw new BadArgumentError('url', 'must begin with https:, since secrets are sent there');
  }
  // Elsewhere in an address these two are escaped; an empty query would swallow the path.
  if (`${username}${password}` !== '' || /[?#]/.test(href)) {
    throw new BadArgumentError('url', 'must hold no credentials, query or fragment');
  }
  return href.endsWith('/') ? href : `${href}/`;
}

/** @throws BadArgumentError; it is not quoted */
function authorizationOf(swissnum: string | undefined): RequestHeaders {
  if (swissnum === undefined) return {};
  if (typeof swissnum !== 'string' || !/^[\x21-\x7e]+$/.test(swissnum)) {
    throw new BadArgumentError('swissnum', 'must be what a NURL has behind its last slash');
  }
  return { Authorization: `Tahoe-LAFS ${btoa(swissnum)}` };
}

/** @throws BadArgumentError; only names that a header can have are quoted */
function checkHeaders(headers: unknown): void {
  // A Promise or a Map has no names, and would be sent as nothing.
  if (kindOf(headers) !== 'an Object') refuse('headers', headers, 'headers by their names');
  for (const [name, value] of Object.entries(headers as object)) {
    if (!isHeader(name, '')) {
      throw new BadArgumentError('headers', 'one has a name that no header can have');
    }
    if (typeof value !== 'string') refuse(`headers.${name}`, value, 'a string');
    if (!isHeader(name, value)) {
      throw new BadArgumentError(`headers.${name}`, 'is a string that no header can hold');
    }
  }
}

function isHeader(name: string, value: string): boolean {
  try {
    new Headers([[name, value]]);
    return true;
  } catch {
    return false;
  }
}
