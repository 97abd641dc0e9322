import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BadArgumentError } from '../../src/errors.ts';
import type { GridOptions } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { OperationOptions, Progress } from '../../src/runtime/options.ts';
import { platformClock } from '../../src/runtime/run.ts';
import { bytesOf, expectBytes, manyTurns, testGrid, testKey } from '../support/client-grid.ts';

const mine = new Error('mine');
const throws = () => {
  throw mine;
};

/** XState reports what a listener throws in a timer of its own: nothing may come there. */
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
  verify: [['mapping'], (file, options) => file.verify(options)],
  overwrite: [
    ['mapping', 'encoding', 'writing'],
    (file, options) => file.overwrite(bytesOf(300_000, 2), options),
  ],
  update: [
    ['mapping', 'reading', 'encoding', 'writing'],
    (file, options) => file.update(bytesOf(10, 2), 7, options),
  ],
  append: [
    ['mapping', 'encoding', 'writing'],
    (file, options) => file.append(bytesOf(300_000, 2), options),
  ],
  modify: [
    ['mapping', 'reading', 'encoding', 'writing'],
    (file, options) => file.modify((c) => c.subarray(1), options),
  ],
};

const cases = Object.entries(operations).flatMap(([name, [phases]]) =>
  phases.map((phase) => [name, phase] as const),
);

describe.each([
  ['throws', throws],
  ['rejects', () => Promise.reject(mine)],
])('an onProgress that %s', (how, fail) => {
  test.each(cases)('ends %s in the phase of %s with that error', async (name, phase) => {
    const { create } = testGrid();
    const file = await create('mdmf', bytesOf(300_000));
    const seen: string[] = [];
    const onProgress = (progress: Progress) => {
      seen.push(progress.phase);
      return progress.phase === phase ? (fail() as never) : undefined;
    };
    const [, run] = operations[name] as (typeof operations)[string];
    await expect(run(file, { onProgress })).rejects.toBe(mine);
    expect(seen).toContain(phase);
    // A write that was not under way yet has written nothing; what has landed has landed.
    if (phase !== 'writing') expectBytes(await file.read(), bytesOf(300_000));
    expect(how).toMatch(/throws|rejects/);
  });

  test('ends create', async () => {
    const { grid } = testGrid();
    for (const phase of ['mapping', 'encoding', 'writing']) {
      const onProgress = (progress: Progress) =>
        progress.phase === phase ? (fail() as never) : undefined;
      const creating = grid.create({ key: testKey, contents: bytesOf(10), onProgress });
      await expect(creating).rejects.toBe(mine);
    }
  });

  test('ends modify while it waits', async () => {
    const { create, another } = testGrid();
    const file = await create('mdmf', bytesOf(5));
    const other = another().open(file.writeCap);
    const waits: Progress[] = [];
    const onProgress = (progress: Progress) => {
      if (progress.phase !== 'waiting') return;
      waits.push(progress);
      return fail() as never;
    };
    const modifying = file.modify(
      async (contents) => {
        await other.overwrite(bytesOf(7));
        return contents;
      },
      { onProgress, attempts: 3, backoffMs: 600_000 },
    );
    await expect(modifying).rejects.toBe(mine);
    expect(waits).toEqual([{ phase: 'waiting', done: 1, total: 3, waitMs: expect.any(Number) }]);
  });
});

describe.each<[string, Partial<GridOptions>, unknown]>([
  ['an inspect function', { inspect: throws }, mine],
  ['an inspecting observer', { inspect: { next: throws } }, mine],
  ['an async inspect', { inspect: (() => Promise.reject(mine)) as () => void }, mine],
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
