/**
 * Tahoe's command line and this one copy the same trees, by the same aliases of one node's folder.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHere } from '../support/cli.ts';
import { root } from '../support/root.ts';
import { checkedBy } from './check-lines.ts';
import { type Gateway, type RealGrid, startRealGrid, type WalkLine } from './real-grid.ts';

let real: RealGrid;
let theirs: Gateway;
beforeAll(async () => {
  real = await startRealGrid();
  theirs = await real.gateway();
});
afterAll(() => real.close());

/** Runs Tahoe's own `tahoe` on the node. */
const tahoe = async (...args: readonly string[]) => {
  const python = join(root, '.venv/tahoe/bin/python');
  const program = ['-m', 'allmydata', '--node-directory', theirs.folder];
  return (await promisify(execFile)(python, [...program, ...args])).stdout;
};

async function ours(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, exit } = await runHere([...args, '--grid', theirs.folder]);
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  return stdout.toString();
}

/** Contents by path, of all files below a folder. */
async function filesBelow(folder: string): Promise<Record<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Object.fromEntries(
    await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [path.slice(folder.length + 1), await readFile(path)] as const;
      }),
    ),
  );
}

/** 200 files of all kinds that Tahoe makes of local ones, in nested directories. */
async function makeTree(folder: string): Promise<void> {
  const sizes = [0, 1, 55, 56, 1000, 140_000];
  for (let i = 0; i < 200; i++) {
    const below = join(folder, ['.', 'a', 'a/é b', 'a/é b/c'][i % 4]!);
    await mkdir(below, { recursive: true });
    await writeFile(join(below, `file-${i}`), Buffer.alloc(sizes[i % sizes.length]!, i));
  }
}

test('a tree of 200 files that Tahoe has copied to the grid is read whole', async () => {
  const folder = join(real.folder, 'tree');
  await makeTree(folder);
  await tahoe('create-alias', 'theirs');
  await tahoe('cp', '--recursive', folder, 'theirs:');
  await tahoe('put', '--mutable', '--format=SDMF', join(folder, 'file-0'), 'theirs:tree/sdmf');
  expect(await ours('cp', '-r', 'theirs:', join(real.folder, 'back'))).toMatch(/^201 files, /);
  const back = await filesBelow(join(real.folder, 'back/tree'));
  expect(back).toEqual({ ...(await filesBelow(folder)), sdmf: Buffer.alloc(0) });
}, 300_000);

test('a deep check of that tree, block by block, says what that of Tahoe says', async () => {
  const printed = await ours('--json', 'deep-check', '--verify', 'theirs:');
  const lines: WalkLine[] = printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const aliases = await readFile(join(theirs.folder, 'private/aliases'), 'utf8');
  const [, cap = ''] = /^theirs: (\S+)$/m.exec(aliases) ?? [];
  const query = { t: 'stream-deep-check', verify: 'true' };
  expect(checkedBy(lines)).toEqual(checkedBy(await theirs.walk(cap, query)));
  expect(lines.length).toBe(201 + 5 + 1);
}, 300_000);

test('a tree that was copied here is read whole by Tahoe, by an alias that was made here', async () => {
  const folder = join(real.folder, 'small');
  await mkdir(join(folder, 'a/b'), { recursive: true });
  for (const [path, size] of [
    ['x', 0],
    ['a/y', 60],
    ['a/b/ä', 300_000],
  ] as const) {
    await writeFile(join(folder, path), Buffer.alloc(size, path));
  }
  await ours('create-alias', 'ours');
  expect(await ours('cp', '-r', folder, 'ours:deep/er')).toMatch(/^3 files, 300060 bytes; 5 new/);
  await tahoe('cp', '--recursive', 'ours:deep/er', join(real.folder, 'theirs'));
  const copied = await filesBelow(join(real.folder, 'theirs/er/small'));
  expect(copied).toEqual(await filesBelow(folder));

  // What each copies to a mutable file that is there goes into that file.
  const before = await ours('cap', 'ours:deep/er/small/x');
  await tahoe('cp', join(folder, 'a/y'), 'ours:deep/er/small/x');
  expect(await ours('get', 'ours:deep/er/small/x')).toBe(
    (await readFile(join(folder, 'a/y'))).toString(),
  );
  expect(await ours('cap', 'ours:deep/er/small/x')).toBe(before);
});
