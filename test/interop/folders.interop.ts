/**
 * The folders of real Tahoe servers, used directly: `directory:` in the servers.yaml that Tahoe
 * knows, the command line on it, and Tahoe's servers on the same folders again.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseCap, storageIndexOf } from '../../src/caps.ts';
import { gridStatus, openGrid } from '../../src/node.ts';
import { DATA_OFFSET, parseHeader } from '../../src/storage/container.ts';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { runCli } from '../support/cli.ts';
import { bytesOf, expectBytes } from '../support/client-grid.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

let real: RealGrid;
let gateway: Gateway;
beforeAll(async () => {
  real = await startRealGrid();
  gateway = await real.gateway();
});
afterAll(() => real.close());

/** The real `servers.yaml`, in which some servers are their folders. */
async function withFolders(name: string, positions: readonly number[]): Promise<string> {
  const { storage } = parse(await readFile(real.serversYaml, 'utf8'));
  for (const position of positions) {
    const { id, folder } = real.servers[position]!;
    delete storage[id].ann['anonymous-storage-NURLs'];
    storage[id].ann.directory = join(folder, 'storage');
  }
  const grid = join(real.folder, name);
  await mkdir(grid);
  await writeFile(join(grid, 'servers.yaml'), JSON.stringify({ storage }));
  return grid;
}

/** Of every share on disk. */
async function writeEnablers(cap: string): Promise<Record<number, Uint8Array>> {
  const index = storageIndexOf(parseCap(cap));
  const found: Record<number, Uint8Array> = {};
  for (const position of real.servers.keys()) {
    for (const shnum of await real.sharesOf(position, index)) {
      const file = await real.readContainer(position, index, shnum);
      found[shnum] = parseHeader(file.subarray(0, DATA_OFFSET), file.length, 'it').writeEnabler;
    }
  }
  return found;
}

test.each(['sdmf', 'mdmf'] as const)(
  'the command line reads, maps, overwrites and updates a %s grid that Tahoe has written, and Tahoe goes on',
  async (format) => {
    const first = bytesOf(200_000, 1);
    const second = bytesOf(250_000, 2);
    const cap = await gateway.put(format, first);
    const enablers = await writeEnablers(cap);
    const all = [...real.servers.keys()];
    await real.stopServer(...all);
    const grid = await withFolders(`folders-${format}`, all);
    const run = async (args: readonly string[], stdin: Uint8Array = Buffer.from(cap)) => {
      const ended = await runCli(['--grid', grid, ...args], { stdin });
      expect([args, ended.exit, ended.stderr]).toEqual([args, 0, '']);
      return ended.stdout;
    };
    expectBytes(await run(['get', '-']), first);
    const map = JSON.parse((await run(['--json', 'servermap', '-'])).toString());
    expect(map.versions).toMatchObject([{ format, seqnum: 1, shares: [...Array(10).keys()] }]);
    const held = join(grid, 'cap');
    await writeFile(held, cap);
    await run(['put', `@${held}`, '-'], second);
    const updated = await run(['update', `@${held}`, '-', '--offset', '150000'], bytesOf(10, 3));
    expect(updated.toString().replace(/\([0-9a-f]{8}\)/, '(…)')).toBe(
      `version 3, built on version 2 (…): 10 shares on 10 servers${format === 'mdmf' ? ', changed in place' : ''}\n`,
    );
    second.set(bytesOf(10, 3), 150_000);
    expectBytes(await run(['get', `@${held}`]), second);
    expect(await writeEnablers(cap)).toEqual(enablers);

    await real.startServer(...all);
    expectBytes(await gateway.get(cap), second);
    expect(await gateway.check(cap, { verify: true })).toMatchObject({
      results: { healthy: true, 'count-shares-good': 10, 'count-corrupt-shares': 0 },
    });
    await gateway.overwrite(cap, first);
    expectBytes(await gateway.get(cap), first);
  },
);

test('a servers.yaml of a real node is changed as the README says, and Tahoe goes on with it', async () => {
  const description = parse(await readFile(real.serversYaml, 'utf8'));
  // In turn beside `ann` and in it; the addresses stay.
  for (const [position, { id, folder }] of real.servers.entries()) {
    const directory = join(folder, 'storage');
    Object.assign(position % 2 === 0 ? description.storage[id] : description.storage[id].ann, {
      directory,
    });
  }
  const changed = join(real.folder, 'with-directories.yaml');
  await writeFile(changed, stringify(description));
  const second = await real.gateway(undefined, changed);
  const cap = await second.put('mdmf', bytesOf(150_000, 1));
  const all = [...real.servers.keys()];
  await real.stopServer(...all);
  const grid = await openGrid(second.folder, { inspect });
  expect(grid.servers.map((server) => server instanceof DirectoryServer)).toEqual(
    all.map(() => true),
  );
  const file = grid.open(cap);
  expectBytes(await file.read(), bytesOf(150_000, 1));
  expect(await file.append(bytesOf(10, 2))).toMatchObject({ seqnum: 2, missing: [] });
  // The node's folder instead of its storage folder, and the folder of the shares themselves.
  for (const wrong of ['.', 'storage/shares']) {
    const { id, folder } = real.servers[0]!;
    const entry = { ...description.storage[id], directory: join(folder, wrong) };
    const storage = { ...description.storage, [id]: entry };
    await writeFile(join(second.folder, 'private/servers.yaml'), stringify({ storage }));
    const { servers } = await gridStatus(second.folder);
    expect(servers.filter(({ reachable }) => !reachable)).toMatchObject([
      { id, problem: expect.stringMatching(/^directory: (holds tahoe\.cfg|is called shares): /) },
    ]);
  }
  await real.startServer(...all);
  const expected = new Uint8Array(150_010);
  expected.set(bytesOf(150_000, 1));
  expected.set(bytesOf(10, 2), 150_000);
  expectBytes(await second.get(cap), expected);
  expect(await second.check(cap, { verify: true })).toMatchObject({
    results: { healthy: true, 'count-shares-good': 10, 'count-corrupt-shares': 0 },
  });
});

test('some servers by their folders, the others across the network', async () => {
  const down = [0, 2, 4, 6, 8, 10];
  await real.stopServer(...down);
  const grid = await openGrid(await withFolders('mixed', down), { inspect });
  expect(grid.servers.filter((server) => server instanceof DirectoryServer)).toHaveLength(6);
  const file = await grid.create({ format: 'mdmf', contents: bytesOf(300_000, 1) });
  const change = bytesOf(1000, 2);
  expect(await file.update(change, 140_000)).toMatchObject({ inPlace: true, missing: [] });
  grid.close();
  await real.startServer(...down);
  const expected = bytesOf(300_000, 1);
  expected.set(change, 140_000);
  expectBytes(await gateway.get(file.writeCap), expected);
  expect(await gateway.check(file.writeCap, { verify: true })).toMatchObject({
    results: { healthy: true, 'count-shares-good': 10 },
  });
});
