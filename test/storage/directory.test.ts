import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { concatBytes, toBase32, u64, utf8, viewOf } from '../../src/bytes.ts';
import {
  BadContainerError,
  BadWriteEnablerError,
  ServerUnavailableError,
} from '../../src/errors.ts';
import { storedSecret } from '../../src/storage/container.ts';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { immutableContainer, immutableSharesContract } from '../support/immutable-contract.ts';
import { storageServerContract } from '../support/storage-contract.ts';
import {
  ABSENT,
  EVERYTHING,
  part,
  random,
  randomSecrets,
  TestSlot,
  write,
} from '../support/test-slot.ts';
import legacy from '../vectors/legacy-sdmf-v1.json' with { type: 'json' };

const DAY = 24 * 60 * 60;
const TUB_ID = new Uint8Array(20).fill(0x54);

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'tahoe-mutable-directory-'));
});
afterAll(() => rm(temporary, { recursive: true, force: true }));

function newFolder(): Promise<string> {
  return mkdtemp(join(temporary, 'server-'));
}

function serverOn(directory: string, now?: () => number): DirectoryServer {
  return new DirectoryServer({
    id: 'd0',
    nickname: 'a folder',
    tubId: TUB_ID,
    permutationSeed: utf8('seed'),
    directory,
    ...(now && { now }),
  });
}

async function newServer(now?: () => number): Promise<DirectoryServer> {
  return serverOn(await newFolder(), now);
}

function pathOf({ server, storageIndex }: TestSlot, shnum: number | string): string {
  const name = toBase32(storageIndex);
  const folder = (server as DirectoryServer).directory;
  return join(folder, 'shares', name.slice(0, 2), name, String(shnum));
}

/** The bytes of a share's container file. */
async function containerOf(slot: TestSlot, shnum: number): Promise<Uint8Array> {
  return Uint8Array.from(await readFile(pathOf(slot, shnum)));
}

/** Puts any bytes where a share would be. */
async function plant(slot: TestSlot, shnum: number, bytes: Uint8Array): Promise<string> {
  const path = pathOf(slot, shnum);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

function temporaryFiles({ server }: TestSlot): Promise<string[]> {
  return readdir(join((server as DirectoryServer).directory, 'shares/incoming/tahoe-mutable'));
}

storageServerContract('directory', async () => ({ server: await newServer() }));

/** Puts a share of an immutable file where Tahoe's uploader would. */
async function placeImmutable(
  server: DirectoryServer,
  storageIndex: Uint8Array,
  shnum: number,
  container: Uint8Array,
): Promise<string> {
  return plant(Object.assign(new TestSlot(server), { storageIndex }), shnum, container);
}

immutableSharesContract('directory', async () => {
  const server = await newServer();
  return {
    server,
    place: async (storageIndex, shnum, data) => {
      await placeImmutable(server, storageIndex, shnum, immutableContainer(data));
    },
  };
});

describe('a container of an immutable share', () => {
  const index = random(16);
  const data = utf8('0123456789');
  const readOf = async (container: Uint8Array) => {
    const server = await newServer();
    const path = await placeImmutable(server, index, 0, container);
    const bytes = server.immutable.readShare(index, 0, { offset: 0, length: 100 });
    return { path, bytes };
  };

  test.each([
    [1, 0],
    [1, 1],
    [2, 3],
  ])('of version %i with %i leases gives its data', async (version, leases) => {
    const { bytes } = await readOf(immutableContainer(data, version, leases));
    expect(await bytes).toEqual(data);
  });

  const withLeases = (leases: number) => {
    const container = immutableContainer(data);
    viewOf(container).setUint32(8, leases);
    return container;
  };
  test.each([
    ['is empty', new Uint8Array(0), 'header: truncated at 0 bytes'],
    ['ends in its header', new Uint8Array(11), 'header: truncated at 11 bytes'],
    ['has another version', immutableContainer(data, 3), 'version: not an immutable container'],
    ['has more leases than bytes', withLeases(2), 'leases: 2 do not fit the file'],
    ['has leases without end', withLeases(2 ** 32 - 1), 'leases: 4294967295 do not fit the file'],
  ])('that %s is refused', async (_, container, problem) => {
    const { path, bytes } = await readOf(container);
    await expect(bytes).rejects.toThrowError(new BadContainerError(path, problem));
  });

  test('is none of a slot, and one of a slot is none of an immutable file', async () => {
    const slot = new TestSlot(await newServer());
    await slot.hold({ 0: 'zero' });
    const { immutable } = slot.server as DirectoryServer;
    await expect(immutable.readShare(slot.storageIndex, 0, EVERYTHING)).rejects.toThrowError(
      'version: not an immutable container',
    );
    await placeImmutable(slot.server as DirectoryServer, slot.storageIndex, 1, withLeases(1));
    await expect(slot.text(1)).rejects.toThrowError('magic: not a mutable container');
  });

  test('that is corrupt is told of as one', async () => {
    const server = await newServer();
    await placeImmutable(server, index, 0, immutableContainer(data));
    await server.immutable.adviseCorruptShare(index, 0, 'a bad hash');
    const folder = join(server.directory, 'corruption-advisories');
    const [name = ''] = await readdir(folder);
    const text = await readFile(join(folder, name), 'utf8');
    expect(text).toContain(`type: immutable\nstorage_index: ${toBase32(index)}\nshare_number: 0`);
  });
});

describe('two servers on one folder', () => {
  test('of 20 concurrent test-and-sets through both, exactly one wins', async () => {
    const folder = await newFolder();
    const one = new TestSlot(serverOn(folder));
    const other = Object.assign(new TestSlot(serverOn(folder)), {
      storageIndex: one.storageIndex,
      secrets: one.secrets,
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        [one, other][i % 2]?.send({ 0: write({ tests: [ABSENT], parts: [part(0, `${i}`)] }) }),
      ),
    );
    const winners = [...answers.keys()].filter((i) => answers[i]?.wrote);
    expect(winners).toHaveLength(1);
    expect(await other.contents()).toEqual({ 0: `${winners[0]}` });
  });
});

describe('the layout', () => {
  test('is Tahoe’s, byte for byte, for a share that was just created', async () => {
    const slot = new TestSlot(await newServer(() => 1_000_000.7));
    await slot.send({ 3: write({ parts: [part(0, 'abc'), part(5, 'z')] }) });
    const { writeEnabler, renewSecret, cancelSecret } = slot.secrets;
    const lease = concatBytes(
      Uint8Array.of(0, 0, 0, 1),
      u64(1_000_000 + 31 * DAY).subarray(4),
      storedSecret(2, renewSecret),
      storedSecret(2, cancelSecret),
      TUB_ID,
    );
    const expected = concatBytes(
      utf8('Tahoe mutable container v2\n'),
      Uint8Array.of(0xc3, 0x55, 0x21, 0x99, 0x25),
      TUB_ID,
      writeEnabler,
      u64(6),
      u64(468 + 6),
      lease,
      new Uint8Array(3 * 92),
      utf8('abc\0\0z'),
      new Uint8Array(4),
    );
    expect(expected).toHaveLength(468 + 6 + 4);
    expect(await containerOf(slot, 3)).toEqual(expected);
  });

  test('has nothing of ours within shares/ but an empty folder in incoming/', async () => {
    const slot = new TestSlot(await newServer());
    await slot.hold({ 0: 'zero', 1: 'one' });
    await slot.send({ 0: write({ parts: [part(0, 'Z')] }), 1: write({ newLength: 0 }) });
    const folder = (slot.server as DirectoryServer).directory;
    const name = toBase32(slot.storageIndex);
    const names = (await readdir(folder, { recursive: true })).sort();
    expect(names).toEqual(
      [
        'shares',
        `shares/${name.slice(0, 2)}`,
        `shares/${name.slice(0, 2)}/${name}`,
        `shares/${name.slice(0, 2)}/${name}/0`,
        'shares/incoming',
        'shares/incoming/tahoe-mutable',
        'tahoe-mutable',
        'tahoe-mutable/locks',
        `tahoe-mutable/locks/${name.slice(0, 2)}`,
      ].sort(),
    );
  });

  test('loses the folder of a slot with its last share', async () => {
    const slot = new TestSlot(await newServer());
    await slot.hold({ 0: 'zero' });
    await slot.send({ 0: write({ newLength: 0 }) });
    expect(await readdir(dirname(dirname(pathOf(slot, 0))))).toEqual([]);
  });

  test('may hold files that are no shares', async () => {
    const slot = new TestSlot(await newServer());
    await slot.hold({ 0: 'zero' });
    for (const name of ['.DS_Store', '01', '1.tmp', '-1', '99999999999999999999']) {
      await writeFile(pathOf(slot, name), 'not a share');
    }
    expect(await slot.contents()).toEqual({ 0: 'zero' });
    expect((await slot.send({ 0: write({ parts: [part(0, 'Z')] }) })).wrote).toBe(true);
  });

  test('keeps advisories where Tahoe does', async () => {
    const time = Date.UTC(2026, 10, 22, 8, 32, 15, 244) / 1000;
    const slot = new TestSlot(await newServer(() => time));
    await slot.hold({ 0: 'zero' });
    await slot.server.adviseCorruptShare(slot.storageIndex, 0, 'block 3: bad hash');
    await slot.server.adviseCorruptShare(slot.storageIndex, 7, 'is not there');
    const folder = join((slot.server as DirectoryServer).directory, 'corruption-advisories');
    const name = toBase32(slot.storageIndex);
    expect(await readdir(folder)).toEqual([`2026-11-22T083215.244--${name}-0`]);
    expect(await readFile(join(folder, `2026-11-22T083215.244--${name}-0`), 'utf8')).toBe(
      `report: Share Corruption\ntype: mutable\nstorage_index: ${name}\nshare_number: 0\n\n` +
        'block 3: bad hash\n\n',
    );
  });
});

describe('leases', () => {
  /** Expiry and stored renew secret of the lease in the 92-byte slot at `offset`. */
  function leaseAt(container: Uint8Array, offset: number) {
    const view = new DataView(container.buffer, offset);
    return { expires: view.getUint32(4), renew: container.slice(offset + 8, offset + 40) };
  }

  test('beyond the fourth follow the data, and move when it grows', async () => {
    let now = 0;
    const slot = new TestSlot(await newServer(() => now));
    await slot.hold({ 0: 'abc' });
    const others = Array.from({ length: 5 }, randomSecrets);
    for (const secrets of others) await slot.server.addLease(slot.storageIndex, secrets);
    now = 5 * DAY;
    await slot.send({ 0: write({ parts: [part(3, 'defg')] }) });
    const fifth = others[3]?.renewSecret as Uint8Array;
    const sixth = others[4] as (typeof others)[0];
    const container = await containerOf(slot, 0);
    expect(container).toHaveLength(468 + 7 + 4 + 2 * 92);
    expect(container.slice(84, 100)).toEqual(concatBytes(u64(7), u64(475)));
    expect(container.slice(475, 479)).toEqual(Uint8Array.of(0, 0, 0, 2));
    expect(leaseAt(container, 100).expires).toBe(36 * DAY);
    expect(leaseAt(container, 100 + 92).expires).toBe(31 * DAY);
    expect(leaseAt(container, 479).renew).toEqual(storedSecret(2, fifth));
    // Renewed where it is, also behind the data.
    await slot.server.addLease(slot.storageIndex, sixth);
    const renewed = await containerOf(slot, 0);
    expect(renewed).toHaveLength(container.length);
    const expected = { expires: 36 * DAY, renew: storedSecret(2, sixth.renewSecret) };
    expect(leaseAt(renewed, 479 + 92)).toEqual(expected);
    expect(await temporaryFiles(slot)).toEqual([]);
  });

  test('are not shortened by a clock that went back', async () => {
    let now = 50 * DAY;
    const slot = new TestSlot(await newServer(() => now));
    await slot.hold({ 0: 'abc' });
    now = 10 * DAY;
    await slot.server.addLease(slot.storageIndex, slot.secrets);
    expect(leaseAt(await containerOf(slot, 0), 100).expires).toBe(81 * DAY);
  });

  test('in the header are renewed without rewriting the share', async () => {
    let now = 0;
    const slot = new TestSlot(await newServer(() => now));
    await slot.hold({ 0: 'abc' });
    const before = await containerOf(slot, 0);
    const file = await open(pathOf(slot, 0));
    now = DAY;
    await slot.server.addLease(slot.storageIndex, slot.secrets);
    const after = await containerOf(slot, 0);
    expect(leaseAt(after, 100).expires).toBe(32 * DAY);
    expect(after.slice(108)).toEqual(before.slice(108));
    expect((await file.stat()).nlink).toBe(1);
    await file.close();
  });
});

describe('shares from before MDMF (container version 1)', () => {
  const containers = Object.entries(legacy.containers_base64).map(
    ([shnum, text]) => [Number(shnum), Uint8Array.from(Buffer.from(text, 'base64'))] as const,
  );

  async function withLegacyShares(): Promise<TestSlot> {
    const slot = new TestSlot(await newServer());
    for (const [shnum, bytes] of containers) await plant(slot, shnum, bytes);
    return slot;
  }

  test('are read, and stay as they are', async () => {
    const slot = await withLegacyShares();
    const numbers = containers.map(([shnum]) => shnum);
    expect(await slot.server.listShares(slot.storageIndex)).toEqual(numbers);
    for (const [shnum, bytes] of containers) {
      const length = Number(new DataView(bytes.buffer).getBigUint64(84));
      expect(length).toBe(2044);
      expect(await slot.server.readShare(slot.storageIndex, shnum, EVERYTHING)).toEqual(
        bytes.slice(468, 468 + length),
      );
    }
    await expect(slot.send({}, [EVERYTHING])).rejects.toThrowError(new BadWriteEnablerError('d0'));
    for (const [shnum, bytes] of containers) expect(await containerOf(slot, shnum)).toEqual(bytes);
  });

  test('stay version 1 when written, with lease secrets in clear', async () => {
    const slot = await withLegacyShares();
    const [shnum, before] = containers[2] as (typeof containers)[0];
    // All containers of the slot were created on one server, but each has its own write enabler.
    for (const [other] of containers) if (other !== shnum) await rm(pathOf(slot, other));
    slot.secrets.writeEnabler.set(before.subarray(52, 84));
    const change = write({ parts: [part(0, '\0new')], newLength: 10 });
    expect((await slot.send({ [shnum]: change, 200: change })).wrote).toBe(true);
    const after = await containerOf(slot, shnum);
    expect(after.slice(0, 84)).toEqual(before.slice(0, 84));
    expect(after.slice(84, 100)).toEqual(concatBytes(u64(10), u64(478)));
    expect(after.slice(100, 192)).toEqual(before.slice(100, 192));
    expect(after.slice(192 + 8, 192 + 72)).toEqual(
      concatBytes(slot.secrets.renewSecret, slot.secrets.cancelSecret),
    );
    expect(after.slice(468)).toEqual(
      concatBytes(utf8('\0new'), before.slice(472, 478), new Uint8Array(4)),
    );
    expect((await containerOf(slot, 200)).slice(0, 27)).toEqual(
      utf8('Tahoe mutable container v2\n'),
    );
  });
});

describe('what a real Tahoe server leaves', () => {
  test('room behind the data is no data, and a hole there reads as zeros', async () => {
    const slot = new TestSlot(await newServer());
    await slot.hold({ 0: 'abcdefgh' });
    const container = await containerOf(slot, 0);
    container.set(u64(3), 84);
    await plant(slot, 0, container);
    expect(await slot.contents()).toEqual({ 0: 'abc' });
    await slot.send({ 0: write({ parts: [part(6, 'z')] }) });
    expect(await slot.contents()).toEqual({ 0: 'abc\0\0\0z' });
  });
});

describe('a container that is not one', () => {
  async function good(): Promise<{ slot: TestSlot; container: Uint8Array }> {
    const slot = new TestSlot(await newServer());
    await slot.hold({ 0: 'abcdefgh' });
    return { slot, container: await containerOf(slot, 0) };
  }

  const damages: Record<string, [(container: Uint8Array) => Uint8Array, string]> = {
    'no bytes': [() => new Uint8Array(), 'magic: not a mutable container'],
    'another magic': [(c) => c.fill(0x41, 30, 31), 'magic: not a mutable container'],
    'half a header': [(c) => c.slice(0, 300), 'header: truncated at 300 bytes'],
    'no room for the lease count': [
      (c) => c.slice(0, 477),
      'extra-lease offset: beyond the end of the file',
    ],
    'more data than file': [(c) => fill(c, 84, u64(13)), 'data length: beyond the end of the file'],
    'more data than numbers': [
      (c) => c.fill(0xff, 84, 92),
      'data length: beyond the end of the file',
    ],
    'leases beyond the file': [
      (c) => fill(c, 92, u64(477)),
      'extra-lease offset: beyond the end of the file',
    ],
    'leases beyond all files': [
      (c) => c.fill(0xff, 92, 100),
      'extra-lease offset: beyond the end of the file',
    ],
    'leases in the header': [
      (c) => c.fill(0, 92, 100),
      'extra-lease offset: within the header or the data',
    ],
    'leases in the data': [
      (c) => fill(c, 92, u64(475)),
      'extra-lease offset: within the header or the data',
    ],
  };

  function fill(container: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
    container.set(bytes, offset);
    return container;
  }

  test.each(Object.entries(damages))('with %s is BadContainerError', async (_, [damage, field]) => {
    const { slot, container } = await good();
    const path = await plant(slot, 0, damage(container));
    const error = new BadContainerError(path, field);
    await expect(slot.text(0)).rejects.toThrowError(error);
    await expect(slot.send({ 1: write() })).rejects.toThrowError(error);
    await expect(slot.server.addLease(slot.storageIndex, slot.secrets)).rejects.toThrowError(error);
    expect(await slot.server.listShares(slot.storageIndex)).toEqual([0]);
  });

  test('with more extra leases than it has room for can be read but not written', async () => {
    const { slot, container } = await good();
    for (const count of [1, 65_537, 0xffffffff]) {
      new DataView(container.buffer).setUint32(476, count);
      const path = await plant(slot, 0, container);
      // A sparse gigabyte makes room for millions of leases, which nobody shall allocate.
      if (count === 65_537) await truncate(path, 2 ** 30);
      expect(await slot.text(0)).toBe('abcdefgh');
      await expect(slot.send({ 0: write() })).rejects.toThrowError(
        new BadContainerError(path, `extra-lease count: ${count} do not fit the file`),
      );
    }
  });

  test('but a folder is BadContainerError too', async () => {
    const slot = new TestSlot(await newServer());
    await mkdir(pathOf(slot, 0), { recursive: true });
    const error = new BadContainerError(pathOf(slot, 0), 'a folder, not a file');
    await expect(slot.text(0)).rejects.toThrowError(error);
  });
});

describe('failures of the disk', () => {
  function refusal(code: string, syscall: string): NodeJS.ErrnoException {
    return Object.assign(new Error(`${code}: refused, ${syscall}`), { code, errno: -1, syscall });
  }

  /** What every FileHandle's methods are looked up on. */
  async function fileHandlePrototype() {
    const file = await open(temporary);
    await file.close();
    return Object.getPrototypeOf(file) as typeof file;
  }

  test.each([
    ['ENOSPC', 'write'],
    ['EIO', 'sync'],
    ['ENOSPC', 'truncate'],
  ] as const)('%s in %s leaves the old shares whole and no file behind', async (code, method) => {
    const slot = new TestSlot(await newServer());
    await slot.hold({ 0: 'zero', 1: 'one' });
    const prototype = await fileHandlePrototype();
    const real = prototype[method] as (...args: unknown[]) => Promise<never>;
    let calls = 0;
    // The first share has been staged already.
    const spy = vi.spyOn(prototype, method).mockImplementation(function (
      this: typeof prototype,
      ...args: unknown[]
    ) {
      calls += 1;
      return calls === 4 || (method === 'sync' && calls === 2)
        ? Promise.reject(refusal(code, method))
        : real.apply(this, args);
    } as never);
    const change = { parts: [part(1, 'X')] };
    try {
      await expect(slot.send({ 0: write(change), 1: write(change) })).rejects.toThrowError(
        new ServerUnavailableError('d0', `${code} in ${method}`),
      );
    } finally {
      spy.mockRestore();
    }
    expect(await slot.contents()).toEqual({ 0: 'zero', 1: 'one' });
    expect(await temporaryFiles(slot)).toEqual([]);
    expect((await slot.send({ 0: write(change) })).wrote).toBe(true);
    expect(await slot.contents()).toEqual({ 0: 'zXro', 1: 'one' });
  });

  test('a share larger than files can be is refused by name', async () => {
    const slot = new TestSlot(await newServer());
    await expect(slot.send({ 0: write({ parts: [part(2 ** 53 - 1000, 'x')] }) })).rejects.toThrow(
      /^server d0: (EFBIG|EINVAL|ENOSPC) in (write|ftruncate)$/,
    );
    expect(await slot.contents()).toEqual({});
    expect(await temporaryFiles(slot)).toEqual([]);
  });

  test('a missing folder is an unavailable server, whatever is asked', async () => {
    const folder = await newFolder();
    await rm(folder, { recursive: true });
    const slot = new TestSlot(serverOn(folder));
    const { server, storageIndex, secrets } = slot;
    const unavailable = expect.objectContaining({
      code: 'ServerUnavailableError',
      message: expect.stringMatching(/^server d0: ENOENT in \w+ of .*server-\w+/),
    });
    await expect(server.listShares(storageIndex)).rejects.toEqual(unavailable);
    await expect(server.readShare(storageIndex, 0, EVERYTHING)).rejects.toEqual(unavailable);
    await expect(slot.send({ 0: write() })).rejects.toEqual(unavailable);
    await expect(server.addLease(storageIndex, secrets)).rejects.toEqual(unavailable);
    await expect(server.adviseCorruptShare(storageIndex, 0, '')).rejects.toEqual(unavailable);
    expect(await readdir(temporary)).not.toContain(folder.slice(temporary.length + 1));
    // And a folder that comes back is a server again.
    await mkdir(folder);
    await slot.hold({ 0: 'zero' });
    expect(await slot.contents()).toEqual({ 0: 'zero' });
  });

  test('a file in the place of the folder is an unavailable server', async () => {
    const folder = join(await newFolder(), 'file');
    await writeFile(folder, '');
    const slot = new TestSlot(serverOn(folder));
    await expect(slot.server.listShares(slot.storageIndex)).rejects.toThrow(
      /^server d0: ENOTDIR in lstat/,
    );
    await expect(slot.send({ 0: write() })).rejects.toThrow(/^server d0: ENOTDIR in lstat/);
  });
});

describe('locks and temporary files', () => {
  test('a caller that waits for another process’s lock can be aborted', async () => {
    const slot = new TestSlot(await newServer());
    await slot.hold({ 0: 'zero' });
    const folder = (slot.server as DirectoryServer).directory;
    const name = toBase32(slot.storageIndex).slice(0, 2);
    const lock = await open(join(folder, 'tahoe-mutable', 'locks', name), 'a+');
    expect(tryLock(lock.fd)).toBe(true);
    const abort = new AbortController();
    const waiting = slot.send({ 0: write({ newLength: 0 }) }, [], { signal: abort.signal });
    // Readers do not wait.
    expect(await slot.contents()).toEqual({ 0: 'zero' });
    const reason = new Error('waited long enough');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const patient = slot.send({ 0: write({ parts: [part(0, 'Z')] }) });
    await lock.close();
    expect((await patient).wrote).toBe(true);
    expect(await slot.contents()).toEqual({ 0: 'Zero' });
  });

  test('the first write clears away what dead writers left, and only that', async () => {
    const folder = await newFolder();
    const temp = join(folder, 'shares/incoming/tahoe-mutable');
    const locks = join(folder, 'tahoe-mutable', 'locks');
    await mkdir(temp, { recursive: true });
    await mkdir(locks, { recursive: true });
    const random = '0123456789abcdef01234567';
    const left = ['unknown', 'aa-notes', `aa-${random}.txt`, `-${random}`, `bb-${random}`];
    const dead = [`aa-${random}`, `aa-${random.replaceAll('0', '9')}`];
    for (const name of [...left, ...dead]) await writeFile(join(temp, name), '');
    const lock = await open(join(locks, 'bb'), 'a+');
    expect(tryLock(lock.fd)).toBe(true);
    await new TestSlot(serverOn(folder)).send({ 0: write({ parts: [part(0, 'x')] }) });
    await lock.close();
    expect((await readdir(temp)).sort()).toEqual(left.sort());
  });

  test('a large share is updated without its bytes passing through this process', async () => {
    const slot = new TestSlot(await newServer());
    const megabyte = random(2 ** 20);
    const parts = Array.from({ length: 16 }, (_, i) => part(i * 2 ** 20, megabyte));
    await slot.send({ 0: write({ parts }) });
    const file = await open(pathOf(slot, 0));
    const prototype = Object.getPrototypeOf(file) as typeof file;
    await file.close();
    const reading = vi.spyOn(prototype, 'read');
    const writing = vi.spyOn(prototype, 'write');
    await slot.send({ 0: write({ parts: [part(5_000_000, 'patch')] }) });
    const sizes = (calls: unknown[][]) =>
      calls.reduce((sum, [, , length]) => sum + Number(length), 0);
    const moved = sizes(reading.mock.calls) + sizes(writing.mock.calls);
    vi.restoreAllMocks();
    expect(moved).toBeLessThan(2_000);
    expect(await slot.text(0, { offset: 4_999_999, length: 7 })).toContain('patch');
    const size = { offset: 16 * 2 ** 20 - 1, length: 9 };
    expect(await slot.server.readShare(slot.storageIndex, 0, size)).toEqual(megabyte.slice(-1));
  });
});
