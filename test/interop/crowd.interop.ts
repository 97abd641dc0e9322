/**
 * Three writers at one directory, which know nothing of each other: two processes of this client, and
 * Tahoe's own.
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
const count = 40;

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

test('of 120 names that three writers add at once all are there', {
  timeout: 600_000,
}, async () => {
  // What Tahoe's client makes by itself.
  const cap = await theirs.mkdir('sdmf');
  const built = await builtPackage();
  const children = ['one', 'two'].map((name) => {
    const json = JSON.stringify({ folder: theirs.folder, cap, name, count });
    return spawn(process.execPath, [ADDER, built, json], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  });
  const ends = Promise.all(children.map((child) => once(child, 'close')));
  for (let n = 0; n < count; n++) await addTheirs(cap, `theirs ${n}`);
  expect(await ends).toEqual([
    [0, null],
    [0, null],
  ]);
  const names = ['one', 'theirs', 'two'].flatMap((name) =>
    Array.from({ length: count }, (_, n) => `${name} ${n}`),
  );
  const ours = await openGrid(theirs.folder, { inspect });
  try {
    const directory = ours.openDirectory(cap);
    const listed = (await directory.list()).map(({ name }) => name);
    expect(listed).toEqual(names.toSorted());
    expect(Object.keys((await theirs.list(cap))[1].children).sort()).toEqual(names.toSorted());
    expect(await directory.file?.verify()).toMatchObject({ isHealthy: true, bad: [] });
  } finally {
    ours.close();
  }
});
