/**
 * @module local: files and folders here, to copy from and to.
 *
 * Links are followed, as Tahoe does. A name from a grid may be anybody's: one that would lead out
 * of its folder, or that the system takes for another one, is refused.
 */
import { isUtf8 } from 'node:buffer';
import type { Stats } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoOf, ignoreMissing, replaceFile } from '../../storage/atomic-file.ts';
import { sweepLeftBehind } from '../../storage/left-behind.ts';
import { makeFolders } from '../../storage/make-folders.ts';
import type { Call } from '../call.ts';
import { OutputError, UnsafeNameError, UsageError, unreadable } from '../complaint.ts';
import { openContents, workingWith } from '../contents-argument.ts';
import type { IsOfGrid } from '../grid-folders.ts';
import type { Copying, Place, TargetFolder, Way } from './copying.ts';
import type { Arrival, Entry } from './entry.ts';

/** Where entries are copied from. */
export interface Here {
  readonly call: Call;
  /** What is copied lands in such folders: a run that went into one would never end. */
  readonly isOfGrid: IsOfGrid;
}

/** What is at `path`. @throws UsageError when that cannot be told */
export async function localEntry(here: Here, path: string): Promise<Entry> {
  return entryAt(here, path, basename(resolve(path)) || undefined);
}

async function entryAt(here: Here, path: string, name: string | undefined): Promise<Entry> {
  const status = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const named = { name, where: path };
  const refused = (why: string): Entry => {
    return { ...named, kind: 'refused', problem: new UsageError(`${path}: ${why}`) };
  };
  if (status.isDirectory()) {
    if (await here.isOfGrid(path)) return refused('belongs to the grid that is copied to');
    return { ...named, kind: 'directory', id: idOf(status), entries: () => entriesIn(here, path) };
  }
  if (!status.isFile()) return refused('is neither a file nor a directory');
  return {
    ...named,
    kind: 'file',
    pieces: () => {
      throw new Error('files here are not copied to files here');
    },
    withContents: async ({ signal }, work) => {
      const { stdin } = here.call.streams;
      return workingWith(await openContents(path, { stdin, signal }), work);
    },
  };
}

async function entriesIn(here: Here, path: string): Promise<readonly Entry[]> {
  const names = await readdir(path, { encoding: 'buffer' }).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const entries = names.map(async (bytes): Promise<Entry> => {
    const name = bytes.toString();
    const inside = join(path, name);
    try {
      if (!isUtf8(bytes)) throw new UsageError(`${inside}: its name is not UTF-8`);
      return await entryAt(here, inside, name);
    } catch (error) {
      return { kind: 'refused', name, where: inside, problem: error as Error };
    }
  });
  const byName = (a: Entry, b: Entry) => (String(a.name) < String(b.name) ? -1 : 1);
  return (await Promise.all(entries)).sort(byName);
}

/** @throws OutputError where it cannot be told */
export async function localPlace(given: string, copying: Copying): Promise<Place> {
  // A slash at its end makes a file that is there one that is not.
  const path = given.replace(/(?<=.)\/+$/, '');
  const status = await stat(path)
    .catch(ignoreMissing)
    .catch((error: unknown) => {
      throw new OutputError(path, error);
    });
  const kind = status?.isDirectory() ? 'directory' : 'file';
  return {
    kind: status === undefined ? 'missing' : kind,
    folder: () => localFolder(path),
    take: (file) => {
      const entry = { ...file, name: basename(path) };
      return copying.copy([entry], new LocalFolder(dirname(path)));
    },
  };
}

/** @throws OutputError for what is no folder, and cannot be made one */
async function localFolder(path: string): Promise<TargetFolder> {
  await makeFolders(path).catch((error: unknown) => {
    throw new OutputError(path, error);
  });
  return new LocalFolder(path, idOf(await stat(path)));
}

class LocalFolder implements TargetFolder {
  readonly id: string;
  readonly #path: string;
  /** The names that this run has put here, by what the system calls their files. */
  readonly #ours = new Map<string, string>();

  constructor(path: string, id = '') {
    this.#path = path;
    this.id = id;
  }

  async take(entries: readonly Arrival[], copying: Copying): Promise<readonly Way[]> {
    await sweepLeftBehind(this.#path);
    const ways: Way[] = [];
    // Names that may be one here take turns, so that each sees what the other has made.
    const groups = alike(entries).map((group) => ({ where: this.#path, group }));
    await copying.each(groups, async ({ group }) => {
      for (const entry of group) {
        await copying.attempt(entry.where, async () => {
          const way = await this.#takeOne(entry, copying);
          if (way !== undefined) ways.push(way);
        });
      }
    });
    return ways;
  }

  async #takeOne(entry: Arrival, copying: Copying): Promise<Way | undefined> {
    const { name } = entry;
    requireSafe(name);
    const path = join(this.#path, name);
    try {
      const there = await stat(path).catch(ignoreMissing);
      const twin = there && this.#ours.get(idOf(there));
      if (twin !== undefined) {
        throw new UnsafeNameError(name, `is one name with ${JSON.stringify(twin)} here`);
      }
      if (entry.kind === 'directory') {
        if (there !== undefined && !there.isDirectory()) {
          throw new UsageError(`${path}: is there, and is no directory`);
        }
        if (there === undefined) {
          await mkdir(path);
          copying.done.directories++;
        }
        const id = idOf(await stat(path));
        this.#ours.set(id, name);
        return { from: entry, to: new LocalFolder(path, id) };
      }
      if (there !== undefined && !there.isFile()) {
        throw new UsageError(`${path}: is there, and is no file`);
      }
      await replaceFile(path, entry.pieces(copying.options), { isSwept: true });
      const made = await stat(path);
      this.#ours.set(idOf(made), name);
      copying.arrived('copied', made.size);
      return undefined;
    } catch (error) {
      throw errnoOf(error) === undefined ? error : new OutputError(path, error);
    }
  }
}

/** Entries whose names are one where case and composition do not count. */
function alike(entries: readonly Arrival[]): readonly (readonly Arrival[])[] {
  const groups = new Map<string, Arrival[]>();
  for (const entry of entries) {
    const name = entry.name.normalize('NFC').toLowerCase();
    groups.set(name, [...(groups.get(name) ?? []), entry]);
  }
  return [...groups.values()];
}

function idOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** What Windows makes something else of. */
const WINDOWS = /[<>:"|?*\\\p{Cc}]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu;

/** @throws UnsafeNameError */
function requireSafe(name: string): void {
  const isSafe = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
  if (isSafe && !(process.platform === 'win32' && WINDOWS.test(name))) return;
  throw new UnsafeNameError(name, 'cannot be the name of a file here');
}
