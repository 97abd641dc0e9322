/** The folder backend among processes that compete, and that are killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesToHex, toBase32, utf8 } from '../../src/bytes.ts';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { builtPackage } from '../support/built.ts';
import { generation } from '../support/storage-generation.mjs';
import { EVERYTHING, part, TestSlot, write } from '../support/test-slot.ts';

const WORKER = fileURLToPath(new URL('../support/storage-worker.mjs', import.meta.url));

let folder: string;
let children: ChildProcess[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-processes-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function newSlot(): TestSlot {
  const server = new DirectoryServer({
    id: 'd0',
    nickname: 'd0',
    tubId: new Uint8Array(20),
    permutationSeed: utf8('seed'),
    directory: folder,
  });
  const slot = new TestSlot(server);
  for (const secret of Object.values(slot.secrets)) secret.fill(0);
  return slot;
}

async function startWorker(
  task: string,
  { storageIndex }: TestSlot,
  count: number,
  point: object | null = null,
) {
  const built = await builtPackage();
  const slot = bytesToHex(storageIndex);
  const child = spawn(
    process.execPath,
    [WORKER, built, task, folder, slot, String(count), JSON.stringify(point)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  return child;
}

test('processes that count together lose no increment', { timeout: 120_000 }, async () => {
  const slot = newSlot();
  const workers = await Promise.all(
    Array.from({ length: 4 }, () => startWorker('increment', slot, 25)),
  );
  const codes = await Promise.all(workers.map((worker) => once(worker, 'close')));
  expect(codes).toEqual(workers.map(() => [0, null]));
  expect(await slot.contents()).toEqual({ 0: '100' });
});

/** Enough for shares that are new, changed in place and replaced, and for a lease. */
const GENERATIONS = 3;
const LANES = 4;

/** Kills of whole-file writers are in test/client/processes.test.ts; these look at single containers. */
test('a writer killed at any change of the disk leaves every share wholly old or new', {
  timeout: 180_000,
}, async () => {
  const slots = Array.from({ length: LANES }, newSlot);
  const [first] = await Promise.all(slots.map((slot) => replacements(slot, GENERATIONS)));
  const total = first?.changes ?? 0;
  expect(total).toBeGreaterThan(10 * GENERATIONS);
  // A third of them each before the system call, within it, and after it.
  const points = Array.from({ length: total }, (_, i) => ({
    ...{ of: 'change', at: i + 1, when: ['before', 'during', 'after'][i % 3] },
  }));
  let interrupted = 0;
  const lanes = slots.map(async (slot, lane) => {
    const prefix = toBase32(slot.storageIndex).slice(0, 2);
    let acknowledged = GENERATIONS;
    for (const point of points.filter((_, i) => i % LANES === lane)) {
      // In place or whole differ in how many changes they are: so the last may come one later.
      const told = await replacements(slot, GENERATIONS + 1, point);
      acknowledged = told.generation ?? acknowledged;
      await expectWhole(slot, acknowledged);
      acknowledged = await newestOf(slot);
      const left = await readdir(join(folder, 'shares/incoming/tahoe-mutable'));
      if (left.some((name) => name.startsWith(`${prefix}-`))) interrupted += 1;
    }
  });
  await Promise.all(lanes);
  // The kills did fall between the creation of a temporary file and its renaming.
  expect(interrupted).toBeGreaterThan(points.length / 4);
  // Locks of the dead block nobody, and what they left is cleared away by the next writer.
  const fresh = Object.assign(newSlot(), { storageIndex: slots[0]?.storageIndex });
  expect((await fresh.send({ 0: write({ parts: [part(0, 'alive')] }) })).wrote).toBe(true);
  expect(await readdir(join(folder, 'shares/incoming/tahoe-mutable'))).toEqual([]);
});

/**
 * Has a process replace both shares `count` times, or die at `point`.
 *
 * @returns the last generation of which it said that it was written, and all changes of the disk
 *   until then
 */
async function replacements(
  slot: TestSlot,
  count: number,
  point?: object,
): Promise<{ readonly generation?: number; readonly changes?: number }> {
  const worker = await startWorker('replace', slot, count, point);
  let output = '';
  worker.stdout.on('data', (data) => {
    output += data;
  });
  expect(await once(worker, 'close')).toEqual(point === undefined ? [0, null] : [null, 'SIGKILL']);
  const told = output.split('\n').slice(0, -1);
  return JSON.parse(told.at(-1) ?? '{}');
}

/** The generation that share 0 is in. */
async function newestOf(slot: TestSlot): Promise<number> {
  const bytes = await slot.server.readShare(slot.storageIndex, 0, EVERYTHING);
  return Buffer.from(bytes).readDoubleBE();
}

/** Both shares are in the generation that was acknowledged, or in the one that was under way. */
async function expectWhole(slot: TestSlot, acknowledged: number): Promise<void> {
  expect(await slot.server.listShares(slot.storageIndex)).toEqual([0, 1]);
  for (const shnum of [0, 1]) {
    const bytes = await slot.server.readShare(slot.storageIndex, shnum, EVERYTHING);
    const n = Buffer.from(bytes).readDoubleBE();
    expect([acknowledged, acknowledged + 1]).toContain(n);
    expect(Buffer.compare(bytes, generation(n))).toBe(0);
  }
}
