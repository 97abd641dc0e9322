/**
 * @module histories: the history of a file, for {@link linearize}, as a trace tells it; and within
 * which limits it must have an order (closed forms in
 * docs/publish.md#the-theorem).
 */
import { summaryOf } from '../runtime/summary-of.ts';
import { type Effect, effectOf } from './effects.ts';
import {
  type ActorFact,
  isKept,
  type MapFact,
  type OperationFact,
  type PublishInputFact,
  type PublishOutputFact,
  parseVersion,
  type RunFacts,
} from './facts.ts';
import type { HistoryEntry, Register } from './history.ts';
import type { Task } from './operations.ts';

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

/**
 * What the last retrieve of an operation read, after the last map but one.
 * @param root the chart that it was for; whichever is last by default
 */
export function lastReadVersion(
  { charts }: OperationFact,
  root: string | null = null,
): string | undefined {
  const isFor = (path: string) => root === null || path.startsWith(`${root}/`);
  const input = charts.findLast(({ chart, path }) => chart === 'retrieve' && isFor(path))?.input;
  return (input as unknown as { version: { id: string } } | undefined)?.version.id;
}

export function acknowledged({ operations }: RunFacts): readonly Acknowledged[] {
  return [...operations].flatMap(([name, operation]) => acknowledgedBy(name, operation) ?? []);
}

/** What an operation was acknowledged for; undefined for one that was not. */
export function acknowledgedBy(name: string, operation: OperationFact): Acknowledged | undefined {
  const { startedSeq: start, endedSeq: end } = operation;
  if (end === undefined || operation.result?.ok !== true) return undefined;
  const output = lastPublish(operation)?.output as unknown as PublishOutputFact | null | undefined;
  if (output?.kind !== 'published' || output.version === null) return undefined;
  const { seqnum, quorum } = output;
  return { operation: name, version: output.version.checkstring, seqnum, quorum, start, end };
}

/**
 * Whether any two quorums meet on a server that holds what it was given, as it says: then neither a
 * fork nor a lost update can happen (docs/publish.md). Who writes by `force` was promised nothing.
 */
export function doQuorumsMeet(facts: RunFacts): boolean {
  const operations = [...facts.operations.values()];
  if (operations.some(({ spec, feigned }) => spec.force || feigned.size > 0)) return false;
  const { servers, forgetful, losable } = facts;
  if (forgetful.size > losable) return false;
  return 2 * smallestQuorum(facts) > servers.length + forgetful.size;
}

/** The fewest servers that anybody has taken for a quorum; Infinity before somebody writes. */
export function smallestQuorum({ quorums }: RunFacts): number {
  return quorums.size;
}

/** Whether all that a version was built on, as its writers say, comes to `base`. */
export function isBuiltOn(
  { bases }: Pick<RunFacts, 'bases'>,
  version: string,
  base: string,
): boolean {
  for (let at: string | null = version; at !== null; at = bases.get(at) ?? null) {
    if (at === base) return true;
  }
  return false;
}

/** Whether a task reads, changes what it has read, and writes that, again and again. */
export function isModify({ kind }: Task): boolean {
  return kind === 'modify' || kind === 'link';
}

/** Operations that have begun, and may change the file, in that order. */
export function writersOf({ operations }: RunFacts): readonly OperationFact[] {
  return [...operations.values()].filter(
    ({ spec }) => !['read', 'none'].includes(effectOf(spec.task)),
  );
}

/** What a read was told of its version: that it surely contains all that was acknowledged. */
export function isConfirmed({ charts }: OperationFact): boolean {
  const read = charts.find(({ chart }) => chart === 'readFile')?.output;
  const { isConfirmed } = (read ?? {}) as { isConfirmed?: boolean };
  return isConfirmed === true;
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
  facts: RunFacts,
): { readonly entries: readonly HistoryEntry[]; readonly initial: Register } | undefined {
  if (!doQuorumsMeet(facts)) return undefined;
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
    else if (kind === 'keep') entries.push(...repairOf(name, operation));
    else if (isModify(task)) entries.push(...attemptsOf(name, kind, operation));
    else entries.push(...writesOf(name, kind, operation));
  }
  return { entries, initial: { version, words: version === 0 ? [] : [`v${version}`] } };
}

/** Of a read that has succeeded, and says that its version is confirmed. */
function readOf(word: string, operation: OperationFact, facts: RunFacts): readonly HistoryEntry[] {
  const { startedSeq: start, endedSeq: end, result } = operation;
  if (end === undefined || !result?.ok || !isAloneAtFirst(operation, facts)) return [];
  if (!isConfirmed(operation) || operation.lied.size > 0) return [];
  const base = seqnumOf(lastReadVersion(operation));
  const read = { name: word, word, kind: 'read', outcome: 'acknowledged' } as const;
  return [{ ...read, start, end, seen: result.seen ?? undefined, base, made: undefined }];
}

/**
 * Of a repair: the version that it was acknowledged for is like one that was read; a new one holds
 * what its base did.
 */
function repairOf(word: string, operation: OperationFact): readonly HistoryEntry[] {
  const publish = lastPublish(operation);
  if (publish === undefined) return [];
  const { base, isAgain = false } = publish.input as unknown as PublishInputFact;
  const version = isAgain ? undefined : (summaryOf(publish, 'publish')?.checkstring ?? undefined);
  const about = times(operation, true, version);
  // What did not come to a quorum changes nothing that was not there.
  if (isAgain && about.outcome !== 'acknowledged') return [];
  const [seen, made] = [undefined, seqnumOf(version)];
  return [{ name: word, word, kind: 'keep', ...about, seen, base: seqnumOf(base?.id), made }];
}

/** Of each attempt; only the last one can have been acknowledged. */
function attemptsOf(word: string, kind: Effect, operation: OperationFact): readonly HistoryEntry[] {
  const last = operation.attempts.length - 1;
  return operation.attempts.map(({ seen, base, version }, i) => ({
    ...{ name: `${word} ${i}`, kind, word },
    ...times(operation, i === last, version),
    ...{ seen: seen ?? undefined, base: seqnumOf(base), made: seqnumOf(version) },
  }));
}

/**
 * Of each version that it has published; one without a version where it came to none. Only the last
 * one can have been acknowledged.
 */
function writesOf(word: string, kind: Effect, operation: OperationFact): readonly HistoryEntry[] {
  const publishes = operation.charts.filter(({ chart }) => chart === 'publish');
  const made = publishes.map((one) => ({
    version: summaryOf(one, 'publish')?.checkstring ?? undefined,
    kind: isKept(one.input as unknown as PublishInputFact) ? 'keep' : kind,
  }));
  const all = made.length === 0 ? [{ version: undefined, kind }] : made;
  return all.map(({ version, kind }, i) => ({
    ...{ name: all.length === 1 ? word : `${word} ${i}`, word, kind },
    ...{ seen: undefined, base: undefined, made: seqnumOf(version) },
    ...times(operation, i === all.length - 1, version),
  }));
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

/**
 * Whether a read began when no write was under way: what it may see of one that never ends may be
 * gone for the next.
 */
function isAloneAtFirst({ startedSeq }: OperationFact, facts: RunFacts): boolean {
  return writersOf(facts).every(({ endedSeq = Infinity }) => endedSeq < startedSeq);
}

function seqnumOf(version: string | undefined): number | undefined {
  return version === undefined ? undefined : parseVersion(version)?.seqnum;
}
