/**
 * This client and Tahoe's own share files without noticing: the whole matrix of formats, sizes and
 * encodings, and everything that both have to compute alike. Both are given one node folder, so
 * they have the same servers, the same encoding and the same lease secret.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharesOf } from '../../machines/servermap.ts';
import { utf8 } from '../../src/bytes.ts';
import { type Cap, parseCap, storageIndexOf } from '../../src/caps.ts';
import type { Grid } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { openGrid, signingKeyFromPem } from '../../src/node.ts';
import { DATA_OFFSET, parseExtraCount, parseHeader } from '../../src/storage/container.ts';
import { bytesOf, expectBytes } from '../support/client-grid.ts';
import { keyFromDer, newKeys } from '../support/new-keys.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

const ENCODINGS = [
  { needed: 3, happy: 7, total: 10 },
  { needed: 1, happy: 1, total: 1 },
  { needed: 2, happy: 2, total: 3 },
  { needed: 7, happy: 7, total: 10 },
] as const;
const FORMATS = ['sdmf', 'mdmf'] as const;
const SIZES = [0, 1, 2048, 131_072, 131_073, 131_074, 400_000, 3_000_000];

interface Pair {
  readonly ours: Grid;
  readonly theirs: Gateway;
}

let real: RealGrid;
const pairs = new Map<unknown, Pair>();
beforeAll(async () => {
  real = await startRealGrid();
  for (const encoding of ENCODINGS) {
    const theirs = await real.gateway(encoding);
    pairs.set(encoding, { theirs, ours: await openGrid(theirs.folder, { inspect }) });
  }
});
afterAll(async () => {
  for (const { ours } of pairs.values()) ours.close();
  await real.close();
});

function pairOf(encoding: (typeof ENCODINGS)[number] = ENCODINGS[0]): Pair {
  return pairs.get(encoding) as Pair;
}

/** Every share, with the server that holds it: `{ 0: ['v0-…'], … }`. */
async function placement(cap: Cap | string): Promise<Record<number, string[]>> {
  const index = storageIndexOf(typeof cap === 'string' ? parseCap(cap) : cap);
  const found: Record<number, string[]> = {};
  for (const [position, { id }] of real.servers.entries()) {
    for (const shnum of await real.sharesOf(position, index)) {
      found[shnum] = [...(found[shnum] ?? []), id];
    }
  }
  return found;
}

/** The containers of all shares, as their headers say. */
async function containers(cap: string) {
  const index = storageIndexOf(parseCap(cap));
  const found = [];
  for (const position of real.servers.keys()) {
    for (const shnum of await real.sharesOf(position, index)) {
      const file = await real.readContainer(position, index, shnum);
      const header = parseHeader(file.subarray(0, DATA_OFFSET), file.length, 'container');
      const count = file.subarray(header.extraLeaseOffset, header.extraLeaseOffset + 4);
      const extra = parseExtraCount(count, header, file.length, 'container');
      const leases = header.leases.flatMap((lease) =>
        lease ? [{ owner: lease.owner, renew: lease.renew, cancel: lease.cancel }] : [],
      );
      const { version, nodeId, writeEnabler } = header;
      found.push({ position, shnum, version, nodeId, writeEnabler, leases, extra });
    }
  }
  return found;
}

/** All shares of a file are good to a check-mode map, each on one server, and nobody failed. */
async function expectWellMapped(file: MutableFile, total: number): Promise<void> {
  const map = await file.servermap({ mode: 'check' });
  expect(map.holdings.filter(({ verdict }) => verdict.kind !== 'good')).toEqual([]);
  const [version, ...others] = Object.values(map.versions);
  expect(others).toEqual([]);
  const places = [...sharesOf(map, version!.id)].map(([shnum, servers]) => [shnum, servers.length]);
  expect(places).toEqual(Array.from({ length: total }, (_, shnum) => [shnum, 1]));
  expect(map.servers.filter(({ status }) => status === 'failed')).toEqual([]);
}

describe.each(ENCODINGS)('$needed of $total:', (encoding) => {
  describe.each(FORMATS)('%s', (format) => {
    test.each(SIZES)('%d bytes go from either client to the other, and back', async (size) => {
      const { ours, theirs } = pairOf(encoding);
      const first = bytesOf(size, 1);
      const second = bytesOf(size, 2);

      const file = await ours.create({ format, contents: first });
      expectBytes(await theirs.get(file.writeCap), first);
      expect(await theirs.check(file.writeCap, { verify: true })).toMatchObject({
        results: { healthy: true, 'count-shares-good': encoding.total, 'count-corrupt-shares': 0 },
      });
      await theirs.overwrite(file.writeCap, second);
      expectBytes(await file.read(), second);

      const cap = await theirs.put(format, first);
      expect(parseCap(cap)).toMatchObject({ kind: 'write', format });
      const opened = ours.open(cap);
      expectBytes(await ours.open(opened.readCap).read(), first);
      await expectWellMapped(opened, encoding.total);
      await opened.overwrite(second);
      expectBytes(await theirs.get(cap), second);
    });
  });
});

describe.each(FORMATS)('%s:', (format) => {
  test('20 updates in place by each client, in turns', async () => {
    const { ours, theirs } = pairOf();
    let expected = bytesOf(300_000);
    const { writeCap } = await ours.create({ format, contents: expected });
    for (let turn = 0; turn < 40; turn++) {
      const data = bytesOf(1 + 701 * turn, turn + 2);
      // All over the file, across segments, and every tenth time beyond its end.
      const offset = turn % 10 === 9 ? expected.length - 5 : (turn * 8087) % 250_000;
      const grown = new Uint8Array(Math.max(expected.length, offset + data.length));
      grown.set(expected);
      grown.set(data, offset);
      expected = grown;
      if (turn % 2 === 0) await ours.open(writeCap).update(data, offset);
      else await theirs.updateAt(writeCap, offset, data);
      const reader = turn % 4 < 2 ? theirs.get(writeCap) : ours.open(writeCap).read();
      expectBytes(await reader, expected);
    }
    expect(await theirs.check(writeCap, { verify: true })).toMatchObject({
      results: { healthy: true, 'count-shares-good': 10 },
    });
  });

  test('changes by modify here and edits there alternate, and none is lost', async () => {
    const { ours, theirs } = pairOf();
    const cap = await theirs.put(format, new Uint8Array(0));
    const lines: string[] = [];
    for (let turn = 0; turn < 10; turn++) {
      lines.push(`ours ${turn}`, `theirs ${turn}`);
      await ours.open(cap).modify((old) => utf8(`${asText(old)}ours ${turn}\n`));
      await theirs.overwrite(cap, utf8(`${asText(await theirs.get(cap))}theirs ${turn}\n`));
    }
    expect(asText(await ours.open(cap).read())).toBe(`${lines.join('\n')}\n`);
  });

  test('one key gives both clients one cap, and every share the same place', async () => {
    const { ours, theirs } = pairOf();
    const { privateKey: der } = newKeys.rsa(2048);
    const cap = await theirs.put(format, utf8('theirs'), { privateKey: der });
    const there = await placement(cap);
    expect(Object.keys(there)).toHaveLength(10);
    for (const [shnum, [id]] of Object.entries(there)) {
      const position = real.servers.findIndex((server) => server.id === id);
      await real.deleteShare(position, storageIndexOf(parseCap(cap)), Number(shnum));
    }
    const pem = keyFromDer(der).export({ type: 'pkcs1', format: 'pem' }).toString();
    const file = await ours.create({
      format,
      contents: utf8('ours'),
      key: await signingKeyFromPem(pem),
    });
    expect(file.writeCap).toBe(cap);
    expect(await placement(cap)).toEqual(there);
    expect(asText(await theirs.get(cap))).toBe('ours');
  });

  test('both write with the same write enablers and leases: no share has two', async () => {
    const { ours, theirs } = pairOf();
    const mine = await ours.create({ format, contents: utf8('ours') });
    const before = await containers(mine.writeCap);
    expect(before).toHaveLength(10);
    await theirs.overwrite(mine.writeCap, utf8('theirs'));
    await theirs.check(mine.writeCap, { addLease: true });
    expect(await containers(mine.writeCap)).toEqual(before);

    const cap = await theirs.put(format, utf8('theirs'));
    const made = await containers(cap);
    await ours.open(cap).overwrite(utf8('ours'));
    expect(await containers(cap)).toEqual(made);
    for (const { version, leases, extra } of [...before, ...made]) {
      expect({ version, leases: leases.length, extra }).toEqual({
        version: 2,
        leases: 1,
        extra: 0,
      });
    }
  });

  test('a directory of Tahoe’s reads as a file, through its own cap', async () => {
    const { ours, theirs } = pairOf();
    const cap = await theirs.mkdir(format);
    await theirs.putChild(cap, 'a child', utf8('tiny'));
    const parsed = parseCap(cap);
    expect(parsed).toMatchObject({ kind: 'write', format, directory: true });
    const file = ours.open(cap);
    // Netstrings: an entry, its name, its read-only cap (here the contents themselves).
    expect(asText(await file.read())).toMatch(/^\d+:7:a child,\d+:URI:LIT:oruw46i,/);
    expect(await ours.open(file.readCap).read()).toEqual(await file.read());
    const inner = cap.replace(/^URI:DIR2(-MDMF)?:/, format === 'sdmf' ? 'URI:SSK:' : 'URI:MDMF:');
    expect(Buffer.from(await theirs.get(inner))).toEqual(Buffer.from(await file.read()));
  });
});

function asText(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}
