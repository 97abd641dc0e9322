import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storageIndexOf } from '../../src/caps.ts';
import {
  OutOfRangeError,
  ServerUnavailableError,
  UncoordinatedWriteError,
} from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { ByteRange, StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  forgetful,
  type Held,
  holdings,
  putShare,
  shareOf,
  testGrid,
} from '../support/client-grid.ts';
import { golden } from '../support/shares.ts';

/** MDMF's segment size at k = 3, and what a share holds of one whole segment. */
const S = 131_073;
const entry = 16 + S / 3;
const dataOffset = 2167;

interface Traffic {
  readonly reads: (ByteRange & { readonly shnum: number })[];
  /** The parts written to each share, in order. */
  readonly writes: Map<number, ByteRange[]>;
}

/** Notes what is read, and what is written and how much of it was really sent. */
function metering(traffic: Traffic) {
  return (server: StorageServer) =>
    altered(server, {
      readShare: async (index, shnum, range, options) => {
        const bytes = await server.readShare(index, shnum, range, options);
        traffic.reads.push({ shnum, offset: range.offset, length: bytes.length });
        return bytes;
      },
      readTestWrite: (index, request, options) => {
        const shares = new Map(
          [...request.shares].map(([shnum, write]) => {
            const sent: ByteRange[] = [];
            // Other numbers are only tested for.
            if (write.parts.length > 0) traffic.writes.set(shnum, sent);
            const parts = write.parts.map((part) => ({
              ...part,
              bytes: async () => {
                const bytes = await part.bytes();
                sent.push({ offset: part.offset, length: bytes.length });
                return bytes;
              },
            }));
            return [shnum, { ...write, parts }] as const;
          }),
        );
        return server.readTestWrite(index, { ...request, shares }, options);
      },
    });
}

function newTraffic(): Traffic {
  return { reads: [], writes: new Map() };
}

/** What follows from sizes alone, in another way than the library computes it. */
interface Shape {
  readonly segments: number;
  /** Share bytes of all entries. */
  readonly data: number;
  readonly leaves: number;
}

function shapeOf(size: number, k = 3, segmentSize = S): Shape {
  let data = 0;
  let segments = 0;
  for (let left = size; left > 0; left -= segmentSize) {
    data += 16 + Math.ceil(Math.min(left, segmentSize) / k);
    segments += 1;
  }
  let leaves = 1;
  while (leaves < segments) leaves += leaves;
  return { segments, data, leaves };
}

/** What an update of 3-of-10 must send to each share: entries, hashes, head. */
function expectedParts(oldSize: number, offset: number, length: number): ByteRange[] {
  const newSize = Math.max(oldSize, offset + length);
  const [before, after] = [shapeOf(oldSize), shapeOf(newSize)];
  const parts: ByteRange[] = [];
  const nodes = new Set<number>();
  for (let segment = 0; segment < after.segments; segment++) {
    const start = segment * S;
    const isTouched = start < offset + length && start + S > offset;
    if (!isTouched) continue;
    const plain = Math.min(S, newSize - start);
    parts.push({ offset: dataOffset + segment * entry, length: 16 + Math.ceil(plain / 3) });
    let node = after.leaves - 1 + segment;
    for (; node > 0; node = (node - 1) >> 1) nodes.add(node);
    nodes.add(0);
  }
  const tree = dataOffset + after.data;
  if (before.data !== after.data || before.leaves !== after.leaves) {
    parts.push({ offset: tree, length: 32 * (2 * after.leaves - 1) });
  } else {
    for (const node of [...nodes].sort((a, b) => a - b)) {
      const last = parts.at(-1);
      const at = tree + 32 * node;
      if (nodes.has(node - 1) && last !== undefined) {
        parts[parts.length - 1] = { offset: last.offset, length: last.length + 32 };
      } else parts.push({ offset: at, length: 32 });
    }
  }
  // Header, private key, share hash chain of four, signature, verification key.
  const head = 123 + golden.encryptedPrivateKey.length + 4 * 34 + 256 + 294;
  return [...parts, { offset: 0, length: head }];
}

/** `old` with `data` over it from `offset` on. */
function spliced(old: Uint8Array, data: Uint8Array, offset: number): Uint8Array {
  const out = new Uint8Array(Math.max(old.length, offset + data.length));
  out.set(old);
  out.set(data, offset);
  return out;
}

describe('an MDMF update in place', () => {
  test.each([
    ['at the start', 3 * S, 0, 10],
    ['of one byte', 3 * S, S + 7, 1],
    ['in the middle of a segment', 5 * S - 9, 2 * S + 500, 1000],
    ['of exactly one segment', 3 * S, S, S],
    ['from a boundary', 3 * S, S, 5],
    ['up to a boundary', 3 * S, 2 * S - 5, 5],
    ['across a boundary', 3 * S, S - 3, 6],
    ['across several segments', 5 * S, S - 3, 2 * S + 6],
    ['of everything', 3 * S - 4, 0, 3 * S - 4],
    ['of the last byte', 3 * S - 4, 3 * S - 5, 1],
    ['in the last, short segment', 2 * S + 100, 2 * S + 20, 30],
    ['at the end', 2 * S + 100, 2 * S + 100, 50],
    ['at the end, within the same blocks', 2 * S + 100, 2 * S + 100, 2],
    ['at an end that is a boundary', 2 * S, 2 * S, 1],
    ['from a boundary at the end, by segments', 2 * S, 2 * S, 2 * S],
    ['up to a boundary past the end', 2 * S + 7, 2 * S + 7, S - 7],
    ['past the end from within', 2 * S + 100, 2 * S + 60, 100],
    ['past the end by segments', S + 100, 50, 4 * S],
    ['of an empty file', 0, 0, 10],
    ['of an empty file by segments', 0, 0, 2 * S + 1],
    ['from one segment to two', S, S, 1],
    ['from two segments to three', 2 * S, 2 * S - 1, 2],
    ['from three segments to five', 3 * S - 1, 3 * S - 1, S + 2],
    ['from four segments to nine', 4 * S, 4 * S, 4 * S + 1],
    ['from seven segments to eight', 7 * S, 7 * S, S],
  ])('%s sends what changes and nothing else', async (_, size, offset, length) => {
    const traffic = newTraffic();
    const { create, another } = testGrid({ wrap: metering(traffic) });
    const old = bytesOf(size);
    const data = bytesOf(length, 2);
    const file = another().open((await create('mdmf', old)).writeCap);
    traffic.writes.clear();
    traffic.reads.length = 0;
    const outcome = await file.update(data, offset);

    expect(outcome).toMatchObject({ seqnum: 2, quorum: 7, missing: [], inPlace: true });
    expect(outcome.placed.map(({ shnum }) => shnum).sort()).toEqual([...Array(10).keys()]);
    const parts = expectedParts(size, offset, length);
    expect([...traffic.writes].sort(([a], [b]) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, shnum) => [shnum, parts]),
    );
    expectBlockReads(traffic, size, offset, length);

    expectBytes(await file.read(), spliced(old, data, offset));
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [], seqnum: 2 });
  });

  /** The old blocks that are fetched are those of segments that are kept in part, from k shares. */
  function expectBlockReads({ reads }: Traffic, size: number, offset: number, length: number) {
    const end = offset + length;
    const kept = new Set<number>();
    if (offset % S !== 0) kept.add(Math.floor(offset / S));
    if (end < size && end % S !== 0) kept.add(Math.floor(end / S));
    const whole = (segment: number) => 16 + Math.ceil(Math.min(S, size - segment * S) / 3);
    const expected = [...kept].flatMap((segment) =>
      [0, 1, 2].map((shnum) => ({
        shnum,
        offset: dataOffset + segment * entry,
        length: whole(segment),
      })),
    );
    const treeAt = dataOffset + shapeOf(size).data;
    // A read that begins within the entries; short shares come whole with their heads.
    const blocks = reads.filter((read) => read.offset >= dataOffset && read.offset < treeAt);
    const beyondHead = expected.filter((range) => range.offset + range.length > 4000);
    expect(blocks.sort(byPlace)).toEqual(beyondHead.sort(byPlace));
  }

  function byPlace(a: { shnum: number; offset: number }, b: { shnum: number; offset: number }) {
    return a.offset - b.offset || a.shnum - b.shnum;
  }

  test('asks all ten shares once for the hashes that it keeps, and no block that it replaces', async () => {
    const traffic = newTraffic();
    const { create, another } = testGrid({ wrap: metering(traffic) });
    const file = another().open((await create('mdmf', bytesOf(4 * S))).writeCap);
    traffic.reads.length = 0;
    await file.update(bytesOf(S, 2), 2 * S);
    // A small tree is read whole, all seven nodes of it.
    const tree = { offset: dataOffset + 4 * entry, length: 7 * 32 };
    const behindHeads = traffic.reads.filter(({ offset }) => offset >= dataOffset);
    expect(behindHeads.sort(byPlace)).toEqual(
      Array.from({ length: 10 }, (_, shnum) => ({ shnum, ...tree })),
    );
  });

  test('sends a thousandth of the file for one byte of it', async () => {
    const traffic = newTraffic();
    const { create } = testGrid({ wrap: metering(traffic) });
    const file = await create('mdmf', bytesOf(40 * S));
    const sum = () =>
      [...traffic.writes.values()].flat().reduce((bytes, { length }) => bytes + length, 0);
    const whole = sum();
    traffic.writes.clear();
    await file.update(Uint8Array.of(1), 20 * S);
    // One entry, the seven hashes from a leaf of 64 to the root, and the head, to ten shares.
    const head = 123 + golden.encryptedPrivateKey.length + 4 * 34 + 256 + 294;
    expect(sum()).toBe(10 * (entry + 7 * 32 + head));
    expect(sum() / whole).toBeLessThan(0.03);
  });

  test('appends again and again, also through segment and power-of-two boundaries', async () => {
    const { create } = testGrid({ count: 3, encoding: { required: 1, happy: 2, total: 2 } });
    const file = await create('mdmf', bytesOf(100));
    let model = bytesOf(100);
    for (let n = 0; n < 12; n++) {
      const data = bytesOf(100_000, n + 2);
      const outcome = await file.append(data);
      expect(outcome).toMatchObject({ seqnum: n + 2, inPlace: true, missing: [] });
      model = spliced(model, data, model.length);
    }
    expectBytes(await file.read(), model);
    expect((await file.verify()).isHealthy).toBe(true);
  });

  test('changes what another client wrote last, not what it remembers', async () => {
    const { create, another } = testGrid();
    const file = await create('mdmf', bytesOf(100));
    const other = another().open(file.writeCap);
    await other.append(bytesOf(80, 2));
    await file.update(Uint8Array.of(1, 2, 3), 5);
    const expected = spliced(spliced(bytesOf(100), bytesOf(80, 2), 100), Uint8Array.of(1, 2, 3), 5);
    expectBytes(await other.read(), expected);
  });

  test('takes a source that is read when its bytes are needed', async () => {
    const { create } = testGrid();
    const file = await create('mdmf', bytesOf(S));
    const data = bytesOf(2 * S, 2);
    const asked: number[] = [];
    const source = {
      size: data.length,
      read: async (offset: number, length: number) => {
        asked.push(length);
        return data.subarray(offset, offset + length);
      },
    };
    await file.update(source, 10);
    expectBytes(await file.read(), spliced(bytesOf(S), data, 10));
    // Never more than a segment at once.
    expect(Math.max(...asked)).toBeLessThanOrEqual(S);
  });
});

describe.each(['sdmf', 'mdmf'] as const)('an update of a %s file', (format) => {
  test('without data writes nothing, wherever it is', async () => {
    const traffic = newTraffic();
    const { create } = testGrid({ wrap: metering(traffic) });
    const file = await create(format, bytesOf(1000));
    traffic.writes.clear();
    for (const offset of [0, 500, 1000]) {
      const { version } = await file.stat();
      expect(await file.update(new Uint8Array(0), offset)).toEqual({
        seqnum: 1,
        version,
        quorum: 0,
        placed: [],
        missing: [],
        stale: [],
        failures: [],
        inPlace: true,
        base: version,
      });
    }
    expect((await file.append(new Uint8Array(0))).placed).toEqual([]);
    expect(traffic.writes.size).toBe(0);
    expectBytes(await file.read(), bytesOf(1000));
  });

  test('beyond the end is refused', async () => {
    const traffic = newTraffic();
    const { create } = testGrid({ wrap: metering(traffic) });
    for (const size of [0, 1000]) {
      const file = await testGrid({ wrap: metering(traffic) }).create(format, bytesOf(size));
      traffic.writes.clear();
      for (const data of [bytesOf(5), new Uint8Array(0)]) {
        await expect(file.update(data, size + 1)).rejects.toThrowError(
          new OutOfRangeError('offset', size + 1, `the file has ${size} bytes`),
        );
      }
      expect(traffic.writes.size).toBe(0);
    }
    const file = await create(format);
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
      await expect(file.update(bytesOf(1), bad)).rejects.toThrowError(
        new OutOfRangeError('offset', bad, 'must be a whole number from 0 to 2^53-1'),
      );
    }
  });

  test('is one of whole shares when a share is lost, and makes it again', async () => {
    const { create, servers } = testGrid();
    const old = bytesOf(200_000);
    const file = await create(format, old);
    const lost = holdings(servers, file.cap)[4] as Held;
    diskOf(lost.server).deleteShare(storageIndexOf(file.cap), lost.shnum);
    const outcome = await file.update(bytesOf(10, 2), 150_000);
    expect(outcome).toMatchObject({ seqnum: 2, missing: [], inPlace: false });
    expectBytes(await file.read(), spliced(old, bytesOf(10, 2), 150_000));
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
    const next = await file.append(bytesOf(5, 3));
    expect(next.inPlace).toBe(format === 'mdmf');
  });

  test('never mixes a stale copy of a share with new segments', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(200_000));
    const stale = shareOf(holdings(servers, file.cap)[3] as Held, file.cap);
    await file.overwrite(bytesOf(200_000, 2));
    await forgetful(file);
    const index = storageIndexOf(file.cap);
    const spare = servers.find((server) => diskOf(server).sharesOf(index).length === 0);
    await putShare(spare as StorageServer, file.cap, 3, stale);
    const outcome = await file.update(bytesOf(10, 3), 5);
    expect(outcome).toMatchObject({ seqnum: 3, missing: [], inPlace: false });
    // Both copies of share 3 are of the new version, and equal.
    expect(outcome.placed.filter(({ shnum }) => shnum === 3).length).toBe(2);
    const copies = holdings(servers, file.cap).filter(({ shnum }) => shnum === 3);
    expect(copies.map((held) => shareOf(held, file.cap))).toEqual(
      Array(2).fill(shareOf(copies[0] as Held, file.cap)),
    );
    expectBytes(await file.read(), spliced(bytesOf(200_000, 2), bytesOf(10, 3), 5));
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
  });

  test('changes equal copies of a share alike', async () => {
    const { create, servers } = testGrid();
    const file = await create(format, bytesOf(200_000));
    const held = holdings(servers, file.cap)[3] as Held;
    const index = storageIndexOf(file.cap);
    const spare = servers.find((server) => diskOf(server).sharesOf(index).length === 0);
    await putShare(spare as StorageServer, file.cap, 3, shareOf(held, file.cap));
    const outcome = await file.update(bytesOf(10, 3), 5);
    expect(outcome.placed.length).toBe(11);
    expect(outcome.inPlace).toBe(format === 'mdmf');
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
  });

  test('tells when somebody else wrote in between', async () => {
    let before: (() => Promise<unknown>) | undefined;
    const wrap = (server: StorageServer) =>
      altered(server, {
        readTestWrite: async (...args) => {
          const now = before;
          before = undefined;
          await now?.();
          return server.readTestWrite(...args);
        },
      });
    const { create, another } = testGrid({ wrap });
    const file = await create(format, bytesOf(1000));
    const other = another().open(file.writeCap);
    let told: Promise<unknown> | undefined;
    before = () => {
      told = other.append(bytesOf(10, 2)).catch((error) => error);
      return told;
    };
    // Nine of ten servers have the update already, and the append comes to the tenth first.
    expect(await file.update(bytesOf(5, 3), 0)).toMatchObject({ seqnum: 2, quorum: 7 });
    expect(await told).toBeInstanceOf(UncoordinatedWriteError);
    expectBytes(await file.read(), spliced(bytesOf(1000), bytesOf(5, 3), 0));
  });
});

describe('an MDMF update falls back to whole shares', () => {
  const size = 3 * S;
  const cases: [string, (share: Uint8Array, view: DataView) => void][] = [
    // Nodes 1 and 2 are halves of the tree; the run is in the left one.
    ['a hash is damaged', (share) => flip(share, dataOffset + 3 * entry + 2 * 32 + 8)],
    ['the private key is said to lie elsewhere', (_, view) => view.setBigUint64(59, 124n)],
    ['the share hash chain is damaged', (share, view) => flip(share, at(view, 67) + 5)],
    ['the signature is damaged', (share, view) => flip(share, at(view, 75) + 5)],
    ['the root hash is damaged', (share) => flip(share, 12)],
  ];

  test.each(cases)('when %s in one share', async (_, damage) => {
    const { create, servers } = testGrid();
    const file = await create('mdmf', bytesOf(size));
    await spoil(servers, file, 6, damage);
    const outcome = await file.update(bytesOf(9, 2), S - 4);
    expect(outcome).toMatchObject({ seqnum: 2, missing: [], inPlace: false });
    expectBytes(await file.read(), spliced(bytesOf(size), bytesOf(9, 2), S - 4));
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
  });

  test('but not for a damaged block that is replaced anyway', async () => {
    const { create, servers } = testGrid();
    const file = await create('mdmf', bytesOf(size));
    await spoil(servers, file, 0, (share) => flip(share, dataOffset + entry + 100));
    const outcome = await file.update(bytesOf(9, 2), S + 50);
    expect(outcome).toMatchObject({ seqnum: 2, missing: [], inPlace: true });
    expectBytes(await file.read(), spliced(bytesOf(size), bytesOf(9, 2), S + 50));
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
  });

  test('when a tree does not arrive', async () => {
    const lame = new Set<string>();
    const wrap = (server: StorageServer) =>
      altered(server, {
        readShare: async (index, shnum, range, options) => {
          if (lame.has(server.id) && range.offset > 0) {
            throw new ServerUnavailableError(server.id, 'gone');
          }
          return server.readShare(index, shnum, range, options);
        },
      });
    const { create, servers } = testGrid({ wrap });
    const file = await create('mdmf', bytesOf(size));
    lame.add(holdings(servers, file.cap)[2]?.server.id as string);
    expect(await file.update(bytesOf(9, 2), 7)).toMatchObject({ seqnum: 2, inPlace: false });
  });

  test('the next time, when a server failed at the last minute', async () => {
    const failing = new Set<string>();
    const wrap = (server: StorageServer) =>
      altered(server, {
        readTestWrite: async (...args) => {
          if (failing.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
          return server.readTestWrite(...args);
        },
      });
    const { create, servers } = testGrid({ wrap });
    const file = await create('mdmf', bytesOf(size));
    const left = holdings(servers, file.cap)[8]?.server.id as string;
    failing.add(left);
    // The rest of the old share is not at hand, so that no other server can be given a whole one.
    expect(await file.update(bytesOf(9, 2), 7)).toMatchObject({
      seqnum: 2,
      missing: [8],
      inPlace: true,
    });
    failing.clear();
    const next = await file.update(bytesOf(9, 3), 70);
    expect(next).toMatchObject({ seqnum: 3, missing: [], inPlace: false });
    const expected = spliced(spliced(bytesOf(size), bytesOf(9, 2), 7), bytesOf(9, 3), 70);
    expectBytes(await file.read(), expected);
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
  });

  async function spoil(
    servers: Parameters<typeof holdings>[0],
    file: MutableFile,
    shnum: number,
    damage: (share: Uint8Array, view: DataView) => void,
  ) {
    const held = holdings(servers, file.cap)[shnum] as Held;
    const share = shareOf(held, file.cap);
    damage(share, new DataView(share.buffer));
    diskOf(held.server).overwriteShare(storageIndexOf(file.cap), shnum, 0, share);
  }

  function flip(share: Uint8Array, offset: number) {
    share[offset] = (share[offset] as number) ^ 1;
  }

  function at(view: DataView, offset: number): number {
    return Number(view.getBigUint64(offset));
  }
});

describe('whatever is done to a file', () => {
  const encodings = [
    [1, 1],
    [2, 3],
    [7, 10],
    [3, 20],
    [3, 10],
  ] as const;
  /** Mostly small; now and then around a segment boundary. */
  const length = fc.oneof(
    { weight: 12, arbitrary: fc.nat(300) },
    { weight: 2, arbitrary: fc.nat(6000) },
    { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }).map((n) => 131_075 + n) },
  );
  /** A place in the file, as a fraction of its length. */
  const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
  const step = fc.oneof(
    fc.record({ do: fc.constant('overwrite' as const), length }),
    fc.record({ do: fc.constant('update' as const), place, length }),
    fc.record({ do: fc.constant('append' as const), length }),
    fc.record({ do: fc.constant('modify' as const), place, length: fc.nat(50) }),
    fc.record({ do: fc.constant('read' as const), place, upTo: place }),
    fc.record({ do: fc.constant('lose' as const), share: fc.nat() }),
    fc.record({ do: fc.constant('rot' as const), share: fc.nat(), place }),
  );
  const history = fc.record({
    format: fc.constantFrom('sdmf' as const, 'mdmf' as const),
    encoding: fc.constantFrom(...encodings),
    headLength: fc.constantFrom(123, 1000, 4000),
    first: length,
    steps: fc.array(step, { minLength: 4, maxLength: 16 }),
  });

  test('it holds what an array of bytes would', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(history, run), { numRuns: 8 });
  });

  async function run({
    format,
    encoding,
    headLength,
    first,
    steps,
  }: typeof history extends fc.Arbitrary<infer T> ? T : never) {
    const [required, total] = encoding;
    const { create, another, servers } = testGrid({
      encoding: { required, happy: 1, total },
      headLength,
    });
    let seed = 1;
    let model = bytesOf(first);
    const file = another().open((await create(format, model)).writeCap);
    const index = storageIndexOf(file.cap);
    for (const s of steps) {
      const at = 'place' in s ? Math.round(s.place * model.length) : 0;
      seed += 1;
      if (s.do === 'overwrite') {
        await file.overwrite(bytesOf(s.length, seed));
        model = bytesOf(s.length, seed);
      } else if (s.do === 'update') {
        await file.update(bytesOf(s.length, seed), at);
        model = spliced(model, bytesOf(s.length, seed), at);
      } else if (s.do === 'append') {
        await file.append(bytesOf(s.length, seed));
        model = spliced(model, bytesOf(s.length, seed), model.length);
      } else if (s.do === 'modify') {
        const cut = (old: Uint8Array) => old.slice(0, at + s.length);
        await file.modify(cut);
        model = cut(model);
      } else if (s.do === 'read') {
        const count = Math.round(s.upTo * (model.length - at));
        expectBytes(await file.read({ offset: at, length: count }), model.subarray(at, at + count));
      } else {
        damage(s, index, required, total);
      }
      expectBytes(await file.read(), model);
    }

    /** Only ever to shares k…N-1, so that the others are enough. */
    function damage(
      what: { do: 'lose' | 'rot'; share: number; place?: number },
      slot: Uint8Array,
      k: number,
      n: number,
    ) {
      if (n === k) return;
      const shnum = k + (what.share % (n - k));
      for (const server of servers) {
        const bytes = diskOf(server).shareBytes(slot, shnum);
        if (bytes === undefined) continue;
        if (what.do === 'lose') diskOf(server).deleteShare(slot, shnum);
        else {
          const offset = Math.floor((what.place ?? 0) * (bytes.length - 1));
          diskOf(server).overwriteShare(
            slot,
            shnum,
            offset,
            Uint8Array.of((bytes[offset] as number) ^ 16),
          );
        }
      }
    }
  }
});
