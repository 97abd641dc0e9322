/**
 * @module scheduled-grid: servers in memory whose every answer is held until a {@link Scheduler}
 * delivers it, and files that are put on them without a word.
 *
 * Servers are called `s0`, `s1`, … in the permuted order of the file, so tests say where a share is
 * by its place in that order, and labels of calls read the same.
 */
import type { AnyActorRef } from 'xstate';
import { updateMachineFor } from '../../machines/historic-rules.ts';
import type { Rule } from '../../machines/rules.ts';
import type { Servermap } from '../../machines/servermap.ts';
import { utf8 } from '../../src/bytes.ts';
import { storageIndexOf, type WriteCap } from '../../src/caps.ts';
import type { Encoding } from '../../src/encoding.ts';
import { Grid, type InternalGridOptions } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { permutedServers } from '../../src/permute.ts';
import { parseShareHeader } from '../../src/share/header.ts';
import type { ShareField } from '../../src/share/layout.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import type { ByteRange, CallOptions, StorageServer } from '../../src/storage/server.ts';
import { memoryServers, putShare, testKey } from './client-grid.ts';
import { type Call, Scheduler } from './scheduler.ts';

/** A file as its shares, to be put on any grid. */
export interface StoredFile {
  readonly cap: WriteCap;
  readonly format: 'sdmf' | 'mdmf';
  readonly encoding: Encoding;
  readonly contents: Uint8Array;
  /** By share number, whole. */
  readonly shares: readonly Uint8Array[];
}

/**
 * A version of a file with the test key; every version after the first overwrites the one before.
 */
export async function storedFile(
  format: 'sdmf' | 'mdmf',
  {
    required,
    total,
    happy = Math.min(7, total),
  }: Pick<Encoding, 'required' | 'total'> & Partial<Encoding>,
  ...versions: readonly [Uint8Array, ...Uint8Array[]]
): Promise<StoredFile> {
  const encoding = { required, happy, total };
  const servers = memoryServers(total);
  const [first, ...later] = versions;
  const grid = new Grid({ servers, encoding });
  const file = await grid.create({ format, contents: first, key: testKey });
  for (const contents of later) await file.overwrite(contents);
  const cap = file.cap as WriteCap;
  const index = storageIndexOf(cap);
  const shares = Array.from({ length: total }, (_, shnum) => {
    const holder = servers.find((server) => server.sharesOf(index).includes(shnum));
    return holder?.shareBytes(index, shnum) as Uint8Array;
  });
  return { cap, format, encoding, contents: versions.at(-1) as Uint8Array, shares };
}

interface ClientOptions extends Partial<InternalGridOptions> {
  readonly name?: string;
  /** Of its servermap updates: `ours` by default. */
  readonly rule?: Rule;
}

/** Which shares each server holds, by place. */
export type Layout = readonly (readonly number[])[];

/** Share n on server n, as Tahoe places them on a fresh grid. */
export function oneEach(total: number): Layout {
  return Array.from({ length: total }, (_, shnum) => [shnum]);
}

/** A finished servermap, with every share that a server had reported by then. */
interface RecordedMap {
  readonly map: Servermap;
  readonly reported: readonly { readonly server: string; readonly shnum: number }[];
}

/** A client of its own: its grid, and what it saw. */
export interface Client {
  readonly grid: Grid;
  readonly file: MutableFile;
  /** In the order in which they were finished. */
  readonly maps: readonly RecordedMap[];
}

export class ScheduledGrid {
  readonly scheduler = new Scheduler();
  readonly servers: readonly MemoryServer[];
  readonly #file: StoredFile;
  readonly #index: Uint8Array;

  constructor(file: StoredFile, serverCount: number) {
    this.#file = file;
    this.#index = storageIndexOf(file.cap);
    this.servers = serversInOrder(this.#index, serverCount);
  }

  /** A grid that holds `file` in `layout`. */
  static async holding(
    file: StoredFile,
    serverCount: number,
    layout: Layout = oneEach(file.encoding.total),
  ): Promise<ScheduledGrid> {
    const grid = new ScheduledGrid(file, serverCount);
    await grid.put(file, layout);
    return grid;
  }

  /** Puts shares on servers. */
  async put({ shares }: Pick<StoredFile, 'shares'>, layout: Layout): Promise<void> {
    for (const [place, shnums] of layout.entries()) {
      const server = this.servers[place] as MemoryServer;
      for (const shnum of shnums) {
        await putShare(server, this.#file.cap, shnum, shares[shnum] as Uint8Array);
      }
    }
  }

  /** Flips the lowest bit of the byte at `at` in a field of a share. */
  corrupt(place: number, shnum: number, field: ShareField | 'header', at = 0): void {
    const server = this.servers[place] as MemoryServer;
    const share = server.shareBytes(this.#index, shnum) as Uint8Array;
    const offset = at + (field === 'header' ? 0 : parseShareHeader(share).layout[field].offset);
    server.overwriteShare(this.#index, shnum, offset, Uint8Array.of((share[offset] as number) ^ 1));
  }

  /** What each server holds, by place, as sequence numbers per share number. */
  holdings(): readonly Readonly<Record<number, number>>[] {
    return this.servers.map((server) =>
      Object.fromEntries(
        server.sharesOf(this.#index).map((shnum) => {
          const share = server.shareBytes(this.#index, shnum) as Uint8Array;
          return [shnum, parseShareHeader(share).seqnum];
        }),
      ),
    );
  }

  /** A client whose calls are held; with a `name`, its labels begin with it. */
  client({ name, rule = 'ours', ...options }: ClientOptions = {}): Client {
    const maps: RecordedMap[] = [];
    let reported: { server: string; shnum: number }[] = [];
    const prefix = name === undefined ? '' : `${name}/`;
    const held = this.servers.map((server) =>
      heldServer(server, this.scheduler, `${prefix}${server.id}`, (shnums) => {
        reported.push(...shnums.map((shnum) => ({ server: server.id, shnum })));
      }),
    );
    const all: InternalGridOptions = {
      machines: { servermapUpdate: updateMachineFor(rule) },
      servers: held,
      encoding: this.#file.encoding,
      clock: this.scheduler.clock,
      now: () => this.scheduler.clock.now,
      random: () => 0.5,
      inspect: (event) => {
        if (event.type !== '@xstate.snapshot' || event.snapshot.status !== 'done') return;
        if ((event.actorRef as AnyActorRef).id !== 'servermapUpdate') return;
        maps.push({ map: event.snapshot.output as Servermap, reported });
        reported = [];
      },
      ...options,
    };
    const grid = new Grid(all);
    return { grid, file: grid.open(this.#file.cap), maps };
  }

  /** The shares of these numbers, each from the first server that holds it. */
  shares(shnums: readonly number[]): ReadonlyMap<number, Uint8Array> {
    const bytesOf = (shnum: number) =>
      this.servers
        .find((server) => server.sharesOf(this.#index).includes(shnum))
        ?.shareBytes(this.#index, shnum) as Uint8Array;
    return new Map(shnums.map((shnum) => [shnum, bytesOf(shnum)]));
  }

  /** A client to whom everything happens at once: for looking at what a test has left behind. */
  observer(): MutableFile {
    return new Grid({ servers: this.servers, encoding: this.#file.encoding }).open(this.#file.cap);
  }
}

/** Servers whose names follow their permuted order for this file. */
function serversInOrder(storageIndex: Uint8Array, count: number): readonly MemoryServer[] {
  const seeds = Array.from({ length: count }, (_, i) => ({
    id: '',
    permutationSeed: utf8(`seed ${i}`),
  }));
  return permutedServers(seeds, storageIndex).map(
    ({ permutationSeed }, i) => new MemoryServer({ id: `s${i}`, permutationSeed, now: () => 0 }),
  );
}

/** `server`, its calls held. `label` begins theirs; `onListed` is told what a listing answered. */
function heldServer(
  server: MemoryServer,
  scheduler: Scheduler,
  label: string,
  onListed: (shnums: readonly number[]) => void,
): StorageServer {
  const { id, nickname, tubId, permutationSeed } = server;
  const hold = <T>(
    index: Uint8Array,
    kind: Call['kind'],
    what: string,
    perform: () => Promise<T>,
    options: CallOptions | undefined,
  ): Promise<T> => {
    const hasShares = server.sharesOf(index).length > 0;
    const call = { label: `${label}:${what}`, server: id, kind, hasShares };
    return scheduler.hold(call, perform, options?.signal);
  };
  return {
    id,
    nickname,
    tubId,
    permutationSeed,
    listShares: (index, options) =>
      hold(
        index,
        'list',
        'list',
        async () => {
          const shnums = await server.listShares(index);
          onListed(shnums);
          return shnums;
        },
        options,
      ),
    readShare: async (index, shnum, range, options) => {
      const what = `sh${shnum}:${await fieldAt(server, index, shnum, range)}`;
      return hold(index, 'read', what, () => server.readShare(index, shnum, range), options);
    },
    readTestWrite: (index, request, options) => {
      const what = [...request.shares.keys()].map((shnum) => `sh${shnum}`).join('+');
      const perform = () => server.readTestWrite(index, request);
      return hold(index, 'write', `${what}:write`, perform, options);
    },
    addLease: (index, secrets, options) =>
      hold(index, 'lease', 'lease', () => server.addLease(index, secrets), options),
    adviseCorruptShare: (index, shnum, reason, options) =>
      hold(
        index,
        'advise',
        `sh${shnum}:advise`,
        () => server.adviseCorruptShare(index, shnum, reason),
        options,
      ),
  };
}

/** What a read is about: `head`, or the field that it begins in. */
async function fieldAt(
  server: MemoryServer,
  index: Uint8Array,
  shnum: number,
  { offset }: ByteRange,
): Promise<string> {
  if (offset === 0) return 'head';
  try {
    const header = await server.readShare(index, shnum, { offset: 0, length: 123 });
    const fields = Object.entries(parseShareHeader(header).layout).filter(
      (entry): entry is [ShareField, ByteRange] => entry[0] !== 'end',
    );
    const field = fields.find(([, at]) => at.offset <= offset && offset < at.offset + at.length);
    return field?.[0] ?? `@${offset}`;
  } catch {
    return `@${offset}`;
  }
}
