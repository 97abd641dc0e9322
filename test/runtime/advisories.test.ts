/**
 * Advisories are a courtesy: a server that does not take them costs next to nothing. And what is
 * under way on a grid ends when that is closed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { utf8 } from '../../src/bytes.ts';
import { storageIndexOf } from '../../src/caps.ts';
import { GridClosedError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { Advisories, reasonMax, waitingMax } from '../../src/runtime/advisories.ts';
import { defaultDeadlines, type Engine } from '../../src/runtime/run.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { builtPackage } from '../support/built.ts';
import { altered, atRest, bytesOf, testGrid, testKey } from '../support/client-grid.ts';
import { HttpStorage } from '../support/http-storage.ts';

const storageIndex = new Uint8Array(16);

/** A server that is told of a corrupt share, and answers when the test does. */
function slowListener() {
  const told: { shnum: number; reason: string; signal: AbortSignal | undefined }[] = [];
  const answers: { resolve: () => void; reject: (problem: Error) => void }[] = [];
  const server: StorageServer = altered(new MemoryServer({ id: 's0' }), {
    adviseCorruptShare: (_, shnum, reason, options) => {
      told.push({ shnum, reason, signal: options?.signal });
      return new Promise<void>((resolve, reject) => answers.push({ resolve, reject }));
    },
  });
  return { server, told, answers, shnums: () => told.map(({ shnum }) => shnum) };
}

function advisoriesWith(clock: SimulatedClock): Advisories {
  const now = () => clock.now();
  const engine: Engine = { clock, now, random: () => 0.5, deadlines: defaultDeadlines };
  return new Advisories(engine);
}

describe('advisories', () => {
  test('reach a server one at a time, and others meanwhile', async () => {
    const advisories = advisoriesWith(new SimulatedClock());
    const [one, two] = [slowListener(), slowListener()];
    for (const shnum of [3, 4]) advisories.tell(one.server, storageIndex, shnum, 'rotten');
    advisories.tell(two.server, storageIndex, 5, 'rotten');
    expect([one.shnums(), two.shnums()]).toEqual([[3], [5]]);
    one.answers[0]?.resolve();
    await atRest();
    expect([one.shnums(), two.shnums()]).toEqual([[3, 4], [5]]);
  });

  test('are few and short: what comes beyond is dropped', async () => {
    const advisories = advisoriesWith(new SimulatedClock());
    const { server, told, answers } = slowListener();
    for (let shnum = 0; shnum < 10_000; shnum++) {
      advisories.tell(server, storageIndex, shnum, 'x'.repeat(5000));
    }
    for (let i = 0; i < 10_000 && answers[i] !== undefined; i++) {
      answers[i]?.resolve();
      await atRest();
    }
    expect(told.map(({ shnum, reason }) => [shnum, reason.length])).toEqual(
      Array.from({ length: 1 + waitingMax }, (_, shnum) => [shnum, reasonMax]),
    );
  });

  test('that take longer than a query are given up, with those that wait; later ones are sent', async () => {
    const clock = new SimulatedClock();
    const advisories = advisoriesWith(clock);
    const { server, told, shnums } = slowListener();
    for (const shnum of [0, 1, 2]) advisories.tell(server, storageIndex, shnum, 'rotten');
    clock.increment(defaultDeadlines.queryMs);
    await atRest();
    expect(told.map(({ signal }) => signal?.aborted)).toEqual([true]);
    advisories.tell(server, storageIndex, 3, 'rotten');
    expect(shnums()).toEqual([0, 3]);
  });

  test('that are refused drop those that wait behind them', async () => {
    const advisories = advisoriesWith(new SimulatedClock());
    const { server, shnums, answers } = slowListener();
    for (const shnum of [0, 1, 2]) advisories.tell(server, storageIndex, shnum, 'rotten');
    answers[0]?.reject(new Error(''));
    await atRest();
    expect(shnums()).toEqual([0]);
  });

  test('end when they are closed, and nothing waits then', async () => {
    const advisories = advisoriesWith(new SimulatedClock());
    const { server, told, shnums } = slowListener();
    for (const shnum of [0, 1, 2]) advisories.tell(server, storageIndex, shnum, 'rotten');
    advisories.close();
    expect(told[0]?.signal?.aborted).toBe(true);
    advisories.tell(server, storageIndex, 3, 'rotten');
    await atRest();
    expect(shnums()).toEqual([0, 3]);
  });
});

describe('a grid that is closed', () => {
  /** A grid whose servers, when told to, answer nothing more. */
  function fallingSilent() {
    let isSilent = false;
    let asked = 0;
    const never = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    const made = testGrid({
      wrap: (server) =>
        altered(server, {
          listShares: (...args) => (isSilent ? never() : server.listShares(...args)),
          readShare: (...args) => (isSilent ? never() : server.readShare(...args)),
          readTestWrite: (...args) => (isSilent ? never() : server.readTestWrite(...args)),
        }),
    });
    const setSilent = (silent: boolean) => {
      isSilent = silent;
    };
    return { ...made, setSilent, asked: () => asked };
  }

  test('ends every operation under way and those in the queue, and can be used again', async () => {
    const { grid, create, setSilent, asked } = fallingSilent();
    const file = await create('mdmf', utf8('first'));
    setSilent(true);
    const operations = [
      file.overwrite(utf8('second')),
      file.overwrite(utf8('third')),
      file.modify(() => utf8('fourth')),
      file.read(),
      file.servermap(),
      grid.create({ key: testKey }),
    ];
    const outcomes = Promise.allSettled(operations);
    await atRest();
    const before = asked();
    grid.close();
    for (const outcome of await outcomes) {
      expect(outcome).toEqual({ status: 'rejected', reason: new GridClosedError() });
    }
    // Nobody was asked anything after that.
    expect([before > 0, asked()]).toEqual([true, before]);
    setSilent(false);
    expect(await file.read()).toEqual(utf8('first'));
  });
});

test('a process ends when its grid is closed, whatever a server does with advisories', async () => {
  const backing = new MemoryServer({ id: 's0' });
  const encoding = { required: 1, happy: 1, total: 12 };
  const local = new Grid({ servers: [backing], encoding });
  const contents = 'read in spite of it';
  const file = await local.create({ key: testKey, format: 'sdmf', contents: utf8(contents) });
  // More rotten keys than there are connections.
  const index = storageIndexOf(file.cap);
  for (let shnum = 0; shnum < 8; shnum++)
    diskOf(backing).overwriteShare(index, shnum, 110, bytesOf(9));
  const storage = await HttpStorage.start(backing);
  let advised = () => {};
  const isAdvised = new Promise<void>((resolve) => {
    advised = resolve;
  });
  storage.misbehaviour = (request, response, answer) => {
    if (!request.url?.endsWith('/corrupt')) return answer();
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
    return advised();
  };
  const folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-advisories-'));
  const script = join(folder, 'read.mjs');
  await writeFile(script, READER);
  const input = { nurl: storage.nurl, cap: file.readCap };
  const env = { SRC: pathToFileURL(await builtPackage()).href, INPUT: JSON.stringify(input) };
  const reader = spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(reader, 'exit');
  const late = setTimeout(() => reader.kill(), 20_000);
  const said: Buffer[] = [];
  reader.stdout.on('data', (bytes: Buffer) => said.push(bytes));
  await Promise.race([isAdvised, ended]);
  reader.stdin.end('enough');
  expect(await ended).toEqual([0, null]);
  clearTimeout(late);
  expect(Buffer.concat(said).toString()).toBe(contents);
  await storage.stop();
  await rm(folder, { recursive: true });
}, 60_000);

const READER = `
const { Grid } = await import(process.env.SRC + '/index.js');
const { HttpServer, parseNurl } = await import(process.env.SRC + '/node.js');
const { nurl, cap } = JSON.parse(process.env.INPUT);
const seeds = { tubId: new Uint8Array(20), permutationSeed: new Uint8Array(1) };
const grid = new Grid({ servers: [new HttpServer({ id: 's0', ...seeds, nurls: [parseNurl(nurl)] })] });
process.stdout.write(await grid.open(cap).read());
process.stdin.on('data', () => grid.close());
`;
