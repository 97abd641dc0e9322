import { describe, expect, test } from 'vitest';
import { concatBytes, netstring, utf8 } from '../../src/bytes.ts';
import { storageIndexOf } from '../../src/caps.ts';
import type { Directory } from '../../src/directory.ts';
import {
  BadArgumentError,
  GridClosedError,
  InsufficientCapError,
  MalformedCapError,
  OutOfRangeError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { diskOf } from '../../src/storage/memory.ts';
import { type Met, manifestEntryOf } from '../../src/walk/met.ts';
import { recordOf } from '../../src/walk/record.ts';
import { StatsCounter } from '../../src/walk/stats.ts';
import type { WalkOptions, WalkProgress } from '../../src/walk/walk-options.ts';
import { manyTurns, type TestGrid, testKey } from '../support/client-grid.ts';
import { vectorKey } from '../support/directories.ts';
import { all, lit, smallGrid, tahoeLikeTree, walkVectors } from '../support/trees.ts';

const shown = ({ path, kind, problem, error }: Met) =>
  [path.join('/'), kind, ...(problem ? [problem] : []), ...(error ? [`${error}`] : [])].join(': ');

function lose(servers: TestGrid['servers'], { file }: Directory): void {
  for (const server of servers) {
    const disk = diskOf(server);
    const index = storageIndexOf(file!.cap);
    for (const shnum of disk.sharesOf(index)) disk.deleteShare(index, shnum);
  }
}

const on = smallGrid();
const tree = await tahoeLikeTree(on);
const cap = tree.root.writeCap;

test('a manifest has the lines of that of Tahoe, and the same numbers', async () => {
  const { grid } = smallGrid();
  const lines = walkVectors['stream-manifest'];
  const capOf = (name: string) => lines.find(({ path }) => path?.at(-1) === name)?.cap as string;
  const root = await grid.createDirectory({ format: 'sdmf', key: await vectorKey(15) });
  const sub = await grid.createDirectory({
    key: await vectorKey(14),
    children: [
      { name: 'file', child: capOf('file') },
      { name: 'back', child: root },
    ],
  });
  await root.addAll([
    { name: 'sub', child: sub },
    { name: 'lit dir', child: capOf('lit dir') },
    { name: 'lit', child: capOf('lit') },
    { name: 'sub, to read', child: sub.readCap },
    { name: 'chk', child: capOf('chk') },
    { name: 'unknown', child: { read: capOf('unknown') } },
  ]);
  const met = await all(grid.walk(root.writeCap));
  const stats = lines.at(-1)?.stats;
  expect(met.map(manifestEntryOf)).toEqual(lines.slice(0, -1));
  expect(met.map((it) => Object.keys(manifestEntryOf(it)))).toEqual(
    lines.slice(0, -1).map((line) => Object.keys(line)),
  );
  // Times of links are not those of Tahoe's, and so neither is the length of a table.
  const bytes = await Promise.all([root, sub].map(async ({ file }) => (await file!.read()).length));
  const ours = await grid.deepStats(root.writeCap);
  expect(ours).toEqual({
    ...stats,
    'size-directories': bytes[0]! + bytes[1]!,
    'largest-directory': bytes[0],
  });
  expect(Object.keys(ours)).toEqual(Object.keys(stats ?? {}));
});

test('sizes are counted up to the powers of the root of ten', () => {
  const counter = new StatsCounter();
  const sizes = [0, 0, 1, 3, 4, 10, 11, 31, 32, 100, 101, 316, 317, 3163, 2 ** 53 - 1];
  for (const size of sizes) counter.add({ kind: 'file', mutable: false, format: 'chk', size });
  expect(counter.stats['size-files-histogram']).toEqual([
    ...[[0, 0, 2] as const, [1, 3, 2] as const, [4, 10, 2] as const, [11, 31, 2] as const],
    ...[[32, 100, 2] as const, [101, 316, 2] as const, [317, 1000, 1] as const],
    [3163, 10_000, 1],
    [3_162_277_660_168_380, 10_000_000_000_000_000, 1],
  ]);
});

describe('a walk', () => {
  const order = [
    ': directory',
    'unknown: unknown',
    'chk: file',
    'lit: file',
    'lit dir: directory',
    'other: directory',
    'other/twin: file',
    'sub: directory',
  ];

  test.each([1, 2, 4, 64])('meets each object once, in one order (%i at once)', async (n) => {
    const met = await all(on.grid.walk(cap, { concurrency: n }));
    expect(met.map(shown)).toEqual(order);
    expect(met.find(({ path }) => path[0] === 'sub')?.extent).toEqual({
      children: 3,
      size: (await tree.sub.file!.read()).length,
    });
  });

  test('shows no cap of what it meets', async () => {
    const met = await all(on.grid.walk(cap));
    expect(JSON.stringify(met)).not.toMatch(/URI:/);
    expect(JSON.stringify(met.map((it) => recordOf(it)))).not.toMatch(
      /URI:(?!(SSK|DIR2|DIR2-MDMF|CHK)-Verifier:)/,
    );
    expect(met.map(({ caps }) => caps.write ?? caps.read)).toEqual([
      ...[cap, 'ro.x-tahoe-future://read', tree.chk, lit('hello'), 'URI:DIR2-LIT:'],
      ...[tree.other.writeCap, tree.file.readCap, tree.sub.writeCap],
    ]);
  });

  test('with a read cap has read caps', async () => {
    const met = await all(on.another().walk(tree.root.readCap));
    expect(met.map(shown)).toEqual(order);
    expect(met.filter(({ caps }) => caps.write !== undefined)).toEqual([]);
    expect(met.map((it) => manifestEntryOf(it).repaircap).filter((text) => text !== '')).toEqual([
      met[2]?.caps.verify,
    ]);
  });

  test('goes on behind any place where another one was cut off, without what is behind', async () => {
    const met = await all(on.grid.walk(cap));
    const records = JSON.parse(JSON.stringify(met.map((it) => recordOf(it))));
    for (let cut = 0; cut <= met.length; cut++) {
      const after = records.slice(0, cut);
      const rest = await all(on.grid.walk(cap, { after }));
      expect(rest.map(shown)).toEqual(order.slice(cut));
    }
    const whole = await on.grid.deepStats(cap);
    expect(await on.grid.deepStats(cap, { after: records.slice(0, 6) })).toEqual(whole);
  });

  test('tells how far it is', async () => {
    const told: WalkProgress[] = [];
    await all(on.grid.walk(cap, { onProgress: (progress) => told.push(progress) }));
    expect(told.slice(0, 3)).toEqual([
      { met: 1, done: 0, failed: 0 },
      { met: 1, done: 1, failed: 0 },
      { met: 2, done: 1, failed: 0 },
    ]);
    expect(told.at(-1)).toEqual({ met: 8, done: 8, failed: 0 });
    const thrown = new Error('mine');
    const onProgress = () => {
      throw thrown;
    };
    const warned: Error[] = [];
    const listen = (warning: Error) => warned.push(warning);
    process.on('warning', listen);
    // It only looks on.
    expect(await all(on.grid.walk(cap, { onProgress }))).toHaveLength(8);
    const rejecting = async () => Promise.reject(thrown);
    expect(await all(on.grid.walk(cap, { onProgress: rejecting }))).toHaveLength(8);
    await manyTurns();
    process.off('warning', listen);
    expect(warned.map(({ cause }) => cause)).toEqual([thrown, thrown]);
  });

  test.each([1, 64])('ends when the grid is closed, also while nobody is asked (%i)', async (n) => {
    const { grid } = on;
    const met: Met[] = [];
    const walked = (async () => {
      for await (const it of grid.walk(cap, { concurrency: n })) {
        met.push(it);
        if (met.length === 5) grid.close();
      }
    })();
    await expect(walked).rejects.toEqual(new GridClosedError());
    expect(met.map(shown)).toEqual(order.slice(0, 5));
  });

  test('ends with the reason of an abort, at any place', async () => {
    for (let after = 0; after < order.length - 1; after++) {
      const controller = new AbortController();
      const reason = new Error('enough');
      const met: Met[] = [];
      const walked = (async () => {
        for await (const it of on.grid.walk(cap, { signal: controller.signal })) {
          met.push(it);
          if (met.length > after) controller.abort(reason);
        }
      })();
      await expect(walked).rejects.toBe(reason);
      expect(met).toHaveLength(after + 1);
    }
  });

  test('is refused what makes no sense, before it begins', () => {
    const { grid } = on;
    const walk = (options: WalkOptions) => () => grid.walk(cap, options);
    expect(() => grid.walk(tree.file.readCap)).toThrow(
      new BadArgumentError('cap', 'is that of a file, not of a directory'),
    );
    expect(() => grid.walk('URI:DIR2:')).toThrow(MalformedCapError);
    expect(() => grid.walk(tree.root.verifyCap)).toThrow(InsufficientCapError);
    expect(walk({ concurrency: 0 })).toThrow(OutOfRangeError);
    expect(walk({ concurrency: 65 })).toThrow(OutOfRangeError);
    expect(walk({ after: 1 as never })).toThrow(BadArgumentError);
    expect(walk({ signal: 1 as never })).toThrow(BadArgumentError);
    expect(() => grid.deepCheck(cap, { verify: 1 as never })).toThrow(BadArgumentError);
    expect(() => grid.walk(tree.chk)).toThrow(
      new BadArgumentError('cap', 'is that of a file, not of a directory'),
    );
  });

  test.each(['walk', 'deepStats'] as const)('names what is no record (%s)', async (call) => {
    const met = await all(on.grid.walk(cap));
    const walked = (options: unknown): Promise<unknown> =>
      call === 'walk'
        ? (async () => all(on.grid.walk(cap, options as never)))()
        : on.grid.deepStats(cap, options as never);
    const refused = async (options: unknown, argument: string, problem: string) =>
      expect(walked(options)).rejects.toEqual(new BadArgumentError(argument, problem));
    const isNone = 'is an Object, not what `recordOf` gives';
    await refused(null, 'options', 'is null, not an object');
    await refused({ after: 5 }, 'after', 'is a number, not a sequence of records');
    await refused({ after: [null] }, 'after[0]', 'is null, not what `recordOf` gives');
    await refused({ after: [recordOf(met[0]!), { path: 5 }] }, 'after[1]', isNone);
  });
});

describe('what is bad', () => {
  const entry = (...fields: readonly (string | Uint8Array)[]) =>
    netstring(
      concatBytes(...fields.map((it) => netstring(typeof it === 'string' ? utf8(it) : it))),
    );

  test('does not end the walk: a directory that cannot be read, and its siblings', async () => {
    const { grid, servers } = smallGrid();
    const lost = await grid.createDirectory({ key: await vectorKey(1) });
    const kept = await grid.createDirectory({
      key: await vectorKey(2),
      children: [{ name: 'x', child: lit('x') }],
    });
    const root = await grid.createDirectory({
      key: testKey,
      children: [
        { name: 'a', child: lost },
        { name: 'b', child: kept },
      ],
    });
    lose(servers, lost);
    const met = await all(grid.walk(root.writeCap));
    expect(met.map(({ path }) => path.join('/'))).toEqual(['', 'a', 'b', 'b/x']);
    expect(met[1]?.error).toBeInstanceOf(UnrecoverableFileError);
    expect(met[1]?.extent).toBeUndefined();
    // It is behind, though it could not be read.
    const after = met.slice(0, 2).map((it) => recordOf(it));
    expect((await all(grid.walk(root.writeCap, { after }))).map(shown)).toEqual([
      'b: directory',
      'b/x: file',
    ]);
    lose(servers, root);
    const [only, ...more] = await all(grid.walk(root.writeCap));
    expect([only?.error, more]).toEqual([expect.any(UnrecoverableFileError), []]);
    const behind = [recordOf(only!)];
    expect(await all(grid.walk(root.writeCap, { after: behind }))).toEqual([]);
  });

  test('is met as what it is: entries that lead nowhere, and those with one name', async () => {
    const { grid } = smallGrid();
    const root = await grid.createDirectory({ key: testKey });
    const contents = concatBytes(
      entry('twice', 'URI:LIT:', '', '{}'),
      entry('twice', lit('b'), '', '{}'),
      entry('twice', lit('c'), '', '{}'),
      entry('few'),
      entry(Uint8Array.of(0xff), 'URI:LIT:', '', '{}'),
      entry(Uint8Array.of(0xfe), 'URI:LIT:', '', '{}'),
      entry('～', 'URI:LIT:', '', '{}'),
      entry('😀', 'URI:LIT:', '', '{}'),
    );
    await root.file!.overwrite(contents, { raw: true });
    const met = await all(grid.walk(root.writeCap));
    const noName = 'its name is missing, is not UTF-8, or has no end of marks';
    const expected = [
      ': directory',
      `: ill-formed: ${noName}`,
      `: ill-formed: ${noName}`,
      'few: ill-formed: it has fewer than four fields',
      'twice: ill-formed: a later entry has the same name',
      'twice: ill-formed: a later entry has the same name',
      'twice: file',
      '～: file',
      '😀: file',
    ];
    expect(met.map(shown)).toEqual(expected);
    expect(met[0]?.extent).toEqual({ children: 3, size: contents.length });
    expect(met[6]?.caps.read).toBe(lit('c'));
    for (let cut = 1; cut <= met.length; cut++) {
      const after = met.slice(0, cut).map((it) => recordOf(it));
      expect((await all(grid.walk(root.writeCap, { after }))).map(shown)).toEqual(
        expected.slice(cut),
      );
    }
  });
});
