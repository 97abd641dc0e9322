/**
 * @module immutable-file: one immutable file, as its users see it: read whole, in part, or as a
 * stream, and its shares looked at. Every byte is led to the hash in the cap before it is given out; a literal is its cap.
 */

import type { Servermap } from '../machines/servermap.ts';
import type { ImmutableFinding } from '../machines/verify-immutable-kernel.ts';
import { resolveRange } from '../machines/wanted-range.ts';
import { checkOperation, checkRange } from './arguments.ts';
import type { Bytes } from './bytes.ts';
import type { Encoding } from './encoding.ts';
import { InsufficientCapError, NotRepairableError } from './errors.ts';
import {
  type ChkCap,
  type ChkVerifyCap,
  formatImmutableCap,
  type ImmutableCap,
  immutableStorageIndexOf,
  toImmutableVerifyCap,
} from './immutable/caps.ts';
import type { ReadCallOptions, RenewLeases } from './mutable-file.ts';
import { eitherOf, streamOf } from './read-stream.ts';
import type { Download } from './runtime/download-session.ts';
import { guarded } from './runtime/guarded.ts';
import {
  downloadFile,
  downloadStream,
  findingIn,
  mapClaims,
  verifyImmutable,
} from './runtime/late-downloads.ts';
import type { OperationOptions } from './runtime/options.ts';
import { outOfRange } from './runtime/out-of-range.ts';
import { recorded } from './runtime/recorded.ts';
import type { LeaseOutcome } from './runtime/renew-leases.ts';
import type { Engine } from './runtime/run.ts';
import type { SpareKeys } from './runtime/spare-keys.ts';

/** What the grid gives an immutable file to work with. */
export interface ImmutableSetting {
  readonly engine: Engine;
  readonly newDownload: (engine: Engine, cap: ChkCap | ChkVerifyCap) => Promise<Download>;
  readonly renewLeases: RenewLeases;
  readonly during: SpareKeys['during'];
}

/** Does something with an encoded file. */
type Work<Options, T> = (download: Download, options: Options) => Promise<T>;

/** Nobody is asked for what is in its cap. */
const nobody: Servermap = {
  ...{ mode: 'check', outcome: 'enough', privateKey: 'unneeded' },
  ...{ servers: [], holdings: [], versions: {} },
};

/** A file that never changes, to be read and checked. `Grid.openImmutable` makes them. */
export class ImmutableFile {
  readonly #cap: ImmutableCap;
  readonly #setting: ImmutableSetting;

  /** Made by `Grid.openImmutable`. */
  constructor(cap: ImmutableCap, setting: ImmutableSetting) {
    this.#cap = cap;
    this.#setting = setting;
  }

  /** The cap this file was opened with. Its text is a secret, and of a literal the file. */
  get cap(): ImmutableCap {
    return this.#cap;
  }

  /** Bytes of contents: the cap says it. */
  get size(): number {
    return this.#cap.kind === 'lit' ? this.#cap.contents.length : this.#cap.size;
  }

  /** k and N, as the cap says; a literal is not encoded. */
  get encoding(): Pick<Encoding, 'required' | 'total'> | undefined {
    if (this.#cap.kind === 'lit') return undefined;
    const { required, total } = this.#cap;
    return { required, total };
  }

  /** The text of the verify cap; of a literal there is none, for servers know nothing of it. */
  get verifyCap(): string | undefined {
    if (this.#cap.kind === 'lit') return undefined;
    return formatImmutableCap(toImmutableVerifyCap(this.#cap));
  }

  /**
   * The contents, or a part of them: fewer bytes than `length` where the contents end before, none
   * at their end, and an error beyond it.
   * @throws UnrecoverableFileError, NotEnoughSharesError, BadCiphertextHashError, OutOfRangeError,
   * BeyondLimitError, InsufficientCapError
   */
  async read(options: ReadCallOptions = {}): Promise<Bytes> {
    const literal = this.#literal(options);
    if (literal !== undefined) return this.#given(literal, options);
    return this.#run('read', options, (download, all) => downloadFile(download, all, all));
  }

  /** The same as a stream; what was not read yet is not fetched. It fails as {@link read} does. */
  stream(options: ReadCallOptions = {}): ReadableStream<Bytes> {
    return streamOf(async (sink, gone) => {
      const literal = this.#literal(options);
      if (literal === undefined) {
        const all = { ...options, signal: eitherOf(options.signal, gone) };
        await this.#run('stream', all, (download, told) =>
          downloadStream(download, told, sink, told),
        );
      } else if (literal.length > 0) {
        await sink(await this.#given(literal, options));
      }
    });
  }

  /**
   * Which shares servers say that they hold: everybody is asked, and nothing is read. A verify cap is
   * enough for this and for {@link verify}; a literal is healthy, whatever servers there are.
   */
  async check(options: OperationOptions = {}): Promise<ImmutableFinding> {
    return this.#look('check', options, async (...run) => findingIn(await mapClaims(...run)));
  }

  /**
   * Looks at every byte of every share, and at whether they are all of one file. Shares that are bad
   * or too few are no error, nor is a server that does not answer: the map names it.
   * @throws BeyondLimitError
   */
  async verify(options: OperationOptions = {}): Promise<ImmutableFinding> {
    return this.#look('verify', options, verifyImmutable);
  }

  /**
   * Shares of immutable files are not made here: there is nothing to do, or nothing can be done.
   * @throws NotRepairableError when it is not healthy; BeyondLimitError
   */
  async repair(options: OperationOptions = {}): Promise<ImmutableFinding> {
    const finding = await this.#look('repair', options, verifyImmutable);
    if (finding.isHealthy) return finding;
    throw new NotRepairableError('an immutable file');
  }

  /**
   * Renews this client's lease on every share, for 31 days, or adds it. Any cap is enough; a literal
   * is on no server.
   */
  async renewLeases(options: OperationOptions = {}): Promise<LeaseOutcome> {
    checkOperation(options);
    if (this.#cap.kind === 'lit') return { renewed: [], absent: [], failures: [] };
    return this.#setting.renewLeases(immutableStorageIndexOf(this.#cap), options);
  }

  /** The wanted part of a literal; nothing of any other file. */
  #literal(options: ReadCallOptions): Uint8Array | undefined {
    checkOperation(options);
    checkRange(options);
    if (this.#cap.kind === 'chk-verify')
      throw new InsufficientCapError('reading', 'read', 'verify');
    if (this.#cap.kind === 'chk') return undefined;
    options.signal?.throwIfAborted();
    const { contents } = this.#cap;
    const { offset = 0, length = null } = options;
    const { range, excess } = resolveRange({ offset, length }, contents.length);
    if (excess !== null) throw outOfRange(excess);
    return contents.subarray(range.from, range.to);
  }

  /** A copy of what is in the cap. */
  async #given(literal: Uint8Array, options: OperationOptions): Promise<Bytes> {
    return guarded(this.#setting.engine, options, async ({ progress }) => {
      progress?.did('read', literal.length);
      return literal.slice();
    });
  }

  /** A literal is looked at by nobody. */
  async #look(
    method: string,
    options: OperationOptions,
    look: Work<OperationOptions, ImmutableFinding>,
  ): Promise<ImmutableFinding> {
    checkOperation(options);
    if (this.#cap.kind !== 'lit') return this.#run(method, options, look);
    options.signal?.throwIfAborted();
    return { ...(await findingIn(nobody)), isHealthy: true, isRecoverable: true };
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
    const cap = this.#cap as ChkCap | ChkVerifyCap;
    const { recorder } = this.#setting.engine;
    const call = { method, file: () => immutableStorageIndexOf(cap) };
    return recorded(recorder, call, options, (given) => this.#guarded(cap, given, work));
  }

  async #guarded<Options extends OperationOptions, T>(
    cap: ChkCap | ChkVerifyCap,
    given: Options,
    work: Work<Options, T>,
  ): Promise<T> {
    const { newDownload, during } = this.#setting;
    return guarded(this.#setting.engine, given, async (engine, options) => {
      const download = await newDownload(engine, cap);
      return during(() => work(download, options));
    });
  }
}
