import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import {
  errnoOf,
  ignoreMissing,
  readFully,
  replaceFile,
  stageFile,
  writeFully,
} from '../../src/storage/atomic-file.ts';

let folder: string;
let target: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-atomic-'));
  target = join(folder, 'target');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('replaceFile', () => {
  test('creates a file out of pieces, which is not there before it is complete', async () => {
    await replaceFile(
      target,
      (async function* () {
        yield utf8('one, ');
        expect(await readdir(folder)).toEqual([expect.stringMatching(/^\.tahoe-mutable-.*\.tmp$/)]);
        yield utf8('two');
      })(),
    );
    expect(await readFile(target, 'utf8')).toBe('one, two');
    expect(await readdir(folder)).toEqual(['target']);
  });

  test('leaves the old file and nothing else when it fails', async () => {
    await writeFile(target, 'old');
    const failure = new Error('the download broke off');
    const broken = replaceFile(
      target,
      (function* () {
        yield utf8('ne');
        throw failure;
      })(),
    );
    await expect(broken).rejects.toBe(failure);
    expect(await readFile(target, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['target']);
  });

  test('keeps the permissions of the old file, or takes the given ones', async () => {
    await writeFile(target, 'old');
    await chmod(target, 0o640);
    await replaceFile(target, [utf8('new')]);
    expect((await stat(target)).mode & 0o777).toBe(0o640);
    await chmod(target, 0o666);
    await replaceFile(target, [utf8('new')]);
    expect((await stat(target)).mode & 0o777).toBe(0o666);
    await replaceFile(target, [utf8('new')], { mode: 0o600 });
    expect((await stat(target)).mode & 0o777).toBe(0o600);
  });

  test('replaces what a link points to, not the link', async () => {
    await writeFile(target, 'old');
    const link = join(folder, 'link');
    await symlink('target', link);
    await replaceFile(link, [utf8('new')]);
    expect(await readlink(link)).toBe('target');
    expect(await readFile(target, 'utf8')).toBe('new');
  });

  test('writes straight to what is not a file', async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('/usr/bin/mkfifo', [fifo]);
    const received = readFile(fifo, 'utf8');
    await replaceFile(fifo, [utf8('thr'), utf8('ough')]);
    expect(await received).toBe('through');
    expect(await readdir(folder)).toEqual(['fifo']);
  });

  test('says what is wrong with a folder that does not exist', async () => {
    const lost = replaceFile(join(folder, 'no', 'where'), []);
    await expect(lost).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open' });
  });
});

describe('stageFile', () => {
  test('starts from a copy when told to', async () => {
    await writeFile(target, 'old content');
    const staged = join(folder, 'staged');
    await stageFile(staged, (file) => writeFully(file, utf8('NEW'), 0), { from: target });
    expect(await readFile(staged, 'utf8')).toBe('NEW content');
    expect(await readFile(target, 'utf8')).toBe('old content');
  });

  test('that cannot copy leaves nothing', async () => {
    const staged = join(folder, 'staged');
    const lost = stageFile(staged, async () => {}, { from: target });
    await expect(lost).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('readFully and writeFully', () => {
  test('go on where the system stops early', async () => {
    const file = await open(target, 'w+');
    const prototype = Object.getPrototypeOf(file) as typeof file;
    for (const method of ['read', 'write'] as const) {
      const real = prototype[method] as (...args: unknown[]) => Promise<never>;
      vi.spyOn(prototype, method).mockImplementation(function (
        this: typeof file,
        bytes: Uint8Array,
        offset: number,
        length: number,
        position: number,
      ) {
        return real.call(this, bytes, offset, Math.min(length, 3), position);
      } as never);
    }
    await writeFully(file, utf8('0123456789'), 2);
    expect(await readFully(file, 9, 3)).toEqual(utf8('123456789'));
    expect(await readFully(file, 100, 8)).toEqual(utf8('6789'));
    vi.restoreAllMocks();
    await file.close();
  });
});

test('errnoOf tells the system’s refusals from mistakes', async () => {
  const refusal = await open(target, 'r').catch((error: unknown) => error);
  expect(errnoOf(refusal)).toBe('ENOENT');
  const mistake = await open(target, 'nonsense').catch((error: unknown) => error);
  expect(mistake).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  expect(errnoOf(mistake)).toBe(undefined);
  expect(errnoOf(undefined)).toBe(undefined);
  expect(ignoreMissing(refusal)).toBe(undefined);
  expect(() => ignoreMissing(mistake)).toThrowError(mistake as Error);
});
