/**
 * @module http: a real Tahoe-LAFS storage server, over HTTPS that is pinned to its key. Node only.
 */
import {
  checkIdentity,
  refuse,
  requireCount,
  requireFunction,
  requireMilliseconds,
  requireOptions,
} from '../arguments.ts';
import { OutOfRangeError } from '../errors.ts';
import {
  CallFailedError,
  ConnectionClosedError,
  type HttpAnswer,
  type HttpCall,
} from './http-call.ts';
import { type ConnectionSettings, HttpConnection } from './http-connection.ts';
import { ProtocolServer } from './http-protocol.ts';
import { Nurl } from './nurl.ts';
import type { ServerId } from './server.ts';

export type { ConnectionStatus } from './http-protocol.ts';

/** Where a server is, and what it is called. */
export interface HttpServerOptions extends Partial<ConnectionSettings> {
  /** No two servers of a grid have the same. */
  readonly id: ServerId;
  /** By default the id. */
  readonly nickname?: string | undefined;
  /** 20 bytes, from the FURL. */
  readonly tubId: Uint8Array;
  /** The seed of its place in the order of a slot. */
  readonly permutationSeed: Uint8Array;
  /** The server's addresses, at least one; the first that can be reached is used. */
  readonly nurls: readonly Nurl[];
}

function settingsIn({
  // More do not help against one Python process, and N servers are asked at once.
  socketsMax = 4,
  connectMs = 15_000,
  // As Tahoe's own client.
  silenceMs = 60_000,
  onLatency,
}: HttpServerOptions): ConnectionSettings {
  requireCount('socketsMax', socketsMax);
  if (socketsMax < 1) throw new OutOfRangeError('socketsMax', socketsMax, 'must be at least 1');
  requireMilliseconds('connectMs', connectMs);
  requireMilliseconds('silenceMs', silenceMs);
  if (onLatency !== undefined) requireFunction('onLatency', onLatency);
  return { socketsMax, connectMs, silenceMs, onLatency };
}

/** A `StorageServer` across the network. Keeps connections open; see {@link close}. */
export class HttpServer extends ProtocolServer {
  /** As it was given. */
  readonly id: ServerId;
  readonly nickname: string;
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  readonly #connections: readonly HttpConnection[];
  /** The position of the address that was reached last. */
  #current = 0;

  /** @throws BadArgumentError, OutOfRangeError */
  constructor(options: HttpServerOptions) {
    super();
    requireOptions(options);
    checkIdentity(options);
    const { id, nickname = id, tubId, permutationSeed, nurls } = options;
    if (!Array.isArray(nurls)) refuse('nurls', nurls, 'an array');
    for (const [i, nurl] of nurls.entries()) {
      if (!(nurl instanceof Nurl)) refuse(`nurls[${i}]`, nurl, 'a Nurl, as parseNurl makes them');
    }
    if (nurls.length === 0) throw new OutOfRangeError('number of NURLs', 0, 'must be at least 1');
    this.id = id;
    this.nickname = nickname;
    this.tubId = tubId;
    this.permutationSeed = permutationSeed;
    const settings = settingsIn(options);
    this.#connections = nurls.map((nurl) => new HttpConnection(nurl, settings));
  }

  /** Closes the connections; calls under way, or waiting, fail. The server can be used again. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Tries each address in turn, from the one that worked last. */
  protected override async reach(call: HttpCall): Promise<HttpAnswer> {
    const count = this.#connections.length;
    const first = this.#current;
    for (let tried = 1; ; tried++) {
      const position = (first + tried - 1) % count;
      try {
        const answer = await this.#connections[position]!.call(call);
        this.#current = position;
        return answer;
      } catch (problem) {
        if (!isUnreached(problem) || tried === count) throw problem;
      }
    }
  }
}

/** Whether another address may do better. */
function isUnreached(problem: unknown): boolean {
  if (!(problem instanceof CallFailedError) || problem instanceof ConnectionClosedError) {
    return false;
  }
  return problem.progress === 'unconnected';
}
