/** What is said of the private key in each share, by whoever has the write cap. */
import { expect, test } from 'vitest';
import { diskOf } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, bytesOf, testGrid } from '../support/client-grid.ts';

test('a share that is replaced before its key is read is not called corrupt', async () => {
  let before: (() => Promise<unknown>) | undefined;
  const wrap = (server: StorageServer) =>
    altered(server, {
      readShare: async (index, shnum, range, options) => {
        // The key of an SDMF share is what is that long.
        const now = range.length > 1000 ? before : undefined;
        if (now !== undefined) before = undefined;
        await now?.();
        return server.readShare(index, shnum, range, options);
      },
    });
  const { create, another, servers } = testGrid({ wrap, headLength: 123 });
  const file = await create('sdmf', bytesOf(300));
  const other = another({ servers }).open(file.writeCap);
  before = () => other.overwrite(bytesOf(600, 2));
  const { bad } = await file.verify();
  expect(before).toBeUndefined();
  expect(servers.flatMap((server) => diskOf(server).advisories)).toEqual([]);
  expect(bad.map(({ reason }) => reason)).not.toContain(
    'corrupt share: encrypted private key: not that of the cap',
  );
});
