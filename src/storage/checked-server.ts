/**
 * @module checked-server: a server that refuses arguments no server would take, whatever is behind
 * it, before anything is sent or opened.
 *
 * A backend implements the five `do…` methods, three of them for both kinds of shares, which never see a bad argument. A base class, and
 * not a function around a server, since the backends are public classes with methods of their own.
 */
import {
  checkLeaseSecrets,
  checkRange,
  checkRequest,
  checkRoom,
  checkShnum,
  checkStorageIndex,
} from './request.ts';
import type {
  ByteRange,
  CallOptions,
  ReadableShares,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ServerId,
  ShareKind,
  StorageServer,
  WriteSecrets,
} from './server.ts';

/** What of the secrets a lease takes. */
export type LeaseSecrets = Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>;

/** A {@link StorageServer} whose methods check their arguments, then do what the backend does. */
export abstract class CheckedServer implements StorageServer {
  /** The server's public identity; no two of a grid have the same. */
  abstract readonly id: ServerId;
  abstract readonly nickname: string;
  abstract readonly tubId: Uint8Array;
  abstract readonly permutationSeed: Uint8Array;

  readonly #immutable = this.#shares('immutable');
  readonly #mutable = this.#shares('mutable');

  get immutable(): ReadableShares {
    return this.#immutable;
  }

  listShares(...args: Parameters<ReadableShares['listShares']>): Promise<readonly number[]> {
    return this.#mutable.listShares(...args);
  }

  readShare(...args: Parameters<ReadableShares['readShare']>): Promise<Uint8Array> {
    return this.#mutable.readShare(...args);
  }

  adviseCorruptShare(...args: Parameters<ReadableShares['adviseCorruptShare']>): Promise<void> {
    return this.#mutable.adviseCorruptShare(...args);
  }

  #shares(kind: ShareKind): ReadableShares {
    return {
      listShares: async (storageIndex, options) => {
        checkStorageIndex(storageIndex);
        return await this.doListShares(kind, storageIndex, options?.signal);
      },
      readShare: async (storageIndex, shnum, range, options) => {
        checkStorageIndex(storageIndex);
        checkShnum(shnum);
        checkRange(range);
        checkRoom(range, options?.into);
        const { signal, into } = options ?? {};
        return await this.doReadShare(kind, storageIndex, shnum, range, signal, into);
      },
      adviseCorruptShare: async (storageIndex, shnum, reason, options) => {
        checkStorageIndex(storageIndex);
        checkShnum(shnum);
        await this.doAdviseCorruptShare(kind, storageIndex, shnum, reason, options?.signal);
      },
    };
  }

  async readTestWrite(
    storageIndex: Uint8Array,
    request: ReadTestWriteRequest,
    options?: CallOptions,
  ): Promise<ReadTestWriteAnswer> {
    checkStorageIndex(storageIndex);
    checkRequest(request);
    return await this.doReadTestWrite(storageIndex, request, options?.signal);
  }

  async addLease(
    storageIndex: Uint8Array,
    secrets: LeaseSecrets,
    options?: CallOptions,
  ): Promise<boolean> {
    checkStorageIndex(storageIndex);
    checkLeaseSecrets(secrets);
    return await this.doAddLease(storageIndex, secrets, options?.signal);
  }

  protected abstract doListShares(
    kind: ShareKind,
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]>;

  protected abstract doReadShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    signal: AbortSignal | undefined,
    into: Uint8Array | undefined,
  ): Promise<Uint8Array>;

  protected abstract doReadTestWrite(
    storageIndex: Uint8Array,
    request: ReadTestWriteRequest,
    signal: AbortSignal | undefined,
  ): Promise<ReadTestWriteAnswer>;

  protected abstract doAddLease(
    storageIndex: Uint8Array,
    secrets: LeaseSecrets,
    signal: AbortSignal | undefined,
  ): Promise<boolean>;

  protected abstract doAdviseCorruptShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    signal: AbortSignal | undefined,
  ): Promise<void>;
}
