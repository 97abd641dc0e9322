/**
 * @module servermap-view: a servermap for people, and for programs.
 */
import {
  bestVersion,
  type Holding,
  isRecoverable,
  type Servermap,
  type ServerStatus,
  sharesOf,
  type Version,
} from '../../machines/servermap.ts';
import type { StorageServer } from '../storage/server.ts';
import { nameOf } from '../version-name.ts';
import { counted, inRuns, oneLine, table } from './plain-text.ts';

export type Named = Pick<StorageServer, 'id' | 'nickname'>;

/** What servers without shares in the map are doing in it. */
const WITHOUT_SHARES: Record<ServerStatus, string> = {
  unasked: 'not asked',
  asked: 'asked; the map was complete before it answered',
  verifying: 'its shares were being verified when the map ended',
  good: '',
  empty: 'no share',
  corrupt: '',
  failed: 'no answer',
};

/** `s03 [v0-abcdefgh]`: nicknames are for people, and not unique. */
export function serverName(servers: readonly Named[], id: string): string {
  const nickname = servers.find((server) => server.id === id)?.nickname ?? id;
  if (nickname === id) return oneLine(id);
  return oneLine(`${nickname} [${id.replace(/^v0-/, '').slice(0, 8)}]`);
}

/** Why a server failed, where it is named already. */
export function reasonAlone(id: string, { detail }: { readonly detail: string }): string {
  return oneLine(detail.replace(`server ${id}: `, ''));
}

/** Every server, every share with its verdict, and the versions that they add up to. */
export function servermapText(map: Servermap, servers: readonly Named[]): string {
  const rows = map.servers.flatMap(({ id, status, failure }, i) => {
    const first = [String(i + 1).padStart(2), serverName(servers, id)];
    const holdings = map.holdings.filter(({ server }) => server === id);
    if (holdings.length === 0) {
      const why = failure === null ? '' : `: ${reasonAlone(id, failure)}`;
      return [[...first, '-', `${WITHOUT_SHARES[status]}${why}`]];
    }
    return holdings.map((holding, n) => [
      ...(n === 0 ? first : ['', '']),
      String(holding.shnum),
      verdictText(holding, map),
    ]);
  });
  return [
    table([[' #', 'server', 'share', 'is'], ...rows], ''),
    '',
    ...versionLines(map),
    ...(map.privateKey === 'missing' ? ['no share within reach holds the private key'] : []),
    '',
  ].join('\n');
}

function verdictText({ verdict }: Holding, map: Servermap): string {
  switch (verdict.kind) {
    case 'good':
      return titleOf(map, map.versions[verdict.version] as Version);
    case 'bad':
      return `bad: ${oneLine(verdict.reason)}`;
    case 'unverified':
      return `not verified: ${oneLine(verdict.reason)}`;
  }
}

/** `version 2`, of an immutable file `the file`; rivals of one number are told apart by their roots. */
function titleOf({ versions }: Servermap, { format, seqnum, rootHash, id }: Version): string {
  if (format === 'chk') return 'the file';
  const isRival = (other: Version) => other.seqnum === seqnum && other.id !== id;
  const root = Object.values(versions).some(isRival) ? ` (root ${rootHash.slice(0, 12)}…)` : '';
  return `version ${seqnum}${root}`;
}

/** Newest first. */
function versionsOf(map: Servermap): readonly Version[] {
  return Object.values(map.versions).sort(
    (a, b) => b.seqnum - a.seqnum || (a.rootHash < b.rootHash ? 1 : -1),
  );
}

/** What the shares add up to. */
export function versionLines(map: Servermap): readonly string[] {
  const versions = versionsOf(map).map((version) => versionText(map, version));
  return versions.length === 0 ? ['no version was seen'] : versions;
}

function versionText(map: Servermap, version: Version): string {
  const { rootHash, format, required, total, dataLength } = version;
  const shares = [...sharesOf(map, version.id).keys()];
  const isOnly = format === 'chk';
  const isBest = version.id === bestVersion(map)?.id && !isOnly;
  const state = isBest
    ? 'the newest that can be read'
    : isRecoverable(map, version)
      ? 'can be read'
      : 'cannot be read';
  const size = counted(dataLength, 'byte');
  const root = isOnly ? '' : `, root ${rootHash.slice(0, 12)}…`;
  return [
    `${titleOf(map, version)}: ${state}`,
    `  ${format.toUpperCase()}, ${required}-of-${total}, ${size}${root}`,
    `  ${shares.length} of ${counted(total, 'share')}: ${inRuns(shares) || 'none'}`,
  ].join('\n');
}

/** Versions are told apart by seqnum and root hash. */
export function servermapJson(map: Servermap, servers: readonly Named[]): object {
  const name = (version: Version | undefined) => version && nameOf(version);
  return {
    mode: map.mode,
    outcome: map.outcome,
    privateKey: map.privateKey,
    best: name(bestVersion(map)) ?? null,
    versions: versionsOf(map).map((version) => ({
      ...name(version),
      format: version.format,
      required: version.required,
      total: version.total,
      segmentSize: version.segmentSize,
      size: version.dataLength,
      shares: [...sharesOf(map, version.id).keys()],
      recoverable: isRecoverable(map, version),
    })),
    servers: map.servers.map(({ id, status, failure }) => ({
      id,
      nickname: servers.find((server) => server.id === id)?.nickname ?? id,
      status,
      failure,
      shares: map.holdings
        .filter(({ server }) => server === id)
        .map(({ shnum, verdict }) =>
          verdict.kind === 'good'
            ? { shnum, verdict: 'good', ...name(map.versions[verdict.version]) }
            : { shnum, verdict: verdict.kind, reason: verdict.reason },
        ),
    })),
  };
}
