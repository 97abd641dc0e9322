/**
 * Three writers at one directory, which know nothing of each other: two processes of this client, and
 * Tahoe's own. While that one writes nothing is promised to anybody (docs/publish.md, "Beside Tahoe's
 * own writers"): it goes by the highest root hash, also where that is of fewer servers. On a busy
 * machine a name or two were lost in every third run. What ours add once it is silent is there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { openGrid } from '../../src/node.ts';
import { builtPackage } from '../support/built.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

const ADDER = join(import.meta.dirname, '../support/name-adder.mjs');
/** Names that each adds. */
const count = 30;

let real: RealGrid;
let theirs: Gateway;
beforeAll(async () => {
  real = await startRealGrid();
  theirs = await real.gateway();
});
afterAll(() => real.close());

/**
 * Tahoe's client gives up when it meets others; its user tries again. Or it never answers, and keeps
 * what comes later waiting behind that: then at another gateway.
 */
async function addTheirs(cap: string, name: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const signal = AbortSignal.timeout(20_000);
    try {
      return await theirs.putChild(cap, name, utf8('theirs'), signal);
    } catch (error) {
      if (tries === 300) throw error;
      if (signal.aborted) theirs = await anotherGateway();
    }
  }
}

/** One encoding has one gateway; files keep theirs. */
let happy = 7;
const anotherGateway = () => real.gateway({ needed: 3, happy: --happy, total: 10 });

/** Ours, each a process of its own. */
async function addOurs(cap: string, names: readonly string[]): Promise<void> {
  const built = await builtPackage();
  const ends = names.map(async (name) => {
    const json = JSON.stringify({ folder: theirs.folder, cap, name, count });
    const child = spawn(process.execPath, [ADDER, built, json], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect([name, ...(await once(child, 'close'))]).toEqual([name, 0, null]);
  });
  await Promise.all(ends);
}

const namesBy = (...writers: readonly string[]) =>
  writers.flatMap((name) => Array.from({ length: count }, (_, n) => `${name} ${n}`));

test('three writers at once all come to their end, and what ours add after that stays', {
  timeout: 600_000,
}, async () => {
  // What Tahoe's client makes by itself.
  const cap = await theirs.mkdir('sdmf');
  const ends = addOurs(cap, ['one', 'two']);
  for (let n = 0; n < count; n++) await addTheirs(cap, `theirs ${n}`);
  await ends;
  const ours = await openGrid(theirs.folder, { inspect });
  try {
    const directory = ours.openDirectory(cap);
    const list = async () => (await directory.list()).map(({ name }) => name);
    const listed = await list();
    const lost = namesBy('one', 'theirs', 'two').filter((name) => !listed.includes(name));
    console.info(`of ${3 * count} names, lost while Tahoe's client wrote: ${lost.length}`);
    expect(listed.length).toBeGreaterThan(0.9 * 3 * count);
    await addOurs(cap, ['four', 'three']);
    const all = [...listed, ...namesBy('four', 'three')].sort();
    expect(await list()).toEqual(all);
    expect(Object.keys((await theirs.list(cap))[1].children).sort()).toEqual(all);
    expect(await directory.file?.verify()).toMatchObject({ isHealthy: true, bad: [] });
  } finally {
    ours.close();
  }
});
