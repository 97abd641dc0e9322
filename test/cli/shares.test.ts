import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { concatBytes, toBase32, u64, utf8 } from '../../src/bytes.ts';
import { formatImmutableCap, toImmutableVerifyCap } from '../../src/immutable/caps.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { parseHeader } from '../../src/storage/container.ts';
import { encodeImmutableLease } from '../../src/storage/immutable-container.ts';
import { encodeChk } from '../support/chk.ts';
import { runHere } from '../support/cli.ts';
import { useVectorKeys } from '../support/directories.ts';

let scratch: string;
let file: MutableFile;

useVectorKeys();
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-shares-'));
  await createGridFolder(scratch, { servers: 2, encoding: { required: 1, happy: 2, total: 2 } });
  const grid = await openGrid(scratch);
  file = await grid.create({ contents: utf8('hello'), format: 'sdmf' });
  grid.close();
});
afterAll(() => rm(scratch, { recursive: true }));

async function run(...args: readonly string[]) {
  const { stdout, stderr, exit } = await runHere([...args, '--grid', scratch]);
  return [(stdout.toString() + stderr).replaceAll(`${scratch}/`, ''), exit] as const;
}
const lines = async (...args: readonly string[]) => (await run(...args))[0].trim().split('\n');
const found = async () => lines('find-shares', file.verifyCap);

test('shares are found by any cap or by the storage index, in nodes and in folders of storage', async () => {
  const storageIndex = file.verifyCap.split(':')[2] as string;
  const [first, second] = await found();
  expect([first, second].map((path) => path?.replace(/\d$/, ''))).toEqual(
    ['s00', 's01'].map((s) => `${s}/shares/${storageIndex.slice(0, 2)}/${storageIndex}/`),
  );
  expect(await lines('find-shares', storageIndex, join(scratch, 's01'))).toEqual([second]);
  const node = join(scratch, 'node/storage/shares', storageIndex.slice(0, 2), storageIndex);
  await mkdir(node, { recursive: true });
  for (const name of ['10', '9', 'notes']) await writeFile(join(node, name), '');
  expect(await lines('find-shares', file.readCap, join(scratch, 'node'))).toEqual(
    ['9', '10'].map((name) => join(node, name).replace(`${scratch}/`, '')),
  );
  expect(await run('find-shares', 'a'.repeat(26))).toEqual(['', 0]);
  expect(await run('find-shares', 'URI:LIT:aa')).toEqual([
    'tahoe-mutable: CAP: is a literal, which is in no share\n',
    2,
  ]);
  expect(await run('find-shares', storageIndex, join(scratch, 'gone'))).toEqual([
    'tahoe-mutable: gone: cannot be read: no such file or directory\n',
    2,
  ]);
});

test('a share of a mutable file is shown, and none of its secrets', async () => {
  const [path = ''] = await found();
  const whole = join(scratch, path);
  const bytes = new Uint8Array(await readFile(whole));
  const { nodeId, writeEnabler, leases, dataLength } = parseHeader(bytes, bytes.length, path);
  const [text] = await run('dump-share', whole);
  const [json, exit] = await run('dump-share', whole, '--json');
  expect(exit).toBe(0);
  const dump = JSON.parse(json);
  const expires = new Date((leases[0]?.expires ?? 0) * 1000).toISOString();
  expect(dump).toMatchObject({
    path,
    container: {
      ...{ kind: 'mutable', version: 2, dataOffset: 468, dataLength },
      ...{ nodeId: toBase32(nodeId), leases: [{ owner: 1, expires }] },
    },
    share: {
      format: 'sdmf',
      says: { seqnum: 1, required: 1, total: 2, segmentSize: 5, dataLength: 5 },
      fields: { verificationKey: { offset: 107, length: 294 } },
      verifyCap: file.verifyCap,
    },
  });
  expect(text).toContain(`verify cap             ${file.verifyCap}\n`);
  expect(text).toContain(`lease 0                owner 1, until ${expires}\n`);
  for (const secret of [writeEnabler, leases[0]!.renew, leases[0]!.cancel]) {
    expect(text + json).not.toContain(toBase32(secret));
    expect(text + json).not.toContain(Buffer.from(secret).toString('hex'));
  }
});

test('a share of an immutable file is shown', async () => {
  const chk = await encodeChk(utf8('x'.repeat(100)), { required: 1, total: 2 });
  const verifyCap = formatImmutableCap(toImmutableVerifyCap(chk.cap));
  const storageIndex = verifyCap.split(':')[2] as string;
  const path = join(scratch, 's00/shares', storageIndex.slice(0, 2), storageIndex, '1');
  await mkdir(dirname(path), { recursive: true });
  const lease = { owner: 1, expires: 4e9, nodeId: new Uint8Array(0) };
  const secret = new Uint8Array(32).fill(7);
  const share = chk.shares[1] as Uint8Array;
  const header = concatBytes(u64(2 * 2 ** 32), Uint8Array.of(0, 0, 0, 1));
  const leased = encodeImmutableLease({ ...lease, renew: secret, cancel: secret });
  await writeFile(path, concatBytes(header, share, leased));
  expect(await lines('find-shares', verifyCap)).toEqual([path.replace(`${scratch}/`, '')]);
  const [json, exit] = await run('dump-share', path, '--json');
  expect(exit).toBe(0);
  expect(JSON.parse(json)).toMatchObject({
    storageIndex,
    container: {
      ...{ kind: 'immutable', version: 2, dataOffset: 12, dataLength: share.length },
      leases: [{ owner: 1, expires: '2096-10-02T07:06:40.000Z' }],
    },
    share: {
      format: 'chk',
      says: { layout: 1, size: 100, required: 1, total: 2, segmentCount: 1, chainNodes: '1, 2' },
      fields: { shareData: { offset: 36, length: 100 } },
      verifyCap,
    },
  });
  expect(json).not.toContain(toBase32(secret));
});

test('what makes no sense is said, with what does', async () => {
  const [path = ''] = await found();
  const copy = join(scratch, 'copy');
  const bytes = await readFile(join(scratch, path));
  bytes[468] = 7;
  await writeFile(copy, bytes);
  const [text, exit] = await run('dump-share', copy);
  expect([text.split('\n').at(-2), exit]).toEqual([
    '  share              ? (unknown share version 7)',
    3,
  ]);
  await truncate(copy, 100);
  const truncated = '  container      ? (header: truncated at 100 bytes)\n';
  expect(await run('dump-share', copy)).toEqual([`copy\n${truncated}  storage index  ?\n`, 3]);
  const [json] = await run('dump-share', copy, '--json');
  expect(JSON.parse(json)).toEqual({
    schema: 1,
    ...{ path: 'copy', problem: 'header: truncated at 100 bytes' },
  });
  await writeFile(copy, concatBytes(u64(2 * 2 ** 32), new Uint8Array(40)));
  expect((await run('dump-share', copy))[0]).toContain('? (unknown share version 0)\n');
});

test('what is no file is refused as one that is wrong', async () => {
  expect(await run('dump-share', join(scratch, 's00'))).toEqual([
    'tahoe-mutable: s00: is a folder, not a file\n',
    2,
  ]);
  const [json, exit] = await run('dump-share', '/dev/null', '--json');
  expect([JSON.parse(json.split('\n')[0] ?? '').error, exit]).toEqual([
    {
      code: 'BadSourceError',
      message: '/dev/null: is a device, not a file',
      facts: { where: '/dev/null', problem: 'is a device, not a file' },
    },
    2,
  ]);
});
