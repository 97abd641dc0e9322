import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import type { Format } from '../../src/caps.ts';
import {
  OutOfRangeError,
  ServerUnavailableError,
  UncoordinatedWriteError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import type { Progress } from '../../src/runtime/options.ts';
import type { Clock } from '../../src/runtime/run.ts';
import type { ProgramClient } from '../../src/simulation/operations.ts';
import { Prng } from '../../src/simulation/prng.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  holdings,
  passTime,
  putShare,
  shareOf,
  testGrid,
} from '../support/client-grid.ts';
import { oneEach, randomOrder, Schedule, scheduleSeed } from '../support/schedule.ts';

const formats = ['sdmf', 'mdmf'] as const;

/** `contents` with a line behind it, unless it has the line. */
function withLine(contents: Uint8Array, line: string): Uint8Array | undefined {
  const text = new TextDecoder().decode(contents);
  if (text.split('\n').includes(line)) return undefined;
  return new TextEncoder().encode(`${text}${line}\n`);
}

describe.each(formats)('modifying a %s file', (format) => {
  test('writes what the modifier makes of the contents', async () => {
    const { create } = testGrid();
    const file = await create(format, bytesOf(100));
    const seen: unknown[] = [];
    const outcome = await file.modify(async (contents, about) => {
      seen.push(about);
      expectBytes(contents, bytesOf(100));
      return contents.subarray(50);
    });
    expect(outcome).toMatchObject({ seqnum: 2, quorum: 7, missing: [], inPlace: false });
    expect(outcome?.placed.length).toBe(10);
    expect(seen).toEqual([{ attempt: 0, seqnum: 1 }]);
    expectBytes(await file.read(), bytesOf(100).subarray(50));
    await file.modify(() => new Uint8Array(0));
    expect(await file.read()).toEqual(new Uint8Array(0));
    await file.modify((contents) => Uint8Array.of(...contents, 7));
    expect(await file.read()).toEqual(Uint8Array.of(7));
  });

  test('writes nothing when no change is wanted', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(100));
    const before = holdings(servers, file.cap).map((held) => shareOf(held, file.cap));
    expect(await file.modify(() => undefined)).toBe(undefined);
    expect(holdings(servers, file.cap).map((held) => shareOf(held, file.cap))).toEqual(before);
  });

  test('fails with what the modifier throws, and writes nothing', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(100));
    const before = holdings(servers, file.cap).map((held) => shareOf(held, file.cap));
    const mine = new Error('mine');
    const thrown = () => {
      throw mine;
    };
    await expect(file.modify(thrown)).rejects.toBe(mine);
    await expect(file.modify(() => Promise.reject(mine))).rejects.toBe(mine);
    expect(holdings(servers, file.cap).map((held) => shareOf(held, file.cap))).toEqual(before);
  });

  test('gives the modifier bytes of its own', async () => {
    const { create } = testGrid();
    const file = await create(format, bytesOf(100));
    await file.modify((contents) => {
      contents.fill(0);
      return undefined;
    });
    expectBytes(await file.read(), bytesOf(100));
  });

  test('starts from what is there, not from what this client wrote last', async () => {
    const { create, another } = testGrid();
    const file = await create(format);
    const other = another().open(file.writeCap);
    for (const [n, writer] of [file, other, file, other].entries()) {
      await writer.modify((contents) => withLine(contents, `line ${n}`));
    }
    expect(new TextDecoder().decode(await file.read())).toBe('line 0\nline 1\nline 2\nline 3\n');
  });

  test('does its change again from what another writer left', async () => {
    const clock = new SimulatedClock();
    const { create, another } = testGrid({ clock, random: () => 0.5 });
    const file = await create(format);
    const other = another().open(file.writeCap);
    const attempts: unknown[] = [];
    const modifying = file.modify(async (contents, about) => {
      attempts.push({ ...about, contents: new TextDecoder().decode(contents) });
      // The other one is faster, twice.
      if (about.attempt < 2) await other.modify((c) => withLine(c, `other ${about.attempt}`));
      return withLine(contents, 'mine');
    });
    await passTime(clock, modifying);
    expect((await modifying)?.seqnum).toBe(4);
    expect(attempts).toEqual([
      { attempt: 0, seqnum: 1, contents: '' },
      { attempt: 1, seqnum: 2, contents: 'other 0\n' },
      { attempt: 2, seqnum: 3, contents: 'other 0\nother 1\n' },
    ]);
    expect(new TextDecoder().decode(await file.read())).toBe('other 0\nother 1\nmine\n');
  });

  test('waits longer after each collision, and gives up after the last attempt', async () => {
    const waits: number[] = [];
    const clock: Clock = {
      setTimeout: (callback, ms) => {
        // A wait is a whole number of milliseconds below any deadline's.
        if (ms > 900 || !Number.isInteger(ms)) return undefined;
        waits.push(ms);
        return setImmediate(callback);
      },
      clearTimeout: () => {},
    };
    const { create, another } = testGrid({ clock, random: () => 0.75 });
    const file = await create(format);
    const other = another().open(file.writeCap);
    let calls = 0;
    const error = await file
      .modify(
        async (contents) => {
          calls += 1;
          await other.append(Uint8Array.of(calls));
          return Uint8Array.of(99, ...contents);
        },
        { attempts: 5, backoffMs: 10 },
      )
      .catch((e) => e);
    expect(error).toBeInstanceOf(UncoordinatedWriteError);
    expect(error.facts).toMatchObject({ seqnum: 6, quorum: 7, placed: [], attempts: 5 });
    expect(error.message).toMatch(
      /^somebody else has written to this file at each of 5 attempts, the last time share \d on s\d+(, share \d on s\d+)*; try again when fewer write, or with more `attempts` or a longer `backoffMs`$/,
    );
    expect(calls).toBe(5);
    // 10 e^i ms, jittered to 125 %.
    expect(waits).toEqual([13, 34, 92, 251]);
    expect(await file.read()).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  });

  test('writes once more after a collision even if its change is there already', async () => {
    const clock = new SimulatedClock();
    const { create, another } = testGrid({ clock });
    const file = await create(format);
    const other = another().open(file.writeCap);
    const modifying = file.modify(async (contents, { attempt }) => {
      if (attempt === 0) await other.modify((c) => withLine(c, 'mine'));
      return withLine(contents, 'mine');
    });
    await passTime(clock, modifying);
    expect((await modifying)?.seqnum).toBe(3);
    expect(new TextDecoder().decode(await file.read())).toBe('mine\n');
  });

  test('builds on the newer of two versions that can be read, and leaves one', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(10));
    const held = holdings(servers, file.cap);
    const old = held.map((h) => shareOf(h, file.cap));
    await file.overwrite(bytesOf(20, 2));
    for (const [i, { server, shnum }] of held.entries()) {
      if (i < 5) await putShare(server, file.cap, shnum, old[i] as Uint8Array);
    }
    const outcome = await file.modify((contents) => Uint8Array.of(...contents, 1));
    expect(outcome?.seqnum).toBe(3);
    expectBytes(await file.read(), Uint8Array.of(...bytesOf(20, 2), 1));
    expect((await file.verify()).isHealthy).toBe(true);
  });

  test('reports its progress attempt by attempt', async () => {
    const { create } = testGrid();
    const file = await create(format, bytesOf(100));
    const events: Progress[] = [];
    await file.modify((c) => Uint8Array.of(...c, 1), { onProgress: (e) => events.push(e) });
    const phases = events.map(({ phase }) => phase).filter((p, i, all) => p !== all[i - 1]);
    expect(phases).toEqual(['mapping', 'reading', 'encoding', 'writing']);
    expect(events.every(({ done, total }) => done <= total)).toBe(true);
  });
});

test('modifying needs at least one attempt, and a wait that can be', async () => {
  const { create } = testGrid();
  const file = await create('mdmf');
  const whole = 'must be a whole number from 0 to 2^53-1';
  await expect(file.modify((c) => c, { attempts: 0 })).rejects.toThrowError(
    new OutOfRangeError('attempts', 0, 'must be from 1 to 1000'),
  );
  await expect(file.modify((c) => c, { attempts: 1.5 })).rejects.toThrowError(
    new OutOfRangeError('attempts', 1.5, whole),
  );
  await expect(file.modify((c) => c, { backoffMs: -1 })).rejects.toThrowError(
    new OutOfRangeError('backoffMs', -1, whole),
  );
});

test('modifying does not try again what trying again cannot help', async () => {
  const gone = new Set<string>();
  const wrap = (server: StorageServer) =>
    altered(server, {
      listShares: async (...args) => {
        if (gone.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
        return server.listShares(...args);
      },
    });
  const { create, servers } = testGrid({ wrap });
  const file = await create('mdmf', bytesOf(10));
  for (const { id } of servers) gone.add(id);
  const error = await file.modify((c) => c).catch((e) => e);
  expect(error).toBeInstanceOf(UnrecoverableFileError);
  expect(error.message).toBe(
    'no version can be read: no good share found (0 of 13 servers answered; last failure: server s12: gone)',
  );
});

describe('two writers whose calls are answered in any order', { timeout: 120_000 }, () => {
  const runs = 40;
  const changes = 2;

  /** Each writer makes its changes one after the other. @returns those that were acknowledged */
  async function compete(seed: number, format: Format, faults: boolean) {
    const contents = () => new Uint8Array(0);
    const encoding = { required: 2, happy: 4, total: 5 };
    const schedule = await Schedule.of({
      seed,
      format,
      encoding,
      contents,
      servers: oneEach(5, 6),
    });
    const prng = new Prng(seed);
    if (faults) {
      for (const name of ['A', 'B']) {
        schedule.fail(`${name} s${prng.below(6)}`, prng.chance(0.5) ? 'answerLost' : 'lost', 3);
      }
    }
    let collisions = 0;
    const write =
      (name: string) =>
      async ({ file }: ProgramClient) => {
        const acknowledged: string[] = [];
        for (let n = 0; n < changes; n++) {
          const line = `${name}${n}`;
          const modifier = (before: Uint8Array, { attempt }: { attempt: number }) => {
            if (attempt > 0) collisions += 1;
            return withLine(before, line);
          };
          await file.modify(modifier, { attempts: 60, backoffMs: 0 });
          acknowledged.push(line);
        }
        return acknowledged;
      };
    const both = [await schedule.start('A', write('A')), await schedule.start('B', write('B'))];
    const order = randomOrder(seed);
    // Waits end at any time, like messages; no deadline ever comes.
    await schedule.until(
      () => both.every((run) => run.isOver()),
      (messages, world) => {
        const isWaiting = world.nextDue === world.now;
        return isWaiting && prng.below(messages.length + 1) === 0
          ? undefined
          : order(messages, world);
      },
    );
    expect(schedule.world.now).toBe(0);
    const acknowledged = await Promise.all(both.map(({ result }) => result));
    const text = new TextDecoder().decode(await schedule.observer().read());
    const lines = text.split('\n').slice(0, -1);
    return { acknowledged: acknowledged.flat(), lines, collisions };
  }

  test.each(formats)(
    `lose no change, and make none twice (%s, SCHEDULE_SEED=${scheduleSeed})`,
    async (format) => {
      let collided = 0;
      for (let run = 0; run < runs / 2; run++) {
        const seed = scheduleSeed + run;
        const { acknowledged, lines, collisions } = await compete(seed, format, run % 2 === 1);
        collided += collisions;
        expect({ seed, acknowledged }).toEqual({ seed, acknowledged: ['A0', 'A1', 'B0', 'B1'] });
        expect({ seed, lines: lines.toSorted() }).toEqual({ seed, lines: acknowledged });
      }
      expect(collided).toBeGreaterThan(runs / 2);
    },
  );
});
