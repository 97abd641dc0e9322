/** What no server would take is refused by all backends alike, before anything is asked. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { OutOfRangeError } from '../../src/errors.ts';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { FetchServer } from '../../src/storage/fetch.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { IndexedDbServer } from '../../src/storage/indexeddb.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import type { CallOptions, ReadTestWriteRequest, StorageServer } from '../../src/storage/server.ts';
import { fakeIndexedDb } from '../support/fake-browser.ts';
import { HttpStorage } from '../support/http-storage.ts';
import { EVERYTHING, part, random, randomSecrets, write } from '../support/test-slot.ts';

fakeIndexedDb();

const index = random(16);
const secrets = randomSecrets();
const request = (changes: Partial<ReadTestWriteRequest> = {}): ReadTestWriteRequest => ({
  secrets,
  shares: new Map([[0, write({ parts: [part(0, 'zero')] })]]),
  reads: [],
  ...changes,
});

type Call = (server: StorageServer, options?: CallOptions) => Promise<unknown>;

const INDEX = 'storage index length 15: must be 16 bytes';
const natural = (what: string) => `${what}: must be a whole number from 0 to 2^53-1`;

/** Where two arguments are bad, the first is named. */
const refusals: readonly (readonly [name: string, error: string, call: Call])[] = [
  ['listShares', INDEX, (server, options) => server.listShares(random(15), options)],
  ['readShare', INDEX, (server, options) => server.readShare(random(15), -1, EVERYTHING, options)],
  [
    'readShare',
    natural('share number -1'),
    (server, options) => server.readShare(index, -1, { offset: -1, length: 1 }, options),
  ],
  [
    'readShare',
    natural('offset -1'),
    (server, options) => server.readShare(index, 0, { offset: -1, length: -1 }, options),
  ],
  [
    'readShare',
    'room 2: the range has 3 bytes',
    (server, options) =>
      server.readShare(index, 0, { offset: 0, length: 3 }, { ...options, into: random(2) }),
  ],
  [
    'readTestWrite',
    INDEX,
    (server, options) =>
      server.readTestWrite(
        random(15),
        request({ secrets: { ...secrets, writeEnabler: random(31) } }),
        options,
      ),
  ],
  [
    'readTestWrite',
    'write enabler length 31: must be 32 bytes',
    (server, options) =>
      server.readTestWrite(
        index,
        request({ secrets: { ...secrets, writeEnabler: random(31), renewSecret: random(31) } }),
        options,
      ),
  ],
  [
    'readTestWrite',
    'reads of one request 31: must be at most 30',
    (server, options) =>
      server.readTestWrite(index, request({ reads: Array(31).fill(EVERYTHING) }), options),
  ],
  [
    'readTestWrite',
    natural('share number 0.5'),
    (server, options) =>
      server.readTestWrite(index, request({ shares: new Map([[0.5, write()]]) }), options),
  ],
  [
    'addLease',
    INDEX,
    (server, options) =>
      server.addLease(random(15), { ...secrets, renewSecret: random(31) }, options),
  ],
  [
    'addLease',
    'cancel secret length 33: must be 32 bytes',
    (server, options) => server.addLease(index, { ...secrets, cancelSecret: random(33) }, options),
  ],
  [
    'adviseCorruptShare',
    INDEX,
    (server, options) => server.adviseCorruptShare(random(15), -1, 'bad hash', options),
  ],
  [
    'adviseCorruptShare',
    natural('share number -1'),
    (server, options) => server.adviseCorruptShare(index, -1, 'bad hash', options),
  ],
];

const seeds = { tubId: new Uint8Array(20), permutationSeed: utf8('seed') };

let temporary: string;
let storage: HttpStorage;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'tahoe-mutable-checked-'));
  storage = await HttpStorage.start(new MemoryServer({ id: 'behind' }));
});
afterAll(async () => {
  await storage.stop();
  await rm(temporary, { recursive: true, force: true });
});

/** Each with what it was asked or has opened so far. */
const backends: Readonly<Record<string, () => readonly [StorageServer, () => unknown]>> = {
  memory: () => {
    const server = new MemoryServer({ id: 's0' });
    return [server, () => [diskOf(server).slots, diskOf(server).advisories]];
  },
  directory: () => {
    const directory = join(temporary, 'missing');
    const server = new DirectoryServer({ id: 's0', nickname: 'a folder', ...seeds, directory });
    return [server, () => existsSync(directory)];
  },
  http: () => {
    const nurls = [parseNurl(storage.nurl)];
    const server = new HttpServer({ id: 's0', ...seeds, nurls });
    return [server, () => [server.status, [...storage.requests]]];
  },
  fetch: () => {
    let asked = 0;
    const fetch = async () => {
      asked += 1;
      return new Response();
    };
    const server = new FetchServer({ id: 's0', ...seeds, url: 'https://relay.test', fetch });
    return [server, () => [server.status, asked]];
  },
  indexeddb: () => {
    const server = new IndexedDbServer({ id: 's0' });
    return [server, () => indexedDB.databases()];
  },
};

describe.each(Object.entries(backends))('%s refuses what no server would take', (_, make) => {
  test.each(refusals)('%s: %s', async (_, message, call) => {
    const [server, touched] = make();
    const before = await touched();
    const refusal = (made: Promise<unknown>) => made.catch((error: unknown) => error);
    // Closed, or with a caller who has given up: the argument is bad all the same.
    const errors = [await refusal(call(server))];
    errors.push(await refusal(call(server, { signal: AbortSignal.abort() })));
    server.close?.();
    errors.push(await refusal(call(server)));
    for (const error of errors) {
      expect(error).toBeInstanceOf(OutOfRangeError);
      expect((error as OutOfRangeError).message).toBe(message);
    }
    expect(await touched()).toEqual(before);
  });
});
