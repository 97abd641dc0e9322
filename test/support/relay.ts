/**
 * @module relay: a TCP relay in front of a server, for faults on the wire and a look at it.
 *
 * TLS passes through untouched, so a pinned client is content with it. The relay sees bytes only;
 * what it does to them is chosen by {@link Relay.mode} and holds for open connections too.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What the relay does with what it receives. */
export type RelayMode =
  | 'forward'
  /** Accepts connections and passes nothing on, in either direction. */
  | 'hang'
  /** Passes requests on and keeps the answers, but for the first {@link Relay.allowance} bytes. */
  | 'keepAnswers'
  /** Passes on requests, {@link Relay.allowance} bytes of answers, and then a reset. */
  | 'resetAnswers'
  /** Passes requests on, and noise back. */
  | 'garbleAnswers'
  /** Resets a connection that was open before as soon as something is sent on it. */
  | 'resetOldConnections';

export class Relay {
  mode: RelayMode = 'forward';
  allowance = 0;
  readonly port: number;
  /** All bytes that clients have sent, by connection. */
  readonly received: Buffer[][] = [];
  /** The most connections that were open at the same time. */
  openMax = 0;
  readonly #server;
  readonly #open = new Set<Socket>();
  readonly #old = new WeakSet<Socket>();
  readonly #awaitingRequest: (() => void)[] = [];

  private constructor(server: ReturnType<typeof createServer>, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#join(client, target));
  }

  /** A relay to a port of this machine, by default on a free one. */
  static async to(target: number, port = 0): Promise<Relay> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server, target);
  }

  /** The NURL of the server behind, with the relay's port instead of the server's. */
  nurl(nurl: string): string {
    return nurl.replace(/:\d+\//, `:${this.port}/`);
  }

  /** From now on, in mode `resetOldConnections`, the connections of this moment are old. */
  ageConnections(): void {
    for (const client of this.#open) this.#old.add(client);
  }

  /** Resolves when a client sends something. */
  async nextRequest(): Promise<void> {
    await new Promise<void>((resolve) => this.#awaitingRequest.push(resolve));
  }

  async close(): Promise<void> {
    for (const client of this.#open) client.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, target: number): void {
    const upstream = connect(target, '127.0.0.1');
    const received: Buffer[] = [];
    this.received.push(received);
    this.#open.add(client);
    this.openMax = Math.max(this.openMax, this.#open.size);
    client.on('data', (bytes) => {
      received.push(bytes);
      for (const resolve of this.#awaitingRequest.splice(0)) resolve();
      if (this.mode === 'resetOldConnections' && this.#old.has(client)) client.resetAndDestroy();
      else if (this.mode !== 'hang') upstream.write(bytes);
    });
    upstream.on('data', (bytes) => this.#answer(client, bytes));
    client.on('close', () => {
      this.#open.delete(client);
      upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
    // Every way to end is followed by `close`.
    client.on('error', () => {});
    upstream.on('error', () => {});
  }

  #answer(client: Socket, bytes: Buffer): void {
    if (this.mode === 'garbleAnswers') client.write(randomBytes(bytes.length));
    if (this.mode === 'forward' || this.mode === 'resetOldConnections') client.write(bytes);
    if (this.mode === 'keepAnswers' || this.mode === 'resetAnswers') {
      const passed = bytes.subarray(0, this.allowance);
      this.allowance -= passed.length;
      client.write(passed);
      if (this.mode === 'resetAnswers' && passed.length < bytes.length) client.resetAndDestroy();
    }
  }
}
