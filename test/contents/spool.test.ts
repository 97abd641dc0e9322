/** Where contents are kept that can be read only once, and until when. */
import { mkdtemp, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Contents } from '../../src/contents/contents.ts';
import { type Spool, type Spooled, spoolInMemory } from '../../src/contents/spool.ts';
import {
  BadArgumentError,
  NotEnoughServersError,
  OutOfRangeError,
  ServerUnavailableError,
  SpoolError,
} from '../../src/errors.ts';
import { createGridFolder, openGrid, spoolToFile } from '../../src/node.ts';
import type { Progress } from '../../src/runtime/options.ts';
import { altered, bytesOf, expectBytes, testGrid, testKey } from '../support/client-grid.ts';
import { countedGrid } from '../support/one-server.ts';

const reason = new Error('enough');
const disk = new Error('EIO: disk');

async function* piecesOf(bytes: Uint8Array, length = 70_000) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function* failing() {
  yield 'first';
  throw disk;
}

test.each([9, 1000, 65_535, 65_536, 65_537, 100_000])(
  'pieces of %i bytes are kept as they come, the short ones together',
  async (length) => {
    const contents = bytesOf(150_000);
    const lengths: number[] = [];
    const spool: Spool = async (pieces) => {
      const noted = async function* () {
        for await (const piece of pieces) {
          lengths.push(piece.length);
          yield piece;
        }
      };
      return spoolInMemory()(noted());
    };
    const { grid } = countedGrid({ spool });
    const file = await grid.create({ key: testKey, contents: piecesOf(contents, length) });
    expectBytes(await file.read(), contents);
    expect(lengths.slice(0, -1).every((n) => n > 2 ** 16 - length)).toBe(true);
  },
);

describe('in memory', () => {
  test('up to a limit, which the error says', async () => {
    const { grid } = countedGrid({ spool: spoolInMemory({ maxBytes: 100 }) });
    const file = await grid.create({ key: testKey, contents: piecesOf(bytesOf(100), 9) });
    expectBytes(await file.read(), bytesOf(100));
    const error = await file.overwrite(piecesOf(bytesOf(101), 9)).catch((e) => e);
    expect(error).toBeInstanceOf(SpoolError);
    expect(error.message).toBe(
      'contents: what can be read only once is kept in memory, of which there are 100 bytes: give ' +
        'a Blob, bytes, or a source with `size` and `read`, or the grid another `spool`',
    );
    expect(error.facts).toMatchObject({ where: 'contents', limit: 100 });
    // What can be read again has no limit.
    await file.overwrite(bytesOf(1000));
    expectBytes(await file.read(), bytesOf(1000));
  });

  test('of 64 MiB by default, and what has no end ends there', async () => {
    const piece = new Uint8Array(2 ** 23);
    let given = 0;
    const endless = {
      *[Symbol.iterator]() {
        for (;;) {
          given++;
          yield piece;
        }
      },
    };
    const { grid } = countedGrid();
    const error = await grid.create({ key: testKey, contents: endless }).catch((e) => e);
    expect([error.code, error.facts.limit, given]).toEqual(['SpoolError', 2 ** 26, 9]);
  });

  test.each([
    [{ maxBytes: '5' }, BadArgumentError],
    [{ maxBytes: -1 }, OutOfRangeError],
    [null, BadArgumentError],
  ])('not up to %j', (options, error) => {
    expect(() => spoolInMemory(options as never)).toThrowError(error);
  });
});

describe('in a spool of one’s own', () => {
  /** Keeps in memory what `change` makes of it, and counts how often it is closed. */
  function counting(change: (kept: Spooled) => unknown = (kept) => kept) {
    let closed = 0;
    const inMemory = spoolInMemory();
    const spool: Spool = async (pieces) => {
      const kept = await inMemory(pieces);
      const close = async () => {
        closed++;
        await kept.close();
      };
      return change({ ...kept, close }) as Spooled;
    };
    return { spool, closed: () => closed };
  }

  test('it is closed once, when the write is over, however it ended', async () => {
    const { spool, closed } = counting();
    const { grid } = countedGrid({ spool });
    const file = await grid.create({ key: testKey, contents: ['new'] });
    expect(closed()).toBe(1);
    await file.append(['more']);
    expect(closed()).toBe(2);
    await expect(file.update(['x'], 100)).rejects.toThrowError(OutOfRangeError);
    expect(closed()).toBe(3);
    await expect(file.append(failing())).rejects.toBe(disk);
    expect(closed()).toBe(3);
    const giving = new AbortController();
    const onProgress = ({ phase }: Progress) => {
      if (phase !== 'spooling') giving.abort(reason);
    };
    const { signal } = giving;
    await expect(file.append(['x'], { signal, onProgress })).rejects.toBe(reason);
    expect(closed()).toBe(4);
  });

  test('what it keeps too late, for an abort, is closed', async () => {
    const { spool, closed } = counting();
    const giving = new AbortController();
    let keep = () => {};
    const slow: Spool = async (pieces) => {
      const kept = await spool(pieces);
      giving.abort(reason);
      await new Promise<void>((resolve) => {
        keep = resolve;
      });
      return kept;
    };
    const { grid } = countedGrid({ spool: slow });
    const { signal } = giving;
    await expect(grid.create({ key: testKey, contents: ['x'], signal })).rejects.toBe(reason);
    expect(closed()).toBe(0);
    keep();
    await new Promise(setImmediate);
    expect(closed()).toBe(1);
  });

  test('that it cannot be closed changes nothing', async () => {
    const { spool } = counting((kept) => ({ ...kept, close: () => Promise.reject(disk) }));
    const { grid } = countedGrid({ spool });
    const file = await grid.create({ key: testKey, contents: ['new'] });
    expect(Buffer.from(await file.read()).toString()).toBe('new');
  });

  test.each<[string, (kept: Spooled) => unknown, string]>([
    ['less', (kept) => ({ ...kept, size: 2 }), 'spool: keeps 2 bytes of 3'],
    ['nothing', () => undefined, 'what `spool` gave: is undefined, not what it keeps'],
    [
      'what cannot be closed',
      ({ size, read }) => ({ size, read }),
      '`close` of what `spool` gave: is undefined, not a function',
    ],
  ])('that keeps %s ends the write', async (_, change, message) => {
    const { grid, sent } = countedGrid({ spool: counting(change).spool });
    const error = await grid.create({ key: testKey, contents: ['new'] }).catch((e) => e);
    expect([error.code, error.message]).toEqual(['BadArgumentError', message]);
    expect(sent()).toBe(0);
  });

  test('that stops half way has not kept all', async () => {
    const spool: Spool = async (pieces) => {
      for await (const piece of pieces) {
        const kept = piece.slice();
        return { size: kept.length, read: async () => kept, close: async () => {} };
      }
      throw disk;
    };
    const { grid } = countedGrid({ spool });
    const contents = piecesOf(bytesOf(140_000));
    await expect(grid.create({ key: testKey, contents })).rejects.toThrowError(
      new BadArgumentError('spool', 'keeps 70000 bytes of more'),
    );
    expect(() => countedGrid({ spool: 7 as never })).toThrowError(
      new BadArgumentError('spool', 'is a number, not a function'),
    );
  });
});

describe('in a temporary file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-spool-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => expect(await left()).toEqual({ named: [], open: 0 }));

  /** Files in the folder, and those that this process has open there, whether they have a name. */
  async function left(): Promise<{ readonly named: readonly string[]; readonly open: number }> {
    const links = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    return {
      named: await readdir(folder),
      open: links.filter((link) => link.startsWith(folder)).length,
    };
  }

  test('that only its owner may read, and that has no name', async () => {
    const { grid } = countedGrid({ spool: spoolToFile({ folder }) });
    const contents = bytesOf(300_000);
    let seen: unknown;
    async function* watched() {
      yield* piecesOf(contents);
      seen = await left();
      const fds = await readdir('/proc/self/fd');
      for (const fd of fds) {
        const link = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
        if (link.startsWith(folder))
          expect((await stat(`/proc/self/fd/${fd}`)).mode & 0o777).toBe(0o600);
      }
    }
    const file = await grid.create({ key: testKey, contents: watched() });
    expect(seen).toEqual({ named: [], open: 1 });
    expectBytes(await file.read(), contents);
    expect(await left()).toEqual({ named: [], open: 0 });
  });

  test('which is gone after a source that fails, an abort, and a write that fails', async () => {
    const { grid } = countedGrid({ spool: spoolToFile({ folder }) });
    const fails = (contents: Contents, signal?: AbortSignal) =>
      grid.create({ key: testKey, contents, signal }).catch((e) => e);
    expect(await fails(failing())).toBe(disk);
    expect(await left()).toEqual({ named: [], open: 0 });
    const giving = new AbortController();
    async function* given() {
      yield 'first';
      giving.abort(reason);
      yield 'second';
    }
    expect(await fails(given(), giving.signal)).toBe(reason);
    await expect.poll(left).toEqual({ named: [], open: 0 });
    const refusing = testGrid({
      count: 1,
      encoding: { required: 1, happy: 1, total: 1 },
      spool: spoolToFile({ folder }),
      wrap: (server) =>
        altered(server, {
          readTestWrite: () => Promise.reject(new ServerUnavailableError(server.id, 'full')),
        }),
    });
    const error = await refusing.create('mdmf', piecesOf(bytesOf(300_000))).catch((e) => e);
    expect(error).toBeInstanceOf(NotEnoughServersError);
    expect(await left()).toEqual({ named: [], open: 0 });
  });

  test('for which there must be room', async () => {
    const { grid, sent } = countedGrid({ spool: spoolToFile({ folder: join(folder, 'none') }) });
    const error = await grid.create({ key: testKey, contents: ['x'] }).catch((e) => e);
    const where = `${join(folder, 'none')} (for a copy of contents)`;
    const problem = 'cannot be written: no such file or directory';
    expect(error).toBeInstanceOf(SpoolError);
    expect([error.message, error.facts]).toEqual([`${where}: ${problem}`, { where, problem }]);
    expect(sent()).toBe(0);
    for (const options of [null, { folder: '' }, { folder: 7 }]) {
      expect(() => spoolToFile(options as never)).toThrowError(BadArgumentError);
    }
  });

  test('if the grid was opened by openGrid: in $TMPDIR', async () => {
    const path = join(folder, '..', `${folder}-grid`);
    await createGridFolder(path, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    try {
      const grid = await openGrid(path);
      let seen: unknown;
      async function* watched() {
        yield 'x';
        seen = await left();
      }
      const file = await grid.create({ key: testKey, contents: watched() });
      expect(seen).toEqual({ named: [], open: 1 });
      expect(await file.read()).toEqual(new TextEncoder().encode('x'));
      grid.close();
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      await rm(path, { recursive: true });
    }
  });
});
