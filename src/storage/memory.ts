/**
 * @module memory: a storage server in memory, for tests, the simulator and the browser.
 *
 * Behaves as Tahoe's (docs/format.md §6); its disk is a {@link MemoryDisk}, of which its users see
 * nothing.
 */
import { requireFunction } from '../arguments.ts';
import { toBase32 } from '../bytes.ts';
import { NoSuchShareError, ServerUnavailableError } from '../errors.ts';
import { Turns } from '../turns.ts';
import { CheckedServer } from './checked-server.ts';
import { renewOrAddLease } from './container.ts';
import { type IdentityOptions, identityOf } from './identity.ts';
import { MemoryDisk, type Slot, type StoredShare } from './memory-disk.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ServerId,
  ShareKind,
  WriteSecrets,
} from './server.ts';
import {
  cutRange,
  type HeldShare,
  judge,
  planChanges,
  produceParts,
  type ShareRewrite,
} from './slot.ts';

/** What a server in memory is called. */
export interface MemoryServerOptions extends IdentityOptions {
  /** Unix time in seconds, for the expiry of leases. */
  readonly now?: (() => number) | undefined;
}

/** The disk of a server. No part of the package exports this: it is for tests and the simulator. */
export let diskOf: (server: MemoryServer) => MemoryDisk;

/**
 * A {@link StorageServer} that keeps its shares in memory.
 *
 * @example
 * ```ts
 * import { Grid, MemoryServer } from 'tahoe-mutable';
 *
 * const server = new MemoryServer({ id: 'only' });
 * const grid = new Grid({ servers: [server], encoding: { required: 1, happy: 1, total: 1 } });
 * ```
 */
export class MemoryServer extends CheckedServer {
  static {
    diskOf = (server) => server.#disk;
  }

  /** As it was given. */
  readonly id: ServerId;
  readonly nickname: string;
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;

  readonly #now: () => number;
  readonly #disk: MemoryDisk;
  readonly #turns = new Turns();

  constructor(options: MemoryServerOptions) {
    super();
    const { id, nickname, tubId, permutationSeed } = identityOf(options);
    const { now = () => Date.now() / 1000 } = options;
    requireFunction('now', now);
    this.id = id;
    this.nickname = nickname;
    this.tubId = tubId;
    this.permutationSeed = permutationSeed;
    this.#now = now;
    this.#disk = new MemoryDisk(this.id);
  }

  protected async doListShares(
    kind: ShareKind,
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    signal?.throwIfAborted();
    return this.#disk.sharesOf(storageIndex, kind);
  }

  protected async doReadShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    signal: AbortSignal | undefined,
    into: Uint8Array | undefined,
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const data = this.#disk.dataOf(storageIndex, shnum, kind);
    if (data === undefined) throw new NoSuchShareError(this.id, shnum);
    return copyOf(data, range, into);
  }

  protected async doReadTestWrite(
    storageIndex: Uint8Array,
    request: ReadTestWriteRequest,
    signal: AbortSignal | undefined,
  ): Promise<ReadTestWriteAnswer> {
    const key = toBase32(storageIndex);
    return this.#turns.run(key, signal, async () => {
      const held = heldShares(this.#slot(storageIndex));
      const answer = await judge(this.id, held, request);
      if (answer.wrote) await this.#write(key, held, request, signal);
      return answer;
    });
  }

  protected async doAddLease(
    storageIndex: Uint8Array,
    secrets: Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const key = toBase32(storageIndex);
    return this.#turns.run(key, signal, async () => {
      const slot = [...this.#slot(storageIndex)];
      this.#disk.setSlot(
        key,
        new Map(slot.map(([shnum, share]) => [shnum, this.#leased(share, secrets)])),
      );
      const immutable = this.#disk.immutablesOf(storageIndex);
      for (const share of immutable) share.leases = this.#leased(share, secrets).leases;
      return slot.length + immutable.length > 0;
    });
  }

  protected async doAdviseCorruptShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    signal?.throwIfAborted();
    if (this.#disk.dataOf(storageIndex, shnum, kind) === undefined) return;
    this.#disk.advisories.push({ storageIndex: storageIndex.slice(), shnum, reason });
  }

  /** Builds every new share first, then shows them all at once. */
  async #write(
    key: string,
    held: ReadonlyMap<number, StoredShare & HeldShare>,
    request: ReadTestWriteRequest,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const changed = new Map<number, StoredShare | undefined>();
    for (const [shnum, change] of planChanges(held, request.shares)) {
      if (change.kind === 'delete') {
        changed.set(shnum, undefined);
        continue;
      }
      const old = held.get(shnum);
      const data = await this.#rewritten(old?.data, change, signal);
      const writeEnabler = old?.writeEnabler ?? request.secrets.writeEnabler.slice();
      changed.set(
        shnum,
        this.#leased({ writeEnabler, data, leases: old?.leases ?? [] }, request.secrets),
      );
    }
    // The disk may have lost a share while the parts were produced.
    const slot = new Map(this.#disk.slot(key));
    for (const [shnum, share] of changed) {
      if (share === undefined) slot.delete(shnum);
      else slot.set(shnum, share);
    }
    this.#disk.setSlot(key, slot);
  }

  async #rewritten(
    old: Uint8Array | undefined,
    change: ShareRewrite,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const data = this.#allocate(change.length);
    if (old !== undefined) data.set(old.subarray(0, change.length));
    for await (const { offset, bytes } of produceParts(change, signal)) data.set(bytes, offset);
    return data;
  }

  #allocate(length: number): Uint8Array {
    try {
      return new Uint8Array(length);
    } catch (cause) {
      throw new ServerUnavailableError(this.id, `no memory for ${length} bytes`, { cause });
    }
  }

  #leased<Share extends Pick<StoredShare, 'leases'>>(
    share: Share,
    secrets: Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>,
  ): Share {
    const request = { version: 2, secrets, nodeId: this.tubId, now: this.#now() } as const;
    return { ...share, leases: renewOrAddLease(share.leases, request) };
  }

  #slot(storageIndex: Uint8Array): Slot {
    return this.#disk.slot(toBase32(storageIndex));
  }
}

function heldShares(slot: Slot): ReadonlyMap<number, StoredShare & HeldShare> {
  return new Map(
    [...slot].map(([shnum, share]) => [
      shnum,
      { ...share, length: share.data.length, read: async (range) => copyOf(share.data, range) },
    ]),
  );
}

function copyOf(data: Uint8Array, range: ByteRange, into?: Uint8Array): Uint8Array {
  const { offset, length } = cutRange(range, data.length);
  if (into === undefined) return data.slice(offset, offset + length);
  into.set(data.subarray(offset, offset + length));
  return into.subarray(0, length);
}
