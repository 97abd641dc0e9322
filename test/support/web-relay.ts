/**
 * @module web-relay: the relay of `examples/`, on loopback in front of a storage server of the tests.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createRelay } from '../../examples/relay/relay.mjs';
import type { FetchServerOptions } from '../../src/storage/fetch.ts';
import { FetchServer } from '../../src/storage/fetch.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { HttpStorage } from './http-storage.ts';

export const TOKEN = 'of-the-relay-alone';

export interface WebRelay {
  /** What the relay speaks to. */
  readonly storage: HttpStorage;
  /** Of the one server, behind the relay. */
  readonly url: string;
  server(options?: Partial<FetchServerOptions>): FetchServer;
  stop(): Promise<void>;
}

/** @param origin that of the pages that may ask it */
export async function startWebRelay(
  backing: StorageServer,
  origin = 'https://a.page',
): Promise<WebRelay> {
  const storage = await HttpStorage.start(backing);
  const relay = createRelay({ one: parseNurl(storage.nurl) }, { origin, token: TOKEN });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}/one`;
  const { id, tubId, permutationSeed } = backing;
  const headers = { Authorization: `Bearer ${TOKEN}` };
  return {
    storage,
    url,
    server: (options) => new FetchServer({ id, tubId, permutationSeed, url, headers, ...options }),
    stop: async () => {
      relay.close();
      relay.closeAllConnections();
      await storage.stop();
    },
  };
}
