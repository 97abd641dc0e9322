/**
 * Servers that lie about what they hold do not stop a writer: only a signed share is another
 * writer.
 */
import { describe, expect, test } from 'vitest';
import { type Cap, storageIndexOf } from '../../src/caps.ts';
import { NotEnoughServersError, UncoordinatedWriteError } from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import type { WriteOutcome } from '../../src/runtime/outcome.ts';
import { diskOf, type MemoryServer } from '../../src/storage/memory.ts';
import type { ByteRange, ReadTestWriteAnswer, StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  holdings,
  putShare,
  type TestGrid,
  testGrid,
} from '../support/client-grid.ts';

const formats = ['sdmf', 'mdmf'] as const;

/** What a liar says of a write, whatever happens to it; `ask` does what was asked. */
type Lie = (
  request: Parameters<StorageServer['readTestWrite']>[1],
  server: StorageServer,
  ask: () => Promise<ReadTestWriteAnswer>,
) => Promise<ReadTestWriteAnswer>;

/** A first share, cut to what the request reads. */
function shown(
  { reads, shares }: Parameters<Lie>[0],
  make: (range: ByteRange) => Uint8Array,
): ReadTestWriteAnswer['reads'] {
  const written = [...shares].filter(([, { parts }]) => parts.length > 0);
  return new Map(written.map(([shnum]) => [shnum, reads.map(make)]));
}

/** The head of a share of version 2^40, whose root nobody knows. */
function inventedHead(format: number, { length }: ByteRange): Uint8Array {
  const head = bytesOf(length, 99);
  head.fill(0, 0, 9);
  head[0] = format;
  head[3] = 1;
  return head;
}

const nothing: Lie = async () => ({ wrote: false, reads: new Map() });
const lies: readonly (readonly [string, Lie])[] = [
  ['shows nothing', nothing],
  ['shows nothing, and writes', async (_, __, ask) => ({ ...(await ask()), wrote: false })],
  [
    'shows random bytes',
    async (request) => ({
      wrote: false,
      reads: shown(request, ({ length }) => bytesOf(length, 7)),
    }),
  ],
  [
    'shows bytes too few for a share',
    async (request) => ({ wrote: false, reads: shown(request, () => bytesOf(5)) }),
  ],
  ...[0, 1].map((format): readonly [string, Lie] => [
    `shows an invented version of format ${format}`,
    async (request) => ({
      wrote: false,
      reads: shown(request, (range) => inventedHead(format, range)),
    }),
  ]),
  [
    'shows what was asked for',
    async ({ shares, reads }) => {
      const heads = [...shares].map(([shnum, { tests }]) => {
        const head = tests[0]?.specimen.slice(0, reads[0]?.length) ?? new Uint8Array(0);
        return [shnum, [head]] as const;
      });
      return { wrote: false, reads: new Map(heads.filter(([, [head]]) => head.length > 0)) };
    },
  ],
  [
    'shows something else every time',
    (() => {
      let turn = 0;
      return async (request) => {
        const isEmpty = turn++ % 2 === 0;
        const reads = shown(request, ({ length }) => bytesOf(length, 1).fill(0, 0, 9));
        return { wrote: false, reads: isEmpty ? new Map() : reads };
      };
    })(),
  ],
];

/** 13 servers, of which those in `liars` lie about writes as `lie.current` says. */
function lyingGrid(lie: Lie, options: { readonly count?: number } = {}) {
  const liars = new Set<string>();
  const { count = 13 } = options;
  const wrap = (server: MemoryServer) =>
    altered(server, {
      readTestWrite: (index, request, how) => {
        const ask = () => server.readTestWrite(index, request, how);
        return liars.has(server.id) ? lie(request, server, ask) : ask();
      },
    });
  return { ...testGrid({ count, wrap }), liars };
}

const writes: readonly (readonly [
  string,
  (file: MutableFile) => Promise<WriteOutcome | undefined>,
])[] = [
  ['overwrite', (file) => file.overwrite(bytesOf(300, 2))],
  ['update', (file) => file.update(bytesOf(9, 2), 7)],
  ['append', (file) => file.append(bytesOf(9, 2))],
  ['modify', (file) => file.modify((old) => Uint8Array.of(...old, 1, 2, 3))],
];

/** Every failure tells of one of these servers. */
function expectNamed(outcome: WriteOutcome | undefined, liars: ReadonlySet<string>): void {
  expect(outcome?.failures.length).toBeGreaterThan(0);
  for (const { kind, detail } of outcome?.failures ?? []) {
    expect(['contradictory', 'replaced', 'unreachable']).toContain(kind);
    expect([...liars].filter((id) => detail.startsWith(`server ${id}: `))).toHaveLength(1);
  }
}

describe.each(formats)('one lying server of 13 (%s)', (format) => {
  describe.each(lies)('that says "not written" and %s', (_, lie) => {
    test.each(writes)('stops no %s, and is named', async (_, write) => {
      const { create, another, servers, liars } = lyingGrid(lie);
      const file = await create(format, bytesOf(300));
      const first = holdings(servers, file.cap)[0]?.server.id as string;
      liars.add(first);
      const outcome = await write(file);
      expect(outcome).toMatchObject({ seqnum: 2, quorum: 7 });
      expect(outcome?.placed.map(({ server }) => server)).not.toContain(first);
      expectNamed(outcome, liars);
      const all = [
        ...(outcome?.placed.map(({ shnum }) => shnum) ?? []),
        ...(outcome?.missing ?? []),
      ];
      expect([...new Set(all)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      // In place no other server can take the share.
      expect(outcome?.missing).toEqual(outcome?.inPlace ? [0] : []);
      const seen = await another().open(file.cap).servermap();
      expect(Object.values(seen.versions).map(({ seqnum }) => seqnum)).toContain(2);
    });

    test('stops no creation, and is named', async () => {
      const { create, servers, liars } = lyingGrid(lie);
      for (const { id } of servers.slice(0, 2)) liars.add(id);
      const file = await create(format, bytesOf(300));
      expect(file.created?.missing).toEqual([]);
      for (const { server } of file.created?.placed ?? []) expect([...liars]).not.toContain(server);
      expectBytes(await file.read(), bytesOf(300));
    });
  });

  test('20 of 20 writes succeed, and each says which server failed and why', async () => {
    const { create, servers, liars } = lyingGrid(nothing);
    const file = await create(format, bytesOf(300));
    const liar = holdings(servers, file.cap)[3]?.server.id as string;
    liars.add(liar);
    for (let n = 1; n <= 20; n++) {
      const outcome = await file.overwrite(bytesOf(300, n));
      expect(outcome.seqnum).toBe(n + 1);
      expectNamed(outcome, liars);
    }
    expectBytes(await file.read(), bytesOf(300, 20));
  });
});

describe.each(formats)('as many liars as a quorum allows (%s)', (format) => {
  const create = async (count: number) => {
    const lying = lyingGrid(nothing);
    const file = await lying.create(format, bytesOf(300));
    for (const { server } of holdings(lying.servers, file.cap).slice(0, count)) {
      lying.liars.add(server.id);
    }
    return { ...lying, file };
  };

  test('two', async () => {
    const { file, liars } = await create(2);
    const outcome = await file.overwrite(bytesOf(300, 2));
    expect(outcome).toMatchObject({ seqnum: 2, missing: [] });
    expectNamed(outcome, liars);
    expectBytes(await file.read(), bytesOf(300, 2));
  });

  test('six leave seven, which are a quorum', async () => {
    const { file, liars } = await create(6);
    const outcome = await file.overwrite(bytesOf(300, 2));
    expect(new Set(outcome.placed.map(({ server }) => server)).size).toBe(7);
    expectNamed(outcome, liars);
  });

  test('seven leave six, which are no quorum: too few servers, and not another writer', async () => {
    const { file } = await create(7);
    const write = file.overwrite(bytesOf(300, 2));
    await expect(write).rejects.toThrowError(NotEnoughServersError);
    await expect(write).rejects.toThrowError(
      /^version 2 reached 6 of the 7 servers it needs; last failure: server s\d+: it has not written/,
    );
  });
});

/** Gives one server a share of `cap` as another writer has made it, before its next write. */
function rivalGrid(
  place: (server: StorageServer, request: Parameters<Lie>[0]) => Promise<void>,
  answer: (honest: ReadTestWriteAnswer) => ReadTestWriteAnswer = (honest) => honest,
) {
  return lyingGrid(async (request, server, ask) => {
    await place(server, request);
    return answer(await ask());
  });
}

async function sharesOfRival(
  { servers, another }: Pick<TestGrid, 'servers' | 'another'>,
  cap: Cap,
  contents: Uint8Array,
): Promise<ReadonlyMap<number, Uint8Array>> {
  // Written, and every old share put back: what is kept are signed shares of the rival.
  const before = holdings(servers, cap).map(({ server, shnum }) => ({
    ...{ server, shnum },
    bytes: diskOf(server).shareBytes(storageIndexOf(cap), shnum)?.slice() as Uint8Array,
  }));
  await another().open(cap).overwrite(contents);
  const made = holdings(servers, cap).map(
    ({ server, shnum }) =>
      [
        shnum,
        diskOf(server).shareBytes(storageIndexOf(cap), shnum)?.slice() as Uint8Array,
      ] as const,
  );
  for (const { server, shnum, bytes } of before) await putShare(server, cap, shnum, bytes);
  return new Map(made);
}

describe.each(formats)('a share that another writer has signed (%s)', (format) => {
  async function withRival(spoil: (bytes: Uint8Array) => void = () => {}, beside = false) {
    let rival: Uint8Array | undefined;
    let cap: Cap | undefined;
    const grid = rivalGrid(async (server, { shares }) => {
      const [shnum = 0] = [...shares].find(([, { parts }]) => parts.length > 0) ?? [];
      const at = beside ? (shnum + 1) % 10 : shnum;
      if (rival !== undefined) await putShare(server, cap as Cap, at, rival);
      rival = undefined;
    });
    const file = await grid.create(format, bytesOf(300));
    cap = file.cap;
    const made = (await sharesOfRival(grid, file.cap, bytesOf(300, 5))).get(0) as Uint8Array;
    spoil(made);
    const holder = holdings(grid.servers, file.cap)[0]?.server as MemoryServer;
    grid.liars.add(holder.id);
    rival = made;
    return { ...grid, file, holder, made };
  }

  test.each([
    ['in the place', false],
    ['beside what was written', true],
  ])('%s is that writer, who is on one server and stops nobody', async (_, beside) => {
    const { file } = await withRival(() => {}, beside);
    expect(await file.overwrite(bytesOf(300, 2))).toMatchObject({ seqnum: 2, missing: [] });
    expectBytes(await file.read(), bytesOf(300, 2));
  });

  test('on so many servers that no quorum is left is told, server by server', async () => {
    const { create, servers, another, liars, ...grid } = rivalGrid(async (server, { shares }) => {
      const [shnum = 0] = [...shares].find(([, { parts }]) => parts.length > 0) ?? [];
      const share = rivals.get(shnum);
      if (share !== undefined) await putShare(server, file.cap, shnum, share);
    });
    const rivals = new Map<number, Uint8Array>();
    const file = await create(format, bytesOf(300));
    const made = await sharesOfRival({ ...grid, servers, another }, file.cap, bytesOf(300, 5));
    for (const [shnum, bytes] of made) rivals.set(shnum, bytes);
    for (const { id } of servers) liars.add(id);
    const write = file.overwrite(bytesOf(300, 2));
    await expect(write).rejects.toThrowError(UncoordinatedWriteError);
    await expect(write).rejects.toThrowError(
      /^somebody else has written to this file: share \d on s/,
    );
  });

  test('and damaged stays if it claims to be newer, and stops nobody', async () => {
    // Changes the third byte of the seqnum, so that the signature no longer holds.
    const { file } = await withRival((bytes) => bytes.fill(1, 3, 4));
    expect(await file.overwrite(bytesOf(300, 2))).toMatchObject({ seqnum: 2, missing: [] });
    expectBytes(await file.read(), bytesOf(300, 2));
  });

  test.each([false, true])('and damaged is none: it is replaced (beside: %s)', async (beside) => {
    const { file, holder } = await withRival((bytes) => bytes.fill(0, 1, 9), beside);
    const outcome = await file.overwrite(bytesOf(300, 2));
    expect(outcome).toMatchObject({ seqnum: 2, missing: [], failures: [] });
    const held = diskOf(holder).sharesOf(storageIndexOf(file.cap));
    for (const shnum of held) {
      const bytes = diskOf(holder).shareBytes(storageIndexOf(file.cap), shnum) as Uint8Array;
      expect(Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1))).toBe(2);
    }
    expect(held).toContain(beside ? 1 : 0);
    expectBytes(await file.read(), bytesOf(300, 2));
  });
});

describe.each(formats)('a server that takes the share and shows an invented one (%s)', (format) => {
  const boast: Lie = async (request, _, ask) => {
    const { wrote, reads } = await ask();
    const [shnum = 0] = [...request.shares.keys()];
    const head = request.reads.map((range) => inventedHead(format === 'mdmf' ? 1 : 0, range));
    return { wrote, reads: new Map([...reads, [(shnum + 1) % 10, head]]) };
  };

  test('does not count for the quorum, and its share goes elsewhere', async () => {
    const { create, servers, liars } = lyingGrid(boast);
    const file = await create(format, bytesOf(300));
    const liar = holdings(servers, file.cap)[0]?.server.id as string;
    liars.add(liar);
    const outcome = await file.overwrite(bytesOf(300, 2));
    expect(outcome).toMatchObject({ seqnum: 2, missing: [] });
    expect(outcome.placed.map(({ server }) => server)).not.toContain(liar);
    expect(outcome.failures).toEqual([
      {
        kind: 'contradictory',
        detail: `server ${liar}: it has written, and what it held was in the way`,
      },
    ]);
  });
});

test('an old share that is shown as a newer one is what it is: the server contradicts itself', async () => {
  const { create, servers, liars } = lyingGrid(async (request) => ({
    wrote: false,
    reads: shown(request, (range) => inventedHead(0, range)),
  }));
  const file = await create('sdmf', bytesOf(300));
  const liar = holdings(servers, file.cap)[0]?.server.id as string;
  liars.add(liar);
  // Its reads still give the old share, which is signed and what the write asked for.
  const { seqnum, failures } = await file.overwrite(bytesOf(300, 2));
  expect({ seqnum, failures }).toEqual({
    seqnum: 2,
    failures: [
      {
        kind: 'contradictory',
        detail: `server ${liar}: it has not written, and nothing was in the way`,
      },
    ],
  });
});
