/**
 * @module disks: the servers of a simulated grid and the shares on them, and what disks do to
 * shares.
 *
 * Every change of a slot is recorded, whoever made it. They run while the world moves.
 */
import { equalBytes, utf8 } from '../bytes.ts';
import type { Encoding } from '../encoding.ts';
import { permutedServers } from '../permute.ts';
import { headerIn } from '../share/field-at.ts';
import { diskOf, MemoryServer } from '../storage/memory.ts';
import type { ServerId } from '../storage/server.ts';
import { contentsOf, directoryOf } from './contents.ts';
import {
  describeShare,
  nameOf,
  plant,
  type RotField,
  rot,
  type SimulatedFile,
  sharesOf,
} from './disk.ts';
import { Memory } from './platform.ts';
import type {
  Choice,
  ServerSpec,
  ShareSpec,
  SimulatedServer,
  WorldOptions,
  WorldRecord,
} from './world-types.ts';

/** What a server held, by share number. */
export type Held = ReadonlyMap<number, Uint8Array | undefined>;

export class Disks {
  readonly servers: readonly SimulatedServer[];
  readonly #file: SimulatedFile;
  readonly #options: WorldOptions;
  /** Of the planted versions. */
  readonly #encoding: Pick<Encoding, 'required' | 'total'>;
  readonly #record: (record: WorldRecord) => void;
  /** What was planted, by seqnum, series and contents. */
  readonly #versions = new Memory<readonly Uint8Array[]>();

  constructor(
    file: SimulatedFile,
    options: WorldOptions,
    encoding: Pick<Encoding, 'required' | 'total'>,
    now: () => number,
    record: (record: WorldRecord) => void,
  ) {
    this.#file = file;
    this.#options = options;
    this.#encoding = options.fileEncoding ?? encoding;
    this.#record = record;
    this.servers = makeServers(options, file, now);
  }

  server(id: ServerId): SimulatedServer {
    const server = this.servers.find((s) => s.id === id);
    if (server === undefined) throw new RangeError(`there is no server ${id}`);
    return server;
  }

  bytes(id: ServerId, shnum: number): Uint8Array | undefined {
    return diskOf(this.server(id).store).shareBytes(this.#file.storageIndex, shnum);
  }

  /** Puts every share where the options want it. */
  async plant(): Promise<void> {
    for (const [i, spec] of this.#options.servers.entries()) {
      const server = this.servers[i] as SimulatedServer;
      for (const share of spec.shares ?? []) {
        await this.#plantShare(server, typeof share === 'number' ? { shnum: share } : share);
      }
    }
  }

  async #plantShare(server: SimulatedServer, about: ShareSpec): Promise<void> {
    const { shnum, seqnum = 1, series = 0, rot: field, isForeign = false } = about;
    const bytes = await this.#make(shnum, seqnum, series, `v${seqnum}`);
    const enabler = isForeign ? ([new Uint8Array(32)] as const) : [];
    await plant(this.#file, server.store, shnum, bytes, ...enabler);
    if (field === undefined) return void server.shares.set(shnum, nameOf(bytes));
    rot(this.#file, server.store, shnum, field);
    const planted = this.bytes(server.id, shnum) as Uint8Array;
    server.shares.set(shnum, await describeShare(this.#file, shnum, planted));
  }

  async #make(shnum: number, seqnum: number, series: number, word: string): Promise<Uint8Array> {
    const made = await this.#versions.of([seqnum, series, word].join(), async () => {
      const { size, contents: given, isDirectory } = this.#options;
      const words = isDirectory ? directoryOf([word]) : contentsOf([word], size);
      const contents = given?.(seqnum, series) ?? words;
      const { required, total } = this.#encoding;
      return sharesOf(this.#file, { seqnum, series, required, total, contents });
    });
    return made[shnum] as Uint8Array;
  }

  /** All that a server holds, to be compared with later. */
  held({ id, shares }: SimulatedServer): Held {
    return new Map([...shares.keys()].map((shnum) => [shnum, this.bytes(id, shnum)]));
  }

  /** Records what has changed on a server since it held `before`. */
  async compare(server: SimulatedServer, before: Held, operation: string | null): Promise<void> {
    const { id, shares, history } = server;
    const numbers = diskOf(server.store).sharesOf(this.#file.storageIndex);
    for (const shnum of new Set([...before.keys(), ...numbers])) {
      const old = before.get(shnum);
      const bytes = this.bytes(id, shnum);
      if (old === bytes || (old && bytes && equalBytes(old, bytes))) continue;
      const was = shares.get(shnum) ?? null;
      const is = bytes === undefined ? null : await describeShare(this.#file, shnum, bytes);
      if (is === null) shares.delete(shnum);
      else shares.set(shnum, is);
      history.push({ shnum, bytes: old });
      this.#record({ kind: 'place', server: id, shnum, before: was, after: is, operation });
    }
  }

  /** The last change never got to the disk. */
  async rollBack(server: SimulatedServer): Promise<void> {
    const last = server.history.pop();
    if (last !== undefined) await this.#put(server, last.shnum, last.bytes);
  }

  async #put(server: SimulatedServer, shnum: number, bytes: Uint8Array | undefined): Promise<void> {
    const before = this.held(server);
    if (bytes === undefined) diskOf(server.store).deleteShare(this.#file.storageIndex, shnum);
    else await plant(this.#file, server.store, shnum, bytes);
    await this.compare(server, before, null);
  }

  /** Does to one share what `choice` says. */
  async spoil({ kind, server: id, shnum: number, field, to }: Choice): Promise<void> {
    const server = this.server(id as ServerId);
    const shnum = number as number;
    const bytes = this.bytes(server.id, shnum) as Uint8Array;
    switch (kind) {
      case 'rot': {
        const before = this.held(server);
        rot(this.#file, server.store, shnum, field as RotField);
        return this.compare(server, before, null);
      }
      case 'truncate':
        return this.#put(server, shnum, bytes.subarray(0, Math.floor(bytes.length / 2)));
      case 'delete':
        return this.#put(server, shnum, undefined);
      case 'stale': {
        const earlier = server.history.findLast((change) => change.shnum === shnum);
        return this.#put(server, shnum, earlier?.bytes);
      }
      case 'alien':
        return this.#put(server, shnum, Uint8Array.of(2, ...bytes.subarray(1)));
      case 'newer':
        return this.#put(server, shnum, await this.#make(shnum, this.#seqnumAbove(), 7, 'lost'));
      case 'move':
        await this.#put(server, shnum, undefined);
    }
    if (to !== undefined) await this.#put(this.server(to), shnum, bytes);
  }

  /** Above every version that is there. */
  #seqnumAbove(): number {
    const seqnums = this.servers.flatMap(({ id, shares }) =>
      [...shares.keys()].map((n) => headerIn(this.bytes(id, n) as Uint8Array)?.seqnum ?? 0),
    );
    return Math.max(0, ...seqnums) + 1;
  }
}

/** The fields that were planted damaged, by share number; not every damage shows in what is held. */
export function rottenIn({ shares = [] }: ServerSpec = {}): Readonly<Record<number, RotField>> {
  return Object.fromEntries(
    shares.flatMap((share) =>
      typeof share === 'number' || share.rot === undefined ? [] : [[share.shnum, share.rot]],
    ),
  );
}

/** s0, s1… with seeds that put them in this order for the file. */
function makeServers(
  { servers }: WorldOptions,
  { storageIndex }: SimulatedFile,
  now: () => number,
): readonly SimulatedServer[] {
  const seeds = servers.map((_, i) => ({ id: `seed ${i}`, permutationSeed: utf8(`seed ${i}`) }));
  return permutedServers(seeds, storageIndex).map(({ permutationSeed }, i) => {
    const id = `s${i}`;
    return {
      id,
      store: new MemoryServer({ id, permutationSeed, now }),
      isUp: true,
      isKnown: !(servers[i]?.joinsLater ?? false),
      isPartitioned: false,
      isMute: false,
      shares: new Map(),
      history: [],
    };
  });
}
