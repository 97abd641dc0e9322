/**
 * @module publish-record: the books of a publish: the plan, and what is known of every server.
 */
import type { Failure } from './failure.ts';
import type { Versions } from './lineage.ts';
import type { Held, Quorum } from './quorum.ts';
import type { PlannedRequest, WriteStatus } from './reports.ts';
import type { Hex, Place, ServerId, Servermap, Version } from './servermap.ts';

/** A share on a server, as it was last seen. */
export interface Seen {
  /** Below N: a number beyond it is of another encoding, and cannot be tested for. */
  readonly shnum: number;
  /** Its first bytes, which a request tests for. */
  readonly head: Hex;
  /** What it counts as in the quorum rules. */
  readonly share: Held;
}

/** One server of a publish. */
export interface Target {
  /** Its id in the map. */
  readonly server: ServerId;
  /** All below N that it holds, as far as is known: what the next request tests for. */
  readonly held: readonly Seen[];
  /** Whether it has told so; of others the request itself finds out. */
  readonly isHeard: boolean;
  /**
   * `open`: it may get a request, now or once what it holds is dead. `closed`: it gets none any
   * more; it was not heard in the map, or failed here.
   */
  readonly status: 'open' | 'writing' | 'closed';
  /** The share numbers of the request that is under way, or was the last. */
  readonly shnums: readonly number[];
  /** How the last request ended; null: none has. */
  readonly last: Exclude<WriteStatus, 'planned' | 'writing'> | null;
  /** The share numbers of the new version that are there. */
  readonly placed: readonly number[];
  /** Whether it holds numbers beyond N, which no request tests: then it cannot be won. */
  readonly isCrowded: boolean;
  /** Requests that were sent. */
  readonly attempt: number;
  /** Why it was closed, by the map or since, or what was gone there; null: nothing went wrong. */
  readonly failure: Failure | null;
}

/** A request to a server, as it was sent. */
export interface Request extends PlannedRequest {
  /** Counts from 0. */
  readonly attempt: number;
}

/** A share that nobody expected: somebody else has written. */
export interface Surprise extends Place {
  /** The head of that share, which a test-and-set compares. */
  readonly found: Hex;
}

/** What is to be published, on what, and where. */
export interface PublishPlan {
  /** Who was seen to hold what: requests test for that. */
  readonly map: Servermap;
  /** What the new version is built on; null: nothing. */
  readonly base: Version | null;
  /** W of S servers acknowledge the new version. */
  readonly quorum: Quorum;
  /** k of the new version. */
  readonly required: number;
  /** N of the new version; requests test every share number below it. */
  readonly total: number;
  /**
   * Whether whole shares are written, so that any share can go to any server; an update in place
   * changes the shares of the base.
   */
  readonly wholeShares: boolean;
  /** Write over whatever was seen. */
  readonly force: boolean;
  /** Whether a server that holds something else is left alone: the map is to be made anew. */
  readonly asksOnce?: boolean;
  /** Whether the base itself is placed again, byte for byte: where it is, it counts as placed. */
  readonly isAgain?: boolean;
  /** On how many servers there is to be a share that counts for no other; unsaid: W have any. */
  readonly spread?: number;
}

/** The books of one publish. */
export interface PublishRecord extends Omit<PublishPlan, 'map'> {
  /** Of what is written: one above all in the map, or that of the base where it is placed again. */
  readonly seqnum: number;
  /** Whether a few shares of the base may go before k of the new version are there. */
  readonly isBaseSpare: boolean;
  /** Those of the map, the new one, and what other writers are proven to have written. */
  readonly versions: Versions;
  /** The new version, once prepared. */
  readonly version: Version | null;
  /** In permuted order. */
  readonly targets: readonly Target[];
  /**
   * Share numbers of the new version that have been on a server, or may have been, ascending. If
   * they are k, somebody may have built on it, even if none of it is there any more.
   */
  readonly mayHaveLanded: readonly number[];
  /** In the order in which requests met them. */
  readonly surprises: readonly Surprise[];
  /** All that went wrong, also at servers that have the new version in the end. */
  readonly failures: readonly Failure[];
}
