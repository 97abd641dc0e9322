import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { formatImmutableCap, litCapOf } from '../../src/immutable/caps.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { runHere } from '../support/cli.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';

let scratch: string;
let grid: string;
/** Where its verify cap is. */
let cap: string;
let directory: string;
const literal = formatImmutableCap(litCapOf(bytesOf(5)));

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-lease-'));
  grid = join(scratch, 'grid');
  await createGridFolder(grid, { servers: 3, encoding: { required: 1, happy: 2, total: 2 } });
  const opened = await openGrid(grid);
  const file = await opened.create({ contents: bytesOf(10), key: testKey });
  cap = `@${join(scratch, 'cap')}`;
  await writeFile(cap.slice(1), file.verifyCap);
  const folder = await opened.createDirectory({
    children: [{ name: 'a file', child: file.readCap }],
  });
  directory = `@${join(scratch, 'directory')}`;
  await writeFile(directory.slice(1), `${folder.readCap}/a file`);
});
afterAll(() => rm(scratch, { recursive: true }));

async function run(args: readonly string[], stdin?: string) {
  const { stdout, ...rest } = await runHere([...args, '--grid', grid], stdin);
  return { stdout: stdout.toString(), ...rest };
}

test('lease renew keeps files of every kind, each on a line of its own', async () => {
  expect(await run(['lease', 'renew', cap, '-', directory, literal], 'URI:LIT:ae')).toEqual({
    stdout:
      `${cap}: leases on 2 servers renewed\n-: is on no server: it is in its cap\n` +
      `${directory}: leases on 2 servers renewed\nURI:…: is on no server: it is in its cap\n`,
    ...{ stderr: '', exit: 0 },
  });
});

test('one that is wrong does not end the others, and the exit code tells', async () => {
  const missing = `@${join(scratch, 'missing')}`;
  const other = await writeOther();
  const { stdout, exit } = await run(['lease', 'renew', 'nonsense', missing, other, cap]);
  expect([stdout.split('\n'), exit]).toEqual([
    [
      expect.stringMatching(/^nonsense: malformed cap: /),
      `${missing}: ${missing.slice(1)}: cannot be read: no such file or directory`,
      `${other}: leases on 0 servers renewed`,
      `${cap}: leases on 2 servers renewed`,
      '',
    ],
    2,
  ]);
  expect((await run(['lease', 'renew', other, cap])).exit).toBe(3);
  const json = JSON.parse((await run(['lease', 'renew', cap, 'nonsense', '--json'])).stdout);
  expect(json).toEqual({
    schema: 1,
    files: [
      { cap, renewed: expect.any(Array), absent: [expect.any(String)], failures: [] },
      { cap: 'nonsense', error: expect.objectContaining({ code: 'MalformedCapError' }) },
    ],
  });
  expect((await run(['lease', 'renew', '-', '-'])).stderr).toBe(
    'tahoe-mutable: two caps cannot both be "-"\n',
  );
});

/** A cap of a file that is nowhere. */
async function writeOther(): Promise<string> {
  const path = join(scratch, 'other');
  const key = 'a'.repeat(26);
  await writeFile(path, `URI:CHK:${key}:${'a'.repeat(52)}:1:2:100`);
  return `@${path}`;
}

test('check --add-lease says so, also of a server that is away', async () => {
  const healthy = await run(['check', cap, '--add-lease']);
  expect(healthy).toMatchObject({ stderr: '', exit: 0 });
  expect(healthy.stdout).toMatch(/\nhealthy\nleases on 2 servers renewed\n$/);
  const { leases } = JSON.parse((await run(['check', cap, '--add-lease', '--json'])).stdout);
  expect(leases).toEqual({
    ...{ renewed: expect.any(Array), absent: [expect.any(String)], failures: [] },
  });
  expect(JSON.parse((await run(['check', cap, '--json'])).stdout)).not.toHaveProperty('leases');
  // The one without a share.
  const names = (await readdir(grid)).filter((name) => /^s\d/.test(name)).sort();
  const { servers } = await openGrid(grid);
  const away = names[servers.findIndex(({ id }) => id === leases.absent[0])] as string;
  await rename(join(grid, away), join(scratch, 'away'));
  const partly = await run(['check', cap, '--add-lease']);
  expect(partly.stdout).toMatch(
    /\nhealthy\nleases on 2 servers renewed; s0\d \[\w{8}\]: ENOENT.*\n$/,
  );
  expect(partly.exit).toBe(3);
  for (const name of names.filter((one) => one !== away)) {
    await rename(join(grid, name), join(scratch, `${name} away`));
  }
  expect((await run(['lease', 'renew', cap])).exit).toBe(1);
});
