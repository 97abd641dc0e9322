import { utf8 } from '../src/bytes.ts';
import { HttpServer } from '../src/storage/http.ts';
import { MemoryServer } from '../src/storage/memory.ts';
import { parseNurl } from '../src/storage/nurl.ts';
import { HttpStorage } from './support/http-storage.ts';
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
