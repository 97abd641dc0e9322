import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { completeEncoding, defaultEncoding } from '../src/encoding.ts';
import { BadGridError, OutOfRangeError } from '../src/errors.ts';
import { encodingToText, readEncoding } from '../src/tahoe-cfg.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-cfg-'));
  path = join(folder, 'tahoe.cfg');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('tahoe.cfg', () => {
  const encodingOf = async (text: string) => {
    await writeFile(path, text);
    return readEncoding(path);
  };

  test.each([
    ['', { required: 3, happy: 7, total: 10 }],
    ['[storage]\nshares.total = 5\n', { required: 3, happy: 7, total: 10 }],
    ['[client]\nShares.Total = 5 ; few\n', { required: 3, happy: 5, total: 5 }],
    ['[client]\n# shares.needed = 9\nshares.needed=1\r\n', { required: 1, happy: 7, total: 10 }],
    ['[client]\nshares.total=255\nshares.needed=255', { required: 255, happy: 7, total: 255 }],
    [
      '[client]\nshares._max_immutable_segment_size_for_testing: 1',
      { required: 3, happy: 7, total: 10 },
    ],
  ])('%j', async (text, encoding) => {
    expect(await encodingOf(text)).toEqual(encoding);
  });

  test.each([
    ['shares.needed = three', '[client] shares.needed: must be a whole number'],
    ['shares.total', '[client] shares.total: must be a whole number'],
    ['shares.total = -1', '[client] shares.total: must be a whole number'],
    ['shares.needed: 3', '[client] shares.needed: must be written "shares.needed = <number>"'],
    ['shares.needed = 11', 'shares.needed 11: must be from 1 to 10, shares.total'],
    ['shares.needed = 0', 'shares.needed 0: must be from 1 to 10, shares.total'],
    ['shares.happy = 11', 'shares.happy 11: must be from 1 to 10, shares.total'],
    [
      'shares.total = 256',
      'shares.total 256: must be from 1 to 255, the most that a share can say',
    ],
  ])('%s is refused', async (line, problem) => {
    await expect(encodingOf(`[client]\n${line}\n`)).rejects.toThrowError(
      new BadGridError(path, problem),
    );
  });

  test('that is not there leaves the defaults', async () => {
    expect(await readEncoding(path)).toEqual(defaultEncoding);
  });

  test('that cannot be read is refused', async () => {
    await mkdir(path);
    await expect(readEncoding(path)).rejects.toThrowError(
      new BadGridError(path, 'cannot be read: EISDIR'),
    );
  });

  test('comes back from the text that we write', async () => {
    const encoding = { required: 2, happy: 4, total: 6 };
    expect(await encodingOf(encodingToText(encoding))).toEqual(encoding);
  });
});

test('an encoding is completed, or refused by the name that Tahoe gives the number', () => {
  expect(completeEncoding({})).toEqual({ required: 3, happy: 7, total: 10 });
  expect(completeEncoding({ required: 1, total: 4 })).toEqual({ required: 1, happy: 4, total: 4 });
  expect(() => completeEncoding({ required: 1.5 })).toThrowError(
    new OutOfRangeError('shares.needed', 1.5, 'must be from 1 to 10, shares.total'),
  );
});
