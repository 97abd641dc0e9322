import { describe, expect, test } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { bestVersion, noParentTag, type Version } from '../../machines/servermap.ts';
import { equalBytes, utf8 } from '../../src/bytes.ts';
import { primitives as portable } from '../../src/crypto/portable.ts';
import { BadKeyError } from '../../src/errors.ts';
import { Grid, type InternalGridOptions } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import { parentTagOf } from '../../src/share/parent.ts';
import {
  bytesOf,
  type Held,
  holdings,
  putShare,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

interface PublishSnapshot {
  readonly machine?: { readonly id: string };
  readonly output?: { readonly version: Version | null };
}

const encoding = { required: 2, happy: 3, total: 4 };

/** What a reader's map says of the version on all servers. */
async function versionIn(file: MutableFile): Promise<Version> {
  const { versions } = await file.servermap({ mode: 'check' });
  expect(Object.keys(versions)).toHaveLength(1);
  return Object.values(versions)[0] as Version;
}

describe.each(['sdmf', 'mdmf'] as const)('%s: every version names its parent', (format) => {
  test('the first none, others what they were built on, however they were written', async () => {
    const { create, another } = testGrid({ count: 4, encoding });
    const file = await create(format, bytesOf(300_000));
    const reader = another().open(file.readCap);
    let last = await versionIn(reader);
    expect(last.parentTag).toBe(noParentTag);
    for (const write of [
      () => file.overwrite(bytesOf(200_000, 2)),
      () =>
        another()
          .open(file.writeCap)
          .modify((old) => old.map((byte) => byte + 1)),
      () => file.update(utf8('in place'), 140_000),
      () => file.update(utf8('and longer'), 200_000),
      () => another().open(file.writeCap).overwrite(bytesOf(0)),
      () => file.overwrite(bytesOf(0, 3)),
    ]) {
      await write();
      const version = await versionIn(reader);
      expect(version.seqnum).toBe(last.seqnum + 1);
      expect(version.parentTag).toBe(last.tag);
      last = version;
    }
  });

  test('a writer knows of its own version what readers do', async () => {
    const made: Version[] = [];
    const inspect = (event: InspectionEvent) => {
      if (event.type !== '@xstate.snapshot') return;
      const { machine, output } = event.snapshot as unknown as PublishSnapshot;
      if (machine?.id === 'publish' && output?.version) made.push(output.version);
    };
    const { create, another } = testGrid({ count: 4, encoding, inspect });
    const file = await create(format, bytesOf(10));
    await another({ primitives: portable } as object)
      .open(file.writeCap)
      .overwrite(bytesOf(11));
    await file.overwrite(bytesOf(12));
    expect(made.map(({ seqnum }) => seqnum)).toEqual([1, 2, 3]);
    expect(await versionIn(file)).toEqual(made[2]);
    expect([made[0]?.parentTag, made[2]?.parentTag]).toEqual([noParentTag, made[1]?.tag]);
    expect(made[1]?.parentTag).not.toBe(made[0]?.tag);
  });

  test('but with WebCrypto none that anybody knows', async () => {
    const { create, servers } = testGrid({ count: 4, encoding });
    const file = await create(format, bytesOf(10));
    const first = await versionIn(file);
    const internal: InternalGridOptions = { servers, encoding, primitives: portable };
    const browser = new Grid(internal);
    await browser.open(file.writeCap).overwrite(bytesOf(20));
    const second = await versionIn(browser.open(file.readCap));
    expect([first.tag, noParentTag, null]).not.toContain(second.parentTag);
    // It is known itself, and so is the parent of what is built on it.
    await file.overwrite(bytesOf(30));
    expect(await versionIn(browser.open(file.readCap))).toMatchObject({ parentTag: second.tag });
  });
});

test('what a key signs is verified before it is published', async () => {
  const { grid, servers } = testGrid({ count: 4, encoding });
  const sign = async (message: Uint8Array) => (await testKey.sign(message)).reverse();
  const key = { pkcs8: testKey.pkcs8, spki: testKey.spki, sign };
  await expect(grid.create({ key })).rejects.toThrowError(
    new BadKeyError('its signature does not verify'),
  );
  expect(holdings(servers, (await grid.create({ key: testKey })).cap)).toHaveLength(4);
});

test('a key of the caller may leave the salt to chance', async () => {
  const { grid } = testGrid({ count: 4, encoding });
  const sign = (message: Uint8Array) => testKey.sign(message);
  const file = await grid.create({ key: { pkcs8: testKey.pkcs8, spki: testKey.spki, sign } });
  expect((await versionIn(file)).parentTag).not.toBe(noParentTag);
});

describe('a version that the owner has signed twice', () => {
  /** The share with another signature of its header. */
  async function signedAgain(held: Held, file: MutableFile, saltStart: Uint8Array) {
    const share = shareOf(held, file.cap).slice();
    const { prefix, layout } = parseShareHeader(share);
    share.set(await testKey.sign(prefix, saltStart), layout.signature.offset);
    return share;
  }

  async function twice(saltStart: Uint8Array) {
    const { create, servers, another } = testGrid({ count: 4, encoding });
    const file = await create('sdmf', bytesOf(10));
    const [held] = holdings(servers, file.cap) as [Held];
    const before = shareOf(held, file.cap);
    const share = await signedAgain(held, file, saltStart);
    expect(equalBytes(share, before)).toBe(false);
    await putShare(held.server, file.cap, held.shnum, share);
    return another().open(file.readCap);
  }

  test('with two parents has none that anybody knows, and is as good as before', async () => {
    const file = await twice(parentTagOf(utf8('a prefix')));
    expect(await versionIn(file)).toMatchObject({ seqnum: 1, parentTag: null });
    expect(await file.verify()).toMatchObject({ isHealthy: true });
    expect(await file.read()).toEqual(bytesOf(10));
  });

  test('with one parent still has that', async () => {
    const file = await twice(parentTagOf(new Uint8Array(0)));
    expect(await versionIn(file)).toMatchObject({ parentTag: noParentTag });
  });
});

test('a signature that does not hold says nothing of parents', async () => {
  const { create, servers } = testGrid({ count: 4, encoding });
  const file = await create('mdmf', bytesOf(10));
  const [held] = holdings(servers, file.cap) as [Held];
  const share = shareOf(held, file.cap).slice();
  const { offset } = parseShareHeader(share).layout.signature;
  share[offset + 100] = (share[offset + 100] as number) ^ 1;
  await putShare(held.server, file.cap, held.shnum, share);
  const map = await file.servermap({ mode: 'check' });
  expect(bestVersion(map)).toMatchObject({ parentTag: noParentTag });
  expect(map.holdings.find(({ shnum }) => shnum === held.shnum)?.verdict.kind).toBe('bad');
});
