/**
 * @module outcome: from what a chart ended with to what the caller gets: a value or a typed error.
 */
import type { Failure } from '../../machines/io.ts';
import type { PublishReport } from '../../machines/publish-kernel.ts';
import type { RetrieveReport } from '../../machines/retrieve-kernel.ts';
import {
  recoverableVersions,
  type ServerId,
  type Servermap,
  sharesOf,
  unrecoverableVersions,
  type Version,
} from '../../machines/servermap.ts';
import {
  type Facts,
  IndeterminateWriteError,
  MissingPrivateKeyError,
  NewerVersionSeenError,
  NotEnoughServersError,
  NotEnoughSharesError,
  type TahoeMutableError,
  UncoordinatedWriteError,
  UnrecoverableFileError,
} from '../errors.ts';

/** Where one share of the new version went. */
export interface Placement {
  readonly server: ServerId;
  readonly shnum: number;
}

/** What a successful write leaves behind; nothing is placed when there was nothing to write. */
export interface WriteOutcome {
  readonly seqnum: number;
  /** Distinct servers that must hold the version for it to count as written. */
  readonly quorum: number;
  readonly placed: readonly Placement[];
  /** Share numbers that could not be placed: the file is readable, and short of these. */
  readonly missing: readonly number[];
  /** What went wrong with servers on the way. */
  readonly failures: readonly Failure[];
  /** Whether only the segments that change, if any, were sent. */
  readonly inPlace: boolean;
}

/** @throws the error that says why the version is not written */
export function toWriteOutcome(report: PublishReport, inPlace: boolean): WriteOutcome {
  const { kind, seqnum, quorum, missing, failures } = report;
  if (kind !== 'published') throw publishError(report);
  return { seqnum, quorum, placed: placedOf(report), missing, failures, inPlace };
}

/** The outcome when there was nothing to write over `version`. */
export function nothingWritten({ seqnum }: Version): WriteOutcome {
  return { seqnum, quorum: 0, placed: [], missing: [], failures: [], inPlace: true };
}

function placedOf(report: PublishReport): readonly Placement[] {
  return report.writes
    .filter(({ status }) => status === 'accepted')
    .map(({ server, shnum }) => ({ server, shnum }));
}

/** The error of a publish that did not end as `published`. */
export function publishError(report: PublishReport): TahoeMutableError | Error {
  const { kind, seqnum, quorum, surprises, failures, missing, newer } = report;
  const placed = placedOf(report);
  const servers = new Set(placed.map(({ server }) => server)).size;
  const because = lastOf(failures);
  const facts: Facts = { seqnum, quorum, placed, missing, surprises, failures };
  switch (kind) {
    case 'uncoordinated': {
      const where = surprises.map(({ server, shnum }) => `share ${shnum} on ${server}`).join(', ');
      return new UncoordinatedWriteError(`somebody else has written to this file: ${where}`, facts);
    }
    case 'notEnoughServers':
      return new NotEnoughServersError(
        `version ${seqnum} reached ${servers} of the ${quorum} servers it needs${because}`,
        facts,
      );
    case 'indeterminate':
      return new IndeterminateWriteError(
        `version ${seqnum} surely reached ${servers} of the ${quorum} servers it needs, ` +
          `and may have reached more${because}`,
        facts,
      );
    case 'newerVersionSeen':
      return newerVersionSeen(newer);
    case 'unprepared':
      return new NotEnoughSharesError(`the new version could not be prepared${because}`, facts);
    case 'published':
    case 'cancelled':
      return new Error(`a publish that ended as ${kind} has no error`);
  }
}

/** The error of a write that would destroy these. */
export function newerVersionSeen(newer: readonly Version[]): NewerVersionSeenError {
  return new NewerVersionSeenError(
    `a version (${newer.map((v) => v.seqnum).join(', ')}) is out there that may be newer than ` +
      'what can be built on',
    { newer: newer.map(describeVersion) },
  );
}

function lastOf(failures: readonly (Failure | null)[]): string {
  const last = failures.findLast((failure) => failure !== null);
  return last === undefined ? '' : `; last failure: ${last.detail}`;
}

/** What to tell people of a version. */
export function describeVersion({
  seqnum,
  rootHash,
  format,
  required,
  total,
  dataLength,
}: Version) {
  return { seqnum, rootHash, format, required, total, size: dataLength };
}

/** The error when a map shows no version that can be read. */
export function unrecoverable(map: Servermap): UnrecoverableFileError {
  const seen = unrecoverableVersions(map).map((version) => ({
    ...describeVersion(version),
    shares: sharesOf(map, version.id).size,
  }));
  const bad = map.slots.filter(({ verdict }) => verdict.kind === 'bad').length;
  const answered = map.servers.filter(({ status }) => status !== 'failed' && status !== 'unasked');
  const versions = seen
    .map((v) => `version ${v.seqnum} has ${v.shares} of the ${v.required} shares it needs`)
    .join('; ');
  const badNote = bad > 0 ? `; ${bad} corrupt` : '';
  return new UnrecoverableFileError(
    `no version can be read: ${versions || 'no good share found'}${badNote} ` +
      `(${answered.length} of ${map.servers.length} servers answered` +
      `${lastOf(map.servers.map(({ failure }) => failure))})`,
    { seen, bad, servers: map.servers },
  );
}

/** The error when a retrieve ran out of shares. */
export function notEnoughShares(report: RetrieveReport, version: Version): NotEnoughSharesError {
  const usable = report.sources.filter(({ status }) => status === 'usable' || status === 'held');
  const lost = report.sources.filter(({ status }) => status === 'corrupt' || status === 'failed');
  return new NotEnoughSharesError(
    `version ${version.seqnum} ran out of good shares: ${usable.length} left of the ` +
      `${report.required} it needs`,
    {
      seqnum: version.seqnum,
      required: report.required,
      lost: lost.map(({ server, shnum, status, failure }) => ({ server, shnum, status, failure })),
      recoverable: usable.length >= report.required,
    },
  );
}

/** The error when nobody had the private key. */
export function missingPrivateKey(map: Servermap): MissingPrivateKeyError {
  const versions = recoverableVersions(map).map(describeVersion);
  return new MissingPrivateKeyError('no share within reach holds the private key of this file', {
    versions,
    servers: map.servers,
  });
}
