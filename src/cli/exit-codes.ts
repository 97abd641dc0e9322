/**
 * @module exit-codes: what the command line exits with: one table, for the program, its help and
 * docs/shell.md.
 */
import type { Facts } from '../facts.ts';

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
/** A finding, and no failure. */
export const EXIT_UNHEALTHY = 3;
export const EXIT_NOT_FOUND = 4;
export const EXIT_CONFLICT = 5;
export const EXIT_REFUSED = 6;

interface Exit {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
  /** The codes of the errors that lead to it. */
  readonly errors: readonly string[];
}

export const exits: readonly Exit[] = [
  { code: 0, name: 'done', meaning: 'All that was asked for is done.', errors: [] },
  {
    code: EXIT_FAILED,
    name: 'failed',
    meaning:
      'A server, the network, a disk or a program failed, or too few shares are within reach. It may work later.',
    errors: [
      ...['AnswerLostError', 'BadCiphertextHashError', 'BadContainerError', 'CommandFailedError'],
      ...['CorruptShareError', 'GridClosedError', 'IndeterminateWriteError'],
      ...['MissingPrivateKeyError', 'NotEnoughServersError', 'NotEnoughSharesError', 'OutputError'],
      ...['ServerUnavailableError', 'SourceChangedError', 'SpoolError', 'TraceError'],
      ...['UnknownVersionError', 'UnrecoverableFileError', 'UnusableEntryError'],
      ...['VersionUnavailableError', 'WrongFormatError'],
    ],
  },
  {
    code: EXIT_USAGE,
    name: 'usage',
    meaning: 'The command line, or what it names here, is wrong. Nothing was tried.',
    errors: [
      ...['BadArgumentError', 'BadGridError', 'BadKeyError', 'BadResumeFileError'],
      ...['BadSourceError', 'MalformedCapError', 'MalformedNurlError', 'OutOfRangeError'],
      ...['UnknownAliasError', 'UsageError'],
    ],
  },
  {
    code: EXIT_UNHEALTHY,
    name: 'unhealthy',
    meaning: 'All was looked at, and something is not whole, may lapse, or does not hold.',
    errors: [],
  },
  {
    code: EXIT_NOT_FOUND,
    name: 'not found',
    meaning:
      'A directory has no such name, or every server has answered and none has a share of that file or version.',
    errors: ['NoSuchChildError', 'NoSuchShareError', 'NotADirectoryError'],
  },
  {
    code: EXIT_CONFLICT,
    name: 'conflict',
    meaning:
      'The name is taken, or another writer was there: look at what is there now, then try again.',
    errors: [
      ...['ExistingChildError', 'FileExistsError', 'NameTakenError', 'NewerVersionSeenError'],
      ...['UncoordinatedWriteError', 'VersionChangedError'],
    ],
  },
  {
    code: EXIT_REFUSED,
    name: 'refused',
    meaning:
      'The cap gives no right to it, a server says no, or this program does no such thing. Trying again is of no use.',
    errors: [
      ...['BadWriteEnablerError', 'BeyondLimitError', 'DirectoryCapError', 'InsufficientCapError'],
      ...['NotRepairableError', 'UnsafeNameError'],
    ],
  },
];

/** Of a signal, as shells put it: 128 and its number. */
export const signalExits: readonly Exit[] = [
  { code: 129, name: 'SIGHUP', meaning: 'The terminal is gone.', errors: [] },
  { code: 130, name: 'SIGINT', meaning: 'Ctrl-C.', errors: [] },
  {
    code: 141,
    name: 'SIGPIPE',
    meaning: 'Whoever read the output has gone away: `| head`.',
    errors: [],
  },
  { code: 143, name: 'SIGTERM', meaning: 'The process was asked to end.', errors: [] },
];

const byError = new Map(exits.flatMap(({ code, errors }) => errors.map((name) => [name, code])));

/** @param error its code, and its facts */
export function exitCodeFor({ code, facts }: { code: string; facts: Facts }): number {
  const wasSearched = code === 'UnrecoverableFileError' || code === 'VersionUnavailableError';
  if (wasSearched && isNowhere(facts as unknown as Search)) return EXIT_NOT_FOUND;
  if (facts.isTaken === true) return EXIT_CONFLICT;
  return byError.get(code) ?? EXIT_FAILED;
}

/** What the two errors of a search in vain tell of it. */
interface Search {
  readonly servers: readonly { readonly status: string }[];
  readonly seen: readonly { readonly seqnum: number }[];
  readonly wanted?: { readonly seqnum: number };
}

/** Who is silent may have it, and so may a share that cannot be believed. */
function isNowhere({ servers, seen, wanted }: Search): boolean {
  const areAllHeard = servers.every(({ status }) => status === 'empty' || status === 'good');
  return areAllHeard && !seen.some(({ seqnum }) => seqnum === (wanted?.seqnum ?? seqnum));
}

/** Of several things, what is least known about counts most. */
export function worstOf(codes: readonly number[]): number {
  const order = [
    ...[EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_CONFLICT],
    ...[EXIT_NOT_FOUND, EXIT_UNHEALTHY],
  ];
  return order.find((code) => codes.includes(code)) ?? Math.max(0, ...codes);
}
