/**
 * @module folder-lock: one writer at a time per part of a server folder, over all processes.
 *
 * Rules: the locks are the kernel's and end with the process that holds them, so that nothing is
 * ever stale; a holder keeps its temporary files under its lock's name, so that whoever has the
 * lock next may delete them. Locks are polled: a thread blocked in `fcntl` is one of libuv's four,
 * and four waiters would keep the holder from ever finishing its own file operations.
 *
 * Temporary files lie below `shares/`, because only there are they surely on the file system where
 * the shares are: in `incoming/`, as Tahoe's own, which its crawler and tools pass by and which it
 * empties when it starts. So the locks, which must stay, lie elsewhere.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Turns } from '../turns.ts';
import { errnoOf, ignoreMissing } from './atomic-file.ts';
import { ensureFolder, openOrMakeEntry } from './folder-entry.ts';
import { FolderFault } from './folder-fault.ts';

/** Upper bound of the random pause between two attempts, in milliseconds, doubling up to it. */
const PAUSE_MAX_MS = 32;

/** Names a file that may be created and will be deleted if its owner dies. */
export type NameTemp = () => string;

/** What is ours: the name of the lock, and twelve random bytes. */
const TEMPORARY = /^(\w+)-[0-9a-f]{24}$/;

/** The locks of one server folder, and the temporary files that they guard. */
export class FolderLocks {
  readonly #ours: string;
  readonly #locks: string;
  readonly #shares: string;
  readonly #incoming: string;
  readonly #temp: string;
  readonly #turns = new Turns();
  #swept = false;

  /** @param folder the server's; it must exist when it is used */
  constructor(folder: string) {
    this.#ours = join(folder, 'tahoe-mutable');
    this.#locks = join(this.#ours, 'locks');
    this.#shares = join(folder, 'shares');
    this.#incoming = join(this.#shares, 'incoming');
    this.#temp = join(this.#incoming, 'tahoe-mutable');
  }

  /** Runs `work` while nobody else, in any process, holds the lock `name` (without `-`). */
  async run<T>(
    name: string,
    signal: AbortSignal | undefined,
    work: (nameTemp: NameTemp) => Promise<T>,
  ): Promise<T> {
    return this.#turns.run(name, signal, async () => {
      const tryLock = await loadTryLock();
      await ensureFolder(this.#ours);
      await ensureFolder(this.#shares, { mayBeLink: true });
      for (const folder of [this.#locks, this.#incoming, this.#temp]) await ensureFolder(folder);
      await this.#sweepOnce(tryLock);
      const lock = await openOrMakeEntry(join(this.#locks, name));
      try {
        await untilLocked(tryLock, lock, signal);
        return await work(() => join(this.#temp, `${name}-${randomBytes(12).toString('hex')}`));
      } finally {
        await lock.close();
      }
    });
  }

  /** Deletes the temporary files of writers that are dead: those whose lock is free. */
  async #sweepOnce(tryLock: TryLock): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    const owners = (await readdir(this.#temp)).map((file) => TEMPORARY.exec(file)?.[1]);
    for (const name of new Set(owners)) {
      // What cannot be swept does not stop a writer who has another lock.
      if (name !== undefined) await this.#sweep(tryLock, name).catch(ignoreRefusal);
    }
  }

  async #sweep(tryLock: TryLock, name: string): Promise<void> {
    const lock = await openOrMakeEntry(join(this.#locks, name));
    try {
      if (!tryLock(lock.fd)) return;
      // Listed again: what was there before the lock was taken may be gone, or be in its place.
      for (const file of await readdir(this.#temp)) {
        if (TEMPORARY.exec(file)?.[1] !== name) continue;
        const path = join(this.#temp, file);
        if ((await lstat(path).catch(ignoreMissing))?.isFile()) await rm(path, { force: true });
      }
    } finally {
      await lock.close();
    }
  }
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof FolderFault) && errnoOf(error) === undefined) throw error;
}

type TryLock = typeof import('fs-native-extensions').tryLock;

/**
 * At the first write: whoever only reads needs no addon, and there is not one for every platform.
 * @throws FolderFault that says what is missing and what to do
 */
async function loadTryLock(): Promise<TryLock> {
  // The addon calls libuv, which these lack: Deno's process ends when it is loaded, Bun's when the
  // lock is held by another. No error would say so.
  const stranger = ['Bun', 'Deno'].find((name) => name in globalThis);
  if (stranger !== undefined) throw new FolderFault(lacking(`needs Node, and this is ${stranger}`));
  try {
    return (await import('fs-native-extensions')).tryLock;
  } catch (cause) {
    throw new FolderFault(lacking(lackOf(cause)), { cause });
  }
}

function lacking(lack: string): string {
  return (
    'writing to a folder takes a lock, for which the native addon fs-native-extensions ' +
    `${lack}; reading needs none`
  );
}

/** What is the matter with the addon, and what to do. */
function lackOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND') return 'is missing: npm install fs-native-extensions';
  return `has no build for this platform (${process.platform}-${process.arch})`;
}

async function untilLocked(
  tryLock: TryLock,
  lock: FileHandle,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    if (tryLock(lock.fd)) return;
    const most = Math.min(PAUSE_MAX_MS, 2 ** attempt);
    // Rejects with an AbortError of its own: the loop then throws the caller's reason.
    await pause(Math.random() * most, undefined, { signal }).catch(() => {});
  }
}
