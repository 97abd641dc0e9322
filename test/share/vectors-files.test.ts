import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesToHex, hexToBytes } from '../../src/bytes.ts';
import { parseCap, storageIndexOf, type WriteCap } from '../../src/caps.ts';
import { deriveWriteEnabler } from '../../src/crypto/keys.ts';
import { NotEnoughServersError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { bytesOf, expectBytes, memoryServers, putShare } from '../support/client-grid.ts';
import {
  containerOf,
  containerPath,
  directoryServers,
  placeContainer,
  readContainerFile,
  tempFolder,
} from '../support/directory-grid.ts';
import { allShares, encode, type GoldenCase, golden, goldenBytes } from '../support/shares.ts';

/** In place only where a writer that dies half way leaves enough of the old version to read. */
const mayBeInPlace = ({ format, required, total }: GoldenCase) =>
  format === 'mdmf' && total >= 2 * required - 1;

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(() => folder.remove());

describe('a file made by Tahoe', () => {
  const json = vectors('mutable-golden');
  const seed = hexToBytes(json.server_seed);
  const writeEnabler = hexToBytes(json.write_enabler);
  const writekeyText = json.uri_ssk.split(':').slice(2).join(':');

  /** Tahoe's shares, byte for byte: vectors-golden.test.ts compares them. */
  async function sharesOf(c: GoldenCase): Promise<Uint8Array[]> {
    const salts = c.salts.values();
    const newSalt = () => salts.next().value as Uint8Array;
    return allShares(
      await encode({ ...c, newSalt, sign: async () => c.signature }, goldenBytes(c.size)),
    );
  }

  function gridOf(servers: readonly StorageServer[], c: GoldenCase) {
    const grid = new Grid({ servers });
    const cap = parseCap(`URI:${c.format === 'sdmf' ? 'SSK' : 'MDMF'}:${writekeyText}`);
    return { file: grid.open(cap), reader: new Grid({ servers }).open(json.uri_mdmf_ro), cap };
  }

  test('goes with the write enabler of its server', () => {
    const { writekey } = parseCap(json.uri_ssk) as WriteCap;
    expect(bytesToHex(deriveWriteEnabler(writekey, seed))).toBe(json.write_enabler);
  });

  const named = golden.cases.map(
    (c) => [`${c.format} ${c.required}-of-${c.total}, ${c.size} bytes`, c] as const,
  );

  test.each(named)('is read, verified and changed: %s', async (_, c) => {
    const servers = memoryServers(13);
    const { file, reader, cap } = gridOf(servers, c);
    for (const [shnum, share] of (await sharesOf(c)).entries()) {
      await putShare(servers[shnum % 13] as StorageServer, cap, shnum, share);
    }
    expectBytes(await reader.read(), goldenBytes(c.size));
    const { good, isHealthy, seqnum } = await reader.verify();
    expect([good.length, isHealthy, seqnum]).toEqual([c.total, true, c.seqnum]);

    const outcome = await file.append(bytesOf(100));
    expect(outcome).toMatchObject({
      seqnum: c.seqnum + 1,
      missing: [],
      inPlace: mayBeInPlace(c),
    });
    // Where a dying writer could leave too few of the old version, k shares go beside it first.
    const beside = c.total < 2 * c.required - 1 ? c.required : 0;
    expect(outcome.placed.length).toBe(c.total + beside);
    expectBytes(await reader.read(), Buffer.concat([goldenBytes(c.size), bytesOf(100)]));
    expect(await reader.verify()).toMatchObject({ isHealthy: true, seqnum: c.seqnum + 1 });
  });

  const few = named.filter(([, { total, size }]) => total <= 10 && (size > 3000 || size === 26));
  test.each(few)('in folders is taken over as it is: %s', async (_, c) => {
    // As many servers as shares; they all have the TubID that made the vectors.
    const servers = await directoryServers(folder.path, c.total, () => seed);
    const { file, reader, cap } = gridOf(servers, c);
    const index = storageIndexOf(cap);
    expect(bytesToHex(index)).toBe(json.storage_index);
    for (const [shnum, share] of (await sharesOf(c)).entries()) {
      const container = containerOf(share, { nodeId: seed, writeEnabler });
      await placeContainer(servers[shnum] as (typeof servers)[0], index, shnum, container);
    }
    expectBytes(await reader.read(), goldenBytes(c.size));
    const map = await reader.servermap();
    expect(map.holdings.map(({ shnum }) => shnum).sort((a, b) => a - b)).toEqual([
      ...Array(c.total).keys(),
    ]);
    const offset = Math.floor(c.size / 2);
    const outcome = await file.update(bytesOf(10), offset);
    expect(outcome).toMatchObject({ missing: [], inPlace: mayBeInPlace(c) });
    const expected = goldenBytes(c.size);
    expected.set(bytesOf(10), offset);
    expectBytes(await reader.read(), expected);
    // The containers keep TubID and write enabler; the writer's lease is in the first slot.
    const container = await readContainerFile(servers[0] as (typeof servers)[0], index, 0);
    expect(container.subarray(32, 84)).toEqual(Buffer.concat([seed, writeEnabler]));
    expect(container.readUInt32BE(100)).toBe(1);
  });
});

describe('the SDMF file that a Tahoe of 2008 stored', () => {
  const legacy = vectors('legacy-sdmf-v1');
  const cap = parseCap(legacy.cap) as WriteCap;
  const index = storageIndexOf(cap);
  const containers = Object.entries(legacy.containers_base64 as Record<string, string>).map(
    ([shnum, text]) => [Number(shnum), Buffer.from(text, 'base64')] as const,
  );
  const nodeId = containers[0]?.[1].subarray(32, 52) as Buffer;
  const v1 = Buffer.from('Tahoe mutable container v1\n\x75\x09\x44\x03\x8e', 'latin1');

  test('has the write enabler that its server’s TubID gives', () => {
    expect(containers.length).toBe(10);
    for (const [, container] of containers) {
      expect(container.subarray(0, 32)).toEqual(v1);
      expect(container.subarray(32, 52)).toEqual(nodeId);
      const derived = deriveWriteEnabler(cap.writekey, container.subarray(32, 52));
      expect(bytesToHex(derived)).toBe(bytesToHex(container.subarray(52, 84)));
    }
  });

  test.each([
    ['one server', 1],
    ['ten servers', 10],
  ])('is read, mapped, overwritten and modified where it is, on %s', async (_, count) => {
    const servers = await directoryServers(folder.path, count, () => nodeId);
    for (const [shnum, container] of containers) {
      await placeContainer(servers[shnum % count] as (typeof servers)[0], index, shnum, container);
    }
    const file = new Grid({ servers }).open(cap);
    expect(new TextDecoder().decode(await file.read())).toBe(legacy.plaintext);
    const map = await file.servermap({ mode: 'repair' });
    expect(map.privateKey).toBe('found');
    expect(map.holdings.map(({ shnum }) => shnum).sort((a, b) => a - b)).toEqual([
      ...Array(10).keys(),
    ]);
    expect(map.holdings.every(({ verdict }) => verdict.kind === 'good')).toBe(true);
    const [version] = Object.values(map.versions);
    const { seqnum } = version as { seqnum: number };
    expect(version).toMatchObject({ format: 'sdmf', required: 3, total: 10, dataLength: 21 });
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });

    const outcome = await file.overwrite(bytesOf(5000));
    expect(outcome).toMatchObject({ seqnum: seqnum + 1, missing: [], inPlace: false });
    expectBytes(await new Grid({ servers }).open(file.readCap).read(), bytesOf(5000));
    await file.modify((contents) => contents.subarray(0, 7));
    expectBytes(await new Grid({ servers }).open(file.readCap).read(), bytesOf(7));

    // Still version 1, with the key of exponent 17 and the lease secrets in clear.
    const container = await readContainerFile(servers[0] as (typeof servers)[0], index, 0);
    expect(container.subarray(0, 32)).toEqual(v1);
    expect(container.subarray(32, 84)).toEqual(containers[0]?.[1].subarray(32, 84));
    expect(await file.verify()).toMatchObject({ isHealthy: true, seqnum: seqnum + 2 });
  });

  test('under other TubIDs is read, and written to where its write enablers do not stand in the way', async () => {
    // The first ten have the old shares and refuse, as Tahoe does after a server has moved.
    const servers = await directoryServers(folder.path, 20);
    for (const [shnum, container] of containers) {
      await placeContainer(servers[shnum] as (typeof servers)[0], index, shnum, container);
    }
    const file = new Grid({ servers }).open(cap);
    expect(new TextDecoder().decode(await file.read())).toBe(legacy.plaintext);
    const outcome = await file.overwrite(bytesOf(50));
    expect(outcome.missing).toEqual([]);
    const places = outcome.placed.map(({ server }) => Number(server.slice(1)));
    expect(places.every((place) => place >= 10)).toBe(true);
    expect(new Set(places).size).toBe(10);
    expectBytes(await new Grid({ servers }).open(file.readCap).read(), bytesOf(50));
    // The old containers have not been touched.
    for (const [shnum, container] of containers) {
      const now = await readContainerFile(servers[shnum] as (typeof servers)[0], index, shnum);
      expect(Buffer.compare(now, container)).toBe(0);
    }
  });

  test('under other TubIDs and without another server is not written, and the error says why', async () => {
    const servers = await directoryServers(folder.path, 10);
    for (const [shnum, container] of containers) {
      await placeContainer(servers[shnum] as (typeof servers)[0], index, shnum, container);
    }
    const error = await new Grid({ servers })
      .open(cap)
      .overwrite(bytesOf(50))
      .catch((e) => e);
    expect(error).toBeInstanceOf(NotEnoughServersError);
    expect(error.message).toMatch(
      /^version \d+ reached 0 of the 7 servers it needs; last failure: server d\d refused the write enabler of this slot$/,
    );
    expect(error.facts.placed).toEqual([]);
  });
});

describe('a container that is none', () => {
  test('is named in the map, does no harm to the file, and is no place to write to', async () => {
    const servers = await directoryServers(folder.path, 13);
    const grid = new Grid({ servers });
    const file = await grid.create({ format: 'mdmf', contents: bytesOf(5000) });
    const index = storageIndexOf(file.cap);
    const places = (await file.servermap()).holdings.map(
      ({ server }) => servers[Number(server.slice(1))] as (typeof servers)[0],
    );
    const spoil = async (shnum: number, change: (container: Buffer) => Buffer) => {
      const server = places[shnum] as (typeof servers)[0];
      const container = await readContainerFile(server, index, shnum);
      await placeContainer(server, index, shnum, change(container));
    };
    await spoil(0, (c) => Buffer.concat([Buffer.from('no'), c.subarray(2)]));
    await spoil(1, (c) => c.subarray(0, 99));
    await spoil(2, () => Buffer.alloc(0));
    await spoil(3, (c) => c.fill(0xff, 84, 92));
    await spoil(4, (c) => c.fill(0, 92, 100));

    const reader = new Grid({ servers }).open(file.readCap);
    const map = await reader.servermap();
    const reasons = new Map(
      map.holdings.map(({ shnum, verdict }) => [
        shnum,
        verdict.kind === 'good' ? 'good' : `${verdict.kind}: ${verdict.reason}`,
      ]),
    );
    const bad = (shnum: number, problem: string) => {
      const path = containerPath(places[shnum] as (typeof servers)[0], index, shnum);
      return `bad: bad share container ${path}: ${problem}`;
    };
    expect([...reasons].sort(([a], [b]) => a - b)).toEqual([
      [0, bad(0, 'magic: not a mutable container')],
      [1, bad(1, 'header: truncated at 99 bytes')],
      [2, bad(2, 'magic: not a mutable container')],
      [3, bad(3, 'data length: beyond the end of the file')],
      [4, bad(4, 'extra-lease offset: within the header or the data')],
      ...[5, 6, 7, 8, 9].map((shnum) => [shnum, 'good']),
    ]);
    expectBytes(await reader.read(), bytesOf(5000));
    const outcome = await file.overwrite(bytesOf(60, 2));
    expect(outcome.missing).toEqual([]);
    expect(new Set(outcome.placed.map(({ server }) => server)).size).toBe(8);
    expectBytes(await reader.read(), bytesOf(60, 2));
  });
});
