/**
 * @module reports: what children report to their coordinator, and what a write tests for.
 *
 * Values only: the kernels decide on them, the events carry them, the children make them.
 */
import type { Failure } from './failure.ts';
import type { Hex, Holding, Place, ServerId, ServerStatus, Version } from './servermap.ts';

/** What one server turned out to hold, all of it judged. */
export interface ServerReport {
  readonly server: ServerId;
  readonly status: Extract<ServerStatus, 'good' | 'empty' | 'corrupt' | 'failed'>;
  readonly holdings: readonly Holding[];
  readonly versions: readonly Version[];
  readonly privateKeyFound: boolean;
  readonly failure: Failure | null;
}

/** What came of fetching one share's blocks. */
export interface BlockReport extends Place {
  readonly status: 'held' | 'corrupt' | 'failed';
  readonly failure: Failure | null;
}

/** What the place must hold for the write to happen. */
export type WriteTest =
  | { readonly kind: 'absent' }
  /** The share begins with these bytes. */
  | { readonly kind: 'begins'; readonly head: Hex };

/** Where a request to a server stands. */
export type WriteStatus =
  | 'planned'
  | 'writing'
  | 'accepted'
  /** The place held something else. */
  | 'surprised'
  /** The server said no. */
  | 'refused'
  /** It certainly did not happen. */
  | 'failed'
  /** Its answer was lost, and so was the answer to the re-read. */
  | 'unknown';

/** A share as the server reported it beside its answer. */
export interface SeenShare {
  readonly shnum: number;
  readonly checkstring: Hex;
}

/** A share whose signature has been verified. */
export interface ProvenShare {
  readonly shnum: number;
  readonly version: Version;
}

/** What came of one request. */
export interface WriteReport {
  readonly server: ServerId;
  readonly status: Exclude<WriteStatus, 'planned' | 'writing'>;
  /** Shares that the server reported, as they were just before the write. */
  readonly seen: readonly SeenShare[];
  /** Those of them that have been read since and are good: a server can show anything. */
  readonly proven: readonly ProvenShare[];
  readonly failure: Failure | null;
}

/** One request: these shares are written if the server holds just what the tests say. */
export interface PlannedRequest {
  readonly server: ServerId;
  readonly shnums: readonly number[];
  /** Of every share number below N. */
  readonly tests: readonly WriteTest[];
}
