/** A server folder that holds links, pipes and devices, or whose shares lie on another disk. */
import { execFileSync } from 'node:child_process';
import {
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toBase32 } from '../../src/bytes.ts';
import { BadContainerError, ServerUnavailableError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { directoryServers } from '../support/directory-grid.ts';
import {
  bucketOf,
  folderOf,
  foreignServer,
  isRoot,
  owner,
  stagingOf,
} from '../support/foreign-folder.ts';
import { EVERYTHING, part, randomSecrets, TestSlot, write } from '../support/test-slot.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('shares/ on another file system', () => {
  let disk: string;
  beforeEach(async () => {
    disk = await mkdtemp('/dev/shm/tahoe-mutable-');
    const [here, there] = [await stat(folder), await stat(disk)];
    expect(there.dev, '/dev/shm and the temporary folder must be two file systems').not.toBe(
      here.dev,
    );
    await chown(disk, owner.uid, owner.gid);
  });
  afterEach(() => rm(disk, { recursive: true, force: true }));

  async function newSlot(): Promise<TestSlot> {
    const server = await foreignServer(folder);
    await symlink(disk, join(server.directory, 'shares'));
    return new TestSlot(server);
  }

  test('takes every kind of write', async () => {
    const slot = await newSlot();
    await slot.hold({ 0: 'zero', 1: 'one' });
    await slot.send({ 0: write({ parts: [part(1, 'ER')] }), 1: write({ newLength: 0 }) });
    for (let i = 0; i < 4; i++) {
      await slot.server.addLease(slot.storageIndex, randomSecrets());
    }
    expect(await slot.contents()).toEqual({ 0: 'zERo' });
    const name = toBase32(slot.storageIndex);
    const prefix = name.slice(0, 2);
    expect((await readdir(disk, { recursive: true })).sort()).toEqual(
      [
        prefix,
        `${prefix}/${name}`,
        `${prefix}/${name}/0`,
        'incoming',
        'incoming/tahoe-mutable',
      ].sort(),
    );
  });

  test('is cleared of what dead writers left', async () => {
    const slot = await newSlot();
    await mkdir(stagingOf(slot), { recursive: true });
    await writeFile(join(stagingOf(slot), `aa-${'0'.repeat(24)}`), '');
    await slot.hold({ 0: 'zero' });
    expect(await readdir(stagingOf(slot))).toEqual([]);
  });

  test('that is not there is no server, and not one without shares', async () => {
    const slot = await newSlot();
    await slot.hold({ 0: 'zero' });
    await rm(disk, { recursive: true });
    const gone = new ServerUnavailableError(
      'd0',
      `ENOENT in stat of ${join(folderOf(slot), 'shares')}`,
    );
    await expect(slot.server.listShares(slot.storageIndex)).rejects.toThrowError(gone);
    await expect(slot.text(0)).rejects.toThrowError(gone);
    await expect(slot.send({ 0: write() })).rejects.toThrowError(gone);
  });

  test('serves whole files', async () => {
    const servers = await directoryServers(folder, 4);
    for (const { directory, id } of servers) {
      await mkdir(join(disk, id));
      await symlink(join(disk, id), join(directory, 'shares'));
    }
    const grid = new Grid({ servers, encoding: { required: 2, happy: 4, total: 4 } });
    const file = await grid.create({ contents: Buffer.from('there') });
    await file.append(Buffer.from(' and here'));
    expect(Buffer.from(await file.read()).toString()).toBe('there and here');
    expect(await file.verify()).toMatchObject({ isHealthy: true, bad: [] });
  });
});

describe('links', () => {
  /** A slot with a share, and a folder of somebody else's. */
  async function withVictim() {
    const slot = new TestSlot(await foreignServer(folder));
    await slot.hold({ 0: 'zero' });
    const victim = join(folder, 'victim');
    await mkdir(victim);
    const { directory } = slot.server as DirectoryServer;
    return { slot, victim, directory };
  }

  /** Puts a link in the place of a folder; what was in it lies behind the link. */
  async function divert(path: string, victim: string) {
    const behind = join(victim, 'behind');
    await rename(path, behind);
    await symlink(behind, path);
    return behind;
  }

  /** A new object on the same folder, which has swept nothing yet. */
  function again(slot: TestSlot): TestSlot {
    const { id, nickname, tubId, permutationSeed, directory } = slot.server as DirectoryServer;
    const server = new DirectoryServer({ id, nickname, tubId, permutationSeed, directory });
    const { storageIndex, secrets } = slot;
    return Object.assign(new TestSlot(server), { storageIndex, secrets });
  }

  test.each([
    'tahoe-mutable',
    'tahoe-mutable/locks',
    'shares/incoming',
    'shares/incoming/tahoe-mutable',
  ])('%s is not followed, and nothing behind it is swept', async (name) => {
    const { slot, victim, directory } = await withVictim();
    const behind = await divert(join(directory, name), victim);
    const lookalikes = ['', 'tahoe-mutable', 'locks'].map((inner) => join(behind, inner));
    for (const place of lookalikes) {
      await mkdir(place, { recursive: true });
      await writeFile(join(place, `aa-${'0'.repeat(24)}`), 'precious');
    }
    const before = (await readdir(victim, { recursive: true })).sort();
    const path = join(directory, name);
    const error = new ServerUnavailableError('d0', `${path} is a symbolic link, not a folder`);
    await expect(again(slot).send({ 0: write({ newLength: 0 }) })).rejects.toThrowError(error);
    await expect(again(slot).server.addLease(slot.storageIndex, slot.secrets)).rejects.toThrowError(
      error,
    );
    expect((await readdir(victim, { recursive: true })).sort()).toEqual(before);
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });

  test('tahoe-mutable/tmp, where temporary files once were, is of no interest', async () => {
    const { slot, victim, directory } = await withVictim();
    await writeFile(join(victim, `aa-${'0'.repeat(24)}`), 'precious');
    await symlink(victim, join(directory, 'tahoe-mutable/tmp'));
    await again(slot).send({ 0: write({ parts: [part(0, 'Z')] }) });
    expect(await readdir(victim)).toEqual([`aa-${'0'.repeat(24)}`]);
  });

  test('a temporary file that is a link or a folder is left alone', async () => {
    const { slot, victim } = await withVictim();
    await writeFile(join(victim, 'precious'), '');
    const names = ['0', '1'].map((digit) => `aa-${digit.repeat(24)}`) as [string, string];
    await symlink(join(victim, 'precious'), join(stagingOf(slot), names[0]));
    await mkdir(join(stagingOf(slot), names[1]));
    await again(slot).send({ 0: write({ parts: [part(0, 'Z')] }) });
    expect(await readdir(victim)).toEqual(['precious']);
    expect((await readdir(stagingOf(slot))).sort()).toEqual(names);
  });

  test.each(['prefix', 'bucket'])('in the place of a %s is not followed', async (which) => {
    const { slot, victim } = await withVictim();
    const path = which === 'bucket' ? bucketOf(slot) : dirname(bucketOf(slot));
    await divert(path, victim);
    const before = await readFile(join(bucketOf(slot), '0'));
    const error = new ServerUnavailableError('d0', `${path} is a symbolic link, not a folder`);
    const { server, storageIndex, secrets } = slot;
    await expect(server.listShares(storageIndex)).rejects.toThrowError(error);
    await expect(slot.text(0)).rejects.toThrowError(error);
    await expect(slot.send({ 1: write({ parts: [part(0, 'new')] }) })).rejects.toThrowError(error);
    await expect(server.addLease(storageIndex, secrets)).rejects.toThrowError(error);
    await expect(server.adviseCorruptShare(storageIndex, 0, 'x')).rejects.toThrowError(error);
    expect(await readdir(bucketOf(slot))).toEqual(['0']);
    expect(await readFile(join(bucketOf(slot), '0'))).toEqual(before);
  });

  test.each(['a good share', 'nothing'])('a share that is one, to %s, is refused', async (to) => {
    const { slot, victim } = await withVictim();
    const target = join(victim, 'share');
    const share = await readFile(join(bucketOf(slot), '0'));
    if (to !== 'nothing') await writeFile(target, share);
    const path = join(bucketOf(slot), '1');
    await symlink(target, path);
    const error = new BadContainerError(path, 'a symbolic link, not a file');
    const { server, storageIndex } = slot;
    await expect(slot.text(1)).rejects.toThrowError(error);
    await expect(slot.send({ 1: write({ parts: [part(0, 'X')] }) })).rejects.toThrowError(error);
    await expect(server.addLease(storageIndex, randomSecrets())).rejects.toThrowError(error);
    expect(await readdir(victim)).toEqual(to === 'nothing' ? [] : ['share']);
    if (to !== 'nothing') expect(await readFile(target)).toEqual(share);
    expect(await readFile(join(bucketOf(slot), '0'))).toEqual(share);
  });

  test('in the place of advisories are not followed', async () => {
    const { slot, victim, directory } = await withVictim();
    const path = join(directory, 'corruption-advisories');
    await symlink(victim, path);
    await expect(slot.server.adviseCorruptShare(slot.storageIndex, 0, 'x')).rejects.toThrowError(
      new ServerUnavailableError('d0', `${path} is a symbolic link, not a folder`),
    );
    expect(await readdir(victim)).toEqual([]);
  });
});

describe('what is no file', () => {
  /** Puts something in the place of a path, and says what it is. */
  const kinds: Record<string, (path: string) => Promise<unknown>> = {
    'a FIFO': async (path) => execFileSync('mkfifo', [path]),
    'a folder': (path) => mkdir(path),
    'a socket': async (path) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(path, resolve));
      // Closing would remove it.
      server.unref();
      sockets.push(server);
    },
    ...(isRoot && { 'a device': async (path) => execFileSync('mknod', [path, 'c', '1', '5']) }),
  };
  const sockets: ReturnType<typeof createServer>[] = [];
  afterEach(() => {
    for (const server of sockets.splice(0)) server.close();
  });

  test.each(Object.entries(kinds))('%s as a share is refused by its kind', async (what, make) => {
    // The paths of sockets are short.
    const server = await foreignServer(folder);
    const slot = new TestSlot(server);
    await slot.hold({ 9: 'nine' });
    // More of them than libuv has threads.
    const paths = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => join(bucketOf(slot), String(n)));
    process.chdir(bucketOf(slot));
    for (const n of paths.keys()) await make(`./${n}`);
    process.chdir('/');
    const errors = paths.map((path) => new BadContainerError(path, `${what}, not a file`));
    const { storageIndex } = slot;
    expect(await server.listShares(storageIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 9]);
    const reads = paths.map((_, n) => server.readShare(storageIndex, n, EVERYTHING));
    expect((await Promise.allSettled(reads)).map((end) => 'reason' in end && end.reason)).toEqual(
      errors,
    );
    expect(await slot.text(9)).toBe('nine');
    const first = errors[0] as BadContainerError;
    await expect(slot.send({ 9: write({ newLength: 0 }) })).rejects.toThrowError(first);
    await expect(server.addLease(storageIndex, slot.secrets)).rejects.toThrowError(first);
    expect(await slot.text(9)).toBe('nine');
  });

  test('as a lock or an advisory is refused, and blocks nobody else', async () => {
    const server = await foreignServer(folder);
    const slot = new TestSlot(server);
    await slot.hold({ 0: 'zero' });
    const lock = join(
      server.directory,
      'tahoe-mutable/locks',
      toBase32(slot.storageIndex).slice(0, 2),
    );
    await rm(lock);
    execFileSync('mkfifo', [lock]);
    const writes = Array.from({ length: 6 }, () => slot.send({ 0: write({ newLength: 0 }) }));
    const refusal = new ServerUnavailableError('d0', `${lock} is a FIFO, not a file`);
    for (const end of await Promise.allSettled(writes)) {
      expect(end).toEqual({ status: 'rejected', reason: refusal });
    }
    const other = new TestSlot(server);
    other.storageIndex[0] = (slot.storageIndex[0] as number) ^ 0xff;
    await other.hold({ 0: 'other' });
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });
});
