/** Two copies of this package in one program: what one has made, the other knows by what it has. */
import { expect, test, vi } from 'vitest';
import { BadArgumentError } from '../../src/errors.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { testKey } from '../support/client-grid.ts';
import { countedGrid } from '../support/one-server.ts';

test('a file, a directory and an address of another copy are taken; no move goes there', async () => {
  const { grid } = countedGrid();
  const home = await grid.createDirectory({ key: testKey });
  vi.resetModules();
  const [{ Grid }, { MemoryServer }, { parseNurl }] = await Promise.all([
    import('../../src/grid.ts'),
    import('../../src/storage/memory.ts'),
    import('../../src/storage/nurl.ts'),
  ]);
  const encoding = { required: 1, happy: 1, total: 1 };
  const other = new Grid({ servers: [new MemoryServer({ id: 's0' })], encoding });
  expect(other).not.toBeInstanceOf(grid.constructor);
  const file = other.open(home.writeCap.replace('DIR2-MDMF', 'MDMF'));
  const directory = other.openDirectory(home.readCap);
  await home.add('file', file);
  await home.add('directory', directory);
  const found = await home.list();
  expect(found.map(({ name, kind }) => [name, kind])).toEqual([
    ['directory', 'directory'],
    ['file', 'file'],
  ]);
  expect(found.map(({ caps }) => caps.write ?? caps.read)).toEqual([
    directory.readCap,
    file.writeCap,
  ]);
  await expect(home.move('file', directory as never)).rejects.toThrowError(
    new BadArgumentError('target', 'is no directory of this copy of this library'),
  );
  await expect(home.move('file', {} as never)).rejects.toThrowError(
    new BadArgumentError('target', 'is no directory of this library'),
  );
  const nurl = parseNurl(`pb://${'A'.repeat(43)}@127.0.0.1:1/secret#v=1`);
  const identity = { id: 's0', tubId: new Uint8Array(20), permutationSeed: new Uint8Array(20) };
  expect(new HttpServer({ ...identity, nurls: [nurl] }).id).toBe('s0');
});
