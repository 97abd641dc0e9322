/**
 * @module facts: versions, reports and maps as tests write them: short, whole, JSON-plain.
 */
import type { Deadlines, SeenShare } from '../../machines/io.ts';
import type { Membership } from '../../machines/quorum.ts';
import type { ProvenShare, WriteReport } from '../../machines/reports.ts';
import {
  type Hex,
  type Holding,
  type KnownServer,
  noParentTag,
  type ServerId,
  type Servermap,
  type Verdict,
  type Version,
} from '../../machines/servermap.ts';
import type { ServerReport, UpdateRecord } from '../../machines/update-kernel.ts';

export const deadlines: Deadlines = { queryMs: 10, verifyMs: 20, readMs: 30, writeMs: 40 };

/** `s0`, `s1`, …: a grid in permuted order. */
export function serversOf(count: number): readonly ServerId[] {
  return Array.from({ length: count }, (_, i) => `s${i}`);
}

/** All writers know these servers; W is 3 where N and the grid allow it. */
export const membershipOf = (servers: number): Membership => ({ servers, happy: 3 });

/**
 * A version of one letter: `a` of seqnum 1 is older than `b` of seqnum 1, and than `a` of 2. Its
 * parent is unknown unless it is given; `null` is a first version's.
 */
export function versionOf(
  seqnum: number,
  letter = 'a',
  {
    required = 2,
    total = 3,
    parent,
  }: { required?: number; total?: number; parent?: Version | null } = {},
): Version {
  const rootHash = letter.charCodeAt(0).toString(16).padStart(64, '0');
  const checkstring = `01${seqnum.toString(16).padStart(16, '0')}${rootHash}`;
  const tag = `${rootHash.slice(-8)}${seqnum.toString(16).padStart(24, '0')}`;
  return {
    id: `${checkstring}${required.toString(16)}${total.toString(16)}`,
    format: 'mdmf',
    seqnum,
    rootHash,
    required,
    total,
    segmentSize: 1024,
    dataLength: 3000,
    checkstring,
    tag,
    parentTag: parent === undefined ? tag.replace(/^../, 'ff') : (parent?.tag ?? noParentTag),
  };
}

export function goodAt(server: ServerId, shnum: number, version: Version): Holding {
  return { server, shnum, verdict: { kind: 'good', version: version.id } };
}

export const bad = (head: Hex = '01ff', reason = 'signature'): Verdict => ({
  kind: 'bad',
  reason,
  head,
});

export const unverified = (reason = 'timeout'): Verdict => ({ kind: 'unverified', reason });

/** What a server with good shares of one version reports. */
export function goodReport(
  server: ServerId,
  shnums: readonly number[],
  version: Version,
  more: Partial<ServerReport> = {},
): ServerReport {
  return {
    server,
    status: 'good',
    holdings: shnums.map((shnum) => goodAt(server, shnum, version)),
    versions: [version],
    privateKeyFound: false,
    failure: null,
    ...more,
  };
}

/** What a server without good shares reports. */
export function poorReport(
  server: ServerId,
  status: 'empty' | 'corrupt' | 'failed',
  holdings: readonly Holding[] = [],
  failure: ServerReport['failure'] = null,
): ServerReport {
  return { server, status, holdings: holdings, versions: [], privateKeyFound: false, failure };
}

/** The books of an update before anybody is asked. */
export function recordOf(
  servers: readonly ServerId[],
  more: Partial<UpdateRecord> = {},
): UpdateRecord {
  return {
    mode: 'write',
    rule: 'ours',
    required: 2,
    total: 3,
    membership: membershipOf(servers.length),
    servers,
    statuses: servers.map(() => 'unasked'),
    failures: servers.map(() => null),
    holdings: [],
    versions: {},
    privateKey: 'unneeded',
    marked: [],
    ...more,
  };
}

/** A finished map of `count` servers; those without a holding are empty unless `statuses` differs. */
export function mapOf(
  count: number,
  holdings: readonly Holding[],
  versions: readonly Version[],
  statuses: Readonly<Record<ServerId, KnownServer['status']>> = {},
): Servermap {
  return {
    mode: 'write',
    outcome: 'exhausted',
    servers: serversOf(count).map((id) => ({
      id,
      status: statuses[id] ?? (holdings.some(({ server }) => server === id) ? 'good' : 'empty'),
      failure: null,
    })),
    holdings,
    versions: Object.fromEntries(versions.map((version) => [version.id, version])),
    privateKey: 'found',
  };
}

/** What a server shows of a share number: a version whose signature holds, or any bytes. */
export type Shown = ProvenShare | SeenShare;

/** What a child reports of a request to one server. */
export function writeReport(
  server: ServerId,
  status: WriteReport['status'],
  shown: readonly Shown[] = [],
): WriteReport {
  const isFine = status === 'accepted' || status === 'surprised';
  const failure = isFine ? null : ({ kind: 'unreachable', detail: server } as const);
  const proven = shown.filter((share) => 'version' in share);
  return { server, status, isReread: false, seen: shown.map(seenOf), proven, failure };
}

function seenOf(shown: Shown): SeenShare {
  if (!('version' in shown)) return shown;
  return { shnum: shown.shnum, checkstring: shown.version.checkstring };
}
