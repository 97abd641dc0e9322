import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkBelow, reached } from '../../src/cli/below.ts';
import type { Grid } from '../../src/grid.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { useVectorKeys } from '../support/directories.ts';

let scratch: string;
let grid: Grid;

useVectorKeys();
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-below-'));
  await createGridFolder(scratch, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
  grid = await openGrid(scratch);
});
afterAll(() => rm(scratch, { recursive: true }));

test('a way that another makes meanwhile is gone on, and the last name is still refused', async () => {
  const [root, mine, other] = await Promise.all([1, 2, 3].map(() => grid.createDirectory()));
  const seen = (names: readonly string[]) => reached(grid, { cap: root!.writeCap, names }, {});
  // Two look at once, and nothing of the way is there.
  const [first, second] = [await seen(['p', 'q', 'mine']), await seen(['p', 'q', 'other'])];
  expect(second.missing).toEqual(['p', 'q', 'other']);
  expect(await linkBelow(grid, first, mine!, {})).toBe(3);
  expect(await linkBelow(grid, second, other!, {})).toBe(1);
  const capAt = async (path: string) => (await root!.find(path)).caps.write;
  expect([await capAt('p/q/mine'), await capAt('p/q/other')]).toEqual([
    mine!.writeCap,
    other!.writeCap,
  ]);
  await expect(linkBelow(grid, first, other!, {})).rejects.toMatchObject({
    code: 'ExistingChildError',
    facts: { name: 'mine' },
  });
  await root!.add('file', 'URI:LIT:');
  const beyond = linkBelow(grid, { directory: root!, missing: ['file', 'x'] }, mine!, {});
  await expect(beyond).rejects.toMatchObject({ code: 'NotADirectoryError' });
});
