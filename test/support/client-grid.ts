/**
 * @module client-grid: grids in memory for tests of the client, and servers that misbehave.
 *
 * Every grid is its own, so that all files can share one key: making one takes a tenth of a second.
 */
import { createPrivateKey } from 'node:crypto';
import { expect } from 'vitest';
import type { SimulatedClock } from 'xstate';
import { primitives } from '#crypto';
import { type Cap, storageIndexOf, type WriteCap } from '../../src/caps.ts';
import type { Contents } from '../../src/contents/contents.ts';
import { deriveWriteEnabler } from '../../src/crypto/keys.ts';
import type { Primitives, SigningKey } from '../../src/crypto/primitives.ts';
import type { Encoding } from '../../src/encoding.ts';
import { Grid, type GridOptions, type InternalGridOptions } from '../../src/grid.ts';
import { withHidden } from '../../src/hidden.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { importVerifyingKey } from '../../src/simulation/platform.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import type { ReadTestWriteRequest, ShareWrite, StorageServer } from '../../src/storage/server.ts';
import { turnsUnderWay } from '../../src/turn.ts';
import { golden } from './shares.ts';

/** RSA runs in Node's thread pool; until it is back, nothing is at rest. */
let threadsBusy = 0;

async function counted<T>(work: Promise<T>): Promise<T> {
  threadsBusy++;
  return work.finally(() => threadsBusy--);
}

/** Node's, counted; all shares of a version carry one signature, which is verified once. */
const watched: Primitives = {
  ...primitives,
  importSigningKey: async (pkcs8) => {
    const key = await primitives.importSigningKey(pkcs8);
    const sign: SigningKey['sign'] = (...asked) => counted(key.sign(...asked));
    return withHidden({ spki: key.spki, sign }, 'pkcs8', key.pkcs8);
  },
  importVerifyingKey: async (spki) => {
    const key = await importVerifyingKey(spki);
    return { verify: (message, signature) => counted(key.verify(message, signature)) };
  },
};

/** The key of the golden vectors. */
export const testKey: SigningKey = await watched.importSigningKey(golden.pkcs8);

/** The same, as `--private-key` takes it. */
export function testPem(): string {
  const der = { key: Buffer.from(testKey.pkcs8), format: 'der', type: 'pkcs8' } as const;
  return createPrivateKey(der).export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Servers `s0` … in memory. */
export function memoryServers(count: number): MemoryServer[] {
  return Array.from({ length: count }, (_, i) => new MemoryServer({ id: `s${i}` }));
}

/** `length` bytes that differ from place to place and, with another `seed`, from each other. */
export function bytesOf(length: number, seed = 1): Uint8Array {
  const out = new Uint8Array(length);
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state;
  }
  return out;
}

/** Compares large contents, which `toEqual` takes long over. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  expect({ length: actual.length, differsAt: at }).toEqual({ length: expected.length });
}

export interface TestGrid {
  readonly grid: Grid;
  readonly servers: readonly MemoryServer[];
  /** With {@link testKey}. Its next write has to ask who holds what: see {@link forgetful}. */
  create(format: 'sdmf' | 'mdmf', contents?: Contents): Promise<MutableFile>;
  /** Another client of the same servers. */
  another(options?: Partial<GridOptions>): Grid;
}

/** A grid of `count` servers in memory, 13 by default; `wrap` puts something around each. */
export function testGrid(
  options: Partial<GridOptions> & {
    readonly count?: number;
    readonly wrap?: (server: MemoryServer, index: number) => StorageServer;
  } = {},
): TestGrid {
  const { count = 13, wrap = (server) => server, ...rest } = options;
  const memory = memoryServers(count);
  const servers = memory.map(wrap);
  const gridWith = (more?: Partial<GridOptions>): Grid => {
    const all: InternalGridOptions = { primitives: watched, servers, ...rest, ...more };
    return new Grid(all);
  };
  const grid = gridWith();
  return {
    grid,
    servers: memory,
    create: async (format, contents = new Uint8Array(0)) =>
      forgetful(await grid.create({ format, contents, key: testKey })),
    another: gridWith,
  };
}

/** `file`, which does not remember how its last write left the servers. */
export async function forgetful(file: MutableFile): Promise<MutableFile> {
  await file.modify(() => undefined);
  return file;
}

/** The request as it is on the wire: nobody is asked for its bytes any more. */
export async function withBytes({
  shares,
  ...rest
}: ReadTestWriteRequest): Promise<ReadTestWriteRequest> {
  const all = [...shares].map(async ([shnum, { parts, ...write }]) => {
    const made = parts.map(async ({ offset, length, bytes }) => {
      const kept = (await bytes()).slice();
      return { offset, length, bytes: async () => kept };
    });
    return [shnum, { ...write, parts: await Promise.all(made) }] as const;
  });
  return { ...rest, shares: new Map(await Promise.all(all)) };
}

/** `server` with some of its methods replaced. */
export function altered(server: StorageServer, changes: Partial<StorageServer>): StorageServer {
  const { id, nickname, tubId, permutationSeed, isFar } = server;
  return {
    id,
    nickname,
    tubId,
    permutationSeed,
    isFar,
    listShares: (...args) => server.listShares(...args),
    readShare: (...args) => server.readShare(...args),
    readTestWrite: (...args) => server.readTestWrite(...args),
    addLease: (...args) => server.addLease(...args),
    adviseCorruptShare: (...args) => server.adviseCorruptShare(...args),
    ...changes,
  };
}

/** A share on a server in memory. */
export interface Held {
  readonly server: MemoryServer;
  readonly shnum: number;
}

/** Every share of the file, by share number, then by place in the list of servers. */
export function holdings(servers: readonly MemoryServer[], cap: Cap): Held[] {
  const index = storageIndexOf(cap);
  return servers
    .flatMap((server) =>
      diskOf(server)
        .sharesOf(index)
        .map((shnum) => ({ server, shnum })),
    )
    .sort((a, b) => a.shnum - b.shnum);
}

/** The bytes of a share that must be there. */
export function shareOf({ server, shnum }: Held, cap: Cap): Uint8Array {
  const bytes = diskOf(server).shareBytes(storageIndexOf(cap), shnum);
  if (bytes === undefined) throw new Error(`no share ${shnum} on ${server.id}`);
  return bytes;
}

/** Puts a share on a server, whole, as its owner could: whatever is there is replaced. */
export async function putShare(
  server: StorageServer,
  cap: Cap,
  shnum: number,
  bytes: Uint8Array,
): Promise<void> {
  const part = { offset: 0, length: bytes.length, bytes: async () => bytes };
  const send = async (write: Partial<ShareWrite>) => {
    const shares = new Map([[shnum, { tests: [], parts: [], newLength: null, ...write }]]);
    const secrets = secretsOf(cap, server);
    await server.readTestWrite(storageIndexOf(cap), { secrets, shares, reads: [] });
  };
  // A new length of 0 deletes the share; nothing shortens one to no bytes but making it anew.
  await send({ newLength: 0 });
  await send({ parts: [part] });
}

function secretsOf(cap: Cap, { tubId }: StorageServer) {
  const writeEnabler = deriveWriteEnabler((cap as WriteCap).writekey, tubId);
  return { writeEnabler, renewSecret: new Uint8Array(32), cancelSecret: new Uint8Array(32) };
}

/** The shares, by number, of the last of these versions of a file with the test key. */
export async function sharesMade(
  format: 'sdmf' | 'mdmf',
  encoding: Encoding,
  ...[first, ...later]: readonly [Uint8Array, ...Uint8Array[]]
): Promise<readonly Uint8Array[]> {
  const { create, servers } = testGrid({ count: encoding.total, encoding });
  const file = await create(format, first);
  for (const contents of later) await file.overwrite(contents);
  return holdings(servers, file.cap).map((held) => shareOf(held, file.cap));
}

/** Resolves when nothing that is ready, signed, verified or loaded is left to wait for. */
export async function atRest(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (threadsBusy > 0 || turnsUnderWay() > 0);
}

/** Long enough for everything to have happened that waits for nothing outside of this process. */
export async function manyTurns(): Promise<void> {
  for (let i = 0; i < 60; i++) await atRest();
}

/**
 * Lets the time of `clock` pass, step by step, until `work` is settled.
 * @returns the time when it was, in milliseconds
 */
export async function passTime(
  clock: SimulatedClock,
  work: Promise<unknown>,
  stepMs = 1000,
): Promise<number> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  work.then(settle, settle);
  await manyTurns();
  while (!isSettled) {
    clock.increment(stepMs);
    await manyTurns();
  }
  return clock.now();
}
