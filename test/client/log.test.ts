/** What a grid tells its log: what happened, by whom, and never a secret. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { bytesToHex, utf8 } from '../../src/bytes.ts';
import { readkeyOf, storageIndexOf, type WriteCap } from '../../src/caps.ts';
import { deriveWriteEnabler } from '../../src/crypto/keys.ts';
import { deriveLeaseSecrets } from '../../src/crypto/leases.ts';
import { NotEnoughServersError, ServerUnavailableError } from '../../src/errors.ts';
import type { Log } from '../../src/log.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { diskOf } from '../../src/storage/memory.ts';
import { altered, bytesOf, holdings, testGrid, testKey } from '../support/client-grid.ts';
import { leaksIn, shown } from '../support/secret-search.ts';

const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

type Line = readonly [level: string, message: string, facts: Record<string, unknown>];

/** Like pino's: its methods need their `this`. */
class Lines implements Log {
  readonly all: Line[] = [];
  debug = this.#keep('debug');
  info(facts: object, message: string): void {
    this.#keep('info')(facts, message);
  }
  warn(facts: object, message: string): void {
    this.#keep('warn')(facts, message);
  }
  error(facts: object, message: string): void {
    this.#keep('error')(facts, message);
  }
  #keep(level: string) {
    return (facts: object, message: string) =>
      void this.all.push([level, message, facts as Record<string, unknown>]);
  }
}

test('an operation begins and ends, with how long it took and what came of it', async () => {
  const log = new Lines();
  const { grid } = testGrid({ log, now: () => 5 });
  const file = await grid.create({ key: testKey, contents: bytesOf(10), isNewKey: true });
  await file.read();
  await file.read();
  const error = await file.read({ offset: 11 }).catch((e) => e);
  const about = { file: file.verifyCap.split(':')[2] };
  const ok = { outcome: 'succeeded', ms: 0 };
  expect(log.all).toEqual([
    ['debug', 'operation has begun', { operation: 'create', file: null }],
    ['info', 'operation has succeeded', { operation: 'create', ...about, ...ok }],
    ['debug', 'operation has begun', { operation: 'read', ...about }],
    ['info', 'operation has succeeded', { operation: 'read', ...about, ...ok }],
    ['debug', 'operation has begun', { operation: 'read~2', ...about }],
    ['info', 'operation has succeeded', { operation: 'read~2', ...about, ...ok }],
    ['debug', 'operation has begun', { operation: 'read~3', ...about }],
    [
      'warn',
      'operation has failed',
      {
        ...{ operation: 'read~3', ...about, outcome: 'failed', ms: 0 },
        error: { code: 'OutOfRangeError', message: error.message, facts: error.facts },
      },
    ],
  ]);
});

/** What `log` was warned of, without what every line says. */
const warned = ({ all }: Lines) =>
  all.flatMap(([level, message, { operation, file, ...facts }]) =>
    level === 'warn' ? [[message, facts] as const] : [],
  );

test('servers that fail and shares that are corrupt are named, in each step', async () => {
  const log = new Lines();
  let down = '';
  const fail = () => Promise.reject(new ServerUnavailableError(down, 'gone fishing'));
  const { create, servers, another } = testGrid({
    wrap: (server) =>
      altered(server, {
        listShares: (...args) => (server.id === down ? fail() : server.listShares(...args)),
      }),
  });
  const { cap, writeCap } = await create('sdmf', bytesOf(100));
  const [bad, ...others] = holdings(servers, cap);
  const index = storageIndexOf(cap);
  diskOf(bad!.server).overwriteShare(index, bad!.shnum, 20, bytesOf(5));
  down = others[0]!.server.id;
  await another({ log }).open(writeCap).servermap();
  expect(warned(log)).toContainEqual([
    'server has failed',
    {
      ...{ server: down, during: 'mapping', failure: 'unreachable' },
      detail: `server ${down}: gone fishing`,
    },
  ]);
  expect(warned(log)).toContainEqual([
    'share is corrupt',
    { server: bad!.server.id, shnum: bad!.shnum, reason: expect.stringMatching(/^corrupt share/) },
  ]);
});

test('a collision is told with its reason and the wait', async () => {
  const log = new Lines();
  const { create, another } = testGrid({ random: () => 0.5 });
  const { writeCap } = await create('sdmf', bytesOf(5));
  const other = another().open(writeCap);
  let met = 0;
  const file = another({ log }).open(writeCap);
  await file.modify(
    async (contents) => {
      if (met++ === 0) await other.overwrite(bytesOf(7));
      return contents.subarray(1);
    },
    { retry: { attempts: 3, backoffMs: 4 } },
  );
  expect(warned(log)).toEqual([
    [
      'trying again',
      {
        ...{ attempt: 1, attempts: 3, waitMs: 4, reason: 'another writer' },
        ...{ rivals: [], silent: [] },
      },
    ],
  ]);
});

/** All that nobody else may know of a file. */
function secretsOf(
  file: MutableFile,
  leaseSecret: Uint8Array,
  servers: readonly { tubId: Uint8Array }[],
) {
  const { writekey } = file.cap as WriteCap;
  const ofServers = servers.flatMap(({ tubId }) => {
    const lease = deriveLeaseSecrets(leaseSecret, storageIndexOf(file.cap), tubId);
    return [deriveWriteEnabler(writekey, tubId), lease.renewSecret, lease.cancelSecret];
  });
  return [writekey, readkeyOf(file.cap), testKey.pkcs8, leaseSecret, ...ofServers];
}

test('no line holds a secret, whatever goes wrong, with a console as well', async () => {
  const log = new Lines();
  const leaseSecret = bytesOf(32, 9);
  let said = '';
  const stream = new Writable({
    write: (piece, _encoding, done) => {
      said += piece;
      done();
    },
  });
  let secrets: readonly Uint8Array[] = [];
  const { grid, another, servers } = testGrid({
    ...{ log, leaseSecret },
    wrap: (server, i) =>
      altered(server, {
        addLease: async (_index, { renewSecret }) => {
          throw new ServerUnavailableError(
            server.id,
            `who is ${Buffer.from(renewSecret).toString('hex')}?`,
          );
        },
        readTestWrite: async (index, request, options) => {
          const { writeEnabler } = request.secrets;
          const text = Buffer.from(writeEnabler).toString('hex');
          if (i === 3) throw new ServerUnavailableError(server.id, `do not know ${text}`);
          return server.readTestWrite(index, request, options);
        },
      }),
  });
  const file = await grid.create({ key: testKey, contents: utf8('secret contents') });
  secrets = secretsOf(file, leaseSecret, servers);
  const telling = () => {
    throw new Error(`cannot do with ${file.writeCap}`);
  };
  await expect(file.modify(telling)).rejects.toThrowError('cannot do');
  await file.renewLeases();
  await another({ log: new Console(stream) })
    .open(file.writeCap)
    .overwrite(bytesOf(10));
  // All servers quote what they were told, as servers of ours do not.
  const quoting = servers.map((server, i) =>
    altered(server, {
      readTestWrite: async (_index, { secrets: { writeEnabler } }) => {
        const quoted = JSON.stringify({ writeEnabler: toBase64(writeEnabler) });
        if (i % 2 === 0) throw new Error(`${quoted} ${toBase64(writeEnabler)}`);
        throw new ServerUnavailableError(server.id, `POST ${bytesToHex(writeEnabler)}: 500`);
      },
    }),
  );
  const failed = await another({ log, servers: quoting })
    .open(file.writeCap)
    .overwrite(bytesOf(10))
    .catch((error) => error);
  expect(failed).toBeInstanceOf(NotEnoughServersError);
  const { message, facts } = failed as NotEnoughServersError;
  const text = `${shown(log.all)}\n${said}\n${message}\n${shown(facts)}`;
  expect(text).toContain('do not know');
  expect(text).toContain('{"writeEnabler":"…"}');
  expect(text).toContain('cannot do with URI:…');
  expect(said).toContain("outcome: 'succeeded'");
  expect(leaksIn(text, [...secrets, utf8('secret contents')])).toEqual([]);
  expect(text).not.toMatch(/URI:[^…]/);
});
