/** Whom the files of a server folder belong to, before and after somebody else has written. */
import { chmod, chown, lstat, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { toBase32 } from '../../src/bytes.ts';
import { ServerUnavailableError, UnrecoverableFileError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import type { DirectoryServer } from '../../src/storage/directory.ts';
import { directoryServers } from '../support/directory-grid.ts';
import {
  asOwner,
  bucketOf,
  folderOf,
  foreignServer,
  isRoot,
  owner,
  stagingOf,
} from '../support/foreign-folder.ts';
import { part, randomSecrets, TestSlot, write } from '../support/test-slot.ts';

let folder: string;
let umask: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-folder-'));
  await chmod(folder, 0o755);
  umask = process.umask(0o027);
});
afterEach(async () => {
  process.umask(umask);
  await rm(folder, { recursive: true, force: true });
});

async function ownershipAt(path: string) {
  const { uid, gid, mode } = await lstat(path);
  return { uid, gid, mode: (mode & 0o7777).toString(8) };
}

/** Path below `path`, and whose it is. */
async function ownershipsBelow(path: string) {
  const names = await readdir(path, { recursive: true });
  const of = names.map(async (name) => [name, await ownershipAt(join(path, name))] as const);
  return Object.fromEntries(await Promise.all(of));
}

describe('whose the files are', () => {
  test('a replaced share keeps owner, group and mode, however it is replaced', async () => {
    const slot = new TestSlot(await foreignServer(folder));
    await slot.hold({ 0: 'patched', 1: 'overwritten', 2: 'leased' });
    const modes: Record<number, number> = { 0: 0o644, 1: 0o660, 2: 0o604 };
    for (const [shnum, mode] of Object.entries(modes)) {
      await chmod(join(bucketOf(slot), shnum), mode);
    }
    await slot.send({
      0: write({ parts: [part(0, 'P')] }),
      1: write({ parts: [part(0, 'new')], newLength: 3 }),
    });
    // The fifth and sixth are behind the data, for which a share is written anew.
    for (let i = 0; i < 5; i++) {
      const { ino } = await stat(join(bucketOf(slot), '2'));
      await slot.server.addLease(slot.storageIndex, randomSecrets());
      expect((await stat(join(bucketOf(slot), '2'))).ino !== ino).toBe(i >= 3);
    }
    expect(await slot.contents()).toEqual({ 0: 'Patched', 1: 'new', 2: 'leased' });
    expect(await ownershipsBelow(bucketOf(slot))).toEqual({
      0: { ...owner, mode: '644' },
      1: { ...owner, mode: '660' },
      2: { ...owner, mode: '604' },
    });
  });

  test.each([
    ['755', '644'],
    ['700', '600'],
    ['2750', '640'],
    // Nobody who is a stranger there may write what is made there.
    ['777', '664'],
  ])('what is new in a folder of mode %s is its owner’s', async (outer, inner) => {
    const slot = new TestSlot(await foreignServer(folder, Number.parseInt(outer, 8)));
    await slot.hold({ 0: 'zero' });
    await slot.server.adviseCorruptShare(slot.storageIndex, 0, 'test');
    const name = toBase32(slot.storageIndex);
    const prefix = name.slice(0, 2);
    const [advisory] = await readdir(join(folderOf(slot), 'corruption-advisories'));
    const within = { ...owner, mode: outer.replace('777', '775') };
    const file = { ...owner, mode: inner };
    expect(await ownershipsBelow(folderOf(slot))).toEqual({
      'corruption-advisories': within,
      [`corruption-advisories/${advisory}`]: file,
      shares: within,
      [`shares/${prefix}`]: within,
      [`shares/${prefix}/${name}`]: within,
      [`shares/${prefix}/${name}/0`]: file,
      'shares/incoming': within,
      'shares/incoming/tahoe-mutable': within,
      'tahoe-mutable': within,
      'tahoe-mutable/locks': within,
      [`tahoe-mutable/locks/${prefix}`]: file,
    });
  });

  test('a file that another user appended to is read and written by the servers’ own', async () => {
    const servers = await directoryServers(folder, 4);
    for (const { directory } of servers) {
      await chown(directory, owner.uid, owner.gid);
      await chmod(directory, 0o750);
    }
    const grid = new Grid({ servers, encoding: { required: 2, happy: 3, total: 4 } });
    const file = await asOwner(() => grid.create({ contents: Buffer.from('theirs') }));
    await file.append(Buffer.from(', and root’s'));
    await asOwner(async () => {
      expect(Buffer.from(await file.read()).toString()).toBe('theirs, and root’s');
      await file.append(Buffer.from(', and theirs'));
    });
    expect(Buffer.from(await file.read()).toString()).toBe('theirs, and root’s, and theirs');
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
  });

  test('nothing is made in a folder of somebody who might not be able to read it', async () => {
    const slot = new TestSlot(await foreignServer(folder));
    const stranger = owner.uid + 1;
    const euid = vi.spyOn(process, 'geteuid').mockReturnValue(stranger);
    const { directory } = slot.server as DirectoryServer;
    try {
      await expect(slot.hold({ 0: 'zero' })).rejects.toThrowError(
        new ServerUnavailableError(
          'd0',
          `${directory} belongs to user ${owner.uid}, whose server might not read what user ` +
            `${stranger} makes there`,
        ),
      );
    } finally {
      euid.mockRestore();
    }
    expect(await readdir(directory)).toEqual([]);
  });

  // Only root can arrange for a share of another user.
  if (isRoot) {
    test('a share whose owner cannot be kept is not replaced', async () => {
      const slot = new TestSlot(await foreignServer(folder, 0o777));
      await slot.hold({ 0: 'zero', 1: 'one' });
      await chmod(bucketOf(slot), 0o777);
      await chown(join(bucketOf(slot), '1'), 0, 0);
      const before = await readFile(join(bucketOf(slot), '0'));
      const change = { parts: [part(0, 'X')] };
      await asOwner(async () => {
        await expect(slot.send({ 0: write(change), 1: write(change) })).rejects.toThrowError(
          new ServerUnavailableError(
            'd0',
            `${join(bucketOf(slot), '1')} belongs to user 0 and group 0, and this user cannot ` +
              'keep it so',
          ),
        );
      });
      expect(await readFile(join(bucketOf(slot), '0'))).toEqual(before);
      expect(await slot.contents()).toEqual({ 0: 'zero', 1: 'one' });
      expect(await readdir(stagingOf(slot))).toEqual([]);
    });
  }

  test('shares that may not be read are said to be so, by the system’s own name for it', async () => {
    const servers = await directoryServers(folder, 4);
    const grid = new Grid({ servers, encoding: { required: 2, happy: 3, total: 4 } });
    const file = await grid.create({ contents: Buffer.from('closed') });
    for (const { directory } of servers) {
      await chmod(directory, 0o755);
      for (const name of await readdir(directory, { recursive: true })) {
        const path = join(directory, name);
        if ((await stat(path)).isDirectory()) await chmod(path, 0o755);
        else await chmod(path, 0o000);
      }
    }
    const error = await asOwner(() => file.read()).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UnrecoverableFileError);
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^no version can be read: no good share found; 4 not read: server d\d: EACCES in open of /,
      ),
      facts: { unread: Array(4).fill(expect.stringMatching(/^server d\d: EACCES in open of /)) },
    });
  });
});
