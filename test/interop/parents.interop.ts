/**
 * Signatures whose salts name a parent are ordinary ones to Tahoe's own client: it reads, verifies,
 * overwrites and edits in place what they sign. What lies on the servers' disks says which parent.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noParentTag, type Version } from '../../machines/servermap.ts';
import { bytesToHex, toBase32, utf8 } from '../../src/bytes.ts';
import { parseCap, storageIndexOf } from '../../src/caps.ts';
import type { Grid } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { openGrid } from '../../src/node.ts';
import { parentTagLength, parentTagOf } from '../../src/share/parent.ts';
import { FileSignatures } from '../../src/share/signatures.ts';
import { DATA_OFFSET } from '../../src/storage/container.ts';
import { bytesOf, expectBytes } from '../support/client-grid.ts';
import { readerOf } from '../support/shares.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

let real: RealGrid;
let theirs: Gateway;
let ours: Grid;
beforeAll(async () => {
  real = await startRealGrid(10);
  theirs = await real.gateway();
  ours = await openGrid(theirs.folder, { inspect });
});
afterAll(async () => {
  ours.close();
  await real.close();
});

/** What the ten shares on the servers' disks say: the version's own tag, and its parent's. */
async function tagsOnDisk(cap: string) {
  const { fingerprint } = parseCap(cap);
  const found = new Set<string>();
  let count = 0;
  for (const { share } of await sharesOnDisk(cap)) {
    const { reader } = readerOf(share);
    const header = await reader.header();
    const [key, signature] = [await reader.verificationKey(), await reader.signature()];
    const salt = await new FileSignatures(fingerprint).verify(header, key, signature);
    const tags = [parentTagOf(header.prefix), salt.subarray(0, parentTagLength)];
    found.add(tags.map(bytesToHex).join());
    count++;
  }
  expect([count, found.size]).toEqual([10, 1]);
  const [tag, parentTag] = ([...found][0] as string).split(',');
  return { tag, parentTag };
}

async function sharesOnDisk(cap: string) {
  const index = storageIndexOf(parseCap(cap));
  const found: { position: number; shnum: number; share: Uint8Array }[] = [];
  for (const position of real.servers.keys()) {
    for (const shnum of await real.sharesOf(position, index)) {
      const share = (await real.readContainer(position, index, shnum)).subarray(DATA_OFFSET);
      found.push({ position, shnum, share });
    }
  }
  return found;
}

async function versionIn(file: MutableFile): Promise<Version> {
  const versions = Object.values((await file.servermap({ mode: 'check' })).versions);
  expect(versions).toHaveLength(1);
  return versions[0] as Version;
}

/** Tahoe's client finds all of it good, and so do we. */
async function expectHealthy(file: MutableFile, contents: Uint8Array): Promise<void> {
  expectBytes(await theirs.get(file.writeCap), contents);
  expect(await theirs.check(file.writeCap, { verify: true })).toMatchObject({
    results: { healthy: true, 'count-shares-good': 10, 'count-corrupt-shares': 0 },
  });
  const stranger = ours.open(file.readCap);
  expectBytes(await stranger.read(), contents);
  expect(await stranger.verify()).toMatchObject({ isHealthy: true });
}

describe.each(['sdmf', 'mdmf'] as const)('%s:', (format) => {
  test('versions of both clients follow each other, and ours name what they were built on', async () => {
    const contents = bytesOf(300_000);
    const file = await ours.create({ format, contents });
    const first = await tagsOnDisk(file.writeCap);
    expect(first.parentTag).toBe(noParentTag);
    await expectHealthy(file, contents);

    contents.set(utf8('ours, in place'), 140_000);
    await file.update(utf8('ours, in place'), 140_000);
    const second = await tagsOnDisk(file.writeCap);
    expect(second.parentTag).toBe(first.tag);
    await expectHealthy(file, contents);

    contents.set(utf8('theirs, in place'), 200_000);
    await theirs.updateAt(file.writeCap, 200_000, utf8('theirs, in place'));
    const third = await tagsOnDisk(file.writeCap);
    const unknown = [first.tag, second.tag, noParentTag];
    expect(unknown).not.toContain(third.parentTag);
    expect(await versionIn(file)).toMatchObject(third);
    await expectHealthy(file, contents);

    const longer = bytesOf(310_000, 2);
    await file.modify(() => longer);
    const fourth = await tagsOnDisk(file.writeCap);
    expect(fourth.parentTag).toBe(third.tag);
    await expectHealthy(file, longer);

    const theirOwn = bytesOf(5000, 3);
    await theirs.overwrite(file.writeCap, theirOwn);
    const fifth = await tagsOnDisk(file.writeCap);
    expect([...unknown, third.tag, fourth.tag]).not.toContain(fifth.parentTag);
    await expectHealthy(file, theirOwn);

    await file.overwrite(contents);
    expect(await versionIn(file)).toMatchObject({ parentTag: fifth.tag });
    await expectHealthy(file, contents);
  });

  test('a file of theirs has no known parent, nor has what their repair makes of ours', async () => {
    const cap = await theirs.put(format, bytesOf(1000));
    const their = await tagsOnDisk(cap);
    expect(their.parentTag).not.toBe(noParentTag);
    const file = ours.open(cap);
    await file.overwrite(bytesOf(1000, 2));
    const our = await tagsOnDisk(cap);
    expect(our.parentTag).toBe(their.tag);

    const [held] = await sharesOnDisk(cap);
    await real.deleteShare(held!.position, storageIndexOf(parseCap(cap)), held!.shnum);
    await theirs.check(cap, { verify: true, repair: true });
    const repaired = await tagsOnDisk(cap);
    expect([their.tag, our.tag, noParentTag]).not.toContain(repaired.parentTag);
    await expectHealthy(file, bytesOf(1000, 2));
  });

  test('the signature counts: with one bit of it flipped neither client reads the file', async () => {
    const file = await ours.create({ format, contents: bytesOf(1000) });
    for (const { position, shnum, share } of await sharesOnDisk(file.writeCap)) {
      const { offset } = (await readerOf(share).reader.header()).layout.signature;
      const name = toBase32(storageIndexOf(file.cap));
      const folder = join(real.servers[position]!.folder, 'storage/shares', name.slice(0, 2), name);
      const container = await open(join(folder, String(shnum)), 'r+');
      const flipped = Uint8Array.of((share[offset + 8] as number) ^ 1);
      await container.write(flipped, 0, 1, DATA_OFFSET + offset + 8);
      await container.close();
    }
    await expect(theirs.get(file.writeCap)).rejects.toThrowError('gateway answered 410');
    await expect(file.read()).rejects.toMatchObject({ name: 'UnrecoverableFileError' });
  });
});
