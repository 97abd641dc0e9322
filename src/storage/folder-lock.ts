/**
 * @module folder-lock: one writer at a time per part of a server folder, over all processes.
 *
 * Rules: the locks are the kernel's and end with the process that holds them, so that nothing is
 * ever stale; a holder keeps its temporary files under its lock's name, so that whoever has the
 * lock next may delete them. Locks are polled: a thread blocked in `fcntl` is one of libuv's four,
 * and four waiters would keep the holder from ever finishing its own file operations.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tryLock } from 'fs-native-extensions';
import { errnoOf } from '../atomic-file.ts';
import { Turns } from './turns.ts';

/** Upper bound of the random pause between two attempts, in milliseconds, doubling up to it. */
const PAUSE_MAX_MS = 32;

/** Names a file that may be created and will be deleted if its owner dies. */
export type NameTemp = () => string;

/** The locks of one server folder, and the temporary files that they guard. */
export class FolderLocks {
  readonly #folder: string;
  readonly #locks: string;
  readonly #temp: string;
  readonly #turns = new Turns();
  #swept = false;

  /** @param folder where locks and temporary files live; its parent must exist when it is used */
  constructor(folder: string) {
    this.#folder = folder;
    this.#locks = join(folder, 'locks');
    this.#temp = join(folder, 'tmp');
  }

  /** Runs `work` while nobody else, in any process, holds the lock `name` (without `-`). */
  async run<T>(
    name: string,
    signal: AbortSignal | undefined,
    work: (nameTemp: NameTemp) => Promise<T>,
  ): Promise<T> {
    return this.#turns.run(name, signal, async () => {
      for (const folder of [this.#folder, this.#temp, this.#locks]) await ensureFolder(folder);
      await this.#sweepOnce();
      const lock = await open(join(this.#locks, name), 'a+');
      try {
        await untilLocked(lock, signal);
        return await work(() => join(this.#temp, `${name}-${randomBytes(12).toString('hex')}`));
      } finally {
        await lock.close();
      }
    });
  }

  /** Deletes the temporary files of writers that are dead: those whose lock is free. */
  async #sweepOnce(): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    const owners = (await readdir(this.#temp)).map((file) => /^(\w+)-/.exec(file)?.[1]);
    for (const name of new Set(owners)) {
      if (name === undefined) continue;
      const lock = await open(join(this.#locks, name), 'a+');
      try {
        if (!tryLock(lock.fd)) continue;
        // Listed again: what was there before the lock was taken may be gone, or be in its place.
        const dead = (await readdir(this.#temp)).filter((file) => file.startsWith(`${name}-`));
        for (const file of dead) await rm(join(this.#temp, file), { force: true });
      } finally {
        await lock.close();
      }
    }
  }
}

async function untilLocked(lock: FileHandle, signal: AbortSignal | undefined): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    if (tryLock(lock.fd)) return;
    const most = Math.min(PAUSE_MAX_MS, 2 ** attempt);
    // Rejects with an AbortError of its own: the loop then throws the caller's reason.
    await pause(Math.random() * most, undefined, { signal }).catch(() => {});
  }
}

async function ensureFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
