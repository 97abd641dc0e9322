/**
 * @module options: what a caller may say about any operation.
 */
import type { VersionName } from '../version-name.ts';

/** How far an operation is. An operation goes through several phases, some more than once. */
export interface Progress {
  /**
   * `mapping`: servers; `reading`: bytes; `encoding`: segments; `writing`: shares; `waiting`:
   * attempts of `modify` that collided with another writer, of those that it may make; `leasing`:
   * servers.
   */
  readonly phase: 'mapping' | 'reading' | 'encoding' | 'writing' | 'waiting' | 'leasing';
  /** How many of `total`. */
  readonly done: number;
  /** An upper bound for `mapping`: not every server has to be asked. */
  readonly total: number;
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

/** What may be said of any operation. */
export interface OperationOptions {
  /** Aborting rejects with `signal.reason`; a write under way may or may not have landed. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What it throws ends the operation, as an abort does, and is what the operation rejects with; so
   * is the rejection of an async one, if it comes before the end.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Part of a file, in bytes. */
export interface Range {
  /** At most the size of the file. */
  readonly offset?: number | undefined;
  /** Up to the end by default, and never beyond it. */
  readonly length?: number | undefined;
}
