/**
 * @module update-kernel: every decision of a servermap update, as two pure functions.
 *
 * `apply(record, event)` keeps the books; `decide(view)` says what to do next. The chart's guards
 * and actions call them, and so do the exhaustive checker and the simulator: there is no second
 * model. Source: `servermap.py` `_check_for_done`, with four changes, each marked (1)…(4) below.
 */

import type { Failure } from './failure.ts';
import { oncePer } from './once.ts';
import { chooseForReader, type Mapped, type Membership, meetingSize, quorumOf } from './quorum.ts';
import type { ServerReport } from './reports.ts';
import { findBoundary, mayEndWhileVerifying, type Rule } from './rules.ts';
import {
  contenders,
  type Holding,
  isRecoverable,
  type Known,
  type MarkedHolding,
  type Mode,
  markedHolding,
  mergedVersion,
  type ServerId,
  type Servermap,
  type ServerStatus,
} from './servermap.ts';

export type { ServerReport } from './reports.ts';

/** Answers that are kept outstanding while more servers have to be asked. */
export const queryWindow = 5;
/** The same where everybody is asked: the work for an answer grows with those outstanding. */
export const roundWindow = 50;

/** The books of one update. */
export interface UpdateRecord extends Known {
  /** What the map is made for: it decides when enough is known. */
  readonly mode: Mode;
  /** By which the boundary is found. */
  readonly rule: Rule;
  /** k and N as far as known: the grid's defaults, raised by every verified version. */
  readonly required: number;
  /** N as far as known. */
  readonly total: number;
  /** S, W and d, of which the quorum is counted. */
  readonly membership: Membership;
  /** In permuted order; `statuses` and `failures` are parallel to it. */
  readonly servers: readonly ServerId[];
  /** Where each server stands. */
  readonly statuses: readonly ServerStatus[];
  /** Why servers did not answer. Not keyed by their ids: `constructor` may be one. */
  readonly failures: readonly (Failure | null)[];
  /** `missing` while it is wanted and no share has yielded it. */
  readonly privateKey: Servermap['privateKey'];
  /** Found corrupt before: bad in this map, too, while they are of the same version. */
  readonly marked: readonly MarkedHolding[];
}

/** Whether somebody builds on the map or vouches for it: a reader checks every share by itself. */
export function isBuiltOn(mode: Mode): boolean {
  return mode !== 'read' && mode !== 'anything';
}

/** What the children of a map report. */
export type UpdateFact =
  | { readonly type: 'asked'; readonly servers: readonly ServerId[] }
  /** The server reported shares; they are being verified. */
  | { readonly type: 'answered'; readonly server: ServerId }
  | { readonly type: 'settled'; readonly report: ServerReport };

/** All that the decision depends on. */
export interface UpdateView {
  /** It says which of the rest count. */
  readonly mode: Mode;
  /** Of a map to write: how the boundary is found. */
  readonly rule: Rule;
  /** k; also, how many servers without shares make a boundary. */
  readonly required: number;
  /** N: a writer asks k + N servers at first. */
  readonly total: number;
  /** In permuted order. */
  readonly statuses: readonly ServerStatus[];
  /** Whether some version has k different good shares. */
  readonly hasRecoverable: boolean;
  /** B. */
  readonly meetingSize: number;
  /** Whether a reader may be given a version. */
  readonly isConfirmed: boolean;
  /** Whether a version was seen that further answers may prove better than the best one. */
  readonly isContested: boolean;
  /** Whether it is wanted, and no share has yielded it. */
  readonly lacksPrivateKey: boolean;
}

/** What a map does next, or how it ended. */
export type UpdateDecision =
  | { readonly kind: 'done'; readonly outcome: 'enough' | 'exhausted' }
  /** Ask the next `count` servers of the permuted list. */
  | { readonly kind: 'ask'; readonly count: number }
  | { readonly kind: 'wait' };

/** What its rule looks at, of the books of a map; what takes counting, when it is looked at. */
export function viewOf(record: UpdateRecord): UpdateView {
  const { mode, rule, required, total, statuses, membership } = record;
  const quorum = quorumOf(membership, total);
  return {
    mode,
    rule,
    required,
    total,
    statuses,
    get hasRecoverable() {
      return Object.values(record.versions).some((v) => isRecoverable(record, v));
    },
    meetingSize: meetingSize(quorum),
    get isConfirmed() {
      return mode === 'read' && chooseForReader(mappedIn(record), quorum) !== undefined;
    },
    get isContested() {
      return contenders(record).length > 0;
    },
    lacksPrivateKey: record.privateKey === 'missing',
  };
}

function mappedIn({ servers, statuses, holdings, versions }: UpdateRecord): Mapped {
  const known = servers.map((id, i) => ({ id, status: statuses[i] as ServerStatus }));
  return { servers: known, holdings, versions };
}

/** What to do next. */
export function decide(view: UpdateView): UpdateDecision {
  const counts = tally(view.statuses);
  const { asked, verifying, unasked } = counts;
  // (1) (2) A server is settled only when its whole answer is judged, and nothing is over while
  // anything is being verified, also right of the boundary.
  const mayEnd = verifying === 0 || mayEndWhileVerifying(view.rule);
  if (!mayEnd && unasked === 0) return wait;
  const lack = lackOf(view, counts);
  if (lack === 'nothing') return mayEnd ? enough : wait;
  if (asked + verifying + unasked === 0) return exhausted;
  if (lack === 'answers') return wait;
  const wanted = Math.min(wantedInFlight(view, counts) - asked - verifying, unasked);
  return wanted > 0 ? { kind: 'ask', count: wanted } : wait;
}

/** The same, of the books. */
export const decideOn = oncePer((record: UpdateRecord) => decide(viewOf(record)));

/** How an update that is over has ended. */
export function outcomeOf(record: UpdateRecord): 'enough' | 'exhausted' {
  return lackOf(viewOf(record), tally(record.statuses)) === 'nothing' ? 'enough' : 'exhausted';
}

const wait: UpdateDecision = { kind: 'wait' };
const enough: UpdateDecision = { kind: 'done', outcome: 'enough' };
const exhausted: UpdateDecision = { kind: 'done', outcome: 'exhausted' };

/** What the mode's goal lacks: nothing, answers that are under way, or more servers to ask. */
function lackOf(view: UpdateView, { settled }: Tally): 'nothing' | 'answers' | 'servers' {
  const { mode, statuses, required, rule } = view;
  switch (mode) {
    case 'anything':
      return view.hasRecoverable ? 'nothing' : 'servers';
    case 'read': {
      const isSeen = settled >= Math.min(readersWave(view), statuses.length);
      return isSeen && view.isConfirmed && !view.isContested ? 'nothing' : 'servers';
    }
    case 'write': {
      if (!view.hasRecoverable) return 'servers';
      const boundary = findBoundary(statuses, required, rule);
      if (boundary === 'open') return 'answers';
      // (4) Without the private key a writer can do nothing: go on while anybody is left to ask.
      return boundary === 'none' || view.lacksPrivateKey ? 'servers' : 'nothing';
    }
    case 'check':
    case 'repair':
      return settled === statuses.length && !view.lacksPrivateKey ? 'nothing' : 'servers';
  }
}

/** How many answers should be outstanding: a first wave by mode, then a window no wider than it. */
function wantedInFlight(view: UpdateView, { settled, failed }: Tally): number {
  if (view.mode === 'check' || view.mode === 'repair') return roundWindow;
  const firstWave = view.mode === 'write' ? view.total + view.required : readersWave(view);
  const isFirst = view.statuses.every((status) => status === 'unasked');
  if (isFirst) return firstWave;
  const window = Math.min(firstWave, queryWindow);
  if (view.mode !== 'read') return window;
  // Who reads waits for what is under way, as long as that may suffice; but not for a single one.
  const lacking = firstWave - (settled - failed);
  return lacking > 0 ? Math.min(window, Math.max(lacking, 2)) : window;
}

/** Fewer than B may all have missed what was acknowledged. */
function readersWave({ mode, required, meetingSize }: UpdateView): number {
  return mode === 'read' ? Math.max(2 * required, meetingSize) : 2 * required;
}

type Tally = ReturnType<typeof tally>;

/** How many servers stand where. */
function tally(statuses: readonly ServerStatus[]) {
  let asked = 0;
  let verifying = 0;
  let unasked = 0;
  let failed = 0;
  for (const status of statuses) {
    if (status === 'asked') asked++;
    else if (status === 'verifying') verifying++;
    else if (status === 'unasked') unasked++;
    else if (status === 'failed') failed++;
  }
  // (3) A failed or corrupt server is settled too; the walk gives it no weight either way.
  const settled = statuses.length - asked - verifying - unasked;
  return { asked, verifying, unasked, settled, failed };
}

/** The books after `fact`. A fact about a server that is settled already changes nothing. */
export function apply(record: UpdateRecord, fact: UpdateFact): UpdateRecord {
  switch (fact.type) {
    case 'asked':
      return fact.servers.reduce((r, server) => withStatus(r, server, 'unasked', 'asked'), record);
    case 'answered':
      return withStatus(record, fact.server, 'asked', 'verifying');
    case 'settled':
      return applyReport(record, fact.report);
  }
}

function applyReport(record: UpdateRecord, report: ServerReport): UpdateRecord {
  const { server, status, failure } = report;
  const index = placeOf(record, server);
  const before = record.statuses[index];
  if (before !== 'asked' && before !== 'verifying') return record;
  const settled = { ...record, statuses: record.statuses.with(index, status) };
  // Most servers of a large grid hold nothing, and nothing else is new then.
  if (status === 'empty') return settled;
  const versions = { ...record.versions };
  for (const version of report.versions) {
    versions[version.id] = mergedVersion(versions[version.id], version);
  }
  return {
    ...settled,
    versions,
    holdings: [
      ...record.holdings,
      ...report.holdings.map((holding) => markedHolding(holding, record.marked)),
    ],
    required: Math.max(record.required, ...report.versions.map((v) => v.required)),
    total: Math.max(record.total, ...report.versions.map((v) => v.total)),
    privateKey:
      record.privateKey === 'missing' && report.privateKeyFound ? 'found' : record.privateKey,
    failures: record.failures.with(index, failure),
  };
}

const known = new WeakMap<readonly ServerId[], ReadonlyMap<ServerId, number>>();

/** Looked up, not looked for: an update of a thousand servers asks for each of them many times. */
function placesIn(servers: readonly ServerId[]): ReadonlyMap<ServerId, number> {
  const places = known.get(servers) ?? new Map(servers.map((server, i) => [server, i]));
  known.set(servers, places);
  return places;
}

function withStatus(
  record: UpdateRecord,
  server: ServerId,
  from: ServerStatus,
  to: ServerStatus,
): UpdateRecord {
  const index = placeOf(record, server);
  if (record.statuses[index] !== from) return record;
  return { ...record, statuses: record.statuses.with(index, to) };
}

/** In the permuted order; -1 for a stranger. */
function placeOf({ servers }: UpdateRecord, server: ServerId): number {
  return placesIn(servers).get(server) ?? -1;
}

/** Where `server` stands; nothing for a stranger. */
export function statusOf(record: UpdateRecord, server: ServerId): ServerStatus | undefined {
  return record.statuses[placeOf(record, server)];
}

/** The next servers to ask, in permuted order. */
export function nextServers(record: UpdateRecord): readonly ServerId[] {
  const decision = decideOn(record);
  if (decision.kind !== 'ask') return [];
  const { servers, statuses } = record;
  const next: ServerId[] = [];
  for (let at = -1; next.length < decision.count; ) {
    at = statuses.indexOf('unasked', at + 1);
    next.push(servers[at] as ServerId);
  }
  return next;
}

/** The finished map; places in permuted order, then by share number (so the order of answers
 * leaves no trace in it). */
export function toServermap(record: UpdateRecord, outcome: Servermap['outcome']): Servermap {
  const place = placesIn(record.servers);
  const byPlace = (a: Holding, b: Holding) =>
    (place.get(a.server) ?? 0) - (place.get(b.server) ?? 0) || a.shnum - b.shnum;
  return {
    mode: record.mode,
    outcome,
    servers: record.servers.map((id, i) => ({
      id,
      status: record.statuses[i] as ServerStatus,
      failure: record.failures[i] ?? null,
    })),
    holdings: [...record.holdings].sort(byPlace),
    versions: Object.fromEntries(
      Object.entries(record.versions).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    privateKey: record.privateKey,
  };
}
