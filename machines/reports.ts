/**
 * @module reports: what children report to their coordinator, and what a write tests for.
 *
 * Values only: the kernels decide on them, the events carry them, the children make them.
 */
import type { Failure } from './failure.ts';
import type { Hex, Holding, Place, ServerId, ServerStatus, Version } from './servermap.ts';

/** What one server turned out to hold, all of it judged. */
export interface ServerReport {
  /** Its id in the map. */
  readonly server: ServerId;
  /** As the map will have it. */
  readonly status: Extract<ServerStatus, 'good' | 'empty' | 'corrupt' | 'failed'>;
  /** One for each share that it told of. */
  readonly holdings: readonly Holding[];
  /** Of its good shares, and of bad ones with a signed header; one version may come twice. */
  readonly versions: readonly Version[];
  /** Whether the signing key was wanted, and a good share yielded it. */
  readonly privateKeyFound: boolean;
  /** Why it told of no shares; null otherwise, even where none could be judged. */
  readonly failure: Failure | null;
}

/** What came of fetching one share's blocks. */
export interface BlockReport extends Place {
  /** `corrupt`: they do not lead to the signed root. `failed`: they did not come. */
  readonly status: 'held' | 'corrupt' | 'failed';
  /** Null where they are `held`. */
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
  /** It was not sent, or a re-read has found what was there before. */
  | 'failed'
  /** Its answer was lost or late, and no re-read could tell; or its server contradicts itself. */
  | 'unknown';

/** A share as the server reported it beside its answer. */
export interface SeenShare {
  /** May be N or more: of another encoding. */
  readonly shnum: number;
  /** Its first bytes, as many as a good one of its format compares; empty: no share, to a test. */
  readonly checkstring: Hex;
}

/** A share whose signature has been verified. */
export interface ProvenShare {
  /** One of those that the server showed. */
  readonly shnum: number;
  /** By its signed header. */
  readonly version: Version;
}

/** What came of one request. */
export interface WriteReport {
  /** Its id in the map. */
  readonly server: ServerId;
  /** How it ended. */
  readonly status: Exclude<WriteStatus, 'planned' | 'writing'>;
  /**
   * Whether its answer was lost, and the server read again: that tells what is there now, neither
   * what has been there nor what comes late.
   */
  readonly isReread: boolean;
  /** Shares that the server reported, as they were just before the write. */
  readonly seen: readonly SeenShare[];
  /** Those of them that have been read since and are good: a server can show anything. */
  readonly proven: readonly ProvenShare[];
  /** What went wrong on the way, even where a re-read then found the shares there. */
  readonly failure: Failure | null;
}

/** One request: these shares are written if the server holds just what the tests say. */
export interface PlannedRequest {
  /** Its id in the map. */
  readonly server: ServerId;
  /** Of the shares that are written, ascending. */
  readonly shnums: readonly number[];
  /** Of every share number below N. */
  readonly tests: readonly WriteTest[];
}
