import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BadArgumentError } from '../../src/errors.ts';
import type { GridOptions } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { OperationOptions, Progress } from '../../src/runtime/options.ts';
import { platformClock } from '../../src/runtime/run.ts';
import { builtPackage } from '../support/built.ts';
import { bytesOf, expectBytes, manyTurns, testGrid, testKey } from '../support/client-grid.ts';
import { vectorKey } from '../support/directories.ts';

const mine = new Error('mine');
const throws = () => {
  throw mine;
};

/** What XState rethrows in a timer, when a listener has thrown: there must be none. */
const stray: unknown[] = [];
const note = (error: unknown) => stray.push(error);
beforeAll(() => {
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
});
afterAll(async () => {
  await manyTurns();
  process.off('uncaughtException', note);
  process.off('unhandledRejection', note);
  expect(stray).toEqual([]);
});

/** Every operation, and the phases that it goes through on a file of three segments. */
const operations: Record<
  string,
  [Progress['phase'][], (file: MutableFile, options: OperationOptions) => Promise<unknown>]
> = {
  read: [['mapping', 'reading'], (file, options) => file.read(options)],
  stream: [
    ['mapping', 'reading'],
    async (file, options) => {
      for await (const _ of file.stream(options));
    },
  ],
  servermap: [['mapping'], (file, options) => file.servermap(options)],
  verify: [['mapping', 'reading'], (file, options) => file.verify(options)],
  renewLeases: [['leasing'], (file, options) => file.renewLeases(options)],
  overwrite: [
    ['mapping', 'encoding', 'writing'],
    (file, options) => file.overwrite(bytesOf(300_000, 2), options),
  ],
  update: [
    ['mapping', 'reading', 'encoding', 'writing'],
    (file, options) => file.update(bytesOf(10, 2), 7, options),
  ],
  append: [
    ['mapping', 'reading', 'encoding', 'writing'],
    (file, options) => file.append(bytesOf(300_000, 2), options),
  ],
  modify: [
    ['mapping', 'reading', 'encoding', 'writing'],
    (file, options) => file.modify((c) => c.subarray(1), options),
  ],
};

/** What a grid says when something that only looks on has thrown. */
interface Complaint {
  readonly callback?: string;
  readonly err?: unknown;
}

/** A log that keeps what is said of callbacks. */
function complaints() {
  const said: Complaint[] = [];
  const nothing = () => {};
  const log = {
    ...{ debug: nothing, info: nothing, warn: nothing },
    error: (facts: Complaint) => void said.push(facts),
  };
  return { said, log };
}

/** What the process is warned of. */
async function warnings(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const seen: Error[] = [];
  const listen = (warning: Error) => seen.push(warning);
  process.on('warning', listen);
  await work();
  await manyTurns();
  process.off('warning', listen);
  return seen.filter(({ name }) => name === 'TahoeMutableWarning').map(({ cause }) => cause);
}

const failures: readonly (readonly [string, () => unknown])[] = [
  ['throws', throws],
  ['rejects', () => Promise.reject(mine)],
];

describe.each(failures)('an onProgress that %s', (how, fail) => {
  const named = how === 'throws' ? Object.keys(operations) : ['overwrite'];
  test.each(named)('ends nothing: %s comes to its end', async (name) => {
    const { said, log } = complaints();
    const { create, another } = testGrid();
    const { writeCap } = await create('mdmf', bytesOf(300_000));
    const file = another({ log }).open(writeCap);
    const [phases, run] = operations[name] as (typeof operations)[string];
    const seen: string[] = [];
    const onProgress = ({ phase }: Progress) => {
      if (phase !== seen.at(-1)) seen.push(phase);
      return fail() as never;
    };
    await run(file, { onProgress });
    expect(seen).toEqual(phases);
    await manyTurns();
    // Once, however often it has thrown.
    expect(said).toEqual([{ callback: 'onProgress', err: mine }]);
  });

  test('is a warning of the process where there is no log', async () => {
    const file = await testGrid().create('mdmf', bytesOf(10));
    const overwriting = () => file.overwrite(bytesOf(20), { onProgress: fail as () => void });
    expect(await warnings(overwriting)).toEqual([mine]);
    expectBytes(await file.read(), bytesOf(20));
  });
});

describe.each<[string, (fail: () => unknown) => GridOptions['inspect']]>([
  ['function', (fail) => fail as () => void],
  ['observer', (fail) => ({ next: fail as () => void })],
])('an inspecting %s that fails', (_, inspectWith) => {
  test.each(failures)('(%s) ends nothing', async (_, fail) => {
    const { said, log } = complaints();
    const { create, another } = testGrid();
    const { writeCap } = await create('mdmf', bytesOf(10));
    const inspect = inspectWith(fail) as () => void;
    const file = another({ log, inspect }).open(writeCap);
    await file.overwrite(bytesOf(20));
    expectBytes(await file.read(), bytesOf(20));
    await manyTurns();
    const one = { callback: 'inspect', err: mine };
    expect(said).toEqual([one, one]);
    const unlogged = another({ inspect }).open(writeCap);
    expect(await warnings(() => unlogged.read())).toEqual([mine]);
  });
});

test.each(failures)(
  'a log that %s ends nothing, and the process is warned once',
  async (_, fail) => {
    const { create, another } = testGrid();
    const { writeCap } = await create('mdmf', bytesOf(10));
    const failing = fail as () => void;
    const log = { debug: failing, info: failing, warn: failing, error: failing };
    const seen = await warnings(async () => {
      const file = another({ log }).open(writeCap);
      await file.overwrite(bytesOf(20), { onProgress: throws });
      expectBytes(await file.read(), bytesOf(20));
    });
    expect(seen).toEqual([mine]);
  },
);

describe.each<[string, Partial<GridOptions>, unknown]>([
  ['a clock', { clock: { ...platformClock, setTimeout: throws } }, mine],
  ['a clock that cannot be stopped', { clock: { ...platformClock, clearTimeout: throws } }, mine],
  ['now', { now: throws }, mine],
  [
    'now that is no time',
    { now: () => Number.NaN },
    new BadArgumentError('now', 'did not give a finite number'),
  ],
])('%s that fails', (_, options, expected) => {
  test.each(Object.keys(operations))('ends %s with that error', async (name) => {
    const { create, another } = testGrid();
    const { writeCap } = await create('mdmf', bytesOf(300_000));
    const file = another(options).open(writeCap);
    const [, run] = operations[name] as (typeof operations)[string];
    const error = await run(file, {}).catch((e) => e);
    expect(error).toEqual(expected);
  });
});

test.each([
  ['throws', throws, mine],
  ['is none', () => 7, new BadArgumentError('random', 'did not give a number in [0, 1)')],
])('a random that %s ends modify with that error', async (_, random, expected) => {
  const { create, another } = testGrid();
  const { writeCap } = await create('mdmf', bytesOf(5));
  const file = another({ random }).open(writeCap);
  await expect(file.modify((c) => Uint8Array.of(...c, 1))).rejects.toEqual(expected);
  expectBytes(await file.read(), bytesOf(5));
});

test('modify rejects with nothing where nothing was thrown', async () => {
  const file = await testGrid().create('mdmf', bytesOf(300_000));
  const modifier = () => {
    throw undefined;
  };
  const ended = await file.modify(modifier).then(
    () => 'resolved',
    (error) => ({ error }),
  );
  expect(ended).toEqual({ error: undefined });
});

test.each(failures)(
  'contents for create, a modifier, a source and a date that fail (%s)',
  async (_, fail) => {
    const { grid, create, another } = testGrid();
    const contents = () => fail() as never;
    await expect(grid.create({ key: testKey, contents })).rejects.toBe(mine);
    const file = await create('mdmf', bytesOf(10));
    await expect(file.modify(fail as never)).rejects.toBe(mine);
    await expect(file.overwrite({ size: 10, read: fail as never })).rejects.toBe(mine);
    await expect(file.append({ size: 10, read: fail as never })).rejects.toBe(mine);
    expectBytes(await file.read(), bytesOf(10));
    const { writeCap } = await grid.createDirectory({ key: await vectorKey(0) });
    const adding = another({ date: throws }).openDirectory(writeCap).add('a', file);
    await expect(adding).rejects.toBe(mine);
  },
);

test('no callback ends the process', async () => {
  const program = fileURLToPath(new URL('../support/throwing-callbacks.mjs', import.meta.url));
  const key = Buffer.from(testKey.pkcs8).toString('base64');
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--no-warnings',
    ...[program, await builtPackage(), key],
  ]);
  const expected = ['throws', 'rejects'].flatMap((way) => [
    ...['onProgress', 'inspect', 'observer', 'log'].map((name) => [`${name} ${way}`, 'goes on']),
    ...['modifier', 'source', 'signal'].map((name) => [`${name} ${way}`, 'rejects with it']),
  ]);
  expect(JSON.parse(stdout)).toEqual({
    ...Object.fromEntries(expected),
    ...{ clock: 'rejects with it', now: 'rejects with it', 'clock rejects': 'rejects with it' },
    ...{ 'now rejects': 'BadArgumentError', 'random rejects': 'BadArgumentError' },
    // Only directories ask for it.
    'date rejects': 'goes on',
    // One of each that only looks on.
    warnings: 8,
  });
});
