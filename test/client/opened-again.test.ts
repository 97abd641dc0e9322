/** What a grid remembers of a file that it wrote, for whoever opens it again. */
import { expect, test } from 'vitest';
import type { Cap, WriteCap } from '../../src/caps.ts';
import {
  BadArgumentError,
  FileExistsError,
  OutOfRangeError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import type { GridOptions } from '../../src/grid-options.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { Progress } from '../../src/runtime/options.ts';
import {
  bytesOf,
  expectBytes,
  holdings,
  putShare,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';
import { farFile, Waves } from '../support/waves.ts';

const first = bytesOf(2048);
const other = bytesOf(2048, 2);

async function madeFile(options: Partial<GridOptions> = {}) {
  const far = await farFile({ contents: first }, options);
  const { waves, grid, another, file } = far;
  /** How many round trips an overwrite by its cap waits for, and how many requests that takes. */
  const overwritten = async (contents: Uint8Array, by = grid) => {
    const overwrite = await waves.of(() => by.open(file.writeCap).overwrite(contents));
    expectBytes((await waves.of(() => another().open(file.readCap).read())).result, contents);
    return [overwrite.waves, overwrite.calls.length];
  };
  return { ...far, overwritten };
}

function otherFingerprint({ cap }: MutableFile): Cap {
  const { writekey } = cap as WriteCap;
  return { ...(cap as WriteCap), writekey, fingerprint: new Uint8Array(32) };
}

test('a file that is opened again is overwritten in one round trip', async () => {
  const { overwritten, grid, another } = await madeFile();
  expect(await overwritten(other)).toEqual([1, 10]);
  expect(await overwritten(first, grid)).toEqual([1, 10]);
  // Who has not written it yet looks, and then remembers.
  const stranger = another();
  expect(await overwritten(other, stranger)).toEqual([2, 23]);
  expect(await overwritten(first, stranger)).toEqual([1, 10]);
});

test('what another client wrote since is found, and built on', async () => {
  const { waves, grid, another, file } = await madeFile();
  await waves.of(() => another().open(file.writeCap).append(other));
  const { result } = await waves.of(() => grid.open(file.writeCap).append(Uint8Array.of(7)));
  expect(result).toMatchObject({ seqnum: 3, base: { seqnum: 2 }, missing: [] });
  const { result: contents } = await waves.of(() => file.read());
  expectBytes(contents, Uint8Array.of(...first, ...other, 7));
});

test('who writes in turns with another client looks first after a write in vain', async () => {
  const { overwritten, grid, another } = await madeFile();
  const stranger = another();
  expect(await overwritten(other, stranger)).toEqual([2, 23]);
  expect(await overwritten(first, grid)).toEqual([4, 43]);
  expect(await overwritten(other, stranger)).toEqual([4, 43]);
  expect(await overwritten(first, grid)).toEqual([2, 23]);
  expect(await overwritten(other, stranger)).toEqual([2, 23]);
});

test('a file that was put back as it was is written by whoever opens it anew', async () => {
  const { waves, grid, file, servers } = await madeFile();
  const saved = holdings(servers, file.cap).map((held) => ({
    held,
    share: shareOf(held, file.cap).slice(),
  }));
  await waves.of(() => grid.open(file.writeCap).overwrite(other));
  for (const { held, share } of saved) await putShare(held.server, file.cap, held.shnum, share);
  const { result } = await waves.of(() => grid.open(file.writeCap).append(Uint8Array.of(7)));
  expect(result).toMatchObject({ seqnum: 2, base: { seqnum: 1 } });
  expectBytes((await waves.of(() => file.read())).result, Uint8Array.of(...first, 7));
});

test('a grid that is closed while a file is made does not remember it', async () => {
  const waves = new Waves();
  const { grid } = testGrid({ wrap: waves.far });
  const onProgress = ({ done, total }: Progress) => {
    if (done === total) grid.close();
  };
  const making = () => grid.create({ contents: first, key: testKey, onProgress });
  const { result: file } = await waves.of(making);
  expect((await waves.of(() => grid.open(file.writeCap).overwrite(other))).waves).toBe(2);
});

test('handles of one file that write at once take turns, and each builds on the last', async () => {
  const { waves, grid, file } = await madeFile();
  const add = (byte: number) => grid.open(file.writeCap).append(Uint8Array.of(byte));
  const { result } = await waves.of(() => Promise.all([1, 2, 3].map(add)));
  expect(result.map(({ seqnum }) => seqnum)).toEqual([2, 3, 4]);
  expectBytes((await waves.of(() => file.read())).result, Uint8Array.of(...first, 1, 2, 3));
});

test('a grid forgets the file that was written longest ago, and all when it is closed', async () => {
  const { overwritten, waves, grid, file } = await madeFile({ rememberedFiles: 1 });
  expect(await overwritten(other)).toEqual([1, 10]);
  // To read it is not to write it.
  await waves.of(() => grid.open(file.writeCap).read());
  const another = waves.of(() => grid.open(otherFingerprint(file)).overwrite(other));
  await expect(another).rejects.toThrowError(UnrecoverableFileError);
  expect(await overwritten(first)).toEqual([2, 23]);
  expect(await overwritten(other)).toEqual([1, 10]);
  grid.close();
  expect(await overwritten(first)).toEqual([2, 23]);
});

test('nothing outlives a handle where nothing is to be remembered', async () => {
  const { overwritten, waves, file } = await madeFile({ rememberedFiles: 0 });
  expect(await overwritten(other)).toEqual([2, 23]);
  expect(await overwritten(first)).toEqual([2, 23]);
  const { waves: kept } = await waves.of(() => file.overwrite(other));
  expect(kept).toBe(4);
});

test('how many files are remembered is a whole number', () => {
  const remembering = (rememberedFiles: number) => () => testGrid({ rememberedFiles });
  expect(remembering(-1)).toThrowError(
    new OutOfRangeError('rememberedFiles', -1, 'must be a whole number from 0 to 2^53-1'),
  );
  expect(remembering('8' as never)).toThrowError(BadArgumentError);
});

test('a cap with another fingerprint is of another file, whatever is remembered', async () => {
  const { waves, grid, file } = await madeFile();
  const overwrite = waves.of(() => grid.open(otherFingerprint(file)).overwrite(other));
  await expect(overwrite).rejects.toThrowError(UnrecoverableFileError);
  expectBytes((await waves.of(() => file.read())).result, first);
});

test('a file that could not be made is not remembered', async () => {
  const { waves, another, overwritten } = await madeFile();
  const stranger = another();
  const again = waves.of(() => stranger.create({ contents: other, key: testKey }));
  await expect(again).rejects.toThrowError(FileExistsError);
  expect(await overwritten(other, stranger)).toEqual([2, 23]);
});
