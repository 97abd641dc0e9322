import { afterAll, beforeAll } from 'vitest';
import { fromBase32, utf8 } from '../../src/bytes.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import { storageServerContract } from '../support/storage-contract.ts';
import { type RealGrid, startRealGrid } from './real-grid.ts';

let grid: RealGrid;
beforeAll(async () => {
  grid = await startRealGrid(1);
});
afterAll(() => grid.close());

storageServerContract('http', async () => {
  const s = grid.servers[0]!;
  const tubId = fromBase32(s['anonymous-storage-FURL'].slice(5, 37))!;
  const server = new HttpServer({ id: s.id, nickname: s.nickname, tubId, permutationSeed: utf8('x'), nurls: s['anonymous-storage-NURLs'].map(parseNurl) });
  return { server, cleanup: async () => server.close() };
});
