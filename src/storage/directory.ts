/**
 * @module directory: a storage server that is a folder, laid out as Tahoe's (docs/format.md §6.1).
 *
 * A real Tahoe server can be started on the folder afterwards, and the other way round: shares are
 * `shares/<2 characters>/<storage index>/<share number>`, our locks lie in `tahoe-mutable/`, what
 * is not complete in `shares/incoming/`. `shares/` may be a link or a mount: no link below is
 * followed.
 *
 * Rules: a share file is replaced, never changed, so that a reader needs no lock and a crash leaves
 * it wholly old or wholly new; all files of a request are complete before the first is renamed;
 * writers hold a kernel lock on the first two characters of the storage index.
 */

import { lstat, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { checkIdentity, requireFunction, requireOptions, requirePath } from '../arguments.ts';
import { toBase32 } from '../bytes.ts';
import { AnswerLostError, NoSuchShareError, ServerUnavailableError } from '../errors.ts';
import { errnoOf, ignoreMissing, removeQuietly, syncFolder } from './atomic-file.ts';
import { CheckedServer, type LeaseSecrets } from './checked-server.ts';
import {
  type ContainerVersion,
  type LeaseSlots,
  renewOrAddLease,
  successorFrame,
} from './container.ts';
import {
  type HeldContainer,
  isImmutableContainer,
  leaseImmutable,
  readContainer,
  readContainerData,
  type Succession,
  stageContainer,
  updateHeaderLeases,
} from './container-file.ts';
import { ensureFolder, isFolder, openOrMakeEntry, ownershipOfNewFile } from './folder-entry.ts';
import { FolderFault } from './folder-fault.ts';
import { FolderLocks, type NameTemp } from './folder-lock.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ServerId,
  ShareKind,
} from './server.ts';
import { judge, type Pieces, planChanges, produceParts, unchanged } from './slot.ts';

/** Where a server keeps its shares, and what it is called. */
export interface DirectoryServerOptions {
  /** No two servers of a grid have the same. */
  readonly id: ServerId;
  /** For people; not unique. */
  readonly nickname: string;
  /** 20 bytes. */
  readonly tubId: Uint8Array;
  /** The seed of its place in the order of a slot. */
  readonly permutationSeed: Uint8Array;
  /** The folder that holds `shares/`. It must exist whenever the server is asked something. */
  readonly directory: string;
  /** Unix time in seconds, for the expiry of leases. */
  readonly now?: (() => number) | undefined;
}

/** Where the shares of a slot are in a server's folder. @param name the storage index, in base32 */
export function bucketIn(folder: string, name: string): string {
  return join(folder, 'shares', name.slice(0, 2), name);
}

/** A `StorageServer` on a folder, safe against crashes and other processes. */
export class DirectoryServer extends CheckedServer {
  /** As it was given. */
  readonly id: ServerId;
  readonly nickname: string;
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  /** Absolute. */
  readonly directory: string;

  readonly #now: () => number;
  readonly #locks: FolderLocks;

  /** @throws BadArgumentError */
  constructor(options: DirectoryServerOptions) {
    super();
    requireOptions(options);
    checkIdentity(options);
    const { directory, now = () => Date.now() / 1000 } = options;
    requirePath('directory', directory);
    requireFunction('now', now);
    this.id = options.id;
    this.nickname = options.nickname;
    this.tubId = options.tubId;
    this.permutationSeed = options.permutationSeed;
    this.directory = resolve(directory);
    this.#now = now;
    this.#locks = new FolderLocks(this.directory);
  }

  protected async doListShares(
    _kind: ShareKind,
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    return this.#answer(signal, async () => this.#shareNumbers(this.#bucket(storageIndex)));
  }

  protected async doReadShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    signal: AbortSignal | undefined,
    into: Uint8Array | undefined,
  ): Promise<Uint8Array> {
    return this.#answer(signal, async () => {
      const bucket = this.#bucket(storageIndex);
      if (await this.#hasBucket(bucket)) {
        const path = join(bucket, String(shnum));
        const bytes = await readContainerData(kind, path, range, into).catch(ignoreMissing);
        if (bytes !== undefined) return bytes;
      }
      throw new NoSuchShareError(this.id, shnum);
    });
  }

  protected async doReadTestWrite(
    storageIndex: Uint8Array,
    request: ReadTestWriteRequest,
    signal: AbortSignal | undefined,
  ): Promise<ReadTestWriteAnswer> {
    return this.#alone(storageIndex, signal, async (bucket, nameTemp) => {
      const held = await this.#heldContainers(bucket);
      const answer = await judge(this.id, held, request);
      if (answer.wrote) await this.#write(held, request, { bucket, nameTemp, signal });
      return answer;
    });
  }

  protected async doAddLease(
    storageIndex: Uint8Array,
    secrets: LeaseSecrets,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return this.#alone(storageIndex, signal, async (bucket, nameTemp) => {
      const immutable = await this.#leaseImmutables(bucket, nameTemp, secrets);
      if (immutable) return true;
      const successors: Successor[] = [];
      const held = await this.#heldContainers(bucket);
      for (const [shnum, share] of held) {
        const leases = this.#leased(share.leases, share.header.version, secrets);
        if (await updateHeaderLeases(share, leases)) continue;
        const { path: old, ownership } = share;
        const frame = { ...share.header, leases };
        const change = unchanged(share.length);
        successors.push({ shnum, old, ownership, frame, change, pieces: produceParts(change) });
      }
      await replaceShares({ bucket, nameTemp, signal, successors, deleted: [] });
      return held.size > 0;
    });
  }

  /** @returns whether there are any: then there is no slot beside them */
  async #leaseImmutables(
    bucket: string,
    nameTemp: NameTemp,
    secrets: LeaseSecrets,
  ): Promise<boolean> {
    let areThere = false;
    for (const shnum of await this.#shareNumbers(bucket)) {
      const path = join(bucket, String(shnum));
      if (!(await isImmutableContainer(path).catch(ignoreMissing))) continue;
      areThere = true;
      const leased = (version: ContainerVersion, leases: LeaseSlots) =>
        this.#leased(leases, version, secrets);
      const staged = await leaseImmutable(path, nameTemp, leased);
      if (staged !== undefined) await putInPlace(bucket, [[shnum, staged]], []);
    }
    return areThere;
  }

  protected async doAdviseCorruptShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#answer(signal, async () => {
      const bucket = this.#bucket(storageIndex);
      if (!(await this.#shareNumbers(bucket)).includes(shnum)) return;
      const name = toBase32(storageIndex);
      const folder = join(this.directory, 'corruption-advisories');
      await ensureFolder(folder);
      const time = new Date(this.#now() * 1000).toISOString().replaceAll(':', '').slice(0, -1);
      const text = [
        'report: Share Corruption',
        `type: ${kind}`,
        `storage_index: ${name}`,
        `share_number: ${shnum}`,
      ];
      // Appended: two advisories within one millisecond share a file.
      const file = await openOrMakeEntry(join(folder, `${time}--${name}-${shnum}`));
      try {
        await file.writeFile(`${text.join('\n')}\n\n${reason}\n\n`);
      } finally {
        await file.close();
      }
    });
  }

  #bucket(storageIndex: Uint8Array): string {
    return bucketIn(this.directory, toBase32(storageIndex));
  }

  /**
   * Without the slot, or without `shares/`, it holds nothing; without its folder it is unavailable.
   */
  async #hasBucket(bucket: string): Promise<boolean> {
    if ((await isFolder(dirname(bucket))) && (await isFolder(bucket))) return true;
    await stat(this.directory);
    const shares = join(this.directory, 'shares');
    // Where `shares/` is a link to a missing disk, the shares are out of reach, and not absent.
    if ((await lstat(shares).catch(ignoreMissing)) !== undefined) await stat(shares);
    return false;
  }

  async #shareNumbers(bucket: string): Promise<readonly number[]> {
    const names = (await this.#hasBucket(bucket)) && (await readdir(bucket).catch(ignoreMissing));
    return (names || [])
      .filter((name) => /^(0|[1-9]\d*)$/.test(name))
      .map(Number)
      .filter(Number.isSafeInteger)
      .sort((a, b) => a - b);
  }

  async #heldContainers(bucket: string): Promise<ReadonlyMap<number, HeldContainer>> {
    const held = new Map<number, HeldContainer>();
    for (const shnum of await this.#shareNumbers(bucket)) {
      const share = await readContainer(join(bucket, String(shnum))).catch(ignoreMissing);
      if (share !== undefined) held.set(shnum, share);
    }
    return held;
  }

  async #write(
    held: ReadonlyMap<number, HeldContainer>,
    { shares, secrets }: ReadTestWriteRequest,
    place: Pick<Replacement, 'bucket' | 'nameTemp' | 'signal'>,
  ): Promise<void> {
    const successors: Successor[] = [];
    const deleted: number[] = [];
    for (const [shnum, change] of planChanges(held, shares)) {
      if (change.kind === 'delete') {
        deleted.push(shnum);
        continue;
      }
      const old = held.get(shnum);
      const frame = successorFrame(old, { secrets, nodeId: this.tubId, now: this.#now() });
      const pieces = blamingCaller(produceParts(change, place.signal));
      const ownership = old?.ownership ?? (await ownershipOfNewFile(place.bucket));
      successors.push({ shnum, old: old?.path, ownership, frame, change, pieces });
    }
    await replaceShares({ ...place, successors, deleted });
  }

  #leased(leases: LeaseSlots, version: ContainerVersion, secrets: LeaseSecrets): LeaseSlots {
    const request = { version, secrets, nodeId: this.tubId, now: this.#now() };
    return renewOrAddLease(leases, request);
  }

  /** Answers while no other writer, in any process, is at the slot. */
  async #alone<T>(
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
    work: (bucket: string, nameTemp: NameTemp) => Promise<T>,
  ): Promise<T> {
    const bucket = this.#bucket(storageIndex);
    const prefix = toBase32(storageIndex).slice(0, 2);
    return this.#answer(signal, () =>
      this.#locks.run(prefix, signal, (nameTemp) => work(bucket, nameTemp)),
    );
  }

  /** Turns what the operating system refuses into this server's failure. */
  async #answer<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (error instanceof CallerFailure) throw error.cause;
      if (error instanceof FolderFault) {
        throw new ServerUnavailableError(this.id, error.message, { cause: error });
      }
      if (error instanceof PerhapsDone) {
        const { cause } = error;
        throw new AnswerLostError(this.id, problem(errnoOf(cause) ?? 'failed', cause), { cause });
      }
      const errno = errnoOf(error);
      if (errno === undefined || (signal?.aborted && error === signal.reason)) throw error;
      throw new ServerUnavailableError(this.id, problem(errno, error), { cause: error });
    }
  }
}

/** A share as it shall be, before it has a temporary file. */
type Successor = Omit<Succession, 'staged'> & { readonly shnum: number };

interface Replacement {
  readonly bucket: string;
  readonly nameTemp: NameTemp;
  readonly signal: AbortSignal | undefined;
  readonly successors: readonly Successor[];
  readonly deleted: readonly number[];
}

/** Replaces shares of one slot: all are complete, and can still be given up, before any is seen. */
async function replaceShares({ bucket, nameTemp, signal, successors, deleted }: Replacement) {
  const staged = new Map<number, string>();
  try {
    for (const { shnum, ...successor } of successors) {
      const temp = nameTemp();
      await stageContainer({ ...successor, staged: temp });
      staged.set(shnum, temp);
    }
    signal?.throwIfAborted();
    if (staged.size > 0) await makeBucket(bucket);
    await putInPlace(bucket, [...staged], deleted);
  } catch (error) {
    for (const temp of staged.values()) await removeQuietly(temp);
    throw error;
  }
}

/** @throws PerhapsDone when it fails half way */
async function putInPlace(
  bucket: string,
  staged: readonly (readonly [shnum: number, path: string])[],
  deleted: readonly number[],
): Promise<void> {
  let done = 0;
  try {
    for (const [shnum, temp] of staged) {
      await rename(temp, join(bucket, String(shnum)));
      done += 1;
    }
    for (const shnum of deleted) {
      await rm(join(bucket, String(shnum)), { force: true });
      done += 1;
    }
    if (deleted.length > 0 && (await removeIfEmpty(bucket))) await syncFolder(dirname(bucket));
    else if (done > 0) await syncFolder(bucket);
  } catch (cause) {
    throw done === 0 ? cause : new PerhapsDone('', { cause });
  }
}

/** Makes the folder of a slot; it and the two that it lies in survive a power failure. */
async function makeBucket(bucket: string): Promise<void> {
  const prefix = dirname(bucket);
  await ensureFolder(prefix);
  await ensureFolder(bucket);
  // An empty folder may be an old one, whose maker was killed before it was synced.
  if ((await readdir(bucket)).length > 0) return;
  const shares = dirname(prefix);
  await Promise.all([prefix, shares, dirname(shares)].map(syncFolder));
}

async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error;
    return false;
  }
}

/** Some of the shares are replaced, or all and perhaps not for good. */
class PerhapsDone extends Error {}

/** Carries what a caller's part threw past the place where the system's errors are translated. */
class CallerFailure extends Error {}

async function* blamingCaller(pieces: Pieces): Pieces {
  try {
    yield* pieces;
  } catch (cause) {
    throw new CallerFailure('', { cause });
  }
}

function problem(errno: string, error: unknown): string {
  const { syscall, path } = error as NodeJS.ErrnoException;
  return [errno, syscall && `in ${syscall}`, path && `of ${path}`].filter(Boolean).join(' ');
}
