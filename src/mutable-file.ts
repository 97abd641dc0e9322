/**
 * @module mutable-file: one mutable file on a grid, as its users see it: operations, progress and
 * typed errors. That each operation is a statechart is nobody's business here.
 */
import {
  bestVersion,
  type Mode,
  recoverableVersions,
  type Servermap,
} from '../machines/servermap.ts';
import { bytesToHex } from './bytes.ts';
import { type Cap, formatCap, storageIndexOf, toReadCap, toVerifyCap } from './caps.ts';
import type { Encoding } from './encoding.ts';
import { InsufficientCapError, NotEnoughSharesError, OutOfRangeError } from './errors.ts';
import {
  collected,
  createFile,
  type FileOptions,
  mapFile,
  overwriteFile,
  type Range,
  readRange,
  requireCount,
  type UpdatePlace,
  updateFile,
} from './runtime/file-io.ts';
import { type Modifier, modifyFile } from './runtime/modify-file.ts';
import type { OperationOptions } from './runtime/options.ts';
import { unrecoverable, type WriteOutcome } from './runtime/outcome.ts';
import { verifyShares } from './runtime/retrieve-segments.ts';
import type { Keyring, Session, WriterKeys } from './runtime/session.ts';
import { requireReadable } from './share/limits.ts';
import { type Plaintext, plaintextOf } from './share/plaintext.ts';
import type { Turns } from './storage/turns.ts';

/** Bytes in memory, or a source that can be read at any place, more than once. */
export type Contents = Uint8Array | Plaintext;

export interface WriteCallOptions extends OperationOptions {
  /** Write even over a version that was seen and would be lost (`NewerVersionSeenError`). */
  readonly force?: boolean;
}

export interface ModifyCallOptions extends OperationOptions {
  /** How often to try at most; 8 by default. */
  readonly attempts?: number;
  /** The first wait after a collision, in milliseconds; each one is longer. 250 by default. */
  readonly backoffMs?: number;
}

export interface ReadCallOptions extends OperationOptions, Range {}

/** What `verify` found: every block of every share of the newest version has been looked at. */
export interface Verification {
  readonly map: Servermap;
  readonly seqnum: number;
  readonly good: readonly { readonly server: string; readonly shnum: number }[];
  readonly bad: readonly {
    readonly server: string;
    readonly shnum: number;
    readonly reason: string;
  }[];
  /** Whether all N shares of one version, and of no other, are there and good. */
  readonly isHealthy: boolean;
}

/** What the grid gives a file to work with. */
export interface FileSetting {
  readonly encoding: Encoding;
  /** One writer at a time per file, within this process. */
  readonly turns: Turns;
  readonly newSession: (cap: Cap, keyring: Keyring) => Session;
}

export class MutableFile {
  readonly #cap: Cap;
  readonly #setting: FileSetting;
  readonly #keyring: Keyring;
  #created: WriteOutcome | undefined;

  /** Made by `Grid.open` and `Grid.create`. */
  constructor(cap: Cap, setting: FileSetting, writer?: WriterKeys) {
    this.#cap = cap;
    this.#setting = setting;
    this.#keyring = writer === undefined ? {} : { writer };
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
   * The contents of the newest readable version, or a part of them.
   * @throws UnrecoverableFileError, NotEnoughSharesError, OutOfRangeError, InsufficientCapError
   */
  async read(options: ReadCallOptions = {}): Promise<Uint8Array> {
    try {
      return await this.#readOnce(options);
    } catch (error) {
      // A writer may have replaced the version under us: once more, from the start.
      if (!(error instanceof NotEnoughSharesError)) throw error;
      return this.#readOnce(options);
    }
  }

  #readOnce(options: ReadCallOptions): Promise<Uint8Array> {
    return collected((sink) => this.#readInto(options, sink));
  }

  /** The same as a stream; what was not read yet is not fetched. It fails as {@link read} does. */
  stream(options: ReadCallOptions = {}): ReadableStream<Uint8Array> {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const gone = new AbortController();
    writer.closed.catch((reason) => gone.abort(reason));
    const { signal } = options;
    const either = signal === undefined ? gone.signal : AbortSignal.any([signal, gone.signal]);
    this.#readInto({ ...options, signal: either }, (bytes) => writer.write(bytes))
      .then(
        () => writer.close(),
        (error) => writer.abort(error),
      )
      .catch(() => {
        // The consumer has gone away: nobody is left to tell.
      });
    return readable;
  }

  async #readInto(options: ReadCallOptions, sink: (bytes: Uint8Array) => Promise<void>) {
    if (this.#cap.kind === 'verify') throw new InsufficientCapError('reading', 'read', 'verify');
    const { offset, length } = options;
    if (offset !== undefined) requireCount('offset', offset);
    if (length !== undefined) requireCount('length', length);
    await readRange(this.#session(), options, sink, this.#with(options));
  }

  /** Who holds what: every share that anybody reported, with its verdict. */
  async servermap(options: OperationOptions & { readonly mode?: Mode } = {}): Promise<Servermap> {
    const { mode = 'check' } = options;
    if (mode === 'write' || mode === 'repair') this.#require('write', `mapping for ${mode}`);
    return mapFile(this.#session(), mode, this.#with(options));
  }

  /** Checks signatures, hashes and blocks of every share; a verify cap is enough. */
  async verify(options: OperationOptions = {}): Promise<Verification> {
    const session = this.#session();
    const map = await mapFile(session, 'check', this.#with(options));
    const version = bestVersion(map);
    if (version === undefined) throw unrecoverable(map);
    requireReadable(version);
    const endSegment = Math.ceil(version.dataLength / Math.max(1, version.segmentSize));
    const { signal } = options;
    const report = await verifyShares(session, {
      map,
      version,
      firstSegment: 0,
      endSegment,
      signal,
    });
    const isBad = ({ status }: { status: string }) => status === 'corrupt' || status === 'failed';
    const good = report.sources.filter((source) => !isBad(source));
    const bad = report.sources.filter(isBad).map(({ server, shnum, failure }) => ({
      server,
      shnum,
      reason: failure?.detail ?? 'unknown',
    }));
    const mapBad = map.slots.flatMap(({ server, shnum, verdict }) =>
      verdict.kind === 'good' ? [] : [{ server, shnum, reason: verdict.reason }],
    );
    return {
      map,
      seqnum: version.seqnum,
      good: good.map(({ server, shnum }) => ({ server, shnum })),
      bad: [...mapBad, ...bad],
      isHealthy:
        mapBad.length + bad.length === 0 &&
        recoverableVersions(map).length === Object.keys(map.versions).length &&
        Object.keys(map.versions).length === 1 &&
        new Set(good.map(({ shnum }) => shnum)).size === version.total,
    };
  }

  /**
   * Replaces the contents.
   * @throws UncoordinatedWriteError, NotEnoughServersError, IndeterminateWriteError,
   * NewerVersionSeenError, MissingPrivateKeyError, WrongFormatError, InsufficientCapError
   */
  async overwrite(contents: Contents, options: WriteCallOptions = {}): Promise<WriteOutcome> {
    this.#require('write', 'overwriting');
    return this.#inTurn(options, () =>
      overwriteFile(this.#session(), toPlaintext(contents), this.#with(options)),
    );
  }

  /**
   * Writes `data` over the contents from `offset` on, extending them if need be. MDMF files change
   * in place where the shares allow it. No data, no write: the outcome then names the version that
   * is there, and nothing as placed.
   * @throws OutOfRangeError for an offset beyond the end, and as {@link overwrite}
   */
  async update(
    data: Contents,
    offset: number,
    options: WriteCallOptions = {},
  ): Promise<WriteOutcome> {
    requireCount('offset', offset);
    return this.#update(data, { offset }, options);
  }

  /** Writes `data` behind the last byte; else as {@link update}. */
  append(data: Contents, options: WriteCallOptions = {}): Promise<WriteOutcome> {
    return this.#update(data, 'end', options);
  }

  async #update(data: Contents, place: UpdatePlace, options: WriteCallOptions) {
    this.#require('write', 'updating');
    return this.#inTurn(options, () =>
      updateFile(this.#session(), toPlaintext(data), place, this.#with(options)),
    );
  }

  /**
   * Reads, lets `modifier` change, and writes; when somebody else wrote at the same time, does it
   * again from what is there then. `modifier` must not mind contents that hold its change already.
   * @returns undefined when `modifier` wanted no change
   * @throws UncoordinatedWriteError when every attempt collided, and as {@link overwrite}
   */
  async modify(
    modifier: Modifier,
    options: ModifyCallOptions = {},
  ): Promise<WriteOutcome | undefined> {
    this.#require('write', 'modifying');
    const { attempts = 8, backoffMs = 250 } = options;
    requireCount('attempts', attempts);
    if (attempts === 0) throw new OutOfRangeError('attempts', attempts, 'must be at least 1');
    requireCount('backoffMs', backoffMs);
    return this.#inTurn(options, () =>
      modifyFile(() => this.#session(), modifier, { ...this.#with(options), attempts, backoffMs }),
    );
  }

  #session(): Session {
    return this.#setting.newSession(this.#cap, this.#keyring);
  }

  #with<T extends OperationOptions>(options: T): T & FileOptions {
    return { ...options, encoding: this.#setting.encoding };
  }

  #inTurn<T>({ signal }: OperationOptions, work: () => Promise<T>): Promise<T> {
    // Not by the cap: a file may have several, as a directory or in the other format.
    return this.#setting.turns.run(bytesToHex(storageIndexOf(this.#cap)), signal, work);
  }

  #require(kind: 'write', operation: string): void {
    if (this.#cap.kind !== kind) throw new InsufficientCapError(operation, kind, this.#cap.kind);
  }

  /** Writes the first version. Only for `Grid.create`. */
  static async create(
    cap: Cap,
    setting: FileSetting,
    writer: WriterKeys,
    contents: Contents,
    options: WriteCallOptions,
  ): Promise<MutableFile> {
    const file = new MutableFile(cap, setting, writer);
    file.#created = await createFile(file.#session(), toPlaintext(contents), file.#with(options));
    return file;
  }
}

function toPlaintext(contents: Contents): Plaintext {
  return contents instanceof Uint8Array ? plaintextOf(contents) : contents;
}
