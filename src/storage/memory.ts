/**
 * @module memory: a storage server in memory, for tests, the simulator and the browser.
 *
 * Behaves as Tahoe's (docs/format.md §6); what it lacks is a disk. Beyond the interface it lets
 * a test look at what it holds and do to it what a failing disk would.
 */
import { toBase32, utf8 } from '../bytes.ts';
import { sha256d } from '../crypto/hash.ts';
import { NoSuchShareError, ServerUnavailableError } from '../errors.ts';
import { CheckedServer } from './checked-server.ts';
import { type Lease, type LeaseSlots, renewOrAddLease } from './container.ts';
import { TUB_ID_LENGTH } from './request.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ServerId,
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
import { Turns } from './turns.ts';

export interface MemoryServerOptions {
  readonly id: ServerId;
  /** By default the id. */
  readonly nickname?: string;
  /** 20 bytes; by default made from the id. */
  readonly tubId?: Uint8Array;
  /** By default the id as UTF-8. */
  readonly permutationSeed?: Uint8Array;
  /** Unix time in seconds, for the expiry of leases. */
  readonly now?: () => number;
}

/** Somebody told this server that a share is corrupt. */
export interface Advisory {
  readonly storageIndex: Uint8Array;
  readonly shnum: number;
  readonly reason: string;
}

interface StoredShare {
  readonly writeEnabler: Uint8Array;
  readonly data: Uint8Array;
  readonly leases: LeaseSlots;
}

type Slot = ReadonlyMap<number, StoredShare>;

/** A {@link StorageServer} that keeps its shares in memory. */
export class MemoryServer extends CheckedServer {
  readonly id: ServerId;
  readonly nickname: string;
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  /** Every advisory so far, oldest first. */
  readonly advisories: Advisory[] = [];

  readonly #now: () => number;
  readonly #slots = new Map<string, Slot>();
  readonly #turns = new Turns();

  constructor(options: MemoryServerOptions) {
    super();
    this.id = options.id;
    this.nickname = options.nickname ?? options.id;
    this.tubId = options.tubId ?? sha256d(utf8(options.id)).slice(0, TUB_ID_LENGTH);
    this.permutationSeed = options.permutationSeed ?? utf8(options.id);
    this.#now = options.now ?? (() => Date.now() / 1000);
  }

  protected async doListShares(
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    signal?.throwIfAborted();
    return this.sharesOf(storageIndex);
  }

  protected async doReadShare(
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const share = this.#slot(storageIndex).get(shnum);
    if (share === undefined) throw new NoSuchShareError(this.id, shnum);
    return copyOf(share.data, range);
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
  ): Promise<void> {
    const key = toBase32(storageIndex);
    await this.#turns.run(key, signal, async () => {
      const slot = [...this.#slot(storageIndex)];
      this.#setSlot(
        key,
        new Map(slot.map(([shnum, share]) => [shnum, this.#leased(share, secrets)])),
      );
    });
  }

  protected async doAdviseCorruptShare(
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#slot(storageIndex).has(shnum)) return;
    this.advisories.push({ storageIndex: storageIndex.slice(), shnum, reason });
  }

  // --- for tests: looking, and playing the failing disk -------------------------------------

  /** The base32 storage indexes of all slots with a share. */
  get slots(): readonly string[] {
    return [...this.#slots.keys()].sort();
  }

  /** The share numbers held for a slot, ascending. */
  sharesOf(storageIndex: Uint8Array): readonly number[] {
    return [...this.#slot(storageIndex).keys()].sort((a, b) => a - b);
  }

  /** A copy of the share, or of its first `length` bytes. */
  shareBytes(storageIndex: Uint8Array, shnum: number, length?: number): Uint8Array | undefined {
    return this.#slot(storageIndex).get(shnum)?.data.slice(0, length);
  }

  /** The leases on a share, their secrets hashed as in a version 2 container. */
  leasesOf(storageIndex: Uint8Array, shnum: number): readonly Lease[] {
    const leases = this.#slot(storageIndex).get(shnum)?.leases ?? [];
    return leases.filter((lease) => lease !== undefined);
  }

  /** Loses a share, as a disk does: without asking for a write enabler. */
  deleteShare(storageIndex: Uint8Array, shnum: number): void {
    const slot = new Map(this.#slot(storageIndex));
    slot.delete(shnum);
    this.#setSlot(toBase32(storageIndex), slot);
  }

  /**
   * Overwrites bytes of a share, as bit rot does; the share does not grow.
   * @throws NoSuchShareError
   */
  overwriteShare(storageIndex: Uint8Array, shnum: number, offset: number, bytes: Uint8Array): void {
    const share = this.#slot(storageIndex).get(shnum);
    if (share === undefined) throw new NoSuchShareError(this.id, shnum);
    const data = share.data.slice();
    const range = cutRange({ offset, length: bytes.length }, data.length);
    data.set(bytes.subarray(0, range.length), range.offset);
    const slot = new Map(this.#slot(storageIndex)).set(shnum, { ...share, data });
    this.#setSlot(toBase32(storageIndex), slot);
  }

  // --- keeping --------------------------------------------------------------------------------

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
    // The slot may have lost a share (deleteShare) while the parts were produced.
    const slot = new Map(this.#slots.get(key));
    for (const [shnum, share] of changed) {
      if (share === undefined) slot.delete(shnum);
      else slot.set(shnum, share);
    }
    this.#setSlot(key, slot);
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

  #leased(
    share: StoredShare,
    secrets: Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>,
  ): StoredShare {
    const request = { version: 2, secrets, nodeId: this.tubId, now: this.#now() } as const;
    return { ...share, leases: renewOrAddLease(share.leases, request) };
  }

  #slot(storageIndex: Uint8Array): Slot {
    return this.#slots.get(toBase32(storageIndex)) ?? new Map();
  }

  #setSlot(key: string, slot: Slot): void {
    if (slot.size > 0) this.#slots.set(key, slot);
    else this.#slots.delete(key);
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

function copyOf(data: Uint8Array, range: ByteRange): Uint8Array {
  const { offset, length } = cutRange(range, data.length);
  return data.slice(offset, offset + length);
}
