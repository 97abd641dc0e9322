/**
 * @module hazards: what other writers, growing grids and late answers can do to a file; by the
 * names that `mutable-format.md` §§8.8, 9.1 and verification §3.3 give them.
 */
import { describe, expect, test } from 'vitest';
import { highestSeqnum, type Servermap } from '../../machines/servermap.ts';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { defaultEncoding } from '../../src/encoding.ts';
import {
  NewerVersionSeenError,
  NotEnoughServersError,
  UncoordinatedWriteError,
} from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import { bytesOf, testGrid } from '../support/client-grid.ts';
import {
  type Client,
  type Layout,
  ScheduledGrid,
  type StoredFile,
  storedFile,
} from '../support/scheduled-grid.ts';
import { atRest, fifo, onlyOf, type Run } from '../support/scheduler.ts';

const formats = ['sdmf', 'mdmf'] as const;
const text = async (file: MutableFile) => new TextDecoder().decode(await file.read());
const files = new Map<string, Promise<StoredFile>>();

/** A small file, 3 of 10: made once per format. */
function baseFile(format: 'sdmf' | 'mdmf'): Promise<StoredFile> {
  const known = files.get(format) ?? storedFile(format, defaultEncoding, utf8('base\n'));
  files.set(format, known);
  return known;
}

/** Adds a line unless it is there. */
function addLine(client: Client, line: string) {
  return client.file.modify((contents) => {
    const has = new TextDecoder().decode(contents).includes(line);
    return has ? undefined : concatBytes(contents, utf8(`${line}\n`));
  });
}

async function twoWriters(format: 'sdmf' | 'mdmf') {
  const grid = await ScheduledGrid.holding(await baseFile(format), 10);
  const a = grid.client({ name: 'A' });
  const b = grid.client({ name: 'B' });
  return { grid, scheduler: grid.scheduler, a, b };
}

/** Whether all ten shares of the client are about to be written. */
function isAboutToWrite(grid: ScheduledGrid, name: string): () => boolean {
  return () =>
    grid.scheduler.pendingLabels.filter(
      (label) => /^\w+/.exec(label)?.[0] === name && label.endsWith(':write'),
    ).length === 10;
}

const lines = (contents: string) => contents.split('\n').slice(0, -1).sort();

describe.each(formats)('modify (%s)', (format) => {
  /** A stands still at some point, B has its change acknowledged, A goes on. */
  const overtake = async (
    reach: (run: Run<unknown>, grid: ScheduledGrid, a: Client) => Promise<void>,
    lost: readonly number[],
  ) => {
    const { grid, scheduler, a, b } = await twoWriters(format);
    for (const place of lost) scheduler.fail(`B/s${place}:sh${place}:write`, 'lost');
    const first = scheduler.start(() => addLine(a, 'from A'));
    await reach(first, grid, a);
    const second = await scheduler.run(() => addLine(b, 'from B'), onlyOf('B'));
    expect(second).toMatchObject({ seqnum: 2, missing: [] });
    expect(lines(await text(grid.observer()))).toEqual(['base', 'from B']);
    const outcome = await first.finish();
    expect(outcome?.seqnum).toBeGreaterThan(2);
    expect(lines(await text(grid.observer()))).toEqual(['base', 'from A', 'from B']);
    const map = await grid.observer().servermap();
    expect(Object.keys(map.versions)).toHaveLength(1);
  };

  test('F1: after an acknowledged write that is missing on three servers starts from that', () =>
    overtake((run, _, a) => run.until(() => a.maps.length === 1), [7, 8, 9]));

  test.each([1, 2, 3, 4])('F1: also when its own attempt landed on these three (%i)', () =>
    // Which of the two versions has the higher root hash is a matter of luck.
    overtake((run, grid) => run.until(isAboutToWrite(grid, 'A')), [7, 8, 9]),
  );

  test('F2: after another write without faults does its change again on that', () =>
    overtake((run, grid) => run.until(isAboutToWrite(grid, 'A')), []));

  test('F3: two whose writes cross half way both end well, and nothing is lost', async () => {
    const { grid, scheduler, a, b } = await twoWriters(format);
    const both = scheduler.start(() => Promise.all([addLine(a, 'from A'), addLine(b, 'from B')]));
    await both.until(() => isAboutToWrite(grid, 'A')() && isAboutToWrite(grid, 'B')());
    for (let place = 0; place < 10; place++) {
      const [winner, loser] = place < 5 ? 'AB' : 'BA';
      await both.play(`${winner}/s${place}`, `${loser}/s${place}`);
    }
    const outcomes = await both.finish();
    expect(outcomes.map((outcome) => outcome?.missing)).toEqual([[], []]);
    expect(lines(await text(grid.observer()))).toEqual(['base', 'from A', 'from B']);
  });
});

describe('two versions with one sequence number', () => {
  /** The same file, twice overwritten from the same base: by root hash, the lower one first. */
  const rivals = async () => {
    const pair = await Promise.all(
      ['one', 'two'].map((name) =>
        storedFile('sdmf', defaultEncoding, utf8('base\n'), utf8(`${name}\n`)),
      ),
    );
    const rootOf = ({ shares }: StoredFile) =>
      Buffer.from(parseShareHeader(shares[0] as Uint8Array).rootHash).toString('hex');
    return pair.sort((x, y) => (rootOf(x) < rootOf(y) ? -1 : 1)) as [StoredFile, StoredFile];
  };
  const on = (places: readonly number[]): Layout =>
    Array.from({ length: 10 }, (_, n) => (places.includes(n) ? [n] : []));

  test.each([
    ['lower', 0],
    ['higher', 1],
  ] as const)(
    'are told apart by their servers: only the one on seven can be acknowledged (root hash %s)',
    async (_, winner) => {
      const pair = await rivals();
      const acknowledged = pair[winner] as StoredFile;
      const grid = new ScheduledGrid(acknowledged, 10);
      await grid.put(acknowledged, on([0, 1, 2, 3, 4, 5, 6]));
      await grid.put(pair[1 - winner] as StoredFile, on([7, 8, 9]));
      const { file } = grid.client();
      expect(await grid.observer().read()).toEqual(acknowledged.contents);
      const outcome = await grid.scheduler.run(() => file.append(utf8('more\n')), fifo);
      expect(outcome.seqnum).toBe(3);
      expect(await grid.observer().read()).toEqual(
        concatBytes(acknowledged.contents, utf8('more\n')),
      );
    },
  );

  test('on as many servers each are told apart as Tahoe does: the higher root hash', async () => {
    const [lower, higher] = await rivals();
    const grid = new ScheduledGrid(lower, 10);
    await grid.put(lower, on([0, 2, 4, 6, 8]));
    await grid.put(higher, on([1, 3, 5, 7, 9]));
    expect(await grid.observer().read()).toEqual(higher.contents);
  });
});

describe('overwrites that never meet, or meet all at once', () => {
  test('E1: two in two halves of a grid: neither is acknowledged, neither is written', async () => {
    const { grid, scheduler, a, b } = await twoWriters('mdmf');
    for (let place = 0; place < 10; place++) {
      scheduler.fail(`${place < 5 ? 'B' : 'A'}/s${place}`, 'lost');
    }
    for (const [client, name] of [
      [a, 'A'],
      [b, 'B'],
    ] as const) {
      const error = await scheduler
        .run(() => client.file.overwrite(utf8(name)), fifo)
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(NotEnoughServersError);
    }
    expect(grid.holdings()).toEqual(Array.from({ length: 10 }, (_, n) => ({ [n]: 1 })));
  });

  test('E2: five that win two shares each leave a file that can be written again, by force', async () => {
    const grid = await ScheduledGrid.holding(await baseFile('mdmf'), 10);
    const { scheduler } = grid;
    const names = [...'ABCDE'];
    const clients = names.map((name) => grid.client({ name }));
    const all = scheduler.start(() =>
      Promise.allSettled(clients.map(({ file }, i) => file.overwrite(utf8(`${i}`)))),
    );
    await all.until(() => names.every((name) => isAboutToWrite(grid, name)()));
    for (let place = 0; place < 10; place++) {
      await all.play(`${names[Math.floor(place / 2)]}/s${place}`);
    }
    const ends = await all.finish();
    expect(ends.map((end) => end.status === 'rejected' && end.reason.name)).toEqual(
      names.map(() => UncoordinatedWriteError.name),
    );
    const again = grid.observer();
    await expect(again.overwrite(utf8('again'))).rejects.toThrowError(NewerVersionSeenError);
    expect(await again.overwrite(utf8('by force'), { force: true })).toMatchObject({
      seqnum: 3,
      missing: [],
    });
    expect(await text(grid.observer())).toBe('by force');
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
    const old = await storedFile('mdmf', defaultEncoding, bytesOf(2 * segment));
    const now = await storedFile(
      'mdmf',
      defaultEncoding,
      bytesOf(2 * segment),
      bytesOf(2 * segment, 2),
    );
    const grid = await ScheduledGrid.holding(now, 13);
    await grid.put(old, [...Array.from({ length: 10 }, () => []), [3]]);
    const { file } = grid.client();
    const update = () => grid.scheduler.run(() => file.update(utf8('new'), 0), fifo);
    expect(await update()).toMatchObject({ seqnum: 3, inPlace: false });
    expect(grid.holdings()[10]).toEqual({ 3: 3 });
    expect((await grid.observer().verify()).bad).toEqual([]);
    // Both copies are of one version now, and change together.
    expect(await update()).toMatchObject({ seqnum: 4, inPlace: true });
    expect(grid.holdings()[10]).toEqual({ 3: 4 });
    expect((await grid.observer().verify()).bad).toEqual([]);
  });
});

describe('a grid that has grown', () => {
  const crowded: Layout = [
    [0, 5],
    [1, 6],
    [2, 7],
    [3, 8],
    [4, 9],
  ];

  test.each(formats)(
    'gets copies, until a quorum of servers holds the file (%s)',
    async (format) => {
      const grid = await ScheduledGrid.holding(await baseFile(format), 13, crowded);
      const file = grid.observer();
      expect(await file.update(utf8('B'), 0)).toMatchObject({
        quorum: 7,
        missing: [],
        inPlace: false,
      });
      const seven = [...crowded.map(([n = 0, m = 0]) => ({ [n]: 2, [m]: 2 })), { 5: 2 }, { 6: 2 }];
      expect(grid.holdings()).toEqual([...seven, ...Array.from({ length: 6 }, () => ({}))]);
      // From now on nothing more is needed.
      const { placed, inPlace } = await file.update(utf8('C'), 0);
      expect(placed).toHaveLength(12);
      expect(inPlace).toBe(format === 'mdmf');
      expect(await text(grid.observer())).toBe('Case\n');
    },
  );
});

describe('reads', () => {
  test('R1: of a share with a corrupt copy go on with the other copy, and never back', async () => {
    const file = await storedFile('mdmf', { required: 3, total: 3 }, bytesOf(300_000));
    const grid = await ScheduledGrid.holding(file, 4, [[0], [1], [2], [0]]);
    grid.corrupt(0, 0, 'shareData', 20);
    const { file: reader } = grid.client();
    const contents = await grid.scheduler.run(() => reader.read(), fifo);
    expect(Buffer.compare(contents, file.contents)).toBe(0);
    const blocks = grid.scheduler.delivered.filter((label) => label.endsWith(':shareData'));
    expect(blocks.filter((label) => label.startsWith('s0:'))).toEqual(['s0:sh0:shareData']);
    expect(blocks.sort()).toEqual(
      ['s0', 's1', 's2', 's3'].map((s, n) => `${s}:sh${n % 3}:shareData`),
    );
  });

  test.each(formats)(
    'R2: tell the right server of the right corrupt share (%s)',
    async (format) => {
      const file = await storedFile(format, defaultEncoding, bytesOf(50_000));
      const grid = await ScheduledGrid.holding(file, 10);
      grid.corrupt(1, 1, 'shareData', 20);
      const { file: reader } = grid.client();
      const contents = await grid.scheduler.run(() => reader.read(), fifo);
      expect(Buffer.compare(contents, file.contents)).toBe(0);
      const told = grid.scheduler.pendingLabels.filter((label) => label.endsWith(':advise'));
      const advised = grid.scheduler.delivered.filter((label) => label.endsWith(':advise'));
      expect([...told, ...advised]).toEqual(['s1:sh1:advise']);
    },
  );
});

describe('a write that arrives after it was given up', () => {
  const setup = async () => {
    const grid = await ScheduledGrid.holding(await baseFile('mdmf'), 13);
    const { scheduler } = grid;
    const { file } = grid.client();
    scheduler.fail('s0:sh0:write', 'silent');
    const first = await scheduler.run(() => file.overwrite(utf8('second')), fifo);
    expect(first).toMatchObject({ seqnum: 2, missing: [] });
    expect([grid.holdings()[0], grid.holdings()[10]]).toEqual([{ 0: 1 }, { 0: 2 }]);
    scheduler.heal('s0:sh0:write');
    expect(scheduler.pendingLabels).toEqual(['s0:sh0:write']);
    return { grid, scheduler, file };
  };
  const versionsOf = (map: Servermap) => Object.values(map.versions).map(({ seqnum }) => seqnum);

  test('does no harm at rest: it is of the version that was acknowledged', async () => {
    const { grid, scheduler } = await setup();
    scheduler.deliver('s0:sh0:write');
    await atRest();
    const map = await grid.observer().servermap();
    expect(versionsOf(map)).toEqual([2]);
    expect(await grid.observer().verify()).toMatchObject({ isHealthy: true });
  });

  test('is refused once the next version is there', async () => {
    const { grid, scheduler, file } = await setup();
    const next = scheduler.start(() => file.overwrite(utf8('third')));
    const isLate = (label: string, i: number) => label === 's0:sh0:write' && i === 0;
    await next.finish((pending) => pending.find(({ label }, i) => !isLate(label, i)));
    expect(grid.holdings()[0]).toEqual({ 0: 3 });
    scheduler.deliver('s0:sh0:write');
    await atRest();
    const map = await grid.observer().servermap();
    expect(versionsOf(map)).toEqual([3]);
    expect(await text(grid.observer())).toBe('third');
  });

  test('is written over when it arrives between the next map and the next write', async () => {
    const { grid, scheduler, file } = await setup();
    const next = scheduler.start(() => file.overwrite(utf8('third')));
    const late = scheduler.pending[0];
    const others = (pending: typeof scheduler.pending) => pending.find((call) => call !== late);
    const isWriting = () => scheduler.pendingLabels.filter((l) => l.endsWith(':write')).length > 5;
    await next.until(isWriting, others);
    await next.play('s0:sh0:write');
    expect(await next.finish()).toMatchObject({ seqnum: 3, missing: [] });
    const map = await grid.observer().servermap();
    expect(highestSeqnum(map)).toBe(3);
    expect(versionsOf(map)).toEqual([3]);
  });
});
