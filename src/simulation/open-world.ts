/**
 * @module open-world: several writers (X1–X3), as far as a trace of a real run tells, which has the
 * operations of one process and no disk in it.
 *
 * Any two quorums have a server in common, so who ignores an acknowledged version was either told of
 * it, or did not ask: that is a violation. Or a server that took the version was asked, and did not
 * show it: its disk has forgotten, it lies, or somebody who is not in the trace has written there.
 * Which of the three nobody can say: a doubt.
 */
import {
  type ActorFact,
  type MapFact,
  type OperationFact,
  type PublishInputFact,
  type PublishOutputFact,
  parseVersion,
  type RunFacts,
} from './facts.ts';
import {
  type Acknowledged,
  acknowledgedBy,
  acknowledged as acknowledgedOf,
  isConfirmed,
  lastMap,
  lastPublish,
  lastReadVersion,
} from './histories.ts';
import { lastRequest } from './properties-publish.ts';
import type { RealJudge } from './property.ts';
import type { TraceRecord } from './world-types.ts';

/** X1: two acknowledged versions of one number. */
export const forkIn: RealJudge = (record, facts) => {
  const latest = justAcknowledged(record, facts);
  if (latest === undefined || !doQuorumsMeet(facts)) return undefined;
  const twin = acknowledged(facts).find(
    ({ seqnum, version }) => seqnum === latest.seqnum && version !== latest.version,
  );
  if (twin === undefined) return undefined;
  const why = `${latest.version} and ${twin.version} are acknowledged as versions ${twin.seqnum}`;
  return explained(why, takersOf(twin, facts), sightOf(latest, facts), twin.version, facts);
};

/** X2: an acknowledged version that was not built on one that was acknowledged before it began. */
export const lostUpdateIn: RealJudge = (record, facts) => {
  const late = justAcknowledged(record, facts);
  if (late === undefined || !doQuorumsMeet(facts)) return undefined;
  const why = (early: string) => `${late.version} ignores ${early}`;
  return firstIgnored(late.version, late.start, why, () => sightOf(late, facts), facts);
};

/** X3: a read that was confirmed, and is not fresh. */
export const staleReadIn: RealJudge = (record, facts) => {
  const operation = justEnded(record, facts);
  if (!operation?.result?.ok || !isOfOneFile(operation)) return undefined;
  const version = lastReadVersion(operation);
  if (version === undefined || !isConfirmed(operation) || !doQuorumsMeet(facts)) return undefined;
  const why = (early: string) => `${version} was read after ${early} was acknowledged`;
  const sight = () => inMap(lastMap(operation));
  return firstIgnored(version, operation.startedSeq, why, sight, facts);
};

/** Which servers an operation has heard, and what each has shown of good shares. */
type Sight = ReadonlyMap<string, readonly string[]>;

/** The first version that was acknowledged before `start`, and is not in `version`. */
function firstIgnored(
  version: string,
  start: number,
  whyOf: (early: string) => string,
  sightIn: () => Sight,
  facts: RunFacts,
): ReturnType<RealJudge> {
  const before = acknowledged(facts).filter(({ end }) => end < start);
  if (before.length === 0) return undefined;
  const line = new Line(version, facts);
  for (const early of before) {
    const held = line.contains(early.version);
    if (held === 'yes') continue;
    const why = whyOf(early.version);
    if (held === 'unknown') {
      return {
        doubt: `${why}, or was built on it: it does not lead back to versions in the trace`,
      };
    }
    return explained(why, takersOf(early, facts), sightIn(), early.version, facts);
  }
  return undefined;
}

/** A violation, unless a server that took the version was heard and did not show it. */
function explained(
  why: string,
  takers: readonly string[],
  sight: Sight,
  version: string,
  facts: RunFacts,
): ReturnType<RealJudge> {
  const silent = takers.find((id) =>
    sight.get(id)?.every((shown) => new Line(shown, facts).contains(version) !== 'yes'),
  );
  if (silent === undefined) return why;
  return {
    doubt: `${why}; ${silent} took it and did not show it, so its disk, or somebody else, is to blame`,
  };
}

/** What the servers of a write showed before it: in its map, and by the tests that they passed. */
function sightOf({ operation: name }: Acknowledged, facts: RunFacts): Sight {
  const publish = lastPublish(facts.operations.get(name) as OperationFact) as ActorFact;
  const { map } = publish.input as unknown as PublishInputFact;
  const sight = new Map(inMap(map));
  for (const server of takersIn(publish)) {
    const tests = lastRequest(publish.path, server, facts)?.tests ?? [];
    sight.set(
      server,
      tests.flatMap((test) => (test.kind === 'begins' ? [test.head] : [])),
    );
  }
  return sight;
}

function inMap(map: MapFact | null | undefined): Sight {
  const heard = (map?.servers ?? []).filter(({ status }) => /^(good|empty|bad)$/.test(status));
  return new Map(
    heard.map(({ id }) => [
      id,
      (map?.holdings ?? []).flatMap(({ server, verdict }) =>
        server === id && verdict.kind === 'good' ? [verdict.version] : [],
      ),
    ]),
  );
}

/** The servers that said that they had taken an acknowledged version. */
function takersOf({ operation }: Acknowledged, { operations }: RunFacts): readonly string[] {
  return takersIn(lastPublish(operations.get(operation) as OperationFact) as ActorFact);
}

function takersIn({ output }: ActorFact): readonly string[] {
  const { writes } = output as unknown as PublishOutputFact;
  const accepted = writes.filter(({ status }) => status === 'accepted');
  return [...new Set(accepted.map(({ server }) => server))];
}

/** What a version was built on, as versions name their parents: gone along once, asked often. */
class Line {
  readonly #versions = new Set<string>();
  /** Of the last of them that is known. */
  #seqnum = 0;
  #isWhole = false;

  constructor(newest: string, facts: RunFacts) {
    for (let at = newest; ; ) {
      this.#versions.add(at);
      this.#seqnum = seqnumOf(at);
      const parent = parentOf(at, facts);
      this.#isWhole = parent === null;
      // A child that is not newer than its parent is nobody's.
      if (typeof parent !== 'string' || seqnumOf(parent) >= this.#seqnum) return;
      at = parent;
    }
  }

  /** Whether the newest is, or was built on, `older`. */
  contains(older: string): 'yes' | 'no' | 'unknown' {
    if (this.#versions.has(older)) return 'yes';
    return this.#isWhole || this.#seqnum <= seqnumOf(older) ? 'no' : 'unknown';
  }
}

function seqnumOf(version: string): number {
  return parseVersion(version)?.seqnum ?? 0;
}

/** Null: it has none. Undefined: nobody knows. */
function parentOf(
  version: string,
  { bases, versions, tagged }: RunFacts,
): string | null | undefined {
  const base = bases.get(version);
  if (base !== undefined) return base;
  const { parentTag = null } = versions.get(version) ?? {};
  if (parentTag === null) return undefined;
  if (/^0+…?$/.test(parentTag)) return null;
  return tagged.get(parentTag)?.id;
}

function justEnded(record: TraceRecord, { operations }: RunFacts): OperationFact | undefined {
  const isEnd = record.kind === 'operation' && record.event === 'ended';
  return isEnd ? operations.get(record.operation) : undefined;
}

/** Of calls about one file: which files `move` and `find` come to is not told by their charts. */
function acknowledged(facts: RunFacts): readonly Acknowledged[] {
  return acknowledgedOf(facts).filter(({ operation }) =>
    isOfOneFile(facts.operations.get(operation) as OperationFact),
  );
}

function isOfOneFile({ charts }: OperationFact): boolean {
  return charts.filter(({ parent }) => parent === null).length === 1;
}

function justAcknowledged(record: TraceRecord, facts: RunFacts): Acknowledged | undefined {
  if (record.kind !== 'operation') return undefined;
  const operation = justEnded(record, facts);
  if (operation === undefined || !isOfOneFile(operation)) return undefined;
  return acknowledgedBy(record.operation, operation);
}

/** Whether any two quorums of these writers meet; who writes by force was promised nothing. */
function doQuorumsMeet({ quorums }: RunFacts): boolean {
  return !quorums.isForced && 2 * quorums.size > quorums.servers;
}
