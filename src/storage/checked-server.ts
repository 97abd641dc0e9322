/**
 * @module checked-server: a server that refuses arguments no server would take, whatever is behind
 * it, before anything is sent or opened.
 *
 * A backend implements the five `do…` methods, which never see a bad argument. A base class, and
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
  ReadOptions,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ServerId,
  StorageServer,
  WriteSecrets,
} from './server.ts';

export type LeaseSecrets = Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>;

/** A {@link StorageServer} whose methods check their arguments, then do what the backend does. */
export abstract class CheckedServer implements StorageServer {
  abstract readonly id: ServerId;
  abstract readonly nickname: string;
  abstract readonly tubId: Uint8Array;
  abstract readonly permutationSeed: Uint8Array;

  async listShares(storageIndex: Uint8Array, options?: CallOptions): Promise<readonly number[]> {
    checkStorageIndex(storageIndex);
    return await this.doListShares(storageIndex, options?.signal);
  }

  async readShare(
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array> {
    checkStorageIndex(storageIndex);
    checkShnum(shnum);
    checkRange(range);
    checkRoom(range, options?.into);
    return await this.doReadShare(storageIndex, shnum, range, options?.signal, options?.into);
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
  ): Promise<void> {
    checkStorageIndex(storageIndex);
    checkLeaseSecrets(secrets);
    await this.doAddLease(storageIndex, secrets, options?.signal);
  }

  async adviseCorruptShare(
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    options?: CallOptions,
  ): Promise<void> {
    checkStorageIndex(storageIndex);
    checkShnum(shnum);
    await this.doAdviseCorruptShare(storageIndex, shnum, reason, options?.signal);
  }

  protected abstract doListShares(
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]>;

  protected abstract doReadShare(
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
  ): Promise<void>;

  protected abstract doAdviseCorruptShare(
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    signal: AbortSignal | undefined,
  ): Promise<void>;
}
