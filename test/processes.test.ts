import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesToHex } from '../src/bytes.ts';
import { type Format, storageIndexOf } from '../src/caps.ts';
import { Grid } from '../src/grid.ts';
import type { MutableFile } from '../src/mutable-file.ts';
import { VersionVerifier, verifySignature } from '../src/share/verify.ts';
import type { DirectoryServer } from '../src/storage/directory.ts';
import { builtPackage } from './support/built.ts';
import { expectBytes } from './support/client-grid.ts';
import { directoryServers, tempFolder } from './support/directory-grid.ts';
import { numbered } from './support/numbered-contents.mjs';
import { randomOf } from './support/scheduler.ts';
import { readerOf } from './support/shares.ts';

const WORKER = join(import.meta.dirname, 'support/client-worker.mjs');

let folder: Awaited<ReturnType<typeof tempFolder>>;
let children: ChildProcess[];
beforeEach(async () => {
  folder = await tempFolder();
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await folder.remove();
});

interface Place {
  readonly servers: readonly DirectoryServer[];
  readonly encoding: { readonly required: number; readonly happy: number; readonly total: number };
  readonly file: MutableFile;
}

/** A file on a grid of its own. */
async function newPlace(
  name: string,
  encoding: Place['encoding'],
  format: Format,
  contents: Uint8Array,
  count = encoding.total,
): Promise<Place> {
  const path = join(folder.path, name);
  await mkdir(path);
  const servers = await directoryServers(path, count);
  const file = await new Grid({ servers, encoding }).create({ format, contents });
  return { servers, encoding, file };
}

/** Another process with the write cap of the file. */
async function startWorker(task: string, { servers, encoding, file }: Place, about: object) {
  const built = await builtPackage();
  const described = servers.map(({ id, nickname, tubId, permutationSeed, directory }) => ({
    id,
    nickname,
    directory,
    tubId: bytesToHex(tubId),
    permutationSeed: bytesToHex(permutationSeed),
  }));
  const json = JSON.stringify({ servers: described, encoding, cap: file.writeCap, ...about });
  const child = spawn(process.execPath, [WORKER, built, task, json], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

test('two processes that each add a hundred lines lose none and add none twice', {
  timeout: 120_000,
}, async () => {
  const encoding = { required: 2, happy: 4, total: 5 };
  const place = await newPlace('lines', encoding, 'mdmf', new Uint8Array(0));
  const count = 100;
  const workers = await Promise.all(
    ['one', 'two'].map((name) => startWorker('lines', place, { name, count })),
  );
  const codes = await Promise.all(workers.map((worker) => once(worker, 'close')));
  expect(codes).toEqual([
    [0, null],
    [0, null],
  ]);
  const text = new TextDecoder().decode(await place.file.read());
  const lines = text.split('\n').slice(0, -1);
  const of = (name: string) => lines.filter((line) => line.startsWith(name));
  const expected = (name: string) => Array.from({ length: count }, (_, n) => `${name} ${n}`);
  // Each writer's own lines even in its own order.
  expect(of('one')).toEqual(expected('one'));
  expect(of('two')).toEqual(expected('two'));
  expect(lines.length).toBe(2 * count);
  expect(await place.file.verify()).toMatchObject({ isHealthy: true, bad: [] });
});

test('a file of 20 MiB is written, changed in place and read within 1 GiB of memory', async () => {
  const encoding = { required: 3, happy: 7, total: 10 };
  const place = await newPlace('large', encoding, 'mdmf', new Uint8Array(0), 13);
  const size = 20 * 1024 * 1024;
  const worker = await startWorker('large', place, { size });
  let output = '';
  worker.stdout.on('data', (data) => {
    output += data;
  });
  expect(await once(worker, 'close')).toEqual([0, null]);
  const { maxRSS, ...rest } = JSON.parse(output);
  expect(rest).toEqual({ inPlace: true, isEqual: true });
  expect(maxRSS).toBeLessThan(1024 * 1024);
});

const KILLS = 200;
const SEED = Number(process.env.TAHOE_MUTABLE_SEED ?? Date.now() % 2 ** 31);

test(`writers killed ${KILLS} times at any point (TAHOE_MUTABLE_SEED=${SEED}) leave every share wholly old or new, and the file readable`, {
  timeout: 180_000,
}, async () => {
  const random = randomOf(SEED);
  const lanes: [Format, boolean][] = [
    ['sdmf', false],
    ['mdmf', false],
    ['mdmf', true],
    ['sdmf', false],
  ];
  let interrupted = 0;
  await Promise.all(
    lanes.map(async ([format, inPlace], i) => {
      const encoding = { required: 2, happy: 4, total: 5 };
      const place = await newPlace(`lane-${i}`, encoding, format, numbered(0, inPlace));
      let written = 0;
      for (let kill = 0; kill < KILLS / lanes.length; kill++) {
        const last = await killOneWriter(place, inPlace, random);
        expect(last).toBeGreaterThan(written);
        const found = await expectWhole(place, last, inPlace);
        if (found.isMixed || (await hasLeftovers(place))) interrupted += 1;
        written = found.number;
      }
      // Whoever comes next writes as if nothing had happened.
      const { file } = place;
      await file.overwrite(numbered(-1, false), { force: true });
      expectBytes(await file.read(), numbered(-1, false));
      expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
    }),
  );
  // Enough of the deaths were while shares were being written.
  expect(interrupted).toBeGreaterThan(KILLS / 20);
});

/** The last number that the writer said it had written before it died. */
async function killOneWriter(place: Place, inPlace: boolean, random: () => number) {
  const worker = await startWorker('count', place, { inPlace });
  let last = Number.NaN;
  const lines = createInterface({ input: worker.stdout });
  lines.on('line', (line) => {
    last = Number(line.split(' ')[0]);
  });
  const ended = once(lines, 'close');
  const [first] = (await Promise.race([once(lines, 'line'), ended])) as [string?];
  // Not a wait for something to happen: the point of death, somewhere in the next write or a
  // little behind it, is the random input of this test.
  await pause(1.2 * random() * Number(first?.split(' ')[1]));
  worker.kill('SIGKILL');
  expect(await once(worker, 'close')).toEqual([null, 'SIGKILL']);
  await ended;
  return last;
}

/**
 * Every share is whole, and of the version that was written last or the one that was under way; a
 * reader gets one of them. @returns the number that is read, and whether both versions are there
 */
async function expectWhole({ servers, file }: Place, written: number, inPlace: boolean) {
  const storageIndex = storageIndexOf(file.cap);
  const { fingerprint } = file.cap;
  const seqnums = new Set<number>();
  for (const server of servers) {
    for (const shnum of await server.listShares(storageIndex)) {
      const range = { offset: 0, length: 200_000 };
      const share = await server.readShare(storageIndex, shnum, range);
      seqnums.add(await expectWholeShare(share, shnum, fingerprint));
    }
  }
  expect(seqnums.size).toBeLessThanOrEqual(2);
  const contents = await file.read();
  const n = Buffer.from(contents).readDoubleBE();
  expect([written, written + 1]).toContain(n);
  expectBytes(contents, numbered(n, inPlace));
  return { number: n, isMixed: seqnums.size > 1 };
}

/** Whether a writer died between the first byte of a share and its appearance. */
async function hasLeftovers({ servers }: Place): Promise<boolean> {
  const left = servers.map(({ directory }) => readdir(join(directory, 'tahoe-mutable/tmp')));
  return (await Promise.all(left)).flat().length > 0;
}

/** Signature, hashes and every block of one share. @returns its sequence number */
async function expectWholeShare(share: Uint8Array, shnum: number, fingerprint: Uint8Array) {
  const { reader } = readerOf(share);
  const header = await reader.header();
  await verifySignature(
    header,
    await reader.verificationKey(),
    await reader.signature(),
    fingerprint,
  );
  const verifier = new VersionVerifier(header);
  verifier.acceptTree(shnum, await reader.shareHashChain(), await reader.blockHashTree());
  for (const [i, { block, salt }] of (await reader.blocks(0, header.segmentCount)).entries()) {
    verifier.acceptBlock(shnum, i, block, salt);
  }
  expect(share.length).toBe(header.layout.end);
  return header.seqnum;
}
