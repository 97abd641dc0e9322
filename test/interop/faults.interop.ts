/**
 * What a client makes of one real server of 13 that fails, in every way that a wire and a server
 * can fail: reads give the newest bytes, writes end where they should, and nothing is damaged.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bestVersion } from '../../machines/servermap.ts';
import { toBase32 } from '../../src/bytes.ts';
import { storageIndexOf } from '../../src/caps.ts';
import type { GridEntry } from '../../src/description/announcement.ts';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { Grid, type GridOptions } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { withSpare } from '../../src/runtime/pace.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { tcpNurls } from '../../src/storage/nurl.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, bytesOf, expectBytes } from '../support/client-grid.ts';
import { Relay } from '../support/relay.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

let real: RealGrid;
let gateway: Gateway;
let entries: readonly GridEntry[];
let healthy: Grid;
beforeAll(async () => {
  real = await startRealGrid();
  gateway = await real.gateway();
  ({ entries } = await loadGridFile(real.serversYaml));
  healthy = grid();
});
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close();
});
afterAll(async () => {
  healthy.close();
  await real.close();
});

/** A client's grid, in which some servers are not what they were. */
function grid(
  changes: Readonly<Record<number, (entry: GridEntry) => StorageServer>> = {},
  options: Partial<GridOptions> = {},
): Grid {
  const servers = entries.map((entry, position) => (changes[position] ?? server)(entry));
  const made = new Grid({ servers, inspect, ...options });
  if (Object.keys(changes).length > 0) opened.push(made);
  return made;
}

function server({ nurls, ...entry }: GridEntry, change = (nurl: string) => nurl): HttpServer {
  return new HttpServer({ ...entry, nurls: tcpNurls(nurls.map(change)) });
}

async function relayTo(port: number): Promise<Relay> {
  const relay = await Relay.to(port);
  opened.push(relay);
  return relay;
}

/** A file on ten servers, and the position of the one that holds its first share. */
async function newFile(format: 'sdmf' | 'mdmf', contents: Uint8Array) {
  const file = await healthy.create({ format, contents });
  return { file, position: await holderOf(file, 0) };
}

async function holderOf({ cap }: MutableFile, shnum: number): Promise<number> {
  for (const position of real.servers.keys()) {
    if ((await real.sharesOf(position, storageIndexOf(cap))).includes(shnum)) return position;
  }
  throw new Error(`nobody holds share ${shnum}`);
}

/** The file is what it was last written to be, for everybody. */
async function expectContents(file: MutableFile, contents: Uint8Array): Promise<void> {
  expectBytes(await healthy.open(file.cap).read(), contents);
  expectBytes(await gateway.get(file.writeCap), contents);
}

interface Fault {
  readonly name: string;
  /** Makes a client for which the server at `position` has this fault. */
  arrange(position: number): Promise<Grid>;
  /** Gives the server back; closing the client is enough for most. */
  mend?(position: number): Promise<void>;
  /** Whether shares of a new version get to the server all the same. */
  readonly takesWrites?: true;
}

/** A relay to the server at `position` that is in this mode from the start. */
function relayed(mode: Relay['mode'], allowance = 0): Fault['arrange'] {
  return async (position) => {
    const relay = await relayTo(real.servers[position]!.port);
    relay.mode = mode;
    relay.allowance = allowance;
    return grid({ [position]: (entry) => server(entry, (nurl) => relay.nurl(nurl)) });
  };
}

const FAULTS: readonly Fault[] = [
  {
    name: 'is stopped',
    arrange: async (position) => {
      await real.stopServer(position);
      return grid({ [position]: (entry) => server(entry) });
    },
    mend: (position) => real.startServer(position),
  },
  { name: 'hangs after it has accepted the connection', arrange: relayed('hang') },
  // The TLS handshake is through, and a part of the first share is.
  { name: 'hangs in the middle of an answer', arrange: relayed('keepAnswers', 4000) },
  { name: 'answers with noise', arrange: relayed('garbleAnswers') },
  {
    name: 'resets every connection in the middle of an answer',
    arrange: relayed('resetAnswers', 4000),
  },
  {
    name: 'is another one, with another certificate',
    arrange: async (position) => {
      const other = real.servers[(position + 1) % real.servers.length]!;
      const relay = await relayTo(other.port);
      return grid({ [position]: (entry) => server(entry, (nurl) => relay.nurl(nurl)) });
    },
  },
  {
    name: 'refuses the swissnum',
    arrange: async (position) => {
      const wrong = (nurl: string) => nurl.replace(/\/[a-z2-7]{32}#/, `/${'a'.repeat(32)}#`);
      return grid({ [position]: (entry) => server(entry, wrong) });
    },
  },
  {
    name: 'has a full disk',
    arrange: async (position) => {
      await real.fillDisk(position, true);
      return grid({ [position]: (entry) => server(entry) });
    },
    mend: (position) => real.fillDisk(position, false),
  },
  {
    name: 'loses the connection after the write has landed',
    arrange: async (position) => {
      const relay = await relayTo(real.servers[position]!.port);
      const resetting = (entry: GridEntry): StorageServer => {
        const inner = server(entry, (nurl) => relay.nurl(nurl));
        return altered(inner, {
          readTestWrite: async (...args) => {
            // One that names no share only reads.
            if (args[1].shares.size === 0) return inner.readTestWrite(...args);
            relay.mode = 'resetAnswers';
            try {
              return await inner.readTestWrite(...args);
            } finally {
              relay.mode = 'forward';
            }
          },
          close: () => inner.close(),
        });
      };
      return grid({ [position]: resetting });
    },
    takesWrites: true,
  },
];

describe.each(FAULTS)('a server that $name', ({ arrange, mend, takesWrites = false }) => {
  test.each(['sdmf', 'mdmf'] as const)(
    'costs neither a reader nor a writer of %s',
    async (format) => {
      const [first, second, third, last] = [1, 2, 3, 4].map((seed) => bytesOf(300_000, seed)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const { file, position } = await newFile(format, first);
      const { id } = real.servers[position]!;
      const client = await arrange(position);
      try {
        expectBytes(await client.open(file.readCap).read(), first);
        const writer = client.open(file.cap);
        const outcome = await writer.overwrite(second);
        expect(outcome).toMatchObject({ seqnum: 2, missing: [], inPlace: false });
        expect(new Set(outcome.placed.map(({ shnum }) => shnum)).size).toBe(10);
        expect(outcome.placed.some(({ server }) => server === id)).toBe(takesWrites);
        expectBytes(await writer.read(), second);
        await writer.update(third.subarray(0, 100), 200_000);
        second.set(third.subarray(0, 100), 200_000);
        expectBytes(await writer.read(), second);
      } finally {
        await mend?.(position);
        client.close();
      }
      await expectContents(file, second);
      await healthy.open(file.cap).overwrite(last);
      await expectContents(file, last);
      expect((await healthy.open(file.cap).servermap()).holdings.every(isGood)).toBe(true);
    },
  );
});

function isGood({ verdict }: { readonly verdict: { readonly kind: string } }): boolean {
  return verdict.kind === 'good';
}

test.each(['sdmf', 'mdmf'] as const)(
  'a share of %s that is deleted between the map and the read is done without',
  async (format) => {
    const contents = bytesOf(400_000);
    const { file, position } = await newFile(format, contents);
    const name = toBase32(storageIndexOf(file.cap));
    const shares = join(real.servers[position]!.folder, 'storage/shares', name.slice(0, 2), name);
    let deleted = 0;
    const client = grid({
      [position]: (entry) => {
        const inner = server(entry);
        return altered(inner, {
          readShare: (index, shnum, range, options) => {
            // The map reads heads, of 4000 bytes.
            if (range.length > 10_000 && deleted++ === 0) rmSync(shares, { recursive: true });
            return inner.readShare(index, shnum, range, options);
          },
          close: () => inner.close(),
        });
      },
    });
    expectBytes(await client.open(file.cap).read(), contents);
    expect(deleted).toBeGreaterThan(0);
    expect(await real.sharesOf(position, storageIndexOf(file.cap))).toEqual([]);
    const outcome = await client.open(file.cap).overwrite(contents);
    expect(outcome).toMatchObject({ seqnum: 2, missing: [] });
    await expectContents(file, contents);
  },
);

test('with too few servers left a write fails, says so, and the file stays readable', async () => {
  const first = bytesOf(50_000, 1);
  const second = bytesOf(50_000, 2);
  const file = await healthy.create({ contents: first });
  const relay = await relayTo(1);
  await relay.close();
  opened.pop();
  // Nobody listens there.
  const gone = (entry: GridEntry) => server(entry, (nurl) => relay.nurl(nurl));
  const client = grid(Object.fromEntries(Array.from({ length: 7 }, (_, i) => [i, gone])));
  // Known before anything was sent to the six that are left.
  await expect(client.open(file.cap).overwrite(second)).rejects.toMatchObject({
    code: 'NotEnoughServersError',
    message: expect.stringMatching(
      /^version 2 reached 0 of the 7 servers it needs; no answer before from (v0-\w+, ){2}v0-\w+ and 4 more: /,
    ),
  });
  await expectContents(file, first);
  await healthy.open(file.cap).overwrite(second);
  await expectContents(file, second);
});

test('a hung server costs an overwrite no more than the deadline, which follows the others', async () => {
  const { file, position } = await newFile('mdmf', bytesOf(100_000));
  const timed = async (client: Grid): Promise<number> => {
    const start = performance.now();
    const outcome = await client.open(file.cap).overwrite(bytesOf(100_000, 2));
    expect(outcome.missing).toEqual([]);
    return performance.now() - start;
  };
  const healthyMs = Math.max(await timed(healthy), await timed(healthy), await timed(healthy));

  const relay = await relayTo(real.servers[position]!.port);
  relay.mode = 'hang';
  let slowestMs = 0;
  const onLatency = (ms: number): void => {
    slowestMs = Math.max(slowestMs, ms);
  };
  const watched = ({ nurls, ...entry }: GridEntry, at: number): StorageServer =>
    new HttpServer({
      ...entry,
      nurls: tcpNurls(at === position ? nurls.map((nurl) => relay.nurl(nurl)) : nurls),
      onLatency,
    });
  const client = new Grid({ servers: entries.map(watched), inspect });
  opened.push(client);
  const hungMs = await timed(client);
  // The rule of `runtime/pace.ts`.
  const deadlineMs = Math.max(withSpare.minMs, withSpare.factor * slowestMs);
  expect(hungMs).toBeGreaterThan(withSpare.minMs);
  // New connections, and a machine that others use too: some room, far below any fixed deadline.
  expect(hungMs).toBeLessThan(deadlineMs + 4 * healthyMs + 1000);
  expect(bestVersion(await healthy.open(file.cap).servermap())?.seqnum).toBe(5);
});
