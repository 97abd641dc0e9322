/**
 * @module far-grid: the same real servers, a long way off: behind relays that delay and can hang.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RealGrid, RealServer } from '../../test/interop/real-grid.ts';
import { elsewhere, moved } from './moved.ts';
import type { RelayOrder } from './relay-process.ts';

export class FarGrid {
  /** The description of the grid for those who come this way. */
  readonly serversYaml: string;
  /** As they are reached this way. */
  readonly servers: readonly RealServer[];
  readonly #relays: ChildProcess;

  private constructor(serversYaml: string, servers: readonly RealServer[], relays: ChildProcess) {
    this.serversYaml = serversYaml;
    this.servers = servers;
    this.#relays = relays;
  }

  static async of(real: RealGrid): Promise<FarGrid> {
    const script = fileURLToPath(new URL('relay-process.js', import.meta.url));
    const ports = real.servers.map(({ port }) => port);
    const relays = fork(script, ports.map(String));
    const [stands] = (await once(relays, 'message')) as [readonly number[]];
    const portOf = (port: number) => stands[ports.indexOf(port)] as number;
    const servers = JSON.parse(elsewhere(JSON.stringify(real.servers), portOf));
    return new FarGrid(await moved(real, 'far.yaml', portOf), servers, relays);
  }

  /** @param roundTripMs there and back @param hanging positions of servers */
  async set(roundTripMs: number, hanging: readonly number[] = []): Promise<void> {
    const order: RelayOrder = { delayMs: roundTripMs / 2, hanging };
    this.#relays.send(order);
    await once(this.#relays, 'message');
  }

  async close(): Promise<void> {
    const ended = once(this.#relays, 'exit');
    this.#relays.disconnect();
    await ended;
  }
}
