/**
 * @module errors: every error this library throws on purpose.
 *
 * Rules: the message is the one line a user sees and names the culprit; `facts` holds the same
 * as JSON-plain data; neither ever holds a secret (cap, key, write enabler, lease secret,
 * swissnum).
 * Names follow Tahoe's `mutable/common.py` where it has one. Cancellation is not listed here:
 * an aborted operation rejects with `signal.reason`, as the platform does.
 */

import type {
  ArgumentFacts,
  AuthorityFacts,
  CollisionFacts,
  Facts,
  FieldFacts,
  FileExistsFacts,
  FormatFacts,
  LimitFacts,
  MissingKeyFacts,
  NamedKindFacts,
  NameFacts,
  NewerVersionFacts,
  NotEnoughSharesFacts,
  ProblemFacts,
  RangeFacts,
  ServerFacts,
  SourceChangeFacts,
  SpoolFacts,
  TakenFacts,
  UnrecoverableFacts,
  VersionChangedFacts,
  VersionUnavailableFacts,
  WhereFacts,
  WriteFacts,
} from './facts.ts';
import { redacted } from './redacted.ts';

/** By which copies of this module know each other's errors. */
const brand = Symbol.for('tahoe-mutable.error');

/**
 * What every error of this library is. {@link isTahoeMutableError} tells them apart by `code`, and
 * knows those of another copy of the library, too, which `instanceof` does not.
 */
export abstract class TahoeMutableError extends Error {
  /** The class's name, spelled out: a bundler may shorten the class's own. */
  static readonly code: string;
  /** Stable machine-readable name, that of the class. */
  readonly code: string;
  /** JSON-plain details: which server, which share, which field. */
  readonly facts: Facts;

  constructor(message: string, facts: Facts = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = new.target.code;
    this.name = this.code;
    this.facts = facts;
  }

  protected get [brand](): true {
    return true;
  }
}

/** An error with a `code` and `facts` of its own: all that the library itself throws. */
export abstract class TypedError<
  OwnFacts extends Facts,
  Code extends string,
> extends TahoeMutableError {
  declare readonly code: Code;
  declare readonly facts: OwnFacts;

  constructor(message: string, facts: OwnFacts, options?: ErrorOptions) {
    super(message, facts, options);
  }
}

// --- our caller's mistakes -------------------------------------------------------------------

/** A cap string that cannot be parsed. `facts.field` names the part; the cap is not quoted. */
export class MalformedCapError extends TypedError<FieldFacts, 'MalformedCapError'> {
  static override readonly code = 'MalformedCapError';

  constructor(field: string, problem: string) {
    super(`malformed cap: ${field}: ${problem}`, { field, problem });
  }
}

/** A NURL (a server's address) that cannot be parsed. It holds a secret, so it is not quoted. */
export class MalformedNurlError extends TypedError<FieldFacts, 'MalformedNurlError'> {
  static override readonly code = 'MalformedNurlError';

  constructor(field: string, problem: string) {
    super(`malformed NURL: ${field}: ${problem}`, { field, problem });
  }
}

/** The cap lacks the authority for this operation (a read cap writes, a verify cap reads). */
export class InsufficientCapError extends TypedError<AuthorityFacts, 'InsufficientCapError'> {
  static override readonly code = 'InsufficientCapError';

  constructor(operation: string, needed: string, held: string) {
    super(`${operation} needs a ${needed} cap, this is a ${held} cap`, { operation, needed, held });
  }
}

/**
 * An argument of the wrong kind. `facts.argument` names it; its value may be a secret in the wrong
 * place, so it is not quoted.
 */
export class BadArgumentError extends TypedError<ArgumentFacts, 'BadArgumentError'> {
  static override readonly code = 'BadArgumentError';

  constructor(argument: string, problem: string) {
    super(`${argument}: ${problem}`, { argument, problem });
  }
}

/** A directory's cap: bytes that are no directory's would make Tahoe lose the names in it. */
export class DirectoryCapError extends TypedError<
  Pick<AuthorityFacts, 'operation'>,
  'DirectoryCapError'
> {
  static override readonly code = 'DirectoryCapError';

  constructor(operation: string) {
    super(
      `${operation} needs a file's cap, this is a directory's: Tahoe could not list it any more; ` +
        'say `raw` (in a shell `--raw`) to write its bytes all the same',
      { operation },
    );
  }
}

/** A directory has no child of this name. `facts.name` is the name, in NFC. */
export class NoSuchChildError extends TypedError<NameFacts, 'NoSuchChildError'> {
  static override readonly code = 'NoSuchChildError';

  constructor(name: string) {
    const clear = redacted(String(name));
    super(`no child is called ${JSON.stringify(clear)}`, { name: clear });
  }
}

/** A directory has a child of this name, which was not to be replaced. */
export class ExistingChildError extends TypedError<NamedKindFacts, 'ExistingChildError'> {
  static override readonly code = 'ExistingChildError';

  constructor(name: string, kind = 'child') {
    const clear = redacted(String(name));
    super(`a ${kind} is called ${JSON.stringify(clear)} already`, { name: clear, kind });
  }
}

/** What a path goes through is no directory. `facts.name` is the name of it. */
export class NotADirectoryError extends TypedError<NamedKindFacts, 'NotADirectoryError'> {
  static override readonly code = 'NotADirectoryError';

  constructor(name: string, kind: string) {
    const clear = redacted(String(name));
    super(`${JSON.stringify(clear)} is no directory, but ${kind}`, { name: clear, kind });
  }
}

/** An entry of a directory that is kept as it is: nothing may be made of it under another name. */
export class UnusableEntryError extends TypedError<NameFacts & ProblemFacts, 'UnusableEntryError'> {
  static override readonly code = 'UnusableEntryError';

  constructor(name: string, problem: string) {
    super(`the entry of ${JSON.stringify(name)}: ${problem}`, { name, problem });
  }
}

/** An argument outside its range: an offset beyond the end, k > N, a negative length. */
export class OutOfRangeError extends TypedError<RangeFacts, 'OutOfRangeError'> {
  static override readonly code = 'OutOfRangeError';

  constructor(argument: string, value: number | bigint, problem: string) {
    // Of a caller without types it may be anything, a secret or what has no text.
    const isNumber = typeof value === 'number' || typeof value === 'bigint';
    const told = isNumber ? String(value) : typeof value;
    super(`${argument} ${told}: ${problem}`, { argument, value: told, problem });
  }
}

/** A key that Tahoe would not accept. It is never quoted. */
export class BadKeyError extends TypedError<ProblemFacts, 'BadKeyError'> {
  static override readonly code = 'BadKeyError';

  constructor(problem: string) {
    super(`unusable key: ${problem}`, { problem });
  }
}

/** A grid description (servers.yaml, a grid folder) that does not describe a grid. */
export class BadGridError extends TypedError<TakenFacts, 'BadGridError'> {
  static override readonly code = 'BadGridError';

  constructor(where: string, problem: string, facts: Omit<TakenFacts, keyof WhereFacts> = {}) {
    super(`${where}: ${problem}`, { where, problem, ...facts });
  }
}

/** A file in which a walk's progress should be, and is not, or that of another walk. */
export class BadResumeFileError extends TypedError<WhereFacts, 'BadResumeFileError'> {
  static override readonly code = 'BadResumeFileError';

  constructor(where: string, problem: string) {
    super(`${where}: ${problem}`, { where, problem });
  }
}

/**
 * Contents for a write that cannot be had: no regular file, one that was cut meanwhile, a stream that
 * somebody else has read, a piece that is neither bytes nor text.
 */
export class BadSourceError extends TypedError<WhereFacts, 'BadSourceError'> {
  static override readonly code = 'BadSourceError';

  constructor(where: string, problem: string) {
    super(`${where}: ${problem}`, { where, problem });
  }
}

/** No room for contents that can be read only once, and so are kept until they are written. */
export class SpoolError extends TypedError<SpoolFacts, 'SpoolError'> {
  static override readonly code = 'SpoolError';

  constructor(
    where: string,
    problem: string,
    facts: Omit<SpoolFacts, keyof WhereFacts> = {},
    options?: ErrorOptions,
  ) {
    super(`${where}: ${problem}`, { where, problem, ...facts }, options);
  }
}

/** A trace that cannot be written, or not to its end. What is traced is not affected by that. */
export class TraceError extends TypedError<TakenFacts, 'TraceError'> {
  static override readonly code = 'TraceError';

  constructor(where: string, problem: string, facts: Omit<TakenFacts, keyof WhereFacts> = {}) {
    super(`${where}: ${problem}`, { where, problem, ...facts });
  }
}

/** What is being written changed, or ended early, between two readings of it. */
export class SourceChangedError extends TypedError<SourceChangeFacts, 'SourceChangedError'> {
  static override readonly code = 'SourceChangedError';

  constructor(what: string, facts: SourceChangeFacts) {
    super(`the data changed while they were being written: ${what}`, facts);
  }
}

// --- what a share or a server can do to us ------------------------------------------------------

/** A share whose bytes cannot be what they claim to be. `facts.field` names the part. */
export class CorruptShareError extends TypedError<FieldFacts, 'CorruptShareError'> {
  static override readonly code = 'CorruptShareError';

  constructor(field: string, problem: string) {
    super(`corrupt share: ${field}: ${problem}`, { field, problem });
  }
}

/**
 * An immutable file whose shares all hold what they should, and decode to something else than was
 * encrypted: whoever made it did not mean it to be read.
 */
export class BadCiphertextHashError extends TypedError<
  { readonly segnum: number },
  'BadCiphertextHashError'
> {
  static override readonly code = 'BadCiphertextHashError';

  constructor(segnum: number) {
    super(`segment ${segnum} is not what was encrypted`, { segnum });
  }
}

/** A version that is larger, in one of its numbers, than is read: see `share/limits.ts`. */
export class BeyondLimitError extends TypedError<LimitFacts, 'BeyondLimitError'> {
  static override readonly code = 'BeyondLimitError';

  constructor(what: string, value: number, limit: number) {
    super(`${what}: ${value} is beyond the limit of ${limit}`, { what, value, limit });
  }
}

/** A share of a format newer than this library (version byte above 1). */
export class UnknownVersionError extends TypedError<
  { readonly version: number },
  'UnknownVersionError'
> {
  static override readonly code = 'UnknownVersionError';

  constructor(version: number) {
    super(`unknown share version ${version}`, { version });
  }
}

/** A container file in a server folder that is not Tahoe's. */
export class BadContainerError extends TypedError<WhereFacts, 'BadContainerError'> {
  static override readonly code = 'BadContainerError';

  constructor(where: string, problem: string) {
    super(`bad share container ${where}: ${problem}`, { where, problem });
  }
}

/** The server holds shares of this slot under another write enabler. */
export class BadWriteEnablerError extends TypedError<
  Pick<ServerFacts, 'server'>,
  'BadWriteEnablerError'
> {
  static override readonly code = 'BadWriteEnablerError';

  constructor(server: string) {
    super(`server ${server} refused the write enabler of this slot`, { server });
  }
}

/** The server has no such share. */
export class NoSuchShareError extends TypedError<
  Pick<ServerFacts, 'server'> & { readonly shnum: number },
  'NoSuchShareError'
> {
  static override readonly code = 'NoSuchShareError';

  constructor(server: string, shnum: number) {
    super(`server ${server} has no share ${shnum} of this slot`, { server, shnum });
  }
}

/** The server could not be reached, broke off, or answered nonsense. Never proof of corruption. */
export class ServerUnavailableError extends TypedError<ServerFacts, 'ServerUnavailableError'> {
  static override readonly code = 'ServerUnavailableError';

  constructor(server: string, problem: string, options?: ErrorOptions) {
    super(`server ${server}: ${problem}`, { server, problem }, options);
  }
}

/** The request may have had its effect and its answer did not arrive: read before retrying. */
export class AnswerLostError extends TypedError<ServerFacts, 'AnswerLostError'> {
  static override readonly code = 'AnswerLostError';

  constructor(server: string, problem: string, options?: ErrorOptions) {
    super(`server ${server}: ${problem}`, { server, problem }, options);
  }
}

// --- how an operation can end ---------------------------------------------------------------

/** No version of the file has k good shares within reach. */
export class UnrecoverableFileError extends TypedError<
  UnrecoverableFacts,
  'UnrecoverableFileError'
> {
  static override readonly code = 'UnrecoverableFileError';
}

/** The version that was asked for can not be read; `facts.seen` lists those that are there. */
export class VersionUnavailableError extends TypedError<
  VersionUnavailableFacts,
  'VersionUnavailableError'
> {
  static override readonly code = 'VersionUnavailableError';
}

/** The download began but ran out of good shares. */
export class NotEnoughSharesError extends TypedError<NotEnoughSharesFacts, 'NotEnoughSharesError'> {
  static override readonly code = 'NotEnoughSharesError';
}

/** The new version did not reach enough distinct servers; `facts` lists what landed where. */
export class NotEnoughServersError extends TypedError<WriteFacts, 'NotEnoughServersError'> {
  static override readonly code = 'NotEnoughServersError';
}

/** Somebody else wrote to this file at the same time; `facts` lists what landed where. */
export class UncoordinatedWriteError extends TypedError<CollisionFacts, 'UncoordinatedWriteError'> {
  static override readonly code = 'UncoordinatedWriteError';
}

/**
 * The version that a write was to be built on is not there any more, so nothing was written over
 * what is; `facts.expected` and `facts.found` name the two.
 */
export class VersionChangedError extends TypedError<VersionChangedFacts, 'VersionChangedError'> {
  static override readonly code = 'VersionChangedError';
}

/** The key of a new file has one already, or is getting one right now; `facts` says where. */
export class FileExistsError extends TypedError<FileExistsFacts, 'FileExistsError'> {
  static override readonly code = 'FileExistsError';
}

/** So many answers were lost that nobody can say whether the write reached enough servers. */
export class IndeterminateWriteError extends TypedError<WriteFacts, 'IndeterminateWriteError'> {
  static override readonly code = 'IndeterminateWriteError';
}

/** A version was seen that writing would destroy: newer and unreadable, or perhaps acknowledged. */
export class NewerVersionSeenError extends TypedError<NewerVersionFacts, 'NewerVersionSeenError'> {
  static override readonly code = 'NewerVersionSeenError';
}

/** What has lost shares that this library cannot make again: those of immutable files. */
export class NotRepairableError extends TypedError<
  { readonly what: string },
  'NotRepairableError'
> {
  static override readonly code = 'NotRepairableError';

  constructor(what: string) {
    super(`this library makes no shares of ${what}`, { what });
  }
}

/** The grid was closed while this was under way; a write may or may not have landed. */
export class GridClosedError extends TypedError<Record<string, never>, 'GridClosedError'> {
  static override readonly code = 'GridClosedError';

  constructor() {
    super('the grid was closed meanwhile', {});
  }
}

/** No share yielded the private key that a writer needs to sign. */
export class MissingPrivateKeyError extends TypedError<MissingKeyFacts, 'MissingPrivateKeyError'> {
  static override readonly code = 'MissingPrivateKeyError';
}

/** The shares on the grid are of the other format (SDMF, MDMF) than the cap says. */
export class WrongFormatError extends TypedError<FormatFacts, 'WrongFormatError'> {
  static override readonly code = 'WrongFormatError';
}

/**
 * Every error that the library throws on purpose, the shell's aside: a `switch` over `code` narrows
 * it, `facts` and all.
 */
export type AnyTahoeMutableError =
  | AnswerLostError
  | BadArgumentError
  | BadCiphertextHashError
  | BadContainerError
  | BadGridError
  | BadKeyError
  | BadResumeFileError
  | BadSourceError
  | BadWriteEnablerError
  | BeyondLimitError
  | CorruptShareError
  | DirectoryCapError
  | ExistingChildError
  | FileExistsError
  | GridClosedError
  | IndeterminateWriteError
  | InsufficientCapError
  | MalformedCapError
  | MalformedNurlError
  | MissingPrivateKeyError
  | NewerVersionSeenError
  | NoSuchChildError
  | NoSuchShareError
  | NotADirectoryError
  | NotEnoughServersError
  | NotEnoughSharesError
  | NotRepairableError
  | OutOfRangeError
  | ServerUnavailableError
  | SourceChangedError
  | SpoolError
  | TraceError
  | UncoordinatedWriteError
  | UnknownVersionError
  | UnrecoverableFileError
  | UnusableEntryError
  | VersionChangedError
  | VersionUnavailableError
  | WrongFormatError;

/**
 * Whether `value` is an error of this library: of this copy of it, of another one that is loaded
 * besides, or of another realm (a frame, `node:vm`). A later version may have other codes.
 *
 * @example
 * ```ts
 * import { isTahoeMutableError } from 'tahoe-mutable';
 *
 * try {
 *   await file.update('x', 1_000_000);
 * } catch (error) {
 *   if (!isTahoeMutableError(error)) throw error; // a bug, or an abort
 *   if (error.code !== 'OutOfRangeError') throw error;
 *   console.log(error.message, error.facts.value); // typed by its code, and never a secret
 * }
 * ```
 */
export function isTahoeMutableError(value: unknown): value is AnyTahoeMutableError {
  return typeof value === 'object' && value !== null && brand in value;
}
