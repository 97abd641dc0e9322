import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { formatCap, parseCap, storageIndexOf, toReadCap, toVerifyCap } from '../../src/caps.ts';
import { InsufficientCapError, UnrecoverableFileError } from '../../src/errors.ts';
import { diskOf } from '../../src/storage/memory.ts';
import {
  bytesOf,
  expectBytes,
  type Held,
  holdings,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const formats = ['sdmf', 'mdmf'] as const;
const contents = bytesOf(300_000);

describe.each(formats)('the caps of a %s file', (format) => {
  const name = format === 'sdmf' ? 'SSK' : 'MDMF';

  test('follow from each other and open the same file', async () => {
    const { create, another } = testGrid();
    const file = await create(format, bytesOf(100));
    expect(file.writeCap).toMatch(new RegExp(`^URI:${name}:[a-z2-7]{26}:[a-z2-7]{52}$`));
    expect(file.readCap).toBe(formatCap(toReadCap(file.cap)));
    expect(file.verifyCap).toBe(formatCap(toVerifyCap(file.cap)));
    const reader = another().open(file.readCap);
    expect([reader.readCap, reader.verifyCap]).toEqual([file.readCap, file.verifyCap]);
    expect(another().open(parseCap(file.verifyCap)).verifyCap).toBe(file.verifyCap);
    expectBytes(await reader.read(), bytesOf(100));
    // Hints of old versions are dropped.
    if (format === 'mdmf') {
      expectBytes(await another().open(`${file.readCap}:3:131073`).read(), bytesOf(100));
    }
  });

  test('of a directory are of the same file', async () => {
    const { create, another } = testGrid();
    const file = await create(format, bytesOf(100));
    const directory = format === 'sdmf' ? 'DIR2' : 'DIR2-MDMF';
    const same = another().open(file.writeCap.replace(`URI:${name}:`, `URI:${directory}:`));
    await same.overwrite(bytesOf(50, 2), { raw: true });
    expectBytes(await another().open(same.readCap).read(), bytesOf(50, 2));
    expect(same.readCap).toMatch(new RegExp(`^URI:${directory}-RO:`));
    expectBytes(await file.read(), bytesOf(50, 2));
  });

  test('give away no more than they hold', async () => {
    const { create, another } = testGrid();
    const file = await create(format, bytesOf(100));
    const reader = another().open(file.readCap);
    const verifier = another().open(file.verifyCap);
    const needs = (operation: string, needed: string, held: string) =>
      new InsufficientCapError(operation, needed, held);

    for (const [weak, held] of [
      [reader, 'read'],
      [verifier, 'verify'],
    ] as const) {
      const refused: [() => Promise<unknown>, string][] = [
        [() => weak.overwrite(bytesOf(1)), 'overwriting'],
        [() => weak.update(bytesOf(1), 0), 'updating'],
        [() => weak.append(bytesOf(1)), 'updating'],
        [() => weak.modify((c) => c), 'modifying'],
        [() => weak.servermap({ mode: 'write' }), 'mapping for write'],
        [() => weak.servermap({ mode: 'repair' }), 'mapping for repair'],
      ];
      for (const [attempt, operation] of refused) {
        // As a rejection, never thrown at once.
        await expect(attempt()).rejects.toThrowError(needs(operation, 'write', held));
      }
      expect(() => weak.writeCap).toThrowError(needs('giving away the write cap', 'write', held));
    }
    await expect(verifier.read()).rejects.toThrowError(needs('reading', 'read', 'verify'));
    const reading = verifier.stream().getReader();
    await expect(reading.read()).rejects.toThrowError(needs('reading', 'read', 'verify'));
    expect(() => verifier.readCap).toThrowError(InsufficientCapError);
  });

  test('do not show in what a program prints', async () => {
    const { create } = testGrid();
    const file = await create(format, bytesOf(100));
    const secrets = file.writeCap
      .split(':')
      .slice(2, 3)
      .concat(file.readCap.split(':')[2] ?? '');
    const error = await file.read({ offset: 101 }).catch((e) => e);
    const printed = [file, file.cap, error].map((it) => inspect(it, { depth: 9 })).join();
    for (const secret of secrets) expect(printed).not.toContain(secret);
    expect(JSON.stringify(file.cap)).not.toContain(secrets[0]);
  });
});

describe.each(formats)('verifying a %s file', (format) => {
  async function made() {
    const grid = testGrid();
    const file = await grid.create(format, contents);
    const { cap, verifyCap } = file;
    const verify = () => grid.another().open(verifyCap).verify();
    const held = holdings(grid.servers, cap);
    return { file, cap, index: storageIndexOf(cap), held, verify };
  }

  test('needs only the verify cap', async () => {
    const { verify, held } = await made();
    const verification = await verify();
    expect(verification).toMatchObject({ seqnum: 1, bad: [], isHealthy: true });
    const byShnum = [...verification.good].sort((a, b) => a.shnum - b.shnum);
    expect(byShnum).toEqual(held.map(({ server, shnum }) => ({ server: server.id, shnum })));
    expect(verification.map.mode).toBe('check');
    expect(verification.map.privateKey).toBe('unneeded');
  });

  test('finds every damaged share, wherever the damage is', async () => {
    const { verify, held, index, cap } = await made();
    const share = shareOf(held[0] as Held, cap);
    const view = new DataView(share.buffer);
    const at =
      format === 'sdmf'
        ? {
            signature: view.getUint32(75),
            chain: view.getUint32(79),
            tree: view.getUint32(83),
            data: view.getUint32(87),
            key: 107,
          }
        : { signature: u64(75), chain: u64(67), tree: u64(107), data: u64(99), key: u64(83) };
    function u64(offset: number) {
      return Number(view.getBigUint64(offset));
    }
    const damage: [number, RegExp][] = [
      [0, /unknown share version/],
      [20, /signature: it does not sign this header/],
      [at.key + 40, /verification key: it is not the key of the cap/],
      [at.signature + 9, /signature: it does not sign this header/],
      [at.chain + 20, /share hash tree: node \d+: /],
      [at.tree + 8, /share hash tree: node \d+: /],
      [at.data + 500, /block hash tree: node \d+: /],
      [format === 'sdmf' ? at.data + 99_999 : at.tree - 1, /block hash tree: node \d+: /],
    ];
    for (const [shnum, [offset]] of damage.entries()) {
      const { server } = held[shnum] as Held;
      const byte = shareOf(held[shnum] as Held, cap)[offset] as number;
      diskOf(server).overwriteShare(index, shnum, offset, Uint8Array.of(byte ^ 64));
    }
    const { good, bad, isHealthy } = await verify();
    expect(isHealthy).toBe(false);
    expect(good.map(({ shnum }) => shnum).sort()).toEqual([8, 9]);
    expect(bad.toSorted((a, b) => a.shnum - b.shnum)).toEqual(
      damage.map(([, reason], shnum) => ({
        server: held[shnum]?.server.id,
        shnum,
        reason: expect.stringMatching(reason),
      })),
    );
    // The operators of these servers have been told.
    for (const { server, shnum } of held.slice(0, damage.length)) {
      expect(diskOf(server).advisories.map((advisory) => advisory.shnum)).toEqual([shnum]);
    }
  });

  test('says that a file is not healthy when a share is lost or another version is about', async () => {
    const { verify, held, index, cap, file } = await made();
    const [first, second] = held as [Held, Held];
    const old = shareOf(second, cap);
    diskOf(first.server).deleteShare(index, 0);
    expect(await verify()).toMatchObject({ isHealthy: false, bad: [] });
    await file.overwrite(contents);
    expect(await verify()).toMatchObject({ isHealthy: true, seqnum: 2 });
    diskOf(second.server).overwriteShare(index, 1, 0, old);
    expect(await verify()).toMatchObject({ isHealthy: false, bad: [], seqnum: 2 });
  });

  test('reports what it can when fewer than k shares are sound', async () => {
    const { verify, held, index, cap } = await made();
    for (const { server, shnum } of held.slice(0, 8)) {
      const length = shareOf({ server, shnum }, cap).length;
      diskOf(server).overwriteShare(
        index,
        shnum,
        format === 'sdmf' ? 1200 : length - 700,
        bytesOf(50, 7),
      );
    }
    const { good, bad, isHealthy } = await verify();
    expect([good.length, bad.length, isHealthy]).toEqual([2, 8, false]);
  });

  test('is impossible without a version', async () => {
    const { verify, held, index } = await made();
    for (const { server, shnum } of held.slice(2)) diskOf(server).deleteShare(index, shnum);
    await expect(verify()).rejects.toThrowError(UnrecoverableFileError);
  });

  test('looks at empty files too', async () => {
    const { create, another, servers } = testGrid();
    const file = await create(format);
    expect(await another().open(file.verifyCap).verify()).toMatchObject({
      isHealthy: true,
      bad: [],
    });
    expect(servers.flatMap((server) => diskOf(server).advisories)).toEqual([]);
  });
});

test('a key of one’s own makes the file that belongs to it', async () => {
  const { grid } = testGrid();
  const file = await grid.create({ key: testKey, format: 'sdmf', contents: bytesOf(5) });
  expect(file.writeCap).toBe(
    'URI:SSK:ccg7373lvoj4e5ktuzanwny3zi:ulmjcl4zcpiluo4ei7xaj36tgieqnkexsqz4x2hj4f4azzd7uwea',
  );
});

test('a file made without options is an empty MDMF file with a key of its own', async () => {
  const { grid } = testGrid();
  const [one, other] = [await grid.create(), await grid.create()];
  expect(one.writeCap).toMatch(/^URI:MDMF:/);
  expect(one.writeCap).not.toBe(other.writeCap);
  expect(await one.read()).toEqual(new Uint8Array(0));
});
