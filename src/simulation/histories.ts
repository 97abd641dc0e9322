/**
 * @module histories: the history of a file, for {@link linearize}, as a trace tells it; and within
 * which limits it must have an order (closed forms in
 * docs/publish.md#the-theorem).
 */
import { summaryOf } from '../runtime/summary-of.ts';
import { effectOf } from './effects.ts';
import {
  type ActorFact,
  bestOf,
  type Facts,
  type MapFact,
  type OperationFact,
  type PublishInputFact,
  type PublishOutputFact,
  parseVersion,
} from './facts.ts';
import type { HistoryEntry, Register } from './history.ts';

/** A version that its writer was told is safe. */
export interface Acknowledged {
  readonly operation: string;
  readonly version: string;
  readonly seqnum: number;
  readonly quorum: number;
  /** When its operation began and ended, by the numbers of records. */
  readonly start: number;
  readonly end: number;
}

export function lastPublish({ charts }: OperationFact): ActorFact | undefined {
  return charts.findLast(({ chart }) => chart === 'publish');
}

/** What the last retrieve of an operation read, after the last map but one. */
export function lastReadVersion({ charts }: OperationFact): string | undefined {
  const input = charts.findLast(({ chart }) => chart === 'retrieve')?.input;
  return (input as unknown as { version: { id: string } } | undefined)?.version.id;
}

export function acknowledged(facts: Facts): readonly Acknowledged[] {
  return [...facts.operations].flatMap(([name, operation]) => {
    const publish = lastPublish(operation);
    const output = publish?.output as unknown as PublishOutputFact | null | undefined;
    if (operation.endedSeq === undefined || operation.result?.ok !== true) return [];
    if (output?.kind !== 'published' || output.version === null) return [];
    const { seqnum, quorum } = output;
    const { checkstring: version } = output.version;
    const { startedSeq: start, endedSeq: end } = operation;
    return [{ operation: name, version, seqnum, quorum, start, end }];
  });
}

/** Infinity while nothing is acknowledged. */
function smallestQuorum(facts: Facts): number {
  return Math.min(...acknowledged(facts).map(({ quorum }) => quorum));
}

/**
 * Whether an acknowledged version is on more servers than any rival can be, with `d` disks having
 * lost it and perhaps given the rival back: W - d > S - W + d. And no stray version could be taken
 * for the newest. Then neither a fork nor a lost update can happen to a writer that refuses to
 * overwrite newer evidence.
 */
export function doQuorumsMeet(facts: Facts): boolean {
  const quorum = smallestQuorum(facts);
  const isForced = [...facts.operations.values()].some(({ spec }) => spec.force);
  // A stray that was itself acknowledged is no excuse: it is the violation.
  const hasStrayed = [...facts.strays].some((version) => !facts.acknowledged.has(version));
  const isMet = 2 * quorum > facts.servers.length + 2 * facts.spoilt.size;
  return isMet && !isForced && !hasStrayed && !hasOverruled(facts);
}

/**
 * Whether somebody has written over a rival while there were servers that its writes do not come
 * to: more than shares, or some that it does not know. There the rival may be, or come to be, on a
 * quorum.
 */
function hasOverruled({ operations, servers, encoding }: Facts): boolean {
  const publishes = [...operations.values()]
    .flatMap(({ charts }) => charts)
    .filter(({ chart }) => chart === 'publish');
  return publishes.some(({ input }) => {
    const { map } = input as unknown as PublishInputFact;
    const isReached = servers.length <= Math.min(map.servers.length, encoding.total);
    return hasRivals(map) && !isReached;
  });
}

function hasRivals(map: MapFact): boolean {
  const best = map.versions[bestOf(map) ?? '']?.seqnum;
  return Object.values(map.versions).filter(({ seqnum }) => seqnum === best).length > 1;
}

/**
 * Whether a reader's map may show a rival where an acknowledged version belongs: it has both, and
 * of the R servers that can be heard those with the one, at least W - d - (S - R), need not be more
 * than those with the other, at most 2(S - W) + d: a share whose server is out of reach joins
 * another one, also beside the winner's. Not to ask is no excuse (scenario R6).
 */
function isAmbiguous(map: MapFact, facts: Facts): boolean {
  const heard = map.servers.filter(({ status }) => status !== 'failed').length;
  const quorum = smallestQuorum(facts);
  return hasRivals(map) && heard + 3 * quorum <= 3 * facts.servers.length + 2 * facts.spoilt.size;
}

/**
 * Whether k of the servers that a version was acknowledged on told what they hold: R + W >= S + k +
 * d.
 */
export function isHeard(map: MapFact, quorum: number, facts: Facts): boolean {
  const answered = map.servers.filter(({ status }) => /good|empty|corrupt/.test(status)).length;
  return answered + quorum >= facts.servers.length + facts.encoding.required + facts.spoilt.size;
}

/** What the last servermap update of an operation ended with. */
export function lastMap({ charts }: OperationFact): MapFact | null | undefined {
  const update = charts.findLast(({ chart }) => chart === 'servermapUpdate');
  return update?.output as unknown as MapFact | null | undefined;
}

/**
 * All that was done to the file, and what it held at first; nothing when the limits are not kept,
 * or somebody outside of the history wrote too.
 */
export function historyOf(
  facts: Facts,
): { readonly entries: readonly HistoryEntry[]; readonly initial: Register } | undefined {
  if (!doQuorumsMeet(facts) || !isFirstVersionMet(facts)) return undefined;
  // Shares of a writer that nobody has seen: what it saw is not known.
  if ([...facts.contents.values()].some((words) => words.includes('lost'))) return undefined;
  const seqnums = new Set(
    [...facts.initialPlaces.values()].map((v) => parseVersion(v)?.seqnum ?? 0),
  );
  if (seqnums.size > 1) return undefined;
  const [version = 0] = seqnums;
  const entries: HistoryEntry[] = [];
  for (const [name, operation] of facts.operations) {
    const { task } = operation.spec;
    const kind = effectOf(task);
    if (kind === 'unknown') return undefined;
    if (kind === 'none') continue;
    if (kind === 'read') entries.push(...readOf(name, operation, facts));
    else if (task.kind === 'modify') entries.push(...attemptsOf(name, operation));
    else entries.push({ ...writeOf(name, operation), kind });
  }
  return { entries, initial: { version, words: version === 0 ? [] : [`v${version}`] } };
}

/**
 * Whether every quorum has a server that holds the first version, and whose disk has lost nothing.
 */
function isFirstVersionMet({ spoilt, initialPlaces, servers, encoding }: Facts): boolean {
  if (spoilt.size === 0) return true;
  const holders = new Set([...initialPlaces.keys()].map((place) => place.split(':')[0] as string));
  const left = [...holders].filter((server) => !spoilt.has(server)).length;
  return left + Math.min(encoding.happy, encoding.total, servers.length) > servers.length;
}

/** Of a read that has succeeded and asked enough servers to be fresh. */
function readOf(word: string, operation: OperationFact, facts: Facts): readonly HistoryEntry[] {
  const { startedSeq: start, endedSeq: end, result } = operation;
  if (end === undefined || !result?.ok || !isFreshRead(operation, facts)) return [];
  const base = seqnumOf(lastReadVersion(operation));
  const read = { name: word, word, kind: 'read', outcome: 'acknowledged' } as const;
  return [{ ...read, start, end, seen: result.seen ?? undefined, base, made: undefined }];
}

/** Of each attempt; only the last one can have been acknowledged. */
function attemptsOf(word: string, operation: OperationFact): readonly HistoryEntry[] {
  const last = operation.attempts.length - 1;
  return operation.attempts.map(({ seen, base, version }, i) => ({
    ...{ name: `${word} ${i}`, kind: 'append', word },
    ...times(operation, i === last, version),
    ...{ seen: seen ?? undefined, base: seqnumOf(base), made: seqnumOf(version) },
  }));
}

function writeOf(word: string, operation: OperationFact): Omit<HistoryEntry, 'kind'> {
  const publish = lastPublish(operation);
  const version = (publish && summaryOf(publish, 'publish')?.checkstring) ?? undefined;
  const write = { name: word, word, seen: undefined, base: undefined, made: seqnumOf(version) };
  return { ...write, ...times(operation, true, version) };
}

function times(
  { startedSeq: start, endedSeq, result }: OperationFact,
  isLast: boolean,
  version: string | undefined,
): Pick<HistoryEntry, 'outcome' | 'start' | 'end'> {
  const never = Number.POSITIVE_INFINITY;
  if (isLast && endedSeq !== undefined && result?.ok) {
    return { outcome: 'acknowledged', start, end: endedSeq };
  }
  // A version without a name was never sent to any server.
  const hasFailed = version === undefined && (endedSeq !== undefined || !isLast);
  return { outcome: hasFailed ? 'failed' : 'indeterminate', start, end: never };
}

/** Whether a read began when no write was under way, and asked enough servers to be fresh. */
function isFreshRead(operation: OperationFact, facts: Facts): boolean {
  const writes = [...facts.operations.values()].filter(
    ({ spec }) => !['read', 'none'].includes(effectOf(spec.task)),
  );
  const map = lastMap(operation);
  if (!map || writes.some(({ endedSeq = Infinity }) => endedSeq > operation.startedSeq))
    return false;
  if (isAmbiguous(map, facts)) return false;
  return isHeard(map, smallestQuorum(facts), facts);
}

function seqnumOf(version: string | undefined): number | undefined {
  return version === undefined ? undefined : parseVersion(version)?.seqnum;
}
