/**
 * @module http-connection: calls to one address of a storage server, each with one answer.
 *
 * Bounded in everything a server can influence: sockets, silence, the size of an answer. An
 * idempotent call that met a socket which the server had closed meanwhile is made once more; a
 * call that is not is repeated only when it certainly had not reached the server whole.
 */
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import {
  CallFailedError,
  ConnectionClosedError,
  type HttpAnswer,
  type HttpCall,
} from './http-call.ts';
import { Exchange } from './http-exchange.ts';
import { PinnedAgent } from './http-pin.ts';
import type { Nurl } from './nurl.ts';

/** How a server is connected to. */
export interface ConnectionSettings {
  /** Sockets to this address at any time; further calls wait. */
  readonly socketsMax: number;
  /** For TCP and the TLS handshake together. */
  readonly connectMs: number;
  /**
   * A call fails when nothing moved for so long, or less than 64 KiB of its answer in twice that.
   */
  readonly silenceMs: number;
  /** Told of every answer: the time from the start of the call, without waiting for a socket. */
  readonly onLatency?: ((ms: number) => void) | undefined;
}

/** Calls to one address. */
export class HttpConnection {
  readonly #nurl: Nurl;
  readonly #settings: ConnectionSettings;
  readonly #agent: PinnedAgent;
  readonly #gate: Gate;
  readonly #underWay = new Set<Exchange>();
  #closed = 0;

  constructor(nurl: Nurl, settings: ConnectionSettings) {
    this.#nurl = nurl;
    this.#settings = settings;
    this.#agent = new PinnedAgent(nurl, settings);
    this.#gate = new Gate(settings.socketsMax);
  }

  /**
   * @throws CallFailedError when there is no answer; else what the body's pieces reject with, or
   *   `call.signal.reason`
   */
  async call(call: HttpCall): Promise<HttpAnswer> {
    try {
      return await this.#attempt(call);
    } catch (problem) {
      if (!(problem instanceof CallFailedError) || !mayRepeat(call, problem)) throw problem;
      this.#agent.forgetIdle();
      return await this.#attempt(call);
    }
  }

  /** Ends the calls that are under way and those that wait; later ones connect anew. */
  close(): void {
    this.#closed += 1;
    this.#gate.dismiss(new ConnectionClosedError('unconnected'));
    for (const exchange of this.#underWay) exchange.close();
    this.#agent.destroy();
  }

  async #attempt(call: HttpCall): Promise<HttpAnswer> {
    const closed = this.#closed;
    await this.#enter(call.signal);
    const request = this.#openInside(call, closed);
    // In a microtask Node has put the socket back for the next call to find; in the event not yet.
    request.once('close', () => queueMicrotask(() => this.#gate.leave()));
    const exchange = new Exchange(request, call, this.#settings.silenceMs);
    this.#underWay.add(exchange);
    const start = performance.now();
    try {
      const answer = await exchange.run();
      this.#settings.onLatency?.(performance.now() - start);
      return answer;
    } finally {
      this.#underWay.delete(exchange);
    }
  }

  /**
   * Who is given up in the turn in which there was a place makes no request: Node destroys the
   * idle socket of one that ends before it gets it.
   */
  async #enter(signal: AbortSignal | undefined): Promise<void> {
    await this.#gate.enter(signal);
    await new Promise<void>((resolve) => process.nextTick(resolve));
    if (!signal?.aborted) return;
    this.#gate.leave();
    throw signal.reason;
  }

  /** Opens a request for who has passed the gate, and leaves it again when none can be made. */
  #openInside(call: HttpCall, closed: number): ClientRequest {
    try {
      if (closed !== this.#closed) throw new ConnectionClosedError('unconnected');
      return this.#open(call);
    } catch (problem) {
      this.#gate.leave();
      if (problem instanceof CallFailedError) throw problem;
      // Node's own words may quote a header.
      const { code } = problem as NodeJS.ErrnoException;
      throw new CallFailedError(`no request can be made to this address: ${code}`, 'unconnected');
    }
  }

  #open({ method, path, headers, body }: HttpCall): ClientRequest {
    const { host, port } = this.#nurl;
    const place = { agent: this.#agent, host, port, method, path: `/storage/v1/${path}` };
    const request = httpsRequest(place);
    // Not among the options above: NODE_DEBUG=http prints those.
    const secretAndOther: OutgoingHttpHeaders = {
      ...headers,
      Authorization: this.#nurl.authorization(),
      ...(body ? { 'Content-Length': body.length } : {}),
    };
    for (const [name, value] of Object.entries(secretAndOther)) request.setHeader(name, value!);
    return request;
  }
}

function mayRepeat(call: HttpCall, failure: CallFailedError): boolean {
  return failure.stale && (call.idempotent || failure.progress !== 'delivered');
}

/** Lets so many in at a time, in order of arrival. */
class Gate {
  #free: number;
  readonly #waiting = new Map<() => void, (reason: unknown) => void>();

  constructor(places: number) {
    this.#free = places;
  }

  /** @throws signal.reason when aborted before there was a place */
  async enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(goIn);
        reject(signal?.reason);
      };
      const goIn = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const goAway = (reason: unknown): void => {
        signal?.removeEventListener('abort', giveUp);
        reject(reason);
      };
      this.#waiting.set(goIn, goAway);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  leave(): void {
    const [next] = this.#waiting.keys();
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  /** Sends all those away who wait. */
  dismiss(reason: unknown): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const goAway of waiting) goAway(reason);
  }
}
