/** A server folder whose disk is full or fails half way, and a platform that cannot lock it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AnswerLostError, ServerUnavailableError } from '../../src/errors.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import type { DirectoryServer } from '../../src/storage/directory.ts';
import { builtPackage } from '../support/built.ts';
import { bundledProgram } from '../support/bundled.ts';
import { foreignServer, stagingOf } from '../support/foreign-folder.ts';
import { part, TestSlot, write } from '../support/test-slot.ts';

/** What the next calls of `rename` and `copyFile` shall do instead. */
const faults = vi.hoisted(() => ({
  rename: [] as (string | undefined)[],
  copyFile: [] as (string | undefined)[],
}));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const failing =
    (name: keyof typeof faults) =>
    async (...args: unknown[]) => {
      const code = faults[name].shift();
      if (code === undefined) return (real[name] as (...args: unknown[]) => unknown)(...args);
      throw Object.assign(new Error(code), { code, syscall: name });
    };
  return { ...real, rename: failing('rename'), copyFile: failing('copyFile') };
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a disk that fails half way', () => {
  test('through a request says that it may be done', async () => {
    const slot = new TestSlot(await foreignServer(folder));
    await slot.hold({ 0: 'zero', 1: 'one' });
    faults.rename.push(undefined, 'ENOSPC');
    const change = { parts: [part(0, 'X')] };
    await expect(slot.send({ 0: write(change), 1: write(change) })).rejects.toThrowError(
      new AnswerLostError('d0', 'ENOSPC in rename'),
    );
    expect(await slot.contents()).toEqual({ 0: 'Xero', 1: 'one' });
    expect(await readdir(stagingOf(slot))).toEqual([]);
  });

  test.each(['rename', 'copyFile'] as const)('in %s has changed nothing', async (call) => {
    const slot = new TestSlot(await foreignServer(folder));
    await slot.hold({ 0: 'zero', 1: 'one' });
    faults[call].push('ENOSPC');
    const change = { parts: [part(0, 'X')] };
    await expect(slot.send({ 0: write(change), 1: write(change) })).rejects.toThrowError(
      new ServerUnavailableError('d0', `ENOSPC in ${call}`),
    );
    expect(await slot.contents()).toEqual({ 0: 'zero', 1: 'one' });
    expect(await readdir(stagingOf(slot))).toEqual([]);
  });

  test('where files reach a limit, in earnest: old shares stay, and nothing is left', async () => {
    const slot = new TestSlot(await foreignServer(folder));
    await slot.hold({ 0: 'zero', 1: 'one' });
    const { directory } = slot.server as DirectoryServer;
    const built = await builtPackage();
    const script = `
      const { DirectoryServer } = await import('${built}/storage/directory.js');
      const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
      const tubId = new Uint8Array(20).fill(1);
      const directory = '${directory}';
      const server = new DirectoryServer({ id: 'd0', nickname: '', tubId, permutationSeed: tubId,
        directory });
      const secrets = { writeEnabler: bytes('${hex(slot.secrets.writeEnabler)}'),
        renewSecret: bytes('${hex(slot.secrets.renewSecret)}'),
        cancelSecret: bytes('${hex(slot.secrets.cancelSecret)}') };
      const piece = (offset) => ({ offset, length: 2 ** 16, bytes: async () => Buffer.alloc(2 ** 16) });
      const parts = Array.from({ length: 32 }, (_, i) => piece(i * 2 ** 16));
      const share = { tests: [], parts: parts.slice(0, 1), newLength: null };
      const shares = new Map([[0, share], [1, { ...share, parts }]]);
      const storageIndex = bytes('${hex(slot.storageIndex)}');
      await server.readTestWrite(storageIndex, { secrets, shares, reads: [] }).catch((error) => {
        console.log(JSON.stringify([error.code, error.message]));
      });`;
    // Half a megabyte; the signal that would come with the error is ignored.
    const limited = 'trap "" XFSZ; ulimit -f 1024; exec "$0" --input-type=module -e "$1"';
    const run = await promisify(execFile)('sh', ['-c', limited, process.execPath, script]);
    expect(JSON.parse(run.stdout)).toEqual([
      'ServerUnavailableError',
      expect.stringMatching(/^server d0: EFBIG in write$/),
    ]);
    expect(await slot.contents()).toEqual({ 0: 'zero', 1: 'one' });
    expect(await readdir(stagingOf(slot))).toEqual([]);
  });

  function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString('hex');
  }
});

describe('a platform without the native addon', () => {
  const noPackage = `throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })`;
  const noBuild = `return { url: 'data:text/javascript,' + encodeURIComponent(
      "throw Object.assign(new Error('ADDON_NOT_FOUND: Cannot find addon'), { code: 'ADDON_NOT_FOUND' }); export const tryLock = 0"
    ), shortCircuit: true }`;
  const here = `${process.platform}-${process.arch}`;

  test.each([
    ['not installed', noPackage, 'is missing: npm install fs-native-extensions'],
    ['without a build', noBuild, `has no build for this platform (${here})`],
  ])('(%s) reads, and says what it needs to write', async (_, how, lack) => {
    const hook = `export async function resolve(specifier, context, next) {
      if (specifier === 'fs-native-extensions') { ${how} }
      return next(specifier, context);
    }`;
    const register = `import { register } from 'node:module';
      register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hook))});`;
    const main = await bundledProgram();
    const grid = join(folder, 'grid');
    const cli = async (...args: string[]) => {
      const loader = `data:text/javascript,${encodeURIComponent(register)}`;
      const all = ['--import', loader, main, ...args];
      const env = { ...process.env, TAHOE_MUTABLE_GRID: grid };
      return promisify(execFile)(process.execPath, all, { env }).then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
      );
    };
    const help = await cli('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: tahoe-mutable');
    await createGridFolder(grid, { servers: 3, encoding: { required: 1, happy: 2, total: 3 } });
    const file = await (await openGrid(grid)).create({ contents: Buffer.from('contents') });
    const cap = join(folder, 'cap');
    await writeFile(cap, file.writeCap as string);
    expect(await cli('get', `@${cap}`)).toEqual({ code: 0, stdout: 'contents', stderr: '' });
    const put = await cli('put', `@${cap}`, cap);
    expect(put.code).toBe(1);
    expect(put.stderr).toContain(
      'writing to a folder takes a lock, for which the native addon fs-native-extensions ' +
        `${lack}; reading needs none`,
    );
    expect(put.stderr).not.toMatch(/\n\s+at /);
    expect(Buffer.from(await file.read()).toString()).toBe('contents');
  });
});
