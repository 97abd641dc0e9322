/** What a call says that has ended well is there for whoever comes later; and what else it says. */
import { expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { AnswerLostError, ServerUnavailableError } from '../../src/errors.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import type { ReadTestWriteRequest, StorageServer } from '../../src/storage/server.ts';
import {
  altered,
  bytesOf,
  holdings,
  passTime,
  putShare,
  shareOf,
  testGrid,
  withBytes,
} from '../support/client-grid.ts';

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'acknowledged',
    ({ code }) => code,
  );
const formats = ['sdmf', 'mdmf'] as const;
/** Three servers, two of which acknowledge; the grids of several clients see them each their way. */
const onThree = (required: number, total: number) =>
  testGrid({ count: 3, encoding: { required, happy: 2, total } });

/** These servers, those of `ids` so that they take no write; maps may ask them. */
const refusing = (ids: readonly string[], servers: readonly StorageServer[]) =>
  servers.map((server) =>
    altered(server, {
      readTestWrite: async (index, request, options) => {
        if (request.shares.size > 0 && ids.includes(server.id)) {
          throw new ServerUnavailableError(server.id, 'gone');
        }
        return server.readTestWrite(index, request, options);
      },
    }),
  );

/** The request with the writes of its first share only, as of a server whose disk is full then. */
function cutShort(request: ReadTestWriteRequest): ReadTestWriteRequest {
  const [first] = [...request.shares].filter(([, { parts }]) => parts.length > 0);
  return { ...request, shares: new Map(first === undefined ? [] : [first]) };
}

test('a server that fails half way has not won what it did not write', async () => {
  const { create, another, servers } = onThree(3, 10);
  const { writeCap } = await create('mdmf', 'a\n');
  const torn = new Set<string>();
  const seen = servers.map((server) =>
    altered(server, {
      readTestWrite: async (index, request, options) => {
        if (request.shares.size === 0 || torn.has(server.id)) {
          return server.readTestWrite(index, request, options);
        }
        if (server.id === 's2') throw new ServerUnavailableError(server.id, 'gone');
        torn.add(server.id);
        await server.readTestWrite(index, cutShort(request), options);
        throw new AnswerLostError(server.id, 'full');
      },
    }),
  );
  const { placed } = await another({ servers: seen }).open(writeCap).append('b\n');
  const { holdings: held, versions } = await another().open(writeCap).servermap();
  const there = held.flatMap(({ server, shnum, verdict }) =>
    verdict.kind === 'good' && versions[verdict.version]?.seqnum === 2 ? [{ server, shnum }] : [],
  );
  const inOrder = (places: readonly { server: string; shnum: number }[]) =>
    places.map(({ server, shnum }) => `${server}:${shnum}`).sort();
  expect(inOrder(placed)).toEqual(inOrder(there));
  expect(textOf(await another().open(writeCap).read())).toBe('a\nb\n');
});

test.each(formats)(
  'no change to what is on too few servers is written all the same: %s',
  async (format) => {
    const { create, another, servers } = onThree(1, 3);
    const { writeCap } = await create(format, 'a\n');
    const onlyFirst = refusing(['s1', 's2'], servers);
    const change = (contents: Uint8Array) =>
      textOf(contents).includes('mine') ? undefined : `${textOf(contents)}mine\n`;
    const first = another({ servers: onlyFirst }).open(writeCap);
    expect(await codeOf(first.modify(change))).toBe('NotEnoughServersError');
    const outcome = await another().open(writeCap).modify(change);
    expect(outcome?.placed.map(({ server }) => server).sort()).toEqual(['s0', 's1', 's2']);
    // It needs no s0 any more.
    const rest = servers.slice(1);
    await another({ servers: rest, gridSize: 3 }).open(writeCap).append('other\n');
    expect(textOf(await another().open(writeCap).read())).toBe('a\nmine\nother\n');
    expect(await another().open(writeCap).modify(change)).toBeUndefined();
  },
);

/** Writes that are late: they come to their servers when they are let go. */
function late(servers: readonly StorageServer[]) {
  const waiting: (() => Promise<unknown>)[] = [];
  let isLate = true;
  const seen = servers.map((server) =>
    altered(server, {
      readTestWrite: async (index, request, options) => {
        if (request.shares.size === 0 || !isLate) {
          return server.readTestWrite(index, request, options);
        }
        const whole = await withBytes(request);
        return new Promise<never>((_, reject) => {
          waiting.push(() => server.readTestWrite(index, whole));
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason));
        });
      },
    }),
  );
  const letGo = async () => {
    isLate = false;
    for (const land of waiting.splice(0)) await land();
  };
  return { seen, letGo };
}

test('what was not answered in time may be there yet, and nobody says that it is not', async () => {
  const { create, another, servers } = onThree(1, 3);
  const { writeCap } = await create('mdmf', 'a\n');
  const { seen, letGo } = late(servers);
  const clock = new SimulatedClock();
  const file = another({ servers: seen, clock }).open(writeCap);
  const ended = codeOf(file.append('b\n'));
  await passTime(clock, ended);
  expect(await ended).toBe('IndeterminateWriteError');
  await letGo();
  expect(textOf(await another().open(writeCap).read())).toBe('a\nb\n');
});

test('a share that is rotten, of a writer that died, stops neither readers nor writers', async () => {
  const { create, another, servers } = testGrid();
  const body = bytesOf(5000);
  const { cap, writeCap } = await create('mdmf', body);
  const old = holdings(servers, cap).map((held) => shareOf(held, cap));
  await another().open(writeCap).overwrite(bytesOf(5000, 2));
  const held = holdings(servers, cap);
  // Only three servers have the second version, enough to read it; one of these has a bad block.
  for (const [i, { server, shnum }] of held.entries()) {
    const bytes = i < 3 ? shareOf({ server, shnum }, cap) : (old[i] as Uint8Array);
    const share = bytes.slice();
    if (i === 0) share[parseShareHeader(share).layout.shareData.offset + 40]! ^= 1;
    await putShare(server, cap, shnum, share);
  }
  expect(await another().open(writeCap).read()).toEqual(body);
  const change = (contents: Uint8Array) => Uint8Array.of(...contents, 7);
  await another().open(writeCap).modify(change);
  expect(await another().open(writeCap).read()).toEqual(change(body));
});

test('what is not acknowledged is not remembered for that', async () => {
  const { create, another, servers } = onThree(1, 3);
  const { writeCap } = await create('mdmf', 'a\n');
  let isGone = false;
  const seen = servers.map((server, i) =>
    altered(server, {
      listShares: async (...args) => {
        if (isGone && i === 0) throw new ServerUnavailableError(server.id, 'gone');
        return server.listShares(...args);
      },
      readTestWrite: async (index, request, options) => {
        if (isGone && i === 0) throw new ServerUnavailableError(server.id, 'gone');
        return server.readTestWrite(index, request, options);
      },
    }),
  );
  const onlyFirst = refusing(['s1', 's2'], servers);
  const dying = another({ servers: onlyFirst }).open(writeCap);
  expect(await codeOf(dying.append('x\n'))).toBe('NotEnoughServersError');
  const file = another({ servers: seen }).open(writeCap);
  await file.verify();
  isGone = true;
  expect(await codeOf(file.append('b\n'))).toBe('acknowledged');
});

/**
 * An append whose first attempt lands on one server of three, and meets what a rival that dies has
 * put on another one just before. @returns whether its own version is the newer one
 */
async function appendBesideRival(format: 'sdmf' | 'mdmf'): Promise<boolean> {
  const { create, another, servers } = onThree(1, 3);
  const { writeCap } = await create(format, 'a\n');
  const theirs = refusing(['s0', 's2'], servers);
  const attempt = { isFirst: true, isMet: false };
  const ours = servers.map((server) =>
    altered(server, {
      readTestWrite: async (index, request, options) => {
        if (request.shares.size > 0 && attempt.isFirst) {
          if (server.id === 's2') throw new ServerUnavailableError(server.id, 'gone');
          if (server.id === 's1' && !attempt.isMet) {
            attempt.isMet = true;
            const rival = another({ servers: theirs }).open(writeCap).overwrite('theirs\n');
            expect(await codeOf(rival)).toBe('NotEnoughServersError');
          }
        }
        return server.readTestWrite(index, request, options);
      },
    }),
  );
  const file = another({ servers: ours }).open(writeCap);
  const ends: (readonly [done: number, total: number])[] = [];
  const { seqnum } = await file.append('mine\n', {
    retry: { attempts: 4, backoffMs: 0 },
    onProgress: ({ phase, done, total }) => {
      if (phase === 'waiting') attempt.isFirst = false;
      ends.push([done, total]);
    },
  });
  expect(seqnum).toBe(3);
  // All is over once, and that is said last.
  const over = ends.filter(([done, total]) => done === total);
  expect(over).toEqual(ends.slice(-1));
  const text = textOf(await another().open(writeCap).read());
  expect(['a\nmine\n', 'theirs\nmine\n']).toContain(text);
  return text === 'a\nmine\n';
}

test.each(formats)('an append that is tried again is in the file once: %s', async (format) => {
  // Which of the two is the newer one is as their root hashes fall.
  const seen = new Set<boolean>();
  for (let i = 0; i < 60 && seen.size < 2; i++) seen.add(await appendBesideRival(format));
  expect([...seen].sort()).toEqual([false, true]);
});
