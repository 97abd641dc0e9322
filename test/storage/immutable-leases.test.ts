/**
 * Leases on the containers of immutable shares in a folder, byte by byte.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { concatBytes, toBase32, utf8, viewOf } from '../../src/bytes.ts';
import { BadContainerError } from '../../src/errors.ts';
import { storedSecret } from '../../src/storage/container.ts';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { immutableContainer } from '../support/immutable-contract.ts';
import { EVERYTHING, random, randomSecrets } from '../support/test-slot.ts';

const index = random(16);
const data = utf8('0123456789');

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tahoe-mutable-immutable-leases-'));
});
afterEach(() => rm(directory, { recursive: true }));

function newServer(now = () => 0): DirectoryServer {
  const tubId = new Uint8Array(20);
  const id = { id: 'd0', nickname: 'a folder', tubId, permutationSeed: utf8('seed') };
  return new DirectoryServer({ ...id, directory, now });
}

/** Puts a share where Tahoe's uploader would. */
async function place(container: Uint8Array): Promise<string> {
  const name = toBase32(index);
  const path = join(directory, 'shares', name.slice(0, 2), name, '0');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, container);
  return path;
}

test.each([1, 2] as const)(
  'a share of an immutable file, of version %i, gets a lease, which is renewed in place',
  async (version) => {
    let now = 1000;
    const server = newServer(() => now);
    const container = immutableContainer(data, version, 1);
    const path = await place(container);
    await chmod(path, 0o640);
    const secrets = randomSecrets();
    const lease = (expires: number) => {
      const numbers = new Uint8Array(8);
      viewOf(numbers).setUint32(0, 1);
      viewOf(numbers).setUint32(4, expires);
      const [renew, cancel] = [secrets.renewSecret, secrets.cancelSecret].map((secret) =>
        storedSecret(version, secret),
      ) as [Uint8Array, Uint8Array];
      return concatBytes(numbers.subarray(0, 4), renew, cancel, numbers.subarray(4));
    };
    const counting = container.slice();
    viewOf(counting).setUint32(8, 2);
    const days31 = 31 * 24 * 60 * 60;
    expect(await server.addLease(index, secrets)).toBe(true);
    const first = await stat(path);
    expect(first.mode & 0o777).toBe(0o640);
    expect(Uint8Array.from(await readFile(path))).toEqual(
      concatBytes(counting, lease(1000 + days31)),
    );
    now = 2000;
    await server.addLease(index, secrets);
    expect(Uint8Array.from(await readFile(path))).toEqual(
      concatBytes(counting, lease(2000 + days31)),
    );
    expect((await stat(path)).ino).toBe(first.ino);
    now = 1500;
    await server.addLease(index, secrets);
    expect(Uint8Array.from(await readFile(path))).toEqual(
      concatBytes(counting, lease(2000 + days31)),
    );
    const { immutable } = server;
    expect(await immutable.readShare(index, 0, EVERYTHING)).toEqual(data);
  },
);

test('a share with more leases than a grid has clients gets none', async () => {
  const server = newServer();
  const count = 65_537;
  const path = await place(immutableContainer(data, 2, count));
  await expect(server.addLease(index, randomSecrets())).rejects.toThrowError(
    new BadContainerError(path, `leases: ${count} are too many`),
  );
});
