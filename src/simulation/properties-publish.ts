/**
 * @module properties-publish: what must hold of a publish (Q1–Q8).
 */
import { summaryOf } from '../runtime/summary-of.ts';
import type { Summaries } from '../runtime/trace.ts';
import {
  type ActorFact,
  bestOf,
  type Facts,
  type MapFact,
  type PublishInputFact,
  type PublishOutputFact,
  parseVersion,
  placeName,
} from './facts.ts';
import type { Judge, PropertyDefinition } from './property.ts';
import type { TraceRecord } from './world-types.ts';

/** A publish that leaves `choosingTargets` with a plan, in this record. */
function planned(record: TraceRecord, facts: Facts): [ActorFact, PublishInputFact] | undefined {
  if (record.kind !== 'step' || record.chart !== 'publish') return undefined;
  if (record.event !== 'xstate.init' || record.state !== 'preparing') return undefined;
  const actor = facts.actors.get(record.actor) as ActorFact;
  return [actor, actor.input as unknown as PublishInputFact];
}

function ended(record: TraceRecord, facts: Facts): [ActorFact, PublishOutputFact] | undefined {
  if (record.kind !== 'end' || record.chart !== 'publish' || record.status !== 'done') {
    return undefined;
  }
  return [
    facts.actors.get(record.actor) as ActorFact,
    record.output as unknown as PublishOutputFact,
  ];
}

const ofPlans =
  (judge: (actor: ActorFact, input: PublishInputFact, facts: Facts) => string | undefined) =>
  (): Judge =>
  (record, facts) => {
    const plan = planned(record, facts);
    return plan === undefined ? undefined : judge(...plan, facts);
  };

const ofEnds =
  (judge: (actor: ActorFact, output: PublishOutputFact, facts: Facts) => string | undefined) =>
  (): Judge =>
  (record, facts) => {
    const end = ended(record, facts);
    return end === undefined ? undefined : judge(...end, facts);
  };

function publishOf(publish: ActorFact) {
  return summaryOf(publish, 'publish') as Summaries['publish'];
}

function writesOf(publish: ActorFact): readonly string[] {
  return Object.keys(publishOf(publish).writes);
}

/**
 * What the test of the write to a place must be, by the map; nothing for a place not in the map.
 */
function headsOf(map: MapFact): ReadonlyMap<string, string> {
  return new Map(
    map.holdings.flatMap(({ server, shnum, verdict }) => {
      if (verdict.kind === 'unverified') return [];
      const head = verdict.kind === 'bad' ? verdict.head : verdict.version;
      return [[placeName(server, shnum), head] as const];
    }),
  );
}

export const publishProperties: readonly PropertyDefinition[] = [
  {
    id: 'Q1',
    name: 'one writer per known place',
    statement: 'Every place that the map knows, good or bad, is written by exactly one writer.',
    judge: () => {
      const plans = ofPlans((actor, { map, total, wholeShares }) => {
        const writes = new Set(writesOf(actor));
        const base = bestOf(map);
        const lacking = map.holdings.find(({ server, shnum, verdict }) => {
          if (shnum >= total || verdict.kind === 'unverified') return false;
          const isOfBase = verdict.kind === 'good' && verdict.version === base;
          return (wholeShares || isOfBase) && !writes.has(placeName(server, shnum));
        });
        return lacking && `share ${lacking.shnum} on ${lacking.server} has no writer`;
      })();
      return (record, facts) => {
        if (record.kind === 'actor' && record.chart === 'shareWrite') {
          const place = record.actor.replace(/\d+$/, '');
          for (const { path, state, status } of facts.actors.values()) {
            if (path === record.actor || !path.startsWith(place) || status !== 'active') continue;
            if (/^(writing|rereading|checkingClaim)$/.test(state)) {
              return `${path} is not the only one`;
            }
          }
        }
        return plans(record, facts);
      };
    },
  },
  {
    id: 'Q2',
    name: 'no share is homeless',
    statement: 'Every share number has a writer before the first byte is written.',
    judge: ofPlans((actor, { total }) => {
      const shnums = new Set(writesOf(actor).map((place) => Number(place.split(':')[1])));
      const homeless = Array.from({ length: total }, (_, n) => n).find((n) => !shnums.has(n));
      return homeless === undefined ? undefined : `share ${homeless} has no writer`;
    }),
  },
  {
    id: 'Q3',
    name: 'tests name what was seen',
    statement:
      'A write tests for what the map, or an answer in this publish, said of its place, and for ' +
      'absence where nothing was known.',
    judge: () => (record, facts) => {
      if (record.kind !== 'step' || record.chart !== 'shareWrite') return undefined;
      if (record.event !== 'xstate.init') return undefined;
      const child = facts.actors.get(record.actor) as ActorFact;
      const { input, told } = facts.actors.get(child.parent as string) as ActorFact;
      const { map } = input as unknown as PublishInputFact;
      const { server, shnum, test } = summaryOf(record, 'shareWrite') as Summaries['shareWrite'];
      const place = placeName(server, shnum);
      const known = headsOf(map).get(place);
      const head = test.kind === 'absent' ? '' : test.head;
      if (told.some((seen) => seen.place === place && seen.version === head)) return undefined;
      // A share that is gone leaves nothing to tell.
      if (head === '' && /:[1-9]\d*$/.test(record.actor)) return undefined;
      return head === (known ?? '')
        ? undefined
        : `the write to ${place} tests for ${head || 'absence'}, and ${known ?? 'nothing'} was seen`;
    },
  },
  {
    id: 'Q4',
    name: 'no false alarm',
    statement:
      'A publish reports another writer when a server shows a signed version as new as its own, and ' +
      'only when there was one: never when it is alone, nobody touched the disks, and no write came ' +
      'late, whatever servers say.',
    judge: ofEnds((actor, output, facts) => {
      const { kind, surprises } = output;
      if (kind === 'published') return rivalOverlooked(actor, output);
      if (kind !== 'uncoordinated') return undefined;
      if (surprises.length === 0) return 'uncoordinated, and nothing was surprising';
      const operation = facts.operations.get(actor.operation);
      // Where a first version is written nothing may be, whoever put it there; and who is lied to
      // about a place cannot know.
      if (operation?.spec.task.kind === 'create' || operation?.damaged.size !== 0) return undefined;
      const writers = new Set(
        [...facts.actors.values()]
          .filter(({ chart }) => chart === 'publish')
          .map(({ operation }) => operation),
      );
      if (writers.size > 1 || facts.spoilt.size > 0 || facts.lateWrites > 0) return undefined;
      const seqnums = new Set(
        [...facts.initialPlaces.values()].map((v) => parseVersion(v)?.seqnum),
      );
      return seqnums.size > 1 ? undefined : `${actor.operation} is the only writer`;
    }),
  },
  {
    id: 'Q5',
    name: 'success is a quorum',
    statement:
      'A publish succeeds if and only if nobody else was seen, the version was put on W distinct ' +
      'servers, and k distinct shares of it exist; what did not land is named.',
    judge: ofEnds((_, output, facts) => {
      const { kind, writes, version, quorum, required, total, missing } = output;
      if (/^(notEnoughServers|indeterminate)$/.test(kind)) return enoughUnnoticed(output);
      if (kind !== 'published') return undefined;
      const due = Math.min(facts.encoding.happy, total, facts.servers.length);
      const landed = facts.landed.get(version?.checkstring ?? '') ?? new Set();
      const accepted = writes.filter(({ status }) => status === 'accepted');
      const ghost = accepted.find((w) => !landed.has(placeName(w.server, w.shnum)));
      if (ghost !== undefined) return `share ${ghost.shnum} never came to ${ghost.server}`;
      const servers = new Set(accepted.map(({ server }) => server)).size;
      const shnums = new Set(accepted.map(({ shnum }) => shnum));
      if (quorum < due && quorum < knownServers(output))
        return `a quorum of ${quorum} is not ${due}`;
      if (servers < quorum) return `published on ${servers} of ${quorum} servers`;
      if (shnums.size < required) return `published with ${shnums.size} of ${required} shares`;
      const lacking = Array.from({ length: total }, (_, n) => n).filter((n) => !shnums.has(n));
      return String(lacking) === String(missing) ? undefined : 'what is missing is not named';
    }),
  },
  {
    id: 'Q6',
    name: 'a lost answer is no verdict',
    statement:
      'A write that landed is never counted as somebody else’s, nor, unless it landed late, as not ' +
      'done.',
    judge: () => (record, facts) => {
      const [, output] = ended(record, facts) ?? [];
      const own = output?.surprises.find(({ found }) => found === output.version?.checkstring);
      if (own !== undefined) return `our own share ${own.shnum} on ${own.server} is a surprise`;
      if (record.kind !== 'event' || record.type !== 'write.settled') return undefined;
      const { report } = record.data as unknown as {
        report: { server: string; shnum: number; status: string };
      };
      const publish = facts.actors.get(record.actor) as ActorFact;
      const { checkstring } = publishOf(publish);
      const place = placeName(report.server, report.shnum);
      if (facts.places.get(place) !== checkstring || checkstring === null) return undefined;
      // Given up, looked for, not found, and then it arrived: no client can know.
      if (facts.lateWrites > 0) return undefined;
      // Nor when it was given a list without the share.
      if (facts.operations.get(publish.operation)?.lied.has(report.server)) return undefined;
      return report.status === 'failed'
        ? `${place} holds the version, and counts as failed`
        : undefined;
    },
  },
  {
    id: 'Q7',
    name: 'above all that was seen',
    statement: 'The new seqnum is one more than the highest that any valid signature vouches for.',
    judge: ofPlans((actor, { map }) => {
      const { seqnum } = publishOf(actor);
      const highest = Math.max(0, ...Object.values(map.versions).map((v) => v.seqnum));
      return seqnum === highest + 1 ? undefined : `version ${seqnum} after ${highest}`;
    }),
  },
  {
    id: 'Q8',
    name: 'never backwards',
    statement: 'No write of ours replaces a version by a lower one.',
    judge: () => {
      const rotten = new Map<string, string | null>();
      return (record, facts) => {
        if (record.kind === 'server' && record.event === 'rot') {
          rotten.set(placeName(record.server, record.shnum ?? -1), record.field);
        }
        if (record.kind !== 'place' || record.operation === null) return undefined;
        const { operation, server, shnum } = record;
        const field = rotten.get(placeName(server, shnum)) ?? '';
        rotten.delete(placeName(server, shnum));
        const writer = facts.operations.get(operation);
        if (writer?.spec.force || record.after === null) return undefined;
        const before = parseVersion(record.before ?? '');
        const after = parseVersion(record.after);
        // An update in place does not read the blocks that it keeps, but all that it signs again.
        const wasDamaged = record.before !== null && before === undefined;
        if (wasDamaged && !/^(tree|signature|key|prefix)$/.test(field)) return undefined;
        if (after === undefined) return `${operation} makes ${record.after} of share ${shnum}`;
        if (before === undefined || before.seqnum < after.seqnum) return undefined;
        if (before.seqnum === after.seqnum && before.root <= after.root) return undefined;
        // Who was given wrong bytes of the share cannot know what it replaces.
        if (writer?.damaged.has(placeName(server, shnum))) return undefined;
        return `${operation} replaces ${record.before} by ${record.after}`;
      };
    },
  },
];

/** Why a publish that has failed was a success. */
function enoughUnnoticed({ kind, writes, quorum, required }: PublishOutputFact) {
  const accepted = writes.filter(({ status }) => status === 'accepted');
  const servers = new Set(accepted.map(({ server }) => server)).size;
  const shnums = new Set(accepted.map(({ shnum }) => shnum)).size;
  if (servers < quorum || shnums < required) return undefined;
  return `${shnums} shares on ${servers} of ${quorum} servers are called ${kind}`;
}

/**
 * Why a publish that has succeeded was not alone: what its servers told, but for what its map knew.
 */
function rivalOverlooked(
  { input, told }: ActorFact,
  { version: own, seqnum }: PublishOutputFact,
): string | undefined {
  const known = headsOf((input as unknown as PublishInputFact).map);
  const rival = told.find(
    ({ place, version, isProven }) =>
      isProven &&
      version !== own?.checkstring &&
      version !== known.get(place) &&
      (parseVersion(version)?.seqnum ?? 0) >= seqnum,
  );
  return (
    rival && `${rival.version} was in ${rival.place}, and version ${seqnum} is called published`
  );
}

/** Servers that the publish knew of; a grid may be smaller for some clients than for others. */
function knownServers({ writes }: PublishOutputFact): number {
  return new Set(writes.map(({ server }) => server)).size;
}
