/**
 * @module hazards: what other writers, growing grids and late answers can do to a file; by the
 * names that test/scenarios/README.md gives them.
 */
import { describe, expect, test } from 'vitest';
import { highestSeqnum, type Servermap } from '../../machines/servermap.ts';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import type { Format } from '../../src/caps.ts';
import { defaultEncoding } from '../../src/encoding.ts';
import { NotEnoughServersError, UncoordinatedWriteError } from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { ProgramClient } from '../../src/simulation/operations.ts';
import type { ShareSpec } from '../../src/simulation/world.ts';
import { bytesOf, testGrid } from '../support/client-grid.ts';
import { oneEach, onlyOf, type Run, Schedule } from '../support/schedule.ts';

const formats = ['sdmf', 'mdmf'] as const;
const text = async (file: MutableFile) => new TextDecoder().decode(await file.read());

/** A small file, 3 of 10, on ten servers or more. */
function small(format: Format, servers = oneEach(10), seed = 0): Promise<Schedule> {
  const contents = () => utf8('base\n');
  return Schedule.of({ format, encoding: defaultEncoding, contents, servers, seed });
}

/** Adds a line unless it is there. */
const addLine =
  (line: string) =>
  ({ file }: ProgramClient) =>
    file.modify((contents) => {
      const has = new TextDecoder().decode(contents).includes(line);
      return has ? undefined : concatBytes(contents, utf8(`${line}\n`));
    });

const overwrite =
  (contents: string) =>
  ({ file }: ProgramClient) =>
    file.overwrite(utf8(contents));

/** Whether all ten shares of the client are about to be written. */
function isAboutToWrite({ world }: Schedule, name: string): boolean {
  const isWrite = ({ operation, call }: (typeof world.messages)[number]) =>
    operation === name && call === 'write';
  return world.messages.filter(isWrite).length === 10;
}

const lines = (contents: string) => contents.split('\n').slice(0, -1).sort();

describe.each(formats)('modify (%s)', (format) => {
  /** A stands still at some point, B has its change acknowledged, A goes on. */
  const overtake = async (
    isReached: (schedule: Schedule) => boolean,
    lost: readonly number[],
    seed = 0,
  ) => {
    const schedule = await small(format, oneEach(10), seed);
    for (const place of lost) schedule.fail(`B s${place} write sh${place}`, 'lost');
    const first = await schedule.start('A', addLine('from A'));
    await schedule.until(() => isReached(schedule));
    const second = await schedule.run('B', addLine('from B'), { order: onlyOf('B') });
    expect(second).toMatchObject({ seqnum: 2, missing: [] });
    expect(lines(await text(schedule.observer()))).toEqual(['base', 'from B']);
    const outcome = await schedule.finish(first);
    expect(outcome?.seqnum).toBeGreaterThan(2);
    expect(lines(await text(schedule.observer()))).toEqual(['base', 'from A', 'from B']);
    const map = await schedule.observer().servermap();
    expect(Object.keys(map.versions)).toHaveLength(1);
  };

  test('F1: after an acknowledged write that is missing on three servers starts from that', () =>
    overtake((schedule) => schedule.maps().length === 1, [7, 8, 9]));

  test.each([1, 2, 3, 4])('F1: also when its own attempt landed on these three (%i)', (seed) =>
    // Which of the two versions has the higher root hash is a matter of luck.
    overtake((schedule) => isAboutToWrite(schedule, 'A'), [7, 8, 9], seed),
  );

  test('F2: after another write without faults does its change again on that', () =>
    overtake((schedule) => isAboutToWrite(schedule, 'A'), []));

  test('F3: two whose writes cross half way both end well, and nothing is lost', async () => {
    const schedule = await small(format);
    const runs = [
      await schedule.start('A', addLine('from A')),
      await schedule.start('B', addLine('from B')),
    ];
    await schedule.until(() => isAboutToWrite(schedule, 'A') && isAboutToWrite(schedule, 'B'));
    for (let place = 0; place < 10; place++) {
      const [winner, loser] = place < 5 ? 'AB' : 'BA';
      await schedule.play(`${winner} s${place}`, `${loser} s${place}`);
    }
    for (const run of runs) expect((await schedule.finish(run))?.missing).toEqual([]);
    expect(lines(await text(schedule.observer()))).toEqual(['base', 'from A', 'from B']);
  });
});

describe('two versions with one sequence number', () => {
  const rivals = ['one\n', 'two\n'];
  /** Version 2 is one of the rivals on some servers, and the other on the others. */
  const grid = (seriesOn: (place: number) => number) =>
    Schedule.of({
      encoding: defaultEncoding,
      contents: (_, series) => utf8(rivals[series] as string),
      servers: Array.from({ length: 10 }, (_, shnum) => {
        const share: ShareSpec = { shnum, seqnum: 2, series: seriesOn(shnum) };
        return { shares: [share] };
      }),
    });

  test.each([0, 1])(
    'are told apart by their servers: only the one on seven can be acknowledged (rival %i)',
    async (winner) => {
      const schedule = await grid((place) => (place < 7 ? winner : 1 - winner));
      const acknowledged = rivals[winner] as string;
      expect(await text(schedule.observer())).toBe(acknowledged);
      const outcome = await schedule.run('A', ({ file }) => file.append(utf8('more\n')));
      expect(outcome.seqnum).toBe(3);
      expect(await text(schedule.observer())).toBe(`${acknowledged}more\n`);
    },
  );

  test('on as many servers each are told apart as Tahoe does: the higher root hash', async () => {
    const schedule = await grid((place) => place % 2);
    const { versions } = await schedule.observer().servermap();
    const [lower, higher] = Object.values(versions)
      .map(({ rootHash }) => rootHash)
      .sort();
    expect(higher).not.toBe(lower);
    const isHigher = (place: number) =>
      schedule.world.servers[place]?.shares[place]?.endsWith(`-${higher?.slice(0, 8)}`);
    expect(await text(schedule.observer())).toBe(rivals[isHigher(1) ? 1 : 0]);
  });
});

describe('overwrites that never meet, or meet all at once', () => {
  test('E1: two in two halves of a grid: neither is acknowledged, neither is written', async () => {
    const schedule = await small('mdmf');
    for (let place = 0; place < 10; place++)
      schedule.fail(`${place < 5 ? 'B' : 'A'} s${place}`, 'lost');
    for (const name of ['A', 'B']) {
      await expect(schedule.run(name, overwrite(name))).rejects.toBeInstanceOf(
        NotEnoughServersError,
      );
    }
    expect(schedule.holdings()).toEqual(Array.from({ length: 10 }, (_, n) => ({ [n]: 1 })));
  });

  test('E2: of five that win two shares each one is acknowledged', async () => {
    const schedule = await small('mdmf');
    const names = [...'ABCDE'];
    const runs: Run<unknown>[] = [];
    for (const [i, name] of names.entries())
      runs.push(await schedule.start(name, overwrite(`${i}`)));
    await schedule.until(() => names.every((name) => isAboutToWrite(schedule, name)));
    for (let place = 0; place < 10; place++) {
      await schedule.play(`${names[Math.floor(place / 2)]} s${place}`);
    }
    const ends: unknown[] = [];
    for (const run of runs) ends.push(await schedule.finish(run).catch((error) => error));
    const winners = [...ends.keys()].filter((i) => !(ends[i] instanceof UncoordinatedWriteError));
    expect(winners.map((i) => ends[i])).toEqual([expect.objectContaining({ seqnum: 2 })]);
    expect(await text(schedule.observer())).toBe(`${winners[0]}`);
  });
});

describe('updates one after the other', () => {
  const segment = 131_073;

  test('P2: two on one file object, in different segments, both hold', async () => {
    const { grid, create } = testGrid();
    const contents = bytesOf(4 * segment - 10);
    const file = await create('mdmf', contents);
    const expected = contents.slice();
    for (const offset of [10, 2 * segment + 10]) {
      expect(await file.update(utf8('changed'), offset)).toMatchObject({ inPlace: true });
      expected.set(utf8('changed'), offset);
    }
    // And at once, through two objects.
    const other = grid.open(file.writeCap);
    await Promise.all([file.update(utf8('x'), 0), other.update(utf8('y'), 3 * segment)]);
    expected.set(utf8('x'), 0);
    expected.set(utf8('y'), 3 * segment);
    expect(Buffer.compare(await grid.open(file.readCap).read(), expected)).toBe(0);
    expect(await file.verify()).toMatchObject({ seqnum: 5, isHealthy: true });
  });

  test('P4: a size that has grown in the meantime is not forgotten', async () => {
    const { another, create } = testGrid();
    const file = await create('mdmf', bytesOf(100));
    const early = another().open(file.writeCap);
    expect(await early.read()).toEqual(bytesOf(100));
    await file.append(bytesOf(80, 2));
    const expected = concatBytes(bytesOf(100), bytesOf(80, 2));
    for (const [client, offset] of [
      [file, 5],
      [early, 50],
    ] as const) {
      await client.update(utf8('abc'), offset);
      expected.set(utf8('abc'), offset);
      expect(await another().open(file.readCap).read()).toEqual(expected);
    }
  });

  test.each([segment, 2 * segment, 4 * segment, 0])(
    'P6: an append to exactly %i bytes begins a segment',
    async (size) => {
      const { another, create } = testGrid();
      const file = await create('mdmf', bytesOf(size));
      expect(await file.append(utf8('appended'))).toMatchObject({ seqnum: 2, inPlace: true });
      const expected = concatBytes(bytesOf(size), utf8('appended'));
      expect(Buffer.compare(await another().open(file.readCap).read(), expected)).toBe(0);
      expect(await file.verify()).toMatchObject({ isHealthy: true });
    },
  );

  test('P17: a stale copy of a share is never given segments of a newer version', async () => {
    const schedule = await Schedule.of({
      format: 'mdmf',
      encoding: defaultEncoding,
      contents: (seqnum) => bytesOf(2 * segment, seqnum),
      servers: Array.from({ length: 13 }, (_, n) => ({
        shares: n < 10 ? [{ shnum: n, seqnum: 2 }] : n === 10 ? [{ shnum: 3, seqnum: 1 }] : [],
      })),
    });
    const update = () => schedule.run('A', ({ file }) => file.update(utf8('new'), 0));
    expect(await update()).toMatchObject({ seqnum: 3, inPlace: false });
    expect(schedule.holdings()[10]).toEqual({ 3: 3 });
    expect((await schedule.observer().verify()).bad).toEqual([]);
    // Both copies are of one version now, and change together.
    expect(await update()).toMatchObject({ seqnum: 4, inPlace: true });
    expect(schedule.holdings()[10]).toEqual({ 3: 4 });
    expect((await schedule.observer().verify()).bad).toEqual([]);
  });
});

describe('a grid that has grown', () => {
  const crowded = [0, 1, 2, 3, 4].map((n) => ({ shares: [n, n + 5] }));

  test.each(formats)(
    'gets copies, until a quorum of servers holds the file (%s)',
    async (format) => {
      const schedule = await small(format, [...crowded, ...Array.from({ length: 8 }, () => ({}))]);
      const update = (by: string) => schedule.run('A', ({ file }) => file.update(utf8(by), 0));
      expect(await update('B')).toMatchObject({ quorum: 7, missing: [], inPlace: false });
      const five = crowded.map(({ shares: [n = 0, m = 0] }) => ({ [n]: 2, [m]: 2 }));
      const none = Array.from({ length: 6 }, () => ({}));
      expect(schedule.holdings()).toEqual([...five, { 5: 2 }, { 6: 2 }, ...none]);
      // From now on nothing more is needed.
      const { placed, inPlace } = await update('C');
      expect(placed).toHaveLength(12);
      expect(inPlace).toBe(format === 'mdmf');
      expect(await text(schedule.observer())).toBe('Case\n');
    },
  );
});

describe('reads', () => {
  test('R1: of a share with a corrupt copy go on with the other copy, and never back', async () => {
    const contents = bytesOf(300_000);
    const schedule = await Schedule.of({
      format: 'mdmf',
      contents: () => contents,
      servers: [[{ shnum: 0, rot: 'blocks' } as const], [1], [2], [0]].map((shares) => ({
        shares,
      })),
      encoding: { required: 3, happy: 3, total: 3 },
    });
    const read = await schedule.run('A', ({ file }) => file.read());
    expect(Buffer.compare(read, contents)).toBe(0);
    const blocks = schedule.delivered.filter((label) => label.endsWith(' blocks'));
    expect(blocks.sort()).toEqual([0, 1, 2, 3].map((s) => `A s${s} read sh${s % 3} blocks`));
  });

  test.each(formats)(
    'R2: tell the right server of the right corrupt share (%s)',
    async (format) => {
      const servers = oneEach(10).map((server, n) =>
        n === 1 ? { shares: [{ shnum: 1, rot: 'blocks' } as const] } : server,
      );
      const contents = bytesOf(50_000);
      const encoding = defaultEncoding;
      const schedule = await Schedule.of({ format, encoding, contents: () => contents, servers });
      const read = await schedule.run('A', ({ file }) => file.read());
      expect(Buffer.compare(read, contents)).toBe(0);
      const advice = schedule.world.trace.filter((record) => record.kind === 'advice');
      expect(advice).toMatchObject([{ server: 's1', shnum: 1 }]);
    },
  );
});

describe('a write that arrives after it was given up', () => {
  const late = 'A s0 write sh0';
  const setup = async () => {
    const schedule = await small('mdmf', oneEach(10, 13));
    schedule.fail(late, 'silent');
    expect(await schedule.run('A', overwrite('second'))).toMatchObject({ seqnum: 2, missing: [] });
    expect([schedule.holdings()[0], schedule.holdings()[10]]).toEqual([{ 0: 1 }, { 0: 2 }]);
    expect(schedule.pending).toEqual([late]);
    return schedule;
  };
  const versionsOf = (map: Servermap) => Object.values(map.versions).map(({ seqnum }) => seqnum);

  test('does no harm at rest: it is of the version that was acknowledged', async () => {
    const schedule = await setup();
    await schedule.world.choose(`deliver ${late}`);
    expect(versionsOf(await schedule.observer().servermap())).toEqual([2]);
    expect(await schedule.observer().verify()).toMatchObject({ isHealthy: true });
  });

  test('is refused once the next version is there', async () => {
    const schedule = await setup();
    await schedule.run('A', overwrite('third'));
    expect(schedule.holdings()[0]).toEqual({ 0: 3 });
    await schedule.world.choose(`deliver ${late}`);
    expect(versionsOf(await schedule.observer().servermap())).toEqual([3]);
    expect(await text(schedule.observer())).toBe('third');
  });

  test('is written over when it arrives between the next map and the next write', async () => {
    const schedule = await setup();
    const next = await schedule.start('A', overwrite('third'));
    await schedule.until(
      () => schedule.world.messages.filter(({ call }) => call === 'write').length > 6,
    );
    await schedule.world.choose(`deliver ${late}`);
    expect(await schedule.finish(next)).toMatchObject({ seqnum: 3, missing: [] });
    const map = await schedule.observer().servermap();
    expect(highestSeqnum(map)).toBe(3);
    expect(versionsOf(map)).toEqual([3]);
  });
});
