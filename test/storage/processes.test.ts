/** The folder backend among processes that compete, and that are killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
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

async function startWorker(task: string, { storageIndex }: TestSlot, count = 0) {
  const built = await builtPackage();
  const slot = bytesToHex(storageIndex);
  const child = spawn(process.execPath, [WORKER, built, task, folder, slot, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
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

/**
 * Kills of whole-file writers are in test/client/processes.test.ts; these look at single
 * containers.
 */
const KILLS = 24;
const LANES = 4;
const SEED = Number(process.env.TAHOE_MUTABLE_SEED ?? Date.now() % 2 ** 31);

test(`a writer killed at any point (TAHOE_MUTABLE_SEED=${SEED}) leaves every share wholly old or new`, {
  timeout: 180_000,
}, async () => {
  const randomMs = randomDelays(SEED);
  let interrupted = 0;
  const lanes = Array.from({ length: LANES }, async () => {
    const slot = newSlot();
    const prefix = toBase32(slot.storageIndex).slice(0, 2);
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS / LANES; kill++) {
      acknowledged = await killOneWriter(slot, acknowledged, randomMs());
      await expectWhole(slot, acknowledged);
      const left = await readdir(join(folder, 'shares/incoming/tahoe-mutable'));
      if (left.some((name) => name.startsWith(`${prefix}-`))) interrupted += 1;
    }
    return slot;
  });
  const [survivor] = await Promise.all(lanes);
  // The kills did fall between the creation of a temporary file and its renaming.

  expect(interrupted).toBeGreaterThan(KILLS / 20);
  // Locks of the dead block nobody, and what they left is cleared away by the next writer.
  const fresh = Object.assign(newSlot(), { storageIndex: survivor?.storageIndex });
  expect((await fresh.send({ 0: write({ parts: [part(0, 'alive')] }) })).wrote).toBe(true);
  expect(await readdir(join(folder, 'shares/incoming/tahoe-mutable'))).toEqual([]);
});

/** The last generation that the writer said it had written before it died. */
async function killOneWriter(slot: TestSlot, acknowledged: number, delayMs: number) {
  const worker = await startWorker('replace', slot);
  let last = acknowledged;
  const lines = createInterface({ input: worker.stdout });
  const started = once(lines, 'line');
  lines.on('line', (line) => {
    last = Number(line);
  });
  const ended = once(lines, 'close');
  await Promise.race([started, ended]);
  // Not a wait for something to happen: the point of death is the random input of this test.
  await pause(delayMs);
  worker.kill('SIGKILL');
  expect(await once(worker, 'close')).toEqual([null, 'SIGKILL']);
  await ended;
  expect(last).toBeGreaterThan(acknowledged);
  return last;
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

/** Whole milliseconds from 0 to 24 (a replacement takes about ten), from a small generator. */
function randomDelays(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * 25);
  };
}
