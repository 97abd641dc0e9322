/**
 * @module grid-options: what a grid is made of, and what is new on it.
 */
import type { Format, WriteCap } from './caps.ts';
import type { Contents } from './contents/contents.ts';
import type { Spool } from './contents/spool.ts';
import type { Primitives, SigningKey } from './crypto/primitives.ts';
import type { NewChild } from './directory.ts';
import type { Encoding, UnusableSettings } from './encoding.ts';
import type { Log } from './log.ts';
import type { WriteCallOptions } from './mutable-file.ts';
import type { DeadlineOptions } from './runtime/options.ts';
import type { Clock, Inspect, Machines } from './runtime/run.ts';
import type { StorageServer } from './storage/server.ts';

/** What a grid is made of; only `servers` has to be given. */
export interface GridOptions {
  /** In any order: each file has its own. */
  readonly servers: readonly StorageServer[];
  /**
   * S: the largest number of servers that any writer of this grid may know, also one that is away
   * for good. As many as `servers` by default. All writers of a file have to say the same.
   */
  readonly gridSize?: number | undefined;
  /**
   * d: how many servers may lose shares, or go back to older ones, and still no acknowledged change
   * is lost. 0 by default. More takes a higher `happy`: 2 × happy > S + d, and k + d at least, for
   * enough shares to be left. All writers and readers of a file have to say the same.
   */
  readonly losableServers?: number | undefined;
  /** Of new files; existing files keep their k and N. 3 (7) of 10 by default. */
  readonly encoding?: Encoding | undefined;
  /** Of new files. MDMF by default: it can change in place. */
  readonly format?: Format | undefined;
  /** Settings of the description that cannot be followed: whoever needs one fails with it. */
  readonly unusable?: UnusableSettings | undefined;
  /** 32 bytes; they only tell this client's leases from others'. Random by default. */
  readonly leaseSecret?: Uint8Array | undefined;
  /** How long to wait for servers, in milliseconds; a call may have its own. */
  readonly deadlines?: DeadlineOptions | undefined;
  /**
   * Drives deadlines and backoffs. What this or one of the next two throws ends the operation
   * that called it, as an abort does, and is what that operation rejects with.
   */
  readonly clock?: Clock | undefined;
  /** Milliseconds of that clock: how long servers take. */
  readonly now?: (() => number) | undefined;
  /** Jitter only; in [0, 1). */
  readonly random?: (() => number) | undefined;
  /** Milliseconds since 1970: when a link of a directory was made or changed. */
  readonly date?: (() => number) | undefined;
  /**
   * Handed to XState: sees every actor, event and transition. That of `createInspector` is told of
   * operations and storage calls, too. It only looks on: what it throws goes to `log`, or is a
   * warning of the process, and changes nothing.
   */
  readonly inspect?: Inspect | undefined;
  /**
   * A pino logger, the console, or the like: is told of operations that begin (`debug`) and end
   * (`info`), of attempts that are made again, servers that fail, corrupt shares and operations that
   * fail (`warn`), and of callbacks that throw (`error`); facts first, then the message. Never a
   * secret. What it throws is a warning of the process, and changes nothing.
   */
  readonly log?: Log | undefined;
  /**
   * Keys that are made ahead for `Grid.create`, which else takes most of its time to make one:
   * while nothing is under way on the grid, and never so that a process has to wait for them, but for
   * one that was begun. 0 by default. `close` drops them.
   */
  readonly spareKeys?: number | undefined;
  /**
   * How many files the grid remembers, of those that it wrote last: their private key, and how that
   * write left the servers, so that the next one may do with one round trip, also where the file is
   * opened anew (docs/publish.md, "From memory"). The servers say themselves whether it is still so.
   * 8 by default, for up to 4 MiB each; with 0 nothing outlives the handle of a file. `close` forgets
   * them.
   */
  readonly rememberedFiles?: number | undefined;
  /**
   * Where contents that can be read only once are kept until they are written. In memory by default
   * (`spoolInMemory`: 64 MiB at most); in temporary files for a grid of `openGrid` (`spoolToFile`).
   */
  readonly spool?: Spool | undefined;
  /** Bytes of each share that a servermap update reads at once; Tahoe reads 4000. */
  readonly headLength?: number | undefined;
}

/** For a new file. */
export interface CreateOptions extends WriteCallOptions {
  /** That of the grid by default. */
  readonly format?: Format | undefined;
  /** Or what makes them: it is given the write cap of the new file, of which nothing is there yet. */
  readonly contents?: Contents | ((cap: WriteCap) => Contents | Promise<Contents>) | undefined;
  /** Made anew by default; the caps follow from it, so a key is a file. */
  readonly key?: SigningKey | undefined;
  /** Whether `key` was just made, so that no file can have it: then nobody is asked for one. */
  readonly isNewKey?: boolean | undefined;
}

/** For a new directory. */
export interface CreateDirectoryOptions extends Omit<CreateOptions, 'contents' | 'raw'> {
  /** What is in it from the beginning; their metadata are kept as given, and have no times. */
  readonly children?: readonly NewChild[] | undefined;
}

/** What this package's own simulator and tests set besides; the public face has none of it. */
export interface InternalGridOptions extends GridOptions {
  readonly primitives?: Primitives | undefined;
  /** Charts in the place of those that ship. */
  readonly machines?: Machines | undefined;
  /** What its description has to say. */
  readonly notices?: readonly string[] | undefined;
}
