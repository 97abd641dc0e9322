/**
 * @module server: what this library asks of one storage server, whatever is behind it.
 *
 * Every backend (memory, directory, http) passes `test/support/storage-contract.ts`. Semantics are
 * those of Tahoe's `storage/server.py` `slot_readv` and `slot_testv_and_readv_and_writev`.
 */
import type { ServerId } from '../../machines/servermap.ts';

/** The server's public identity, `v0-…` on a real grid. */
export type { ServerId };

/** A half-open byte range of a share, in bytes from its start. */
export interface ByteRange {
  /** Where it begins. */
  readonly offset: number;
  /** How many bytes; may be 0. */
  readonly length: number;
}

/** The share must hold exactly `specimen` at `offset`, of at most `length` bytes. */
export interface ShareTest extends ByteRange {
  /** Shorter than `length`: the share must end there. */
  readonly specimen: Uint8Array;
}

/**
 * Bytes to be written, produced when the backend is ready for them, so that a large share never
 * has to be in memory whole. The length is known beforehand; `bytes()` may be called again. What it
 * gives is good until the next part of that share is asked for, or the call is settled.
 */
export interface WritePart extends ByteRange {
  /** All of them; what it rejects with, the write does. */
  bytes(): Promise<Uint8Array>;
}

/**
 * What to do with one share. A share that is named is created if it is absent, even when nothing is
 * written to it, unless `newLength` is 0: so never send a mere test for an absent share.
 */
export interface ShareWrite {
  /**
   * At most 30. All must hold, else nothing is written to any share of the request.
   * An absent share has no bytes.
   */
  readonly tests: readonly ShareTest[];
  /** Applied in order; a hole is filled with zeros. */
  readonly parts: readonly WritePart[];
  /** Truncate to this length if longer, after the parts; 0 deletes the share; null: leave it. */
  readonly newLength: number | null;
}

/** The three 32-byte secrets that accompany a write. */
export interface WriteSecrets {
  /** Lets its holder write to a slot; a server keeps that of the first write. */
  readonly writeEnabler: Uint8Array;
  /** Tells the lease that is renewed from others'. */
  readonly renewSecret: Uint8Array;
  /** Is kept beside it, and of no use any more. */
  readonly cancelSecret: Uint8Array;
}

/** One test-and-set of shares of a slot on a server. */
export interface ReadTestWriteRequest {
  /** A server refuses another write enabler than the slot's. */
  readonly secrets: WriteSecrets;
  /** At most 256 of them. */
  readonly shares: ReadonlyMap<number, ShareWrite>;
  /** At most 30. Read from every share that the slot has here, before anything is written. */
  readonly reads: readonly ByteRange[];
}

/** What came of it. */
export interface ReadTestWriteAnswer {
  /** Whether every test held, and so every part was written. */
  readonly wrote: boolean;
  /** Per share that existed before, one result per requested range, cut at the end of the share. */
  readonly reads: ReadonlyMap<number, readonly Uint8Array[]>;
}

/** For every call to a server. */
export interface CallOptions {
  /** Aborting rejects the call with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** For reads of shares. */
export interface ReadOptions extends CallOptions {
  /**
   * Where the bytes may be put, which saves memory: as many as the range has, or more. The caller
   * looks at it when the call is settled, and the server does nothing to it any more then.
   */
  readonly into?: Uint8Array | undefined;
}

/** Whether shares are of slots, which their writers change, or stay as they are. */
export type ShareKind = 'mutable' | 'immutable';

/** The shares of one kind on a server, as they are read. Rejects as {@link StorageServer} does. */
export interface ReadableShares {
  /** The share numbers this server holds for a storage index (16 bytes), ascending. */
  listShares(storageIndex: Uint8Array, options?: CallOptions): Promise<readonly number[]>;

  /**
   * One range of one share, cut at the end of the share (empty when wholly beyond it).
   * @throws NoSuchShareError
   * @throws BadContainerError where the server can tell (embedded servers)
   */
  readShare(
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array>;

  /** Tells the operator that a share is corrupt; a share that is gone is not an error. */
  adviseCorruptShare(
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    options?: CallOptions,
  ): Promise<void>;
}

/**
 * One storage server; what it reads by itself are the shares of slots. All methods may reject with
 * {@link ServerUnavailableError}, with `signal.reason`, and with {@link OutOfRangeError} for
 * arguments that no server would take (see `request.ts`; our backends get that from
 * `checked-server.ts`); nothing else unless it says so.
 */
export interface StorageServer extends ReadableShares {
  /** No two servers of a grid have the same. */
  readonly id: ServerId;
  /** For people; not unique. */
  readonly nickname: string;
  /** 20 bytes: the seed of write enablers and lease secrets. */
  readonly tubId: Uint8Array;
  /** The seed of the server's place in the permuted order of a slot. */
  readonly permutationSeed: Uint8Array;
  /** Whether a call takes a round trip: what may be wanted next is then asked for at once. */
  readonly isFar?: boolean | undefined;
  /** Its shares of immutable files; whoever knows none has no such thing. */
  readonly immutable?: ReadableShares | undefined;

  /**
   * Test, read, then write, as one step with respect to every other caller. Rejects with what a
   * part's `bytes()` rejects with, and then nothing was written.
   * @throws BadWriteEnablerError when any share of the slot was created under another one
   * @throws BadContainerError where the server can tell (embedded servers)
   * @throws AnswerLostError when it may have been done all the same (across a network, or by a disk
   *   that failed half way)
   */
  readTestWrite(
    storageIndex: Uint8Array,
    request: ReadTestWriteRequest,
    options?: CallOptions,
  ): Promise<ReadTestWriteAnswer>;

  /**
   * Renews, or adds, this client's lease on every share of the slot or immutable file, for 31 days.
   * @returns whether any share is there
   * @throws BadContainerError where the server can tell (embedded servers)
   */
  addLease(
    storageIndex: Uint8Array,
    secrets: Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>,
    options?: CallOptions,
  ): Promise<boolean>;

  /** Gives back what the server keeps open between calls. */
  close?(): void;
}
