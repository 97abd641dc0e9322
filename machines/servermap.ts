/**
 * @module servermap: what is known of which share where, as plain data.
 *
 * A *place* is a (server, shnum) pair. Versions are told apart by their signed prefix only: the
 * offset table is not signed, so a damaged one must not look like another version
 * (Tahoe's verinfo tuple includes it; see `servermap.py` `ServerMap`).
 */

import type { Failure } from './failure.ts';

/** What a server is called in maps, outcomes and errors. */
export type ServerId = string;

/** Bytes as lower-case hex: contexts and events are JSON-plain. */
export type Hex = string;

/** Of a mutable file: `sdmf` is one segment, `mdmf` many, which can change in place. */
export type Format = 'sdmf' | 'mdmf';

/**
 * - `anything`: any recoverable version will do
 * - `read`: the newest version within reach, from a few servers
 * - `write`: every share up to the boundary, and the private key
 * - `check`: every server; `repair`: every server, and the private key
 */
export type Mode = 'anything' | 'read' | 'write' | 'check' | 'repair';

/** What a first version names as its parent (docs/format.md §3.1). */
export const noParentTag: Hex = '14e3b1cc4475426141bcc2c9ab19ca1c';

/**
 * One version of the file; its signature has been verified. Of an immutable file the only one: its
 * id is the hash in the cap, its seqnum 0, and what only writers need is empty.
 */
export interface Version {
  /** The signed prefix: the identity of the version. */
  readonly id: Hex;
  /** `chk` of an immutable file. */
  readonly format: Format | 'chk';
  /** Counts up with every write, from 1. */
  readonly seqnum: number;
  /** Of the hash tree over all shares: 32 bytes. */
  readonly rootHash: Hex;
  /** k: how many different shares it takes to read it. */
  readonly required: number;
  /** N: how many shares it has. */
  readonly total: number;
  /** Bytes. */
  readonly segmentSize: number;
  /** Bytes of plaintext. */
  readonly dataLength: number;
  /** The head of the share that a test-and-set compares: 57 (SDMF) or 41 (MDMF) bytes. */
  readonly checkstring: Hex;
  /** By which its children name it: 16 bytes that follow from its id. */
  readonly tag: Hex;
  /**
   * The tag of the version that it was built on; {@link noParentTag} if it is a first one. Where
   * its writer named none (Tahoe's do not) that is a random number, which no version has. Null:
   * two signatures of it name two, so that nobody knows.
   */
  readonly parentTag: Hex | null;
}

/**
 * What a version is called: several may have one seqnum, so its root hash tells them apart.
 * Versions with the same two are one.
 */
export type VersionName = Pick<Version, 'seqnum' | 'rootHash'>;

/** What one share turned out to be. */
export type Verdict =
  /** Its header carries a valid signature. */
  | { readonly kind: 'good'; readonly version: Hex }
  /** Its bytes prove it useless; `head` is what a writer may test for: its first bytes as read. */
  | { readonly kind: 'bad'; readonly reason: string; readonly head: Hex }
  /** Nobody can say: the bytes did not arrive. Never evidence of corruption. */
  | { readonly kind: 'unverified'; readonly reason: string };

/** Where a share is, or shall be: a share number on a server. Tahoe’s slot has many. */
export interface Place {
  /** The server's id. */
  readonly server: ServerId;
  /** From 0 to N - 1. */
  readonly shnum: number;
}

/** A share that a server says it holds. */
export interface Holding extends Place {
  /** Whether it is good, and of which version. */
  readonly verdict: Verdict;
}

/** A share that a reader found corrupt after its header had been accepted. */
export interface MarkedHolding extends Place {
  /** What was wrong with it, in words. */
  readonly reason: string;
  /** The version it was a share of when it was marked. */
  readonly version: Hex;
}

/** Where one server stands in an update. */
export type ServerStatus =
  | 'unasked'
  | 'asked'
  /** It reported shares; at least one is not judged yet. */
  | 'verifying'
  /** Settled: at least one of its shares is good. */
  | 'good'
  /** Settled: it holds no share. */
  | 'empty'
  /** Settled: it holds shares, none of them good. */
  | 'corrupt'
  /** Settled: no answer, or nothing that could be judged. */
  | 'failed';

/** A server of the grid, and what came of asking it. */
export interface KnownServer {
  /** As in `Grid.servers`. */
  readonly id: ServerId;
  /** Where it stands; in a finished map no server is `asked` or `verifying`. */
  readonly status: ServerStatus;
  /** Why a failed server gave no answer; what it told of shares is with the holdings. */
  readonly failure: Failure | null;
}

/** The result of a servermap update, frozen. */
export interface Servermap {
  /** What the map was made for; it decides how many servers were asked. */
  readonly mode: Mode;
  /** `enough`: the mode's goal is met. `exhausted`: every server was asked and it is not. */
  readonly outcome: 'enough' | 'exhausted' | 'cancelled';
  /** In permuted order. */
  readonly servers: readonly KnownServer[];
  /** Every share that anybody reported. */
  readonly holdings: readonly Holding[];
  /** By their ids: every version of which a good share was found. */
  readonly versions: Readonly<Record<Hex, Version>>;
  /** `missing`: this mode wants the private key and no share within reach yielded it. */
  readonly privateKey: 'unneeded' | 'missing' | 'found';
}

/** The part of a map that the queries below look at. */
export type Known = Pick<Servermap, 'holdings' | 'versions'>;

/** Ascending by (seqnum, root hash), Tahoe's order of versions: a checkstring has both in front. */
export function compareVersions(a: Version, b: Version): number {
  if (a.seqnum !== b.seqnum) return a.seqnum - b.seqnum;
  // Empty SDMF contents have equal root hashes: the checkstring has the salt as well.
  if (a.checkstring === b.checkstring) return 0;
  return a.checkstring < b.checkstring ? -1 : 1;
}

/** Whether `version` is the one that is meant; a null root hash is any. */
export function isNamed(
  { seqnum, rootHash }: VersionName,
  name: { readonly seqnum: number; readonly rootHash: Hex | null },
): boolean {
  return seqnum === name.seqnum && (name.rootHash === null || rootHash === name.rootHash);
}

/** The newer of the two, where there are two. */
export function newestOf(known: Version | null, found: Version | undefined): Version | null {
  return found !== undefined && found.seqnum > (known?.seqnum ?? 0) ? found : known;
}

/** One version as two shares tell of it, whichever of them came first. */
export function mergedVersion(known: Version | undefined, seen: Version): Version {
  const isAgreed = known === undefined || known.parentTag === seen.parentTag;
  return isAgreed ? seen : { ...seen, parentTag: null };
}

function goodOf({ holdings }: Known, version: Hex): readonly Holding[] {
  return holdings.filter(({ verdict }) => verdict.kind === 'good' && verdict.version === version);
}

/** The good shares of one version: shnum -> servers that hold it, ascending by shnum. */
export function sharesOf(known: Known, version: Hex): ReadonlyMap<number, readonly ServerId[]> {
  const shares = new Map<number, ServerId[]>();
  for (const { server, shnum } of goodOf(known, version)) {
    shares.set(shnum, [...(shares.get(shnum) ?? []), server]);
  }
  return new Map([...shares].sort(([a], [b]) => a - b));
}

/** Whether `version` has k distinct good shares. */
export function isRecoverable(known: Known, version: Version): boolean {
  const shnums = goodOf(known, version.id).map(({ shnum }) => shnum);
  return new Set(shnums).size >= version.required;
}

function versionsWhere(known: Known, recoverable: boolean): readonly Version[] {
  return Object.values(known.versions)
    .filter((version) => isRecoverable(known, version) === recoverable)
    .sort(compareVersions);
}

/** Ascending. */
export function recoverableVersions(known: Known): readonly Version[] {
  return versionsWhere(known, true);
}

/** Ascending. */
export function unrecoverableVersions(known: Known): readonly Version[] {
  return versionsWhere(known, false);
}

/**
 * The newest recoverable version. Of versions with one seqnum (writers have collided) the one on
 * most servers, likeliest to have been acknowledged; only then Tahoe's order, the root hash.
 */
export function bestVersion(known: Known): Version | undefined {
  const recoverable = recoverableVersions(known);
  const newest = recoverable.filter(({ seqnum }) => seqnum === recoverable.at(-1)?.seqnum);
  if (newest.length < 2) return newest[0];
  const counts = newest.map(({ id }) => new Set([...sharesOf(known, id).values()].flat()).size);
  return newest[counts.lastIndexOf(Math.max(...counts))];
}

/** Unrecoverable versions with a seqnum above every recoverable one: a write would destroy them. */
export function newerUnrecoverable(known: Known): readonly Version[] {
  const best = bestVersion(known)?.seqnum ?? 0;
  return unrecoverableVersions(known).filter(({ seqnum }) => seqnum > best);
}

/**
 * Versions that may prove better than the best one when further servers answer: newer ones, and
 * rivals with its seqnum.
 */
export function contenders(known: Known): readonly Version[] {
  const best = bestVersion(known);
  return Object.values(known.versions).filter(
    ({ id, seqnum }) => id !== best?.id && seqnum >= (best?.seqnum ?? 0),
  );
}

/** Servers that were asked, or would have been, and did not answer. */
export function silentIn({ servers }: Pick<Servermap, 'servers'>): readonly ServerId[] {
  return servers.filter(({ status }) => status === 'failed').map(({ id }) => id);
}

/** 0 when no share is known. Bad and unverified shares have no trustworthy seqnum. */
export function highestSeqnum(known: Known): number {
  return Math.max(0, ...Object.values(known.versions).map(({ seqnum }) => seqnum));
}

/** `map` with further shares marked bad, as found by a reader after the map was made. */
export function withMarked(map: Servermap, marked: readonly MarkedHolding[]): Servermap {
  if (marked.length === 0) return map;
  return { ...map, holdings: map.holdings.map((holding) => markedHolding(holding, marked)) };
}

/** `holding`, turned bad when it is among `marked`. */
export function markedHolding(holding: Holding, marked: readonly MarkedHolding[]): Holding {
  const mark = marked.find(
    ({ server, shnum }) => server === holding.server && shnum === holding.shnum,
  );
  if (mark === undefined || holding.verdict.kind !== 'good') return holding;
  // A share that was replaced since it was marked is a new share: it keeps its fresh verdict.
  if (holding.verdict.version !== mark.version) return holding;
  return { ...holding, verdict: { kind: 'bad', reason: mark.reason, head: mark.version } };
}
