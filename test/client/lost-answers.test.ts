/** What a file remembers of its last write, where an answer of that was lost. */
import { expect, test } from 'vitest';
import { AnswerLostError } from '../../src/errors.ts';
import { diskOf, type MemoryServer } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, bytesOf, expectBytes, testGrid, testKey } from '../support/client-grid.ts';

test('an answer that was lost leaves nothing that a good share could be taken for a bad one by', async () => {
  let isLost = false;
  const wrap = (server: StorageServer) =>
    altered(server, {
      readTestWrite: async (...args) => {
        const answer = await server.readTestWrite(...args);
        if (isLost && answer.wrote) throw new AnswerLostError(server.id, 'cut');
        return answer;
      },
    });
  const encoding = { required: 1, happy: 1, total: 1 };
  const { grid, another, servers } = testGrid({ count: 1, encoding, wrap });
  const contents = bytesOf(120_085);
  const file = await grid.create({ format: 'mdmf', contents, key: testKey });
  await file.update(Uint8Array.of(1), 5);
  isLost = true;
  await file.update(Uint8Array.of(7), contents.length);
  isLost = false;
  await file.update(Uint8Array.of(8), 5);
  expect(diskOf(servers[0] as MemoryServer).advisories).toEqual([]);
  const expected = Uint8Array.of(...contents, 7);
  expected[5] = 8;
  expectBytes(await another().open(file.writeCap).read(), expected);
});
