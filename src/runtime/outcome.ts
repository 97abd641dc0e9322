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
  FileExistsError,
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

/** A share on a server that a write could not replace: it is, or may still be, of an older version. */
export interface StaleShare extends Placement {
  readonly reason: string;
}

/** What a successful write leaves behind; nothing is placed when there was nothing to write. */
export interface WriteOutcome {
  readonly seqnum: number;
  /** Distinct servers that must hold the version for it to count as written. */
  readonly quorum: number;
  readonly placed: readonly Placement[];
  /** Share numbers that could not be placed: the file is readable, and short of these. */
  readonly missing: readonly number[];
  /** Old shares that stay where they are, and why. Readers know them by their sequence number. */
  readonly stale: readonly StaleShare[];
  /** What went wrong with servers on the way. */
  readonly failures: readonly Failure[];
  /** Whether only the segments that change, if any, were sent. */
  readonly inPlace: boolean;
}

/** @throws the error that says why the version is not written */
export function toWriteOutcome(
  { report, stale }: { readonly report: PublishReport; readonly stale: readonly StaleShare[] },
  inPlace: boolean,
): WriteOutcome {
  const { kind, seqnum, quorum, missing, failures } = report;
  if (kind !== 'published') throw publishError(report);
  return { seqnum, quorum, placed: placedOf(report), missing, stale, failures, inPlace };
}

/**
 * Shares that `map` saw, or that a server spoke of by refusing the write enabler, and that hold
 * no share of the new version.
 * @param failures by `shnum@server`
 */
export function staleShares(
  map: Servermap,
  report: PublishReport,
  failures: ReadonlyMap<string, Failure>,
): readonly StaleShare[] {
  const keyOf = ({ server, shnum }: Placement) => `${shnum}@${server}`;
  const accepted = new Set(placedOf(report).map(keyOf));
  const refused = report.writes.filter(({ status }) => status === 'refused');
  const places = new Map<string, Placement & { readonly seen: string }>();
  for (const { server, shnum } of refused) {
    places.set(keyOf({ server, shnum }), { server, shnum, seen: 'refused' });
  }
  for (const { server, shnum, verdict } of map.slots) {
    const seen = verdict.kind === 'good' ? 'not among the shares to be written' : verdict.reason;
    places.set(keyOf({ server, shnum }), { server, shnum, seen });
  }
  return [...places].flatMap(([key, { server, shnum, seen }]) =>
    accepted.has(key) ? [] : [{ server, shnum, reason: failures.get(key)?.detail ?? seen }],
  );
}

/** The outcome when there was nothing to write over `version`. */
export function nothingWritten({ seqnum }: Version): WriteOutcome {
  return { seqnum, quorum: 0, placed: [], missing: [], stale: [], failures: [], inPlace: true };
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
      return new UncoordinatedWriteError(
        `somebody else has written to this file: ${where}; read what is there now, then write again`,
        facts,
      );
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
      'what can be built on: wait until more servers answer, or write over it by `force`',
    { newer: newer.map(describeVersion), seen: newer.map(describeVersion) },
  );
}

/** The error of a first version whose slots are not free. */
export function fileExists(places: readonly Placement[], facts: Facts = {}): FileExistsError {
  const where = places.map(({ server, shnum }) => `share ${shnum} on ${server}`).join(', ');
  const shares = places.map(({ server, shnum }) => ({ server, shnum }));
  return new FileExistsError(`this key has a file already: ${where}`, {
    placed: [],
    shares,
    ...facts,
  });
}

/** The error of a write that would not be above `lost`, of which `map` shows nothing any more. */
export function versionLost(lost: Version, map: Servermap): NewerVersionSeenError {
  const versions = Object.values(map.versions);
  return new NewerVersionSeenError(
    `version ${lost.seqnum} has been seen or made before, and nothing as new is within reach ` +
      `(${answeredOf(map)}): wait until more servers answer, or write over it by \`force\``,
    { newer: [describeVersion(lost)], seen: versions.map(describeVersion), servers: map.servers },
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
  const versions = seen
    .map((v) => `version ${v.seqnum} has ${v.shares} of the ${v.required} shares it needs`)
    .join('; ');
  const badNote = bad > 0 ? `; ${bad} corrupt` : '';
  const unread = map.slots.flatMap(({ verdict }) =>
    verdict.kind === 'unverified' ? [verdict.reason] : [],
  );
  const unreadNote = unread.length > 0 ? `; ${unread.length} not read: ${unread.at(-1)}` : '';
  return new UnrecoverableFileError(
    `no version can be read: ${versions || 'no good share found'}${badNote}${unreadNote} ` +
      `(${answeredOf(map)})`,
    { seen, bad, unread, servers: map.servers },
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
