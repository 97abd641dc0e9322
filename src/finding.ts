/**
 * @module finding: what a look at the shares of a file has found, and what Tahoe's
 * `t=check&output=JSON` would say of it: programs that are made for that can be kept.
 */
import { matching } from '../machines/matching.ts';
import { bestVersion, type Hex, type Servermap, type Version } from '../machines/servermap.ts';
import { staleHoldings } from '../machines/stale.ts';
import { badIn, isWhole, type Verification } from '../machines/verify-kernel.ts';
import { hexToBytes, toBase32 } from './bytes.ts';
import { type Cap, storageIndexOf } from './caps.ts';
import type { Encoding } from './encoding.ts';
import { UnrecoverableFileError } from './errors.ts';
import { type ImmutableCap, immutableStorageIndexOf } from './immutable/caps.ts';
import type { ImmutableFile } from './immutable-file.ts';
import type { MutableFile } from './mutable-file.ts';
import type { OperationOptions } from './runtime/options.ts';

/** Of a file of any kind; an immutable one has nothing that is stale. */
export type Finding = Pick<Verification, 'map' | 'bad' | 'stale' | 'isHealthy'>;

/** As far as headers and signatures of a mutable file tell. */
export function findingOf(map: Servermap): Finding {
  return { map, bad: badIn(map), stale: staleHoldings(map), isHealthy: isWhole(map) };
}

/**
 * Looks at a file: at what servers say of its shares, or at every byte of them. That nothing can be
 * read is a finding.
 */
export async function lookAt(
  file: MutableFile | ImmutableFile,
  verify: boolean,
  options: OperationOptions,
): Promise<Finding> {
  if (!('servermap' in file)) return verify ? file.verify(options) : file.check(options);
  try {
    if (verify) return await file.verify(options);
  } catch (error) {
    if (!(error instanceof UnrecoverableFileError)) throw error;
  }
  return findingOf(await file.servermap({ ...options, mode: 'check' }));
}

/** Servers that have told what they hold. */
function respondingIn({ servers }: Servermap): readonly string[] {
  const isHeard = ({ status }: Servermap['servers'][number]) =>
    status === 'good' || status === 'empty' || status === 'corrupt';
  return servers.filter(isHeard).map(({ id }) => id);
}

/** Whether any server has told what it holds: if not, nothing is known of the file. */
export function isAnyoneHeard({ map }: Pick<Finding, 'map'>): boolean {
  return respondingIn(map).length > 0;
}

/** Tahoe's names of fields, in its order. Of a literal there is only `healthy`. */
export interface TahoeCheck {
  /** In base32; empty of a literal. */
  readonly 'storage-index': string;
  /** In one line, for people. */
  readonly summary?: string;
  /** Counts, shares and servers by Tahoe's names, as `tahoe check --raw` prints them. */
  readonly results: { readonly healthy: boolean } & Readonly<Record<string, unknown>>;
}

/**
 * The verdict as Tahoe's own: of the best version, or of any if none can be read. `healthy` is ours:
 * a bad copy of a share that is good elsewhere is not.
 * @param encoding what is expected of a mutable file of which no share was seen
 */
export function tahoeCheck(
  { map, bad, isHealthy }: Finding,
  cap: Cap | ImmutableCap,
  encoding: Pick<Encoding, 'required' | 'total'>,
): TahoeCheck {
  if (cap.kind === 'lit') return { 'storage-index': '', results: { healthy: isHealthy } };
  const isImmutable = cap.kind === 'chk' || cap.kind === 'chk-verify';
  const index = toBase32(isImmutable ? immutableStorageIndexOf(cap) : storageIndexOf(cap));
  const isBad = (server: string, shnum: number) =>
    bad.some((share) => share.server === server && share.shnum === shnum);
  const good = map.holdings.flatMap(({ server, shnum, verdict }) =>
    verdict.kind === 'good' && !isBad(server, shnum)
      ? [{ server, shnum, version: verdict.version }]
      : [],
  );
  const numbersOf = (id: Hex) => new Set(good.filter(({ version }) => version === id).map(shnumOf));
  const versions = Object.values(map.versions);
  const isReadable = ({ id, required }: Version) => numbersOf(id).size >= required;
  const readable = versions.filter(isReadable);
  const best = bestVersion({ holdings: map.holdings, versions: map.versions });
  const shown = best ?? versions[0];
  const ofShown = good.filter(({ version }) => version === shown?.id);
  const sharemap: Record<string, string[]> = {};
  for (const { server, shnum, version } of good) {
    const name = isImmutable ? `${shnum}` : shareName(map.versions[version] as Version, shnum);
    sharemap[name] = [...(sharemap[name] ?? []), server];
  }
  const corrupt = bad.filter(({ isUnread }) => isUnread !== true);
  const { required, total } = isImmutable ? cap : (shown ?? encoding);
  // An immutable file has one version, whether a share of it was seen or not.
  const known = isImmutable ? 1 : versions.length;
  const numbers = {
    ...{ good: numbersOf(shown?.id ?? '').size, required, total },
    ...{ readable: readable.length, lacking: known - readable.length },
  };
  const phrases = isImmutable
    ? [sharesText(numbers)]
    : phrasesOf({ ...numbers, hasBest: best !== undefined, corrupt });
  const verdict = isImmutable ? 'Not Healthy' : 'Unhealthy';
  return {
    'storage-index': index,
    summary: isHealthy ? 'Healthy' : `${verdict}: ${phrases.join(' ')}`.trimEnd(),
    results: {
      'count-happiness': matching(Object.values(sharemap)).size,
      'count-shares-good': numbers.good,
      'count-shares-needed': required,
      'count-shares-expected': total,
      'count-good-share-hosts': new Set(ofShown.map(({ server }) => server)).size,
      'count-corrupt-shares': corrupt.length,
      'list-corrupt-shares': corrupt.map(({ server, shnum }) => [server, index, shnum]),
      'servers-responding': respondingIn(map),
      sharemap,
      'count-wrong-shares': good.length - ofShown.length,
      'count-recoverable-versions': numbers.readable,
      'count-unrecoverable-versions': numbers.lacking,
      healthy: isHealthy,
      recoverable: readable.length > 0,
    },
  };
}

/** How many there are of what a summary tells. */
interface Numbers {
  /** Different good shares. */
  readonly good: number;
  readonly required: number;
  readonly total: number;
  /** Versions that can be read, and those that cannot. */
  readonly readable: number;
  readonly lacking: number;
}

/** What a summary says is wrong with a mutable file. */
function phrasesOf({
  corrupt,
  hasBest,
  ...numbers
}: Numbers & { readonly hasBest: boolean; readonly corrupt: readonly Named[] }): string[] {
  const { good, total, readable, lacking } = numbers;
  return [
    ...(lacking > 0 ? ['some versions are unrecoverable'] : []),
    ...(readable === 0 ? ['no versions are recoverable'] : []),
    ...(readable > 1 ? ['multiple versions are recoverable'] : []),
    ...(hasBest && good < total ? [sharesText(numbers)] : []),
    ...(corrupt.length > 0 ? [`Corrupt Shares: ${corrupt.map(shortName).join(' ')}`] : []),
  ];
}

function sharesText({ good, required, total }: Numbers): string {
  return `${good} shares (enc ${required}-of-${total})`;
}

type Named = Finding['bad'][number];

function shareName({ seqnum, rootHash }: Version, shnum: number): string {
  return `seq${seqnum}-${toBase32(hexToBytes(rootHash)).slice(0, 4)}-sh${shnum}`;
}

function shnumOf({ shnum }: { readonly shnum: number }): number {
  return shnum;
}

function shortName({ server, shnum }: Named): string {
  return `${server.replace(/^v0-/, '').slice(0, 8)}-sh${shnum}`;
}
