import { describe, expect, test } from 'vitest';
import { bestVersion, type Servermap } from '../../machines/servermap.ts';
import { storageIndexOf, type WriteCap } from '../../src/caps.ts';
import { NotEnoughSharesError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { neededHashes } from '../../src/share/hashtree.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import { chainEntryLength } from '../../src/share/layout.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import {
  bytesOf,
  expectBytes,
  type Held,
  holdings,
  putShare,
  sharesMade,
  testGrid,
} from '../support/client-grid.ts';

const encoding = { required: 3, happy: 7, total: 10 };
const numbers = Array.from({ length: 10 }, (_, shnum) => shnum);

/** `share`, whose share hash chain has the node numbers of another share. */
function renumbered(share: Uint8Array, shnum: number): Uint8Array {
  const copy = share.slice();
  const { offset } = parseShareHeader(share).layout.shareHashChain;
  neededHashes(10, shnum).forEach((node, i) => {
    new DataView(copy.buffer).setUint16(offset + i * chainEntryLength, node);
  });
  return copy;
}

/** Version 1 on ten servers, of which nine hold it; s13 is a server with nothing. */
async function grid(format: 'sdmf' | 'mdmf', size: number) {
  const made = testGrid({ count: 14, encoding });
  const { create, servers } = made;
  const file = await create(format, bytesOf(size));
  const [lost, ...rest] = holdings(servers, file.cap) as [Held, ...Held[]];
  const index = storageIndexOf(file.cap);
  diskOf(lost.server).deleteShare(index, 0);
  const free = servers.filter((server) => !rest.some((held) => held.server === server));
  // Of a version 2 that never came to be, one share got about.
  const dead = await sharesMade(format, encoding, bytesOf(size, 7), bytesOf(size, 8));
  return { ...made, file, index, free, dead: dead[5] as Uint8Array };
}

function goodShnums(map: Servermap, seqnum: number): number[] {
  const good = map.holdings.filter(
    ({ verdict }) =>
      verdict.kind === 'good' && (map.versions[verdict.version]?.seqnum ?? 0) === seqnum,
  );
  return good.map(({ shnum }) => shnum).sort((a, b) => a - b);
}

describe.each([
  ['sdmf', 1000],
  ['sdmf', 50_000],
  ['mdmf', 1000],
  ['mdmf', 300_000],
] as const)('one share of a dead version of a %s file of %i bytes', (format, size) => {
  describe.each([
    ['as it is', (share: Uint8Array) => share],
    ['with a chain of each number', renumbered],
  ])('under ten numbers on one server, %s', (_, doctored) => {
    async function denied() {
      const made = await grid(format, size);
      const [server] = made.free as [MemoryServer];
      for (const shnum of numbers) {
        await putShare(server, made.file.cap, shnum, doctored(made.dead, shnum));
      }
      return { ...made, server };
    }

    test('denies no read', async () => {
      const { another, file, server, servers, index } = await denied();
      expectBytes(await another().open(file.readCap).read(), bytesOf(size));
      // Six servers, 2k: none of them is left out, whatever the order.
      const holders = servers.filter((s) => s !== server && diskOf(s).sharesOf(index).length > 0);
      const near = new Grid({ servers: [server, ...holders.slice(0, 5)], encoding });
      const reader = near.open(file.readCap);
      expectBytes(await reader.read(), bytesOf(size));
      const part = await reader.read({ offset: size - 5, length: 3 });
      expectBytes(part, bytesOf(size).subarray(size - 5, size - 2));
      const streamed = await new Response(reader.stream() as ReadableStream).bytes();
      expectBytes(streamed, bytesOf(size));
    });

    test('counts as the one that it is', async () => {
      const { another, file, server } = await denied();
      const reader = another().open(file.verifyCap);
      const map = await reader.servermap();
      expect(goodShnums(map, 2)).toEqual([5]);
      expect(goodShnums(map, 1)).toEqual(numbers.slice(1));
      expect(bestVersion(map)?.seqnum).toBe(1);
      const { good, bad, seqnum, isHealthy } = await reader.verify();
      expect({ seqnum, isHealthy }).toEqual({ seqnum: 1, isHealthy: false });
      expect(good.map(({ shnum }) => shnum).sort((a, b) => a - b)).toEqual(numbers.slice(1));
      expect(bad.map((share) => [share.server, share.shnum])).toEqual(
        numbers.filter((shnum) => shnum !== 5).map((shnum) => [server.id, shnum]),
      );
      for (const { reason } of bad)
        expect(reason).toMatch(/^corrupt share: share hash (chain|tree): /);
    });

    test('is no base, and stops no writer: on one server nothing is acknowledged', async () => {
      const { another, file } = await denied();
      const writer = () => another().open(file.writeCap);
      // On what can be read, and above what was seen.
      expect((await writer().append(bytesOf(3, 9))).seqnum).toBe(3);
      const whole = new Uint8Array([...bytesOf(size), ...bytesOf(3, 9)]);
      expectBytes(await another().open(file.readCap).read(), whole);
      expect(bestVersion(await writer().servermap())?.seqnum).toBe(3);
    });
  });

  test('on as many servers, each with another number, denies no read', async () => {
    const { another, file, servers, dead } = await grid(format, size);
    // Ten who lie together, each but for one share: no map asks more than its first bytes.
    const liars = numbers.map((n) => new MemoryServer({ id: `liar${n}` }));
    for (const [shnum, liar] of liars.entries()) {
      await putShare(liar, file.cap, shnum, renumbered(dead, shnum));
    }
    const reader = new Grid({ servers: [...servers, ...liars], encoding }).open(file.readCap);
    expectBytes(await reader.read(), bytesOf(size));
    expectBytes(await another().open(file.readCap).read(), bytesOf(size));
  });

  test('alone is told from a version that is damaged', async () => {
    const { another, file, servers, index } = await grid(format, size);
    // All good shares of version 1 lose a bit of their last block: nothing older is there.
    for (const { server, shnum } of holdings(servers, file.cap)) {
      const share = diskOf(server).shareBytes(index, shnum) as Uint8Array;
      const { shareData } = parseShareHeader(share).layout;
      const at = shareData.offset + shareData.length - 1;
      diskOf(server).overwriteShare(index, shnum, at, Uint8Array.of((share[at] as number) ^ 1));
    }
    await expect(another().open(file.readCap).read()).rejects.toThrowError(NotEnoughSharesError);
  });
});

test('a version of which every share has a block that is not its own makes way for the one before', async () => {
  const encodingOf = { required: 2, happy: 2, total: 4 };
  const { create, servers, another } = testGrid({ count: 8, encoding: encodingOf });
  const file = await create('mdmf', bytesOf(500));
  const newer = await sharesMade('mdmf', encodingOf, bytesOf(500, 2), bytesOf(500, 3));
  const isFree = (s: MemoryServer) => diskOf(s).sharesOf(storageIndexOf(file.cap)).length === 0;
  const [free, holders] = [servers.filter(isFree), servers.filter((s) => !isFree(s))];
  for (const [shnum, share] of newer.entries()) {
    const damaged = share.slice();
    const { shareData } = parseShareHeader(share).layout;
    damaged[shareData.offset + 20] = (damaged[shareData.offset + 20] as number) ^ 1;
    await putShare(free[shnum] as MemoryServer, file.cap as WriteCap, shnum, damaged);
  }
  // Four servers, 2k, two of each version: none is left out.
  const near = [...free.slice(0, 2), ...holders.slice(0, 2)];
  const { readCap } = file;
  expectBytes(
    await new Grid({ servers: near, encoding: encodingOf }).open(readCap).read(),
    bytesOf(500),
  );
  const reader = another().open(readCap);
  expectBytes(await reader.read(), bytesOf(500));
  // A map does not read blocks, so it calls these shares good; `verify` reads them.
  const { good, bad, seqnum, isHealthy } = await reader.verify();
  expect([seqnum, isHealthy, good.length, bad.length]).toEqual([2, false, 0, 4]);
});
