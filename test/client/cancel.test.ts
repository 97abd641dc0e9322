import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { OperationOptions } from '../../src/runtime/options.ts';
import type { Clock } from '../../src/runtime/run.ts';
import type { CallOptions, StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  manyTurns,
  passTime,
  type TestGrid,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const before = bytesOf(140_000, 1);
const after = bytesOf(40_000, 2);

/** Counts calls, and does something when one of them is made. */
interface Watch {
  calls: number;
  /** Signals that calls were given. */
  signals: (AbortSignal | undefined)[];
  onCall: (call: number) => void;
}

function watched(watch: Watch) {
  const count = (options: CallOptions | undefined) => {
    watch.signals.push(options?.signal);
    watch.onCall(watch.calls++);
  };
  return (server: StorageServer) =>
    altered(server, {
      listShares: async (index, options) => {
        count(options);
        return server.listShares(index, options);
      },
      readShare: async (index, shnum, range, options) => {
        count(options);
        return server.readShare(index, shnum, range, options);
      },
      readTestWrite: async (index, request, options) => {
        count(options);
        return server.readTestWrite(index, request, options);
      },
    });
}

type Operation = (file: MutableFile, grid: TestGrid, options: OperationOptions) => Promise<unknown>;

const operations: [string, Operation][] = [
  ['reading', (file, _, options) => file.read(options)],
  ['reading a part', (file, _, options) => file.read({ offset: 131_070, length: 9, ...options })],
  ['streaming', async (file, _, options) => drained(file.stream(options))],
  ['mapping', (file, _, options) => file.servermap({ mode: 'repair', ...options })],
  ['verifying', (file, _, options) => file.verify(options)],
  ['overwriting', (file, _, options) => file.overwrite(after, options)],
  ['updating', (file, _, options) => file.update(bytesOf(50), 1000, options)],
  ['appending', (file, _, options) => file.append(bytesOf(50), options)],
  ['modifying', (file, _, options) => file.modify(() => after, options)],
];

describe.each(operations)('%s can be given up', (_, operate) => {
  test.each(['sdmf', 'mdmf'] as const)('at any time (%s)', async (format) => {
    const watch: Watch = { calls: 0, signals: [], onCall: () => {} };
    const whole = testGrid({ wrap: watched(watch) });
    const opened = whole.another().open((await whole.create(format, before)).writeCap);
    watch.calls = 0;
    await operate(opened, whole, {});
    const calls = watch.calls;
    expect(calls).toBeGreaterThan(5);

    for (const at of [0, ...[0.4, 0.6, 0.8, 1].map((x) => Math.ceil(x * calls) - 1)]) {
      const grid = testGrid({ wrap: watched(watch) });
      const { writeCap } = await grid.create(format, before);
      const file = grid.another().open(writeCap);
      const controller = new AbortController();
      const reason = new Error(`at call ${at}`);
      Object.assign(watch, { calls: 0, signals: [] });
      watch.onCall = (call) => {
        if (call === at) controller.abort(reason);
      };
      await expect(operate(file, grid, { signal: controller.signal })).rejects.toBe(reason);
      watch.onCall = () => {};
      await manyTurns();
      const made = watch.calls;
      await manyTurns();
      expect(watch.calls).toBe(made);
      // Nothing is half written, and the next in line gets its turn.
      const contents = await file.read();
      const isOne = (one: Uint8Array) => Buffer.compare(one, contents) === 0;
      expect([before, after, ...edited(before)].filter(isOne).length).toBe(1);
      await file.overwrite(after, { force: true });
      expectBytes(await file.read(), after);
    }
  });

  test('before it begins', async () => {
    const watch: Watch = { calls: 0, signals: [], onCall: () => {} };
    const grid = testGrid({ wrap: watched(watch) });
    const file = await grid.create('mdmf', before);
    watch.calls = 0;
    const reason = new Error('never mind');
    const signal = AbortSignal.abort(reason);
    await expect(operate(file, grid, { signal })).rejects.toBe(reason);
    await manyTurns();
    expect(watch.calls).toBe(0);
    // Without a reason it is the platform's own.
    await expect(operate(file, grid, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

async function drained(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What the two in-place operations make of the contents. */
function edited(contents: Uint8Array): Uint8Array[] {
  const updated = contents.slice();
  updated.set(bytesOf(50), 1000);
  return [updated, Buffer.concat([contents, bytesOf(50)])];
}

describe('creating can be given up', () => {
  test('while it writes; a new attempt with the key finds what is there', async () => {
    const watch: Watch = { calls: 0, signals: [], onCall: () => {} };
    const grid = testGrid({ wrap: watched(watch) });
    const controller = new AbortController();
    const reason = new Error('enough');
    watch.onCall = (call) => {
      if (call === 4) controller.abort(reason);
    };
    const { signal } = controller;
    const options = { key: testKey, contents: before, signal };
    await expect(grid.grid.create(options)).rejects.toBe(reason);
    expect(watch.signals.every((given) => given !== undefined)).toBe(true);
  });

  test('before it begins', async () => {
    const { grid } = testGrid();
    const reason = new Error('never mind');
    const options = { key: testKey, signal: AbortSignal.abort(reason) };
    await expect(grid.create(options)).rejects.toBe(reason);
  });
});

test('the signal reaches the servers', async () => {
  const given: AbortSignal[] = [];
  const wrap = (server: StorageServer) =>
    altered(server, {
      listShares: (_, options) => {
        if (options?.signal !== undefined) given.push(options.signal);
        return new Promise(() => {});
      },
    });
  const { another } = testGrid({ wrap });
  const file = another().open((await testGrid().create('mdmf')).readCap);
  const controller = new AbortController();
  const reading = file.read({ signal: controller.signal });
  await manyTurns();
  expect(given.map(({ aborted }) => aborted)).toEqual(Array(7).fill(false));
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(reading).rejects.toBe(reason);
  expect(given.map(({ aborted }) => aborted)).toEqual(Array(7).fill(true));
});

test('a writer that waits for its turn can give up, and the others do not notice', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { create } = testGrid();
  const file = await create('mdmf', bytesOf(3));
  const first = file.modify(async (contents) => {
    await held;
    return Uint8Array.of(...contents, 1);
  });
  const controller = new AbortController();
  const second = file.append(Uint8Array.of(2), { signal: controller.signal });
  const third = file.append(Uint8Array.of(3));
  const reason = new Error('too slow');
  controller.abort(reason);
  await expect(second).rejects.toBe(reason);
  release();
  expect((await first)?.seqnum).toBe(2);
  expect((await third).seqnum).toBe(3);
  expect(await file.read()).toEqual(Uint8Array.of(...bytesOf(3), 1, 3));
});

test('a modifier that waits for the other writer can be given up while it waits', async () => {
  const clock = new SimulatedClock();
  const { create, another } = testGrid({ clock });
  const file = await create('mdmf', bytesOf(3));
  const other = another().open(file.writeCap);
  const controller = new AbortController();
  const reason = new Error('too slow');
  let calls = 0;
  const modifying = file.modify(
    async (contents) => {
      calls += 1;
      await other.append(Uint8Array.of(9));
      return Uint8Array.of(...contents, 1);
    },
    { signal: controller.signal },
  );
  modifying.catch(() => {});
  // The clock stands still, so the first wait never ends.
  await manyTurns();
  controller.abort(reason);
  await expect(modifying).rejects.toBe(reason);
  expect(calls).toBe(1);
  expect(await file.read()).toEqual(Uint8Array.of(...bytesOf(3), 9));
});

test('progress stops with the operation', async () => {
  const { create } = testGrid();
  const file = await create('mdmf', before);
  const controller = new AbortController();
  let isOver = false;
  const overwriting = file.overwrite(after, {
    signal: controller.signal,
    onProgress: ({ phase }) => {
      expect(isOver).toBe(false);
      if (phase === 'encoding') controller.abort(new Error('enough'));
    },
  });
  await expect(overwriting).rejects.toThrowError('enough');
  isOver = true;
  await manyTurns();
});

describe.each(operations)('%s leaves nothing running behind it', (_, operate) => {
  test.each([
    ['that it needs', [0, 4, 9]],
    ['that it could do without', [9]],
  ])('when a server %s falls silent half way', async (_, silent) => {
    const clock = new SimulatedClock();
    const timers = new Set<unknown>();
    const counting: Clock = {
      setTimeout: (callback, ms) => {
        const fire = () => {
          timers.delete(id);
          callback();
        };
        const id = clock.setTimeout(fire, ms);
        timers.add(id);
        return id;
      },
      clearTimeout: (id) => {
        timers.delete(id);
        clock.clearTimeout(id as number);
      },
    };
    let isSilent = false;
    const waiting = new Set<AbortSignal | undefined>();
    const wrap = (server: StorageServer) =>
      altered(server, {
        // The first bytes of shares still come; later ones do not, or are other ones (share 8).
        readShare: async (index, shnum, range, options) => {
          if (!isSilent || range.offset === 0 || !silent.includes(shnum)) {
            const bytes = await server.readShare(index, shnum, range, options);
            return isSilent && range.offset > 0 && shnum === 8 ? bytes.fill(7) : bytes;
          }
          waiting.add(options?.signal);
          return new Promise(() => {});
        },
      });
    const grid = testGrid({ wrap, clock: counting, now: () => clock.now() });
    const file = await grid.create('mdmf', before);
    isSilent = true;
    const running = operate(grid.another().open(file.writeCap), grid, {});
    await passTime(clock, running);
    await running;
    await manyTurns();
    expect(timers.size).toBe(0);
    expect([...waiting].filter((signal) => signal?.aborted !== true)).toEqual([]);
  });
});
