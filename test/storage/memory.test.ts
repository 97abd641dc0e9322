import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { toBase32, utf8 } from '../../src/bytes.ts';
import { NoSuchShareError, ServerUnavailableError } from '../../src/errors.ts';
import { storedSecret } from '../../src/storage/container.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import { immutableSharesContract } from '../support/immutable-contract.ts';
import { storageServerContract } from '../support/storage-contract.ts';
import { part, random, randomSecrets, TestSlot, write } from '../support/test-slot.ts';

storageServerContract('memory', async () => ({ server: new MemoryServer({ id: 'm0' }) }));

immutableSharesContract('memory', async () => {
  const server = new MemoryServer({ id: 'm0' });
  return { server, place: async (...share) => diskOf(server).setImmutable(...share) };
});

const DAY = 24 * 60 * 60;

test('tells servers apart that were given nothing but an id', () => {
  const [a, b] = [new MemoryServer({ id: 'a' }), new MemoryServer({ id: 'b' })];
  expect(a.nickname).toBe('a');
  expect(a.permutationSeed).toEqual(utf8('a'));
  expect(a.tubId).toHaveLength(20);
  expect(a.tubId).not.toEqual(b.tubId);
});

test('shows a test what it holds', async () => {
  const server = new MemoryServer({ id: 'm0' });
  const disk = diskOf(server);
  const slot = new TestSlot(server);
  await slot.hold({ 4: 'four', 2: 'two' });
  expect(disk.slots).toEqual([toBase32(slot.storageIndex)]);
  expect(disk.sharesOf(slot.storageIndex)).toEqual([2, 4]);
  expect(disk.shareBytes(slot.storageIndex, 4)).toEqual(utf8('four'));
  expect(disk.shareBytes(slot.storageIndex, 5)).toBe(undefined);
});

test('keeps one lease per renew secret on the shares that a write names', async () => {
  let now = 1_000;
  const server = new MemoryServer({ id: 'm0', now: () => now });
  const disk = diskOf(server);
  const slot = new TestSlot(server);
  await slot.hold({ 0: 'zero', 1: 'one' });
  now += 0.9 + 5 * DAY;
  await slot.send({ 1: write({ parts: [part(0, 'O')] }) });
  const expiries = (shnum: number) =>
    disk.leasesOf(slot.storageIndex, shnum).map(({ expires }) => expires);
  expect(expiries(0)).toEqual([1_000 + 31 * DAY]);
  expect(expiries(1)).toEqual([1_000 + 36 * DAY]);
  const other = randomSecrets();
  await server.addLease(slot.storageIndex, other);
  expect(expiries(0)).toEqual([1_000 + 31 * DAY, 1_000 + 36 * DAY]);
  expect(disk.leasesOf(slot.storageIndex, 0)[1]).toEqual({
    owner: 1,
    expires: 1_000 + 36 * DAY,
    renew: storedSecret(2, other.renewSecret),
    cancel: storedSecret(2, other.cancelSecret),
    nodeId: server.tubId,
  });
});

test('a failed test renews no lease', async () => {
  let now = 0;
  const server = new MemoryServer({ id: 'm0', now: () => now });
  const slot = new TestSlot(server);
  await slot.hold({ 0: 'zero' });
  now = 9 * DAY;
  await slot.send({ 0: write({ tests: [{ offset: 0, length: 1, specimen: utf8('x') }] }) });
  expect(
    diskOf(server)
      .leasesOf(slot.storageIndex, 0)
      .map(({ expires }) => expires),
  ).toEqual([31 * DAY]);
});

test('remembers advisories about shares that it holds', async () => {
  const server = new MemoryServer({ id: 'm0' });
  const slot = new TestSlot(server);
  await slot.hold({ 0: 'zero' });
  await server.adviseCorruptShare(slot.storageIndex, 0, 'rotten');
  await server.adviseCorruptShare(slot.storageIndex, 1, 'gone');
  expect(diskOf(server).advisories).toEqual([
    { storageIndex: slot.storageIndex, shnum: 0, reason: 'rotten' },
  ]);
});

test('lets a test lose shares and flip bytes', async () => {
  const server = new MemoryServer({ id: 'm0' });
  const disk = diskOf(server);
  const slot = new TestSlot(server);
  await slot.hold({ 0: 'zero', 1: 'one' });
  disk.overwriteShare(slot.storageIndex, 0, 1, utf8('EROES'));
  disk.overwriteShare(slot.storageIndex, 0, 9, utf8('beyond'));
  expect(await slot.contents()).toEqual({ 0: 'zERO', 1: 'one' });
  disk.deleteShare(slot.storageIndex, 0);
  expect(await slot.contents()).toEqual({ 1: 'one' });
  disk.deleteShare(slot.storageIndex, 1);
  expect(disk.slots).toEqual([]);
  expect(() => disk.overwriteShare(slot.storageIndex, 1, 0, utf8('x'))).toThrowError(
    new NoSuchShareError('m0', 1),
  );
});

test('a share lost while a write was under way stays lost unless it was named', async () => {
  const server = new MemoryServer({ id: 'm0' });
  const slot = new TestSlot(server);
  await slot.hold({ 0: 'zero', 1: 'one' });
  const loses = {
    offset: 0,
    length: 1,
    bytes: async () => {
      diskOf(server).deleteShare(slot.storageIndex, 1);
      return utf8('Z');
    },
  };
  await slot.send({ 0: write({ parts: [loses] }) });
  expect(await slot.contents()).toEqual({ 0: 'Zero' });
});

test('a share that no memory could hold is refused like one that fits no disk', async () => {
  const server = new MemoryServer({ id: 'm0' });
  const slot = new TestSlot(server);
  await expect(slot.send({ 0: write({ parts: [part(2 ** 50, 'x')] }) })).rejects.toThrowError(
    new ServerUnavailableError('m0', `no memory for ${2 ** 50 + 1} bytes`),
  );
  expect(diskOf(server).slots).toEqual([]);
});

test('copies what it is given', async () => {
  const server = new MemoryServer({ id: 'm0' });
  const slot = new TestSlot(server);
  const bytes = random(8);
  const before = bytes.slice();
  await slot.send({ 0: write({ parts: [part(0, bytes)] }) });
  bytes.fill(0);
  slot.secrets.writeEnabler.copyWithin(0, 16);
  expect(diskOf(server).shareBytes(slot.storageIndex, 0)).toEqual(before);
  await expect(slot.send({})).rejects.toMatchObject({ code: 'BadWriteEnablerError' });
});

test('needs nothing of Node, so that it runs in a browser', async () => {
  const seen = new Set<string>();
  const foreign = new Set<string>();
  const follow = async (module: URL): Promise<void> => {
    if (seen.has(module.href)) return;
    seen.add(module.href);
    const all = await readFile(module, 'utf8');
    const source = all.replace(/^(?:import|export) type [^;]*;$/gm, '');
    for (const [, name = ''] of source.matchAll(/^(?:import|export|\}) .*?from '(.+)';$/gm)) {
      if (name.startsWith('.')) await follow(new URL(name, module));
      else foreign.add(name);
    }
  };
  await follow(new URL('../../src/storage/memory.ts', import.meta.url));
  expect([...seen].some((href) => href.endsWith('/src/storage/container.ts'))).toBe(true);
  const portable = ['#crypto', '@noble/hashes/blake2.js', '@noble/hashes/utils.js'];
  expect([...foreign].sort()).toEqual(portable);
});

test('many callers with one signal cause no warning', async () => {
  const slot = new TestSlot(new MemoryServer({ id: 'm0' }));
  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on('warning', listen);
  const { signal } = new AbortController();
  const slots = Array.from({ length: 40 }, () => new TestSlot(slot.server));
  await Promise.all(slots.map((each) => each.send({ 0: write() }, [], { signal })));
  // Warnings are told in the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(warnings).toEqual([]);
});
