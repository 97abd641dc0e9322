import { createPrivateKey } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase32 } from '../../src/bytes.ts';
import { formatCap, storageIndexOf, toReadCap, toVerifyCap, writeCapOf } from '../../src/caps.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { type Ended, runCli, runHere, type Surroundings } from '../support/cli.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';

const mdmf = writeCapOf(testKey, 'mdmf');
const sdmf = writeCapOf(testKey, 'sdmf');
const contents = bytesOf(300_000);

let scratch: string;
let pem: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-test-'));
  const key = createPrivateKey({ key: Buffer.from(testKey.pkcs8), format: 'der', type: 'pkcs8' });
  pem = join(scratch, 'key.pem');
  await writeFile(pem, key.export({ format: 'pem', type: 'pkcs8' }));
});
afterAll(() => rm(scratch, { recursive: true }));

/** Runs a command; as a process of its own if it is to have an environment. */
function run(args: readonly string[], { stdin, env }: Surroundings = {}): Promise<Ended> {
  return env === undefined ? runHere(args, stdin) : runCli(args, { stdin: stdin ?? '', env });
}

/** Runs a command that must succeed and say nothing on stderr. */
async function ok(args: readonly string[], surroundings?: Surroundings): Promise<Buffer> {
  const { stdout, stderr, exit } = await run(args, surroundings);
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  return stdout;
}

async function okText(args: readonly string[], surroundings?: Surroundings): Promise<string> {
  return (await ok(args, surroundings)).toString();
}

async function okJson(args: readonly string[], surroundings?: Surroundings) {
  return JSON.parse(await okText([...args, '--json'], surroundings));
}

/** A fresh grid of 13 servers. */
async function newGrid(name: string): Promise<string> {
  const folder = join(scratch, name);
  await createGridFolder(folder);
  return folder;
}

/** A grid with the MDMF file `contents` on it; `cap` is where its write cap is. */
async function newFile(name: string) {
  const grid = await newGrid(name);
  await (await openGrid(grid)).create({ contents, key: testKey });
  const path = join(scratch, `${name}.cap`);
  await writeFile(path, `${formatCap(mdmf)}\n`);
  return { grid, cap: `@${path}` };
}

describe('grid create', () => {
  test('makes a grid as told and says where', async () => {
    const folder = join(scratch, 'told');
    const args = ['grid', 'create', folder, '--servers', '5', '--encoding', '2,3,4'];
    const path = join(folder, 'servers.yaml');
    expect(await okJson(args)).toEqual({
      schema: 1,
      path,
      servers: 5,
      encoding: { required: 2, happy: 3, total: 4 },
    });
    expect(await readdir(folder)).toEqual([
      'private',
      's00',
      's01',
      's02',
      's03',
      's04',
      'servers.yaml',
      'tahoe.cfg',
    ]);
  });

  test('makes 13 servers, 3-of-10, when told nothing', async () => {
    const folder = join(scratch, 'untold');
    const text = `${join(folder, 'servers.yaml')}: 13 servers, 3-of-10\n`;
    expect(await okText(['grid', 'create', folder])).toBe(text);
  });
});

describe('one file', () => {
  test('is made, read, changed in place, grown and replaced', async () => {
    const env = { TAHOE_MUTABLE_GRID: await newGrid('life') };
    const source = join(scratch, 'life.data');
    await writeFile(source, contents);
    const text = await okText(['create', source, '--private-key', pem], { env });
    expect(text).toBe(`${formatCap(mdmf)}\n`);
    await writeFile(join(scratch, 'life.cap'), text);
    const cap = `@${join(scratch, 'life.cap')}`;
    expect(await ok(['get', cap], { env })).toEqual(Buffer.from(contents));

    const update = await ok(['update', cap, '-', '--offset', '131070'], { env, stdin: 'patched' });
    expect(update.toString()).toMatch(
      /^version 2, built on version 1 \([0-9a-f]{8}\): 10 shares on 10 servers, changed in place\n$/,
    );
    const append = await okJson(['append', cap, '-'], { env, stdin: 'tail' });
    expect(append).toMatchObject({ seqnum: 3, inPlace: true, missing: [], quorum: 7 });
    expect(append.placed).toHaveLength(10);

    const changed = Buffer.concat([contents, Buffer.from('tail')]);
    changed.write('patched', 131_070);
    const out = join(scratch, 'life.out');
    expect(await okText(['get', cap, '-o', out], { env })).toBe(`${out}: 300004 bytes\n`);
    expect(await readFile(out)).toEqual(changed);
    const part = await ok(['get', cap, '--offset', '131069', '--length', '9'], { env });
    expect(part).toEqual(changed.subarray(131_069, 131_078));

    const put = await okText(['put', '-', join(scratch, 'life.cap')], { env, stdin: text });
    expect(put).toMatch(
      /^version 4, built on version 3 \([0-9a-f]{8}\): 10 shares on 10 servers\n$/,
    );
    expect((await ok(['get', cap], { env })).toString()).toBe(text);
  });

  test('can be SDMF, and come from stdin', async () => {
    const grid = await newGrid('sdmf');
    const args = ['create', '-', '--format', 'sdmf', '--private-key', pem, '--grid', grid];
    const { placed, ...document } = await okJson(args, { stdin: 'small' });
    expect(document).toEqual({
      schema: 1,
      writeCap: formatCap(sdmf),
      readCap: formatCap(toReadCap(sdmf)),
      verifyCap: formatCap(toVerifyCap(sdmf)),
      format: 'sdmf',
      size: 5,
      seqnum: 1,
      version: { seqnum: 1, rootHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      quorum: 7,
      missing: [],
      stale: [],
      failures: [],
      inPlace: false,
      base: null,
    });
    expect(placed.map(({ shnum }: { shnum: number }) => shnum)).toEqual([...Array(10).keys()]);
    const readCap = formatCap(toReadCap(sdmf));
    expect(await okText(['get', readCap, '--grid', grid])).toBe('small');
  });

  test('has a key of its own when none is given', async () => {
    const grid = await newGrid('own-key');
    const cap = await okText(['create', '-', '--grid', grid], { stdin: '' });
    expect(cap).toMatch(/^URI:MDMF:[a-z2-7]{26}:[a-z2-7]{52}\n$/);
    expect(await okText(['get', '-', '--grid', grid], { stdin: cap })).toBe('');
  });

  test('a temporary copy of stdin is private, and gone afterwards', async () => {
    const { grid, cap } = await newFile('spool');
    const TMPDIR = join(scratch, 'spool-tmp');
    await mkdir(TMPDIR);
    const env = { TMPDIR, TAHOE_MUTABLE_GRID: grid };
    await ok(['put', cap, '-'], { env, stdin: bytesOf(200_000, 7) });
    expect(await readdir(TMPDIR)).toEqual([]);
    expect(await ok(['get', cap], { env })).toEqual(Buffer.from(bytesOf(200_000, 7)));
  });
});

describe('servermap and check', () => {
  test('of a healthy file', async () => {
    const { grid, cap } = await newFile('healthy');
    const map = await okJson(['servermap', cap, '--grid', grid]);
    expect(map).toMatchObject({
      mode: 'check',
      outcome: 'enough',
      privateKey: 'unneeded',
      versions: [
        { seqnum: 1, format: 'mdmf', required: 3, total: 10, size: 300_000, recoverable: true },
      ],
    });
    expect(map.best).toEqual({ seqnum: 1, rootHash: map.versions[0].rootHash });
    expect(map.servers.map(({ status }: { status: string }) => status)).toEqual([
      ...Array(10).fill('good'),
      ...Array(3).fill('empty'),
    ]);
    expect(map.servers[4].shares).toEqual([{ shnum: 4, verdict: 'good', ...map.best }]);

    const verified = await okText(['check', cap, '--verify', '--grid', grid]);
    expect(verified).toMatch(/^version 1: the newest that can be read\n.*\n.*\nhealthy\n$/);
  });

  test('of a file with a share damaged, one gone and a server away', async () => {
    const { grid, cap } = await newFile('ill');
    const { servers } = await okJson(['servermap', cap, '--grid', grid]);
    const share = (i: number) => {
      const name = toBase32(storageIndexOf(mdmf));
      const { nickname } = servers[i];
      return join(grid, nickname, 'shares', name.slice(0, 2), name, String(i));
    };
    // Behind the container's 468 bytes: the signature and the key to it.
    const bytes = await readFile(share(2));
    bytes.fill(0xff, 2000, 2300);
    await writeFile(share(2), bytes);
    await rm(share(3));
    await rm(join(grid, servers[12].nickname), { recursive: true });

    const lines = (await okText(['servermap', cap, '--grid', grid])).split('\n');
    const row = (i: number) => lines[i + 1]?.replace(/^[ \d]+ s\d\d \[[a-z2-7]{8}\] +/, '');
    expect(lines[0]).toMatch(/^ # {2}server +share {2}is$/);
    expect(row(1)).toBe('1      version 1');
    expect(row(2)).toMatch(/^2 {6}bad: corrupt share: /);
    expect(row(3)).toBe('-      no share');
    expect(row(12)).toMatch(/^- {6}no answer: ENOENT in stat of \/.*\/s\d\d$/);
    expect(lines.slice(15, 18)).toEqual([
      'version 1: the newest that can be read',
      expect.stringMatching(/^ {2}MDMF, 3-of-10, 300000 bytes, root [0-9a-f]{12}…$/),
      '  8 of 10 shares: 0-1, 4-9',
    ]);

    const check = await run(['check', cap, '--json', '--grid', grid]);
    expect({ stderr: check.stderr, exit: check.exit }).toEqual({ stderr: '', exit: 3 });
    const { healthy, verified, bad } = JSON.parse(check.stdout.toString());
    expect({ healthy, verified }).toEqual({ healthy: false, verified: false });
    expect(bad).toMatchObject([{ server: servers[2].id, shnum: 2 }]);

    const text = await run(['check', cap, '--grid', grid]);
    expect(text.stdout.toString()).toMatch(/^bad: share 2 on s\d\d \[.*\]: corrupt share: /);
    expect(text.stdout.toString()).toMatch(/\nnot healthy\n$/);
  });

  test('of a damaged block, which only --verify sees', async () => {
    const { grid, cap } = await newFile('block');
    const { servers } = await okJson(['servermap', cap, '--grid', grid]);
    const name = toBase32(storageIndexOf(mdmf));
    const path = join(grid, servers[6].nickname, 'shares', name.slice(0, 2), name, '6');
    const bytes = await readFile(path);
    const good = Buffer.from(bytes);
    bytes.fill(0xff, 50_000, 50_010);
    await writeFile(path, bytes);
    expect((await okText(['check', cap, '--grid', grid])).endsWith('\nhealthy\n')).toBe(true);
    const { exit, stdout } = await run(['check', cap, '--verify', '--json', '--grid', grid]);
    expect(exit).toBe(3);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      healthy: false,
      verified: true,
      bad: [{ server: servers[6].id, shnum: 6 }],
      'storage-index': name,
      results: { 'count-shares-good': 9, 'list-corrupt-shares': [[servers[6].id, name, 6]] },
      servermap: { versions: [{ shares: [0, 1, 2, 3, 4, 5, 7, 8, 9] }] },
    });
    const found = await run(['check', cap, '--verify', '--grid', grid]);
    expect(found.stdout.toString()).toMatch(/\n {2}9 of 10 shares: 0-5, 7-9\nnot healthy\n$/);

    const text = await okText(['repair', cap, '--grid', grid]);
    expect(text).toMatch(
      /^version 1: 1 share placed again\nversion 1: the newest that can be read\n.*\n.*\nhealthy\n$/,
    );
    // Behind the leases, which are renewed.
    expect((await readFile(path)).subarray(468)).toEqual(good.subarray(468));
    const again = await okJson(['repair', cap, '--grid', grid]);
    expect(again).toMatchObject({
      ...{ 'storage-index': name, 'repair-attempted': false, 'repair-successful': true },
      ...{ way: 'nothing', seqnum: 1, placed: [], missing: [], failures: [], healthy: true },
      'pre-repair-results': { summary: 'Healthy' },
      'post-repair-results': { summary: 'Healthy', results: { 'count-happiness': 10 } },
    });

    // It claims to be of a version far newer, which nobody signed.
    good[469] = 0x7f;
    await writeFile(path, good);
    const left = await run(['repair', cap, '--grid', grid]);
    expect(left.exit).toBe(3);
    expect(left.stdout.toString()).toMatch(
      /\nnot healthy\nwhat is bad may be of a newer version, and stays; --force writes over it\n$/,
    );
    expect(await okText(['repair', cap, '--force', '--grid', grid])).toMatch(/\nhealthy\n$/);
  });

  test('of a file that is nowhere, and of one that cannot be asked for', async () => {
    const { grid, cap } = await newFile('nowhere');
    const { servers } = await okJson(['servermap', cap, '--grid', grid]);
    const [first, ...others] = servers.map(({ nickname }: { nickname: string }) => nickname);
    for (const nickname of others) await rm(join(grid, nickname), { recursive: true });
    for (const args of [
      ['check', cap],
      ['check', cap, '--verify'],
    ]) {
      const { exit, stdout } = await run([...args, '--json', '--grid', grid]);
      expect(exit).toBe(3);
      expect(JSON.parse(stdout.toString()).results).toMatchObject({
        ...{ recoverable: false, 'count-shares-good': 1, 'count-unrecoverable-versions': 1 },
      });
    }
    await rm(join(grid, first), { recursive: true });
    expect((await run(['check', cap, '--grid', grid])).exit).toBe(1);
    expect((await run(['repair', cap, '--grid', grid])).exit).toBe(1);
    const readCap = formatCap(toReadCap(mdmf));
    const { exit, stderr } = await run(['repair', readCap, '--grid', grid]);
    expect({ exit, stderr }).toEqual({
      exit: 6,
      stderr: 'tahoe-mutable: repairing needs a write cap, this is a read cap\n',
    });
  });
});

describe('cap', () => {
  test('tells what it is and what it can become, without a grid', async () => {
    expect(await okJson(['cap', '-'], { stdin: `${formatCap(mdmf)}\n` })).toEqual({
      schema: 1,
      kind: 'write',
      format: 'mdmf',
      directory: false,
      storageIndex: toBase32(storageIndexOf(mdmf)),
      readCap: formatCap(toReadCap(mdmf)),
      verifyCap: formatCap(toVerifyCap(mdmf)),
    });
    const verifyCap = formatCap(toVerifyCap(sdmf));
    expect(await okText(['cap', verifyCap])).toBe(
      [
        'kind           verify cap of an SDMF file',
        `storage index  ${toBase32(storageIndexOf(sdmf))}`,
        `verify cap     ${verifyCap}`,
        '',
      ].join('\n'),
    );
  });
});
