/**
 * @module use-grid: a day on a grid, on any platform: create, change in place, read, stream, and keep a
 * directory. Imports nothing, so that a page can do it too.
 */
const bytes = (text) => new TextEncoder().encode(text);
const textOf = (contents) => new TextDecoder().decode(contents);

/** @throws Error that shows both, unless they are the same JSON */
export function expectSame(found, wanted) {
  const [a, b] = [found, wanted].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`found ${a}, wanted ${b}`);
}

/** @param grid of 1 of 3 */
export async function useGrid(grid) {
  const long = new Uint8Array(300_000).map((_, i) => i % 251);
  const file = await grid.create({ contents: long });
  await file.append(bytes('the end'));
  await file.update(bytes('the start'), 0);
  const { size, format } = await file.stat();
  expectSame({ size, format }, { size: long.length + 7, format: 'mdmf' });
  const stream = grid.open(file.readCap).stream();
  const contents = new Uint8Array(await new Response(stream).arrayBuffer());
  expectSame(
    [textOf(contents.subarray(0, 9)), textOf(contents.slice(-7))],
    ['the start', 'the end'],
  );
  expectSame([...contents.subarray(9, -7)], [...long.subarray(9)]);
  expectSame(await file.read({ offset: 1000, length: 5 }), long.slice(1000, 1005));
  const directory = await grid.createDirectory();
  await directory.add('notes.txt', file);
  const children = await grid.openDirectory(directory.writeCap).list();
  expectSame(
    children.map(({ name, kind }) => [name, kind]),
    [['notes.txt', 'file']],
  );
  expectSame((await file.verify()).isHealthy, true);
}

/** Two grids on the same servers write one file in turn, and each reads what the other has written. */
export async function useBoth(one, other) {
  const file = await one.create({ contents: bytes('a') });
  await other.open(file.writeCap).append(bytes('b'));
  await file.append(bytes('c'));
  expectSame(textOf(await other.open(file.readCap).read()), 'abc');
}
