/**
 * Repair on 13 real servers, by both clients: what one has mended is healthy and the same for the
 * other.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8, viewOf } from '../../src/bytes.ts';
import { parseCap, storageIndexOf } from '../../src/caps.ts';
import type { Grid } from '../../src/grid.ts';
import { openGrid } from '../../src/node.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import { bytesOf, expectBytes } from '../support/client-grid.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

let real: RealGrid;
let theirs: Gateway;
let ours: Grid;
beforeAll(async () => {
  real = await startRealGrid();
  theirs = await real.gateway();
  ours = await openGrid(theirs.folder, { inspect });
});
afterAll(async () => {
  ours.close();
  await real.close();
});

/** Where the share is in a container, and how long that says it is (docs/format.md §6). */
const shareAt = 468;
const lengthAt = 84;

/** A share on a server's disk. */
interface Found {
  readonly position: number;
  readonly shnum: number;
  /** Without its leases. */
  readonly bytes: Buffer;
}

async function sharesOf(cap: string): Promise<readonly Found[]> {
  const storageIndex = storageIndexOf(parseCap(cap));
  const found: Found[] = [];
  for (const position of real.servers.keys()) {
    for (const shnum of await real.sharesOf(position, storageIndex)) {
      const container = Buffer.from(await real.readContainer(position, storageIndex, shnum));
      const length = Number(viewOf(container).getBigUint64(lengthAt));
      found.push({ position, shnum, bytes: container.subarray(shareAt, shareAt + length) });
    }
  }
  return found;
}

/** Every share, by its number; copies of one are the same. */
async function bytesIn(cap: string): Promise<Readonly<Record<number, string>>> {
  const shares = await sharesOf(cap);
  return Object.fromEntries(shares.map(({ shnum, bytes }) => [shnum, bytes.toString('base64')]));
}

async function drop(cap: string, { position, shnum }: Found): Promise<void> {
  await real.deleteShare(position, storageIndexOf(parseCap(cap)), shnum);
}

/** One byte in the middle of a field is another one. */
async function damage(
  cap: string,
  { position, shnum, bytes }: Found,
  field: 'shareData' | 'signature' | 'encryptedPrivateKey',
): Promise<void> {
  const storageIndex = storageIndexOf(parseCap(cap));
  const { offset, length } = parseShareHeader(bytes).layout[field];
  const container = Buffer.from(await real.readContainer(position, storageIndex, shnum));
  const at = shareAt + offset + (length >> 1);
  container[at] = (container[at] as number) ^ 1;
  await real.writeContainer(position, storageIndex, shnum, container);
}

const isHealthy = {
  results: { healthy: true, 'count-shares-good': 10, 'count-corrupt-shares': 0 },
};

describe.each(['sdmf', 'mdmf'] as const)('a %s file', (format) => {
  test('mended here is the same version, byte for byte, and healthy for Tahoe', async () => {
    const contents = bytesOf(5000);
    const cap = await theirs.put(format, contents);
    const [before, shares] = [await bytesIn(cap), await sharesOf(cap)];
    const [one, two, three, four, five] = shares as [Found, Found, Found, Found, Found];
    await drop(cap, one);
    await drop(cap, two);
    await damage(cap, three, 'shareData');
    await damage(cap, four, 'signature');
    await damage(cap, five, 'encryptedPrivateKey');
    expect((await theirs.check(cap, { verify: true })).results.healthy).toBe(false);

    const outcome = await ours.open(cap).repair();
    expect(outcome).toMatchObject({ way: 'again', seqnum: 1, isHealthy: true, missing: [] });
    expect(outcome.placed).toHaveLength(5);
    expect(await bytesIn(cap)).toEqual(before);
    expect(await theirs.check(cap, { verify: true })).toMatchObject(isHealthy);
    expectBytes(await theirs.get(cap), contents);
    expect(await ours.open(cap).repair()).toMatchObject({ way: 'nothing', placed: [] });
  });

  test('mended by Tahoe is healthy here', async () => {
    const contents = bytesOf(5000);
    const { writeCap: cap } = await ours.create({ format, contents });
    const [one, two] = (await sharesOf(cap)) as [Found, Found];
    await drop(cap, one);
    await damage(cap, two, 'shareData');
    expect(await ours.open(cap).verify()).toMatchObject({ isHealthy: false });
    await theirs.check(cap, { verify: true, repair: true });
    expect(await ours.open(cap).verify()).toMatchObject({ isHealthy: true, seqnum: 2 });
    expect(await ours.open(cap).repair()).toMatchObject({ way: 'nothing', placed: [] });
    expectBytes(await ours.open(cap).read(), contents);
  });
});

test('twenty rounds in one directory: each edits, loses a share, and is mended by the other', {
  timeout: 300_000,
}, async () => {
  const cap = await theirs.mkdir('sdmf');
  const child = await theirs.putImmutable(utf8('x'));
  const names: string[] = [];
  for (let round = 0; round < 20; round++) {
    const name = `round ${round}`;
    const isOurTurn = round % 2 === 0;
    if (isOurTurn) await ours.openDirectory(cap).add(name, child);
    else await theirs.edit(cap, { t: 'uri', name, uri: child });
    names.push(name);

    const shares = await sharesOf(cap);
    const lost = shares[round % shares.length] as Found;
    if (round % 4 < 2) await drop(cap, lost);
    else await damage(cap, lost, 'shareData');
    if (isOurTurn) await theirs.check(cap, { verify: true, repair: true });
    else expect(await ours.open(cap).repair()).toMatchObject({ way: 'again', isHealthy: true });

    expect(await theirs.check(cap, { verify: true })).toMatchObject(isHealthy);
    expect(await ours.open(cap).verify()).toMatchObject({ isHealthy: true });
  }
  const listed = (await ours.openDirectory(cap).list()).map((it) => it.name);
  expect(listed).toEqual([...names].sort());
  expect(Object.keys((await theirs.list(cap))[1].children).sort()).toEqual(listed);
});
