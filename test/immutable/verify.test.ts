/** What a look at the shares of an immutable file finds: damage, liars, silence, makers who cheat. */
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import type { ImmutableFinding } from '../../machines/verify-immutable-kernel.ts';
import { concatBytes, viewOf } from '../../src/bytes.ts';
import {
  BadArgumentError,
  BeyondLimitError,
  GridClosedError,
  NotRepairableError,
  ServerUnavailableError,
} from '../../src/errors.ts';
import { formatImmutableCap, litCapOf, toImmutableVerifyCap } from '../../src/immutable/caps.ts';
import type { ReadableShares } from '../../src/storage/server.ts';
import { type ChkEncoding, type ChkFile, chkContents, encodeChk } from '../support/chk.ts';
import { passTime } from '../support/client-grid.ts';
import { type ImmutableGridOptions, immutableGrid } from '../support/immutable-grid.ts';

/** Five segments, each of its own length in blocks. */
const made = await encodeChk(chkContents(20_000), { segmentSizeMax: 4096 });
const [share] = made.shares as [Uint8Array];
const offsetAt = (position: number) => viewOf(share).getUint32(position);
const [data, crypttext, blocks, chain, ueb] = [12, 20, 24, 28, 32].map(offsetAt) as [
  ...[number, number, number, number, number],
];

const silence = <T>() => new Promise<T>(() => {});
const flipped = (bytes: Uint8Array, at: number) =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
const withShare = (shnum: number, change: (share: Uint8Array) => Uint8Array): ChkFile => ({
  ...made,
  shares: made.shares.map((it, n) => (n === shnum ? change(it) : it)),
});

/** A finding in few words. */
function shown({ good, bad, isHealthy, isRecoverable }: ImmutableFinding) {
  const numbers = [...new Set(good.map(({ shnum }) => shnum))].sort((a, b) => a - b);
  const bads = bad.map(({ server, shnum, reason }) => `${shnum} on ${server}: ${reason}`);
  return { good: numbers, bad: bads.sort(), isHealthy, isRecoverable };
}

const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const healthy = { good: all, bad: [], isHealthy: true, isRecoverable: true };
const without = (...gone: number[]) => all.filter((n) => !gone.includes(n));
const verified = async (file: ChkFile, options?: ImmutableGridOptions) =>
  shown(await immutableGrid(file, options).file.verify());

describe('a file that is whole', () => {
  test('is healthy by what servers say, who are asked once each, and of which nothing is read', async () => {
    const { file, calls } = immutableGrid(made);
    expect(shown(await file.check())).toEqual(healthy);
    expect(calls.sort()).toEqual(all.map((n) => `s${n} list`));
  });

  test.each<[string, number, ChkEncoding]>([
    ['3 of 10, in five segments', 20_000, { segmentSizeMax: 4096 }],
    ['1 of 1, of one byte', 1, { required: 1, total: 1 }],
    ['4 of 4', 999, { required: 4, total: 4, segmentSizeMax: 100 }],
    ['1 of 3', 700, { required: 1, total: 3, segmentSizeMax: 100 }],
    ['in layout 2', 5000, { layout: 2, segmentSizeMax: 300 }],
    ['40 of 256', 3000, { required: 40, total: 256 }],
    ['with hash trees of pages', 2100, { required: 1, total: 2, segmentSizeMax: 1 }],
  ])('%s, is healthy by every byte of every share', async (_, size, encoding) => {
    const file = await encodeChk(chkContents(size), encoding);
    const { total } = file.cap;
    const found = await verified(file);
    expect(found).toEqual({ ...healthy, good: Array.from({ length: total }, (_it, n) => n) });
  });

  test('shows the same to whoever has no more than the verify cap', async () => {
    const { grid, file } = immutableGrid(made);
    const verifier = grid.openImmutable(formatImmutableCap(toImmutableVerifyCap(made.cap)));
    expect(await verifier.check()).toEqual(await file.check());
    expect(shown(await verifier.verify())).toEqual(healthy);
    await expect(verifier.read()).rejects.toThrowError('reading needs a read cap');
  });

  test('costs no more than its shares, and a second look at k of them', async () => {
    const { file, calls } = immutableGrid(made);
    let read = 0;
    await file.verify({
      onProgress: ({ bytes }) => {
        read = bytes.read;
      },
    });
    // The blocks of ten shares, then the contents.
    expect(read).toBe(10 * 6667 + 20_000);
    // The first bytes, the rest of the blocks, two trees: of ten shares; then blocks of three.
    expect(calls.length).toBeLessThan(100);
  });

  test('that is a literal is healthy, and nobody is asked', async () => {
    const { grid, calls } = immutableGrid(made);
    const file = grid.openImmutable(litCapOf(new Uint8Array(3)));
    const literal = { ...healthy, good: [] };
    expect([shown(await file.check()), shown(await file.verify())]).toEqual([literal, literal]);
    expect((await file.repair()).map.servers).toEqual([]);
    expect(calls).toEqual([]);
    await expect(file.check({ signal: AbortSignal.abort('before') })).rejects.toBe('before');
  });
});

describe('a share that is damaged is named, and no other is', () => {
  const hash = (name: string) => `corrupt share: ${name}: node`;
  test.each<[string, (share: Uint8Array) => Uint8Array, string]>([
    ['in its first block', (it) => flipped(it, data), hash('block hash tree')],
    ['in its last block', (it) => flipped(it, data + 6666), hash('block hash tree')],
    [
      'in its crypttext hash tree',
      (it) => flipped(it, crypttext + 40),
      hash('crypttext hash tree'),
    ],
    [
      'in what fills up its crypttext hash tree',
      (it) => flipped(it, crypttext + 14 * 32),
      hash('crypttext hash tree'),
    ],
    ['in the root of its blocks', (it) => flipped(it, blocks), hash('share hash tree')],
    ['in a leaf of its blocks', (it) => flipped(it, blocks + 7 * 32), hash('block hash tree')],
    [
      'in what fills up the tree of its blocks',
      (it) => flipped(it, blocks + 14 * 32),
      hash('block hash tree'),
    ],
    ['in its share hash chain', (it) => flipped(it, chain + 5), hash('share hash tree')],
    [
      'in the length of its URI extension',
      (it) => flipped(it, ueb),
      'corrupt share: URI extension',
    ],
    ['in its URI extension', (it) => flipped(it, ueb + 40), 'corrupt share: URI extension'],
    ['in its version', (it) => flipped(it, 3), 'unknown share version 0'],
    ['in its offsets', (it) => flipped(it, 13), 'corrupt share: offset of plaintext hash tree'],
    ['so that it ends in its last block', (it) => it.slice(0, data + 6660), 'corrupt share: '],
    ['so that it ends in its URI extension', (it) => it.slice(0, -1), 'corrupt share: URI ext'],
    ['so that 20 bytes are left', (it) => it.slice(0, 20), 'corrupt share: header: 20 of 36'],
    ['so that 2 bytes are left', (it) => it.slice(0, 2), 'corrupt share: header: 2 bytes'],
    ['so that nothing is left', (it) => it.slice(0, 0), 'corrupt share: header: 0 bytes'],
    ['by being another share', () => made.shares[9]!, hash('share hash tree')],
  ])('%s', async (_, change, reason) => {
    const broken = withShare(4, change);
    const { file } = immutableGrid(broken);
    const { bad, ...rest } = shown(await file.verify());
    expect(rest).toEqual({ good: without(4), isHealthy: false, isRecoverable: true });
    expect(bad).toEqual([expect.stringContaining(`4 on s4: ${reason}`)]);
    // What servers say is all that a check has.
    expect(shown(await file.check())).toEqual(healthy);
  });

  test('beside a good copy: the file is not healthy, for one of its readers meets the bad one', async () => {
    const placed = (shnum: number) => (shnum === 4 ? [4, 10] : [shnum]);
    const lie = (it: ReadableShares) => ({
      readShare: async (...args: Parameters<ReadableShares['readShare']>) =>
        (await it.readShare(...args)).map((byte) => byte ^ 1),
    });
    const found = await verified(made, { count: 11, placed, instead: { 10: lie } });
    expect(found).toMatchObject({ good: all, isHealthy: false, isRecoverable: true });
    expect(found.bad).toEqual([expect.stringMatching(/^4 on s10: unknown share/)]);
  });
});

test.each([10, 255])('share %i of 10 is a bad share, and ends nothing', async (shnum) => {
  const shares = [...made.shares, ...Array<Uint8Array>(246).fill(share)];
  const placed = (n: number) => (n < 10 ? [n] : n === shnum ? [3] : []);
  const { file } = immutableGrid({ ...made, shares }, { placed });
  const found = {
    ...healthy,
    bad: [`${shnum} on s3: corrupt share: share number: ${shnum} of 10 shares`],
    isHealthy: false,
  };
  expect(shown(await file.check())).toEqual(found);
  expect(shown(await file.verify())).toEqual(found);
});

describe('shares that are missing', () => {
  test.each([
    [9, { good: without(9), bad: [], isHealthy: false, isRecoverable: true }],
    [2, { good: [0, 1], bad: [], isHealthy: false, isRecoverable: false }],
    [0, { good: [], bad: [], isHealthy: false, isRecoverable: false }],
  ])('%i are left', async (left, found) => {
    const { file } = immutableGrid(made, { placed: (n) => (n < left ? [n] : []) });
    expect(shown(await file.check())).toEqual(found);
    expect(shown(await file.verify())).toEqual(found);
  });

  test('where too few are left, these are looked at all the same', async () => {
    const broken = withShare(1, (it) => flipped(it, data + 6666));
    const { good, bad, isRecoverable } = await verified(broken, {
      placed: (n) => (n < 2 ? [n] : []),
    });
    expect([good, bad, isRecoverable]).toEqual([
      [0],
      [expect.stringContaining('1 on s1: corrupt share: block hash tree')],
      false,
    ]);
  });

  test('are not made again: whoever asks for a repair is told so', async () => {
    const whole = immutableGrid(made).file;
    expect(shown(await whole.repair())).toEqual(healthy);
    const { file } = immutableGrid(
      withShare(1, (it) => flipped(it, data)),
      {
        placed: (n) => (n < 5 ? [n] : []),
      },
    );
    await expect(file.repair()).rejects.toThrowError(new NotRepairableError('an immutable file'));
  });
});

describe('a maker who cheats', () => {
  const contents = chkContents(20_000);
  const options = { segmentSizeMax: 4096 };

  test('by blocks of another file in some shares: no share is good, whichever k were decoded', async () => {
    for (const [from, to] of [
      [0, 4],
      [5, 9],
      [9, 9],
    ] as const) {
      const file = await encodeChk(contents, {
        ...options,
        blockOf: (shnum, segnum, block) =>
          shnum >= from && shnum <= to && segnum === 2 ? block.slice().fill(1) : block,
      });
      const reason =
        from === 0
          ? 'segment 2 is not what was encrypted'
          : 'corrupt share: share hash tree: not all of its shares are of one file';
      expect(await verified(file)).toEqual({
        ...{ good: [], isHealthy: false, isRecoverable: false },
        bad: all.map((n) => `${n} on s${n}: ${reason}`),
      });
    }
  });

  test('is found out also while the shares that are of another file are nowhere', async () => {
    const blockOf = (shnum: number, _: number, block: Uint8Array) =>
      shnum === 9 ? block.slice().fill(1) : block;
    const file = await encodeChk(contents, { ...options, blockOf });
    const { good } = await verified(file, { placed: (n) => (n < 9 ? [n] : []) });
    expect(good).toEqual([]);
  });

  test('by a crypttext hash tree of something else: by its hashes alone every share is good', async () => {
    const other = await encodeChk(
      contents.map((byte) => byte ^ 1),
      options,
    );
    const treeOf = (it: Uint8Array) => it.subarray(crypttext, blocks);
    const tree = treeOf(other.shares[0]!);
    const crypttext_root_hash = tree.subarray(0, 32);
    const honest = await encodeChk(contents, { ...options, ueb: { crypttext_root_hash } });
    const shares = honest.shares.map((it) =>
      concatBytes(it.subarray(0, crypttext), tree, it.subarray(blocks)),
    );
    const file = { ...honest, shares };
    const found = await verified(file);
    expect(found.bad).toEqual(all.map((n) => `${n} on s${n}: segment 0 is not what was encrypted`));
    expect([found.isHealthy, found.isRecoverable]).toEqual([false, false]);
  });

  test.each(['size', 'needed_shares', 'total_shares', 'num_segments', 'segment_size'])(
    'by a URI extension whose %s is not that of the cap',
    async (field) => {
      const file = await encodeChk(contents, { ...options, ueb: { [field]: '7' } });
      const { good, bad } = await verified(file);
      expect(good).toEqual([]);
      expect(bad).toHaveLength(10);
      for (const line of bad) expect(line).toContain('corrupt share: URI extension: ');
    },
  );

  test('by segments that nobody can hold: they are not asked for', async () => {
    const said = { size: `${2 ** 40}`, segment_size: `${2 ** 40}`, num_segments: '1' };
    const parts = { codec_params: undefined, tail_codec_params: undefined };
    const small = await encodeChk(chkContents(4), { required: 1, ueb: { ...said, ...parts } });
    const header = new Uint8Array(68);
    viewOf(header).setUint32(0, 2);
    const [from, start] = [small.shares[0]!.subarray(36 + 4), 68 + 2 ** 40];
    [68, start, start + 32, start + 64, start + 96, start + 96 + 170].forEach((at, i) => {
      viewOf(header).setBigUint64(20 + 8 * i, BigInt(at));
    });
    const tail = concatBytes(from.subarray(0, 266), new Uint8Array(4), from.subarray(266));
    const readShare: ReadableShares['readShare'] = async (_si, _n, { offset, length }) =>
      offset === 0
        ? concatBytes(header, new Uint8Array(4000)).slice(0, length)
        : tail.slice(offset - start, offset - start + length);
    const instead = Object.fromEntries(all.map((n) => [n, () => ({ readShare })]));
    const { file } = immutableGrid({ ...small, cap: { ...small.cap, size: 2 ** 40 } }, { instead });
    const limit = new BeyondLimitError('segment size', 2 ** 40, 2 ** 28);
    await expect(file.verify()).rejects.toThrowError(limit);
  });
});

describe('a server', () => {
  const timed = async (instead: NonNullable<ImmutableGridOptions['instead']>) => {
    const clock = new SimulatedClock();
    const { file } = immutableGrid(made, { clock, now: () => clock.now(), instead });
    const looking = file.verify();
    await passTime(clock, looking, 50);
    return looking;
  };

  test('that does not answer holds the look up for a while, and is named', async () => {
    const { map, ...finding } = await timed({ 3: () => ({ listShares: () => silence() }) });
    const { status, failure } = map.servers.find(({ id }) => id === 's3')!;
    expect([status, failure?.kind]).toEqual(['failed', 'timeout']);
    expect(shown({ map, ...finding })).toEqual({ ...healthy, good: without(3), isHealthy: false });
  });

  test.each([
    ['at once', 0],
    ['in the middle', 1],
  ])('that stops to give bytes, %s, has a share that nobody can judge', async (_, after) => {
    let reads = 0;
    const tires = (it: ReadableShares) => ({
      readShare: (...args: Parameters<ReadableShares['readShare']>) =>
        ++reads > after ? silence<Uint8Array>() : it.readShare(...args),
    });
    const finding = await timed({ 3: tires });
    expect(finding.bad).toEqual([
      { server: 's3', shnum: 3, reason: expect.any(String), isUnread: true },
    ]);
    expect(shown(finding)).toMatchObject({ good: without(3), isRecoverable: true });
  });

  test('that fails when it is read again is told of', async () => {
    let lists = 0;
    const fails = (it: ReadableShares, id: string) => ({
      readShare: async (...args: Parameters<ReadableShares['readShare']>) => {
        // By then every share has been looked at: blocks are read for decoding.
        if (++lists > 6) throw new ServerUnavailableError(id, 'on fire');
        return it.readShare(...args);
      },
    });
    const { file } = immutableGrid(made, { instead: { 0: fails } });
    const found = await file.verify();
    expect(found.isRecoverable).toBe(true);
  });

  test('that knows no immutable files is one that does not answer', async () => {
    const { file } = immutableGrid(made, {
      instead: {
        3: (_, id) => ({ listShares: () => Promise.reject(new ServerUnavailableError(id, 'no')) }),
      },
    });
    const { map } = await file.check();
    expect(map.servers.filter(({ status }) => status === 'failed').map(({ id }) => id)).toEqual([
      's3',
    ]);
  });
});

describe('a caller who has had enough', () => {
  const held = () =>
    immutableGrid(made, { instead: { 0: () => ({ readShare: () => silence<Uint8Array>() }) } });

  test('ends it by a signal, or by closing the grid', async () => {
    const abort = new AbortController();
    const looking = held().file.verify({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(looking).rejects.toThrowError('enough');
    const { file, grid } = held();
    const closed = file.verify();
    grid.close();
    await expect(closed).rejects.toBeInstanceOf(GridClosedError);
  });

  test('has to say what it means', async () => {
    const options = { signal: 'now' } as never;
    await expect(immutableGrid(made).file.check(options)).rejects.toBeInstanceOf(BadArgumentError);
  });
});
