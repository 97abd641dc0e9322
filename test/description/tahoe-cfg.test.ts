import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodingToText, readNodeConfig } from '../../src/description/tahoe-cfg.ts';
import { completeEncoding, defaultEncoding } from '../../src/encoding.ts';
import { BadGridError, OutOfRangeError } from '../../src/errors.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-cfg-'));
  path = join(folder, 'tahoe.cfg');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('tahoe.cfg', () => {
  const six = { required: 3, happy: 6, total: 6 };
  const configOf = async (text: string) => {
    await writeFile(path, text);
    return readNodeConfig(path);
  };

  test.each([
    ['', { required: 3, happy: 7, total: 10 }],
    ['[storage]\nshares.total = 5\n', { required: 3, happy: 7, total: 10 }],
    ['[client]\nShares.Total = 5 ; few\n', { required: 3, happy: 5, total: 5 }],
    ['[client] ; x\nshares.total : 12\n', { required: 3, happy: 7, total: 12 }],
    ['[client]\nshares.total = 5\n[x]\n[client]\nshares.total = 6', { ...six }],
    ['[DEFAULT]\nshares.total = 6\n[client]\n', { ...six }],
    ['[client]\nnickname = a\n  shares.total = 99\nshares.total =\n  6\n', { ...six }],
    ['[client]\n# shares.needed = 9\nshares.needed=1\r\n', { required: 1, happy: 7, total: 10 }],
    ['[client]\nshares.total=255\nshares.needed=255', { required: 255, happy: 7, total: 255 }],
    [
      '[client]\nshares._max_immutable_segment_size_for_testing: 1',
      { required: 3, happy: 7, total: 10 },
    ],
  ])('%j', async (text, encoding) => {
    expect(await configOf(text)).toEqual({
      encoding,
      format: undefined,
      unusable: {},
      privacy: undefined,
    });
  });

  test.each([
    ['shares.needed = three', '[client] shares.needed: must be a whole number'],
    ['shares.total', '[client] shares.total: must be a whole number'],
    ['shares.total = -1', '[client] shares.total: must be a whole number'],
    ['shares.needed: 3 4', '[client] shares.needed: must be a whole number'],
    ['shares.needed = 11', 'shares.needed 11: must be from 1 to 10, shares.total'],
    ['shares.needed = 0', 'shares.needed 0: must be from 1 to 10, shares.total'],
    ['shares.happy = 11', 'shares.happy 11: must be from 1 to 10, shares.total'],
    [
      'shares.total = 256',
      'shares.total 256: must be from 1 to 255, the most that a share can say',
    ],
  ])('%s is no encoding for new files', async (line, problem) => {
    const { encoding, unusable } = await configOf(`[client]\n${line}\n`);
    expect(unusable).toEqual({ encoding: new BadGridError(path, problem) });
    expect(encoding).toEqual({
      ...defaultEncoding,
      ...(line === 'shares.happy = 11' && { happy: 11 }),
    });
  });

  test.each([
    ['shares.happy = seven', '[client] shares.happy: must be a whole number'],
    ['shares.happy = 0', 'shares.happy 0: must be from 1 to 10, shares.total'],
  ])('with %s nobody knows when a write is done', async (line, problem) => {
    const { encoding, unusable } = await configOf(`[client]\nshares.total = 10\n${line}\n`);
    const error = new BadGridError(path, problem);
    expect(unusable).toEqual({ encoding: error, happy: error });
    expect(encoding).toEqual(defaultEncoding);
  });

  test.each([
    ['SDMF', 'sdmf', {}],
    ['mdmf', 'mdmf', {}],
    ['chk', undefined, { format: '[client] mutable.format: must be sdmf or mdmf' }],
  ] as const)('mutable.format = %s', async (value, format, problems) => {
    const config = await configOf(`[client]\nmutable.format = ${value}\n`);
    expect(config.format).toBe(format);
    const unusable = Object.entries(problems).map(([k, text]) => [k, new BadGridError(path, text)]);
    expect(config.unusable).toEqual(Object.fromEntries(unusable));
  });

  test.each([
    ['shares.total = 5\n', 'line 1: comes before the first [section]'],
    ['[client]\0', 'is not text in UTF-8, nor in UTF-16 with a byte order mark'],
  ])('%j is none', async (text, problem) => {
    await expect(configOf(text)).rejects.toThrowError(new BadGridError(path, problem));
  });

  test('that is not there leaves the defaults', async () => {
    expect((await readNodeConfig(path)).encoding).toEqual(defaultEncoding);
  });

  test('that cannot be read is refused', async () => {
    await mkdir(path);
    await expect(readNodeConfig(path)).rejects.toThrowError(
      new BadGridError(path, 'cannot be read: EISDIR'),
    );
  });

  test('comes back from the text that we write', async () => {
    const encoding = { required: 2, happy: 4, total: 6 };
    expect((await configOf(encodingToText(encoding))).encoding).toEqual(encoding);
  });
});

test('an encoding is completed, or refused by the name that Tahoe gives the number', () => {
  expect(completeEncoding({})).toEqual({ required: 3, happy: 7, total: 10 });
  expect(completeEncoding({ required: 1, total: 4 })).toEqual({ required: 1, happy: 4, total: 4 });
  expect(() => completeEncoding({ required: 1.5 })).toThrowError(
    new OutOfRangeError('shares.needed', 1.5, 'must be from 1 to 10, shares.total'),
  );
});
