/**
 * @module program: one small embedder, run by each of the platforms' runtimes against the packed
 * package: it does what its argument names, and prints one line: how that ended.
 *
 * Plain JavaScript and nothing of the repository: it is what somebody outside would write.
 */
import { open, readFile } from 'node:fs/promises';
import { Grid, MemoryServer } from 'tahoe-mutable';
import { createGridFolder, HttpServer, openGrid, parseNurl } from 'tahoe-mutable/node';
import { expectSame, useBoth, useGrid } from './use-grid.mjs';

const { folder, otherFolder, heldLock, nurls, wrongNurls } = JSON.parse(
  await readFile(new URL('setting.json', import.meta.url), 'utf8'),
);
const encoding = { required: 1, happy: 2, total: 3 };
const bytes = (text) => new TextEncoder().encode(text);
const textOf = (contents) => new TextDecoder().decode(contents);

const memoryServers = () => [0, 1, 2].map((i) => new MemoryServer({ id: `m${i}` }));

const httpServers = (addresses) =>
  addresses.map((nurl, i) => {
    const seeds = { tubId: new Uint8Array(20).fill(i), permutationSeed: bytes(`h${i}`) };
    return new HttpServer({ id: `h${i}`, nickname: `h${i}`, ...seeds, nurls: [parseNurl(nurl)] });
  });

/** The error that a call must end with. */
async function errorOf(work) {
  const error = await work.then(
    () => undefined,
    (problem) => problem,
  );
  if (error === undefined) throw new Error('it did not fail');
  return error;
}

const features = {
  async memory() {
    await useGrid(new Grid({ servers: memoryServers(), encoding }));
  },

  async folder() {
    await createGridFolder(folder, { servers: 3, encoding });
    await useGrid(await openGrid(folder));
  },

  /** What another process has written. */
  async 'folder read'() {
    const { path, readCap } = otherFolder;
    const grid = await openGrid(path, { leaseSecret: new Uint8Array(32) });
    expectSame(textOf(await grid.open(readCap).read()), 'written by Node');
  },

  /** That of another process is seen, and so is one's own. */
  async lock() {
    const { tryLock } = await import('fs-native-extensions');
    const [held, free, again] = [heldLock, `${folder}-lock`, `${folder}-lock`];
    const files = await Promise.all([held, free, again].map((path) => open(path, 'a+')));
    expectSame(
      files.map(({ fd }) => tryLock(fd)),
      [false, true, false],
    );
    for (const file of files) await file.close();
  },

  /** Where the lock cannot be had, a write says so, and nothing is half-written. */
  async 'folder refusal'() {
    await createGridFolder(folder, { servers: 3, encoding });
    const grid = await openGrid(folder);
    const error = await errorOf(grid.create({ contents: bytes('x') }));
    expectSame([error.code, error.facts.placed], ['NotEnoughServersError', []]);
    throw error;
  },

  async https() {
    const grid = new Grid({ servers: httpServers(nurls), encoding });
    await useGrid(grid);
    grid.close();
  },

  /** A server with another key than its address names is told nothing. */
  async pin() {
    const grid = new Grid({ servers: httpServers(wrongNurls), encoding });
    const error = await errorOf(grid.create({ contents: bytes('x') }));
    grid.close();
    throw error;
  },

  /** What browsers have instead of Node's: each reads what the other has written. */
  async 'portable crypto'() {
    const path = './node_modules/tahoe-mutable/dist/src/crypto/portable.js';
    const { primitives } = await import(new URL(path, import.meta.url).href);
    const servers = memoryServers();
    const portable = new Grid({ servers, encoding, primitives });
    await useGrid(portable);
    const usual = new Grid({ servers, encoding });
    await useBoth(portable, usual);
  },
};

const feature = process.argv[2];
const answer = await features[feature]().then(
  () => 'ok',
  (error) => `${error.code ?? error.name}: ${error.message}`,
);
console.log(answer);
