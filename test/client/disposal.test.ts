/**
 * What is closed by `using` and `await using`, on the oldest Node that is supported, too.
 */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { GridClosedError } from '../../src/errors.ts';
import { openFile } from '../../src/file-source.ts';
import { createInspector } from '../../src/inspector/server.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import { altered, bytesOf, testGrid } from '../support/client-grid.ts';

const silent = () => new Promise<never>(() => {});

test.each(['using', 'await using'])(
  'a grid is closed at the end of its block (%s)',
  async (way) => {
    const closed: string[] = [];
    const { another, create, servers } = testGrid({ count: 3 });
    const { readCap } = await create('sdmf', bytesOf(9));
    const closing = servers.map((server) => ({
      ...altered(server, { listShares: silent }),
      close: () => closed.push(server.id),
    }));
    let reading: Promise<unknown> = Promise.resolve();
    const read = (grid: ReturnType<typeof another>) => {
      reading = grid.open(readCap).read();
    };
    if (way === 'using') {
      using grid = another({ servers: closing });
      read(grid);
    } else {
      await using grid = another({ servers: closing });
      read(grid);
    }
    expect(closed).toEqual(['s0', 's1', 's2']);
    await expect(reading).rejects.toThrowError(new GridClosedError());
  },
);

test('an inspector is gone, and its trace whole, at the end of its block', async () => {
  let url = '';
  {
    await using inspector = await createInspector();
    url = inspector.explorerUrl;
    expect((await fetch(url)).status).toBeGreaterThan(0);
  }
  await expect(fetch(url)).rejects.toThrowError('fetch failed');
});

test('a file that is a source cannot be read after its block', async () => {
  const path = fileURLToPath(import.meta.url);
  let source: Awaited<ReturnType<typeof openFile>>;
  {
    await using file = await openFile(path);
    source = file;
    expect((await source.read(0, 3)).length).toBe(3);
  }
  await expect(source.read(0, 3)).rejects.toMatchObject({ code: 'BadSourceError' });
});

test('a server across the network hangs up at the end of its block', async () => {
  const nurl = parseNurl(`pb://${'A'.repeat(43)}@127.0.0.1:1/${'a'.repeat(26)}#v=1`);
  const identity = { id: 'v0-a', nickname: 'a', tubId: new Uint8Array(20) };
  let closed = 0;
  class Watched extends HttpServer {
    override close(): void {
      closed++;
      super.close();
    }
  }
  {
    using server = new Watched({ ...identity, permutationSeed: identity.tubId, nurls: [nurl] });
    expect([server.id, closed]).toEqual(['v0-a', 0]);
  }
  expect(closed).toBe(1);
});
