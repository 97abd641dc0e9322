/**
 * @module finding: what a check has found of a file, for people, and for programs: also for those
 * that are made for Tahoe's `t=check&output=JSON`.
 */
import { bestVersion, type Hex, type Servermap, type Version } from '../../machines/servermap.ts';
import type { Verification } from '../../machines/verify-kernel.ts';
import type { Cap } from '../caps.ts';
import type { Grid } from '../grid.ts';
import { oneLine } from './plain-text.ts';
import { type Named, servermapJson, serverName, versionLines } from './servermap-view.ts';

export type Finding = Pick<Verification, 'map' | 'bad' | 'stale' | 'isHealthy'>;

/** As far as headers and signatures tell. */
export async function findingOf(map: Servermap): Promise<Finding> {
  const { staleHoldings } = await import('../../machines/stale.ts');
  const { badIn, isWhole } = await import('../../machines/verify-kernel.ts');
  return { map, bad: badIn(map), stale: staleHoldings(map), isHealthy: isWhole(map) };
}

/** Whether any server has told what it holds: if not, nothing is known of the file. */
export function isAnyoneHeard({ map }: Finding): boolean {
  return respondingIn(map).length > 0;
}

/** What is wrong, the versions, and the verdict. */
export function findingLines(
  { map, bad, stale, isHealthy }: Finding,
  servers: readonly Named[],
): readonly string[] {
  const bads = bad.map(
    ({ server, shnum, reason }) =>
      `bad: share ${shnum} on ${serverName(servers, server)}: ${oneLine(reason)}`,
  );
  const old = stale.map(
    ({ server, shnum, seqnum }) =>
      `stale: share ${shnum} on ${serverName(servers, server)}: version ${seqnum}`,
  );
  return [...bads, ...old, ...versionLines(map), isHealthy ? 'healthy' : 'not healthy'];
}

/** The verdict as Tahoe's own, and beside it what only we tell. */
export async function findingJson(finding: Finding, cap: Cap, grid: Grid): Promise<object> {
  const { map, bad, stale, isHealthy } = finding;
  return {
    ...(await tahoeCheck(finding, cap, grid)),
    healthy: isHealthy,
    bad,
    stale,
    servermap: servermapJson(map, grid.servers),
  };
}

/**
 * Tahoe's names of fields, and what they count: of the best version, or of any if none can be read.
 * `healthy` is ours: a bad copy of a share that is good elsewhere is not.
 */
export async function tahoeCheck(
  { map, bad, isHealthy }: Finding,
  cap: Cap,
  { encoding }: Pick<Grid, 'encoding'>,
): Promise<object> {
  const { storageIndexOf } = await import('../caps.ts');
  const { hexToBytes, toBase32 } = await import('../bytes.ts');
  const index = toBase32(storageIndexOf(cap));
  const isBad = (server: string, shnum: number) =>
    bad.some((share) => share.server === server && share.shnum === shnum);
  const holdings = map.holdings.filter(({ server, shnum }) => !isBad(server, shnum));
  const good = holdings.flatMap(({ server, shnum, verdict }) =>
    verdict.kind === 'good' ? [{ server, shnum, version: verdict.version }] : [],
  );
  const numbersOf = (id: Hex) => new Set(good.filter(({ version }) => version === id).map(shnumOf));
  const versions = Object.values(map.versions);
  const isReadable = ({ id, required }: Version) => numbersOf(id).size >= required;
  const readable = versions.filter(isReadable);
  const best = bestVersion({ holdings, versions: map.versions });
  const shown = best ?? versions[0];
  const ofShown = good.filter(({ version }) => version === shown?.id);
  const shares = numbersOf(shown?.id ?? '').size;
  const sharemap: Record<string, string[]> = {};
  for (const { server, shnum, version } of good) {
    const { seqnum, rootHash } = map.versions[version] as Version;
    const root = toBase32(hexToBytes(rootHash)).slice(0, 4);
    const name = `seq${seqnum}-${root}-sh${shnum}`;
    sharemap[name] = [...(sharemap[name] ?? []), server];
  }
  const corrupt = bad.filter(({ isUnread }) => isUnread !== true);
  const { required, total } = shown ?? encoding;
  const lacking = versions.length - readable.length;
  const phrases = [
    ...(lacking > 0 ? ['some versions are unrecoverable'] : []),
    ...(readable.length === 0 ? ['no versions are recoverable'] : []),
    ...(readable.length > 1 ? ['multiple versions are recoverable'] : []),
    ...(best && shares < total ? [`${shares} shares (enc ${required}-of-${total})`] : []),
    ...(corrupt.length > 0 ? [`Corrupt Shares: ${corrupt.map(shortName).join(' ')}`] : []),
  ];
  return {
    'storage-index': index,
    summary: isHealthy ? 'Healthy' : `Unhealthy: ${phrases.join(' ')}`.trimEnd(),
    results: {
      'count-happiness': happinessOf(Object.values(sharemap)),
      'count-shares-good': shares,
      'count-shares-needed': required,
      'count-shares-expected': total,
      'count-good-share-hosts': new Set(ofShown.map(({ server }) => server)).size,
      'count-corrupt-shares': corrupt.length,
      'list-corrupt-shares': corrupt.map(({ server, shnum }) => [server, index, shnum]),
      'servers-responding': respondingIn(map),
      sharemap,
      'count-wrong-shares': good.length - ofShown.length,
      'count-recoverable-versions': readable.length,
      'count-unrecoverable-versions': lacking,
      healthy: isHealthy,
      recoverable: readable.length > 0,
    },
  };
}

function shnumOf({ shnum }: { readonly shnum: number }): number {
  return shnum;
}

function shortName({ server, shnum }: { readonly server: string; readonly shnum: number }) {
  return `${server.replace(/^v0-/, '').slice(0, 8)}-sh${shnum}`;
}

function respondingIn({ servers }: Servermap): readonly string[] {
  const isHeard = ({ status }: Servermap['servers'][number]) =>
    status === 'good' || status === 'empty' || status === 'corrupt';
  return servers.filter(isHeard).map(({ id }) => id);
}

/** How many shares can each be found on a server of its own: a largest matching, by Kuhn's way. */
function happinessOf(shares: readonly (readonly string[])[]): number {
  const taken = new Map<string, number>();
  const place = (share: number, seen: Set<string>): boolean =>
    (shares[share] ?? []).some((server) => {
      if (seen.has(server)) return false;
      seen.add(server);
      const holder = taken.get(server);
      if (holder !== undefined && !place(holder, seen)) return false;
      taken.set(server, share);
      return true;
    });
  return shares.filter((_, share) => place(share, new Set())).length;
}
