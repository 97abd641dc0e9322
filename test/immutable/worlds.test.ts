/**
 * An immutable file in worlds that a seed chooses: servers that hang, fail, lie or go in the middle,
 * shares that rot or move, messages in any order. A read gives the file's bytes or a typed error,
 * and the file wherever k good shares can be had; a look finds each share as it is.
 *
 * `SCHEDULE_SEED=<seed>` plays a world again, `WORLDS=<n>` plays so many.
 */
import { expect, test } from 'vitest';
import type { Place } from '../../machines/servermap.ts';
import { concatBytes } from '../../src/bytes.ts';
import { NotEnoughSharesError, UnrecoverableFileError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { immutableStorageIndexOf } from '../../src/immutable/caps.ts';
import { VirtualClock } from '../../src/simulation/clock.ts';
import { type Envelope, Network, RemoteServer } from '../../src/simulation/network.ts';
import { Platform } from '../../src/simulation/platform.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import { type ChkFile, chkContents, encodeChk } from '../support/chk.ts';
import { scheduleSeed } from '../support/schedule.ts';

const worlds = Number(process.env.WORLDS ?? 200);

const files: readonly ChkFile[] = await Promise.all([
  encodeChk(chkContents(1), { required: 1, total: 2 }),
  encodeChk(chkContents(700), { required: 2, total: 4, segmentSizeMax: 100 }),
  encodeChk(chkContents(2000), { required: 3, total: 5, segmentSizeMax: 500 }),
  // More than the first read of a share.
  encodeChk(chkContents(9000), { required: 1, total: 3, segmentSizeMax: 3000, layout: 2 }),
]);

/** What becomes of messages to a server. */
type Manner = 'honest' | 'hung' | 'tired' | 'gone' | 'failing' | 'lying' | 'hiding';
const manners: readonly Manner[] = ['hung', 'tired', 'gone', 'failing', 'lying', 'hiding'];

interface Server {
  readonly disk: MemoryServer;
  readonly manner: Manner;
  /** Requests after which one that tires says no more. */
  patience: number;
}

/** A byte that counts is another one, or the share ends before. */
function rotten(share: Uint8Array, prng: Prng): Uint8Array {
  if (prng.chance(0.3)) return share.slice(0, prng.below(share.length));
  const copy = share.slice();
  // The first block, or the URI extension: there are bytes that nobody looks at, too.
  const data = copy[3] === 1 ? 36 : 68;
  copy[prng.pick([data, copy.length - 5])]! ^= 0x10;
  return copy;
}

class ImmutableWorld {
  readonly prng: Prng;
  readonly file: ChkFile;
  readonly servers: ReadonlyMap<string, Server>;
  readonly grid: Grid;
  readonly rotten = new Set<string>();
  readonly #clock = new VirtualClock();
  readonly #platform: Platform;
  readonly #network: Network;

  constructor(seed: number) {
    this.prng = new Prng(seed);
    const { prng } = this;
    this.file = prng.pick(files);
    this.#platform = new Platform((length) => prng.bytes(length));
    const trouble = prng.pick([0, 0.2, 0.5]);
    this.servers = new Map(
      Array.from({ length: 2 + prng.below(5) }, (_, i) => {
        const manner = prng.chance(trouble) ? prng.pick(manners) : 'honest';
        const disk = new MemoryServer({ id: `s${i}` });
        return [`s${i}`, { disk, manner, patience: prng.below(8) }];
      }),
    );
    const nothing = () => {};
    this.#network = new Network({
      ...{ onSent: nothing, onRefused: nothing, onAbandoned: nothing, onAdvised: nothing },
      isDown: (id) => this.servers.get(id)!.manner === 'gone',
      isDead: () => false,
      isDeaf: prng.chance(0.2),
    });
    this.#place(prng.pick([0, 0.1, 0.4]));
    const faces = [...this.servers.values()].map(
      ({ disk }) => new RemoteServer(disk, this.#network, () => 'r'),
    );
    const { primitives } = this.#platform;
    const clock = this.#clock.for('r');
    const engine = { clock, now: () => this.#clock.now, random: prng.random, primitives };
    // Every byte in its own request, or many in one.
    const headLength = prng.pick([500, 4000]);
    this.grid = new Grid({ servers: faces, headLength, ...engine } as never);
  }

  #place(rot: number): void {
    const { prng } = this;
    const ids = [...this.servers.keys()];
    for (const [shnum, share] of this.file.shares.entries()) {
      for (let copies = prng.pick([0, 1, 1, 1, 2]); copies > 0; copies--) {
        const id = prng.pick(ids);
        const isRotten = prng.chance(rot);
        const bytes = isRotten ? rotten(share, prng) : share;
        // A second copy on one server takes the place of the first.
        this.rotten.delete(`${id} ${shnum}`);
        if (isRotten) this.rotten.add(`${id} ${shnum}`);
        diskOf(this.servers.get(id)!.disk).setImmutable(this.#index, shnum, bytes);
      }
    }
  }

  get #index(): Uint8Array {
    return immutableStorageIndexOf(this.file.cap);
  }

  /** What servers of this manner hold, rotten or not. */
  async held(isMeant: (server: Server) => boolean): Promise<readonly Place[]> {
    const places = [...this.servers].map(async ([server, it]) => {
      const shnums = isMeant(it) ? await it.disk.immutable.listShares(this.#index) : [];
      return shnums.map((shnum) => ({ server, shnum }));
    });
    return (await Promise.all(places)).flat();
  }

  isRotten = ({ server, shnum }: Place) => this.rotten.has(`${server} ${shnum}`);

  /** Delivers in any order until `work` is over; time passes when nothing else can happen. */
  async play<T>(work: Promise<T>): Promise<T | Error> {
    let result: T | Error | undefined;
    work.then(
      (value) => (result = value),
      (error: Error) => (result = error),
    );
    const settle = () => this.#platform.settle();
    await settle();
    for (let steps = 0; result === undefined; steps++) {
      if (steps > 3000) throw new Error('it does not end');
      const messages = this.#network.inFlight.filter((it) => this.#isAnswered(it));
      if (messages.length > 0) await this.#deliver(this.prng.pick(messages));
      else await this.#clock.advanceTo(this.#clock.nextDue as number, settle, () => {});
      await settle();
    }
    return result;
  }

  #isAnswered({ server }: Envelope): boolean {
    const { manner, patience } = this.servers.get(server)!;
    return manner !== 'hung' && (manner !== 'tired' || patience > 0);
  }

  async #deliver(message: Envelope): Promise<void> {
    const server = this.servers.get(message.server)!;
    server.patience--;
    if (server.manner === 'failing' && this.prng.chance(0.5)) {
      return this.#network.breakOff(message);
    }
    const answer = await message.execute().then(
      (value) => ({ ok: true, value: this.#spoilt(value, server) }) as const,
      (error) => ({ ok: false, error }) as const,
    );
    this.#network.remove(message);
    message.settle(answer);
  }

  #spoilt(value: unknown, { manner }: Server): unknown {
    const { prng } = this;
    if (Array.isArray(value)) {
      if (manner === 'hiding') return value.filter(() => prng.chance(0.5));
      return manner === 'lying' && prng.chance(0.3) ? [...value, prng.below(7)] : value;
    }
    const bytes = value as Uint8Array;
    if (manner !== 'lying' || bytes.length === 0) return bytes;
    const copy = bytes.slice();
    copy[prng.below(copy.length)]! ^= 1 << prng.below(8);
    return copy;
  }
}

const isHonest = ({ manner }: Server) => manner === 'honest';
const numbersOf = (places: readonly Place[]) => new Set(places.map(({ shnum }) => shnum));

async function reads(seed: number): Promise<boolean> {
  const world = new ImmutableWorld(seed);
  const { prng, grid, file } = world;
  const { size, required } = file.cap;
  const offset = prng.chance(0.5) ? 0 : prng.below(size);
  const pieces: Uint8Array[] = [];
  const stream = grid.openImmutable(file.cap).stream({ offset });
  const end = await world.play(
    (async () => {
      for await (const piece of stream) pieces.push(piece);
      return 'delivered';
    })(),
  );
  const given = concatBytes(...pieces);
  const wanted = chkContents(size).subarray(offset);
  expect(Buffer.compare(given, wanted.subarray(0, given.length))).toBe(0);
  const good = (await world.held(isHonest)).filter((place) => !world.isRotten(place));
  if (numbersOf(good).size >= required) expect(end).toBe('delivered');
  if (end === 'delivered') expect(given.length).toBe(wanted.length);
  else expect([UnrecoverableFileError, NotEnoughSharesError]).toContain((end as Error).constructor);
  return end === 'delivered';
}

async function looks(seed: number): Promise<boolean> {
  const world = new ImmutableWorld(seed);
  const { grid, file } = world;
  const found = await world.play(grid.openImmutable(file.cap).verify());
  if (found instanceof Error) throw found;
  const { good, bad, map, isHealthy, isRecoverable } = found;
  const nameOf = ({ server, shnum }: Place) => `${server} ${shnum}`;
  const named = (places: readonly Place[]) => new Set(places.map(nameOf));
  // Honest servers: each share is what it is.
  const honest = await world.held(isHonest);
  const [goods, bads] = [named(good), named(bad)];
  for (const place of honest) {
    expect([nameOf(place), goods.has(nameOf(place)), bads.has(nameOf(place))]).toEqual([
      ...[nameOf(place), !world.isRotten(place), world.isRotten(place)],
    ]);
  }
  // And of nobody is a share called good that is not.
  const all = await world.held(() => true);
  const sound = named(all.filter((place) => !world.isRotten(place)));
  expect([...goods].filter((name) => !sound.has(name))).toEqual([]);
  // Who does not answer is named.
  for (const [id, { manner }] of world.servers) {
    const status = map.servers.find((server) => server.id === id)?.status;
    if (manner === 'hung' || manner === 'gone') expect([id, status]).toEqual([id, 'failed']);
    if (manner === 'honest') expect([id, status]).not.toEqual([id, 'failed']);
  }
  const { required, total } = file.cap;
  expect(isRecoverable).toBe(numbersOf(good).size >= required);
  expect(isHealthy).toBe(bad.length === 0 && numbersOf(good).size === total);
  return isHealthy;
}

test.each([
  ['reads', reads],
  ['looks', looks],
])(
  `%s in ${worlds} worlds, SCHEDULE_SEED=${scheduleSeed}`,
  async (_, play) => {
    const ends = new Set<boolean>();
    for (let seed = scheduleSeed; seed < scheduleSeed + worlds / 2; seed++) {
      const end = await play(seed).catch((error) => {
        throw new Error(`SCHEDULE_SEED=${seed} WORLDS=2: ${error.message}`, { cause: error });
      });
      ends.add(end);
    }
    // Worlds are neither all well nor all lost.
    if (worlds >= 100) expect(ends.size).toBe(2);
  },
  60_000 + 200 * worlds,
);
