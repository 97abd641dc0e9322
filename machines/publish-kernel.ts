/**
 * @module publish-kernel: every decision of a publish, as pure functions.
 *
 * A publish writes the shares of one new version, one request per server. A request tests all that
 * its server holds, and lands only if that is what was last seen there. Servers that hold nothing
 * but the line of the base are written at once, others when what they hold is dead (`quorum.ts`).
 * `start` plans, `apply` keeps the books, `decide` says what is next.
 */
import { copiesFor } from './copies.ts';
import type { Failure } from './failure.ts';
import { lineOf, type Versions } from './lineage.ts';
import { oncePer } from './once.ts';
import { isLike } from './publish-claims.ts';
import type {
  PublishPlan,
  PublishRecord,
  Request,
  Seen,
  Surprise,
  Target,
} from './publish-record.ts';
import {
  type Candidate,
  grown,
  type Held,
  isHeard,
  isOf,
  isReplaceable,
  type View,
} from './quorum.ts';
import type { PlannedRequest, SeenShare, WriteReport, WriteStatus, WriteTest } from './reports.ts';
import {
  type Holding,
  highestSeqnum,
  mergedVersion,
  type Place,
  type ServerId,
  type Servermap,
  sharesOf,
  type Version,
} from './servermap.ts';

export type {
  PublishPlan,
  PublishRecord,
  Request,
  Seen,
  Surprise,
  Target,
} from './publish-record.ts';
export type { WriteReport, WriteTest } from './reports.ts';

/** What the children of a publish report. */
export type PublishFact =
  | { readonly type: 'prepared'; readonly version: Version }
  | { readonly type: 'sent'; readonly requests: readonly Request[] }
  | { readonly type: 'settled'; readonly report: WriteReport }
  | { readonly type: 'failed'; readonly failure: Failure };

/** How a publish that was begun can end. */
export type PublishKind = 'published' | 'uncoordinated' | 'indeterminate' | 'notEnoughServers';

/** What a publish does next, or how it ended. */
export type PublishDecision =
  /** Nothing is written before it is encoded and signed. */
  | { readonly kind: 'prepare' }
  | { readonly kind: 'write'; readonly requests: readonly Request[] }
  | { readonly kind: 'wait' }
  | { readonly kind: PublishKind };

/** How often one server is asked when it turns out to hold something else. */
const attemptsMax = 4;

/** The books before the first request. */
export function start({ map, ...plan }: PublishPlan): PublishRecord {
  const record: PublishRecord = {
    ...plan,
    seqnum: highestSeqnum(map) + 1,
    isBaseSpare: isSpare(map, plan),
    versions: map.versions,
    version: null,
    targets: map.servers.map(({ id, status, failure }) => ({
      server: id,
      held: seenIn(map, id, plan.total),
      isHeard: isHeard({ status }),
      status: status === 'failed' ? 'closed' : 'open',
      shnums: [],
      last: null,
      placed: [],
      isCrowded: isCrowded(holdingsOn(map, id), plan.total),
      attempt: 0,
      failure,
    })),
    mayHaveLanded: [],
    surprises: [],
    failures: [],
  };
  return plan.isAgain ? withPlaced(record) : record;
}

/** Where the base is that is placed again, with nothing beside it that it does not replace. */
function withPlaced(record: PublishRecord): PublishRecord {
  const { targets, base } = record;
  const [view, candidate] = [viewOf(record), candidateOf(record)];
  const placedOn = ({ held }: Target) =>
    held.flatMap(({ shnum, share }) => (isOf(share, base) ? [shnum] : []));
  const won = grown((before) => {
    const isReady = ({ share }: Seen) => isReplaceable(view, { ...candidate, won: before }, share);
    const ready = targets.filter((it) => placedOn(it).length > 0 && it.held.every(isReady));
    return new Set(ready.map(({ server }) => server));
  });
  const placed = (target: Target) => (won.has(target.server) ? placedOn(target) : []);
  const seqnum = base?.seqnum ?? 0;
  const all = targets.map((target) => ({ ...target, placed: placed(target) }));
  return { ...record, seqnum, targets: all };
}

/** The version that is written, as soon as it is known. */
function oursOf({ version, isAgain, base }: PublishRecord): Version | null {
  return version ?? (isAgain === true ? base : null);
}

/**
 * An attempt that dies half way may have taken k − 1 shares of the base with it. If all N are there
 * and the rest is enough to read, that does not matter; if not, an attempt has died before.
 */
function isSpare(map: Servermap, plan: Omit<PublishPlan, 'map'>): boolean {
  const { base, required, total, isAgain } = plan;
  if (base === null || required === 1 || isAgain) return true;
  return sharesOf(map, base.id).size >= total && total - (required - 1) >= required;
}

function holdingsOn({ holdings }: Servermap, id: ServerId): readonly Holding[] {
  return holdings.filter(({ server }) => server === id);
}

function isCrowded(shares: readonly { readonly shnum: number }[], total: number): boolean {
  return shares.some(({ shnum }) => shnum >= total);
}

function seenIn(map: Servermap, id: ServerId, total: number): readonly Seen[] {
  return map.holdings.flatMap(({ server, shnum, verdict }): readonly Seen[] => {
    // A number beyond N belongs to another encoding; an unverified share cannot be tested for.
    if (server !== id || shnum >= total || verdict.kind === 'unverified') return [];
    if (verdict.kind === 'bad') {
      return [{ shnum, head: verdict.head, share: { kind: 'bad', claim: verdict.head } }];
    }
    const { version } = verdict;
    const head = (map.versions[version] as Version).checkstring;
    return [{ shnum, head, share: { kind: 'good', version } }];
  });
}

// --- what is next -------------------------------------------------------------------------------

/** What to do next. */
export const decide = oncePer(decideOn);

function decideOn(record: PublishRecord): PublishDecision {
  const requests = requestsOf(record);
  if (record.version === null) {
    return canSucceed(record, requests) ? { kind: 'prepare' } : { kind: 'notEnoughServers' };
  }
  if (requests.length > 0) return { kind: 'write', requests };
  if (record.targets.some(({ status }) => status === 'writing')) return { kind: 'wait' };
  return { kind: outcomeOf(record) };
}

/** What will be sent first, as far as it is known before the new version is. */
export function firstRequests(record: PublishRecord): readonly PlannedRequest[] {
  return requestsOf(record).map(({ server, shnums, tests }) => ({ server, shnums, tests }));
}

/**
 * Whether the publish can end well if every write succeeds. If not, nothing is written at all: half
 * a version on too few servers helps nobody.
 */
function canSucceed(record: PublishRecord, requests: readonly Request[]): boolean {
  const shnums = record.wholeShares
    ? record.total
    : new Set(requests.flatMap((request) => request.shnums)).size;
  return shnums >= record.required && requests.length > 0;
}

/** Whether a quorum may still be won: if not, what is there is left to those who can. */
function isWinnable(record: PublishRecord, view: View, candidate: Candidate): boolean {
  const mayBeWon = (target: Target, won: ReadonlySet<ServerId>) => {
    if (candidate.won.has(target.server) || target.status === 'writing') return true;
    if (target.status === 'closed' || target.isCrowded) return false;
    if (!record.wholeShares && ownOf(record, target).length === 0) return false;
    const atThen = { ...candidate, won };
    return record.force || target.held.every(({ share }) => isReplaceable(view, atThen, share));
  };
  const won = grown((before) => {
    const targets = record.targets.filter((target) => mayBeWon(target, before));
    return new Set(targets.map(({ server }) => server));
  });
  return won.size >= record.quorum.size;
}

/** How a settled publish ends. */
function outcomeOf(record: PublishRecord): PublishKind {
  const { targets, surprises } = record;
  if (isPlaced(record, targets.filter(isWon).map(placesOn))) return 'published';
  if (surprises.length > 0) return 'uncoordinated';
  const maybe = targets.map((target) =>
    target.last === 'unknown' ? [...target.placed, ...target.shnums] : target.placed,
  );
  return isPlaced(record, maybe) ? 'indeterminate' : 'notEnoughServers';
}

function placesOn({ placed }: Target): readonly number[] {
  return placed;
}

/** Whether these share numbers, by server, are enough shares on enough servers. */
function isPlaced(record: PublishRecord, placed: readonly (readonly number[])[]): boolean {
  return (
    placed.filter((shnums) => shnums.length > 0).length >= record.quorum.size &&
    new Set(placed.flat()).size >= record.required
  );
}

// --- the requests -------------------------------------------------------------------------------

/** What an open server is to get. */
interface Draft {
  readonly target: Target;
  readonly shnums: number[];
}

/** What may be sent now. */
function requestsOf(record: PublishRecord): readonly Request[] {
  const candidate = candidateOf(record);
  const view = viewOf(record);
  const mayWrite = ({ held }: Target) =>
    record.force || held.every(({ share }) => isReplaceable(view, candidate, share));
  const open = record.targets.filter((target) => target.status === 'open' && mayWrite(target));
  const drafts = (besideOf(record, open) ?? draftsOf(record, open)).filter(
    ({ shnums }) => shnums.length > 0,
  );
  // While answers come in, mostly nobody is to get anything, winnable or not.
  if (drafts.length === 0) return [];
  if (!isWinnable(record, view, candidate)) return [];
  return drafts.map((draft) => requestFor(record, draft));
}

/** The new version, with the servers that it has won. */
function candidateOf(record: PublishRecord): Candidate {
  const { base, versions, targets } = record;
  const won = targets.filter(isWon).map(({ server }) => server);
  return { base, version: oursOf(record), line: lineOf(versions, base), won: new Set(won) };
}

function isWon({ placed, isCrowded }: Target): boolean {
  return placed.length > 0 && !isCrowded;
}

function viewOf({ quorum, versions, targets }: PublishRecord): View {
  const servers = targets.map(({ server, held, isHeard, status }) => ({
    id: server,
    held: isHeard && status !== 'closed' ? held.map(({ share }) => share) : null,
  }));
  return { quorum, servers, versions };
}

/**
 * Until k shares of the new version are there, it goes into places that are free: attempts that die
 * one after the other would each take some shares of the base with them, until nothing could be
 * read. Not even a second copy of a share is spared: a request of an attempt that is dead may take
 * the first. A server with a request under way may have a free place when that is over: what is
 * still lacking waits for it. Null: k are there, or there are not enough free places.
 */
function besideOf(record: PublishRecord, open: readonly Target[]): readonly Draft[] | null {
  const { isBaseSpare, wholeShares, required, total, targets } = record;
  if (isBaseSpare || !wholeShares) return null;
  if (new Set(targets.flatMap(placesOn)).size >= required) return null;
  const taken = new Set(targets.flatMap(givenTo));
  const drafts = open.map((target): Draft => ({ target, shnums: [] }));
  const isOn = ({ held }: Target, shnum: number) => held.some((seen) => seen.shnum === shnum);
  const isHeld = (shnum: number) => targets.some((target) => isOn(target, shnum));
  const numbers = range(total).sort((a, b) => Number(isHeld(a)) - Number(isHeld(b)));
  for (const shnum of numbers) {
    if (taken.size >= required) break;
    if (taken.has(shnum)) continue;
    const draft = leastOf(drafts.filter(({ target }) => !isOn(target, shnum)));
    if (draft === undefined) continue;
    draft.shnums.push(shnum);
    taken.add(shnum);
  }
  const isBusy = targets.some(({ status }) => status === 'writing');
  return taken.size >= required || isBusy ? drafts : null;
}

/**
 * Every server gets what it has already. Of whole shares any can go anywhere: those that no server
 * has get a home, and while fewer servers than the quorum asks for have any (a grid may have grown
 * since the last write), others get copies, first of shares that are not alone on their server.
 */
function draftsOf(record: PublishRecord, open: readonly Target[]): readonly Draft[] {
  const { wholeShares, total, targets, surprises } = record;
  const drafts = open.map((target): Draft => ({ target, shnums: ownOf(record, target) }));
  const isBusy = targets.some(({ status }) => status === 'writing');
  // Who has met another writer sends nothing further before all answers tell how it stands.
  if (!wholeShares || (isBusy && surprises.length > 0)) return drafts;
  const others = targets.filter((target) => !open.includes(target)).map(givenTo);
  const sharesOn = ({ target, shnums }: Draft) => [...target.placed, ...shnums];
  const homes = new Set([...drafts.flatMap(sharesOn), ...others.flat()]);
  const homeless = range(total).filter((shnum) => !homes.has(shnum));
  const able = homeless.length === 0 ? [] : ableOf(targets, drafts);
  for (const shnum of homeless) leastOf(able)?.shnums.push(shnum);
  const all = [...drafts.map(sharesOn), ...others];
  for (const [i, shnum] of copiesFor(record, all, drafts.length)) drafts[i]?.shnums.push(shnum);
  return drafts;
}

/** Who may take a homeless share: a server has one request at a time, so one may be waited for. */
function ableOf(targets: readonly Target[], drafts: readonly Draft[]): readonly Draft[] {
  return targets.flatMap((target): readonly Draft[] => {
    const draft = drafts.find((one) => one.target === target);
    if (draft !== undefined) return [draft];
    return target.status === 'writing' ? [{ target, shnums: [...target.shnums] }] : [];
  });
}

/** The numbers of the shares there that can be changed to the new version's. */
function ownOf(record: PublishRecord, { held }: Target): number[] {
  const { wholeShares, base } = record;
  const ours = oursOf(record);
  const isOld = ({ share }: Seen) => (wholeShares ? !isOf(share, ours) : isOf(share, base));
  return held.filter(isOld).map(({ shnum }) => shnum);
}

/** The share numbers that a server has, or is to have when its request lands. */
function givenTo({ status, placed, shnums }: Target): readonly number[] {
  return status === 'writing' ? [...placed, ...shnums] : placed;
}

/** The one that has the fewest share numbers, with what it is to get; the first of equals. */
function leastOf(drafts: readonly Draft[]): Draft | undefined {
  const loads = drafts.map(
    ({ target, shnums }) => new Set([...target.held.map(({ shnum }) => shnum), ...shnums]).size,
  );
  return drafts[loads.indexOf(Math.min(...loads))];
}

function requestFor(
  { total }: PublishRecord,
  { target: { server, held, attempt }, shnums }: Draft,
): Request {
  const tests = range(total).map((shnum): WriteTest => {
    const head = held.find((seen) => seen.shnum === shnum)?.head ?? '';
    return head === '' ? { kind: 'absent' } : { kind: 'begins', head };
  });
  return { server, shnums: [...shnums].sort((a, b) => a - b), tests, attempt };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

// --- the books ----------------------------------------------------------------------------------

/** The books after `fact`. */
export function apply(record: PublishRecord, fact: PublishFact): PublishRecord {
  switch (fact.type) {
    case 'prepared': {
      const { version } = fact;
      return { ...record, version, versions: withVersion(record.versions, version) };
    }
    case 'sent':
      return fact.requests.reduce(withSent, record);
    case 'settled':
      return withReport(record, fact.report);
    case 'failed':
      return { ...record, failures: [...record.failures, fact.failure] };
  }
}

function withSent(record: PublishRecord, { server, shnums, attempt }: Request): PublishRecord {
  return withTarget(record, server, (target) => {
    return { ...target, status: 'writing', shnums, attempt: attempt + 1 };
  });
}

function withReport(record: PublishRecord, report: WriteReport): PublishRecord {
  const { server, status, failure } = report;
  const target = record.targets.find((one) => one.server === server);
  if (target?.status !== 'writing') return record;
  const books: PublishRecord = {
    ...record,
    versions: report.proven.map(({ version }) => version).reduce(withVersion, record.versions),
    failures: failure === null ? record.failures : [...record.failures, failure],
    mayHaveLanded: mayHaveLanded(report)
      ? [...new Set([...record.mayHaveLanded, ...target.shnums])].sort((a, b) => a - b)
      : record.mayHaveLanded,
  };
  switch (status) {
    case 'accepted':
      return withTarget(books, server, (it) => landed(books, it, report));
    case 'surprised':
      return withSurprise(books, target, report);
    case 'refused':
    case 'failed':
    case 'unknown':
      return withTarget(books, server, (it) => closed(it, report));
  }
}

/** Whether it has landed, or may have: who is read again may hold what was built on it. */
function mayHaveLanded({ status, isReread, failure }: WriteReport): boolean {
  if (isReread || failure?.kind === 'contradictory') return true;
  return status === 'accepted' || status === 'unknown';
}

/** Of a server that contradicts itself nothing is believed, also not what it has said before. */
function closed(target: Target, { status, failure }: WriteReport): Target {
  const closed = { ...target, status: 'closed', failure: failure ?? target.failure } as const;
  if (failure?.kind !== 'contradictory' || target.placed.length === 0) {
    return { ...closed, last: status };
  }
  const shnums = [...new Set([...target.placed, ...target.shnums])];
  return { ...closed, last: 'unknown', placed: [], shnums };
}

function withVersion(versions: Versions, version: Version): Versions {
  return { ...versions, [version.id]: mergedVersion(versions[version.id], version) };
}

/** All that it held besides was tested, so the new version has won it. */
function landed({ version, total }: PublishRecord, target: Target, report: WriteReport): Target {
  const { id, checkstring } = version as Version;
  const ours = target.shnums.map((shnum): Seen => {
    return { shnum, head: checkstring, share: { kind: 'good', version: id } };
  });
  const rest = target.held.filter(({ shnum }) => !target.shnums.includes(shnum));
  return {
    ...target,
    status: 'open',
    last: 'accepted',
    held: [...rest, ...ours],
    placed: [...new Set([...target.placed, ...target.shnums])],
    isCrowded: isCrowded(report.seen, total),
  };
}

/** It held something else than was tested for; that is known now, and may be tested for again. */
function withSurprise(record: PublishRecord, target: Target, report: WriteReport): PublishRecord {
  const { server } = target;
  const { version, total } = record;
  const held = report.seen
    .filter(({ shnum, checkstring }) => shnum < total && checkstring !== '')
    .map((seen) => judged(record, target, seen, report.proven));
  // A write of ours that was given up may have landed since: then its test has held.
  const placed = held.filter(({ share }) => isOf(share, version)).map(({ shnum }) => shnum);
  const known = lineOf(record.versions, record.base);
  const surprises = held.flatMap(({ shnum, head, share }) =>
    share.kind === 'bad' ||
    isOf(share, version) ||
    known.has(share.version) ||
    target.held.some((seen) => seen.shnum === shnum && seen.head === head)
      ? []
      : [{ server, shnum, found: head }],
  );
  // In place only the shares of the base can be changed.
  const hasOwn = record.wholeShares || ownOf(record, { ...target, held }).length > 0;
  const isOut = record.asksOnce === true || target.attempt >= attemptsMax;
  const isLast = isOut || (!hasOwn && placed.length === 0);
  const detail = `server ${server}: what it holds is not what was seen there before`;
  // A share that was there and is gone is nobody's write.
  const isGone = target.held.some(({ shnum }) => held.every((seen) => seen.shnum !== shnum));
  const failure: Failure | null = isLast || isGone ? { kind: 'replaced', detail } : null;
  const books = {
    ...record,
    surprises: [...record.surprises, ...surprises],
    failures: failure === null ? record.failures : [...record.failures, failure],
  };
  return withTarget(books, server, (it) => ({
    ...it,
    status: isLast ? 'closed' : 'open',
    last: 'surprised',
    isHeard: true,
    held,
    // Won is won: what takes its place contains it, or it never comes to a quorum.
    placed: [...new Set([...it.placed, ...placed])],
    isCrowded: isCrowded(report.seen, total),
    failure: failure ?? it.failure,
  }));
}

/** What was there before is what it was judged to be; anything else needs a proof. */
function judged(
  record: PublishRecord,
  { held }: Target,
  { shnum, checkstring }: SeenShare,
  proven: WriteReport['proven'],
): Seen {
  const before = held.find((seen) => seen.shnum === shnum && isLike(seen.head, checkstring));
  if (before !== undefined) return before;
  const ours = record.version as Version;
  const theirs = proven.find((share) => share.shnum === shnum)?.version;
  const found = checkstring === ours.checkstring ? ours : theirs;
  const share: Held =
    found === undefined ? { kind: 'bad', claim: checkstring } : { kind: 'good', version: found.id };
  return { shnum, head: checkstring, share };
}

function withTarget(
  record: PublishRecord,
  server: ServerId,
  change: (target: Target) => Target,
): PublishRecord {
  const targets = record.targets.map((one) => (one.server === server ? change(one) : one));
  return { ...record, targets };
}

// --- the report ---------------------------------------------------------------------------------

/** What became of one share on one server. */
export interface Write extends Place {
  /** `planned` where nothing was sent. */
  readonly status: WriteStatus;
  /** What went wrong with its server; null where it landed or nothing was sent. */
  readonly failure: Failure | null;
}

/** Where the new version is, and which shares are nowhere. */
export interface PublishReport {
  /** `unprepared`: it could not be encoded. `cancelled`: what was under way may have landed. */
  readonly kind: PublishKind | 'unprepared' | 'cancelled';
  /** Of what was, or was to be, written. */
  readonly seqnum: number;
  /** What it was built on; null: nothing. */
  readonly base: Version | null;
  /** The new version, if it was prepared. */
  readonly version: Version | null;
  /** k of the new version. */
  readonly required: number;
  /** N of the new version. */
  readonly total: number;
  /** W. */
  readonly quorum: number;
  /** For each server, each share that it was to get, and what became of it. */
  readonly writes: readonly Write[];
  /** In the order in which requests met them; there may be some where it was `published`, too. */
  readonly surprises: readonly Surprise[];
  /** Share numbers of the new version that have been on a server, or may have been. */
  readonly mayHaveLanded: readonly number[];
  /** All that went wrong, also at servers that have the new version in the end. */
  readonly failures: readonly Failure[];
  /** Servers to which nothing was sent, since they had not answered before, and why. */
  readonly unheard: readonly { readonly server: ServerId; readonly failure: Failure }[];
  /** Share numbers that no server is known to hold in the new version. */
  readonly missing: readonly number[];
}

/** What became, or is to become, of every share that a server was to get. */
export function writesOf(record: PublishRecord): readonly Write[] {
  const sent = record.targets.flatMap(({ server, placed, shnums, status, last, failure }) => {
    const rest = shnums.filter((shnum) => !placed.includes(shnum));
    const end = status === 'writing' ? 'writing' : (last ?? 'planned');
    return [
      ...placed.map((shnum): Write => ({ server, shnum, status: 'accepted', failure: null })),
      ...rest.map((shnum): Write => ({ server, shnum, status: end, failure })),
    ];
  });
  const isSent = (place: Place) =>
    sent.some(({ server, shnum }) => server === place.server && shnum === place.shnum);
  const planned = requestsOf(record)
    .flatMap(({ server, shnums }) => shnums.map((shnum) => ({ server, shnum })))
    .filter((place) => !isSent(place));
  return [
    ...sent,
    ...planned.map((place) => ({ ...place, status: 'planned', failure: null }) as const),
  ];
}

/** The writes that put a share of the new version in its place. */
export function placedOf({ writes }: Pick<PublishReport, 'writes'>): readonly Write[] {
  return writes.filter(({ status }) => status === 'accepted');
}

/** What a publish ends with. */
export function reportOf(record: PublishRecord, kind: PublishReport['kind']): PublishReport {
  const { seqnum, base, version, required, total, quorum } = record;
  const { mayHaveLanded, surprises, failures } = record;
  const writes = writesOf(record);
  const placed = new Set(record.targets.flatMap(placesOn));
  const unheard = record.targets.flatMap(({ server, status, last, failure }) =>
    status === 'closed' && last === null && failure !== null ? [{ server, failure }] : [],
  );
  return {
    ...{ kind, seqnum, base, version, required, total },
    quorum: quorum.size,
    ...{ writes, mayHaveLanded, surprises, failures, unheard },
    missing: range(total).filter((shnum) => !placed.has(shnum)),
  };
}
