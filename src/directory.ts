/**
 * @module directory: one directory on a grid, as its users see it: children by name, and edits of
 * them that go together with those of others.
 *
 * An edit is a `modify` of the directory's file: the whole table is read, changed, and written; where
 * somebody else wrote at the same time, the change is made again from what is there then.
 */
import {
  checkOptions,
  type Names,
  ofAnyCall,
  requireFunction,
  requireOptions,
} from './arguments.ts';
import { equalBytes } from './bytes.ts';
import { formatCap, storageIndexOf, type WriteCap } from './caps.ts';
import type { Primitives } from './crypto/primitives.ts';
import { type Child, childrenOf, type Holder, linkable } from './directory/child.ts';
import {
  type Addition,
  adding,
  Draft,
  describing,
  type Edit,
  type Editor,
  movable,
  type Replace,
  renaming,
  unlinking,
} from './directory/edits.ts';
import { type Metadata, metadataFrom, withoutTimes } from './directory/metadata.ts';
import { nameFrom, namesOf } from './directory/names.ts';
import { packTable, parseTable, type Table } from './directory/table.ts';
import type { Caps } from './directory/target.ts';
import {
  BadArgumentError,
  InsufficientCapError,
  NoSuchChildError,
  NotADirectoryError,
} from './errors.ts';
import { formatImmutableCap, immutableStorageIndexOf } from './immutable/caps.ts';
import type { ImmutableFile } from './immutable-file.ts';
import { type ModifyCallOptions, MutableFile } from './mutable-file.ts';
import { requireObject } from './refusal.ts';
import type { Modifier } from './runtime/job.ts';
import { type Complain, heard } from './runtime/observing.ts';
import type { OperationOptions } from './runtime/options.ts';
import type { WriteOutcome } from './runtime/outcome.ts';
import { inSteps } from './runtime/progress-steps.ts';
import { type GridRecorder, operationOf, partOf, recorded } from './runtime/recorded.ts';

/** What can be linked: a cap, the two caps of a child, a child found elsewhere, or a handle. */
export type Linked = string | Caps | Child | MutableFile | Directory;

/** A child to be linked. */
export interface NewChild {
  /** Any text, as Tahoe has it also the empty one; it is brought into NFC. */
  readonly name: string;
  /** What it leads to. */
  readonly child: Linked;
  /** JSON; what stands under `tahoe` is the directory's own, but in a new directory. */
  readonly metadata?: Metadata | undefined;
}

/** Which attempt of an edit begins, from 0, and the version that it starts from. */
export type Attempt = Parameters<Modifier>[1];

/** For calls that change a directory. */
export interface EditCallOptions extends Omit<ModifyCallOptions, 'raw'> {
  /** Told before each attempt; the second one is the first that met another writer. */
  readonly onAttempt?: ((about: Attempt) => void) | undefined;
}

/** For calls that give a name to a child. */
export interface AddCallOptions extends EditCallOptions {
  /**
   * Whether a child that has the name is replaced. False by default: its link may be the only one.
   * `only-files`: if it is known to be a file.
   */
  readonly replace?: Replace | undefined;
}

/** What an edit has done. */
export interface EditOutcome {
  /** The attempt that went through: 0, unless others wrote at the same time. */
  readonly attempt: number;
  /** Undefined where nothing had to be written. */
  readonly write: WriteOutcome | undefined;
}

/** All that is in a directory. */
export interface Listing {
  /** Every entry, as {@link Directory.list} gives them. */
  readonly children: readonly Child[];
  /** Bytes of its table. */
  readonly size: number;
}

/** What a move has done; a part that is undefined was not needed. */
export interface MoveOutcome {
  /** The link in the other directory. */
  readonly added: EditOutcome;
  /** What was taken away here. */
  readonly unlinked: EditOutcome | undefined;
}

/** The file that the table of a directory is in. */
type Backing = MutableFile | ImmutableFile;

/** What a call that changes a directory does, for errors. */
const doing = {
  add: 'adding',
  addAll: 'adding',
  unlink: 'unlinking',
  rename: 'renaming',
  setMetadata: 'describing',
  move: 'moving',
} as const;

const ofEdit: Names<EditCallOptions> = {
  ...{ ...ofAnyCall, force: true, retry: true, attempts: true, backoffMs: true, onAttempt: true },
};
const ofAdd: Names<AddCallOptions> = { ...ofEdit, replace: true };

/** What a call takes that changes a directory. */
const takes: Readonly<Record<keyof typeof doing, Names<EditCallOptions>>> = {
  add: { ...ofAdd, ...{ metadata: true } },
  addAll: ofAdd,
  unlink: ofEdit,
  rename: ofAdd,
  setMetadata: ofEdit,
  move: ofAdd,
};

/** What the grid gives a directory to work with. */
export interface DirectorySetting {
  /** Milliseconds since 1970. */
  readonly date: () => number;
  readonly aesCtr: Primitives['aesCtr'];
  readonly openDirectory: (cap: string) => Directory;
  readonly recorder: GridRecorder | undefined;
  readonly complain: Complain | undefined;
}

/**
 * A directory on a grid: children by name. `Grid.openDirectory` and `Grid.createDirectory` make
 * them. Edits of others at the same time are kept: each is a `MutableFile.modify` of the whole
 * table.
 */
export class Directory {
  readonly #backing: Backing;
  readonly #setting: DirectorySetting;

  /** Made by `Grid.openDirectory` and `Grid.createDirectory`. */
  constructor(backing: Backing, setting: DirectorySetting) {
    this.#backing = backing;
    this.#setting = setting;
  }

  /** The file that it is, to map, verify, or read as bytes; an immutable directory has none. */
  get file(): MutableFile | undefined {
    return this.#backing instanceof MutableFile ? this.#backing : undefined;
  }

  /** The text of the read cap. @throws InsufficientCapError for a verify cap */
  get readCap(): string {
    const backing = this.#backing;
    return backing instanceof MutableFile ? backing.readCap : formatImmutableCap(backing.cap);
  }

  /** The text of the verify cap. @throws InsufficientCapError for a literal, which has none */
  get verifyCap(): string {
    const verify = this.#backing.verifyCap;
    if (verify === undefined) throw new InsufficientCapError('verifying', 'verify', 'literal');
    return verify;
  }

  /** The text of the write cap. @throws InsufficientCapError for a read or verify cap */
  get writeCap(): string {
    return this.#writable('giving away the write cap').writeCap;
  }

  /**
   * Every entry, as what it is, in the order of the contents, which is that of the names' UTF-8.
   * @throws UnrecoverableFileError, NotEnoughSharesError, InsufficientCapError
   *
   * @example
   * ```ts
   * for (const { name, kind, caps } of await directory.list()) {
   *   if (kind === 'file' && caps.write !== undefined) console.log(`${name} can be changed`);
   * }
   * ```
   */
  async list(options: OperationOptions = {}): Promise<Child[]> {
    return this.#recorded('list', options, async (all) => {
      const { entries } = await this.#table(all);
      return childrenOf(entries, this.#holder);
    });
  }

  /** The same, and how long the table is. @throws as {@link list} */
  async listing(options: OperationOptions = {}): Promise<Listing> {
    return this.#recorded('listing', options, async (all) => {
      const contents = await this.#contents(all);
      const children = await childrenOf(parseTable(contents).entries, this.#holder);
      return { children, size: contents.length };
    });
  }

  /** The child of a name. @throws NoSuchChildError, and as {@link list} */
  async get(name: string, options: OperationOptions = {}): Promise<Child> {
    const wanted = nameFrom(name);
    return this.#recorded('get', options, async (all) => {
      const { entries } = await this.#table(all);
      const named = entries.filter((entry) => entry.name === wanted);
      const child = (await childrenOf(named, this.#holder)).at(-1);
      if (child === undefined) throw new NoSuchChildError(wanted);
      return child;
    });
  }

  /**
   * The child at the end of a path, `a/b`; each directory on the way is read once.
   * @throws NotADirectoryError, NoSuchChildError, BadArgumentError for a path without names
   */
  async find(path: string | readonly string[], options: OperationOptions = {}): Promise<Child> {
    const names = namesOf(path);
    const last = names.at(-1);
    if (last === undefined) throw new BadArgumentError('path', 'names no child');
    return this.#recorded('find', options, async (all) => {
      const directory = await this.openDirectory(names.slice(0, -1), all);
      return directory.get(last, all);
    });
  }

  /** The directory at the end of a path; this one for an empty path. @throws as {@link find} */
  async openDirectory(
    path: string | readonly string[],
    options: OperationOptions = {},
  ): Promise<Directory> {
    const names = namesOf(path);
    if (names.length === 0) return this;
    return this.#recorded('openDirectory', options, async (all) => {
      let directory: Directory = this;
      for (const name of names) {
        const { kind, caps } = await directory.get(name, all);
        const cap = caps.write ?? caps.read;
        if (kind !== 'directory' || cap === undefined) throw new NotADirectoryError(name, kind);
        directory = this.#setting.openDirectory(cap);
      }
      return directory;
    });
  }

  /**
   * Links a child. Metadata of a name stay where none are given.
   * @throws ExistingChildError, MalformedCapError, BadArgumentError, and as `MutableFile.modify`
   *
   * @example
   * ```ts
   * await directory.add('draft.txt', file); // whoever may write here may write to the file
   * await directory.add('draft.txt', file.readCap, { replace: true }); // nobody may, by this link
   * ```
   */
  async add(
    name: string,
    child: Linked,
    options: AddCallOptions & Pick<NewChild, 'metadata'> = {},
  ): Promise<EditOutcome> {
    requireOptions(options);
    const { metadata, ...rest } = options;
    return this.#add('add', [{ name, child, metadata }], rest);
  }

  /** Links children, all of them or none, in one version. @throws as {@link add} */
  async addAll(children: readonly NewChild[], options: AddCallOptions = {}): Promise<EditOutcome> {
    return this.#add('addAll', children, options);
  }

  async #add(
    method: 'add' | 'addAll',
    children: readonly NewChild[],
    options: AddCallOptions,
  ): Promise<EditOutcome> {
    const additions = additionsFrom(children);
    const replace = replaceIn(options);
    return this.#edit(method, (editor) => adding(additions, replace, editor), options);
  }

  /** Takes a name away, whatever it leads to. @throws NoSuchChildError, and as {@link add} */
  async unlink(name: string, options: EditCallOptions = {}): Promise<EditOutcome> {
    const wanted = nameFrom(name);
    return this.#edit('unlink', () => unlinking(wanted), options);
  }

  /**
   * Gives a child another name, in one version: it is never under both, or under none.
   * @throws NoSuchChildError, ExistingChildError, UnusableEntryError, and as {@link add}
   */
  async rename(from: string, to: string, options: AddCallOptions = {}): Promise<EditOutcome> {
    const [old, name] = [nameFrom(from, 'from'), nameFrom(to, 'to')];
    const replace = replaceIn(options);
    return this.#edit('rename', (editor) => renaming(old, name, replace, editor), options);
  }

  /** Replaces the metadata of a link, but for its times. @throws as {@link rename} */
  async setMetadata(
    name: string,
    metadata: Metadata,
    options: EditCallOptions = {},
  ): Promise<EditOutcome> {
    const [wanted, given] = [nameFrom(name), metadataFrom(metadata)];
    return this.#edit('setMetadata', (editor) => describing(wanted, given, editor), options);
  }

  /**
   * Moves a child to another directory: links it there, then unlinks it here. Who dies in between
   * leaves it in both; the same move, made again, finds it there and does the rest.
   * @throws as {@link rename}; what is thrown after the child was linked leaves it in both, too
   */
  async move(
    from: string,
    target: Directory,
    to: string = from,
    options: AddCallOptions = {},
  ): Promise<MoveOutcome> {
    const [old, name] = [nameFrom(from, 'from'), nameFrom(to, 'to')];
    if (!(target instanceof Directory)) {
      const isOther = Object(target) === target && 'readCap' in (target as object);
      const ours = isOther ? 'this copy of this library' : 'this library';
      throw new BadArgumentError('target', `is no directory of ${ours}`);
    }
    const replace = replaceIn(options);
    const here = storageIndexOf(this.#writable('moving').cap);
    const there = storageIndexOf(target.#writable('moving').cap);
    if (equalBytes(here, there)) {
      return { added: await this.rename(old, name, options), unlinked: undefined };
    }
    const move = async (all: AddCallOptions) => {
      const draft = new Draft(await this.#table(all));
      const link = await movable(draft, old, this.#holder);
      const { write: rw, read: ro } = link.target.caps;
      if (ro === target.readCap) {
        throw new BadArgumentError('target', 'is the directory that is to be moved into it');
      }
      const addition = { name, caps: { rw, ro }, metadata: withoutTimes(link.metadata) };
      const add = (editor: Editor) => adding([addition], replace, editor, true);
      const added = await target.#edit('move', add, all);
      const unlink = () => unlinking(old, draft.get(old));
      return { added, unlinked: await this.#edit('move', unlink, all) };
    };
    return this.#recorded('move', options, move, takes.move);
  }

  async #table(options: OperationOptions): Promise<Table> {
    return parseTable(await this.#contents(options));
  }

  async #contents(options: OperationOptions): Promise<Uint8Array> {
    const { signal, onProgress, deadlines } = options;
    const part = partOf(operationOf(options));
    return this.#backing.read({ ...part, signal, onProgress, deadlines });
  }

  async #edit(
    method: keyof typeof doing,
    editWith: (editor: Editor) => Edit,
    options: AddCallOptions,
  ): Promise<EditOutcome> {
    const file = this.#writable(doing[method]);
    checkOptions(options, takes[method]);
    const { onAttempt, replace: _, ...rest } = options;
    if (onAttempt !== undefined) requireFunction('onAttempt', onAttempt);
    const edit = editWith(this.#editor(file.cap as WriteCap));
    let attempt = 0;
    const modifier: Modifier = async (contents, about) => {
      attempt = about.attempt;
      await onAttempt?.(about);
      const draft = new Draft(parseTable(contents));
      await edit(draft);
      return draft.changed && packTable(draft.changed);
    };
    const modify = (all: typeof rest) => file.modify(modifier, { ...all, raw: true });
    const write = await this.#recorded(method, rest, modify, takes[method]);
    return { attempt, write };
  }

  /** Runs a call as one operation, whatever calls on files it consists of. */
  async #recorded<Options extends OperationOptions, T>(
    method: string,
    options: Options,
    work: (options: Options) => Promise<T>,
    names: Names<OperationOptions> = ofAnyCall,
  ): Promise<T> {
    checkOptions(options, names);
    const backing = this.#backing;
    const file = () => {
      if (backing instanceof MutableFile) return storageIndexOf(backing.cap);
      return backing.cap.kind === 'lit' ? null : immutableStorageIndexOf(backing.cap);
    };
    const { recorder, complain } = this.#setting;
    return recorded(recorder, { method, file }, options, (all) => inSteps(all, work, complain));
  }

  #editor(cap: WriteCap): Editor {
    const { date, aesCtr } = this.#setting;
    // What it rejects with is said below: it is no number.
    const ms = heard(date(), () => {});
    if (!Number.isFinite(ms)) throw new BadArgumentError('date', 'did not give a finite number');
    return { isMutable: true, writer: { writekey: cap.writekey, aesCtr }, now: ms / 1000 };
  }

  get #holder(): Holder {
    if (!(this.#backing instanceof MutableFile)) return { isMutable: false };
    const { cap } = this.#backing;
    if (cap.kind !== 'write') return { isMutable: true };
    const { aesCtr } = this.#setting;
    return { isMutable: true, writer: { writekey: cap.writekey, aesCtr } };
  }

  #writable(operation: string): MutableFile {
    const { file } = this;
    const held = file?.cap.kind ?? 'read';
    if (file === undefined || held !== 'write') {
      throw new InsufficientCapError(operation, 'write', held);
    }
    return file;
  }
}

function replaceIn(options: AddCallOptions): Replace {
  requireOptions(options);
  const { replace = false } = options;
  if (typeof replace === 'boolean' || replace === 'only-files') return replace;
  throw new BadArgumentError('replace', 'is none of true, false, only-files');
}

/**
 * @throws MalformedCapError, BadArgumentError for a child that cannot be linked; BadArgumentError for
 *   two of one name
 */
export function additionsFrom(children: readonly NewChild[]): Addition[] {
  if (!Array.isArray(children)) throw new BadArgumentError('children', 'are no array');
  // A hole is no child either: `map` would pass it over.
  const additions = Array.from(children, (given: NewChild, i) => {
    requireObject(`children[${i}]`, given, 'an object with `name` and `child`');
    const { name, child, metadata } = given;
    return {
      name: nameFrom(name),
      caps: linkable(capsOf(child)),
      metadata: metadata === undefined ? undefined : metadataFrom(metadata),
    };
  });
  const names = new Set(additions.map(({ name }) => name));
  if (names.size === additions.length) return additions;
  throw new BadArgumentError('children', 'have one name more than once');
}

function capsOf(child: Linked): string | Caps {
  if (typeof child === 'string') return child;
  requireObject('child', child, 'a cap, or what has one');
  // By what they have: they may be of another copy of this library.
  if ('cap' in child) return formatCap(child.cap);
  if ('readCap' in child) {
    return child.file === undefined ? child.readCap : formatCap(child.file.cap);
  }
  const caps: unknown = 'caps' in child ? child.caps : child;
  const { write, read } = requireObject('child', caps, 'a cap, or what has one') as Caps;
  for (const cap of [write, read]) {
    if (cap !== undefined && typeof cap !== 'string') {
      throw new BadArgumentError('child', 'has a cap that is no text');
    }
  }
  return { ...(write !== undefined && { write }), ...(read !== undefined && { read }) };
}
