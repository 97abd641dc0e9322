/** Shares that rot, servers that lie or hang, makers who cheat: what a reader of CHK has to meet. */
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { concatBytes, viewOf } from '../../src/bytes.ts';
import {
  BadCiphertextHashError,
  BeyondLimitError,
  GridClosedError,
  NotEnoughSharesError,
  ServerUnavailableError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { immutableStorageIndexOf } from '../../src/immutable/caps.ts';
import { patienceMinMs } from '../../src/runtime/pace.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { ReadableShares } from '../../src/storage/server.ts';
import { chkContents, encodeChk } from '../support/chk.ts';
import { passTime } from '../support/client-grid.ts';
import { type ImmutableGridOptions, immutableGrid } from '../support/immutable-grid.ts';

const contents = chkContents(20_000);
/** Five segments; a share has 6936 bytes, more than the first read of it. */
const made = await encodeChk(contents, { segmentSizeMax: 4096 });
const [share] = made.shares as [Uint8Array];
const small = await encodeChk(chkContents(100));
const offsetAt = (position: number) => viewOf(share).getUint32(position);
const [data, crypttext, blocks, chain, ueb] = [12, 20, 24, 28, 32].map(offsetAt) as [
  ...[number, number, number, number, number],
];

const equal = (a: Uint8Array, b: Uint8Array) => expect(Buffer.compare(a, b)).toBe(0);
const silence = <T>() => new Promise<T>(() => {});

/** `file` with these shares changed. */
function damaged(
  file: typeof made,
  change: (share: Uint8Array, shnum: number) => Uint8Array | undefined,
) {
  return { ...file, shares: file.shares.map((it, n) => change(it, n) ?? it) };
}

const flipped = (share: Uint8Array, at: number) => {
  const copy = share.slice();
  copy[at]! ^= 1;
  return copy;
};

describe('a share that is damaged', () => {
  test.each<[string, (share: Uint8Array) => Uint8Array]>([
    ['in its first block', (it) => flipped(it, data)],
    ['in its last block', (it) => flipped(it, data + 6666)],
    ['in its crypttext hash tree', (it) => flipped(it, crypttext + 40)],
    ['in the root of its blocks', (it) => flipped(it, blocks)],
    ['in a leaf of its blocks', (it) => flipped(it, blocks + 7 * 32)],
    ['in its share hash chain', (it) => flipped(it, chain + 5)],
    ['in the length of its URI extension', (it) => flipped(it, ueb)],
    ['in its URI extension', (it) => flipped(it, ueb + 40)],
    ['in its version', (it) => flipped(it, 3)],
    ['in its offsets', (it) => flipped(it, 13)],
    ['so that it ends in its last block', (it) => it.slice(0, data + 6660)],
    ['so that 20 bytes are left', (it) => it.slice(0, 20)],
    ['so that nothing is left', (it) => it.slice(0, 0)],
    ['by being another share', () => made.shares[9]!],
  ])('%s is told of, and another one is read', async (_, change) => {
    for (const bad of [0, 1, 2]) {
      const broken = damaged(made, (it, shnum) => (shnum === bad ? change(it) : undefined));
      const { file, servers, calls } = immutableGrid(broken);
      equal(await file.read(), contents);
      // No endless loop, as Tahoe's is over a share that ends in its header.
      expect(calls.length).toBeLessThan(80);
      for (const [i, server] of servers.entries()) {
        const told = diskOf(server).advisories.map(({ shnum }) => shnum);
        if (i !== bad) expect(told).toEqual([]);
      }
    }
  });

  test('is told of at its server', async () => {
    const broken = damaged(made, (it, n) => (n < 7 ? flipped(it, data) : undefined));
    const { file, grid } = immutableGrid(broken, { count: 1 });
    equal(await file.read(), contents);
    grid.close();
  });

  test.each([
    ['rotten blocks', (it: Uint8Array) => flipped(it, data)],
    ['rotten headers', (it: Uint8Array) => flipped(it, 13)],
  ])('eight of ten with %s are too many', async (_, change) => {
    const broken = damaged(made, (it, n) => (n < 8 ? change(it) : undefined));
    const { file } = immutableGrid(broken);
    const end = await file.read().catch((error: unknown) => error);
    expect([NotEnoughSharesError, UnrecoverableFileError]).toContain((end as Error).constructor);
    const told = { bad: 8, seen: [{ format: 'chk', required: 3, shares: 2, size: 20_000 }] };
    if (end instanceof UnrecoverableFileError) {
      expect(end.facts).toMatchObject(told);
      expect(end.message).toBe(
        'the file can not be read: the file has 2 of the 3 shares it needs; 8 corrupt ' +
          '(10 of 10 servers answered)',
      );
    } else {
      expect((end as Error).message).toMatch(/^the file ran out of good shares: \d left of the 3/);
      const { lost = [] } = (end as NotEnoughSharesError).facts;
      expect(new Set(lost.map(({ status }) => status))).toEqual(new Set(['corrupt']));
    }
  });
});

describe('a server that lies', () => {
  test('by showing one share under ten numbers does not make a file of it', async () => {
    const lie = (it: ReadableShares) => ({
      listShares: async () => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      readShare: (si: Uint8Array, _: number, range: { offset: number; length: number }) =>
        it.readShare(si, 0, range),
    });
    for (const file of [made, small]) {
      const placed = (shnum: number) => (shnum === 0 ? [0] : []);
      const alone = immutableGrid(file, { count: 1, placed, instead: { 0: lie } });
      await expect(alone.file.read()).rejects.toThrowError(/\d (left )?of the 3/);
      const helped = immutableGrid(file, { instead: { 0: lie } });
      equal(await helped.file.read(), chkContents(file.cap.size));
    }
  });

  test('about numbers that cannot be is not believed', async () => {
    const lists = [
      [10],
      [255, 256],
      [4, 70_000],
      [-1],
      [0.5],
      Array.from({ length: 257 }, (_, i) => i),
    ];
    for (const shnums of lists) {
      const lie = () => ({ listShares: async () => shnums });
      const { file } = immutableGrid(made, { instead: { 0: lie, 1: lie } });
      equal(await file.read(), contents);
    }
  });

  test('by giving more bytes than it was asked for is not read', async () => {
    const lie = () => ({ readShare: async () => new Uint8Array(5000) });
    const { file } = immutableGrid(made, { instead: { 0: lie, 1: lie, 2: lie } });
    equal(await file.read(), contents);
  });

  test('one thing now and another one later is found out', async () => {
    let reads = 0;
    const turncoat = (it: ReadableShares) => ({
      readShare: async (...args: Parameters<ReadableShares['readShare']>) => {
        const bytes = await it.readShare(...args);
        return ++reads > 2 ? bytes.fill(0) : bytes;
      },
    });
    const { file } = immutableGrid(made, { instead: { 0: turncoat } });
    equal(await file.read(), contents);
  });
});

describe('a server that does not answer', () => {
  const hangs = (method: keyof ReadableShares) => () => ({ [method]: () => silence<never>() });

  const timed = async (options: ImmutableGridOptions) => {
    const clock = new SimulatedClock();
    const { file } = immutableGrid(made, { clock, now: () => clock.now(), ...options });
    const reading = file.read();
    const tookMs = await passTime(clock, reading, 50);
    equal(await reading, contents);
    return tookMs;
  };

  test('a list holds up nobody', async () => {
    const list = hangs('listShares');
    expect(await timed({ instead: { 0: list, 1: list, 2: list, 3: list } })).toBe(0);
  });

  test('a read is given up far behind its peers, and another share is read', async () => {
    expect(await timed({ instead: { 0: hangs('readShare') } })).toBeLessThanOrEqual(
      2 * patienceMinMs,
    );
  });

  test('in the middle of a stream is replaced by another one', async () => {
    for (const hung of [0, 1, 2]) {
      let reads = 0;
      const tires = (it: ReadableShares) => ({
        readShare: (...args: Parameters<ReadableShares['readShare']>) =>
          ++reads > 3 ? silence<Uint8Array>() : it.readShare(...args),
      });
      expect(await timed({ instead: { [hung]: tires } })).toBeLessThanOrEqual(2 * patienceMinMs);
    }
  });

  test('is asked again, and waited for, when the others do not suffice', async () => {
    const clock = new SimulatedClock();
    const placed = (shnum: number) => (shnum < 3 ? [shnum] : []);
    const instead = { 2: hangs('listShares') };
    const options = { clock, now: () => clock.now(), count: 3, placed, instead };
    const { file, calls } = immutableGrid(made, options);
    const reading = file.read().catch((error: unknown) => error);
    await passTime(clock, reading, 50);
    const end = await reading;
    expect(end).toBeInstanceOf(UnrecoverableFileError);
    expect((end as Error).message).toBe(
      'the file can not be read: the file has 2 of the 3 shares it needs ' +
        '(2 of 3 servers answered; last failure: far behind the other servers)',
    );
    expect(calls.filter((call) => call === 's2 list')).toHaveLength(2);
  });
});

describe('a server that fails', () => {
  const fails = (method: keyof ReadableShares) => (_: ReadableShares, id: string) => ({
    [method]: async () => {
      throw new ServerUnavailableError(id, 'on fire');
    },
  });

  test('is done without', async () => {
    const [list, read] = [fails('listShares'), fails('readShare')];
    const { file } = immutableGrid(made, { instead: { 0: list, 1: read, 2: list, 3: read } });
    equal(await file.read(), contents);
  });

  test('says why, when it was needed', async () => {
    const placed = (shnum: number) => (shnum < 3 ? [shnum] : []);
    const instead = { 2: fails('listShares') };
    const { file } = immutableGrid(made, { count: 3, placed, instead });
    await expect(file.read()).rejects.toThrowError('server s2: on fire');
  });

  test('a server that knows no immutable files is one that fails', async () => {
    const { grid, servers } = immutableGrid(made);
    const without = { ...grid.servers[0]!, immutable: undefined };
    const alone = new Grid({ servers: [without] });
    await expect(alone.openImmutable(made.cap).read()).rejects.toThrowError(
      'server s0: it has no immutable files',
    );
    const most = new Grid({ servers: [without, ...servers.slice(1)] });
    equal(await most.openImmutable(made.cap).read(), contents);
  });

  test('shares that move in the middle are found where they are', async () => {
    const storageIndex = immutableStorageIndexOf(made.cap);
    const placed = (shnum: number) => (shnum < 3 ? [shnum] : []);
    const { file, servers } = immutableGrid(made, { count: 8, placed });
    const reader = file.stream().getReader();
    const first = await reader.read();
    for (const shnum of [0, 1, 2]) {
      diskOf(servers[shnum]!).setImmutable(storageIndex, shnum, undefined);
      diskOf(servers[shnum + 3]!).setImmutable(storageIndex, shnum, made.shares[shnum]!);
    }
    const pieces = [first.value as Uint8Array];
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      pieces.push(next.value);
    }
    equal(concatBytes(...pieces), contents);
  });
});

describe('a maker who cheats', async () => {
  /** Shares 5 to 9 are of another segment 2, and all hashes are right. */
  const blockOf = (shnum: number, segnum: number, block: Uint8Array) =>
    shnum >= 5 && segnum === 2 ? block.slice().fill(1) : block;
  const cheat = await encodeChk(contents, { segmentSizeMax: 4096, blockOf });

  test('by shares that decode to different files is found out, and nothing of it is given', async () => {
    const { file } = immutableGrid(cheat, { placed: (shnum) => (shnum < 4 ? [] : [shnum]) });
    const bad = new BadCiphertextHashError(2);
    await expect(file.read()).rejects.toThrowError(bad);
    const pieces: Uint8Array[] = [];
    const streaming = (async () => {
      for await (const piece of file.stream()) pieces.push(piece);
    })();
    await expect(streaming).rejects.toThrowError(bad);
    const given = concatBytes(...pieces);
    equal(given, contents.subarray(0, given.length));
    expect(given.length).toBeLessThanOrEqual(2 * 4098);
    // Later reads do not hang, and what is honest is read.
    await expect(file.read({ offset: 8196, length: 1 })).rejects.toThrowError(bad);
    equal(await file.read({ length: 8196 }), contents.subarray(0, 8196));
    equal(await file.read({ offset: 12_294 }), contents.subarray(12_294));
  });

  test('is no matter for whoever meets the honest shares', async () => {
    const { file } = immutableGrid(cheat, { placed: (shnum) => (shnum < 5 ? [shnum] : []) });
    equal(await file.read(), contents);
  });

  test('by segments that nobody can hold is refused before a block is read', async () => {
    const size = 2 ** 40;
    const segmentSize = Math.ceil(size / 3) * 3;
    const said = { size: `${size}`, segment_size: `${segmentSize}`, num_segments: '1' };
    const parts = { codec_params: undefined, tail_codec_params: undefined };
    const small = await encodeChk(chkContents(3), { required: 3, ueb: { ...said, ...parts } });
    const header = new Uint8Array(68);
    const view = viewOf(header);
    view.setUint32(0, 2);
    const start = 68 + Math.ceil(size / 3);
    const tail = small.shares[0]!.slice(36 + 1);
    [68, start, start + 32, start + 64, start + 96, start + 96 + 170].forEach((at, i) => {
      view.setBigUint64(20 + 8 * i, BigInt(at));
    });
    // The length of the URI extension has 8 bytes in this layout.
    const [front, ueb] = [tail.slice(0, 96 + 170), tail.slice(96 + 170)];
    const end = concatBytes(front, new Uint8Array(4), ueb);
    const readShare = async (
      _: Uint8Array,
      __: number,
      range: { offset: number; length: number },
    ) => {
      const { offset, length } = range;
      if (offset === 0) return concatBytes(header, new Uint8Array(4000)).slice(0, length);
      return end.slice(offset - start, offset - start + length);
    };
    const cap = { ...small.cap, size };
    const lie = () => ({ readShare });
    const instead = Object.fromEntries(small.shares.map((_, i) => [i, lie]));
    const { file } = immutableGrid({ ...small, cap }, { instead });
    const limit = new BeyondLimitError('segment size', segmentSize, 2 ** 28);
    await expect(file.read({ length: 1 })).rejects.toThrowError(limit);
  });
});

describe('a caller who has had enough', () => {
  const held = () => {
    const instead = { 0: () => ({ readShare: () => silence<Uint8Array>() }) };
    return immutableGrid(made, { count: 1, instead });
  };

  test('by a signal ends it at once', async () => {
    const { file } = held();
    const abort = new AbortController();
    const reading = file.read({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(reading).rejects.toThrowError('enough');
    await expect(file.read({ signal: AbortSignal.abort('before') })).rejects.toBe('before');
  });

  test('by closing the grid ends it', async () => {
    const { file, grid } = held();
    const reading = file.read();
    grid.close();
    await expect(reading).rejects.toBeInstanceOf(GridClosedError);
  });

  test('is told how far it is', async () => {
    const { file } = immutableGrid(made);
    const told: string[] = [];
    await file.read({
      onProgress: ({ phase, done, total }) => told.push(`${phase} ${done}/${total}`),
    });
    const heardOf = told.filter((line) => line.startsWith('mapping')).length - 1;
    expect(told.filter((line) => line.startsWith('reading'))).toEqual(
      [0, 4098, 8196, 12_294, 16_392, 20_000, 20_000].map((done, i) => {
        const heard = 4000 * heardOf;
        return `reading ${heard + done}/${heard + 20_000 + (i === 5 ? 1 : 0)}`;
      }),
    );
    // The cap says the size.
    expect(told[0]).toBe('mapping 0/60000');
  });
});
