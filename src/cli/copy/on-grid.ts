/**
 * @module on-grid: files and directories on a grid, to copy from and to.
 *
 * What is copied to a directory gets its links in one edit, with the new directories: all or none.
 * A mutable file that is there gets new contents, and keeps its caps; every other new file is a
 * mutable one, but for an immutable file of the grid, which is linked: nothing better can be made.
 */
import { bytesToHex } from '../../bytes.ts';
import { storageIndexOf } from '../../caps.ts';
import type { Child } from '../../directory/child.ts';
import { nameFrom } from '../../directory/names.ts';
import type { Directory, NewChild } from '../../directory.ts';
import {
  ExistingChildError,
  InsufficientCapError,
  NoSuchChildError,
  UnusableEntryError,
} from '../../errors.ts';
import type { Grid } from '../../grid.ts';
import { formatImmutableCap } from '../../immutable/caps.ts';
import { ImmutableFile } from '../../immutable-file.ts';
import type { MutableFile } from '../../mutable-file.ts';
import { linkBelow, reached } from '../below.ts';
import { type Address, capIn } from '../cap-text.ts';
import { UsageError } from '../complaint.ts';
import { withStream } from '../contents-argument.ts';
import { fileOf } from '../readable.ts';
import type { Copying, Place, TargetFolder, Way } from './copying.ts';
import type { Arrival, Entry, FileEntry, Signalled } from './entry.ts';

/** What is at the end of a path, or what a cap alone leads to, which has no name. */
export async function gridEntry(
  grid: Grid,
  { cap, names }: Address,
  options: Signalled,
): Promise<Entry> {
  const name = names.at(-1);
  if (name === undefined) {
    const where = 'the cap';
    if (isDirectoryCap(cap)) {
      return folderEntry(grid, grid.openDirectory(cap), { name, where });
    }
    return fileEntry(await fileOf(cap)(grid), { name, where });
  }
  const child = await grid.openDirectory(cap).find(names, options);
  return childEntry(grid, child, names.join('/'));
}

function isDirectoryCap(cap: string): boolean {
  return /^(?:(?:ro|imm)\.)?URI:DIR2/.test(cap);
}

/** @throws UnusableEntryError */
async function childEntry(grid: Grid, child: Child, where: string): Promise<Entry> {
  const { kind, caps, problem, isShadowed } = child;
  const cap = caps.write ?? caps.read;
  const name = child.name as string;
  if (cap === undefined || problem !== undefined || isShadowed || kind === 'unknown') {
    const why = problem ?? (isShadowed ? 'a later one has its name' : 'its kind is not known');
    throw new UnusableEntryError(child.name ?? '', why);
  }
  if (kind === 'directory') return folderEntry(grid, grid.openDirectory(cap), { name, where });
  return fileEntry(await fileOf(cap)(grid), { name, where });
}

type Named = Pick<Entry, 'name' | 'where'>;

function folderEntry(grid: Grid, directory: Directory, named: Named): Entry {
  const entries = async (options: Signalled) => {
    const children = await directory.list(options);
    return Promise.all(
      children.map(async (child): Promise<Entry> => {
        const where = `${named.name === undefined ? '' : `${named.where}/`}${child.name ?? '?'}`;
        return childEntry(grid, child, where).catch((error) => {
          return { kind: 'refused', name: child.name, where, problem: error as Error };
        });
      }),
    );
  };
  return { ...named, kind: 'directory', id: idOf(directory), entries };
}

function fileEntry(file: MutableFile | ImmutableFile, named: Named): FileEntry {
  const isImmutable = file instanceof ImmutableFile;
  const pieces = (options: Signalled) => file.stream(options);
  return {
    ...named,
    kind: 'file',
    ...(isImmutable && { immutableCap: formatImmutableCap(file.cap) }),
    ...(!isImmutable && { id: bytesToHex(storageIndexOf(file.cap)) }),
    pieces,
    withContents: (options, work) =>
      withStream(pieces(options), { name: named.where, signal: options.signal }, work),
  };
}

/** Directories of one storage index are one directory; a literal one is what is in it. */
function idOf(directory: Directory): string {
  const { file } = directory;
  if (file === undefined) return directory.readCap;
  return bytesToHex(storageIndexOf(file.cap));
}

/** What a path on a grid leads to, where there is anything. */
export async function gridPlace(grid: Grid, address: Address, copying: Copying): Promise<Place> {
  const { cap, names } = address;
  const name = names.at(-1);
  if (name === undefined && !isDirectoryCap(cap)) {
    const file = grid.open(capIn(cap));
    return {
      kind: 'file',
      folder: async () => gridFolder(grid, grid.openDirectory(cap)),
      take: async (entry) => {
        await copying.attempt(entry.where, () => overwriteOnGrid(file, entry, copying));
      },
    };
  }
  return {
    kind: name === undefined ? 'directory' : await kindAt(grid, address, copying.options),
    folder: () => ensureFolder(grid, address, copying),
    take: async (file) => {
      const parent = await ensureFolder(grid, { cap, names: names.slice(0, -1) }, copying);
      await copying.copy([{ ...file, name }], parent);
    },
  };
}

async function kindAt(grid: Grid, { cap, names }: Address, options: Signalled) {
  try {
    const { kind } = await grid.openDirectory(cap).find(names, options);
    return kind === 'directory' ? 'directory' : 'file';
  } catch (error) {
    if (error instanceof NoSuchChildError) return 'missing';
    throw error;
  }
}

/** A directory to copy into. @throws InsufficientCapError for what cannot be written */
function gridFolder(grid: Grid, directory: Directory, isNew = false): TargetFolder {
  if (directory.file?.cap.kind !== 'write') {
    throw new InsufficientCapError('copying into a directory', 'write', 'read');
  }
  return new GridFolder(grid, directory, isNew);
}

/** The directory at the end of a path; what is missing of it is made. */
async function ensureFolder(grid: Grid, address: Address, copying: Copying): Promise<TargetFolder> {
  const { options, done } = copying;
  const way = await reached(grid, address, options);
  if (way.missing.length === 0) return gridFolder(grid, way.directory);
  const lowest = await grid.createDirectory(options);
  try {
    done.directories += await linkBelow(grid, way, lowest, options);
  } catch (error) {
    if (!(error instanceof ExistingChildError)) throw error;
    // Another has made all of it meanwhile.
    return gridFolder(
      grid,
      await grid.openDirectory(address.cap).openDirectory(address.names, options),
    );
  }
  return gridFolder(grid, lowest);
}

/** What a directory will have. */
interface Link extends NewChild {
  readonly where: string;
  readonly what: 'copied' | 'linked' | 'made';
  /** That were copied. */
  readonly bytes: number;
}

class GridFolder implements TargetFolder {
  readonly id: string;
  readonly #grid: Grid;
  readonly #directory: Directory;
  readonly #isNew: boolean;

  constructor(grid: Grid, directory: Directory, isNew: boolean) {
    this.#grid = grid;
    this.#directory = directory;
    this.#isNew = isNew;
    this.id = idOf(directory);
  }

  async take(entries: readonly Arrival[], copying: Copying): Promise<readonly Way[]> {
    if (entries.length === 0) return [];
    const { options } = copying;
    const children = this.#isNew ? [] : await this.#directory.list(options);
    const there = new Map(children.map((child) => [child.name, child]));
    const links: Link[] = [];
    const ways: Way[] = [];
    const newWays: Way[] = [];
    const taken = new Set<string>();
    let linked = false;
    try {
      await copying.each(entries, async (entry) => {
        const name = nameFrom(entry.name);
        if (taken.has(name)) throw new ExistingChildError(name);
        taken.add(name);
        const old = there.get(name);
        if (entry.kind === 'file') {
          const copied = await this.#copyFile(entry, old, copying);
          if (copied !== undefined) links.push({ name, where: entry.where, ...copied });
          return;
        }
        if (old !== undefined) {
          ways.push({ from: entry, to: this.#below(name, old) });
          return;
        }
        const made = await this.#grid.createDirectory(options);
        links.push({ name, child: made, where: entry.where, what: 'made', bytes: 0 });
        newWays.push({ from: entry, to: gridFolder(this.#grid, made, true) });
      });
      linked = await this.#link(links, copying);
    } finally {
      // Ended meanwhile: what has arrived is on the grid, and nobody can find it.
      if (!linked) copying.unlinked.push(...links.map(({ where }) => where));
    }
    return linked ? [...ways, ...newWays] : ways;
  }

  /** All in one edit. @returns whether they are linked; each one that is not is a failure */
  async #link(links: readonly Link[], copying: Copying): Promise<boolean> {
    if (links.length === 0) return true;
    const children = links.map(({ name, child }) => ({ name, child }));
    try {
      await this.#directory.addAll(children, { ...copying.options, replace: 'only-files' });
    } catch (error) {
      copying.options.signal.throwIfAborted();
      copying.failed.push(...links.map(({ where }) => ({ where, error })));
      return false;
    }
    for (const { what, bytes } of links) {
      if (what === 'made') copying.done.directories++;
      else copying.arrived(what, bytes);
    }
    return true;
  }

  #below(name: string, { kind, caps }: Child): TargetFolder {
    const cap = caps.write ?? caps.read;
    if (kind !== 'directory' || cap === undefined) throw new ExistingChildError(name, kind);
    return gridFolder(this.#grid, this.#grid.openDirectory(cap));
  }

  /** @returns what is to be linked; nothing where what is there has got the contents */
  async #copyFile(
    entry: FileEntry,
    old: Child | undefined,
    copying: Copying,
  ): Promise<Pick<Link, 'child' | 'what' | 'bytes'> | undefined> {
    if (old !== undefined && old.kind !== 'file') {
      throw new ExistingChildError(old.name as string, old.kind);
    }
    if (old?.mutable) {
      const cap = old.caps.write ?? (old.caps.read as string);
      await overwriteOnGrid(this.#grid.open(cap), entry, copying);
      return undefined;
    }
    if (entry.immutableCap !== undefined) {
      return { child: entry.immutableCap, what: 'linked', bytes: 0 };
    }
    return entry.withContents(copying.options, async (contents) => {
      const child = await this.#grid.create({ ...copying.options, contents });
      return { child, what: 'copied', bytes: contents.size };
    });
  }
}

/** Gives a file other contents. @throws UsageError for its own, InsufficientCapError */
async function overwriteOnGrid(
  file: MutableFile,
  entry: FileEntry,
  copying: Copying,
): Promise<void> {
  if (file.cap.kind !== 'write') {
    throw new InsufficientCapError('overwriting', 'write', file.cap.kind);
  }
  if (entry.id === bytesToHex(storageIndexOf(file.cap))) {
    throw new UsageError('FROM and TO are one file');
  }
  await entry.withContents(copying.options, async (contents) => {
    await file.overwrite(contents, copying.options);
    copying.arrived('copied', contents.size);
  });
}
