import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { utf8 } from '../../src/bytes.ts';
import { gridStatus } from '../../src/node.ts';
import { type RealGrid, startRealGrid } from './real-grid.ts';

let grid: RealGrid;
beforeAll(async () => {
  grid = await startRealGrid();
});
afterAll(() => grid.close());

test('the real grid has thirteen servers and stores mutable files of both formats', async () => {
  expect(grid.servers.length).toEqual(13);
  const gateway = await grid.gateway();
  for (const format of ['sdmf', 'mdmf'] as const) {
    const cap = await gateway.put(format, utf8('first'));
    expect(await gateway.get(cap)).toEqual(Buffer.from('first'));
    await gateway.overwrite(cap, utf8('second'));
    expect(await gateway.get(cap)).toEqual(Buffer.from('second'));
    const report = await gateway.check(cap, { verify: true });
    expect(report.results['count-shares-good']).toEqual(10);
  }
});

test('a gateway updates an MDMF file in place', async () => {
  const gateway = await grid.gateway();
  const cap = await gateway.put('mdmf', new Uint8Array(300_000).fill(0x61));
  await gateway.updateAt(cap, 200_000, utf8('changed'));
  const expected = Buffer.alloc(300_000, 0x61);
  expected.write('changed', 200_000);
  expect(Buffer.compare(await gateway.get(cap), expected)).toEqual(0);
});

test.each([
  { needed: 1, happy: 1, total: 1 },
  { needed: 2, happy: 2, total: 3 },
  { needed: 7, happy: 7, total: 10 },
])('a gateway encodes $needed of $total', async (encoding) => {
  const gateway = await grid.gateway(encoding);
  const cap = await gateway.put('sdmf', utf8('hello'));
  const report = await gateway.check(cap, { verify: true });
  expect(report.results['count-shares-good']).toEqual(encoding.total);
});

test('a node that knows its servers from an introducer opens its grid', async () => {
  const { folder } = await grid.gateway();
  const { storage } = JSON.parse(await readFile(grid.serversYaml, 'utf8'));
  const node = join(grid.folder, 'introduced');
  await mkdir(join(node, 'private'), { recursive: true });
  const announced = Object.entries<{ ann: object }>(storage).map(([id, { ann }]) => ({
    ann: { ...ann, 'service-name': 'storage' },
    key_s: id,
  }));
  const cache = join(node, 'private/introducer_default_cache.yaml');
  await writeFile(cache, stringify(announced));
  const { path, servers, ...summary } = await gridStatus(node);
  expect({ path, ...summary }).toEqual({
    ...{
      path: node,
      reachable: 13,
      writable: 13,
      gridSize: 13,
      losableServers: 0,
      quorum: 7,
      isMajority: true,
    },
    ...{ notices: [], problem: null },
  });
  const known = (await gridStatus(folder)).servers;
  expect(servers.map(({ id, places }) => [id, places])).toEqual(
    known.map(({ id, places }) => [id, places]),
  );
  for (const { version, availableSpace, problem } of servers) {
    expect(version).toMatch(/^tahoe-lafs\/1\.20\.0/);
    expect(availableSpace).toBeGreaterThan(0);
    expect(problem).toBeNull();
  }
});

test('a stopped server is gone for gateways until it is started again', async () => {
  const gateway = await grid.gateway();
  const cap = await gateway.put('sdmf', utf8('hello'));
  const holders = async () => Object.values((await gateway.check(cap)).results.sharemap).flat();
  const [holder] = await holders();
  const position = grid.servers.findIndex((server) => server.id === holder);
  // A gateway polls its servers, and on a busy machine may take any of them for gone for a moment:
  // one that it took for gone while it wrote may hold a second copy of a share.
  await grid.stopServer(position);
  await expect.poll(holders, { timeout: 30_000 }).not.toContain(holder);
  await grid.startServer(position);
  await expect.poll(holders, { timeout: 30_000 }).toContain(holder);
});
