/** Checks of immutable files on the command line: of CHK and its verify caps, and of literals. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toBase32 } from '../../src/bytes.ts';
import {
  formatImmutableCap,
  immutableStorageIndexOf,
  toImmutableVerifyCap,
} from '../../src/immutable/caps.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { chkContents, encodeChk } from '../support/chk.ts';
import { runHere } from '../support/cli.ts';
import { immutableContainer } from '../support/immutable-contract.ts';

const { cap, shares } = await encodeChk(chkContents(1000), { required: 2, total: 3 });
const directoryCap = formatImmutableCap({ ...cap, directory: true, key: cap.key });
const chk = formatImmutableCap(cap);
const verifyCap = formatImmutableCap(toImmutableVerifyCap(cap));
const index = toBase32(immutableStorageIndexOf(cap));

let grid: string;
/** The ids and folders of the servers. */
let servers: readonly { readonly id: string; readonly folder: string }[];

beforeAll(async () => {
  grid = await mkdtemp(join(tmpdir(), 'tahoe-mutable-immutable-'));
  await rm(grid, { recursive: true });
  await createGridFolder(grid, { servers: 3, encoding: { required: 2, happy: 2, total: 3 } });
  const { servers: all } = await openGrid(grid);
  servers = all.map(({ id, nickname }) => ({ id, folder: join(grid, nickname) }));
  await Promise.all(shares.map((share, shnum) => place(shnum, share)));
});
afterAll(() => rm(grid, { recursive: true }));

/** Puts share i on server i. */
async function place(shnum: number, share: Uint8Array): Promise<void> {
  const bucket = join(servers[shnum]!.folder, 'shares', index.slice(0, 2), index);
  await mkdir(bucket, { recursive: true });
  await writeFile(join(bucket, `${shnum}`), immutableContainer(share));
}

async function run(...args: readonly string[]) {
  const { stdout, stderr, exit } = await runHere([...args, '--grid', grid]);
  return { out: stdout.toString(), stderr, exit };
}

async function json(...args: readonly string[]) {
  const { out, stderr, exit } = await run(...args, '--json');
  return { ...JSON.parse(out), stderr, exit };
}

test("a file that is whole is healthy, by any cap of it, in Tahoe's words too", async () => {
  for (const text of [chk, verifyCap, directoryCap, `imm.${chk}`, `${verifyCap}:9`]) {
    for (const how of [[], ['--verify']]) {
      const { out, stderr, exit } = await run('check', text, ...how);
      expect([stderr, exit, out]).toEqual([
        ...['', 0],
        'the file: can be read\n  CHK, 2-of-3, 1000 bytes\n  3 of 3 shares: 0-2\nhealthy\n',
      ]);
    }
  }
  const sharemap = Object.fromEntries(servers.map(({ id }, i) => [`${i}`, [id]]));
  const { results, ...rest } = await json('check', verifyCap, '--verify');
  expect(rest).toMatchObject({
    ...{ 'storage-index': index, summary: 'Healthy', healthy: true, verified: true, exit: 0 },
    ...{ bad: [], stale: [] },
  });
  expect(results['servers-responding'].sort()).toEqual(servers.map(({ id }) => id).sort());
  expect(results).toEqual({
    ...{ 'count-happiness': 3, 'count-shares-good': 3, 'count-shares-needed': 2 },
    ...{ 'count-shares-expected': 3, 'count-good-share-hosts': 3, 'count-corrupt-shares': 0 },
    ...{ 'list-corrupt-shares': [], 'servers-responding': expect.anything(), sharemap },
    ...{ 'count-wrong-shares': 0, 'count-recoverable-versions': 1 },
    ...{ 'count-unrecoverable-versions': 0, healthy: true, recoverable: true },
  });
  expect(await json('repair', chk)).toMatchObject({
    ...{ 'storage-index': index, 'repair-attempted': false, 'repair-successful': true, exit: 0 },
    ...{ way: 'nothing', placed: [] },
  });
});

test('a bad share is told of by --verify, with exit code 3, and is not repaired', async () => {
  await place(1, shares[1]!.with(100, 0xff));
  try {
    expect((await run('check', chk)).exit).toBe(0);
    const { out, exit } = await run('check', chk, '--verify');
    expect(exit).toBe(3);
    expect(out).toMatch(
      /^bad: share 1 on s\d+ \[.{8}\]: corrupt share: block hash tree: .*\nthe file: can be read\n/,
    );
    expect(out).toMatch(/\n {2}2 of 3 shares: 0, 2\nnot healthy\n$/);
    const { id } = servers[1]!;
    expect(await json('check', chk, '--verify')).toMatchObject({
      summary: 'Not Healthy: 2 shares (enc 2-of-3)',
      results: { 'list-corrupt-shares': [[id, index, 1]], healthy: false, recoverable: true },
      bad: [{ server: id, shnum: 1 }],
    });
    expect(await run('repair', chk)).toEqual({
      ...{ out: '', exit: 6 },
      stderr: 'tahoe-mutable: this library makes no shares of an immutable file\n',
    });
  } finally {
    await place(1, shares[1]!);
  }
});

test('a server that is away is named; where all are, nothing is known', async () => {
  const away = servers.map(({ folder }) => join(folder, 'shares'));
  await rm(away[0]!, { recursive: true });
  await writeFile(away[0]!, 'no folder');
  const { out, exit } = await run('check', chk);
  expect(exit).toBe(3);
  expect(out).toMatch(/^no answer: s\d+ \[.{8}\]\nthe file: can be read\n/);
  for (const shares of away.slice(1)) {
    await rm(shares, { recursive: true });
    await writeFile(shares, 'no folder');
  }
  expect((await run('check', chk)).exit).toBe(1);
  expect(await json('check', chk, '--verify')).toMatchObject({
    exit: 1,
    results: {
      ...{ 'count-shares-needed': 2, 'count-shares-expected': 3, 'servers-responding': [] },
      ...{ 'count-unrecoverable-versions': 1, recoverable: false },
    },
  });
});

test('a literal is healthy, and no more is said of it', async () => {
  for (const text of ['URI:LIT:nbswy3dp', 'URI:DIR2-LIT:']) {
    expect(await run('check', text, '--verify')).toEqual({ out: 'healthy\n', stderr: '', exit: 0 });
    expect(await json('check', text)).toMatchObject({
      ...{ 'storage-index': '', results: { healthy: true }, healthy: true, exit: 0 },
    });
    expect((await run('repair', text)).out).toBe('nothing was written\nhealthy\n');
  }
});

test('a cap that is none is a mistake of the input, and is not quoted', async () => {
  const { exit, stderr } = await run('check', `${chk.slice(0, 20)}:secret`);
  expect(exit).toBe(2);
  expect(stderr).not.toContain('secret');
});
