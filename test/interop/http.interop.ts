import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toBase32 } from '../../src/bytes.ts';
import type { GridEntry } from '../../src/description/announcement.ts';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { tcpNurls } from '../../src/storage/nurl.ts';
import { httpFaults } from '../support/http-faults.ts';
import { immutableContainer, immutableSharesContract } from '../support/immutable-contract.ts';
import { storageServerContract } from '../support/storage-contract.ts';
import { startRealGrid } from './real-grid.ts';

function serverOf({ nurls, ...entry }: GridEntry): HttpServer {
  return new HttpServer({ ...entry, nurls: tcpNurls(nurls) });
}

storageServerContract('http (Tahoe-LAFS 1.20)', async () => {
  const grid = await startRealGrid(1);
  const { entries } = await loadGridFile(grid.serversYaml);
  const server = serverOf(entries[0]!);
  return {
    server,
    cleanup: async () => {
      server.close();
      await grid.close();
    },
  };
});

immutableSharesContract('http (Tahoe-LAFS 1.20)', async () => {
  const grid = await startRealGrid(1);
  const { entries } = await loadGridFile(grid.serversYaml);
  const server = serverOf(entries[0]!);
  return {
    server,
    place: async (storageIndex, shnum, data) => {
      const name = toBase32(storageIndex);
      const { folder } = grid.servers[0]!;
      const bucket = join(folder, 'storage', 'shares', name.slice(0, 2), name);
      await mkdir(bucket, { recursive: true });
      await writeFile(join(bucket, `${shnum}`), immutableContainer(data));
    },
    cleanup: async () => {
      server.close();
      await grid.close();
    },
  };
});

httpFaults('Tahoe-LAFS 1.20', async () => {
  const grid = await startRealGrid(1);
  const { 'anonymous-storage-NURLs': nurls, port } = grid.servers[0]!;
  return {
    nurl: nurls[0]!,
    port,
    stop: () => grid.stopServer(0),
    start: () => grid.startServer(0),
    fillDisk: (full) => grid.fillDisk(0, full),
    close: () => grid.close(),
  };
});

test('every server of a real servers.yaml says what it is', async () => {
  const grid = await startRealGrid(13);
  const servers = (await loadGridFile(grid.serversYaml)).entries.map(serverOf);
  const versions = await Promise.all(servers.map((server) => server.version()));
  expect(versions).toEqual(
    Array(13).fill({
      application: expect.stringContaining('tahoe-lafs/1.20.0'),
      maximumMutableShareSize: 69_105_000_000_000_000n,
      availableSpace: expect.any(BigInt),
    }),
  );
  for (const server of servers) server.close();
  await grid.close();
});
