import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatCap, writeCapOf } from '../../src/caps.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { runHere } from '../support/cli.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';

const entries = bytesOf(1000);

let scratch: string;
let grid: string;
let cap: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-raw-'));
  grid = join(scratch, 'grid');
  await createGridFolder(grid, { servers: 2, encoding: { required: 1, happy: 2, total: 2 } });
  await (await openGrid(grid)).create({ contents: entries, key: testKey });
  cap = `@${join(scratch, 'cap')}`;
  await writeFile(cap.slice(1), formatCap(writeCapOf(testKey, 'mdmf', true)));
});
afterAll(() => rm(scratch, { recursive: true }));

test.each([
  ['put', []],
  ['append', []],
  ['update', ['--offset', '3']],
])('%s on a directory is refused, and says how it would not be', async (command, args) => {
  const line = [command, cap, '-', ...args, '--grid', grid];
  const { stdout, stderr, exit } = await runHere(line, 'x');
  expect({ stdout: stdout.toString(), exit }).toEqual({ stdout: '', exit: 6 });
  expect(stderr).toMatch(/^tahoe-mutable: \w+ needs a file's cap, this is a directory's: /);
  expect((await runHere(['get', cap, '--grid', grid])).stdout).toEqual(Buffer.from(entries));

  expect(await runHere([...line, '--raw'], 'x')).toMatchObject({ stderr: '', exit: 0 });
  expect((await runHere(['get', cap, '--grid', grid])).stdout.includes('x')).toBe(true);
  const back = ['put', cap, '-', '--raw', '--grid', grid];
  expect(await runHere(back, entries)).toMatchObject({ stderr: '', exit: 0 });
});
