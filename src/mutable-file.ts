/**
 * @module mutable-file: one mutable file on a grid, as its users see it: operations, progress and
 * typed errors. That each operation is a statechart is nobody's business here.
 */
import {
  bestVersion,
  type Mode,
  recoverableVersions,
  type Servermap,
  type Version,
} from '../machines/servermap.ts';
import {
  type Contents,
  checkOperation,
  requireCount,
  requireFunction,
  toPlaintext,
} from './arguments.ts';
import { bytesToHex } from './bytes.ts';
import { type Cap, formatCap, storageIndexOf, toReadCap, toVerifyCap } from './caps.ts';
import type { Encoding } from './encoding.ts';
import {
  DirectoryCapError,
  InsufficientCapError,
  NotEnoughSharesError,
  OutOfRangeError,
} from './errors.ts';
import {
  collected,
  createFile,
  type FileOptions,
  mapFile,
  overwriteFile,
  type Range,
  readRange,
  type UpdatePlace,
  updateFile,
} from './runtime/file-io.ts';
import { guarded } from './runtime/guarded.ts';
import { type Modifier, modifyFile } from './runtime/modify-file.ts';
import type { OperationOptions } from './runtime/options.ts';
import { unrecoverable, type WriteOutcome } from './runtime/outcome.ts';
import { verifyShares } from './runtime/retrieve-segments.ts';
import type { Engine } from './runtime/run.ts';
import type { Keyring, Session, WriterKeys } from './runtime/session.ts';
import { requireReadable } from './share/limits.ts';

import type { Plaintext } from './share/plaintext.ts';
import type { Turns } from './storage/turns.ts';

export type { Contents } from './arguments.ts';

/** Attempts of one `modify`: hours of waiting. */
const attemptsMax = 1000;

export interface WriteCallOptions extends OperationOptions {
  /** Write even over a version that was seen and would be lost (`NewerVersionSeenError`). */
  readonly force?: boolean | undefined;
  /**
   * Write the bytes of a directory, which are Tahoe's table of what is in it
   * (`DirectoryCapError`). They can always be read.
   */
  readonly raw?: boolean | undefined;
}

export interface ModifyCallOptions extends WriteCallOptions {
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
  /** Good shares of older versions, which some write could not replace. */
  readonly stale: readonly {
    readonly server: string;
    readonly shnum: number;
    readonly seqnum: number;
  }[];
  /** Whether all N shares of one version, and of no other, are there and good. */
  readonly isHealthy: boolean;
}

/** What the grid gives a file to work with. */
export interface FileSetting {
  readonly encoding: Encoding;
  /** Why nobody can say how many servers a write must reach: `encoding.happy` is only a default. */
  readonly unusableHappy: Error | undefined;
  /** One writer at a time per file, within this process. */
  readonly turns: Turns;
  /** What operations run on; each gets its own view of it. */
  readonly engine: Engine;
  readonly newSession: (engine: Engine, cap: Cap, keyring: Keyring) => Session;
}

/** One operation: what it was told, and what it works with. */
interface Run<Options> {
  readonly options: Options & FileOptions;
  newSession(): Session;
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
    this.#readInto(options, (bytes) => writer.write(bytes), gone.signal)
      .then(
        () => writer.close(),
        (error) => writer.abort(error),
      )
      .catch(() => {
        // The consumer has gone away: nobody is left to tell.
      });
    return readable;
  }

  /** @param gone aborted when the one who reads has gone away */
  async #readInto(
    options: ReadCallOptions,
    sink: (bytes: Uint8Array) => Promise<void>,
    gone?: AbortSignal,
  ): Promise<void> {
    if (this.#cap.kind === 'verify') throw new InsufficientCapError('reading', 'read', 'verify');
    checkOperation(options);
    const { offset, length, signal = gone } = options;
    if (offset !== undefined) requireCount('offset', offset);
    if (length !== undefined) requireCount('length', length);
    const either = signal && gone && signal !== gone ? AbortSignal.any([signal, gone]) : signal;
    await this.#run({ ...options, signal: either }, async (run) => {
      await readRange(run.newSession(), options, sink, run.options);
    });
  }

  /** Who holds what: every share that anybody reported, with its verdict. */
  async servermap(options: OperationOptions & { readonly mode?: Mode } = {}): Promise<Servermap> {
    return this.#run(options, async (run) => {
      const { mode = 'check' } = options;
      if (mode === 'write' || mode === 'repair') this.#require('write', `mapping for ${mode}`);
      return mapFile(run.newSession(), mode, run.options);
    });
  }

  /** Checks signatures, hashes and blocks of every share; a verify cap is enough. */
  async verify(options: OperationOptions = {}): Promise<Verification> {
    return this.#run(options, (run) => this.#verify(run));
  }

  async #verify({ options, newSession }: Run<OperationOptions>): Promise<Verification> {
    const session = newSession();
    const map = await mapFile(session, 'check', options);
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
      stale: staleSlots(map),
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
   * NewerVersionSeenError, MissingPrivateKeyError, WrongFormatError, InsufficientCapError,
   * DirectoryCapError, SourceChangedError, BadArgumentError, and what a source or a callback throws
   */
  async overwrite(contents: Contents, options: WriteCallOptions = {}): Promise<WriteOutcome> {
    return this.#write('overwriting', options, () => {
      const plaintext = toPlaintext(contents);
      return (run) => overwriteFile(run.newSession(), plaintext, run.options);
    });
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

  #update(data: Contents, place: UpdatePlace, options: WriteCallOptions) {
    return this.#write('updating', options, () => {
      const plaintext = toPlaintext(data);
      return (run) => updateFile(run.newSession(), plaintext, place, run.options);
    });
  }

  /**
   * Reads, lets `modifier` change, and writes; when somebody else wrote at the same time, does it
   * again from what is there then. `modifier` must not mind contents that hold its change already.
   * @returns undefined when `modifier` wanted no change
   * @throws UncoordinatedWriteError, NewerVersionSeenError when every attempt met another writer,
   * what `modifier` throws, and as {@link overwrite}
   */
  async modify(
    modifier: Modifier,
    options: ModifyCallOptions = {},
  ): Promise<WriteOutcome | undefined> {
    return this.#write('modifying', options, () => {
      requireFunction('modifier', modifier);
      const { attempts = 8, backoffMs = 250 } = options;
      requireCount('attempts', attempts);
      if (attempts < 1 || attempts > attemptsMax) {
        throw new OutOfRangeError('attempts', attempts, `must be from 1 to ${attemptsMax}`);
      }
      requireCount('backoffMs', backoffMs);
      return (run) => modifyFile(run.newSession, modifier, { ...run.options, attempts, backoffMs });
    });
  }

  /**
   * Runs one writing operation when it is its turn.
   * @param prepare checks what is left to check, before anything is sent or waited for
   */
  async #write<Options extends WriteCallOptions, T>(
    operation: string,
    options: Options,
    prepare: () => (run: Run<Options>) => Promise<T>,
  ): Promise<T> {
    this.#require('write', operation);
    checkOperation(options);
    if (this.#cap.directory && options.raw !== true) throw new DirectoryCapError(operation);
    if (this.#setting.unusableHappy !== undefined) throw this.#setting.unusableHappy;
    const work = prepare();
    // Not by the cap: a file may have several, as a directory or in the other format.
    const turn = bytesToHex(storageIndexOf(this.#cap));
    return this.#run(options, (run) =>
      this.#setting.turns.run(turn, run.options.signal, () => work(run)),
    );
  }

  /** Runs one operation, which ends with what a function of the caller's throws meanwhile. */
  async #run<Options extends OperationOptions, T>(
    given: Options,
    work: (run: Run<Options>) => Promise<T>,
  ): Promise<T> {
    checkOperation(given);
    const { engine, options, throwIfBroken } = guarded(this.#setting.engine, given);
    try {
      return await work({
        options: { ...options, encoding: this.#setting.encoding },
        newSession: () => this.#setting.newSession(engine, this.#cap, this.#keyring),
      });
    } finally {
      throwIfBroken();
    }
  }

  #require(kind: 'write', operation: string): void {
    if (this.#cap.kind !== kind) throw new InsufficientCapError(operation, kind, this.#cap.kind);
  }

  /** Writes the first version. Only for `Grid.create`. */
  static async create(
    cap: Cap,
    setting: FileSetting,
    writer: WriterKeys,
    first: { readonly plaintext: Plaintext; readonly isNewKey: boolean },
    options: WriteCallOptions,
  ): Promise<MutableFile> {
    const file = new MutableFile(cap, setting, writer);
    const { plaintext, isNewKey } = first;
    file.#created = await file.#run(options, (run) =>
      createFile(run.newSession(), plaintext, isNewKey, run.options),
    );
    return file;
  }
}

/** Good shares of versions that are older than the one a reader gets. */
export function staleSlots(map: Servermap): Verification['stale'] {
  const best = bestVersion(map)?.seqnum ?? 0;
  return map.slots.flatMap(({ server, shnum, verdict }) => {
    if (verdict.kind !== 'good') return [];
    const { seqnum } = map.versions[verdict.version] as Version;
    return seqnum < best ? [{ server, shnum, seqnum }] : [];
  });
}
