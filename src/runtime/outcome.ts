/**
 * @module outcome: from what a chart ended with to what the caller gets: a value or a typed error.
 */
import type { DownloadFileReport } from '../../machines/download-file.machine.ts';
import type { Failure } from '../../machines/failure.ts';
import type { Beyond } from '../../machines/limits.ts';
import { type PublishReport, placedOf } from '../../machines/publish-kernel.ts';
import type { ReadFileReport } from '../../machines/read-file.machine.ts';
import type { WantedVersion } from '../../machines/read-kernel.ts';
import type { RepairFileReport } from '../../machines/repair-file.machine.ts';
import type { RepairObstacle, RepairWay } from '../../machines/repair-kernel.ts';
import type { RetrieveReport } from '../../machines/retrieve-kernel.ts';
import {
  type Format,
  type Place,
  recoverableVersions,
  type Servermap,
  sharesOf,
  silentIn,
  unrecoverableVersions,
  type Version,
} from '../../machines/servermap.ts';
import type { StaleShare } from '../../machines/stale.ts';
import type { VerifyFileReport } from '../../machines/verify-file.machine.ts';
import type { VerifyImmutableReport } from '../../machines/verify-immutable.machine.ts';
import type { ImmutableFinding } from '../../machines/verify-immutable-kernel.ts';
import { isWhole, missingIn, type Verification } from '../../machines/verify-kernel.ts';
import type { WriteFileReport } from '../../machines/write-file.machine.ts';
import type { Obstacle } from '../../machines/write-kernel.ts';
import type { Encoding } from '../encoding.ts';
import {
  BeyondLimitError,
  FileExistsError,
  IndeterminateWriteError,
  MissingPrivateKeyError,
  NewerVersionSeenError,
  NotEnoughServersError,
  NotEnoughSharesError,
  UncoordinatedWriteError,
  UnrecoverableFileError,
  VersionChangedError,
  VersionUnavailableError,
  WrongFormatError,
} from '../errors.ts';
import type { LostShare, WriteFacts } from '../facts.ts';
import { geometryOf } from '../share/geometry.ts';
import { tooLarge } from '../share/segments.ts';
import { listed, nameOf, nameText, standoffText, type VersionName } from '../version-name.ts';
import { outOfRange } from './out-of-range.ts';
import type { Thrown } from './thrown.ts';

/** What is known of a version without its contents. */
export interface FileStat {
  /** Its name: to read it again, or to write over it and no other (`version`, `base`). */
  readonly version: VersionName;
  /** Counts up with every write, from 1. */
  readonly seqnum: number;
  /** Bytes of contents. */
  readonly size: number;
  /** `sdmf` or `mdmf`. */
  readonly format: Format;
  /** k and N. */
  readonly encoding: Pick<Encoding, 'required' | 'total'>;
  /** Bytes; of SDMF the contents are one segment. */
  readonly segmentSize: number;
}

/** Contents, and the version that they are of. */
export interface VersionContents<Contents> extends FileStat {
  /** All bytes that were asked for, or a stream of them. */
  readonly contents: Contents;
}

/** What a successful write leaves behind; nothing is placed when there was nothing to write. */
export interface WriteOutcome {
  /** Of the version that is there now. */
  readonly seqnum: number;
  /** The version that is there now. */
  readonly version: VersionName;
  /** Distinct servers that must hold the version for it to count as written. */
  readonly quorum: number;
  /** Where its shares are known to be. */
  readonly placed: readonly Place[];
  /** Share numbers that could not be placed: the file is readable, and short of these. */
  readonly missing: readonly number[];
  /** Old shares that stay where they are, and why. A reader ignores them by their seqnum. */
  readonly stale: readonly StaleShare[];
  /** What went wrong with servers on the way. */
  readonly failures: readonly Failure[];
  /** Whether only the segments that change, if any, were sent. */
  readonly inPlace: boolean;
  /**
   * What the version was built on, to be compared with what had been read (an earlier try of the same
   * write, which may be there, counts as well; docs/publish.md): whatever else was
   * acknowledged before is in it. Null where there was nothing. Where nothing had to be written,
   * what is there.
   */
  readonly base: VersionName | null;
}

/** What a repair has found and done. */
export interface RepairOutcome {
  /** Of the version that is there now. */
  readonly seqnum: number;
  /**
   * `nothing`: nothing had to be written, or could be; `again`: shares of the same version, byte for
   * byte; `merge`: a new version, over others that the same one could not replace.
   */
  readonly way: RepairWay;
  /** What was written. */
  readonly placed: readonly Place[];
  /** Share numbers that are on no server. */
  readonly missing: readonly number[];
  /** What went wrong with servers on the way. */
  readonly failures: readonly Failure[];
  /** What was found at first, every block of it. */
  readonly before: Verification;
  /** Who holds what now, by headers and signatures. */
  readonly after: Servermap;
  /** Whether all N shares of one version, and of no other, are there and good now. */
  readonly isHealthy: boolean;
}

// --- from a report to a value
// ---------------------------------------------------------------------

/** @throws the error that says why nothing, or not all, was delivered */
export function readOutcome(report: ReadFileReport, thrown: Thrown): FileStat {
  if (report.kind !== 'delivered') throw readError(report, thrown);
  return statOf(report.version);
}

/** What callers are told of a version. */
export function statOf(version: Version): FileStat {
  const { seqnum, format, required, total, segmentSize, dataLength: size } = version;
  const encoding = { required, total };
  // That of an immutable file has no name, and no operation of a mutable file comes upon one.
  return {
    version: nameOf(version),
    seqnum,
    size,
    format: format as Format,
    encoding,
    segmentSize,
  };
}

/** @throws the error that says why nothing, or not all, of an immutable file was delivered */
export function downloadOutcome(report: DownloadFileReport, thrown: Thrown): void {
  switch (report.kind) {
    case 'delivered':
      return;
    case 'unrecoverable':
      throw unrecoverable(report.map, 'the file can not be read');
    case 'outOfRange':
      throw outOfRange(report.excess);
    case 'beyondLimit':
      throw beyondLimit(report.beyond);
    case 'notEnoughShares':
      throw notEnoughShares(report.report, 0);
    case 'failed':
      throw failureError(report.failure, thrown);
    case 'cancelled':
      throw new Error('cancelled');
  }
}

/** @throws the error that says why nothing can be said of the shares */
export function verifyOutcome(report: VerifyFileReport, thrown: Thrown): Verification {
  if (report.kind === 'verified') return report.verification;
  throw readError(report, thrown);
}

/** @throws the error that says why nothing can be said of an immutable file */
export function verifyImmutableOutcome(
  report: VerifyImmutableReport,
  thrown: Thrown,
): ImmutableFinding {
  switch (report.kind) {
    case 'verified':
      return report.finding;
    case 'beyondLimit':
      throw beyondLimit(report.beyond);
    case 'failed':
      throw failureError(report.failure, thrown);
    case 'cancelled':
      throw new Error('cancelled');
  }
}

/** Nothing when the modifier wanted no change. @throws as does {@link writeOutcome} */
export function modifyOutcome(report: WriteFileReport, thrown: Thrown): WriteOutcome | undefined {
  return report.kind === 'unchanged' ? undefined : writeOutcome(report, thrown);
}

/** @throws the error that says why the version is not written */
export function writeOutcome(report: WriteFileReport, thrown: Thrown): WriteOutcome {
  switch (report.kind) {
    case 'published': {
      const { stale, inPlace } = report;
      const { seqnum, version, quorum, missing, failures, base } = report.report;
      return {
        version: nameOf(version as Version),
        ...{ seqnum, quorum, placed: placesOf(report.report), missing, stale, failures, inPlace },
        base: base && nameOf(base),
      };
    }
    case 'unchanged':
      return nothingWritten(report.base);
    case 'gaveUp':
      throw writeError(report.obstacle, thrown, report.attempts);
    case 'failed':
      throw writeError(report.obstacle, thrown);
    case 'cancelled':
      throw new Error('cancelled');
  }
}

/** @throws the error that says why nothing was repaired */
export function repairOutcome(report: RepairFileReport, thrown: Thrown): RepairOutcome {
  switch (report.kind) {
    case 'repaired': {
      const { way, before, report: published, placed, after } = report.finding;
      const seqnum = published?.seqnum ?? before.seqnum;
      const [missing, failures] = [missingIn(after), published?.failures ?? []];
      const isHealthy = way === 'nothing' ? before.isHealthy : isWhole(after);
      return { seqnum, way, placed, missing, failures, before, after, isHealthy };
    }
    case 'failed': {
      throw repairError(report.obstacle, thrown);
    }
    case 'cancelled':
      throw new Error('cancelled');
  }
}

type ReadFailure =
  | Exclude<ReadFileReport, { readonly kind: 'delivered' }>
  | Exclude<VerifyFileReport, { readonly kind: 'verified' }>;

function readError(report: ReadFailure, thrown: Thrown): unknown {
  switch (report.kind) {
    case 'unrecoverable':
      return unrecoverable(report.map);
    case 'outOfRange':
      return outOfRange(report.excess);
    case 'beyondLimit':
      return beyondLimit(report.beyond);
    case 'versionUnavailable':
      return versionUnavailable(report.wanted, report.map);
    case 'notEnoughShares':
      return notEnoughShares(report.report, report.version.seqnum);
    case 'failed':
      return failureError(report.failure, thrown);
    case 'cancelled':
      return new Error('cancelled');
  }
}

function repairError(obstacle: RepairObstacle, thrown: Thrown): unknown {
  switch (obstacle.kind) {
    case 'atStake':
      return atStake(obstacle);
    case 'noBase':
      return noBase(obstacle.rivals, obstacle.map, 'repair by `force`');
    default:
      return writeError(obstacle, thrown);
  }
}

/** @param attempts how many met another writer */
function writeError(obstacle: Obstacle, thrown: Thrown, attempts = 1): unknown {
  switch (obstacle.kind) {
    case 'fileExists': {
      const { places, report } = obstacle;
      if (report === null) return fileExists(places);
      return thrownOr(thrown, report.failures, () => fileExists(places, factsOf(report)));
    }
    case 'unrecoverable':
      return unrecoverable(obstacle.map);
    case 'missingPrivateKey':
      return missingPrivateKey(obstacle.map);
    case 'wrongFormat': {
      const cap = obstacle.cap;
      const file = obstacle.file as Format;
      return new WrongFormatError(`this is an ${cap} cap, and the file is ${file}`, { cap, file });
    }
    case 'noBase':
      return noBase(obstacle.rivals, obstacle.map);
    case 'versionLost':
      return versionLost(obstacle.lost, obstacle.map);
    case 'versionChanged':
      return versionChanged(obstacle.expected, obstacle.found);
    case 'outOfRange':
      return outOfRange(obstacle);
    case 'beyondLimit':
      return beyondLimit(obstacle.beyond);
    case 'tooLarge':
      return tooLarge(geometryOf(obstacle.format, obstacle.required, obstacle.size));
    case 'notEnoughShares':
      return notEnoughShares(obstacle.report, obstacle.version.seqnum);
    case 'notPublished': {
      const { report } = obstacle;
      return thrownOr(thrown, report.failures, () => publishError(report, attempts));
    }
    case 'failed':
      return failureError(obstacle.failure, thrown);
  }
}

/** If the caller's own code threw, that is the error, whatever else went wrong. */
function thrownOr(thrown: Thrown, failures: readonly Failure[], otherwise: () => Error): unknown {
  const found = thrown.errorIn(failures);
  return found === undefined ? otherwise() : found.error;
}

function failureError(failure: Failure, thrown: Thrown): unknown {
  return thrownOr(thrown, [failure], () => new Error(failure.detail));
}

function beyondLimit({ what, value, max }: Beyond): BeyondLimitError {
  return new BeyondLimitError(what, value, max);
}

/** The outcome when there was nothing to write over `version`. */
function nothingWritten(base: Version): WriteOutcome {
  const nothing = { quorum: 0, placed: [], missing: [], stale: [], failures: [], inPlace: true };
  return { seqnum: base.seqnum, version: nameOf(base), ...nothing, base: nameOf(base) };
}

function placesOf(report: PublishReport): readonly Place[] {
  return placedOf(report).map(({ server, shnum }) => ({ server, shnum }));
}

function factsOf(report: PublishReport): WriteFacts {
  const { seqnum, quorum, surprises, failures, unheard, missing } = report;
  return { seqnum, quorum, placed: placesOf(report), missing, surprises, failures, unheard };
}

/**
 * The error of a publish that did not end as `published`.
 * @param attempts how many of them met another writer, this one included
 */
function publishError(report: PublishReport, attempts: number): Error {
  const { kind, seqnum, quorum, surprises, failures } = report;
  const servers = new Set(placedOf(report).map(({ server }) => server)).size;
  const because = unheardText(report) + lastOf(failures);
  const facts = factsOf(report);
  switch (kind) {
    case 'uncoordinated': {
      const where = placesText(surprises);
      const more = ', or with more `attempts` or a longer `backoffMs`';
      const text = collisionText(attempts, where, more);
      return new UncoordinatedWriteError(text, { ...facts, attempts });
    }
    case 'notEnoughServers':
      return new NotEnoughServersError(
        `version ${seqnum} reached ${servers} of the ${quorum} servers it needs${because}`,
        facts,
      );
    case 'indeterminate':
      return new IndeterminateWriteError(
        `version ${seqnum} may be in force, or not: it is on ${servers} servers, needs ${quorum}, ` +
          `and of others nobody can tell${because}`,
        facts,
      );
    case 'unprepared':
      return new NotEnoughSharesError(`the new version could not be prepared${because}`, facts);
    case 'published':
    case 'cancelled':
      return new Error(`a publish that ended as ${kind} has no error`);
  }
}

/** Some of the servers that were sent nothing, and why one of them was not. */
function unheardText({ unheard }: PublishReport): string {
  const last = unheard.at(-1);
  if (last === undefined) return '';
  const servers = listed(unheard.map(({ server }) => server));
  return `; no answer before from ${servers}: ${last.failure.detail}`;
}

/**
 * What the error of a write says that met another writer.
 * @param where the shares that it met at its last attempt
 * @param more what may help besides, where the attempts were many
 */
export function collisionText(attempts: number, where: string, more: string): string {
  const what =
    attempts === 1
      ? `: ${where}; read what is there now, then write again`
      : ` at each of ${attempts} attempts, the last time ${where}; try again when fewer write${more}`;
  return `somebody else has written to this file${what}`;
}

/** @param atMost how many are named */
export function placesText(places: readonly Place[], atMost = places.length): string {
  const all = [...new Set(places.map(({ server, shnum }) => `share ${shnum} on ${server}`))];
  const rest = all.length - atMost;
  return all.slice(0, atMost).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** The error of a write for which there is nothing that may be built on. */
function noBase(
  rivals: readonly Version[],
  map: Servermap,
  remedy = 'repair the file, or write over it by `force`',
): NewerVersionSeenError {
  const silent = silentIn(map);
  const hope = silent.length === 0 ? 'try again' : 'wait until more servers answer';
  return new NewerVersionSeenError(`${standoffText(rivals, silent)}: ${hope}, ${remedy}`, {
    rivals: rivals.map(describeVersion),
    silent,
  });
}

/** The error of a repair after which these could never be read any more. */
function atStake({ versions, map }: Extract<RepairObstacle, { kind: 'atStake' }>) {
  const sharesText = (version: Version) =>
    `version ${nameText(version)}, of which ${sharesOf(map, version.id).size} of the ` +
    `${version.required} shares it needs are there`;
  const silent = silentIn(map);
  const hope = silent.length === 0 ? '' : `wait until ${listed(silent)} answer, or `;
  return new NewerVersionSeenError(
    `a repair would lose ${listed(versions.map(sharesText))}: ${hope}repair by \`force\``,
    { newer: versions.map(describeVersion), silent },
  );
}

/** The error of a first version whose places are not free. */
function fileExists(places: readonly Place[], facts: Partial<WriteFacts> = {}): FileExistsError {
  const where = places.map(({ server, shnum }) => `share ${shnum} on ${server}`).join(', ');
  const shares = places.map(({ server, shnum }) => ({ server, shnum }));
  return new FileExistsError(`this key has a file already: ${where}`, {
    placed: [],
    shares,
    ...facts,
  });
}

/** The error of a write that would not be built on `lost`, which was acknowledged. */
function versionLost(lost: Version, map: Servermap): NewerVersionSeenError {
  const versions = Object.values(map.versions);
  const silent = silentIn(map);
  const hope = silent.length === 0 ? 'restore its shares' : 'wait until more servers answer';
  return new NewerVersionSeenError(
    `version ${lost.seqnum} was acknowledged before, and nothing as new can be read here ` +
      `(${answeredOf(map)}): ${hope}, or write over it by \`force\``,
    {
      newer: [describeVersion(lost)],
      silent,
      seen: versions.map(describeVersion),
      servers: map.servers,
    },
  );
}

/** The error of a write that would not be built on the version that its caller has named. */
function versionChanged(expected: VersionName, found: Version | null): VersionChangedError {
  const now =
    found === null ? 'no version that can be read is there' : `version ${nameText(found)} is there`;
  return new VersionChangedError(
    `${now}, and not version ${nameText(expected)}: read what is there now, then write again`,
    { expected: nameOf(expected), found: found && describeVersion(found) },
  );
}

/** The error of a read of a version that is not there, or not enough of it. */
function versionUnavailable({ seqnum, rootHash }: WantedVersion, map: Servermap) {
  const seen = Object.values(map.versions).map((version) => ({
    ...describeVersion(version),
    shares: sharesOf(map, version.id).size,
  }));
  const wanted = rootHash === null ? `${seqnum}` : nameText({ seqnum, rootHash });
  const others = seen.map((it) => `${it.shares} shares of version ${nameText(it)}`);
  return new VersionUnavailableError(
    `version ${wanted} cannot be read: ${others.length === 0 ? 'no good share' : listed(others)} ` +
      `found (${answeredOf(map)})`,
    { wanted: { seqnum, ...(rootHash !== null && { rootHash }) }, seen, servers: map.servers },
  );
}

/** How many servers answered, and why another did not. */
function answeredOf({ servers }: Servermap): string {
  const answered = servers.filter(({ status }) => status !== 'failed' && status !== 'unasked');
  return (
    `${answered.length} of ${servers.length} servers answered` +
    lastOf(servers.map(({ failure }) => failure))
  );
}

function lastOf(failures: readonly (Failure | null)[]): string {
  const last = failures.findLast((failure) => failure !== null);
  return last === undefined ? '' : `; last failure: ${last.detail}`;
}

/** What to tell people of a version. */
function describeVersion({ seqnum, rootHash, format, required, total, dataLength }: Version) {
  return { seqnum, rootHash, format, required, total, size: dataLength };
}

/** What errors call a version; an immutable file has but one. */
function titleOf(seqnum: number): string {
  return seqnum === 0 ? 'the file' : `version ${seqnum}`;
}

/** The error when a map shows no version that can be read. */
function unrecoverable(map: Servermap, what = 'no version can be read'): UnrecoverableFileError {
  const seen = unrecoverableVersions(map).map((version) => ({
    ...describeVersion(version),
    shares: sharesOf(map, version.id).size,
  }));
  const bad = map.holdings.filter(({ verdict }) => verdict.kind === 'bad').length;
  const versions = seen
    .map((v) => `${titleOf(v.seqnum)} has ${v.shares} of the ${v.required} shares it needs`)
    .join('; ');
  const badNote = bad > 0 ? `; ${bad} corrupt` : '';
  const unread = map.holdings.flatMap(({ verdict }) =>
    verdict.kind === 'unverified' ? [verdict.reason] : [],
  );
  const unreadNote = unread.length > 0 ? `; ${unread.length} not read: ${unread.at(-1)}` : '';
  return new UnrecoverableFileError(
    `${what}: ${versions || 'no good share found'}${badNote}${unreadNote} ` +
      `(${answeredOf(map)})`,
    { seen, bad, unread, servers: map.servers },
  );
}

/** The error when a retrieve ran out of shares. */
function notEnoughShares(report: RetrieveReport, seqnum: number): NotEnoughSharesError {
  const usable = report.sources.filter(({ status }) => status === 'usable' || status === 'held');
  const lost = report.sources.flatMap(({ server, shnum, status, failure }): readonly LostShare[] =>
    status === 'corrupt' || status === 'failed' ? [{ server, shnum, status, failure }] : [],
  );
  return new NotEnoughSharesError(
    `${titleOf(seqnum)} ran out of good shares: ${usable.length} left of the ` +
      `${report.required} it needs`,
    {
      seqnum,
      required: report.required,
      lost,
      recoverable: usable.length >= report.required,
    },
  );
}

/** The error when nobody had the private key. */
function missingPrivateKey(map: Servermap): MissingPrivateKeyError {
  const versions = recoverableVersions(map).map(describeVersion);
  return new MissingPrivateKeyError('no share within reach holds the private key of this file', {
    versions,
    servers: map.servers,
  });
}
