/**
 * @module database: an IndexedDB database, opened when it is first asked something, and what can be
 * wrong with one.
 *
 * It is given up as soon as somebody wants to delete it or to make it newer, so that no forgotten
 * page stands in the way; the next call opens it again.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb';
import { deferred } from '../deferred.ts';

/** What is wrong with a database, before anybody says whose it is. */
export class DatabaseFault extends Error {}

/** Of the layout of our databases: a page with an older library leaves a newer one alone. */
const VERSION = 1;

const BLOCKED = 'another page of this site keeps its database from being opened or deleted';

const PROBLEMS: Readonly<Record<string, string>> = {
  QuotaExceededError: 'the browser gives this site no more room',
  VersionError: 'its database was made by a newer version of this library',
  InvalidStateError: 'its database was closed meanwhile',
  NotFoundError: 'its database is not one of this library',
};

export class Database<Schema extends DBSchema> {
  readonly name: string;
  readonly #create: (database: IDBPDatabase<Schema>) => void;
  #opening: Promise<IDBPDatabase<Schema>> | undefined;

  /** @param create makes the stores of a new one */
  constructor(name: string, create: (database: IDBPDatabase<Schema>) => void) {
    this.name = name;
    this.#create = create;
  }

  /**
   * What `work` makes of the open database; it may be called when one was closed meanwhile.
   * @throws DatabaseFault for whatever the browser rejects with; and what `work` throws
   */
  async ask<T>(work: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    if (globalThis.indexedDB === undefined)
      throw new DatabaseFault('this platform has no IndexedDB');
    return asked(async () => {
      this.#opening ??= this.#open();
      return work(await this.#opening);
    });
  }

  /** Lets running transactions end; calls under way fail at their next one. */
  close(): void {
    this.#letGo(this.#opening);
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    const blocked = deferred<never>();
    const letGo = () => this.#letGo(opening);
    const opened = openDB<Schema>(this.name, VERSION, {
      upgrade: (database) => this.#create(database),
      blocked: () => blocked.reject(new DatabaseFault(BLOCKED)),
      blocking: letGo,
      terminated: letGo,
    });
    const opening = Promise.race([opened, blocked.promise]);
    // One that fails is tried again; one that was blocked may be opened later all the same.
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
      opened.then(close, () => {});
    });
    return opening;
  }

  #letGo(opening: Promise<IDBPDatabase<Schema>> | undefined): void {
    if (this.#opening === opening) this.#opening = undefined;
    opening?.then(close, () => {});
  }
}

function close(database: { close(): void }): void {
  database.close();
}

/** Deletes one, if it is there. @throws DatabaseFault */
export async function deleteDatabase(name: string): Promise<void> {
  const blocked = deferred<never>();
  const fault = new DatabaseFault(BLOCKED);
  await asked(() =>
    Promise.race([deleteDB(name, { blocked: () => blocked.reject(fault) }), blocked.promise]),
  );
}

/** @throws DatabaseFault for whatever the browser rejects with; and what `work` throws */
export async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause;
    const problem = PROBLEMS[cause.name] ?? cause.message;
    throw new DatabaseFault(`${problem} (${cause.name})`, { cause });
  }
}
