/**
 * @module delaying-relay: a TCP relay that holds back what it passes on, in both directions, as a long
 * way would; or passes nothing on, as a server that hangs. TLS goes through untouched.
 *
 * A connection itself is made without delay; its handshake is delayed.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class DelayingRelay {
  /** One way. To be changed when nothing is under way: what came first might overtake otherwise. */
  delayMs = 0;
  /** From now on everything is lost; connections stay open, and new ones are accepted. */
  hangs = false;
  readonly port: number;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#join(client, target));
  }

  /** To a port of this machine, on a free one. */
  static async to(target: number): Promise<DelayingRelay> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new DelayingRelay(server, target);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await once(this.#server, 'close');
  }

  #join(client: Socket, target: number): void {
    const upstream = connect(target, '127.0.0.1');
    this.#pass(client, upstream);
    this.#pass(upstream, client);
  }

  #pass(from: Socket, to: Socket): void {
    from.setNoDelay(true);
    this.#open.add(from);
    from.on('data', (bytes) => this.#later(() => to.write(bytes)));
    from.on('close', () => {
      this.#open.delete(from);
      this.#later(() => to.end());
    });
    // What follows is `close`.
    from.on('error', () => {});
  }

  /** Timers of one delay go off in the order in which they were set. */
  #later(work: () => void): void {
    if (this.hangs) return;
    if (this.delayMs === 0) work();
    else setTimeout(work, this.delayMs);
  }
}
