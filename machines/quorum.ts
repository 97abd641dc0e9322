/**
 * @module quorum: what may be built on, what may be overwritten, when a version is acknowledged.
 *
 * S servers make the grid, and a version is acknowledged once it has *won* W of them, 2W > S: its
 * write landed there, and all else that the server held just before was in the line of its base, or
 * dead. B = S − W + 1 is the fewest servers that meet every such quorum.
 *
 * A server that c has won can never again accept an older rival. So with B servers won every older
 * version outside of the line is *dead*: it is on fewer than W servers for ever (D1). Single rivals
 * are dead earlier: when they, and all that they may contain outside of the line, can no longer
 * come to W servers (D2). Where d servers may lose what they hold, B is d more,
 * and of W servers W − d count. docs/publish.md has the theorem and its proof.
 */
import {
  contains,
  type Descent,
  descentOf,
  lineOf,
  newestFirst,
  type Versions,
} from './lineage.ts';
import {
  compareVersions,
  type Hex,
  isRecoverable,
  type Known,
  type KnownServer,
  type ServerId,
  type Verdict,
  type Version,
} from './servermap.ts';

/** What all writers of a file have to agree on. */
export interface Membership {
  /** S: the largest number of servers that any writer may know. */
  readonly servers: number;
  /** W, where the file has as many shares and the grid as many servers. */
  readonly happy: number;
  /** d: how many servers may lose what they hold, or go back to what they held; 0 if unsaid. */
  readonly losable?: number;
}

/** How many servers there are, and how many acknowledge a version. */
export interface Quorum {
  /** S: all that any writer may know of, never fewer because some are away. */
  readonly servers: number;
  /** W. */
  readonly size: number;
  /** d, as far as that leaves quorums that meet: 2W > S + d. */
  readonly losable?: number;
}

/** A share as far as the rules look at it. */
export type Held =
  | { readonly kind: 'good'; readonly version: Hex }
  /** Bad or unverified: a version that nobody knows; `claim` is its head, null if unread. */
  | { readonly kind: 'bad'; readonly claim: Hex | null };

/** What a writer knows of one server; null: nothing. */
export interface ServerView {
  /** As in the map. */
  readonly id: ServerId;
  /** All that it told of; null: it was not heard, or is written to no more. */
  readonly held: readonly Held[] | null;
}

/** Everything the rules are about. */
export interface View {
  /** S, W and d. */
  readonly quorum: Quorum;
  /** Those that can be asked: S may be more. */
  readonly servers: readonly ServerView[];
  /** By which descent is judged. */
  readonly versions: Versions;
}

/** The quorum of a file with N = `total`. */
export function quorumOf({ servers, happy, losable = 0 }: Membership, total: number): Quorum {
  const size = Math.min(happy, total, servers);
  const kept = Math.max(0, Math.min(losable, 2 * size - servers - 1));
  return { servers, size, ...(kept > 0 && { losable: kept }) };
}

/** Whether any two quorums have a server in common: without that nothing can be promised. */
export function isMajority({ servers, size }: Quorum): boolean {
  return 2 * size > servers;
}

/** B: the fewest servers that meet every quorum, with d to spare; where 2W > S does not hold, W. */
export function meetingSize({ servers, size, losable = 0 }: Quorum): number {
  return Math.min(servers - size + 1 + losable, size);
}

/** W − d: what was acknowledged is on so many servers for good. */
function lastingSize({ size, losable = 0 }: Quorum): number {
  return size - losable;
}

/** Whether a server has told all that it holds. */
export function isHeard({ status }: Pick<KnownServer, 'status'>): boolean {
  return status === 'good' || status === 'empty' || status === 'corrupt';
}

/** A map, finished or under way, as far as the rules look at it. */
export interface Mapped extends Known {
  /** All that can be asked, whether they were or not. */
  readonly servers: readonly Pick<KnownServer, 'id' | 'status'>[];
}

/** The view of a map: what failed was not heard. */
export function viewOf(map: Mapped, quorum: Quorum): View {
  const heldBy = new Map<ServerId, Held[]>(map.servers.map(({ id }) => [id, []]));
  for (const { server, verdict } of map.holdings) heldBy.get(server)?.push(heldOf(verdict));
  const servers = map.servers.map((server) => ({
    id: server.id,
    held: isHeard(server) ? (heldBy.get(server.id) as Held[]) : null,
  }));
  return { quorum, servers, versions: map.versions };
}

function heldOf(verdict: Verdict): Held {
  if (verdict.kind === 'good') return { kind: 'good', version: verdict.version };
  return { kind: 'bad', claim: verdict.kind === 'bad' ? verdict.head : null };
}

/** Heard, and all that it holds is in the line. */
function isClean({ held }: ServerView, line: ReadonlySet<Hex>): boolean {
  return held?.every((share) => share.kind === 'good' && line.has(share.version)) ?? false;
}

/** Which shares may contain something: a version, or what nobody sees. */
type Carries = (share: Held) => boolean;

/** What a share is of contains outside of the line; null: nobody knows what it is of. */
type DescentIn = (share: Held) => Descent | null;

interface Descents {
  readonly versions: Versions;
  readonly line: ReadonlySet<Hex>;
  readonly known: Map<Hex, Descent>;
}

/** One line is asked about many times in a row: as in `once.ts` only the last one is kept. */
let last: Descents | undefined;

/** Each is worked out once. */
function descentsIn(versions: Versions, line: ReadonlySet<Hex>): DescentIn {
  if (last?.versions !== versions || last.line !== line) {
    last = { versions, line, known: new Map() };
  }
  const { known } = last;
  return (share) => {
    const version = versionIn(versions, share);
    if (version === undefined) return null;
    const descent = known.get(version.id) ?? descentOf(versions, line, version);
    known.set(version.id, descent);
    return descent;
  };
}

/** Whether a share may contain `version` other than by the line, which would do no harm. */
function carriesOf(descentIn: DescentIn, version: Version): Carries {
  return (share) => {
    const descent = descentIn(share);
    if (descent === null || descent.outside.some(({ id }) => id === version.id)) return true;
    const oldest = descent.outside.at(-1);
    return !descent.isKnown && oldest !== undefined && oldest.seqnum > version.seqnum;
  };
}

/** Whether a share may contain what nobody sees, other than by the line. */
function carriesUnseenOf(descentIn: DescentIn): Carries {
  return (share) => !(descentIn(share)?.isKnown ?? false);
}

/** Whether a share is known to be of `version`; none is of nothing. */
export function isOf(share: Held, version: Version | null): boolean {
  return share.kind === 'good' && share.version === version?.id;
}

/** What a share is of, as far as anybody knows. */
function versionIn(versions: Versions, share: Held): Version | undefined {
  return share.kind === 'good' ? versions[share.version] : undefined;
}

/**
 * Whether something that is no newer than `limit` can not have won this server, nor come to: it
 * holds something newer, and nothing that carries it.
 */
function isBlocked({ held }: ServerView, versions: Versions, limit: Version, carries: Carries) {
  if (held === null || held.some(carries)) return false;
  return held.some((share) => {
    const other = versionIn(versions, share);
    return other !== undefined && compareVersions(other, limit) > 0;
  });
}

/** Whether too few servers are left that may hold it, or come to, for it to be acknowledged. */
function isOut(view: View, won: ReadonlySet<ServerId>, limit: Version, carries: Carries): boolean {
  const open = view.servers.filter(
    (server) => !won.has(server.id) && !isBlocked(server, view.versions, limit, carries),
  );
  return open.length + strangers(view) < lastingSize(view.quorum);
}

/** Servers that others may know, and that cannot be asked. */
function strangers({ quorum, servers }: View): number {
  return Math.max(0, quorum.servers - servers.length);
}

/** A new version: what it is built on, and the servers that it has won. */
export interface Candidate {
  /** Null: nothing is there that would be lost. */
  readonly base: Version | null;
  /** Of the base. */
  readonly line: ReadonlySet<Hex>;
  /** Null before it is made: it is newer than all that was seen. */
  readonly version: Version | null;
  /** Once there are B of them, every older version outside of the line is dead (D1). */
  readonly won: ReadonlySet<ServerId>;
}

/** What could be built on `base`. */
export function candidateOn(view: View, base: Version | null): Candidate {
  return { base, line: lineOf(view.versions, base), version: null, won: new Set() };
}

/** Whether `share` may be overwritten: it is in the line, or dead for the new version. */
export function isReplaceable(view: View, candidate: Candidate, share: Held): boolean {
  const { line, version, won } = candidate;
  const isMet = won.size >= meetingSize(view.quorum);
  if (isLateWrite(view, candidate, share)) return true;
  if (share.kind === 'bad') return isMet && !claimsNewer(view, version, share.claim);
  if (share.version === version?.id || line.has(share.version)) return true;
  const other = view.versions[share.version];
  if (other === undefined) return false;
  // What is newer is never overwritten: it may be built on what is acknowledged.
  if (version !== null && compareVersions(other, version) > 0) return false;
  return isMet || isOutrun(view, candidate, other);
}

/** D2: neither `rival` nor anything that it may contain outside of the line can be acknowledged. */
function isOutrun(view: View, { line, won }: Candidate, rival: Version): boolean {
  const { versions } = view;
  const descentIn = descentsIn(versions, line);
  const isVersionOut = (it: Version) => isOut(view, won, it, carriesOf(descentIn, it));
  const { outside, isKnown } = descentOf(versions, line, rival);
  if (!outside.every(isVersionOut)) return false;
  const oldest = outside.at(-1);
  if (isKnown || oldest === undefined) return true;
  // Beyond that it may contain whatever is older: what nobody sees, and what is in sight.
  if (!isOut(view, won, oldest, carriesUnseenOf(descentIn))) return false;
  const older = Object.values(versions).filter(
    ({ id, seqnum }) => !line.has(id) && seqnum < oldest.seqnum,
  );
  return older.every(isVersionOut);
}

/** Whether a bad share claims, by its first bytes, to be newer than what is written. */
function claimsNewer({ versions }: View, version: Version | null, claim: Hex | null): boolean {
  if (claim === null) return true;
  const limit = version?.checkstring ?? newestFirst(versions)[0]?.checkstring;
  return limit !== undefined && orderIn(claim) > orderIn(limit).slice(0, orderIn(claim).length);
}

/**
 * To place the base again, over a bad share that claims to be of its line, is a late write of it.
 */
function isLateWrite({ versions }: View, { base, version, line }: Candidate, share: Held): boolean {
  if (version === null || version.id !== base?.id) return false;
  if (share.kind !== 'bad' || share.claim === null) return false;
  const { claim } = share;
  return Object.values(versions).some((it) => line.has(it.id) && claim.startsWith(it.checkstring));
}

/** Seqnum and root hash, as far as they are there: behind the version byte of a share. */
function orderIn(head: Hex): Hex {
  return head.slice(2, 2 + 2 * (8 + 32));
}

/**
 * The servers that a version built on `base` could win, going by the view alone; or `base` itself
 * when it is placed again.
 */
export function reachOf(view: View, base: Version | null, isAgain = false): ReadonlySet<ServerId> {
  const candidate = { ...candidateOn(view, base), version: isAgain ? base : null };
  return grown((won) => {
    const atThen = { ...candidate, won };
    const isWinnable = ({ held }: ServerView) =>
      held?.every((share) => isReplaceable(view, atThen, share)) ?? false;
    return new Set(view.servers.filter(isWinnable).map(({ id }) => id));
  });
}

/** The servers that can be won one after the other: those won make others winnable. */
export function grown(
  winnable: (won: ReadonlySet<ServerId>) => ReadonlySet<ServerId>,
): ReadonlySet<ServerId> {
  for (let won: ReadonlySet<ServerId> = new Set(); ; ) {
    const next = winnable(won);
    if (next.size === won.size) return won;
    won = next;
  }
}

/**
 * What to build on: the newest version that can be read and whose plan can succeed. Null: nothing
 * is there that would be lost. Undefined: no base, somebody else's version may be acknowledged.
 */
export function chooseBase(map: Mapped, quorum: Quorum): Version | null | undefined {
  const view = viewOf(map, quorum);
  const readable = newestFirst(map.versions).filter((version) => isRecoverable(map, version));
  return [...readable, null].find((base) => reachOf(view, base).size >= quorum.size);
}

/** The versions that stand against each other where there is no base, newest first. */
export function rivalsOf({ versions }: Pick<Known, 'versions'>): readonly Version[] {
  const all = newestFirst(versions);
  // What every other one contains stands against nothing; one alone, against what nobody sees.
  return all.filter((version) => {
    const others = all.filter(({ id }) => id !== version.id);
    const isInAll = others.every((other) => contains(versions, other, version) === 'yes');
    return others.length === 0 || !isInAll;
  });
}

/**
 * What a reader may be given, of a map of at least B servers: the newest version that can be read,
 * and that surely contains everything that was acknowledged when the map was begun. Undefined: more
 * servers have to be asked.
 */
export function chooseForReader(map: Mapped, quorum: Quorum): Version | undefined {
  const view = viewOf(map, quorum);
  return newestFirst(map.versions).find(
    (version) => isRecoverable(map, version) && isConfirmed(view, version),
  );
}

/** Whether `version` is on W servers, by what the map shows, beside nothing outside of its line. */
export function isOnQuorum(map: Mapped, quorum: Quorum, version: Version): boolean {
  const view = viewOf(map, quorum);
  const line = lineOf(view.versions, version);
  const isHolder = (server: ServerView) =>
    isClean(server, line) && (server.held?.some((share) => isOf(share, version)) ?? false);
  return view.servers.filter(isHolder).length >= quorum.size;
}

/**
 * What is to be remembered of a map: what a reader may be given, unless the map shows that this is
 * on fewer than W − d servers, so that nobody can have been told that it is safe.
 */
export function worthRemembering(map: Mapped, quorum: Quorum): Version | undefined {
  const version = chooseForReader(map, quorum);
  const view = viewOf(map, quorum);
  const mayHold = ({ held }: ServerView) =>
    held?.some((share) => share.kind === 'bad' || share.version === version?.id) ?? true;
  const count = view.servers.filter(mayHold).length + strangers(view);
  return count >= lastingSize(quorum) ? version : undefined;
}

function isConfirmed(view: View, base: Version): boolean {
  const line = lineOf(view.versions, base);
  const clean = view.servers.filter((server) => isClean(server, line)).length;
  if (clean >= meetingSize(view.quorum)) return true;
  return !mayBeOverlooked(view, line);
}

/** Whether something outside of `line` may have been acknowledged. */
function mayBeOverlooked(view: View, line: ReadonlySet<Hex>): boolean {
  const { quorum, servers, versions } = view;
  const unheard = servers.filter(({ held }) => held === null).length + strangers(view);
  const mayBe = (carries: Carries) =>
    servers.filter(({ held }) => held?.some(carries)).length + unheard >= lastingSize(quorum);
  const descentIn = descentsIn(versions, line);
  const rivals = Object.values(versions).filter(({ id }) => !line.has(id));
  if (rivals.some((rival) => mayBe(carriesOf(descentIn, rival)))) return true;
  // Several may have an ancestor in common that nobody sees.
  return mayBe(carriesUnseenOf(descentIn));
}
