import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesToHex } from '../../src/bytes.ts';
import type { Format } from '../../src/caps.ts';
import { Grid } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { DirectoryServer } from '../../src/storage/directory.ts';
import { runKills } from '../kills/kills.ts';
import { builtPackage } from '../support/built.ts';
import { directoryServers, tempFolder } from '../support/directory-grid.ts';

const WORKER = join(import.meta.dirname, '../support/client-worker.mjs');

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

test('two processes that each add forty lines lose none and add none twice', {
  timeout: 120_000,
}, async () => {
  const encoding = { required: 2, happy: 4, total: 5 };
  const place = await newPlace('lines', encoding, 'mdmf', new Uint8Array(0));
  const count = 40;
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

/** A few of the 2,000 of `npm run kills`. */
const KILLS = 24;
const SEED = Number(process.env.TAHOE_MUTABLE_SEED ?? Date.now() % 2 ** 31);

test(`${KILLS} writers killed within a write (TAHOE_MUTABLE_SEED=${SEED}) leave every share wholly old or new, and lose nothing`, {
  timeout: 180_000,
}, async () => {
  const built = await builtPackage();
  const { kills, landed, leftovers, problems } = await runKills({
    count: KILLS,
    seed: SEED,
    built,
  });
  expect(problems).toEqual([]);
  expect(kills).toBe(KILLS);
  // They did fall where some shares were in their places and others were not.
  const partial = Object.values(landed).flatMap((counts) => counts.slice(1, -1));
  expect(partial.reduce((sum, n) => sum + n)).toBeGreaterThan(KILLS / 20);
  expect(leftovers).toBeGreaterThan(KILLS / 2);
});
