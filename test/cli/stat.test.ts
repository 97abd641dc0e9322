import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storageIndexOf } from '../../src/caps.ts';
import { formatImmutableCap, litCapOf } from '../../src/immutable/caps.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { encodeChk } from '../support/chk.ts';
import { runHere } from '../support/cli.ts';
import { bytesOf, putShare, testKey } from '../support/client-grid.ts';

const contents = bytesOf(1000);

let scratch: string;
let grid: string;
let file: MutableFile;
/** Where its read cap is, and its write cap. */
let reading: string;
let writing: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-stat-'));
  grid = join(scratch, 'grid');
  await createGridFolder(grid, { servers: 3, encoding: { required: 1, happy: 2, total: 2 } });
  file = await (await openGrid(grid)).create({ contents, key: testKey });
  reading = `@${join(scratch, 'read')}`;
  writing = `@${join(scratch, 'write')}`;
  await writeFile(reading.slice(1), file.readCap);
  await writeFile(writing.slice(1), file.writeCap);
});
afterAll(() => rm(scratch, { recursive: true }));

async function run(args: readonly string[], stdin?: string | Uint8Array) {
  const { stdout, ...rest } = await runHere([...args, '--grid', grid], stdin);
  return { stdout: stdout.toString(), ...rest };
}

const ok = (stdout: unknown) => ({ stdout, stderr: '', exit: 0 });

test('stat says what is there', async () => {
  const { version } = await file.stat();
  const name = `${version.seqnum}-${version.rootHash}`;
  expect(await run(['stat', reading])).toEqual(
    ok(
      `size          1000 bytes\nformat        MDMF\nencoding      1-of-2\n` +
        `segment size  131072 bytes\nversion       ${name}\n`,
    ),
  );
  const { stdout } = await run(['stat', reading, '--json']);
  expect(JSON.parse(stdout)).toEqual({ schema: 1, ...(await file.stat()) });
});

test('stat of an immutable file says what its cap says', async () => {
  const literal = formatImmutableCap(litCapOf(contents.slice(0, 5)));
  expect(await run(['stat', literal])).toEqual(ok('size    5 bytes\nformat  LIT\n'));
  const { cap } = await encodeChk(contents, { required: 2, total: 5 });
  const { stdout } = await run(['stat', formatImmutableCap(cap), '--json']);
  expect(JSON.parse(stdout)).toEqual({
    ...{ schema: 1, size: 1000, format: 'chk', encoding: { required: 2, total: 5 } },
  });
  expect(await run(['get', literal, '--seqnum', '1'])).toMatchObject({
    ...{ exit: 2, stderr: 'tahoe-mutable: --seqnum: an immutable file has no versions\n' },
  });
});

test('get gives no more than there is of a part, and a certain version where it is told one', async () => {
  const middle = await runHere([
    'get',
    reading,
    '--offset',
    '990',
    '--length',
    '50',
    '--grid',
    grid,
  ]);
  expect(middle).toEqual({ ...ok(Buffer.from(contents.subarray(990))) });
  const { servers } = await openGrid(grid);
  const index = storageIndexOf(file.cap);
  const held = await Promise.all(servers.map((server) => server.listShares(index)));
  const [from, spare] = [
    held.findIndex((of) => of.length > 0),
    held.findIndex((of) => of.length === 0),
  ];
  const [shnum = 0] = held[from] ?? [];
  const old = await servers[from]?.readShare(index, shnum, { offset: 0, length: 10_000 });
  await file.overwrite(bytesOf(7));
  await putShare(servers[spare]!, file.cap, shnum, old as Uint8Array);
  const get = (seqnum: string) => runHere(['get', reading, '--seqnum', seqnum, '--grid', grid]);
  expect((await get('1')).stdout).toEqual(Buffer.from(contents));
  expect((await get('2')).stdout).toEqual(Buffer.from(bytesOf(7)));
  expect(await get('3')).toMatchObject({
    exit: 4,
    stderr: expect.stringMatching(/^tahoe-mutable: version 3 cannot be read: /),
  });
});

test('put writes over the version that it is told, and over no other', async () => {
  const name = async () => {
    const { seqnum, rootHash } = (await file.stat()).version;
    return `${seqnum}-${rootHash}`;
  };
  const base = await name();
  const put = () => run(['put', writing, '-', '--base', base], 'new');
  expect(await put()).toMatchObject({ exit: 0, stderr: '' });
  const next = await name();
  const { exit, stderr } = await put();
  expect([exit, stderr]).toEqual([
    5,
    expect.stringMatching(/^tahoe-mutable: version \d \(\w{8}\) is there, and not version \d /),
  ]);
  expect(await name()).toBe(next);
  const append = await run(['append', writing, '-', '--base', next], '!');
  expect(append).toMatchObject({ exit: 0 });
  expect((await run(['get', reading])).stdout).toBe('new!');
  expect((await run(['put', writing, '-', '--base', '3-5f0e'], 'x')).stderr).toBe(
    "tahoe-mutable: option '--base <version>' argument '3-5f0e' is invalid. " +
      'It must be a seqnum, "-", and a root hash of 64 hex digits.\n',
  );
});
