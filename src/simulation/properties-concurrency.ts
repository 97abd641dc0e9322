/**
 * @module properties-concurrency: recoverability (A), concurrent writers (X), modify (M) and
 * retrieve (T), with the limits within which each can hold (closed forms in
 * docs/publish.md#the-theorem).
 */
import { effectOf } from './effects.ts';
import {
  type ActorFact,
  type OperationFact,
  type PublishInputFact,
  type PublishOutputFact,
  parseVersion,
  type RunFacts,
} from './facts.ts';
import {
  acknowledged,
  doQuorumsMeet,
  historyOf,
  isBuiltOn,
  isConfirmed,
  isModify,
  lastPublish,
  lastReadVersion,
  smallestQuorum,
  writersOf,
} from './histories.ts';
import { linearize } from './history.ts';
import { forkIn, lostUpdateIn, staleReadIn } from './open-world.ts';
import type { PropertyDefinition } from './property.ts';
import type { TraceRecord } from './world-types.ts';

export const justEnded = (record: TraceRecord, facts: RunFacts): OperationFact | undefined =>
  record.kind === 'operation' && record.event === 'ended'
    ? facts.operations.get(record.operation)
    : undefined;

/** Distinct sound shares of each version, on servers that are not among `down`. */
export function sharesIn(
  places: RunFacts['places'],
  down: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, ReadonlySet<number>> {
  const shares = new Map<string, Set<number>>();
  for (const [place, held] of places) {
    const [server = '', shnum] = place.split(':');
    if (parseVersion(held) === undefined || down.has(server)) continue;
    shares.set(held, (shares.get(held) ?? new Set()).add(Number(shnum)));
  }
  return shares;
}

/** Why no version is recoverable though S - f >= (c+1)(k-1)+1, c being at least `writers`. */
function lostFile(facts: RunFacts, maxVersions: number): string | undefined {
  const { required: k } = facts.encoding;
  const initial = [...facts.initialPlaces.keys()].map((place) => place.split(':'));
  const servers = new Set(initial.map(([server]) => server)).size;
  const shnums = new Set(initial.map(([, shnum]) => shnum)).size;
  const faults = new Set([...facts.down, ...facts.spoilt]).size;
  const written = new Set(facts.writtenBy.keys()).size;
  if (written > maxVersions) return undefined;
  // What was planted is of one version.
  const planted = [...facts.initialPlaces.values()].map((held) => held.split(' ')[0]);
  if (new Set(planted).size > 1) return undefined;
  if (Math.min(servers, shnums) - faults < (written + 1) * (k - 1) + 1) return undefined;
  // Where two servers hold one share number, two places are worth one share.
  if (servers !== initial.length || shnums !== initial.length) return undefined;
  const shares = sharesIn(facts.places, facts.down);
  const best = Math.max(0, ...[...shares.values()].map(({ size }) => size));
  return best >= k ? undefined : `the best version has ${best} of ${k} shares`;
}

/**
 * Whether each writer began when the one before had ended or died, from a version that was all
 * there, and none changes shares in place: that takes any number of shares with it.
 */
function areWholeOneByOne(facts: RunFacts): boolean {
  const { encoding, initialPlaces, spoilt, lateWrites } = facts;
  const { required, total } = encoding;
  const shnums = [...initialPlaces.keys()].map((place) => place.split(':')[1]);
  const isWhole = new Set(shnums).size === total && new Set(initialPlaces.values()).size === 1;
  if (!isWhole || total < 2 * required - 1 || spoilt.size > 0 || lateWrites > 0) return false;
  let lastEnd = 0;
  return writersOf(facts).every(({ spec, charts, startedSeq, endedSeq = Infinity }) => {
    const isAfter = lastEnd < startedSeq;
    lastEnd = endedSeq;
    const publishes = charts.filter(({ chart }) => chart === 'publish');
    return isAfter && !spec.force && publishes.every(({ input }) => isWholeFile(input));
  });
}

function isWholeFile(input: unknown): boolean {
  return (input as PublishInputFact).wholeShares;
}

/** Why nothing that contains all that was acknowledged can be read, from whatever server. */
function lostAcknowledged({ encoding, places, initialPlaces, acknowledged, ...facts }: RunFacts) {
  const [first] = initialPlaces.values();
  const due = [...acknowledged.keys(), ...(first === undefined ? [] : [first])];
  const shares = sharesIn(places);
  const isThere = [...shares].some(
    ([version, { size }]) =>
      size >= encoding.required && due.every((one) => isBuiltOn(facts, version, one)),
  );
  return isThere ? undefined : `nothing that contains ${due[0]} has ${encoding.required} shares`;
}

const changesShares = ({ kind }: TraceRecord) => kind === 'place' || kind === 'server';

export const concurrencyProperties: readonly PropertyDefinition[] = [
  {
    id: 'A1',
    name: 'some version is recoverable',
    statement:
      'At every instant some version has k shares, as long as S - f >= (c+1)(k-1)+1 for f servers ' +
      'lost and c versions written.',
    needs: 'disks',
    judge: () => (record, facts) =>
      changesShares(record) ? lostFile(facts, Number.POSITIVE_INFINITY) : undefined,
  },
  {
    id: 'A2',
    name: 'a dying writer loses nothing',
    statement: 'With one writer the old or the new version is recoverable if S - f >= 2k-1.',
    needs: 'disks',
    judge: () => (record, facts) => (changesShares(record) ? lostFile(facts, 1) : undefined),
  },
  {
    id: 'A3',
    name: 'dying writers lose nothing that was acknowledged',
    statement:
      'Some version that contains all that was acknowledged has k shares, however many writers of ' +
      'the whole file die one after the other, as long as N >= 2k-1, no disk is touched, and no ' +
      'write comes late.',
    needs: 'disks',
    judge: () => (record, facts) => {
      if (record.kind !== 'place' || record.operation === null) return undefined;
      return areWholeOneByOne(facts) ? lostAcknowledged(facts) : undefined;
    },
  },
  {
    id: 'X1',
    name: 'no fork',
    statement:
      'No two acknowledged versions have one seqnum, as long as 2W > S + f for the f <= d disks ' +
      'that forget.',
    needs: 'disks',
    judge: () => (record, facts) => {
      if (justEnded(record, facts) === undefined || !doQuorumsMeet(facts)) return undefined;
      const writes = acknowledged(facts);
      const fork = writes.find((a) =>
        writes.some((b) => a.seqnum === b.seqnum && a.version < b.version),
      );
      return fork && `${fork.version} is one of two acknowledged versions ${fork.seqnum}`;
    },
    judgeReal: () => forkIn,
  },
  {
    id: 'X2',
    name: 'no lost update',
    statement:
      'What a write makes, and is acknowledged, was built on every version that was acknowledged ' +
      'before it began, as long as 2W > S + f for the f <= d disks that forget.',
    needs: 'disks',
    judge: () => (record, facts) => {
      if (justEnded(record, facts) === undefined || !doQuorumsMeet(facts)) return undefined;
      const writes = acknowledged(facts);
      for (const early of writes) {
        const late = writes.find(
          (w) => w.start > early.end && !isBuiltOn(facts, w.version, early.version),
        );
        if (late !== undefined) return `${late.version} ignores ${early.version}`;
      }
      return undefined;
    },
    judgeReal: () => lostUpdateIn,
  },
  {
    id: 'X3',
    name: 'reads are fresh',
    statement:
      'A read that says so returns nothing that was not built on all that was acknowledged before ' +
      'it began, as long as 2W > S + f for the f <= d disks that forget, and nobody lies.',
    needs: 'disks',
    judge: () => (record, facts) => {
      const operation = justEnded(record, facts);
      if (operation?.spec.task.kind !== 'read' || !operation.result?.ok) return undefined;
      const version = lastReadVersion(operation);
      if (version === undefined || !isConfirmed(operation)) return undefined;
      if (operation.lied.size > 0 || !doQuorumsMeet(facts)) return undefined;
      const stale = acknowledged(facts).find(
        (early) => early.end < operation.startedSeq && !isBuiltOn(facts, version, early.version),
      );
      return stale && `${version} was read after ${stale.version} was acknowledged`;
    },
    judgeReal: () => staleReadIn,
  },
  {
    id: 'X4',
    name: 'modify is linearizable',
    statement:
      'All writes can be put in one order, with growing seqnums, that explains which version and ' +
      'which contents every modifier saw, as long as 2W > S + f for the f <= d disks that forget.',
    needs: 'contents',
    judge: () => (record, facts) => {
      if (justEnded(record, facts) === undefined) return undefined;
      const history = historyOf(facts);
      if (history === undefined) return undefined;
      if (linearize(history.entries, history.initial) !== undefined) return undefined;
      const told = history.entries.filter(({ outcome }) => outcome === 'acknowledged');
      return `no order explains ${told.map(({ name, seen }) => `${name} after ${seen?.join('+') ?? '?'}`).join(', ')}`;
    },
  },
  {
    id: 'M1',
    name: 'what was read is the base',
    statement: 'Every attempt of a modify is written as built on the version that was changed.',
    needs: 'charts',
    judge: () => (record, facts) => {
      const [operation, input, root] = publishBegun(record, facts) ?? [];
      if (input === undefined || !isModifying(operation)) return undefined;
      const version = lastReadVersion(operation, root);
      if (version === undefined || version === input.base?.id) return undefined;
      return `${version} was changed, and the base is ${input.base?.id ?? 'nothing'}`;
    },
  },
  {
    id: 'M2',
    name: 'what may be acknowledged is kept',
    statement:
      'A version that a quorum has held, or that is acknowledged later, is overwritten by nothing ' +
      'that was not built on it, as long as 2W > S + f for the f <= d disks that forget.',
    needs: 'disks',
    judge: () => {
      const heirs = new Map<string, string>();
      return (record, facts) => {
        if (record.kind === 'end' && record.chart === 'publish') {
          const { kind, version } = (record.output ?? {}) as unknown as Partial<PublishOutputFact>;
          const name = version?.checkstring ?? '';
          if (kind !== 'published' || !heirs.has(name) || !doQuorumsMeet(facts)) return undefined;
          return `${heirs.get(name)} has taken a place of ${name}, which is acknowledged`;
        }
        if (record.kind !== 'place' || record.operation === null) return undefined;
        const { before, after } = record;
        if (before === null || after === null || !doQuorumsMeet(facts)) return undefined;
        if (parseVersion(before) === undefined || isBuiltOn(facts, after, before)) return undefined;
        heirs.set(before, after);
        const holders = serversOf(facts.landed.get(before) ?? new Set());
        if (holders < smallestQuorum(facts)) return undefined;
        return `${after} has taken a place of ${before}, which has been on ${holders} servers`;
      };
    },
  },
  {
    id: 'M3',
    name: 'success names what was acknowledged',
    statement: 'A write that returns names a version that was published on its quorum.',
    needs: 'charts',
    judge: () => (record, facts) => {
      const operation = justEnded(record, facts);
      const result = operation?.result;
      if (operation === undefined || !result?.ok) return undefined;
      if (/read|map|verify|create|call/.test(operation.spec.task.kind)) return undefined;
      const { seqnum, way } = (result.value ?? {}) as { seqnum?: number; way?: string };
      // A repair that has nothing to write names what is there.
      if (seqnum === undefined || way === 'nothing') return undefined;
      const output = lastPublish(operation)?.output as unknown as PublishOutputFact | undefined;
      if (output?.kind === 'published' && output.seqnum === seqnum) return undefined;
      return `version ${seqnum} was named, and the publish ended as ${output?.kind ?? 'nothing'}`;
    },
    // The result of a real operation is in the report of its chart.
    judgeReal: () => (record, facts) => {
      const operation = justEnded(record, facts);
      const root = operation?.charts.findLast(({ chart }) => chart === 'writeFile');
      if (!operation?.result?.ok || root === undefined) return undefined;
      const { kind, report } = (root.output ?? {}) as unknown as Partial<WriteReportFact>;
      const output = lastPublish(operation)?.output as unknown as PublishOutputFact | undefined;
      if (kind === 'unchanged') return undefined;
      if (kind !== 'published') return `it succeeded, and its write ended as ${kind ?? 'nothing'}`;
      if (output?.kind === 'published' && output.seqnum === report?.seqnum) return undefined;
      return `version ${report?.seqnum} was named, and the publish ended as ${output?.kind ?? 'nothing'}`;
    },
  },
  {
    id: 'M4',
    name: 'attempts are bounded',
    statement: 'A modify publishes at most as often as it was allowed to.',
    needs: 'charts',
    judge: () => (record, facts) => {
      const [operation, , root] = publishBegun(record, facts) ?? [];
      if (!isModifying(operation)) return undefined;
      const { attempts = attemptsOf(operation, root) } = operation.spec.task as Attempts;
      const isOwn = ({ chart, parent }: ActorFact) => chart === 'publish' && parent === root;
      const made = operation.charts.filter(isOwn).length;
      return made > attempts ? `attempt ${made} of ${attempts}` : undefined;
    },
  },
  {
    id: 'M5',
    name: 'no name is lost',
    statement:
      'An acknowledged edit of a directory holds the names of all that were acknowledged with lower ' +
      'seqnums, as long as 2W > S + f for the f <= d disks that forget.',
    needs: 'contents',
    judge: () => (record, facts) => {
      if (justEnded(record, facts) === undefined || !doQuorumsMeet(facts)) return undefined;
      const edits = acknowledged(facts).filter(
        ({ operation }) => facts.operations.get(operation)?.spec.task.kind === 'link',
      );
      for (const { operation: name, seqnum } of edits) {
        const without = edits.find(
          (later) => later.seqnum > seqnum && !facts.contents.get(later.version)?.includes(name),
        );
        if (without !== undefined) return `${without.version} is without ${name}`;
      }
      return undefined;
    },
  },
  {
    id: 'T1',
    name: 'what is read was written',
    statement: 'The bytes of a read, and of a modifier, are those of the one version they are of.',
    needs: 'contents',
    judge: () => (record, facts) => {
      const [operation, seen] = wordsRead(record, facts) ?? [];
      if (operation === undefined || seen === undefined || !areWordsKnown(facts)) return undefined;
      const version = lastReadVersion(operation);
      const words = version === undefined ? undefined : facts.contents.get(version);
      if (words === undefined || String(words) === String(seen)) return undefined;
      return `${version} holds ${words.join('+')} and was read as ${seen.join('+')}`;
    },
  },
  {
    id: 'T2',
    name: 'k good shares are enough',
    statement:
      'A read succeeds when k sound shares of the newest version are on servers with which nothing ' +
      'goes wrong while it runs, and no rival of it is about.',
    needs: 'disks',
    judge: () => (record, facts) => {
      const operation = justEnded(record, facts);
      if (operation?.spec.task.kind !== 'read' || operation.result?.ok !== false) return undefined;
      const { troubled, damaged, changed, result } = operation;
      if (result?.ok === false && /Abort/.test(result.error)) return undefined;
      const shnums = new Map<string, Set<number>>();
      for (const [place, version] of facts.places) {
        const [server = '', shnum] = place.split(':');
        if (troubled.has(server) || damaged.has(place) || changed.has(place)) continue;
        if (!isKnownTo(operation, server)) continue;
        if (parseVersion(version) === undefined || facts.down.has(server)) continue;
        shnums.set(version, (shnums.get(version) ?? new Set()).add(Number(shnum)));
      }
      const enough = [...shnums].find(
        ([version, seen]) => seen.size >= facts.encoding.required && isAlone(version, facts),
      );
      return enough && `${enough[0]} was within reach, and the read failed`;
    },
  },
  {
    id: 'T3',
    name: 'versions are never mixed',
    statement: 'What is read is the contents of some version, whole.',
    needs: 'contents',
    judge: () => (record, facts) => {
      const [, seen] = wordsRead(record, facts) ?? [];
      if (seen === undefined || !areWordsKnown(facts)) return undefined;
      const known = [...facts.contents.values()].some((words) => String(words) === String(seen));
      return known ? undefined : `${seen.join('+')} is no version`;
    },
  },
];

/** How a write ended, as its chart says. */
interface WriteReportFact {
  readonly kind: string;
  readonly report: { readonly seqnum: number };
}

interface Attempts {
  readonly attempts?: number;
}

/** As its chart was told: a wait between each two. */
function attemptsOf({ charts }: OperationFact, root: string | null | undefined): number {
  const { input } = charts.find(({ path }) => path === root) ?? { input: null };
  const { backoffsMs = [] } = (input ?? {}) as { backoffsMs?: readonly number[] };
  return backoffsMs.length + 1;
}

/** By what was called, or, of a real run, by what its chart was given. */
function isModifying(operation: OperationFact | undefined): operation is OperationFact {
  if (operation === undefined) return false;
  const { input } = operation.charts.findLast(({ chart }) => chart === 'writeFile') ?? {};
  const { task } = (input ?? {}) as { task?: { change?: { kind: string } } };
  return isModify(operation.spec.task) || task?.change?.kind === 'modify';
}

function serversOf(places: ReadonlySet<string>): number {
  return new Set([...places].map((place) => place.split(':')[0])).size;
}

/** Whether no share, sound or not, is of another version as new as this one. */
function isAlone(version: string, { places }: RunFacts): boolean {
  const { seqnum = 0 } = parseVersion(version) ?? {};
  return [...places.values()].every((held) => {
    const name = held.split(' ')[0] as string;
    return name === version || (parseVersion(name)?.seqnum ?? seqnum) < seqnum;
  });
}

/** Operations know the servers that were there when they began. */
export function isKnownTo({ charts }: OperationFact, server: string): boolean {
  const input = charts.find(({ chart }) => chart === 'servermapUpdate')?.input;
  return ((input as { servers?: readonly string[] } | undefined)?.servers ?? []).includes(server);
}

/** Whether every write's effect on the words is known, and everybody's who wrote unseen. */
function areWordsKnown(facts: RunFacts): boolean {
  return [...facts.operations.values()].every(({ spec }) => effectOf(spec.task) !== 'unknown');
}

function wordsRead(
  record: TraceRecord,
  facts: RunFacts,
): [OperationFact, readonly string[]] | undefined {
  if (record.kind === 'contents' && record.seen !== null) {
    return [facts.operations.get(record.operation) as OperationFact, record.seen];
  }
  const operation = justEnded(record, facts);
  if (operation?.spec.task.kind !== 'read' || !operation.result?.ok) return undefined;
  return [operation, operation.result.seen ?? []];
}

function publishBegun(
  record: TraceRecord,
  facts: RunFacts,
): [OperationFact, PublishInputFact, root: string | null] | undefined {
  if (record.kind !== 'step' || record.chart !== 'publish') return undefined;
  if (record.event !== 'xstate.init' || record.state !== 'preparing') return undefined;
  const actor = facts.actors.get(record.actor) as ActorFact;
  const operation = facts.operations.get(actor.operation) as OperationFact;
  return [operation, actor.input as unknown as PublishInputFact, actor.parent];
}
