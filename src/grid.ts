/**
 * @module grid: a set of storage servers, and the files on it.
 *
 * Runs wherever its servers do; `node.ts` opens grids that are described by a file.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { primitives } from '#crypto';
import { quorumOf } from '../machines/quorum.ts';
import { followerOf, unlessAborted } from './abort.ts';
import { checkCreation, checkGrid, checkOptions, type Names, ofAnyCall } from './arguments.ts';
import { toBase32 } from './bytes.ts';
import {
  type Cap,
  checkCap,
  type Format,
  parseCap,
  storageIndexOf,
  type WriteCap,
  writeCapOf,
} from './caps.ts';
import { contentsFrom, refuseContents, release } from './contents/contents.ts';
import type { Once } from './contents/once.ts';
import { type Spool, type Spooled, spooled, spoolInMemory } from './contents/spool.ts';
import { encryptPrivateKey } from './crypto/keys.ts';
import type { Primitives } from './crypto/primitives.ts';
import type { Child } from './directory/child.ts';
import { firstTable } from './directory/edits.ts';
import { immutableCapOf } from './directory/immutable.ts';
import { splitAddress } from './directory/names.ts';
import { packTable } from './directory/table.ts';
import { additionsFrom, Directory, type DirectorySetting } from './directory.ts';
import {
  defaultEncoding,
  type Encoding,
  quorumNotices,
  requireUsable,
  type UnusableSettings,
} from './encoding.ts';
import { checkEncoding } from './erasure/shares.ts';
import { BadArgumentError, BadGridError, GridClosedError, OutOfRangeError } from './errors.ts';
import type {
  CreateDirectoryOptions,
  CreateOptions,
  GridOptions,
  InternalGridOptions,
} from './grid-options.ts';
import { checkImmutableCap, type ImmutableCap, parseImmutableCap } from './immutable/caps.ts';
import { ImmutableFile, type ImmutableSetting } from './immutable-file.ts';
import { complainTo, loggedBy, sayTo } from './log.ts';
import { type FileSetting, MutableFile } from './mutable-file.ts';
import { onDemand } from './on-demand.ts';
import { Recent } from './recent.ts';
import { Advisories } from './runtime/advisories.ts';
import { Closing } from './runtime/closing.ts';
import { Keyrings } from './runtime/keyrings.ts';
import { newDownload } from './runtime/late-downloads.ts';
import { renewLeases } from './runtime/late-operations.ts';
import type { SessionSetting } from './runtime/new-session.ts';
import { type Complain, observing, warn } from './runtime/observing.ts';
import type { OperationOptions } from './runtime/options.ts';
import {
  type GridAbout,
  type GridRecorder,
  isRecorder,
  operationOf,
  recorded,
  recorderOf,
  recordsGrids,
} from './runtime/recorded.ts';
import type { LeaseSetting } from './runtime/renew-leases.ts';
import { defaultDeadlines, type Engine, platformClock, statedIn } from './runtime/run.ts';
import { SpareKeys } from './runtime/spare-keys.ts';
import { type Plaintext, plaintextOf } from './share/plaintext.ts';
import { withCheckedAnswers } from './storage/checked-answers.ts';
import type { StorageServer } from './storage/server.ts';
import { Turns } from './turns.ts';
import type { Met } from './walk/met.ts';
import { type Known, rootOf } from './walk/root.ts';
import type { DeepStats } from './walk/stats.ts';
import type { Examined, Tree } from './walk/tree.ts';
import {
  checkDeepCheck,
  checkWalk,
  type DeepCheckOptions,
  type WalkOptions,
} from './walk/walk-options.ts';

export type {
  CreateDirectoryOptions,
  CreateOptions,
  GridOptions,
  InternalGridOptions,
} from './grid-options.ts';

/** Misspelled contents would be none, and the file empty. */
const ofAnyNew: Names<Omit<CreateOptions, 'contents'>> = {
  ...{ ...ofAnyCall, force: true, raw: true },
  ...{ format: true, key: true, isNewKey: true },
};

/** Loaded with the first walk. */
const trees = onDemand(() => import('./walk/tree.ts'));
/** What a new file holds, or what makes that, once its cap is known. */
type FirstContents = Plaintext | Once | ((cap: WriteCap) => Promise<Plaintext | Once>);

/** Enough for every header, key and signature of a small share: one read per share. */
const defaultHeadLength = 4000;
/** Shorter, and a header would not fit. */
const headLengthMin = 123;

/** Of which the grid knows the public key, and what it has signed. */
const signersRemembered = 64;
/** Of which it knows the private key, and how its last write left them: up to 4 MiB each. */
const defaultRememberedFiles = 8;

/**
 * Storage servers, and the files and directories on them.
 *
 * @example
 * ```ts
 * import { Grid, MemoryServer } from 'tahoe-mutable';
 *
 * const servers = ['a', 'b', 'c', 'd'].map((id) => new MemoryServer({ id }));
 * const grid = new Grid({ servers, encoding: { required: 2, happy: 3, total: 4 } });
 * const file = await grid.create({ contents: 'hello' });
 * const same = grid.open(file.readCap); // reads, and cannot write
 * ```
 */
export class Grid {
  /** As they were given. */
  readonly servers: readonly StorageServer[];
  /** S: see {@link GridOptions.gridSize}. */
  readonly gridSize: number;
  /** d: see {@link GridOptions.losableServers}. */
  readonly losableServers: number;
  /** What its owner should know of it, for people: above all that it has no majority to promise. */
  readonly notices: readonly string[];
  /** Of new files. */
  readonly encoding: Encoding;
  /** Of new files. */
  readonly format: Format;
  /** @internal */
  readonly unusable: UnusableSettings;
  readonly #setting: FileSetting;
  readonly #immutableSetting: ImmutableSetting;
  readonly #advisories: Advisories;
  readonly #primitives: Primitives;
  readonly #spareKeys: SpareKeys;
  readonly #date: () => number;
  readonly #spool: Spool;
  #closing = new Closing();

  /**
   * @throws BadGridError for a grid without servers or with two of one id; BadArgumentError,
   * OutOfRangeError
   */
  constructor(options: GridOptions) {
    checkGrid(options);
    const { servers, encoding = defaultEncoding, headLength = defaultHeadLength } = options;
    const { format = 'mdmf', unusable = {}, gridSize = servers.length } = options;
    const { rememberedFiles = defaultRememberedFiles } = options;
    const { leaseSecret = primitives.randomBytes(32), losableServers = 0 } = options;
    requireDistinct(servers);
    requireAtLeast(servers.length, 'gridSize', gridSize);
    if (unusable.encoding === undefined) requireEncoding(encoding);
    requireAtLeast(headLengthMin, 'headLength', headLength);
    this.servers = servers;
    this.gridSize = gridSize;
    this.losableServers = losableServers;
    this.encoding = encoding;
    this.format = format;
    this.unusable = unusable;
    const internal: InternalGridOptions = options;
    const members = { gridSize, losableServers };
    this.notices = [...(internal.notices ?? []), ...quorumNotices(encoding, members)];
    this.#primitives = internal.primitives ?? primitives;
    this.#date = options.date ?? Date.now;
    this.#spool = options.spool ?? spoolInMemory();
    const makeKey = () => this.#primitives.generateKey();
    this.#spareKeys = new SpareKeys(makeKey, options.spareKeys ?? 0);
    const engine = engineOf(internal, { servers, encoding, ...members });
    const checked = servers.map(withCheckedAnswers);
    const enough = quorumOf({ servers: gridSize, happy: encoding.happy }, encoding.total).size;
    const advisories = new Advisories(engine);
    this.#advisories = advisories;
    const during: FileSetting['during'] = (work) => this.#spareKeys.during(work);
    const renewLeases: FileSetting['renewLeases'] = (...file) =>
      this.#renewLeases({ engine, servers: checked, leaseSecret }, ...file);
    const ofAnyFile = { engine, during, renewLeases };
    this.#immutableSetting = {
      ...ofAnyFile,
      newDownload: (own, cap) => {
        const engine = { ...own, closing: this.#closing };
        return newDownload({ engine, servers: checked, cap, headLength, advisories });
      },
    };
    const signatures: SessionSetting['signatures'] = new Recent(signersRemembered);
    this.#setting = {
      encoding,
      ...members,
      unusableHappy: unusable.happy,
      turns: new Turns(),
      keyrings: new Keyrings(rememberedFiles),
      spooled: (...contents) => this.#spooled(...contents),
      ...ofAnyFile,
      sessionFor: (own, cap, memory) => ({
        // Asked for when the call is made: it ends with what is closed after that.
        engine: { ...own, closing: this.#closing },
        servers: checked,
        ...{ cap, ...memory, signatures, headLength, leaseSecret, advisories },
        usualTotal: encoding.total,
        enough: Math.max(encoding.required, enough),
      }),
    };
  }

  /**
   * Ends what is under way, gives back what the servers keep open, so that a process can end, and
   * forgets the files that it has written. The grid can be used again.
   */
  close(): void {
    this.#setting.turns.dismiss(new GridClosedError());
    this.#closing.close();
    this.#closing = new Closing();
    this.#advisories.close();
    this.#spareKeys.close();
    this.#setting.keyrings.forget();
    // What one of them throws is no reason to leave the others open.
    const complain = this.#complain ?? warn;
    for (const server of this.servers) observing('close', () => server.close?.(), complain)();
  }

  /** {@link close}, for `using` and `await using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** The same. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** @throws MalformedCapError, BadArgumentError */
  open(cap: Cap | string): MutableFile {
    const parsed = typeof cap === 'string' ? parseCap(cap) : cap;
    checkCap(parsed);
    return new MutableFile(parsed, this.#setting);
  }

  /**
   * A file that never changes, of `URI:CHK:…` or `URI:LIT:…`; also what is in an immutable directory.
   * @throws MalformedCapError, BadArgumentError
   */
  openImmutable(cap: ImmutableCap | string): ImmutableFile {
    const parsed = typeof cap === 'string' ? parseImmutableCap(cap) : cap;
    checkImmutableCap(parsed);
    return new ImmutableFile(parsed, this.#immutableSetting);
  }

  /**
   * Makes a new file; `created` on it tells where its shares went. It is never a directory.
   * @throws the error of a setting that is needed and unusable, or what `contents` throws, before
   * anything is sent; FileExistsError when a given key has a file already, NotEnoughServersError, …
   *
   * @example
   * ```ts
   * const note = await grid.create({ contents: 'hello', format: 'sdmf' });
   * const { placed, missing } = note.created!; // who holds which share; which are nowhere
   * const cap = note.writeCap; // the address and the right to write: keep it secret
   * ```
   */
  async create(options: CreateOptions = {}): Promise<MutableFile> {
    refuseContents(options);
    checkNew(options, 'contents');
    const { contents = new Uint8Array(0), ...rest } = options;
    if (typeof contents === 'function') {
      return this.#create('create', rest, () => async (cap) => contentsFrom(await contents(cap)));
    }
    return this.#create('create', rest, () => contentsFrom(contents));
  }

  /** @throws MalformedCapError, BadArgumentError when it is no directory's */
  openDirectory(cap: Cap | string): Directory {
    if (typeof cap === 'string') {
      const text = cap.replace(/^(?:ro|imm)\./, '');
      const immutable = immutableCapOf(text);
      if (immutable !== undefined) {
        if (!immutable.directory) throw noDirectory();
        return new Directory(this.openImmutable(immutable), this.#directories);
      }
    }
    const file = this.open(cap);
    if (file.cap.directory) return new Directory(file, this.#directories);
    throw noDirectory();
  }

  /**
   * Makes a new directory. `file.created` on it tells where its shares went.
   * @throws BadArgumentError for a child that cannot be linked, and as {@link create}
   *
   * @example
   * ```ts
   * const photos = await grid.createDirectory();
   * const home = await grid.createDirectory({ children: [{ name: 'photos', child: photos }] });
   * const { kind } = await grid.find(`${home.readCap}/photos`); // 'directory'
   * ```
   */
  async createDirectory(options: CreateDirectoryOptions = {}): Promise<Directory> {
    checkNew(options, 'children');
    const { children = [], ...rest } = options;
    const additions = additionsFrom(children);
    const { aesCtr } = this.#directories;
    // Write caps of children are encrypted for whoever has the new one's.
    const table = async ({ writekey }: WriteCap) =>
      plaintextOf(packTable(await firstTable({ writekey, aesCtr }, additions)));
    const file = await this.#create('createDirectory', rest, () => table);
    return new Directory(file, this.#directories);
  }

  /**
   * The child that `dircap/a/b` names.
   * @throws MalformedCapError, NoSuchChildError, NotADirectoryError, and as `Directory.list`
   *
   * @example
   * ```ts
   * await directory.add('notes.txt', file, { replace: true });
   * const { kind, caps } = await grid.find(`${directory.readCap}/notes.txt`);
   * if (kind === 'file' && caps.read !== undefined) await grid.open(caps.read).read();
   * ```
   */
  async find(address: string, options: OperationOptions = {}): Promise<Child> {
    const { cap, path } = splitAddress(address);
    return this.openDirectory(cap).find(path, options);
  }

  /**
   * A directory and everything below it, each object once, in Tahoe's order. What cannot be read is
   * met with its `error`, and the walk goes on.
   * @throws as {@link openDirectory}, InsufficientCapError for a verify cap; OutOfRangeError
   */
  walk(cap: Cap | string, options: WalkOptions = {}): AsyncGenerator<Met, void, undefined> {
    const root = rootOf(this.openDirectory(cap));
    checkWalk(options);
    return this.#walked(root, options, (tree) => tree.walk(options));
  }

  /**
   * The same, with a look at the shares of each object; repairs, and renews leases, where asked to.
   * @throws as {@link walk}
   */
  deepCheck(
    cap: Cap | string,
    options: DeepCheckOptions = {},
  ): AsyncGenerator<Examined, void, undefined> {
    const root = rootOf(this.openDirectory(cap));
    checkDeepCheck(options);
    return this.#walked(root, options, (tree) => tree.deepCheck(options));
  }

  /** How much there is in a directory and below it. @throws as {@link walk} */
  async deepStats(cap: Cap | string, options: WalkOptions = {}): Promise<DeepStats> {
    const root = rootOf(this.openDirectory(cap));
    checkWalk(options);
    const tree = await this.#treeOf(root, options);
    return tree.deepStats(options);
  }

  async *#walked<T>(
    root: Known,
    options: Pick<OperationOptions, 'signal'>,
    begin: (tree: Tree) => AsyncGenerator<T, void, undefined>,
  ): AsyncGenerator<T, void, undefined> {
    yield* begin(await this.#treeOf(root, options));
  }

  async #treeOf(root: Known, { signal }: Pick<OperationOptions, 'signal'>): Promise<Tree> {
    const { encoding } = this;
    const { Tree } = await this.#awaited(trees, signal);
    return new Tree(root, {
      encoding,
      recorder: this.#recorder,
      complain: this.#complain,
      open: (file) => this.open(file),
      openImmutable: (file) => this.openImmutable(file),
      openDirectory: (directory) => this.openDirectory(directory),
      onClose: (listener) => this.#closing.listen(listener),
    });
  }

  #renewLeases(setting: LeaseSetting, file: Uint8Array, options: OperationOptions) {
    const engine = { ...setting.engine, closing: this.#closing };
    const call = { method: 'renewLeases', file: () => file };
    return recorded(engine.recorder, call, options, (all) =>
      this.#spareKeys.during(() => renewLeases({ ...setting, engine }, file, all)),
    );
  }

  get #recorder(): GridRecorder | undefined {
    return this.#setting.engine.recorder;
  }

  get #complain(): Complain | undefined {
    return this.#setting.engine.complain;
  }

  get #directories(): DirectorySetting {
    const { aesCtr } = this.#primitives;
    return {
      ...{ date: this.#date, aesCtr, recorder: this.#recorder, complain: this.#complain },
      openDirectory: (cap) => this.openDirectory(cap),
    };
  }

  /** Keeps what `once` has, unless that is given up or the grid is closed before. */
  async #spooled(...[once, signal, kept]: Parameters<FileSetting['spooled']>): Promise<Spooled> {
    const { controller, letGo } = followerOf(signal);
    const stop = this.#closing.listen(() => controller.abort(new GridClosedError()));
    try {
      return await spooled(once, this.#spool, controller.signal, kept);
    } finally {
      stop();
      letGo();
    }
  }

  /** What `call` gives, unless that is given up or the grid is closed before. */
  async #awaited<T>(
    call: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { controller, letGo } = followerOf(signal);
    const stop = this.#closing.listen(() => controller.abort(new GridClosedError()));
    try {
      controller.signal.throwIfAborted();
      return await unlessAborted(call(controller.signal), controller.signal);
    } finally {
      stop();
      letGo();
    }
  }

  async #create(
    kind: 'create' | 'createDirectory',
    options: CreateOptions,
    contentsOf: () => FirstContents,
  ): Promise<MutableFile> {
    const { format = this.format, key, isNewKey, ...rest } = options;
    requireUsable(this.unusable, options.format);
    checkCreation({ format, key, isNewKey });
    const first = contentsOf();
    const prepared = async (signal: AbortSignal) => {
      const signing = key ?? (await this.#spareKeys.take(signal));
      const cap = writeCapOf(signing, format, kind === 'createDirectory');
      const encryptedPrivateKey = await encryptPrivateKey(
        cap.writekey,
        signing.pkcs8,
        this.#primitives,
      );
      // Who has given up meanwhile is asked for nothing.
      signal.throwIfAborted();
      const given = typeof first === 'function' ? await first(cap) : first;
      if (signal.aborted) release(given, signal.reason);
      return { cap, writer: { signing, encryptedPrivateKey }, given };
    };
    const unprepared = (error: unknown): never => {
      if (typeof first !== 'function') release(first, error);
      throw error;
    };
    const isNew = key === undefined || isNewKey === true;
    return recorded(this.#recorder, { method: kind, file: () => null }, rest, (all) =>
      this.#spareKeys.during(async () => {
        const preparing = this.#awaited(prepared, all.signal);
        const { cap, writer, given } = await preparing.catch(unprepared);
        operationOf(all)?.found(toBase32(storageIndexOf(cap)));
        return MutableFile.create(cap, this.#setting, writer, { given, isNewKey: isNew }, all);
      }),
    );
  }
}

/** @param own the option that only this call has */
function checkNew(options: OperationOptions, own: 'contents' | 'children'): void {
  checkOptions(options, { [own]: true, ...ofAnyNew });
}

function noDirectory(): BadArgumentError {
  return new BadArgumentError('cap', 'is that of a file, not of a directory');
}

function engineOf(options: InternalGridOptions, about: Omit<GridAbout, 'deadlines'>): Engine {
  const { inspect, machines, primitives, log } = options;
  const { now = () => performance.now() } = options;
  const deadlines = { ...defaultDeadlines, ...statedIn(options.deadlines) };
  const say = log && sayTo(log);
  return {
    clock: options.clock ?? platformClock,
    now,
    random: options.random ?? Math.random,
    ...{ deadlines, inspect, machines, primitives },
    complain: say && complainTo(say),
    recorder: recorderOf(
      isRecorder(inspect) ? inspect[recordsGrids]({ ...about, deadlines }) : undefined,
      say && loggedBy(say, now),
    ),
  };
}

function requireDistinct(servers: readonly StorageServer[]): void {
  if (servers.length === 0) throw new BadGridError('grid', 'it has no servers');
  const ids = new Set<string>();
  for (const { id } of servers) {
    if (ids.has(id)) throw new BadGridError('grid', `two servers are called ${id}`);
    ids.add(id);
  }
}

function requireAtLeast(min: number, argument: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new OutOfRangeError(argument, value, `must be at least ${min}`);
}

function requireEncoding({ required, happy, total }: Encoding): void {
  checkEncoding(required, total);
  if (!Number.isInteger(happy) || happy < 1 || happy > total) {
    throw new OutOfRangeError('happy', happy, `must be from 1 to ${total}`);
  }
}
