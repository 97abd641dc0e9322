import { describe, expect, test } from 'vitest';
import type { Child } from '../../src/directory/child.ts';
import type { Directory } from '../../src/directory.ts';
import { withHidden } from '../../src/hidden.ts';
import { inOrder } from '../../src/walk/ahead.ts';
import { Gate } from '../../src/walk/gate.ts';
import { Seen } from '../../src/walk/seen.ts';
import { Tree, type TreeSetting } from '../../src/walk/tree.ts';
import { atRest } from '../support/client-grid.ts';

const child = (name: string, kind: 'file' | 'directory', verify?: string): Child =>
  withHidden(
    {
      ...{ name, kind, mutable: false, format: 'lit' as const, size: 0 },
      ...{ metadata: {}, problem: undefined, isShadowed: false },
    },
    'caps',
    { read: name, ...(verify !== undefined && { verify }) },
  );

const root = child('', 'directory', 'URI:DIR2-Verifier:root:');

/**
 * Directories of `width` files each, `depth` levels of `width` directories; it counts what is asked
 * for at once, and is slow where it is told to be.
 */
function forestOf(width: number, depth: number, wait: (cap: string) => Promise<void>) {
  const counts = { listed: 0, atOnce: 0, mostAtOnce: 0 };
  const listing = async (cap: string) => {
    counts.listed++;
    counts.mostAtOnce = Math.max(counts.mostAtOnce, ++counts.atOnce);
    await wait(cap);
    counts.atOnce--;
    const level = cap === '' ? 0 : cap.split('.').length;
    const names = Array.from({ length: width }, (_, i) => `${cap && `${cap}.`}${1000 + i}`);
    const below = level < depth ? names : [];
    const children = [
      ...below.map((name) => child(name, 'directory', `URI:DIR2-Verifier:${name}:`)),
      ...names.map((name) => child(`${name}f`, 'file', `URI:CHK-Verifier:${name}:`)),
    ];
    return { children, size: 1 };
  };
  const setting = {
    onClose: () => () => {},
    openDirectory: (cap: string) => ({ listing: () => listing(cap) }) as unknown as Directory,
  } as unknown as TreeSetting;
  return { tree: new Tree(root, setting), counts };
}

describe('ten thousand objects', () => {
  test('are walked with few listings in memory', async () => {
    const concurrency = 4;
    const { tree, counts } = forestOf(100, 1, async () => {});
    const seen = { objects: 0, directories: 0, ahead: 0 };
    for await (const { kind } of tree.walk({ concurrency })) {
      seen.objects++;
      if (kind === 'directory') seen.directories++;
      seen.ahead = Math.max(seen.ahead, counts.listed - seen.directories);
    }
    expect(seen.objects).toBe(1 + 100 + 100 + 100 * 100);
    expect(counts.mostAtOnce).toBeLessThanOrEqual(concurrency);
    // Those behind are let go: of each level only what was begun ahead is there.
    expect(seen.ahead).toBeLessThanOrEqual(concurrency);
  });

  test('are checked with few of them under way, and what is deep with few a level', async () => {
    const { tree, counts } = forestOf(10, 2, async () => {});
    const seen = { met: 0, directories: 0, ahead: 0, levels: 0 };
    const onProgress = ({ met, done }: { met: number; done: number }) => {
      seen.ahead = Math.max(seen.ahead, met - done);
    };
    for await (const { met } of tree.deepCheck({ onProgress, concurrency: 4 })) {
      seen.met++;
      if (met.kind === 'directory') seen.directories++;
      seen.levels = Math.max(seen.levels, counts.listed - seen.directories);
    }
    expect(seen.met).toBe(111 * 11);
    expect(counts.mostAtOnce).toBeLessThanOrEqual(4);
    expect(seen.ahead).toBeLessThanOrEqual(5);
    expect(seen.levels).toBeLessThanOrEqual(4 * 3);
  });
});

test('directories are listed while others are awaited, and come in order all the same', async () => {
  const first = pending();
  const { tree, counts } = forestOf(3, 1, (cap) => (cap === '1000' ? first.promise : done()));
  const walk = tree.walk({ concurrency: 3 });
  const names: string[] = [];
  const walked = (async () => {
    for await (const { path } of walk) names.push(path.at(-1) ?? '/');
  })();
  await atRest();
  expect(counts.listed).toBe(4);
  expect(names).toEqual(['/', '1000f', '1001f', '1002f']);
  first.resolve(undefined);
  await walked;
  expect(names.filter((name) => !name.endsWith('f'))).toEqual(['/', '1000', '1001', '1002']);
});

async function done(): Promise<void> {}

function pending() {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle as never;
  });
  return { promise, resolve };
}

describe('work ahead', () => {
  const finished: number[] = [];
  const double = async (n: number) => {
    await (n === 1 ? atRest() : undefined);
    if (n === 4) throw new Error('four');
    finished.push(n);
    return 2 * n;
  };

  test('is given out in order, up to the first error', async () => {
    const given: number[] = [];
    const work = (async () => {
      for await (const n of inOrder([1, 2, 3, 4, 5], 3, double)) given.push(n);
    })();
    await expect(work).rejects.toEqual(new Error('four'));
    expect(given).toEqual([2, 4, 6]);
    expect(finished.slice(0, 3)).toEqual([2, 3, 1]);
  });

  test('ends what it comes from, when nobody asks any more', async () => {
    let isOver = false;
    const source = async function* () {
      try {
        for (let n = 5; ; n++) yield n;
      } finally {
        isOver = true;
      }
    };
    for await (const n of inOrder(source(), 2, double)) {
      expect(n).toBe(10);
      break;
    }
    await atRest();
    expect(isOver).toBe(true);
  });
});

test('a gate lets no more in than it is wide, and who goes away leaves no hole', async () => {
  const gate = new Gate(1);
  const { signal } = new AbortController();
  const entered: string[] = [];
  const first = pending();
  const run = (name: string, work: () => Promise<unknown>, by = signal) =>
    gate.run(by, () => {
      entered.push(name);
      return work();
    });
  const one = run('one', () => first.promise);
  const gone = new AbortController();
  const two = run('two', done, gone.signal);
  const three = run('three', () => Promise.reject(new Error('three')));
  const four = run('four', done);
  const reason = new Error('gone');
  gone.abort(reason);
  await expect(two).rejects.toBe(reason);
  await expect(run('five', done, gone.signal)).rejects.toBe(reason);
  expect(entered).toEqual(['one']);
  first.resolve(undefined);
  await expect(three).rejects.toEqual(new Error('three'));
  await Promise.all([one, four]);
  expect(entered).toEqual(['one', 'three', 'four']);
});

test('what was seen is known again, and nothing else is', () => {
  const seen = new Seen();
  const names = Array.from({ length: 2000 }, (_, i) => `URI:SSK-Verifier:${i}`);
  expect(names.map((name) => seen.add(name)).every((isNew) => isNew)).toBe(true);
  expect(names.map((name) => seen.add(name)).some((isNew) => isNew)).toBe(false);
  expect(seen.size).toBe(2000);
  expect([seen.has('URI:SSK-Verifier:1999'), seen.has('URI:SSK-Verifier:2000')]).toEqual([
    true,
    false,
  ]);
});
