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
import { followerOf, unlessAborted } from '../abort.ts';
import { BadArgumentError } from '../errors.ts';
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
} from './http-call.ts';
import { ProtocolServer } from './http-protocol.ts';
import type { ServerId } from './server.ts';

type HeaderRecord = Readonly<Record<string, string>>;

export interface FetchServerOptions {
  readonly id: ServerId;
  /** By default the id. */
  readonly nickname?: string;
  /** 20 bytes, as all who write to this server know it: write enablers are made of it. */
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  /**
   * Where the relay has the server: `storage/v1/…` is below it. `https:`, or `http:` to this very
   * machine; in a page it may be relative. It holds no secret: neither credentials nor a query.
   */
  readonly url: string | URL;
  /** Sent in Tahoe's way, where the relay does not hold it itself. Else it never gets here. */
  readonly swissnum?: string;
  /** For the relay, with every call: a token of its own, say. A function is asked every time. */
  readonly headers?: HeaderRecord | (() => HeaderRecord | Promise<HeaderRecord>);
  /** The platform's by default. */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * Milliseconds, 60,000 by default. A call fails when nothing came for so long, or less than 64 KiB
   * of its answer in twice that; sending may take as long again for each 64 KiB.
   */
  readonly silenceMs?: number;
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
  readonly #authorization: HeaderRecord;
  readonly #headers: () => HeaderRecord | Promise<HeaderRecord>;
  readonly #fetch: typeof globalThis.fetch;
  readonly #silenceMs: number;
  readonly #underWay = new Set<Exchange>();

  /** @throws BadArgumentError for a `url` that secrets must not be sent to */
  constructor(options: FetchServerOptions) {
    super();
    const { id, nickname = id, tubId, permutationSeed, swissnum, headers = {} } = options;
    this.id = id;
    this.nickname = nickname;
    this.tubId = tubId;
    this.permutationSeed = permutationSeed;
    this.url = placeOf(options.url);
    this.#authorization =
      swissnum === undefined ? {} : { Authorization: `Tahoe-LAFS ${btoa(swissnum)}` };
    this.#headers = typeof headers === 'function' ? headers : () => headers;
    // Browsers refuse it as a method of anything else.
    this.#fetch = options.fetch ?? ((...args) => globalThis.fetch(...args));
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
  }

  /** Ends the calls that are under way. The server can be used again. */
  close(): void {
    for (const exchange of this.#underWay) exchange.close();
  }

  protected async reach(call: HttpCall): Promise<HttpAnswer> {
    call.signal?.throwIfAborted();
    const exchange = new Exchange(call, this.#silenceMs);
    this.#underWay.add(exchange);
    try {
      return await exchange.run((signal) => this.#send(call, signal));
    } finally {
      this.#underWay.delete(exchange);
    }
  }

  async #send(call: HttpCall, signal: AbortSignal) {
    const { method, path, body } = call;
    const headers = new Headers(await this.#headers());
    for (const [name, value] of Object.entries({ ...this.#authorization, ...call.headers })) {
      headers.delete(name);
      for (const line of [value].flat()) headers.append(name, line);
    }
    const init = { ...PRIVATELY, method, headers, signal };
    const blob = body === undefined ? undefined : await blobOf(body);
    return () => this.#fetch(`${this.url}storage/v1/${path}`, blob ? { ...init, body: blob } : init);
  }
}
