/** What a write was built on is told, so that it can be compared with what had been read. */
import { describe, expect, test } from 'vitest';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { VersionName } from '../../src/version-name.ts';
import { bytesOf, testGrid, testKey } from '../support/client-grid.ts';

/** The one version that there is. */
async function versionOf(file: MutableFile): Promise<VersionName> {
  const [version, ...others] = Object.values((await file.servermap()).versions);
  expect(others).toEqual([]);
  return { seqnum: version!.seqnum, rootHash: version!.rootHash };
}

describe.each(['sdmf', 'mdmf'] as const)('of a %s file', (format) => {
  test('each write names the version before it', async () => {
    const { grid } = testGrid();
    const file = await grid.create({ format, contents: bytesOf(300), key: testKey });
    expect(file.created).toMatchObject({ seqnum: 1, base: null });
    const writes = [
      () => file.overwrite(bytesOf(200)),
      () => file.update(bytesOf(10), 5),
      () => file.append(bytesOf(10)),
      () => file.modify(() => bytesOf(100)),
    ];
    for (const [i, write] of writes.entries()) {
      const before = await versionOf(file);
      expect(before.seqnum).toBe(i + 1);
      expect(await write()).toMatchObject({ seqnum: i + 2, base: before });
    }
  });

  test('where there was nothing to write, it is what is there', async () => {
    const { create } = testGrid();
    const file = await create(format, bytesOf(300));
    const there = await versionOf(file);
    const nothing = await file.append(new Uint8Array(0));
    expect(nothing).toMatchObject({ seqnum: 1, placed: [], base: there });
    expect(await file.modify(() => undefined)).toBeUndefined();
  });

  test('after a collision it is what the other writer made', async () => {
    const { create, another } = testGrid();
    const file = await create(format, bytesOf(300));
    const other = another().open(file.cap);
    let theirs: VersionName | undefined;
    const outcome = await file.modify(
      async () => {
        if (theirs === undefined) {
          await other.overwrite(bytesOf(200));
          theirs = await versionOf(other);
        }
        return bytesOf(100);
      },
      { backoffMs: 0 },
    );
    expect(outcome).toMatchObject({ seqnum: 3, base: theirs });
  });
});
