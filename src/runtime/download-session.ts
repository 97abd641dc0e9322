/**
 * @module download-session: what one look at an immutable file has in hand: access to its shares,
 * and what is kept between the states of the chart. Nobody replaces a share, so it is never opened
 * anew.
 */
import type { Purpose } from '../../machines/retrieve-kernel.ts';
import type { Place, ServerId } from '../../machines/servermap.ts';
import { type ChkCap, type ChkVerifyCap, immutableStorageIndexOf } from '../immutable/caps.ts';
import { CrypttextChecks } from '../immutable/crypttext.ts';
import { likelyUebOffset } from '../immutable/layout.ts';
import { ChkReader, type Opened } from '../immutable/reader.ts';
import { Rebuilt } from '../immutable/rebuilt.ts';
import { type ChkVersion, uebLengthMax } from '../immutable/ueb.ts';
import { permutedServers } from '../permute.ts';
import type { Entry } from '../share/block-reader.ts';
import type { ByteRange, StorageServer } from '../storage/server.ts';
import type { Advisories } from './advisories.ts';
import { BlockChecks } from './block-checks.ts';
import { BlocksAhead } from './blocks-ahead.ts';
import { InHand } from './in-hand.ts';
import { type Job, keeper } from './job.ts';
import { KeptBytes } from './kept-bytes.ts';
import { Pace } from './pace.ts';
import { placeName } from './place-name.ts';
import type { Engine } from './run.ts';
import { Thrown } from './thrown.ts';
import { watchedServers } from './watched-server.ts';

/** What leads blocks and segments to the hash in the cap. */
interface FileChecks {
  readonly version: ChkVersion;
  readonly blocks: BlockChecks;
  readonly crypttext: CrypttextChecks;
}

export interface DownloadSetting {
  readonly engine: Engine;
  readonly servers: readonly StorageServer[];
  readonly cap: ChkCap | ChkVerifyCap;
  /** Bytes that the first read of a share asks for. */
  readonly headLength: number;
  readonly advisories: Advisories;
}

export class Download {
  readonly engine: Engine;
  readonly cap: ChkCap | ChkVerifyCap;
  readonly storageIndex: Uint8Array;
  /** In permuted order. */
  readonly servers: ReadonlyMap<ServerId, StorageServer>;
  /** Like calls, which show each other what "slow" is. */
  readonly paces: Readonly<Record<'query' | 'queryAll' | 'field' | 'blocks', Pace>>;
  /** Who was asked which shares it holds. */
  readonly asked = new Set<ServerId>();
  readonly thrown = new Thrown();
  job: Job = { taker: keeper };
  readonly kept = new KeptBytes();
  /** Blocks of the window under way, by segment and share number. */
  readonly blocks = new Map<number, Map<number, Entry>>();
  readonly ahead = new BlocksAhead((place, signal) => this.readerOf(place, signal, 'blocks'));
  readonly #advisories: Advisories;
  readonly #headLength: number;
  readonly #opened = new Map<string, Opened>();
  readonly #checks = new Map<Purpose, FileChecks>();
  #rebuilt: Rebuilt | undefined;

  constructor({ engine, servers, cap, headLength, advisories }: DownloadSetting) {
    this.engine = engine;
    this.cap = cap;
    this.storageIndex = immutableStorageIndexOf(cap);
    const permuted = permutedServers(watchedServers(servers, engine.operation), this.storageIndex);
    this.servers = new Map(permuted.map((server) => [server.id, server]));
    this.#advisories = advisories;
    this.#headLength = headLength;
    const needed = new Pace(engine, () => cap.required);
    const [queryAll, field, blocks] = [new Pace(engine), new Pace(engine), new Pace(engine)];
    this.paces = { query: needed, queryAll, field, blocks };
  }

  /** Reads the first bytes of a share, and what it says of the file. */
  async open(place: Place, signal: AbortSignal): Promise<ChkReader> {
    const range = { offset: 0, length: this.#headLength };
    const [head, tail] = await Promise.all([
      this.#read(place, range, signal, 'field'),
      this.#tailOf(place, signal),
    ]);
    const known = { head, isWhole: head.length < range.length, tail };
    const reader = this.#readerOf(place, signal, 'field', known);
    this.#opened.set(placeName(place), { ...known, header: await reader.header() });
    return reader;
  }

  /** Across a network, what is likely to be wanted next is asked for at once. */
  async #tailOf(place: Place, signal: AbortSignal): Promise<Opened['tail']> {
    const offset = likelyUebOffset(this.cap);
    const isFar = this.servers.get(place.server)?.isFar === true;
    if (!isFar || offset < this.#headLength) return undefined;
    const range = { offset, length: uebLengthMax };
    try {
      return { offset, bytes: await this.#read(place, range, signal, 'field') };
    } catch {
      // A guess that was wrong is nobody's failure.
      return undefined;
    }
  }

  /** The fields of a share that was opened, served from its first bytes as far as these go. */
  readerOf(place: Place, signal: AbortSignal, pace: 'field' | 'blocks'): ChkReader {
    return this.#readerOf(place, signal, pace, this.#opened.get(placeName(place)));
  }

  #readerOf(place: Place, signal: AbortSignal, pace: 'field' | 'blocks', opened?: Partial<Opened>) {
    const read = (range: ByteRange, into?: Uint8Array) =>
      this.#read(place, range, signal, pace, into);
    return new ChkReader(this.cap, read, opened);
  }

  #read(
    { server, shnum }: Place,
    range: ByteRange,
    signal: AbortSignal,
    pace: 'field' | 'blocks',
    into?: Uint8Array,
  ): Promise<Uint8Array> {
    const { immutable } = this.servers.get(server) as StorageServer;
    if (immutable === undefined) throw new Error(`${server} has listed what it cannot read`);
    return this.paces[pace].run(
      server,
      signal,
      (hurried) => immutable.readShare(this.storageIndex, shnum, range, { signal: hurried, into }),
      // It is needed for as long as its share is.
      () => false,
    );
  }

  /** The checks of the file for one purpose, made when a share has first told how it is cut. */
  checksBy(version: ChkVersion, purpose: Purpose): FileChecks {
    const known = this.#checks.get(purpose) ?? {
      version,
      blocks: new BlockChecks(version, purpose),
      crypttext: new CrypttextChecks(version, purpose),
    };
    this.#checks.set(purpose, known);
    return known;
  }

  /** Those checks, once some block was led by them. */
  checksFor(purpose: Purpose): FileChecks {
    const known = this.#checks.get(purpose);
    if (known === undefined) throw new Error('no block of this file has been read');
    return known;
  }

  /** What becomes of the file when it is encoded again. */
  get rebuilt(): Rebuilt {
    this.#rebuilt ??= new Rebuilt(this.checksFor('read').version);
    return this.#rebuilt;
  }

  /** Tells the operator of a server; nobody waits for it. */
  advise({ server, shnum }: Place, reason: string): void {
    const { immutable } = this.servers.get(server) as StorageServer;
    if (immutable !== undefined) {
      this.#advisories.tell(immutable, this.storageIndex, shnum, reason);
    }
  }
}

export const downloads = new InHand<Download>();
