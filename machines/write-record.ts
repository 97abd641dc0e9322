/**
 * @module write-record: the books of a write: what is wanted, and what is known so far.
 */
import type { Failure } from './failure.ts';
import type { Beyond } from './limits.ts';
import type { PublishReport } from './publish-kernel.ts';
import type { Membership } from './quorum.ts';
import type { RetrieveReport } from './retrieve-kernel.ts';
import type {
  Format,
  Hex,
  MarkedHolding,
  Place,
  ServerId,
  Servermap,
  Version,
  VersionName,
} from './servermap.ts';

/** What is wanted. */
export type Change =
  /** A first version; of a new key, which has no file yet, nobody has to be asked. */
  | { readonly kind: 'create'; readonly isNewKey: boolean }
  /** By `size` bytes. */
  | { readonly kind: 'overwrite'; readonly size: number }
  /** `size` new bytes at `offset`; null: behind the last one. */
  | { readonly kind: 'update'; readonly size: number; readonly offset: number | null }
  | { readonly kind: 'modify' };

/** What a write is told, and does not change. */
export interface WriteTask {
  /** Its bytes are with the runtime. */
  readonly change: Change;
  /** Of the cap. */
  readonly format: Format;
  /** In permuted order. */
  readonly servers: readonly ServerId[];
  /** Of a first version: any other keeps its k and N. */
  readonly required: number;
  /** N of a first version. */
  readonly total: number;
  /** S, W and d, of which every quorum is counted. */
  readonly membership: Membership;
  /** Write over versions that were seen and would be lost. */
  readonly force: boolean;
  /** The only version that may be built on, if one is named. */
  readonly expected?: VersionName | null;
  /** How often to try at most. */
  readonly attemptsMax: number;
}

/** The books of a write. */
export interface WriteRecord extends WriteTask {
  /** Counts from 0. */
  readonly attempt: number;
  /** From before, or by a map: nothing is signed without it. */
  readonly hasPrivateKey: boolean;
  /** The newest version that is acknowledged, or that was seen and may be. */
  readonly newest: Version | null;
  /** The last one that was made in this attempt, or what is remembered. */
  readonly map: Servermap | null;
  /** Whether the map is that of an earlier write: what it shows may not be so any more. */
  readonly isRemembered: boolean;
  /** The id of the version that was remembered in vain: it was not so any more, or not enough. */
  readonly forgotten: Hex | null;
  /** What was written before by this write, newest first, as far as it may have been built on. */
  readonly stumbled: readonly PublishReport[];
  /** Shares that proved corrupt when they were read: a later map takes them for that. */
  readonly marked: readonly MarkedHolding[];
  /** Whether it is sure that no server has been sent anything. */
  readonly isUntouched: boolean;
  /** The block hash trees of all shares: an update in place needs them. */
  readonly trees: 'unread' | 'held' | 'unavailable';
  /** Whether what is to be kept has been read. */
  readonly isRead: boolean;
  /** What the modifier did. */
  readonly modified: 'no' | 'changed' | 'unchanged';
  /** Null until it is; one that fell short is an obstacle. */
  readonly published: PublishReport | null;
  /** What ends this attempt: the write, too, unless another attempt may help. Null: nothing yet. */
  readonly obstacle: Obstacle | null;
}

/** What stands in the way of a write. */
export type Obstacle =
  | {
      readonly kind: 'fileExists';
      readonly places: readonly Place[];
      /** Of the publish that came upon them, if they were not in the map. */
      readonly report: PublishReport | null;
    }
  /** There is nothing that may be built on: of these rivals any may be acknowledged. */
  | { readonly kind: 'noBase'; readonly rivals: readonly Version[]; readonly map: Servermap }
  /** No version can be read, or none is there. */
  | { readonly kind: 'unrecoverable'; readonly map: Servermap }
  | { readonly kind: 'missingPrivateKey'; readonly map: Servermap }
  /** Tahoe would break such a file: each format has its own writer. */
  | { readonly kind: 'wrongFormat'; readonly cap: Format; readonly file: Version['format'] }
  /** What would be built on is not the version that was named; null: nothing is there. */
  | {
      readonly kind: 'versionChanged';
      readonly expected: VersionName;
      readonly found: Version | null;
    }
  /** It was seen, or made, and `map` shows nothing as new. */
  | { readonly kind: 'versionLost'; readonly lost: Version; readonly map: Servermap }
  | { readonly kind: 'outOfRange'; readonly offset: number; readonly size: number }
  /** The base is larger than may be asked for. */
  | { readonly kind: 'beyondLimit'; readonly beyond: Beyond }
  /** The new version would be larger than can be encoded. */
  | {
      readonly kind: 'tooLarge';
      readonly format: Format;
      readonly required: number;
      readonly size: number;
    }
  | {
      readonly kind: 'notEnoughShares';
      readonly version: Version;
      readonly report: RetrieveReport;
    }
  | { readonly kind: 'notPublished'; readonly report: PublishReport }
  /** A bug, or the caller's own code. */
  | { readonly kind: 'failed'; readonly failure: Failure };
