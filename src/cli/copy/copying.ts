/**
 * @module copying: one run of `cp`: what it has copied, what it could not, and how much at once.
 *
 * One bad entry does not end the run. Folders are gone through one after the other, from above, so
 * that what has been copied can be reached; of the entries of a folder, a few are under way at once.
 */
import { UsageError } from '../complaint.ts';
import type { Arrival, Entry, FileEntry, FolderEntry, Signalled } from './entry.ts';

/** Each new file on a grid needs a key, which takes a core some tenths of a second. */
const atOnce = 4;

/** Where one folder's entries go. */
export interface Way {
  readonly from: FolderEntry;
  readonly to: TargetFolder;
}

export interface TargetFolder {
  /** As {@link FolderEntry.id}. */
  readonly id: string;
  /**
   * Copies the files, and makes the folders, empty; what cannot be is a failure of `copying`.
   * @returns the folders that the copying goes on in
   */
  take(entries: readonly Arrival[], copying: Copying): Promise<readonly Way[]>;
}

/** What `TO` leads to. */
export interface Place {
  readonly kind: 'file' | 'directory' | 'missing';
  /** A folder, which is made if it is not there. */
  folder(): Promise<TargetFolder>;
  /** Becomes a copy of a file. */
  take(file: FileEntry): Promise<void>;
}

export interface Failed {
  readonly where: string;
  readonly error: unknown;
}

export class Copying {
  readonly options: Signalled;
  readonly failed: Failed[] = [];
  readonly done = { files: 0, linked: 0, directories: 0, bytes: 0 };
  /** Files that were put on the grid when the run ended, and that no directory leads to. */
  readonly unlinked: string[] = [];
  readonly #show: (done: number, total: number) => void;
  #total = 0;

  /** @param show how many files, of those that are known so far */
  constructor(options: Signalled, show: (done: number, total: number) => void) {
    this.options = options;
    this.#show = show;
  }

  /**
   * Copies sources, and all that is below them. A folder without a name stands for what is in it.
   * @throws what ends the run: an interruption
   */
  async copy(sources: readonly Entry[], target: TargetFolder): Promise<void> {
    const above = [target.id];
    const entries: Entry[] = [];
    for (const source of sources) {
      if (source.kind !== 'directory' || source.name !== undefined) {
        entries.push(source);
        continue;
      }
      requireNew(source, above);
      above.push(source.id);
      entries.push(...(await source.entries(this.options)));
    }
    const ways = await this.#take(entries, target, above);
    for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
      const { from, to, above } = way;
      const all = [...above, from.id, to.id];
      const below = await this.attempt(from.where, async () =>
        this.#take(await from.entries(this.options), to, all),
      );
      ways.push(...(below ?? []));
    }
  }

  /** Runs `work`; what goes wrong is noted, unless the run itself was ended. */
  async attempt<T>(where: string, work: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.options;
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      this.failed.push({ where, error });
      return undefined;
    }
  }

  /** The same for each entry, a few at once; when this ends, none is under way. */
  async each<T extends Named>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
    const waiting = all.values();
    const workers = Array.from({ length: atOnce }, async () => {
      for (const one of waiting) await this.attempt(one.where, () => work(one));
    });
    const ended = await Promise.allSettled(workers);
    const broken = ended.find((worker) => worker.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
  }

  /** A file is where it should be. */
  arrived(how: 'copied' | 'linked', bytes: number): void {
    if (how === 'linked') this.done.linked++;
    this.done.bytes += bytes;
    this.#show(++this.done.files, this.#total);
  }

  /** @param above the folders that are gone through, from and to */
  async #take(entries: readonly Entry[], target: TargetFolder, above: readonly string[]) {
    const arrivals: Arrival[] = [];
    for (const entry of entries) {
      await this.attempt(entry.where, async () => arrivals.push(arrivalOf(entry, above)));
    }
    this.#total += arrivals.filter(({ kind }) => kind === 'file').length;
    const ways = await target.take(arrivals, this);
    return ways.map((way) => ({ ...way, above })).reverse();
  }
}

function arrivalOf(entry: Entry, above: readonly string[]): Arrival {
  if (entry.kind === 'refused') throw entry.problem;
  const { name } = entry;
  if (name === undefined) throw new UsageError('FROM: has no name for TO, which is a directory');
  if (entry.kind === 'directory') requireNew(entry, above);
  return { ...entry, name };
}

type Named = Pick<Entry, 'where'>;

/** A link or a directory may lead back to where the copying came from, or is going. */
function requireNew({ id }: FolderEntry, above: readonly string[]): void {
  if (above.includes(id)) {
    throw new UsageError('leads back to a directory that is above it, or that is copied to');
  }
}
