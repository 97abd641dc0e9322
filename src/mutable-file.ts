/**
 * @module mutable-file: one mutable file on a grid, as its users see it: operations, progress and
 * typed errors. That each operation is a statechart is nobody's business here.
 */
import type { Mode, Servermap } from '../machines/servermap.ts';
import type { Verification } from '../machines/verify-kernel.ts';
import type { Change } from '../machines/write-kernel.ts';
import {
  checkOptions,
  checkRange,
  type Names,
  ofAnyCall,
  requireAttempts,
  requireCount,
  requireFunction,
} from './arguments.ts';
import { type Bytes, bytesToHex } from './bytes.ts';
import { type Cap, formatCap, storageIndexOf, toReadCap, toVerifyCap } from './caps.ts';
import { type Contents, contentsFrom } from './contents/contents.ts';
import type { Once } from './contents/once.ts';
import { type Kept, type Spooled, withPlaintext } from './contents/spool.ts';
import { deferred } from './deferred.ts';
import type { Encoding } from './encoding.ts';
import { BadArgumentError, DirectoryCapError, InsufficientCapError } from './errors.ts';
import { eitherOf, streamOf } from './read-stream.ts';
import { guarded } from './runtime/guarded.ts';
import type { Modifier } from './runtime/job.ts';
import type { Keyrings } from './runtime/keyrings.ts';
import {
  createFile,
  mapFile,
  modifyFile,
  newBench,
  readFile,
  repairFile,
  statFile,
  streamFile,
  verifyFile,
  writeContents,
} from './runtime/late-operations.ts';
import type { SessionSetting } from './runtime/new-session.ts';
import type { FileOptions } from './runtime/operations.ts';
import type { OperationOptions, Range, RetryOptions } from './runtime/options.ts';
import type { FileStat, RepairOutcome, VersionContents, WriteOutcome } from './runtime/outcome.ts';
import { recorded } from './runtime/recorded.ts';
import type { LeaseOutcome } from './runtime/renew-leases.ts';
import { type Retries, retriesOf } from './runtime/retries.ts';
import type { Engine } from './runtime/run.ts';
import type { Keyring, Sightings, WriterKeys } from './runtime/session.ts';
import type { SpareKeys } from './runtime/spare-keys.ts';
import type { Workbench } from './runtime/workbench.ts';
import type { Plaintext } from './share/plaintext.ts';
import type { Turns } from './turns.ts';
import type { VersionChoice, VersionName } from './version-name.ts';

/** Of one `modify`, by default. */
const modifyAttempts = 8;

/** For writes. */
export interface WriteCallOptions extends OperationOptions {
  /** Write even over a version that was seen and would be lost (`NewerVersionSeenError`). */
  readonly force?: boolean | undefined;
  /**
   * Write the bytes of a directory, which are Tahoe's table of what is in it
   * (`DirectoryCapError`). They can always be read.
   */
  readonly raw?: boolean | undefined;
}

/** For repairs. */
export interface RepairCallOptions extends OperationOptions {
  /** Repair even where a version that was seen would be lost (`NewerVersionSeenError`). */
  readonly force?: boolean | undefined;
}

/** For writes that are made again after a collision; `modify` tries 8 times by default. */
export interface ModifyCallOptions extends WriteCallOptions, RetryOptions {
  /** The same as in `retry`. */
  readonly attempts?: number | undefined;
  /** The same as in `retry`. */
  readonly backoffMs?: number | undefined;
}

/** `base` where the contents depend on what was read before. */
export interface ChangeCallOptions extends WriteCallOptions, RetryOptions {
  /**
   * The version that the change was made for, as a read, `stat` or a write has named it: nothing is
   * written over any other (`VersionChangedError`), whoever wrote that, and however often it is
   * looked at again. By default the change is built on what is there. `force` looks for it, too,
   * but may still write over who writes at the same time.
   */
  readonly base?: VersionName | undefined;
}

/** For servermaps. */
interface MapCallOptions extends OperationOptions {
  readonly mode?: Mode | undefined;
}

/** For reads: which bytes. */
export interface ReadCallOptions extends OperationOptions, Range {}

/**
 * For calls on the newest version, or on one that is named. A read begins once more, at once, where
 * its shares are replaced under it: 2 attempts.
 */
export interface VersionCallOptions extends OperationOptions, RetryOptions {
  /**
   * A version that `servermap` or `stat` has named, instead of the newest: it is read if that is
   * possible, whatever else is there (`VersionUnavailableError`).
   */
  readonly version?: VersionChoice | undefined;
}

/** For reads of the newest version, or of one that is named. */
export interface VersionReadCallOptions extends ReadCallOptions, VersionCallOptions {}

const ofVersion: Names<VersionCallOptions> = { ...ofAnyCall, retry: true, version: true };
const ofRead: Names<VersionReadCallOptions> = { ...ofVersion, offset: true, length: true };
const ofMap: Names<MapCallOptions> = { ...ofAnyCall, mode: true };
const ofRepair: Names<RepairCallOptions> = { ...ofAnyCall, force: true };
const ofWrite: Names<WriteCallOptions & RetryOptions> = { ...ofRepair, raw: true, retry: true };
const ofChange: Names<ChangeCallOptions> = { ...ofWrite, base: true };
const ofModify: Names<ModifyCallOptions> = { ...ofWrite, attempts: true, backoffMs: true };

/** What the grid gives a file to work with. */
export interface FileSetting {
  readonly encoding: Encoding;
  /** S: the largest number of servers that any writer may know. */
  readonly gridSize: number;
  /** d: how many of them may lose what they hold. */
  readonly losableServers: number;
  /** Why `encoding.happy` is only a default, if it is: writes fail with this. */
  readonly unusableHappy: Error | undefined;
  /** One writer at a time per file, within this process. */
  readonly turns: Turns;
  readonly keyrings: Keyrings;
  /** What operations run on; each gets its own view of it. */
  readonly engine: Engine;
  readonly sessionFor: (engine: Engine, cap: Cap, memory: FileMemory) => SessionSetting;
  readonly renewLeases: RenewLeases;
  /** Reads a source to its end, and keeps what it had. */
  readonly spooled: (once: Once, signal: AbortSignal | undefined, kept: Kept) => Promise<Spooled>;
  /** Runs an operation, during which the grid does nothing of its own accord. */
  readonly during: SpareKeys['during'];
}

/** What the sessions of a handle have in common. */
type FileMemory = Pick<SessionSetting, 'keyring' | 'sightings'>;

/** Of the file with this storage index. */
export type RenewLeases = (
  storageIndex: Uint8Array,
  options: OperationOptions,
) => Promise<LeaseOutcome>;

/** One operation, of what it is told and what it works with. */
type Work<Options, T> = (bench: Workbench, options: Options & FileOptions) => Promise<T>;

/** What is done when it is an operation's turn. */
type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** One that writes: what it has to wait for before is not waited for by others. */
type Writing<Options, T> = (...given: [...Parameters<Work<Options, T>>, InTurn]) => Promise<T>;

/**
 * A mutable file on a grid. `Grid.open` and `Grid.create` make them. One handle may be used for
 * many calls at once: writes to one file wait for each other within a process.
 */
export class MutableFile {
  readonly #cap: Cap;
  readonly #setting: FileSetting;
  readonly #sightings: Sightings = {};
  /** The one that the grid remembers, from the first write on. */
  #keyring: Keyring;
  #created: WriteOutcome | undefined;

  /** Made by `Grid.open` and `Grid.create`. */
  constructor(cap: Cap, setting: FileSetting, keyring: Keyring = {}) {
    this.#cap = cap;
    this.#setting = setting;
    this.#keyring = keyring;
  }

  /** The cap this file was opened with. Its text is `formatCap(file.cap)`, and a secret. */
  get cap(): Cap {
    return this.#cap;
  }

  /** Of a file that was just made: where its shares went, and which could not be placed. */
  get created(): WriteOutcome | undefined {
    return this.#created;
  }

  /** The text of the read cap. @throws InsufficientCapError for a verify cap */
  get readCap(): string {
    return formatCap(toReadCap(this.#cap));
  }

  /** The text of the verify cap. */
  get verifyCap(): string {
    return formatCap(toVerifyCap(this.#cap));
  }

  /** The text of the write cap. @throws InsufficientCapError for a read or verify cap */
  get writeCap(): string {
    this.#require('write', 'giving away the write cap');
    return formatCap(this.#cap);
  }

  /**
   * What is known of the newest readable version without its contents.
   * @throws UnrecoverableFileError, VersionUnavailableError, InsufficientCapError
   */
  async stat(options: VersionCallOptions = {}): Promise<FileStat> {
    checkOptions(options, ofVersion);
    return this.#read('stat', options, (bench, all) => statFile(bench, all, all));
  }

  /**
   * The contents of the newest readable version, or a part of them: fewer bytes than `length` where
   * the contents end before, none at their end, and an error beyond it.
   * @throws UnrecoverableFileError, VersionUnavailableError, NotEnoughSharesError, OutOfRangeError
   * for an offset beyond the end, BeyondLimitError, InsufficientCapError
   *
   * @example
   * ```ts
   * const all = new TextDecoder().decode(await file.read());
   * const first = await file.read({ length: 100, signal: AbortSignal.timeout(10_000) });
   * ```
   */
  async read(options: VersionReadCallOptions = {}): Promise<Bytes> {
    return (await this.#whole('read', options)).contents;
  }

  /** The same, with the version that it is of. */
  async readVersion(options: VersionReadCallOptions = {}): Promise<VersionContents<Bytes>> {
    return this.#whole('readVersion', options);
  }

  #whole(method: string, options: VersionReadCallOptions): Promise<VersionContents<Bytes>> {
    return this.#read(method, options, (bench, all) => readFile(bench, all, all));
  }

  /**
   * As {@link read}, as a stream; what was not read yet is not fetched.
   *
   * @example
   * ```ts
   * let bytes = 0;
   * for await (const piece of file.stream()) bytes += piece.length;
   * ```
   */
  stream(options: VersionReadCallOptions = {}): ReadableStream<Bytes> {
    return this.#stream('stream', options, () => {});
  }

  /** The same, with the version that it is of, as soon as its first bytes are there. */
  async streamVersion(
    options: VersionReadCallOptions = {},
  ): Promise<VersionContents<ReadableStream<Bytes>>> {
    const { promise: begun, resolve, reject } = deferred<FileStat>();
    const contents = this.#stream('streamVersion', options, resolve, reject);
    return { ...(await begun), contents };
  }

  #stream(
    method: string,
    options: VersionReadCallOptions,
    begin: (stat: FileStat) => void,
    fail: (error: unknown) => void = () => {},
  ): ReadableStream<Bytes> {
    return streamOf(async (sink, gone) => {
      const read: Work<VersionReadCallOptions, void> = (bench, all) =>
        streamFile(bench, all, sink, begin, all);
      try {
        await this.#read(method, options, read, gone);
      } catch (error) {
        fail(error);
        throw error;
      }
    });
  }

  /** @param gone aborted when the one who reads has gone away */
  async #read<Options extends VersionReadCallOptions, T>(
    method: string,
    options: Options,
    work: Work<Options, T>,
    gone?: AbortSignal,
  ): Promise<T> {
    if (this.#cap.kind === 'verify') throw new InsufficientCapError('reading', 'read', 'verify');
    checkOptions(options, ofRead);
    checkRange(options);
    return this.#run(method, { ...options, signal: eitherOf(options.signal, gone) }, work);
  }

  /** Who holds what: every share that anybody reported, with its verdict. */
  async servermap(
    options: OperationOptions & { readonly mode?: Mode | undefined } = {},
  ): Promise<Servermap> {
    checkOptions(options, ofMap);
    return this.#run('servermap', options, async (bench, all) => {
      const { mode = 'check' } = options;
      if (mode === 'write' || mode === 'repair') this.#require('write', `mapping for ${mode}`);
      return mapFile(bench, mode, all);
    });
  }

  /** Checks signatures, hashes and blocks of every share; a verify cap is enough. */
  async verify(options: OperationOptions = {}): Promise<Verification> {
    checkOptions(options);
    return this.#run('verify', options, verifyFile);
  }

  /**
   * Places again what is missing or bad of the newest version: the same shares, byte for byte, on as
   * few servers as that takes. Only where other versions have to be replaced that this one cannot,
   * the contents are written as a new version. The contents are read and checked, and in memory.
   * @throws UnrecoverableFileError, NotEnoughSharesError, NewerVersionSeenError for what would be
   * lost, InsufficientCapError for a read cap, which has no write enabler, and as {@link overwrite}
   *
   * @example
   * ```ts
   * const { isHealthy, bad } = await file.verify();
   * for (const { server, shnum, reason } of bad) console.log(`${shnum} on ${server}: ${reason}`);
   * if (!isHealthy) await file.repair();
   * ```
   */
  async repair(options: RepairCallOptions = {}): Promise<RepairOutcome> {
    checkOptions(options, ofRepair);
    // The contents stay as they are, a directory's too.
    const all = { ...options, raw: true };
    return this.#write(
      'repair',
      'repairing',
      all,
      () => (bench, given, inTurn) => inTurn(() => repairFile(bench, given)),
    );
  }

  /**
   * Renews this client's lease on every share, for 31 days, or adds it. Any cap is enough. Writes
   * renew the leases of what they write by themselves (docs/leases.md).
   */
  async renewLeases(options: OperationOptions = {}): Promise<LeaseOutcome> {
    checkOptions(options);
    return this.#setting.renewLeases(storageIndexOf(this.#cap), options);
  }

  /**
   * Replaces the contents; with a `base`, only those of that version.
   * @throws VersionChangedError, UncoordinatedWriteError, NotEnoughServersError,
   * IndeterminateWriteError, NewerVersionSeenError, MissingPrivateKeyError, WrongFormatError, InsufficientCapError,
   * DirectoryCapError, SourceChangedError, BadArgumentError, and what a source or a callback throws
   *
   * @example
   * ```ts
   * const { version } = await file.readVersion();
   * await file.overwrite('new contents', { base: version }); // or VersionChangedError
   * await file.overwrite(new Blob(['whatever is there'])); // over the newest version
   * ```
   */
  async overwrite(contents: Contents, options: ChangeCallOptions = {}): Promise<WriteOutcome> {
    const changeOf = (size: number) => ({ kind: 'overwrite', size }) as const;
    return this.#writeContents('overwrite', 'overwriting', options, contents, changeOf);
  }

  /**
   * Writes `data` over the contents from `offset` on, extending them if need be. MDMF files change
   * in place where the shares allow it. No data, no write: the outcome then names the version that
   * is there, and nothing as placed.
   * @throws OutOfRangeError for an offset beyond the end, and as {@link overwrite}
   *
   * @example
   * ```ts
   * await file.overwrite('hello world');
   * await file.update('W', 6); // hello World
   * ```
   */
  async update(
    data: Contents,
    offset: number,
    options: ChangeCallOptions = {},
  ): Promise<WriteOutcome> {
    requireCount('offset', offset);
    return this.#update('update', data, offset, options);
  }

  /**
   * Writes `data` behind the last byte; else as {@link update}.
   *
   * @example
   * ```ts
   * await file.append('one more line\n', {
   *   onProgress: ({ phase, done, total }) => console.log(`${phase}: ${done} of ${total} bytes`),
   * });
   * ```
   */
  append(data: Contents, options: ChangeCallOptions = {}): Promise<WriteOutcome> {
    return this.#update('append', data, null, options);
  }

  /** @param offset null: behind the last byte */
  #update(method: string, data: Contents, offset: number | null, options: ChangeCallOptions) {
    const changeOf = (size: number) => ({ kind: 'update', size, offset }) as const;
    return this.#writeContents(method, 'updating', options, data, changeOf);
  }

  /**
   * Reads, lets `modifier` change, and writes; when somebody else wrote at the same time, does it
   * again from what is there then. `modifier` must not mind contents that hold its change already.
   * A write of the same file that `modifier` waits for would wait for this one: it never ends.
   * @returns undefined when `modifier` wanted no change, and what is there is acknowledged
   * @throws UncoordinatedWriteError, NewerVersionSeenError when every attempt met another writer,
   * what `modifier` throws, and as {@link overwrite}
   *
   * @example
   * ```ts
   * await file.modify((contents) => {
   *   const lines = new TextDecoder().decode(contents).split('\n').filter(Boolean);
   *   return lines.includes('mine') ? undefined : [...lines, 'mine', ''].join('\n');
   * });
   * ```
   */
  async modify(
    modifier: Modifier,
    options: ModifyCallOptions = {},
  ): Promise<WriteOutcome | undefined> {
    checkOptions(options, ofModify);
    return this.#write('modify', 'modifying', options, () => {
      requireFunction('modifier', modifier);
      const retries = patienceFor(options);
      return (bench, all, inTurn) => inTurn(() => modifyFile(bench, modifier, retries, all));
    });
  }

  /** Writes what is given; what can be read only once is read before it takes its turn. */
  async #writeContents(
    method: string,
    doing: string,
    options: ChangeCallOptions,
    contents: Contents,
    changeOf: (size: number) => Change,
  ): Promise<WriteOutcome> {
    checkOptions(options, ofChange);
    return this.#write(method, doing, options, () => {
      const given = contentsFrom(contents);
      const retries = retriesOf(options.retry, 1);
      return (bench, all, inTurn) =>
        withPlaintext(given, this.#keeping(bench, all), (plaintext) =>
          inTurn(() => writeContents(bench, changeOf(plaintext.size), plaintext, retries, all)),
        );
    });
  }

  /** Keeps what can be read only once. */
  #keeping({ engine: { progress } }: Workbench, { signal, encoding }: FileOptions) {
    const kept: Kept = (bytes) => progress?.spools(bytes, encoding);
    return (once: Once) => this.#setting.spooled(once, signal, kept);
  }

  /**
   * Runs one writing operation.
   * @param doing what it does, for errors
   * @param prepare checks what is left to check, before anything is sent or waited for
   */
  async #write<Options extends WriteCallOptions, T>(
    method: string,
    doing: string,
    options: Options,
    prepare: () => Writing<Options, T>,
  ): Promise<T> {
    this.#require('write', doing);
    if (this.#cap.directory && options.raw !== true) throw new DirectoryCapError(doing);
    if (this.#setting.unusableHappy !== undefined) throw this.#setting.unusableHappy;
    const work = prepare();
    this.#keyring = this.#setting.keyrings.of(this.#cap, this.#keyring);
    // Not by the cap: a file may have several, as a directory or in the other format.
    const turn = bytesToHex(storageIndexOf(this.#cap));
    return this.#run(method, options, (bench, all) =>
      work(bench, all, (writing) => this.#setting.turns.run(turn, all.signal, writing)),
    );
  }

  /**
   * Runs one operation, which ends with what a function of the caller's throws meanwhile.
   * @param method as it is called
   */
  async #run<Options extends OperationOptions, T>(
    method: string,
    options: Options,
    work: Work<Options, T>,
  ): Promise<T> {
    const { recorder } = this.#setting.engine;
    const call = { method, file: () => storageIndexOf(this.#cap) };
    return recorded(recorder, call, options, (given) => this.#guarded(given, work));
  }

  async #guarded<Options extends OperationOptions, T>(
    given: Options,
    work: Work<Options, T>,
  ): Promise<T> {
    const { encoding, gridSize, losableServers, during } = this.#setting;
    return guarded(this.#setting.engine, given, async (engine, options) => {
      const memory = { keyring: this.#keyring, sightings: this.#sightings };
      const bench = await newBench(this.#setting.sessionFor(engine, this.#cap, memory));
      const all = { ...options, encoding, gridSize, losableServers };
      try {
        return await during(() => work(bench, all));
      } finally {
        bench.close();
      }
    });
  }

  #require(kind: 'write', operation: string): void {
    if (this.#cap.kind !== kind) throw new InsufficientCapError(operation, kind, this.#cap.kind);
  }

  /** Writes the first version. Only for `Grid.create`. */
  static async create(
    cap: Cap,
    setting: FileSetting,
    writer: WriterKeys,
    first: { readonly given: Plaintext | Once; readonly isNewKey: boolean },
    options: WriteCallOptions,
  ): Promise<MutableFile> {
    const keyring: Keyring = { writer };
    const remember = setting.keyrings.ofNew(cap, keyring);
    const file = new MutableFile(cap, setting, keyring);
    const { given, isNewKey } = first;
    file.#created = await file.#run('create', options, (bench, all) =>
      withPlaintext(given, file.#keeping(bench, all), (plaintext) =>
        createFile(bench, plaintext, isNewKey, all),
      ),
    );
    remember();
    return file;
  }
}

/** @throws BadArgumentError, OutOfRangeError */
function patienceFor({ retry, attempts, backoffMs }: ModifyCallOptions): Retries {
  if (attempts !== undefined) requireAttempts('attempts', attempts);
  if (backoffMs !== undefined) requireCount('backoffMs', backoffMs);
  if (retry === undefined) return retriesOf({ attempts, backoffMs }, modifyAttempts);
  if (attempts === undefined && backoffMs === undefined) return retriesOf(retry, modifyAttempts);
  throw new BadArgumentError('retry', 'is given beside attempts or backoffMs, which are the same');
}
