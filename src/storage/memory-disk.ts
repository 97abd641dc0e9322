/**
 * @module memory-disk: what a storage server in memory keeps.
 *
 * It lets tests and the simulator look at the shares, and do to them what a failing disk would.
 */
import { toBase32 } from '../bytes.ts';
import { NoSuchShareError } from '../errors.ts';
import type { Lease, LeaseSlots } from './container.ts';
import type { ServerId, ShareKind } from './server.ts';
import { cutRange } from './slot.ts';

/** Somebody told the server that a share is corrupt. */
export interface Advisory {
  readonly storageIndex: Uint8Array;
  readonly shnum: number;
  readonly reason: string;
}

export interface StoredShare {
  readonly writeEnabler: Uint8Array;
  readonly data: Uint8Array;
  readonly leases: LeaseSlots;
}

export interface ImmutableShare {
  readonly data: Uint8Array;
  leases: LeaseSlots;
}

export type Slot = ReadonlyMap<number, StoredShare>;

export class MemoryDisk {
  /** Every advisory so far, oldest first. */
  readonly advisories: Advisory[] = [];
  readonly #server: ServerId;
  readonly #slots = new Map<string, Slot>();
  /** What it holds of immutable files, by storage index in base32. */
  readonly #immutable = new Map<string, Map<number, ImmutableShare>>();

  constructor(server: ServerId) {
    this.#server = server;
  }

  /** The shares of the slot with this storage index in base32. */
  slot(key: string): Slot {
    return this.#slots.get(key) ?? new Map();
  }

  setSlot(key: string, slot: Slot): void {
    if (slot.size > 0) this.#slots.set(key, slot);
    else this.#slots.delete(key);
  }

  /** The base32 storage indexes of all slots with a share. */
  get slots(): readonly string[] {
    return [...this.#slots.keys()].sort();
  }

  /** The share numbers held for a slot or an immutable file, ascending. */
  sharesOf(storageIndex: Uint8Array, kind: ShareKind = 'mutable'): readonly number[] {
    const key = toBase32(storageIndex);
    const shares = kind === 'mutable' ? this.slot(key) : this.#immutable.get(key);
    return [...(shares?.keys() ?? [])].sort((a, b) => a - b);
  }

  /** The share itself: not to be changed. */
  dataOf(storageIndex: Uint8Array, shnum: number, kind: ShareKind): Uint8Array | undefined {
    const key = toBase32(storageIndex);
    if (kind === 'mutable') return this.slot(key).get(shnum)?.data;
    return this.#immutable.get(key)?.get(shnum)?.data;
  }

  /** Puts a share of an immutable file there, or takes it away. */
  setImmutable(storageIndex: Uint8Array, shnum: number, data: Uint8Array | undefined): void {
    const key = toBase32(storageIndex);
    const shares = this.#immutable.get(key) ?? new Map<number, ImmutableShare>();
    if (data === undefined) shares.delete(shnum);
    else shares.set(shnum, { data, leases: [] });
    this.#immutable.set(key, shares);
  }

  /** The shares of an immutable file: their leases can be changed. */
  immutablesOf(storageIndex: Uint8Array): readonly ImmutableShare[] {
    return [...(this.#immutable.get(toBase32(storageIndex))?.values() ?? [])];
  }

  /** A copy of the share, or of its first `length` bytes. */
  shareBytes(storageIndex: Uint8Array, shnum: number, length?: number): Uint8Array | undefined {
    return this.slot(toBase32(storageIndex)).get(shnum)?.data.slice(0, length);
  }

  /** The leases on a share, their secrets hashed as in a version 2 container. */
  leasesOf(storageIndex: Uint8Array, shnum: number): readonly Lease[] {
    const leases = this.slot(toBase32(storageIndex)).get(shnum)?.leases ?? [];
    return leases.filter((lease) => lease !== undefined);
  }

  /** Loses a share, as a disk does: without asking for a write enabler. */
  deleteShare(storageIndex: Uint8Array, shnum: number): void {
    const key = toBase32(storageIndex);
    const slot = new Map(this.slot(key));
    slot.delete(shnum);
    this.setSlot(key, slot);
  }

  /**
   * Overwrites bytes of a share, as bit rot does; the share does not grow.
   * @throws NoSuchShareError
   */
  overwriteShare(storageIndex: Uint8Array, shnum: number, offset: number, bytes: Uint8Array): void {
    const key = toBase32(storageIndex);
    const share = this.slot(key).get(shnum);
    if (share === undefined) throw new NoSuchShareError(this.#server, shnum);
    const data = share.data.slice();
    const range = cutRange({ offset, length: bytes.length }, data.length);
    data.set(bytes.subarray(0, range.length), range.offset);
    this.setSlot(key, new Map(this.slot(key)).set(shnum, { ...share, data }));
  }
}
