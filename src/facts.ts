/**
 * @module facts: what the errors tell as data: one shape per error class, JSON-plain, no secrets.
 *
 * They are aliases and no interfaces, so that each can be given where any {@link Facts} are taken.
 */
import type { Failure } from '../machines/failure.ts';
import type { Surprise } from '../machines/publish-kernel.ts';
import type { Format, KnownServer, Place, VersionName } from '../machines/servermap.ts';

/** What any error tells: plain JSON. */
export type Facts = Readonly<Record<string, unknown>>;

/** What is wrong, in words. */
export type ProblemFacts = {
  /** As in the message. */
  readonly problem: string;
};

/** Something that is read in parts, and what is wrong with one of them. */
export type FieldFacts = ProblemFacts & {
  /** The part, in words: `prefix`, `signature`, … */
  readonly field: string;
};

/** An argument, and what is wrong with it. */
export type ArgumentFacts = ProblemFacts & {
  /** Its name: that of the parameter or of the option. */
  readonly argument: string;
};

/** A number that is out of its range. */
export type RangeFacts = ArgumentFacts & {
  /** What was given, in decimal: it may be beyond what JSON's numbers hold. */
  readonly value: string;
};

/** A file or folder, and what is wrong with it. */
export type WhereFacts = ProblemFacts & {
  /** Its path; `grid` for a grid that is described by no file; `contents` for those of a write. */
  readonly where: string;
};

/** The same of what may be there already, where something new was to be made. */
export type TakenFacts = WhereFacts & {
  /** It is: nothing was written over it. */
  readonly isTaken?: true;
  /** The system refuses to write there: a disk, or permissions; nothing was written. */
  readonly isUnwritable?: true;
};

/** Where there was no room, and how much there is. */
export type SpoolFacts = WhereFacts & {
  /** Bytes that may be kept in memory. */
  readonly limit?: number;
};

/** A server, and what is wrong with it. */
export type ServerFacts = ProblemFacts & {
  /** Its id. */
  readonly server: string;
};

/** What was to be done, and with which authority. */
export type AuthorityFacts = {
  /** What was to be done, in words. */
  readonly operation: string;
  /** The kind of cap that it takes: `write`, `read` or `verify`. */
  readonly needed: string;
  /** The kind of cap that was used. */
  readonly held: string;
};

/** The name of a child. */
export type NameFacts = {
  /** In NFC. */
  readonly name: string;
};

/** The name of a child, and what it leads to. */
export type NamedKindFacts = NameFacts & {
  /** `directory`, `file`, `unknown`, …; `child` where that does not matter. */
  readonly kind: string;
};

/** How a source differed from what it had been. */
export type SourceChangeFacts = {
  /** The segment that was another one when it was read again. */
  readonly segment?: number;
  /** Where bytes were asked for … */
  readonly offset?: number;
  /** … how many … */
  readonly wanted?: number;
  /** … and how many came. */
  readonly got?: number;
};

/** A number of a version that is larger than is read. */
export type LimitFacts = {
  /** Which number, in words. */
  readonly what: string;
  /** What the version has. */
  readonly value: number;
  /** The most that is read. */
  readonly limit: number;
};

/** A version that a map has shown. */
export type SeenVersion = VersionName & {
  /** `chk` for an immutable file, which has one version, of seqnum 0. */
  readonly format: Format | 'chk';
  /** k: how many different shares it takes to read it. */
  readonly required: number;
  /** N: how many shares it has. */
  readonly total: number;
  /** Bytes of contents. */
  readonly size: number;
};

/** The same, and how much of it is there. */
export type CountedVersion = SeenVersion & {
  /** Different good shares that were found. */
  readonly shares: number;
};

/** No version can be read. */
export type UnrecoverableFacts = {
  /** Versions of which some shares were found, and not enough. */
  readonly seen: readonly CountedVersion[];
  /** Corrupt shares. */
  readonly bad: number;
  /** Why shares that are there could not be judged, each in words. */
  readonly unread: readonly string[];
  /** Who was asked, and what came of it. */
  readonly servers: readonly KnownServer[];
};

/** One version can not be read. */
export type VersionUnavailableFacts = {
  /** As it was asked for. */
  readonly wanted: Pick<VersionName, 'seqnum'> & Partial<VersionName>;
  /** All that were found. */
  readonly seen: readonly CountedVersion[];
  /** Who was asked, and what came of it. */
  readonly servers: readonly KnownServer[];
};

/** A share that a read could not use. */
export type LostShare = Place & {
  /** `corrupt` is proven by a hash or a signature; `failed` is all else. */
  readonly status: 'corrupt' | 'failed';
  /** Why; null where nobody said. */
  readonly failure: Failure | null;
};

/** What a write that failed has done and met. */
export type WriteFacts = {
  /** Of the new version. */
  readonly seqnum: number;
  /** Distinct servers that must hold it for it to count as written. */
  readonly quorum: number;
  /** Where shares of it are known to be. */
  readonly placed: readonly Place[];
  /** Share numbers that no server is known to hold in the new version. */
  readonly missing: readonly number[];
  /** Shares of somebody else's version that were met. */
  readonly surprises: readonly Surprise[];
  /** What went wrong with servers on the way. */
  readonly failures: readonly Failure[];
  /** Servers to which nothing was sent, since they had not answered before, and why. */
  readonly unheard: readonly { readonly server: string; readonly failure: Failure }[];
};

/** The same of a write that met another writer, and has given up. */
export type CollisionFacts = WriteFacts & {
  /** How many attempts met one, the last one included. */
  readonly attempts: number;
};

/** Of a read the first four; of a write that needed old bytes what {@link WriteFacts} say. */
export type NotEnoughSharesFacts = Partial<WriteFacts> & {
  /** Of the version that was read; 0 of an immutable file. */
  readonly seqnum?: number;
  /** k: how many different shares it takes. */
  readonly required?: number;
  /** Shares that turned out to be of no use. */
  readonly lost?: readonly LostShare[];
  /** Whether k shares are left all the same: reading again may help. */
  readonly recoverable?: boolean;
};

/** Where a key has its file; of a write that met it on the way, what that has done. */
export type FileExistsFacts = Pick<WriteFacts, 'placed'> &
  Partial<WriteFacts> & {
    /** The shares that were met. */
    readonly shares: readonly Place[];
  };

/** The version a change was made for, and the one that is there. */
export type VersionChangedFacts = {
  /** That of `base`. */
  readonly expected: VersionName;
  /** Null where no version can be read. */
  readonly found: SeenVersion | null;
};

/** What a write would destroy, or cannot tell about: one of the first two. */
export type NewerVersionFacts = {
  /** These stand against each other: any of them may have been acknowledged. */
  readonly rivals?: readonly SeenVersion[];
  /** These would be lost. */
  readonly newer?: readonly SeenVersion[];
  /** Servers that do not answer, and could tell more. */
  readonly silent: readonly string[];
  /** All that were seen. */
  readonly seen?: readonly SeenVersion[];
  /** Who was asked, and what came of it. */
  readonly servers?: readonly KnownServer[];
};

/** Who was asked for the private key. */
export type MissingKeyFacts = {
  /** The versions that can be read. */
  readonly versions: readonly SeenVersion[];
  /** Who was asked, and what came of it. */
  readonly servers: readonly KnownServer[];
};

/** The format that a cap says, and that of the file. */
export type FormatFacts = {
  /** As the cap says. */
  readonly cap: Format;
  /** As its shares are. */
  readonly file: Format;
};
