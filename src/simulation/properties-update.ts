/**
 * @module properties-update: what must hold of a servermap update (U1–U12), against specifications
 * written from docs/servermap-update.md and not from the kernel.
 */
import type { Deadlines } from '../../machines/io.ts';
import { summaryOf } from '../runtime/summary-of.ts';
import type { Summaries } from '../runtime/trace.ts';
import {
  type ActorFact,
  type HoldingFact,
  isAtRest,
  type MapFact,
  type OperationFact,
  placeName,
  type ReportFact,
  type RunFacts,
} from './facts.ts';
import type { Judge, PropertyDefinition } from './property.ts';
import type { TraceRecord } from './world-types.ts';

/** The servermap update that ends as done by this record. */
function finishedMap(record: TraceRecord, facts: RunFacts): [ActorFact, MapFact] | undefined {
  if (record.kind !== 'end' || record.chart !== 'servermapUpdate') return undefined;
  const actor = facts.actors.get(record.actor);
  const map = record.output as unknown as MapFact | null;
  if (actor === undefined || map === null || actor.state !== 'done') return undefined;
  return [actor, map];
}

/** A property of finished maps. */
const ofMaps =
  (judge: (actor: ActorFact, map: MapFact, facts: RunFacts) => string | undefined) =>
  (): Judge =>
  (record, facts) => {
    const finished = finishedMap(record, facts);
    return finished === undefined ? undefined : judge(...finished, facts);
  };

/** A property of the reports that come to a coordinator. */
type ReportJudge = (
  report: ReportFact,
  operation: OperationFact,
  facts: RunFacts,
) => string | undefined;

const ofReports = (judge: ReportJudge) => (): Judge => (record, facts) => {
  if (record.kind !== 'event' || record.type !== 'server.settled') return undefined;
  const { operation: name } = facts.actors.get(record.actor) as ActorFact;
  const operation = facts.operations.get(name);
  const { report } = record.data as unknown as { report: ReportFact };
  return operation === undefined ? undefined : judge(report, operation, facts);
};

interface Standing {
  readonly statuses: readonly string[];
  readonly required: number;
  readonly privateKey: string;
  readonly holdings: readonly HoldingFact[];
  readonly requiredOf: (version: string) => number;
}

/**
 * The right side of U2, for write mode: a place b in the permuted list such that all servers up to
 * b are settled, k empty ones follow the last with shares up to b, and a version is recoverable.
 */
function isWriteGoalMet(standing: Standing): boolean {
  const { statuses, required, privateKey, holdings, requiredOf } = standing;
  if (privateKey === 'missing') return false;
  const isSettled = (status: string) => !['unasked', 'asked', 'verifying'].includes(status);
  const hasBoundary = statuses.some((_, b) => {
    const left = statuses.slice(0, b + 1);
    const last = left.lastIndexOf('good');
    const empties = left.filter((status, i) => status === 'empty' && i > last).length;
    return last >= 0 && empties >= required && left.every(isSettled);
  });
  return hasBoundary && hasRecoverable(holdings, requiredOf);
}

function hasRecoverable(
  holdings: readonly HoldingFact[],
  requiredOf: (version: string) => number,
): boolean {
  const shnums = new Map<string, Set<number>>();
  for (const { shnum, verdict } of holdings) {
    if (verdict.kind !== 'good') continue;
    const seen = shnums.get(verdict.version) ?? new Set();
    shnums.set(verdict.version, seen.add(shnum));
  }
  return [...shnums].some(([version, seen]) => seen.size >= requiredOf(version));
}

function standingOf(actor: ActorFact): Standing & { mode: string } {
  const { statuses, required, privateKey, mode } = updateOf(actor);
  const all = [...actor.reports.values()];
  const versions = new Map(all.flatMap((r) => r.versions.map((v) => [v.id, v.required] as const)));
  return {
    mode,
    statuses: Object.values(statuses),
    required,
    privateKey,
    holdings: all.flatMap((report) => report.holdings),
    requiredOf: (version) => versions.get(version) ?? Number.POSITIVE_INFINITY,
  };
}

interface MarkedFact {
  readonly server: string;
  readonly shnum: number;
}

/** Why a verdict `bad` on this share is wrong, if it is. */
function wronglyBad({ damaged }: OperationFact, server: string, shnum: number) {
  const place = placeName(server, shnum);
  return damaged.has(place)
    ? undefined
    : `share ${shnum} on ${server} is called corrupt and was not`;
}

export const updateProperties: readonly PropertyDefinition[] = [
  {
    id: 'U1',
    name: 'no verification in flight at done',
    statement: 'When an update is done, no share of any server is being verified.',
    needs: 'charts',
    judge: ofMaps((actor, map, facts) => {
      const open = map.servers.find(({ status }) => status === 'verifying');
      if (open !== undefined) return `done while the shares of ${open.id} are being verified`;
      const prefix = `${actor.path}/`;
      for (const child of facts.active) {
        if (child.state !== 'verifying') continue;
        if (child.path.startsWith(prefix)) return `done while ${child.path} is verifying`;
      }
      return undefined;
    }),
  },
  {
    id: 'U2',
    name: 'done means a settled boundary',
    statement:
      'A write-mode update is done with enough only if there is a boundary, everybody left of it ' +
      'is settled, and a version is recoverable.',
    needs: 'charts',
    judge: ofMaps((actor, map) => {
      if (map.mode !== 'write' || map.outcome !== 'enough') return undefined;
      const { required } = standingOf(actor);
      const met = isWriteGoalMet({
        statuses: map.servers.map(({ status }) => status),
        required,
        privateKey: map.privateKey,
        holdings: map.holdings,
        requiredOf: (version) => map.versions[version]?.required ?? Number.POSITIVE_INFINITY,
      });
      return met ? undefined : 'done with enough, and there is not enough';
    }),
  },
  {
    id: 'U3',
    name: 'promptness',
    statement: 'A write-mode update is done in the very step in which enough is known.',
    needs: 'charts',
    judge: () => (record, facts) => {
      if (!isAtRest(record, facts)) return undefined;
      for (const actor of facts.active) {
        if (actor.chart !== 'servermapUpdate') continue;
        const standing = standingOf(actor);
        if (standing.mode !== 'write' || standing.statuses.includes('verifying')) continue;
        if (isWriteGoalMet(standing)) return `${actor.path} waits for nothing`;
      }
      return undefined;
    },
  },
  {
    id: 'U4',
    name: 'exhausted means everybody',
    statement: 'An update is exhausted only when every server has answered, failed or timed out.',
    needs: 'charts',
    judge: ofMaps((_, map) => {
      if (map.outcome !== 'exhausted') return undefined;
      const open = map.servers.find(({ status }) => /^(un)?asked$|^verifying$/.test(status));
      return open === undefined ? undefined : `exhausted, and ${open.id} is ${open.status}`;
    }),
  },
  {
    id: 'U5',
    name: 'order leaves no trace',
    statement: 'The map depends on which answers were processed, and not on their order.',
    needs: 'charts',
    judge: ofMaps((actor, map) => {
      const place = new Map(map.servers.map(({ id }, i) => [id, i]));
      const { marked = [] } = actor.input as unknown as { marked?: readonly MarkedFact[] };
      const isMarked = (holding: HoldingFact) =>
        marked.some(({ server, shnum }) => server === holding.server && shnum === holding.shnum);
      // A share that was marked bad before may stay bad, whatever the answers say.
      const plain = (holding: HoldingFact) =>
        isMarked(holding) ? { ...holding, verdict: null } : holding;
      const reports = [...actor.reports.values()];
      const expected = reports
        .flatMap(({ holdings }) => holdings)
        .sort((a, b) => at(place, a) - at(place, b) || a.shnum - b.shnum);
      if (JSON.stringify(map.holdings.map(plain)) !== JSON.stringify(expected.map(plain))) {
        return 'the map is not what the answers say, in order of place and share number';
      }
      const versions = new Set(reports.flatMap((report) => report.versions.map(({ id }) => id)));
      return String(Object.keys(map.versions).sort()) === String([...versions].sort())
        ? undefined
        : 'the versions in the map are not those that the answers tell of';
    }),
  },
  {
    id: 'U6',
    name: 'nothing is dropped',
    statement:
      'Every share that a responding server reported is in the map, as good, bad or unverified, ' +
      'and after the end the map does not change.',
    needs: 'charts',
    judge: () => {
      const over = new Set<string>();
      return (record, facts) => {
        if (record.kind === 'step' && over.has(record.actor)) return `${record.actor} goes on`;
        const finished = finishedMap(record, facts);
        if (finished === undefined) return undefined;
        const [actor, map] = finished;
        over.add(actor.path);
        for (const [server, shnums] of actor.answers) {
          for (const shnum of shnums) {
            const found = map.holdings.filter((s) => s.server === server && s.shnum === shnum);
            if (found.length !== 1)
              return `share ${shnum} on ${server} is in the map ${found.length} times`;
          }
        }
        return undefined;
      };
    },
  },
  {
    id: 'U7',
    name: 'a lost connection is no corruption',
    statement: 'A share is called corrupt, to us or to its server, only when its bytes were wrong.',
    needs: 'disks',
    judge: () => {
      const reports = ofReports((report, operation) =>
        report.holdings
          .filter(({ verdict }) => verdict.kind === 'bad')
          .map(({ server, shnum }) => wronglyBad(operation, server, shnum))
          .find((why) => why !== undefined),
      )();
      return (record, facts) => {
        if (record.kind !== 'advice') return reports(record, facts);
        const { server, shnum, reason } = record;
        // Only who checks every field, with the write cap, has something against it. Of an offset
        // that points elsewhere nothing else may be seen.
        const isKey = facts.keyless.has(placeName(server, shnum));
        if (isKey && reason.includes('encrypted private key')) return undefined;
        const operation = facts.operations.get(record.operation);
        return operation && wronglyBad(operation, server, shnum);
      };
    },
  },
  {
    id: 'U8',
    name: 'an answer settles its server',
    statement: 'A server whose answer is judged is settled, also when its shares were bad before.',
    needs: 'charts',
    judge: () => (record, facts) => {
      if (record.kind !== 'step' || record.event !== 'server.settled') return undefined;
      const actor = facts.actors.get(record.actor) as ActorFact;
      const { statuses } = updateOf(record);
      for (const server of actor.reports.keys()) {
        const status = statuses[server] ?? '';
        if (/^(un)?asked$|^verifying$/.test(status))
          return `${server} is ${status} after its report`;
      }
      return undefined;
    },
  },
  {
    id: 'U9',
    name: 'every wait ends',
    statement:
      'No query, verification, read or write waits longer than its deadline, and no update longer ' +
      'than all its servers one after the other.',
    needs: 'charts',
    judge: () => (record, facts) => {
      if (record.kind !== 'clock') return undefined;
      for (const actor of facts.active) {
        const late = lateness(actor, facts);
        if (late !== undefined) return late.because;
      }
      return undefined;
    },
    judgeReal: () => {
      const since = new Map<ActorFact, { readonly due: number; readonly first: number }>();
      let next = 0;
      return (_, facts) => {
        if (facts.now < next) return undefined;
        next = facts.now + graceMs / 10;
        for (const actor of facts.active) {
          const late = lateness(actor, facts);
          const known = since.get(actor);
          if (late === undefined) since.delete(actor);
          else if (known?.due !== late.due) since.set(actor, { due: late.due, first: facts.now });
          else if (facts.now - known.first > graceMs) return late.because;
        }
        return undefined;
      };
    },
  },
  {
    id: 'U10',
    name: 'one query per server',
    statement: 'No server has two queries of one update outstanding.',
    needs: 'charts',
    judge: () => (record, facts) => {
      if (record.kind !== 'step' || record.chart !== 'serverQuery') return undefined;
      if (record.event !== 'xstate.init') return undefined;
      const child = facts.actors.get(record.actor) as ActorFact;
      const { parent, path } = child;
      const siblings = facts.actors.get(parent ?? '')?.children ?? [];
      const second = siblings.find(
        (other) =>
          other.path !== path &&
          other.chart === 'serverQuery' &&
          serverOf(other) === serverOf(child),
      );
      return second && `${path} is a second query after ${second.path}`;
    },
  },
  {
    id: 'U11',
    name: 'shares are judged one by one',
    statement:
      'A share that is sound and within reach is good, whatever its siblings are; and none is whose ' +
      'header, key or signature is wrong.',
    needs: 'disks',
    judge: () => {
      const sound = ofReports(soundIsGood)();
      const wrong = ofReports(wrongIsNot)();
      return (record, facts) => sound(record, facts) ?? wrong(record, facts);
    },
  },
  {
    id: 'U12',
    name: 'cancelled is over',
    statement: 'An operation whose caller has lost interest ends in the same step.',
    needs: 'charts',
    judge: () => {
      const cancelled = new Set<string>();
      return (record, facts) => {
        if (record.kind === 'operation' && record.event === 'cancelled') {
          cancelled.add(record.operation);
        }
        if (record.kind !== 'choice') return undefined;
        const alive = [...cancelled].find((n) => facts.operations.get(n)?.status === 'running');
        return alive && `${alive} goes on`;
      };
    },
    judgeReal: () => {
      const cancelled = new Set<string>();
      const since = new Map<string, number>();
      return (record, facts) => {
        for (const name of cancelled) {
          const first = since.get(name) ?? facts.now;
          since.set(name, first);
          if (facts.operations.get(name)?.status !== 'running') cancelled.delete(name);
          else if (facts.now - first > graceMs) return `${name} goes on`;
        }
        if (record.kind === 'operation' && record.event === 'cancelled') {
          cancelled.add(record.operation);
        }
        return undefined;
      };
    },
  },
];

function soundIsGood(report: ReportFact, { troubled, damaged, changed }: OperationFact) {
  if (troubled.has(report.server)) return undefined;
  const wrong = report.holdings.find(({ server, shnum, verdict }) => {
    const place = placeName(server, shnum);
    return verdict.kind !== 'good' && !damaged.has(place) && !changed.has(place);
  });
  if (wrong === undefined) return undefined;
  return `share ${wrong.shnum} on ${wrong.server} is sound and called ${wrong.verdict.kind}`;
}

function wrongIsNot(report: ReportFact, { changed }: OperationFact, facts: RunFacts) {
  const wrong = report.holdings.find(({ server, shnum, verdict }) => {
    const place = placeName(server, shnum);
    const isRotten = /^(prefix|key|signature)$/.test(facts.rotten.get(place) ?? '');
    return verdict.kind === 'good' && isRotten && !changed.has(place);
  });
  return wrong && `share ${wrong.shnum} on ${wrong.server} is called good and is not`;
}

/**
 * In a real run the process may have slept, or been busy, when a deadline passed. What was overdue
 * when it moved again, and is still so a second later, has no deadline.
 */
const graceMs = 1000;

const limits: Readonly<Record<string, keyof Deadlines>> = {
  'serverQuery querying': 'queryMs',
  'serverQuery verifying': 'verifyMs',
  'shareWrite writing': 'writeMs',
  'shareWrite rereading': 'readMs',
  'shareWrite checkingClaim': 'readMs',
  'blockRead reading': 'readMs',
};

/** What a chart should have done before now. */
function lateness(
  { chart, state, path, since, startedAt, input }: ActorFact,
  { now, deadlines }: RunFacts,
): { readonly due: number; readonly because: string } | undefined {
  const limit = limits[`${chart} ${state}`];
  const due = limit === undefined ? Infinity : since + deadlines[limit];
  if (now > due) return { due, because: `${path} has waited ${now - since} ms` };
  if (chart !== 'servermapUpdate') return undefined;
  // The longest update: every server is asked and judged, one after another.
  const { servers } = input as unknown as { servers: readonly string[] };
  const end = startedAt + servers.length * (deadlines.queryMs + deadlines.verifyMs);
  return now > end ? { due: end, because: `${path} has taken ${now - startedAt} ms` } : undefined;
}

/** Nothing for a child that has not begun. */
function serverOf(child: ActorFact): string | undefined {
  return summaryOf(child, 'serverQuery')?.server;
}

function updateOf(update: Parameters<typeof summaryOf>[0]) {
  return summaryOf(update, 'servermapUpdate') as Summaries['servermapUpdate'];
}

function at(place: ReadonlyMap<string, number>, { server }: { server: string }): number {
  return place.get(server) ?? -1;
}
