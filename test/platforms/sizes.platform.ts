/**
 * @module sizes: how much a page loads of the packed package, and when, and how much npm installs;
 * limits.ts has the limits.
 */
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { OutputChunk } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleForBrowser } from './bundled-page.ts';
import { limits } from './limits.ts';
import { installPacked } from './packed.ts';

let place: string;
let grid: OutputChunk[];

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tahoe-mutable-sizes-'));
  await installPacked(place);
  grid = await bundled("export { Grid } from 'tahoe-mutable'");
});

afterAll(() => rm(place, { recursive: true, force: true }));

async function bundled(program: string): Promise<OutputChunk[]> {
  await writeFile(join(place, 'entry.mjs'), program);
  return bundleForBrowser(place, 'entry.mjs');
}

/** In kB after gzip, each file by itself as it is sent. */
function sizeOf(chunks: Iterable<OutputChunk>): number {
  return [...chunks].reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length / 1000, 0);
}

/** A file, and all that it loads at once. */
function closureOf(chunks: readonly OutputChunk[], first: OutputChunk | undefined) {
  const found = new Set<OutputChunk>();
  const visit = (chunk: OutputChunk | undefined): void => {
    if (chunk === undefined || found.has(chunk)) return;
    found.add(chunk);
    for (const name of chunk.imports) visit(chunks.find(({ fileName }) => fileName === name));
  };
  visit(first);
  return found;
}

/** Says it, too: this is where the figures of docs/compatibility.md come from. */
function expectWithin(what: keyof typeof limits, size: number): void {
  console.info(`${what}: ${size.toFixed(1)}, of ${limits[what]}`);
  expect(size).toBeLessThanOrEqual(limits[what]);
}

test('caps alone', async () => {
  expectWithin('caps', sizeOf(await bundled("export { parseCap } from 'tahoe-mutable'")));
});

test('a grid, before its first operation, and that with XState', async () => {
  const size = sizeOf(closureOf(grid, grid[0]));
  expectWithin('grid', size);
  const used = 'assign, createActor, fromCallback, fromPromise, sendTo, setup, toPromise';
  expectWithin(
    'grid with XState',
    size + sizeOf(await bundled(`export { ${used} } from 'xstate'`)),
  );
});

test('the first operation on a mutable file, and all there is', () => {
  const first = closureOf(grid, grid[0]);
  const sizeOfLate = (...names: readonly string[]) => {
    const late = names.flatMap((name) => {
      const chunk = grid.find((one) => one.name === name);
      expect(chunk, name).toBeDefined();
      return [...closureOf(grid, chunk)];
    });
    return sizeOf(without(new Set(late), first));
  };
  expectWithin('first read', sizeOfLate('operations'));
  expectWithin('first write', sizeOfLate('operations', 'write-operations'));
  expectWithin('all', sizeOf(grid));
});

test('what npm installs, with and without what is optional', async () => {
  expectWithin('installed', await megabytesIn(join(place, 'node_modules')));
  const bare = join(place, 'bare');
  await installPacked(bare, '--omit=optional');
  const installed = join(bare, 'node_modules');
  expect(await readdir(installed)).not.toContain('fs-native-extensions');
  expectWithin('installed without optional', await megabytesIn(installed));
}, 60_000);

/** In MB, of all files below `folder`; links are not followed. */
async function megabytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6;
}

function without<T>(all: ReadonlySet<T>, some: ReadonlySet<T>): T[] {
  return [...all].filter((one) => !some.has(one));
}
