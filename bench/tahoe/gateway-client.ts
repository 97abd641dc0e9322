/**
 * @module gateway-client: Tahoe's own client, a web gateway in a process of its own, asked as its users
 * ask it. Its CPU time is all that the process spends, its web server's share included.
 */
import { type Gateway, type RealGrid, startRealGrid } from '../../test/interop/real-grid.ts';
import { type Memory, memoryOf } from '../usage.ts';
import type { Action, Client, Sample } from './client.ts';
import { type Abilities, perform } from './perform.ts';

export class GatewayClient implements Client {
  readonly name = "Tahoe's gateway";
  readonly #home: RealGrid;
  readonly #abilities: Abilities;

  private constructor(home: RealGrid, gateway: Gateway) {
    this.#home = home;
    this.#abilities = {
      create: (format, contents, privateKey) => gateway.put(format, contents, { privateKey }),
      read: (cap) => gateway.get(cap),
      overwrite: (cap, contents) => gateway.overwrite(cap, contents),
      change: (cap, offset, patch) => gateway.updateAt(cap, offset, patch),
      cpuMs: () => home.cpuMs(),
    };
  }

  /** When it is connected to all servers. */
  static async start(serversYaml: string): Promise<GatewayClient> {
    const home = await startRealGrid(0);
    return new GatewayClient(home, await home.gateway(undefined, serversYaml));
  }

  async perform(action: Action): Promise<Sample> {
    return await perform(this.#abilities, action);
  }

  async memory(): Promise<Memory> {
    return memoryOf(this.#home.pid);
  }

  async close(): Promise<void> {
    await this.#home.close();
  }
}
