/** What is left of a file whose shares are lost, rotten or of several kinds, before or in a read. */
import { describe, expect, test } from 'vitest';
import type { Mode } from '../../machines/servermap.ts';
import { type Cap, storageIndexOf, writeCapOf } from '../../src/caps.ts';
import {
  NotEnoughSharesError,
  ServerUnavailableError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  type Held,
  holdings,
  putShare,
  shareOf,
  sharesMade,
  testGrid,
  testKey,
} from '../support/client-grid.ts';

const formats = ['sdmf', 'mdmf'] as const;
type Format = (typeof formats)[number];
const modes: readonly Mode[] = ['anything', 'read', 'write', 'check', 'repair'];
const encoding = { required: 3, happy: 7, total: 10 };
/** Two segments of MDMF: no map reads the last blocks. */
const contents = bytesOf(140_000);
const made = {
  sdmf: await sharesMade('sdmf', encoding, contents),
  mdmf: await sharesMade('mdmf', encoding, contents),
};

/** A byte of each field of a share. */
function placesIn(share: Uint8Array) {
  const { layout } = parseShareHeader(share);
  const { verificationKey, encryptedPrivateKey, blockHashTree, shareData } = layout;
  return {
    'the seqnum': 8,
    'the verification key': verificationKey.offset + 9,
    'the private key': encryptedPrivateKey.offset + 9,
    'the block hash tree': blockHashTree.offset + 9,
    // Behind its salt.
    'the first block': shareData.offset + 20,
    'the last block': shareData.offset + shareData.length - 1,
  };
}

/** A file of ten shares, on a grid of its own of ten servers. */
async function fileOn(format: Format, wrap = (server: StorageServer) => server) {
  const { grid, servers } = testGrid({ count: 10, wrap });
  const cap = writeCapOf(testKey, format);
  for (const [i, server] of servers.entries()) {
    await putShare(server, cap, i, made[format][i] as Uint8Array);
  }
  const file = grid.open(cap);
  const held = holdings(servers, cap);
  return { servers, cap, held, file, reader: grid.open(file.readCap) };
}

function lose(cap: Cap, held: readonly Held[]): void {
  for (const { server, shnum } of held) diskOf(server).deleteShare(storageIndexOf(cap), shnum);
}

function damage(cap: Cap, held: readonly Held[], what: keyof ReturnType<typeof placesIn>): void {
  for (const { server, shnum } of held) {
    const share = shareOf({ server, shnum }, cap);
    const at = placesIn(share)[what];
    const byte = Uint8Array.of((share[at] as number) ^ 1);
    diskOf(server).overwriteShare(storageIndexOf(cap), shnum, at, byte);
  }
}

/** Does what `spoil` does when the first block is asked for, which is after the map. */
function spoiling() {
  let spoil: (() => void) | undefined;
  const gone = new Set<string>();
  const wrap = (server: StorageServer) =>
    altered(server, {
      readShare: async (index, shnum, range, options) => {
        if (range.offset > 0) {
          spoil?.();
          spoil = undefined;
        }
        if (gone.has(server.id)) throw new ServerUnavailableError(server.id, 'gone');
        return server.readShare(index, shnum, range, options);
      },
    });
  const then = (what: () => void) => {
    spoil = what;
  };
  return { wrap, gone, then };
}

describe.each(formats)('a %s file', (format) => {
  test('of which nothing is left is nowhere, whatever it is mapped for', async () => {
    const { file, cap, held } = await fileOn(format);
    lose(cap, held);
    for (const mode of modes) {
      const { holdings, versions, servers } = await file.servermap({ mode });
      expect({ mode, holdings, versions }).toEqual({ mode, holdings: [], versions: {} });
      expect(servers.map(({ status }) => status)).toEqual(Array(10).fill('empty'));
    }
  });

  test('of which too little is left is one version that nobody can read, likewise', async () => {
    const { file, cap, held } = await fileOn(format);
    lose(cap, held.slice(2));
    for (const mode of modes) {
      const map = await file.servermap({ mode });
      expect(map.holdings.map(({ shnum }) => shnum).sort()).toEqual([0, 1]);
      expect(Object.values(map.versions)).toMatchObject([{ seqnum: 1, required: 3, total: 10 }]);
    }
    await expect(file.read()).rejects.toThrowError('version 1 has 2 of the 3 shares it needs');
  });

  test.each([
    [7, 'the verification key'],
    [7, 'the seqnum'],
    [5, 'the first block'],
    [7, 'the last block'],
    [10, 'the private key'],
  ] as const)('of which %i shares are damaged in %s is read from the others', async (...args) => {
    const [count, what] = args;
    const { file, reader, cap, held } = await fileOn(format);
    damage(cap, held.slice(0, count), what);
    expectBytes(await reader.read(), contents);
    expectBytes(await file.read(), contents);
  });

  test.each(['the block hash tree', 'the first block'] as const)(
    'of which all shares are damaged in %s ends the read',
    async (what) => {
      const { reader, cap, held } = await fileOn(format);
      damage(cap, held, what);
      const error = await reader.read().catch((e) => e);
      // Already in the map, where its first reads lead a share up to the root.
      expect([NotEnoughSharesError, UnrecoverableFileError]).toContain(error.constructor);
      expect(error.message).toMatch(/^.*version 1 .* 0 (left )?of the 3 (shares )?it needs/);
    },
  );

  test('whose shares are all damaged in their headers is none to verify', async () => {
    const { reader, cap, held } = await fileOn(format);
    damage(cap, held, 'the seqnum');
    const error = await reader.verify().catch((e) => e);
    expect(error).toBeInstanceOf(UnrecoverableFileError);
    expect(error.facts).toMatchObject({ seen: [], bad: 10 });
  });

  test('whose shares are all damaged in a block is found to have no good one', async () => {
    const { reader, cap, held } = await fileOn(format);
    damage(cap, held.slice(0, 8), 'the first block');
    damage(cap, held.slice(8), 'the last block');
    const { good, bad, isHealthy } = await reader.verify();
    expect({ good, isHealthy }).toEqual({ good: [], isHealthy: false });
    expect(bad.map(({ reason }) => reason)).toEqual(
      Array(10).fill(expect.stringMatching(/^corrupt share: block hash tree: node \d+: /)),
    );
  });

  test('whose blocks nobody has looked at is mapped as if they were good', async () => {
    const { reader, cap, held } = await fileOn(format);
    damage(cap, held, 'the last block');
    const { holdings } = await reader.servermap({ mode: 'check' });
    expect(holdings.map(({ verdict }) => verdict.kind)).toEqual(Array(10).fill('good'));
  });

  test.each<[string, (cap: Cap, held: readonly Held[]) => void, object, string]>([
    [
      'vanish',
      lose,
      UnrecoverableFileError,
      'no version can be read: no good share found (10 of 10 servers answered)',
    ],
    [
      'vanish but for two',
      (cap, held) => lose(cap, held.slice(2)),
      UnrecoverableFileError,
      'no version can be read: version 1 has 2 of the 3 shares it needs (10 of 10 servers answered)',
    ],
    [
      'rot',
      (cap, held) => damage(cap, held, 'the last block'),
      NotEnoughSharesError,
      'version 1 ran out of good shares: 0 left of the 3 it needs',
    ],
  ])('whose shares %s under its reader ends the read', async (_, spoil, kind, message) => {
    const { wrap, then } = spoiling();
    const { reader, cap, held } = await fileOn(format, wrap);
    then(() => spoil(cap, held));
    const error = await reader.read().catch((e) => e);
    expect([error.constructor, error.message]).toEqual([kind, message]);
  });

  test('is read though its private keys rot, or seven of its servers go, meanwhile', async () => {
    const { wrap, gone, then } = spoiling();
    const { file, cap, held } = await fileOn(format, wrap);
    then(() => damage(cap, held, 'the private key'));
    expectBytes(await file.read(), contents);
    then(() => {
      for (const { server } of held.slice(0, 7)) gone.add(server.id);
    });
    expectBytes(await file.read(), contents);
  });

  test('that no server tells of is not there, and is there once they do', async () => {
    let isUp = false;
    const { reader } = await fileOn(format, (server) =>
      altered(server, {
        listShares: async (...args) => {
          if (!isUp) throw new ServerUnavailableError(server.id, 'gone');
          return server.listShares(...args);
        },
      }),
    );
    await expect(reader.read()).rejects.toThrowError(
      'no version can be read: no good share found (0 of 10 servers answered',
    );
    isUp = true;
    expectBytes(await reader.read(), contents);
  });
});

describe.each(formats)('a repair of a %s file', (format) => {
  test('makes the five shares that were lost again', async () => {
    const { file, cap, held, servers } = await fileOn(format);
    lose(cap, held.slice(0, 5));
    const outcome = await file.repair();
    expect(outcome).toMatchObject({ way: 'again', seqnum: 1, missing: [], isHealthy: true });
    expect(outcome.placed.map(({ shnum }) => shnum).sort()).toEqual([0, 1, 2, 3, 4]);
    const now = holdings(servers, cap).map((one) => shareOf(one, cap));
    expect(now).toEqual(made[format]);
  });

  test.each([0, 1, 2])('of which %i shares are left ends, and writes nothing', async (left) => {
    const { file, cap, held, servers } = await fileOn(format);
    lose(cap, held.slice(left));
    await expect(file.repair()).rejects.toBeInstanceOf(UnrecoverableFileError);
    expect(holdings(servers, cap)).toEqual(held.slice(0, left));
  });

  test('of which two versions can be read puts the newer in the place of the older', async () => {
    const newer = await sharesMade(format, encoding, contents, bytesOf(100, 2));
    const { file, cap, held, servers } = await fileOn(format);
    for (const { server, shnum } of held.slice(3)) {
      await putShare(server, cap, shnum, newer[shnum] as Uint8Array);
    }
    const outcome = await file.repair();
    expect(outcome).toMatchObject({ way: 'again', seqnum: 2, missing: [], isHealthy: true });
    expect(holdings(servers, cap).map((one) => shareOf(one, cap))).toEqual(newer);
  });
});

test('shares of three encodings: the one that can be read is, whatever the others are of', async () => {
  const encodings = [
    { required: 3, happy: 1, total: 10 },
    { required: 4, happy: 1, total: 9 },
    { required: 4, happy: 1, total: 7 },
  ];
  const all = [];
  for (const [i, encoding] of encodings.entries()) {
    all.push(await sharesMade('sdmf', encoding, bytesOf(100, i + 1)));
  }
  for (const readable of [0, 1, 2]) {
    const { grid, servers } = testGrid({ count: 10 });
    const cap = writeCapOf(testKey, 'sdmf');
    // One share fewer than it takes of two of them, and all that it takes of the third.
    const places = encodings.flatMap(({ required }, i) =>
      Array.from({ length: i === readable ? required : required - 1 }, (_, shnum) => [i, shnum]),
    );
    for (const [at, [i, shnum]] of (places as [number, number][]).entries()) {
      await putShare(servers[at % 10] as StorageServer, cap, shnum, all[i]?.[shnum] as Uint8Array);
    }
    expectBytes(await grid.open(grid.open(cap).readCap).read(), bytesOf(100, readable + 1));
  }
});
