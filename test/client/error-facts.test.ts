/**
 * Each class of error, thrown by whoever throws it, and the facts that it comes with: they have the
 * type that the class says (so says the compiler of this table), are JSON, and are all there is.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { concatBytes, netstring, utf8 } from '../../src/bytes.ts';
import { parseCap, storageIndexOf } from '../../src/caps.ts';
import { WalkLog } from '../../src/cli/walk-log.ts';
import { spoolInMemory } from '../../src/contents/spool.ts';
import { signingKeyFromPem } from '../../src/crypto/pem.ts';
import * as errors from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { TraceFile } from '../../src/inspector/trace-file.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import { requireInMemory } from '../../src/share/limits.ts';
import { parseHeader } from '../../src/storage/container.ts';
import { diskOf } from '../../src/storage/memory.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  holdings,
  putShare,
  shareOf,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

type Code = errors.AnyTahoeMutableError['code'];
type FactsOf<C extends Code> = Extract<errors.AnyTahoeMutableError, { code: C }>['facts'];
type Table = { readonly [C in Code]: readonly [run: () => unknown, facts: FactsOf<C>] };

const folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-facts-'));
afterAll(() => rm(folder, { recursive: true }));
const there = join(folder, 'there');
await writeFile(there, 'x\n');

const encoding = { required: 1, happy: 2, total: 3 };
const rootHash: string = expect.stringMatching(/^[0-9a-f]{64}$/);
const sha = new Uint8Array(32);

/** Whatever is not what its type says. */
const any = <T>(value: unknown) => value as T;

/** Three servers with a share each, and how they answer, once told to. */
async function small(change: (server: StorageServer) => Partial<StorageServer> = () => ({})) {
  const how = { isOdd: false };
  const wrap = (server: StorageServer) => {
    const odd = altered(server, change(server));
    return altered(server, {
      listShares: (...args) => (how.isOdd ? odd : server).listShares(...args),
      readShare: (...args) => (how.isOdd ? odd : server).readShare(...args),
      readTestWrite: (...args) => (how.isOdd ? odd : server).readTestWrite(...args),
    });
  };
  const grid = testGrid({ count: 3, encoding, wrap });
  const file = await grid.create('mdmf', bytesOf(100));
  const held = holdings(grid.servers, file.cap);
  const ids = held.map(({ server }) => server.id);
  return { ...grid, file, held, ids, how };
}

const version = (seqnum: number, size: number) =>
  ({ seqnum, rootHash, format: 'mdmf', required: 1, total: 3, size }) as const;
// The order of the servers follows from the key.
const ids = (await small()).ids as [string, string, string];
const places = ids.map((server, shnum) => ({ server, shnum }));
const settled = (status: 'good' | 'empty') => ids.map((id) => ({ id, status, failure: null }));
const gone = (id: string) => ({ kind: 'unreachable', detail: `server ${id}: gone` }) as const;
const away = async (id: string): Promise<never> => {
  throw new errors.ServerUnavailableError(id, 'gone');
};

async function directory() {
  const { grid } = testGrid({ count: 3, encoding });
  const children = [{ name: 'a', child: 'URI:LIT:ge' }];
  return { made: await grid.createDirectory({ key: testKey, children }) };
}

const table: Table = {
  MalformedCapError: [
    () => parseCap('http://x'),
    { field: 'prefix', problem: 'does not begin with "URI:"' },
  ],
  MalformedNurlError: [
    () => parseNurl('x'),
    { field: 'NURL', problem: 'is not pb://hash@host/swissnum' },
  ],
  InsufficientCapError: [
    async () => (await small()).grid.open((await small()).file.readCap).overwrite(sha),
    { operation: 'overwriting', needed: 'write', held: 'read' },
  ],
  BadArgumentError: [
    async () => (await small()).file.read(any(3)),
    { argument: 'options', problem: expect.any(String) },
  ],
  DirectoryCapError: [
    async () => (await directory()).made.file?.overwrite(sha),
    { operation: 'overwriting' },
  ],
  NoSuchChildError: [async () => (await directory()).made.get('b'), { name: 'b' }],
  ExistingChildError: [
    async () => (await directory()).made.add('a', 'URI:LIT:ge'),
    { name: 'a', kind: 'child' },
  ],
  NotADirectoryError: [
    async () => (await directory()).made.find('a/b'),
    { name: 'a', kind: 'file' },
  ],
  UnusableEntryError: [
    async () => {
      const { made } = await directory();
      const few = netstring(netstring(utf8('few')));
      await made.file?.modify((old) => concatBytes(old, few), { raw: true });
      await made.rename('few', 'many');
    },
    { name: 'few', problem: 'it has fewer than four fields' },
  ],
  OutOfRangeError: [
    async () => (await small()).file.read({ offset: 101 }),
    { argument: 'offset', value: '101', problem: 'the file has 100 bytes' },
  ],
  BadKeyError: [() => signingKeyFromPem('x'), { problem: 'it is not a PKCS#1 or PKCS#8 PEM' }],
  BadGridError: [() => new Grid({ servers: [] }), { where: 'grid', problem: 'it has no servers' }],
  BadResumeFileError: [
    () => WalkLog.open(there, { command: 'manifest', root: '', options: [] }, () => {}),
    { where: there, problem: 'is not the file of a walk' },
  ],
  BadSourceError: [
    async () => (await small()).file.overwrite({ size: 1, read: async () => any('x') }),
    { where: 'contents', problem: 'what was read is no Uint8Array' },
  ],
  TraceError: [
    () => TraceFile.open(there, () => {}),
    { where: there, problem: expect.any(String), isTaken: true },
  ],
  SpoolError: [
    async () => {
      async function* pieces() {
        yield bytesOf(9);
      }
      await spoolInMemory({ maxBytes: 8 })(pieces());
    },
    { where: 'contents', problem: expect.any(String), limit: 8 },
  ],
  SourceChangedError: [
    async () => (await small()).file.overwrite({ size: 9, read: async () => bytesOf(8) }),
    { offset: 0, wanted: 9, got: 8 },
  ],
  CorruptShareError: [
    () => parseShareHeader(new Uint8Array(0)),
    { field: 'header', problem: 'no bytes' },
  ],
  // Takes an encoder that lies: test/immutable/hazards.test.ts has one.
  BadCiphertextHashError: [
    () => {
      throw new errors.BadCiphertextHashError(3);
    },
    { segnum: 3 },
  ],
  BeyondLimitError: [
    () => requireInMemory(2 ** 40),
    { what: 'bytes in memory', value: 2 ** 40, limit: 2 ** 32 - 1 },
  ],
  UnknownVersionError: [() => parseShareHeader(Uint8Array.of(7)), { version: 7 }],
  BadContainerError: [
    () => parseHeader(new Uint8Array(468), 468, 'x'),
    { where: 'x', problem: 'magic: not a mutable container' },
  ],
  BadWriteEnablerError: [
    async () => {
      const { file, held } = await small();
      const secrets = { writeEnabler: sha, renewSecret: sha, cancelSecret: sha };
      const request = { secrets, shares: new Map(), reads: [] };
      await held[0]?.server.readTestWrite(storageIndexOf(file.cap), request);
    },
    { server: ids[0] },
  ],
  NoSuchShareError: [
    async () => {
      const { file, held } = await small();
      const range = { offset: 0, length: 1 };
      await held[0]?.server.readShare(storageIndexOf(file.cap), 9, range);
    },
    { server: ids[0], shnum: 9 },
  ],
  ServerUnavailableError: [() => away('s'), { server: 's', problem: 'gone' }],
  // Takes a wire that breaks: test/storage/failures.test.ts has one.
  AnswerLostError: [
    () => {
      throw new errors.AnswerLostError('s', 'connection reset');
    },
    { server: 's', problem: 'connection reset' },
  ],
  UnrecoverableFileError: [
    async () => {
      const { file } = await small();
      return testGrid({ count: 3 }).grid.open(file.readCap).read();
    },
    { seen: [], bad: 0, unread: [], servers: settled('empty') },
  ],
  VersionUnavailableError: [
    async () => (await small()).file.read({ version: { seqnum: 7 } }),
    {
      wanted: { seqnum: 7 },
      seen: [{ ...version(1, 100), shares: 3 }],
      servers: settled('good'),
    },
  ],
  NotEnoughSharesError: [
    async () => {
      const { file, held, another } = await small();
      // A byte of the only block, of every share.
      for (const { server, shnum } of held) {
        const { length } = shareOf({ server, shnum }, file.cap);
        const index = storageIndexOf(file.cap);
        for (let at = 2167; at < length; at += 50) {
          diskOf(server).overwriteShare(index, shnum, at, Uint8Array.of(1, 2, 3));
        }
      }
      await another({ headLength: 123 }).open(file.readCap).read();
    },
    {
      seqnum: 1,
      required: 1,
      lost: [
        {
          ...{ server: ids[2], shnum: 2, status: 'corrupt' },
          failure: {
            kind: 'corrupt',
            detail: 'corrupt share: block hash tree: node 0: contradicts the hash already here',
          },
        },
      ],
      recoverable: false,
    },
  ],
  NotEnoughServersError: [
    async () => {
      const { file, how } = await small(({ id }) =>
        id === ids[0] ? {} : { readTestWrite: () => away(id) },
      );
      how.isOdd = true;
      await file.overwrite(bytesOf(9));
    },
    {
      ...{ seqnum: 2, quorum: 2, placed: places.slice(0, 1), missing: [1, 2], surprises: [] },
      failures: ids.slice(1).map(gone),
      unheard: [],
    },
  ],
  UncoordinatedWriteError: [
    async () => {
      let meanwhile: Promise<unknown> | undefined;
      const { another, file, how } = await small((server) => ({
        readTestWrite: async (...args) => {
          // By then each server has been sent to.
          meanwhile ??= Promise.resolve().then(() => {
            how.isOdd = false;
            return another().open(file.writeCap).overwrite(bytesOf(5, 2));
          });
          await meanwhile;
          return server.readTestWrite(...args);
        },
      }));
      how.isOdd = true;
      await file.overwrite(bytesOf(9));
    },
    {
      ...{ seqnum: 2, quorum: 2, placed: [], missing: [0, 1, 2], failures: [], attempts: 1 },
      unheard: [],
      surprises: places.map((place) => ({ ...place, found: expect.stringMatching(/^[0-9a-f]+$/) })),
    },
  ],
  VersionChangedError: [
    async () => {
      const { file } = await small();
      const { version: base } = await file.stat();
      await file.overwrite(bytesOf(5, 2));
      await file.overwrite(bytesOf(9), { base });
    },
    { expected: { seqnum: 1, rootHash }, found: version(2, 5) },
  ],
  FileExistsError: [async () => (await small()).create('mdmf'), { placed: [], shares: places }],
  IndeterminateWriteError: [
    async () => {
      const { file, how } = await small((server) => ({
        readTestWrite: async (...args) => {
          const answer = await server.readTestWrite(...args);
          if (server.id === ids[0]) return answer;
          throw new errors.AnswerLostError(server.id, 'gone');
        },
        readShare: (...args) =>
          server.id === ids[0] ? server.readShare(...args) : away(server.id),
      }));
      // It has been read meanwhile, so that nobody is asked before the write.
      await file.overwrite(bytesOf(5));
      how.isOdd = true;
      await file.overwrite(bytesOf(9));
    },
    {
      ...{ seqnum: 3, quorum: 2, missing: [2], surprises: [], unheard: [] },
      placed: [0, 1].map((shnum) => ({ server: ids[0], shnum })),
      failures: expect.any(Array),
    },
  ],
  NewerVersionSeenError: [
    async () => {
      const { file, held } = await small();
      const old = held.map((it) => shareOf(it, file.cap));
      await file.overwrite(bytesOf(5, 2));
      await file.modify(() => undefined);
      for (const [i, { server, shnum }] of held.entries()) {
        await putShare(server, file.cap, shnum, old[i] as Uint8Array);
      }
      await file.overwrite(bytesOf(9));
    },
    {
      newer: [version(2, 5)],
      silent: [],
      seen: [version(1, 100)],
      servers: settled('good'),
    },
  ],
  NotRepairableError: [
    async () => {
      const cap = `URI:CHK:${'a'.repeat(26)}:${'a'.repeat(52)}:1:2:56`;
      await (await small()).grid.openImmutable(cap).repair();
    },
    { what: 'an immutable file' },
  ],
  GridClosedError: [
    async () => {
      const { grid, file } = await small();
      const reading = file.read();
      grid.close();
      await reading;
    },
    {},
  ],
  MissingPrivateKeyError: [
    async () => {
      const { file, held, another } = await small();
      for (const { server, shnum } of held) {
        const share = shareOf({ server, shnum }, file.cap);
        const at = Number(new DataView(share.buffer).getBigUint64(59)) + 77;
        diskOf(server).overwriteShare(storageIndexOf(file.cap), shnum, at, new Uint8Array(4));
      }
      await another().open(file.writeCap).overwrite(bytesOf(9));
    },
    { versions: [version(1, 100)], servers: settled('good') },
  ],
  WrongFormatError: [
    async () => {
      const { file, another } = await small();
      await another().open(file.writeCap.replace('MDMF', 'SSK')).overwrite(bytesOf(9));
    },
    { cap: 'sdmf', file: 'mdmf' },
  ],
};

test.each(Object.entries(table))('the facts of a %s', async (code, [run, facts]) => {
  const error = await Promise.resolve()
    .then(run)
    .catch((thrown: unknown) => thrown);
  if (!errors.isTahoeMutableError(error)) throw error;
  expect([error.code, error.facts]).toEqual([code, facts]);
  expect(JSON.parse(JSON.stringify(error.facts))).toStrictEqual(error.facts);
});

test('every class is in the table, and so in the union that one can switch over', () => {
  const { TahoeMutableError, TypedError, ...rest } = errors;
  const classes = Object.values(rest).filter((it) => it.prototype instanceof TypedError);
  expect(classes.map(({ name }) => name).sort()).toEqual(Object.keys(table).sort());
  expect(TypedError.prototype).toBeInstanceOf(TahoeMutableError);
});

test('an error of another copy, or another realm, is one of ours; what looks like one is not', () => {
  const { isTahoeMutableError } = errors;
  const elsewhere = runInContext(
    `class Other extends Error {
       get [Symbol.for('tahoe-mutable.error')]() { return true; }
     }
     new Other('x')`,
    createContext({}),
  );
  expect(elsewhere instanceof Error).toBe(false);
  expect([elsewhere, new errors.GridClosedError()].map(isTahoeMutableError)).toEqual([true, true]);
  const others = [new Error('x'), { code: 'GridClosedError', facts: {} }, null, undefined, 'x', 3];
  expect(others.filter(isTahoeMutableError)).toEqual([]);
});
