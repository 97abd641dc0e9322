/**
 * @module options: what a caller may say about any operation.
 */
import type { Deadlines } from '../../machines/io.ts';
import type { ServerId } from '../../machines/servermap.ts';
import type { VersionName } from '../version-name.ts';

/**
 * How far an operation is. `done` of `total` bytes of work are done: what that is made of, `bytes`
 * says. `total` is what is known to be needed; it grows when more turns up (a server that fails, and
 * another one that gets its share), and shrinks where something turns out not to be needed.
 * Within an attempt `done` never falls. It is below `total` until the operation has succeeded; the
 * last report says so, with `done === total`, and no other one does.
 */
export interface Progress {
  /**
   * What is being done: keeping contents that can be read only once (`spooling`), asking servers what
   * they hold (`mapping`), reading blocks, encoding what is to be written (and sending, as far as it
   * goes along), waiting for the servers to take and acknowledge it (`writing`), waiting before the
   * next attempt, renewing leases.
   */
  readonly phase:
    | 'spooling'
    | 'mapping'
    | 'reading'
    | 'encoding'
    | 'writing'
    | 'waiting'
    | 'leasing';
  /** Bytes of work that are done in this attempt: the sum of `bytes`. */
  readonly done: number;
  /** Bytes of work of this attempt, as far as is known; above `done` until all is over. */
  readonly total: number;
  /** What the work consists of. */
  readonly bytes: WorkBytes;
  /** Counts from 1. The next one begins anew, from `done` 0. */
  readonly attempt: number;
  /** How many attempts may be made. */
  readonly attempts: number;
  /** Servers that have been asked for something that is not there yet. */
  readonly waitingFor: readonly ServerId[];
  /** Of `waiting`: milliseconds until the next attempt. */
  readonly waitMs?: number | undefined;
  /**
   * Of `waiting`: any of these versions may be acknowledged, so none can be built on before one of
   * these servers tells more.
   */
  readonly standoff?: {
    readonly rivals: readonly VersionName[];
    readonly silent: readonly string[];
  };
  /**
   * Of `reading`: a newer version than this one may have been acknowledged on these servers, which
   * do not answer.
   */
  readonly unconfirmed?: { readonly seqnum: number; readonly silent: readonly string[] };
}

/** Bytes that work was done on, by what was done. */
export interface WorkBytes {
  /** Of contents that were read from what can be read only once, and kept. */
  readonly spooled: number;
  /** Of servers that were asked what they hold, or for a lease: 4000 bytes each, as a rule. */
  readonly heard: number;
  /** Of contents that were read, checked and handed over; of shares that were verified. */
  readonly read: number;
  /** Of contents that were read from their source, encoded and hashed. */
  readonly encoded: number;
  /** Of shares that were handed to servers, also to one that then failed. */
  readonly sent: number;
  /** Of these, what servers have acknowledged. */
  readonly stored: number;
}

/** How long to wait for servers, in milliseconds; one that is not given stays as it is. */
export type DeadlineOptions = { readonly [Name in keyof Deadlines]?: number | undefined };

/** How often to try where another writer was in the way; `false`: once. */
export type Retry =
  | false
  | {
      /** At most; from 1 to 1000. */
      readonly attempts?: number | undefined;
      /** The first wait after a collision, in milliseconds; each one is longer. 250 by default. */
      readonly backoffMs?: number | undefined;
    };

/** For calls that may be made again. */
export interface RetryOptions {
  /**
   * How often to try where another writer was in the way. A write looks again at what is there
   * before each attempt, and is built on that.
   */
  readonly retry?: Retry | undefined;
}

/** What may be said of any operation. */
export interface OperationOptions {
  /** Aborting rejects with `signal.reason`; a write under way may or may not have landed. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Is told how far the operation is. It only looks on: what it throws, or rejects with, changes
   * nothing, and is told to the grid's `log`, or as a warning of the process (docs/progress.md).
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Instead of the grid's, those that are given, in milliseconds. */
  readonly deadlines?: DeadlineOptions | undefined;
}

/** Part of a file, in bytes. */
export interface Range {
  /** At most the size of the file. */
  readonly offset?: number | undefined;
  /** Up to the end by default, and never beyond it. */
  readonly length?: number | undefined;
}
