import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import type { Servermap } from '../../machines/servermap.ts';
import { concatBytes } from '../../src/bytes.ts';
import { storageIndexOf } from '../../src/caps.ts';
import {
  MalformedCapError,
  NewerVersionSeenError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { geometryOf } from '../../src/share/geometry.ts';
import { packHeader, packPrefix } from '../../src/share/header.ts';
import { layoutOf } from '../../src/share/layout.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { ReadTestWriteAnswer, StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  type Held,
  holdings,
  passTime,
  putShare,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';
import { lies, type Value } from '../support/lying-headers.ts';
import { golden } from '../support/shares.ts';

const formats = ['sdmf', 'mdmf'] as const;
const contents = bytesOf(140_000);

/** The verdict of every share of a map, by share number: `good`, or the reason. */
function verdicts(map: Servermap): Record<number, string> {
  return Object.fromEntries(
    map.holdings.map(({ shnum, verdict }) => [
      shnum,
      verdict.kind === 'good' ? 'good' : verdict.reason.replace('corrupt share: ', ''),
    ]),
  );
}

const good = (shnums: readonly number[]) => shnums.map((shnum) => [shnum, 'good'] as const);

describe.each(formats)('a header of a %s share that lies about', (format) => {
  test.each(lies[format])(
    '%s is found out, and the file is read',
    async (what, offset, length, values) => {
      const { create, another, servers } = testGrid();
      const file = await create(format, contents);
      const held = holdings(servers, file.cap);
      for (const [shnum, [value]] of values.entries()) {
        const h = held[shnum] as Held;
        const lie = lieOf(shareOf(h, file.cap).slice(offset, offset + length), value);
        diskOf(h.server).overwriteShare(storageIndexOf(file.cap), shnum, offset, lie);
      }
      const reader = another().open(file.readCap);
      const rest = [...Array(10).keys()].slice(values.length);
      const expected = Object.fromEntries([
        ...values.map(([, reason], shnum) => [shnum, reason]),
        ...good(rest),
      ]);
      const map = await reader.servermap();
      expect(verdicts(map)).toEqual(expected);
      expect(map.holdings.every(({ verdict }) => verdict.kind !== 'unverified')).toBe(true);
      expectBytes(await reader.read(), contents);
      // Writing puts good shares in the place of the bad ones.
      const writer = another().open(file.writeCap);
      await writer.overwrite(bytesOf(10, 2));
      // What claims to be newer may have been built on what is acknowledged: it stays, unless forced.
      const isNewer = what === 'the sequence number';
      expect((await reader.verify()).isHealthy).toBe(!isNewer);
      if (isNewer) await writer.overwrite(bytesOf(10, 2), { force: true });
      expect(await reader.verify()).toMatchObject({ isHealthy: true, bad: [] });
    },
  );

  function lieOf(field: Uint8Array, value: Value): Uint8Array {
    const old = field.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    let left = value === '+1' ? old + 1n : value === '-1' ? old - 1n : value;
    return field
      .map(() => {
        const byte = Number(left & 255n);
        left >>= 8n;
        return byte;
      })
      .reverse();
  }
});

describe.each(formats)('a %s share', (format) => {
  test('of the wrong length is passed over, and named', async () => {
    const { create, another, servers } = testGrid();
    const file = await create(format, contents);
    const held = holdings(servers, file.cap);
    const header = format === 'sdmf' ? 107 : 123;
    const whole = shareOf(held[0] as Held, file.cap).length;
    const lengths = [0, 1, header - 1, header, 500, whole - 1];
    for (const [shnum, length] of lengths.entries()) {
      const h = held[shnum] as Held;
      await putShare(h.server, file.cap, shnum, shareOf(h, file.cap).slice(0, length));
    }
    // Bytes behind the end of a share do not matter.
    const longer = held[6] as Held;
    await putShare(longer.server, file.cap, 6, concatBytes(shareOf(longer, file.cap), contents));

    const reader = another().open(file.readCap);
    const map = await reader.servermap();
    expect(verdicts(map)).toEqual(
      Object.fromEntries([
        [0, 'header: no bytes'],
        [1, `header: 1 of ${header} bytes`],
        [2, `header: ${header - 1} of ${header} bytes`],
        [3, 'verification key: 0 of 294 bytes'],
        [4, format === 'sdmf' ? 'signature: 99 of 256 bytes' : 'verification key: 0 of 294 bytes'],
        // Its last byte is of a field that a map does not read.
        ...good([5, 6, 7, 8, 9]),
      ]),
    );
    expectBytes(await reader.read(), contents);
    const { bad } = await reader.verify();
    expect(bad.map(({ shnum }) => shnum).sort()).toEqual(
      format === 'sdmf' ? [0, 1, 2, 3, 4] : [0, 1, 2, 3, 4, 5],
    );
    const outcome = await another().open(file.writeCap).update(bytesOf(3, 2), 70_000);
    expect(outcome).toMatchObject({ inPlace: false, missing: [] });
    expect(await reader.verify()).toMatchObject({ isHealthy: true, bad: [] });
  });

  test('under a wrong number, of another file or of another version is no share', async () => {
    const { create, another, servers, grid } = testGrid();
    const file = await create(format, contents);
    const held = holdings(servers, file.cap);
    const alien = await grid.create({ format, contents });
    const [first, second, third, fourth] = held as [Held, Held, Held, Held];
    const old = shareOf(fourth, file.cap);
    await file.overwrite(bytesOf(140_000, 2));
    // Share 9 as share 0; somebody else's share as share 1; an old one; one beyond N.
    await putShare(first.server, file.cap, 0, shareOf(held[9] as Held, file.cap));
    const foreign = shareOf(holdings(servers, alien.cap)[1] as Held, alien.cap);
    await putShare(second.server, file.cap, 1, foreign);
    await putShare(third.server, file.cap, 10, shareOf(third, file.cap));
    await putShare(fourth.server, file.cap, 3, old);

    const reader = another().open(file.readCap);
    const map = await reader.servermap();
    const { 0: zero, 1: one, 10: ten, ...others } = verdicts(map);
    expect(zero).toBe('share hash chain: it is not that of share 0');
    expect(one).toBe('verification key: it is not the key of the cap');
    expect(ten).toBe('share number: 10 of 10 shares');
    expect(others).toEqual(Object.fromEntries(good([2, 3, 4, 5, 6, 7, 8, 9])));
    expectBytes(await reader.read(), bytesOf(140_000, 2));
    const { bad, seqnum } = await reader.verify();
    expect(seqnum).toBe(2);
    expect(bad.map(({ shnum, reason }) => [shnum, reason])).toEqual([
      [0, 'corrupt share: share hash chain: it is not that of share 0'],
      [1, 'corrupt share: verification key: it is not the key of the cap'],
      [10, 'corrupt share: share number: 10 of 10 shares'],
    ]);
    await another().open(file.writeCap).append(bytesOf(3, 4));
    const after = await reader.verify();
    // A share number beyond N is never overwritten, and is now the only bad one.
    expect(after.bad.map(({ shnum }) => shnum)).toEqual([10]);
    expect(new Set(after.good.map(({ shnum }) => shnum))).toEqual(new Set([...Array(10).keys()]));
  });

  test('is named when all are bad, each with its own reason', async () => {
    const { create, another, servers } = testGrid();
    const file = await create(format, contents);
    const held = holdings(servers, file.cap);
    for (const [shnum, one] of held.entries()) {
      // The root hash is another one each time.
      const other = shareOf(one, file.cap)[shnum] === 0xaa ? 0x55 : 0xaa;
      const index = storageIndexOf(file.cap);
      diskOf(one.server).overwriteShare(index, shnum, shnum, Uint8Array.of(other));
    }
    const reader = another().open(file.readCap);
    const reasons = Object.values(verdicts(await reader.servermap()));
    expect(reasons[0]).toBe('unknown share version 170');
    expect(reasons[1]).toBe('seqnum: above 2^53-1');
    expect(reasons.slice(3)).toEqual(Array(7).fill('signature: it does not sign this header'));
    const error = await reader.read().catch((e) => e);
    expect(error).toBeInstanceOf(UnrecoverableFileError);
    expect(error.message).toBe(
      'no version can be read: no good share found; 10 corrupt (13 of 13 servers answered)',
    );
    expect(error.facts).toMatchObject({ seen: [], bad: 10 });
  });
});

describe('sizes beyond all bounds, properly signed', () => {
  /** All shares of a version that says it has `dataLength` bytes, and has none. */
  async function hostile(format: 'sdmf' | 'mdmf', dataLength: number, segmentSize?: number) {
    const { create, another, servers } = testGrid();
    const file = await create(format);
    const geometry = geometryOf(format, 3, dataLength, segmentSize);
    const salt = format === 'sdmf' ? new Uint8Array(16) : undefined;
    const fields = { ...geometry, seqnum: 7, rootHash: new Uint8Array(32), salt, total: 10 };
    const signature = await testKey.sign(packPrefix(fields));
    const lengths = {
      verificationKey: testKey.spki.length,
      signature: signature.length,
      encryptedPrivateKey: golden.encryptedPrivateKey.length,
    };
    const layout = layoutOf(geometry, 10, lengths);
    const share = new Uint8Array(6000);
    share.set(packHeader(fields, layout));
    share.set(testKey.spki, layout.verificationKey.offset);
    share.set(signature, layout.signature.offset);
    if (format === 'mdmf') share.set(golden.encryptedPrivateKey, layout.encryptedPrivateKey.offset);
    for (const { server, shnum } of holdings(servers, file.cap)) {
      await putShare(server, file.cap, shnum, share);
    }
    return { file, reader: another().open(file.readCap) };
  }

  test.each<['sdmf' | 'mdmf', number, number | undefined]>([
    ['sdmf', 2 ** 40, undefined],
    ['sdmf', 2 ** 53 - 6000, undefined],
    ['mdmf', 2 ** 40, 131_073],
    ['mdmf', 2 ** 40, 3],
    ['mdmf', 2 ** 52, 3 * 2 ** 50],
    ['mdmf', 3 * 2 ** 30, 3 * 2 ** 30],
  ])(
    'take no memory, and end in a typed error (%s, %i bytes in segments of %s)',
    async (...args) => {
      const { file, reader } = await hostile(...args);
      const [, size] = args;
      const peak = process.resourceUsage().maxRSS;
      const map = await reader.servermap();
      expect(Object.values(map.versions)).toEqual([
        expect.objectContaining({ seqnum: 7, dataLength: size, required: 3 }),
      ]);
      for (const operation of [
        () => reader.read(),
        () => reader.read({ offset: size - 5, length: 5 }),
        () => file.update(bytesOf(5), 0),
        () => file.append(bytesOf(5)),
        () => file.modify((c) => c, { attempts: 1 }),
      ]) {
        await expect(operation()).rejects.toThrowError(UnrecoverableFileError);
      }
      // No share here proves its number. Versions whose shares do, and that are too large, are in
      // test/share/limits.test.ts.
      expect(map.holdings.map(({ verdict }) => verdict.kind)).toEqual(Array(10).fill('bad'));
      await expect(reader.verify()).rejects.toThrowError(UnrecoverableFileError);
      // Kibibytes.
      expect(process.resourceUsage().maxRSS - peak).toBeLessThan(100_000);
      // The way out is force: the version is signed, so more of it may be out of sight.
      await expect(file.overwrite(bytesOf(10))).rejects.toThrowError(NewerVersionSeenError);
      expect((await file.overwrite(bytesOf(10), { force: true })).seqnum).toBe(8);
      expectBytes(await reader.read(), bytesOf(10));
    },
  );
});

describe('a server whose answers make no sense', () => {
  const share = (length: number) => bytesOf(length, 99);
  const behaviours: [string, (server: StorageServer) => Partial<StorageServer>][] = [
    ['has share -1', () => ({ listShares: async () => [0, -1] })],
    ['has half a share', () => ({ listShares: async () => [0.5] })],
    ['has share NaN', () => ({ listShares: async () => [Number.NaN] })],
    ['has share 300', () => ({ listShares: async () => [300] })],
    ['has share 2^53', () => ({ listShares: async () => [2 ** 53] })],
    [
      'has ten thousand shares',
      () => ({ listShares: async () => Array.from(Array(10_000).keys()) }),
    ],
    [
      'names its shares twice',
      (s) => ({
        listShares: async (...args) => {
          const shnums = await s.listShares(...args);
          return [...shnums, ...shnums];
        },
      }),
    ],
    ['answers no list', () => ({ listShares: async () => undefined as never })],
    [
      'answers with more bytes than asked for',
      () => ({
        readShare: async (_i, _n, { length }) => share(length + 1),
      }),
    ],
    [
      'answers with fewer bytes',
      (s) => ({
        readShare: async (...args) => (await s.readShare(...args)).subarray(1),
      }),
    ],
    [
      'answers with other bytes',
      () => ({ readShare: async (_i, _n, { length }) => share(Math.min(length, 9000)) }),
    ],
    ['answers with no bytes', () => ({ readShare: async () => new Uint8Array(0) })],
    ['answers with no byte array', () => ({ readShare: async () => 'bytes' as never })],
    [
      'throws what is no error',
      () => ({
        listShares: async () => {
          throw 'no';
        },
        readTestWrite: async () => {
          throw undefined;
        },
      }),
    ],
    [
      'throws at once',
      () => ({
        listShares: () => {
          throw new TypeError('cannot read properties of undefined');
        },
        readShare: () => {
          throw new TypeError('cannot read properties of undefined');
        },
        readTestWrite: () => {
          throw new TypeError('cannot read properties of undefined');
        },
      }),
    ],
    [
      'reports shares that cannot be after a write',
      (s) => ({
        readTestWrite: async (...args) => {
          const { wrote } = await s.readTestWrite(...args);
          return { wrote, reads: new Map([[-1, [new Uint8Array(9)]]]) };
        },
      }),
    ],
    [
      'reports more bytes than asked for after a write',
      (s) => ({
        readTestWrite: async (...args) => {
          const { wrote, reads } = await s.readTestWrite(...args);
          return { wrote, reads: new Map([...reads].map(([n]) => [n, [share(500)]])) };
        },
      }),
    ],
    [
      'reports nothing after a write',
      (s) => ({
        readTestWrite: async (...args) => {
          const { wrote } = await s.readTestWrite(...args);
          return { wrote } as ReadTestWriteAnswer;
        },
      }),
    ],
    ['answers every write with nothing', () => ({ readTestWrite: async () => undefined as never })],
    [
      'says that it wrote, and did not',
      () => ({
        readTestWrite: async () => ({ wrote: true, reads: new Map() }),
      }),
    ],
    [
      'throws when it is told that its share is corrupt',
      () => ({
        readShare: async (_i, _n, { length }) => share(length),
        adviseCorruptShare: () => {
          throw new Error('not interested');
        },
      }),
    ],
  ];

  test.each(behaviours)('and %s is survived', async (_, behave) => {
    let isHostile = false;
    let oddities = 0;
    // Every third server is odd, once the file is made.
    const wrap = (server: StorageServer, i: number) => {
      if (i % 3 !== 1) return server;
      const sane = altered(server, {}) as unknown as Record<
        string,
        (...args: unknown[]) => unknown
      >;
      const changes = Object.entries(behave(server)).map(([method, odd]) => [
        method,
        (...args: unknown[]) => {
          if (!isHostile) return sane[method]?.(...args);
          oddities += 1;
          return (odd as (...args: unknown[]) => unknown)(...args);
        },
      ]);
      return altered(server, Object.fromEntries(changes));
    };
    const { create, another } = testGrid({ wrap });
    const { readCap, writeCap } = await create('mdmf', contents);
    isHostile = true;
    const [reader, writer] = [another().open(readCap), another().open(writeCap)];
    expectBytes(await reader.read(), contents);
    expect((await reader.servermap()).holdings.length).toBeGreaterThanOrEqual(6);
    expect((await reader.verify()).good.length).toBeGreaterThanOrEqual(6);
    await writer.overwrite(bytesOf(140_000, 2));
    expectBytes(await reader.read(), bytesOf(140_000, 2));
    await writer.update(bytesOf(9, 3), 131_070);
    await writer.modify((c) => c.subarray(1));
    expect(oddities).toBeGreaterThan(0);
    const expected = bytesOf(140_000, 2);
    expected.set(bytesOf(9, 3), 131_070);
    expectBytes(await reader.read(), expected.subarray(1));
  });

  test('is in the map with what was wrong, where a share can be named', async () => {
    let isHostile = false;
    const wrap = (server: StorageServer) =>
      altered(server, {
        readShare: async (index, shnum, range, options) =>
          isHostile && shnum === 4
            ? share(range.length + 1)
            : server.readShare(index, shnum, range, options),
      });
    const { create, servers } = testGrid({ wrap });
    const file = await create('mdmf', contents);
    isHostile = true;
    const id = holdings(servers, file.cap)[4]?.server.id;
    const map = await file.servermap();
    expect(map.holdings[4]?.verdict).toEqual({
      kind: 'unverified',
      reason: `server ${id}: nonsense: 4001 bytes for a read of 4000`,
    });
    // Nonsense is no proof of corruption: nobody is told so.
    expect(servers.flatMap((server) => diskOf(server).advisories)).toEqual([]);
  });

  test('and that hangs up half way costs no more than its deadline', async () => {
    const clock = new SimulatedClock();
    let isHostile = false;
    const wrap = (server: StorageServer, i: number) =>
      altered(server, {
        readShare: (...args) =>
          isHostile && i % 3 === 1 ? new Promise(() => {}) : server.readShare(...args),
      });
    const { create } = testGrid({ wrap, clock });
    const file = await create('sdmf', contents);
    isHostile = true;
    const reading = file.read();
    expect(await passTime(clock, reading)).toBeLessThanOrEqual(60_000);
    expectBytes(await reading, contents);
  });
});

test('a cap that is none is refused before anything is asked', () => {
  const { grid } = testGrid();
  expect(() => grid.open('URI:MDMF:short')).toThrowError(MalformedCapError);
  expect(() => grid.open('http://example.com')).toThrowError(
    new MalformedCapError('prefix', 'does not begin with "URI:"'),
  );
});
