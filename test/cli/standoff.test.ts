/** A file that two writers have left in two versions, while the third server is away: in the shell. */
import { cp, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { nameOf, nameText, type VersionName } from '../../src/version-name.ts';
import { runHere } from '../support/cli.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';

let scratch: string;
let grid: string;
let cap: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-standoff-'));
  const [mine, other] = [join(scratch, 'mine'), join(scratch, 'other')];
  await createGridFolder(mine, { servers: 3, encoding: { required: 1, happy: 2, total: 3 } });
  const { writeCap } = await (await openGrid(mine)).create({ key: testKey });
  await cp(mine, other, { recursive: true });
  await (await openGrid(mine)).open(writeCap).overwrite(bytesOf(100));
  await (await openGrid(other)).open(writeCap).overwrite(bytesOf(100, 2));
  // One server each, and the third is gone.
  for (const name of ['s01', 's02']) await rm(join(mine, name), { recursive: true });
  await rename(join(other, 's01'), join(mine, 's01'));
  grid = mine;
  cap = `@${join(scratch, 'cap')}`;
  await writeFile(cap.slice(1), writeCap);
});
afterAll(() => rm(scratch, { recursive: true }));

/** Newest first; and the id of the server that is gone. */
async function known() {
  const map = await runHere(['--grid', grid, '--json', 'servermap', cap]);
  const { versions, servers } = JSON.parse(map.stdout.toString());
  return { versions: versions as readonly VersionName[], gone: servers.find(isGone).id };
}
const isGone = ({ status }: { status: string }) => status === 'failed';

test('a write says who stands against whom, who is silent and what to do', async () => {
  const { versions, gone } = await known();
  const line =
    `versions ${versions.map(nameText).join(' and ')} stand against each other, and any of them ` +
    `may have been acknowledged; ${gone} does not answer: wait until more servers answer, repair ` +
    'the file, or write over it by `force`';
  const text = await runHere(['--grid', grid, 'put', cap, '-'], 'x');
  expect({ ...text, stdout: text.stdout.toString() }).toEqual({
    ...{ stdout: '', stderr: `tahoe-mutable: ${line}\n`, exit: 5 },
  });
  const { stdout } = await runHere(['--grid', grid, '--json', 'put', cap, '-'], 'x');
  expect(JSON.parse(stdout.toString())).toMatchObject({
    error: {
      code: 'NewerVersionSeenError',
      message: line,
      facts: { rivals: versions.map(nameOf), silent: [gone] },
    },
  });
});

test('a reader is told what may be missed, by the names that people use', async () => {
  const { stderr, exit } = await runHere(['--grid', grid, 'get', cap]);
  expect(exit).toBe(0);
  expect(stderr).toMatch(
    /^version 2 may not be the newest that was acknowledged; no answer from s02 \[\w{8}\]\n$/,
  );
});

test('a forced write says what it is built on', async () => {
  const { versions } = await known();
  const put = (...more: string[]) => runHere(['--grid', grid, 'put', cap, '-', ...more], 'x');
  const { stdout, stderr, exit } = await put('--force');
  const base = `built on version ${nameText(versions[0]!)}`;
  expect([exit, stderr, stdout.toString()]).toEqual([
    0,
    '',
    expect.stringContaining(`version 3, ${base}: 3 shares on 2 servers`),
  ]);
  expect(await readdir(grid)).toContain('servers.yaml.seen-3');
  const [latest] = (await known()).versions;
  const json = JSON.parse((await put('--json')).stdout.toString());
  expect(json).toMatchObject({ seqnum: 4, base: { seqnum: 3, rootHash: latest?.rootHash } });
});
