/**
 * @module indexeddb: a storage server in a browser's IndexedDB, which outlives its page.
 *
 * A share is one record, Tahoe's own container (docs/format.md §6.1) as a Blob, of which only what
 * is wanted is read.
 *
 * Rules: what a request makes of a slot is complete before the transaction that writes it begins,
 * since a transaction does not wait for the parts of a share. It first looks whether the slot is
 * still the one by which the tests were judged, and else all begins anew: so there is no lock, and
 * a page that is frozen or killed stops nobody. What is acknowledged is on the disk.
 */

import type { DBSchema, IDBPDatabase, IDBPObjectStore } from 'idb';
import { primitives } from '#crypto';
import { onAbort, unlessAborted } from '../abort.ts';
import { requireFunction } from '../arguments.ts';
import { bytesToHex, toBase32 } from '../bytes.ts';
import { NoSuchShareError, ServerUnavailableError } from '../errors.ts';
import { refuse } from '../refusal.ts';
import { Turns } from '../turns.ts';
import { CheckedServer, type LeaseSecrets } from './checked-server.ts';
import {
  type ContainerVersion,
  type LeaseSlots,
  renewOrAddLease,
  successorFrame,
} from './container.ts';
import {
  type HeldBlob,
  HoleFault,
  leasedBlob,
  readBlob,
  readBlobData,
  rewrittenBlob,
} from './container-blob.ts';
import { asked, Database, DatabaseFault } from './database.ts';
import { type IdentityOptions, identityOf } from './identity.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ServerId,
  ShareKind,
} from './server.ts';
import { judge, planChanges, produceParts } from './slot.ts';

/** What a server in IndexedDB is; only `id` has to be given. */
export interface IndexedDbServerOptions extends IdentityOptions {
  /**
   * The name of its database, which is made when it is first used. `tahoe-mutable-server/` and the
   * id by default.
   */
  readonly database?: string | undefined;
  /** Unix time in seconds, for the expiry of leases. */
  readonly now?: (() => number) | undefined;
}

interface StoredShare {
  readonly container: Blob;
  /** Another one after every write. */
  readonly stamp: string;
}

interface Shares extends DBSchema {
  shares: { key: [storageIndex: string, shnum: number]; value: StoredShare };
  /** What was last said of a share. */
  advisories: {
    key: [kind: ShareKind, storageIndex: string, shnum: number];
    value: { readonly reason: string; readonly date: Date };
  };
}

/** The shares of one storage index, as they are at one time. */
type Slot = ReadonlyMap<number, StoredShare>;

/** What becomes of a slot: a new container for a share, or none any more. */
interface Change<Answer> {
  readonly answer: Answer;
  readonly shares: ReadonlyMap<number, Blob | undefined>;
}

const DURABLY = { durability: 'strict' } as const;

/** A `StorageServer` in a database of the browser's, which all pages of a site share. */
export class IndexedDbServer extends CheckedServer {
  readonly id: ServerId;
  readonly nickname: string;
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  /** The name of its database. */
  readonly database: string;

  readonly #now: () => number;
  readonly #database: Database<Shares>;
  readonly #turns = new Turns();

  constructor(options: IndexedDbServerOptions) {
    super();
    const { id, nickname, tubId, permutationSeed } = identityOf(options);
    const { now = () => Date.now() / 1000 } = options;
    requireFunction('now', now);
    const { database = `tahoe-mutable-server/${id}` } = options;
    if (typeof database !== 'string') refuse('database', database, 'a string');
    this.id = id;
    this.nickname = nickname;
    this.tubId = tubId;
    this.permutationSeed = permutationSeed;
    this.database = database;
    this.#now = now;
    this.#database = new Database<Shares>(this.database, (database) => {
      database.createObjectStore('shares');
      database.createObjectStore('advisories');
    });
  }

  protected async doListShares(
    _kind: ShareKind,
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    return this.#read(signal, async (database) => {
      const keys = await database.getAllKeys('shares', slotRange(toBase32(storageIndex)));
      return keys.map(([, shnum]) => shnum);
    });
  }

  protected async doReadShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    return this.#read(signal, async (database) => {
      const name = toBase32(storageIndex);
      const share = await database.get('shares', [name, shnum]);
      if (share === undefined) throw new NoSuchShareError(this.id, shnum);
      return readBlobData(kind, share.container, range, this.#where(name, shnum));
    });
  }

  protected async doReadTestWrite(
    storageIndex: Uint8Array,
    request: ReadTestWriteRequest,
    signal: AbortSignal | undefined,
  ): Promise<ReadTestWriteAnswer> {
    return this.#change(storageIndex, signal, async (slot, name) => {
      const held = new Map<number, HeldBlob>();
      const answer = await asked(async () => {
        for (const [shnum, { container }] of slot) {
          held.set(shnum, await readBlob(container, this.#where(name, shnum)));
        }
        return judge(this.id, held, request);
      });
      const shares = answer.wrote ? await this.#successors(held, request, signal) : new Map();
      return { answer, shares };
    });
  }

  protected async doAddLease(
    storageIndex: Uint8Array,
    secrets: LeaseSecrets,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return this.#change(storageIndex, signal, async (slot, name) => {
      const leased = (version: ContainerVersion, leases: LeaseSlots) =>
        this.#leased(leases, version, secrets);
      const shares = new Map<number, Blob>();
      await asked(async () => {
        for (const [shnum, { container }] of slot) {
          shares.set(shnum, await leasedBlob(container, this.#where(name, shnum), leased));
        }
      });
      return { answer: slot.size > 0, shares };
    });
  }

  protected async doAdviseCorruptShare(
    kind: ShareKind,
    storageIndex: Uint8Array,
    shnum: number,
    reason: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#read(signal, async (database) => {
      const name = toBase32(storageIndex);
      if ((await database.count('shares', [name, shnum])) === 0) return;
      const date = new Date(this.#now() * 1000);
      await database.put('advisories', { reason, date }, [kind, name, shnum]);
    });
  }

  /** Closes the database; calls under way, or waiting, fail. The server can be used again. */
  close(): void {
    this.#turns.dismiss(new ServerUnavailableError(this.id, 'it was closed meanwhile'));
    this.#database.close();
  }

  /** What the parts of a request make of the shares that it names. */
  async #successors(
    held: ReadonlyMap<number, HeldBlob>,
    { shares, secrets }: ReadTestWriteRequest,
    signal: AbortSignal | undefined,
  ): Promise<Change<never>['shares']> {
    const successors = new Map<number, Blob | undefined>();
    for (const [shnum, change] of planChanges(held, shares)) {
      if (change.kind === 'delete') {
        successors.set(shnum, undefined);
        continue;
      }
      const old = held.get(shnum);
      const frame = successorFrame(old, { secrets, nodeId: this.tubId, now: this.#now() });
      successors.set(shnum, await rewrittenBlob(old, frame, change, produceParts(change, signal)));
    }
    return successors;
  }

  #leased(leases: LeaseSlots, version: ContainerVersion, secrets: LeaseSecrets): LeaseSlots {
    const request = { version, secrets, nodeId: this.tubId, now: this.#now() };
    return renewOrAddLease(leases, request);
  }

  /** Names a share for whoever looks for it in the browser's own tools. */
  #where(name: string, shnum: number): string {
    return `${this.database}: ${name}/${shnum}`;
  }

  #read<T>(
    signal: AbortSignal | undefined,
    work: (database: IDBPDatabase<Shares>) => Promise<T>,
  ): Promise<T> {
    return this.#answer(signal, () => this.#database.ask(work));
  }

  /**
   * Makes of a slot what `work` says, if it is still the one that `work` was given: another page,
   * or another server on the same database, may be faster. Then `work` is asked again.
   */
  async #change<Answer>(
    storageIndex: Uint8Array,
    signal: AbortSignal | undefined,
    work: (slot: Slot, name: string) => Promise<Change<Answer>>,
  ): Promise<Answer> {
    const name = toBase32(storageIndex);
    return this.#answer(signal, () =>
      this.#turns.run(name, signal, async () => {
        // The same for all of it: who closes it meanwhile ends this.
        const database = await this.#database.ask(async (open) => open);
        for (;;) {
          const slot = await asked(() => slotIn(database.transaction('shares').store, name));
          const { answer, shares } = await work(slot, name);
          signal?.throwIfAborted();
          const replaced = () => replaceShares(database, { name, slot, shares }, signal);
          if (await asked(replaced)) return answer;
        }
      }),
    );
  }

  /** Turns what the browser refuses into this server's failure. */
  async #answer<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await (signal === undefined ? work() : unlessAborted(work(), signal));
    } catch (error) {
      if (!(error instanceof DatabaseFault || error instanceof HoleFault)) throw error;
      throw new ServerUnavailableError(this.id, error.message, { cause: error });
    }
  }
}

function slotRange(name: string): IDBKeyRange {
  // An array is behind every number.
  return IDBKeyRange.bound([name], [name, []]);
}

async function slotIn(
  store: Pick<IDBPObjectStore<Shares, ['shares'], 'shares'>, 'getAll' | 'getAllKeys'>,
  name: string,
): Promise<Slot> {
  const range = slotRange(name);
  const [keys, shares] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
  return new Map(keys.map(([, shnum], i) => [shnum, shares[i] as StoredShare]));
}

interface Replacement extends Pick<Change<never>, 'shares'> {
  readonly name: string;
  /** As it was when all this was made of it. */
  readonly slot: Slot;
}

/** Replaces all those shares or none. @returns whether the slot was still as it had been */
async function replaceShares(
  database: IDBPDatabase<Shares>,
  { name, slot, shares }: Replacement,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (shares.size === 0) return true;
  const transaction = database.transaction('shares', 'readwrite', DURABLY);
  const giveUp = () => {
    try {
      transaction.abort();
    } catch {
      // It is over, one way or the other.
    }
  };
  const letGo = signal === undefined ? () => {} : onAbort(signal, giveUp);
  const replace = async (): Promise<boolean> => {
    const { store } = transaction;
    if (!isSame(slot, await slotIn(store, name))) return false;
    const changes = [...shares].map(async ([shnum, container]) => {
      if (container === undefined) return store.delete([name, shnum]);
      const stamp = bytesToHex(primitives.randomBytes(16));
      return void (await store.put({ container, stamp }, [name, shnum]));
    });
    await Promise.all(changes);
    return true;
  };
  try {
    const [replaced] = await Promise.all([replace(), transaction.done]);
    return replaced;
  } catch (error) {
    // Else it would keep what was put before the failure.
    giveUp();
    throw error;
  } finally {
    letGo();
  }
}

function isSame(before: Slot, now: Slot): boolean {
  if (before.size !== now.size) return false;
  return [...before].every(([shnum, { stamp }]) => stamp === now.get(shnum)?.stamp);
}
