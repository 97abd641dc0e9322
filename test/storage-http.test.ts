import { utf8 } from '../src/bytes.ts';
import { HttpServer } from '../src/storage/http.ts';
import { MemoryServer } from '../src/storage/memory.ts';
import { parseNurl } from '../src/storage/nurl.ts';
import { httpFaults } from './support/http-faults.ts';
import { HttpStorage, type Misbehaviour } from './support/http-storage.ts';
import { storageServerContract } from './support/storage-contract.ts';

storageServerContract('http', async () => {
  const storage = await HttpStorage.start(new MemoryServer({ id: 'h0' }));
  const server = new HttpServer({
    id: 'h0',
    tubId: new Uint8Array(20),
    permutationSeed: utf8('h0'),
    nurls: [parseNurl(storage.nurl)],
  });
  return {
    server,
    cleanup: async () => {
      server.close();
      await storage.stop();
    },
  };
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  httpFaults(`a server of ours with ${maxVersion}`, async () => {
    const backing = new MemoryServer({ id: 'v0-faulty' });
    const storage = await HttpStorage.start(backing, { maxVersion });
    return {
      nurl: storage.nurl,
      port: storage.port,
      stop: () => storage.stop(),
      start: () => storage.restart(),
      fillDisk: async (full) => {
        storage.misbehaviour = full ? fullDisk : undefined;
      },
      close: () => storage.stop(),
    };
  });
}

const fullDisk: Misbehaviour = (request, response, answer) =>
  request.url?.endsWith('/read-test-write') ? response.writeHead(500).end('no space') : answer();
