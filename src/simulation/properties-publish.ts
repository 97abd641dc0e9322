/**
 * @module properties-publish: what must hold of a publish (Q1–Q8).
 */
import type { WriteReport } from '../../machines/reports.ts';
import { summaryOf } from '../runtime/summary-of.ts';
import type { Summaries } from '../runtime/trace.ts';
import {
  type ActorFact,
  type MapFact,
  type PublishInputFact,
  type PublishOutputFact,
  parseVersion,
  placeName,
  type RunFacts,
} from './facts.ts';
import type { Judge, PropertyDefinition } from './property.ts';
import type { TraceRecord } from './world-types.ts';

/** A publish that leaves `choosingTargets` with a plan, in this record. */
export function planned(
  record: TraceRecord,
  facts: RunFacts,
): [ActorFact, PublishInputFact] | undefined {
  if (record.kind !== 'step' || record.chart !== 'publish') return undefined;
  if (record.event !== 'xstate.init' || record.state !== 'preparing') return undefined;
  const actor = facts.actors.get(record.actor) as ActorFact;
  return [actor, actor.input as unknown as PublishInputFact];
}

function ended(record: TraceRecord, facts: RunFacts): [ActorFact, PublishOutputFact] | undefined {
  if (record.kind !== 'end' || record.chart !== 'publish' || record.status !== 'done') {
    return undefined;
  }
  return [
    facts.actors.get(record.actor) as ActorFact,
    record.output as unknown as PublishOutputFact,
  ];
}

const ofPlans =
  (judge: (actor: ActorFact, input: PublishInputFact, facts: RunFacts) => string | undefined) =>
  (): Judge =>
  (record, facts) => {
    const plan = planned(record, facts);
    return plan === undefined ? undefined : judge(...plan, facts);
  };

const ofEnds =
  (judge: (actor: ActorFact, output: PublishOutputFact, facts: RunFacts) => string | undefined) =>
  (): Judge =>
  (record, facts) => {
    const end = ended(record, facts);
    return end === undefined ? undefined : judge(...end, facts);
  };

function publishOf(publish: ActorFact) {
  return summaryOf(publish, 'publish') as Summaries['publish'];
}

/** What comes with `write.settled`. */
export interface SettledData {
  readonly report: Pick<WriteReport, 'server' | 'status' | 'seen'>;
}

/** The last request of a publish to this server. */
export function lastRequest(
  publish: string,
  server: string,
  { actors }: RunFacts,
): Summaries['shareWrite'] | undefined {
  const children = actors.get(publish)?.children ?? [];
  const requests = children.flatMap((child) => summaryOf(child, 'shareWrite') ?? []);
  return requests.findLast((request) => request.server === server);
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
    name: 'one writer per known server',
    statement:
      'Every server that holds nothing but the base is written, each by one request at a time.',
    needs: 'charts',
    judge: () => {
      const plans = ofPlans((actor, input) => {
        const { map, base, total } = input;
        const writes = new Set(writesOf(actor).map((place) => place.split(':')[0]));
        if (base === null || isBesideBase(input)) return undefined;
        const isClean = (id: string) =>
          map.holdings.every(
            ({ server, verdict }) =>
              server !== id || (verdict.kind === 'good' && verdict.version === base.id),
          );
        const lacking = map.holdings.find(
          ({ server, shnum }) => shnum < total && isClean(server) && !writes.has(server),
        );
        return lacking && `${lacking.server} has no writer`;
      })();
      return (record, facts) => {
        if (record.kind === 'actor' && record.chart === 'shareWrite') {
          const place = record.actor.replace(/\d+$/, '');
          for (const { path, state } of facts.active) {
            if (path === record.actor || !path.startsWith(place)) continue;
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
    statement:
      'Every share number has a writer before the first byte is written; k of them, where k is ' +
      'not 1 and the base cannot spare k − 1 of its shares.',
    needs: 'charts',
    judge: ofPlans((actor, input) => {
      const { total, required } = input;
      const shnums = new Set(writesOf(actor).map((place) => Number(place.split(':')[1])));
      if (isBesideBase(input) && shnums.size >= required) return undefined;
      const homeless = Array.from({ length: total }, (_, n) => n).find((n) => !shnums.has(n));
      return homeless === undefined ? undefined : `share ${homeless} has no writer`;
    }),
  },
  {
    id: 'Q3',
    name: 'tests name what was seen',
    statement:
      'A write tests every share number for what the map, or an answer in this publish, said of it, ' +
      'and for absence where nothing was known.',
    needs: 'charts',
    judge: () => (record, facts) => {
      if (record.kind !== 'step' || record.chart !== 'shareWrite') return undefined;
      if (record.event !== 'xstate.init') return undefined;
      const child = facts.actors.get(record.actor) as ActorFact;
      const publish = facts.actors.get(child.parent as string) as ActorFact;
      const { input, told } = publish;
      const { map } = input as unknown as PublishInputFact;
      const { server, tests } = summaryOf(record, 'shareWrite') as Summaries['shareWrite'];
      const heads = headsOf(map);
      const own = publishOf(publish).checkstring;
      const isAgain = /:[1-9]\d*$/.test(record.actor);
      for (const [shnum, test] of tests.entries()) {
        const place = placeName(server, shnum);
        const head = test.kind === 'absent' ? '' : test.head;
        if (head === (heads.get(place) ?? '')) continue;
        // What an answer has shown, or left out, and what this publish has put there.
        if (told.some((seen) => seen.place === place && seen.version === head)) continue;
        if (isAgain && (head === '' || head === own)) continue;
        return `the write to ${place} tests for ${head || 'absence'}, and ${heads.get(place) ?? 'nothing'} was seen`;
      }
      return undefined;
    },
  },
  {
    id: 'Q4',
    name: 'no false alarm',
    statement:
      'A publish that fails reports another writer when a server has shown a signed version as new ' +
      'as its own, and only when there was one: never when it is alone, nobody touched the disks, ' +
      'and no write came late, whatever servers say.',
    needs: 'others',
    judge: ofEnds((actor, output, facts) => {
      const { kind, surprises } = output;
      if (/^(notEnoughServers|indeterminate)$/.test(kind)) return rivalUnnoticed(actor, output);
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
    // A signed version as new as its own is by another writer; nobody else can have made it.
    judgeReal: () => (record, facts) => {
      const [actor, output] = ended(record, facts) ?? [];
      if (actor === undefined || output === undefined) return undefined;
      const { kind, surprises, seqnum, version } = output;
      if (/^(notEnoughServers|indeterminate)$/.test(kind)) return rivalUnnoticed(actor, output);
      if (kind !== 'uncoordinated') return undefined;
      if (surprises.length === 0) return 'uncoordinated, and nothing was surprising';
      const isRival = ({ server, shnum, found }: (typeof surprises)[number]) =>
        found !== version?.checkstring &&
        (parseVersion(found)?.seqnum ?? 0) >= seqnum &&
        actor.told.some(
          (seen) =>
            seen.isProven && seen.version === found && seen.place === placeName(server, shnum),
        );
      if (surprises.some(isRival)) return undefined;
      return {
        doubt: `${actor.operation} met shares of ${surprises[0]?.found}, which a disk may have brought back`,
      };
    },
  },
  {
    id: 'Q5',
    name: 'success is a quorum',
    statement:
      'A publish succeeds if and only if the version was put on W distinct servers, but for those ' +
      'that said so and lied, and k distinct shares of it exist; what did not land is named.',
    needs: 'disks',
    judge: ofEnds(successIsQuorum(isHeld)),
    judgeReal: ofEnds(successIsQuorum(isSaidToBeWritten)),
  },
  {
    id: 'Q6',
    name: 'a lost answer is no verdict',
    statement:
      'A write that landed is never counted as somebody else’s, nor, unless it landed late, or a ' +
      'disk, or a repair, has put it there, as not done.',
    needs: 'disks',
    judge: () => {
      const doubled = new Set<string>();
      const putBy = new Map<string, string | null>();
      return (record, facts) => {
        if (record.kind === 'choice') {
          const [, message] = /^duplicate (\S+ \S+) write/.exec(record.label) ?? [];
          if (message !== undefined) doubled.add(message);
        }
        if (record.kind === 'place') {
          putBy.set(placeName(record.server, record.shnum), record.operation);
        }
        const [, output] = ended(record, facts) ?? [];
        const own = output?.surprises.find(({ found }) => found === output.version?.checkstring);
        if (own !== undefined) return `our own share ${own.shnum} on ${own.server} is a surprise`;
        if (record.kind !== 'event' || record.type !== 'write.settled') return undefined;
        const { report } = record.data as unknown as SettledData;
        // Given up, looked for, not found, and then it arrived: no client can know.
        if (report.status !== 'failed' || facts.lateWrites > 0) return undefined;
        const publish = facts.actors.get(record.actor) as ActorFact;
        // Nor of the second of two, when the first was lost.
        if (doubled.has(`${publish.operation} ${report.server}`)) return undefined;
        const { checkstring } = publishOf(publish);
        // Nor when it was given a list without the share.
        if (facts.operations.get(publish.operation)?.lied.has(report.server)) return undefined;
        const places = lastRequest(record.actor, report.server, facts)?.shnums ?? [];
        const landed = places
          .map((shnum) => placeName(report.server, shnum))
          .find((place) => checkstring !== null && facts.places.get(place) === checkstring);
        // Brought by a disk, or a repair, to a server that the write never came to, it is not what
        // was asked for.
        if (landed && facts.copies.get(checkstring ?? '')?.has(landed)) return undefined;
        if (landed && putBy.get(landed) !== publish.operation) return undefined;
        return landed && `${landed} holds the version, and counts as failed`;
      };
    },
  },
  {
    id: 'Q7',
    name: 'above all that was seen',
    statement:
      'The new seqnum is one more than the highest that any valid signature vouches for; what is ' +
      'placed again keeps its own.',
    needs: 'charts',
    judge: ofPlans((actor, { map, isAgain, base }) => {
      const { seqnum } = publishOf(actor);
      if (isAgain) return seqnum === base?.seqnum ? undefined : `version ${seqnum} is not its own`;
      const highest = Math.max(0, ...Object.values(map.versions).map((v) => v.seqnum));
      return seqnum === highest + 1 ? undefined : `version ${seqnum} after ${highest}`;
    }),
  },
  {
    id: 'Q8',
    name: 'never backwards',
    statement: 'No write of ours replaces a version by a lower one.',
    needs: 'disks',
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
    // A server replaces what the test of the write names, or nothing.
    judgeReal: () => (record, facts) => {
      if (record.kind !== 'step' || record.chart !== 'shareWrite') return undefined;
      if (record.event !== 'xstate.init') return undefined;
      const child = facts.actors.get(record.actor) as ActorFact;
      const publish = facts.actors.get(child.parent as string) as ActorFact;
      const { map, force } = publish.input as unknown as PublishInputFact;
      const after = parseVersion(publishOf(publish).checkstring ?? '');
      if (force || after === undefined) return undefined;
      const { server, shnums, tests } = summaryOf(record, 'shareWrite') as Summaries['shareWrite'];
      for (const shnum of shnums) {
        const test = tests[shnum];
        const head = test?.kind === 'begins' ? test.head : '';
        const before = parseVersion(head);
        // What no signature vouches for may say any number.
        const isSigned = map.holdings.some(
          ({ verdict }) => verdict.kind === 'good' && verdict.version === head,
        );
        if (before === undefined || !isSigned || before.seqnum < after.seqnum) continue;
        if (before.seqnum === after.seqnum && before.root <= after.root) continue;
        return `${publish.operation} replaces ${head} by ${publishOf(publish).checkstring} in ${placeName(server, shnum)}`;
      }
      return undefined;
    },
  },
];

/** Whether a share of what a publish has published is in a place. */
type IsThere = (publish: ActorFact, place: string, facts: RunFacts) => boolean;

/** Q5, with the disks or without. */
function successIsQuorum(isThere: IsThere) {
  return (publish: ActorFact, output: PublishOutputFact, facts: RunFacts): string | undefined => {
    const { kind, writes, quorum, required, total, missing } = output;
    if (/^(uncoordinated|notEnoughServers|indeterminate)$/.test(kind))
      return enoughUnnoticed(publish, output);
    if (kind !== 'published') return undefined;
    const due = Math.min(facts.encoding.happy, total, facts.servers.length);
    const accepted = writes.filter(({ status }) => status === 'accepted');
    const ghost = accepted.find(
      ({ server, shnum }) => !isThere(publish, placeName(server, shnum), facts),
    );
    if (ghost !== undefined) return `share ${ghost.shnum} never came to ${ghost.server}`;
    const servers = new Set(accepted.map(({ server }) => server)).size;
    const shnums = new Set(accepted.map(({ shnum }) => shnum));
    if (quorum < due && quorum < knownServers(output)) return `a quorum of ${quorum} is not ${due}`;
    if (servers < quorum) return `published on ${servers} of ${quorum} servers`;
    if (shnums.size < required) return `published with ${shnums.size} of ${required} shares`;
    const lacking = Array.from({ length: total }, (_, n) => n).filter((n) => !shnums.has(n));
    return String(lacking) === String(missing) ? undefined : 'what is missing is not named';
  };
}

/** By the disks, but for servers that said so and lied. */
function isHeld({ operation, context }: ActorFact, place: string, facts: RunFacts): boolean {
  const { checkstring } = (context ?? {}) as { checkstring?: string | null };
  const version = checkstring ?? '';
  // A disk may have copied a share there; damaged, it is still its writer’s own by its head.
  if (facts.landed.get(version)?.has(place) || facts.copies.get(version)?.has(place)) return true;
  const [server = ''] = place.split(':');
  return facts.operations.get(operation)?.feigned.has(server) ?? false;
}

/**
 * By what the servers say: by an answer to its write, by the share
 * itself when it was read again, or by what its map had of a version that is placed again.
 */
function isSaidToBeWritten(publish: ActorFact, place: string): boolean {
  const { map, base, isAgain } = publish.input as unknown as PublishInputFact;
  const { checkstring: own } = publishOf(publish);
  const places = new Set(
    publish.told.flatMap(({ place, version }) => (version === own ? [place] : [])),
  );
  for (const actor of publish.children) {
    const request = summaryOf(actor, 'shareWrite');
    const written = request?.shnums.map((shnum) => placeName(request.server, shnum)) ?? [];
    // All of a request or nothing: one of its shares that was there when they were read again, one
    // by one, says so of the others.
    if (!actor.hasWritten && !written.some((place) => places.has(place))) continue;
    for (const place of written) places.add(place);
  }
  for (const { server, shnum, verdict } of isAgain ? map.holdings : []) {
    if (verdict.kind === 'good' && verdict.version === base?.id) {
      places.add(placeName(server, shnum));
    }
  }
  return places.has(place);
}

/** Why a publish that has failed was a success. */
function enoughUnnoticed(
  { input, told }: ActorFact,
  { kind, writes, quorum, required, total }: PublishOutputFact,
) {
  const { map } = input as unknown as PublishInputFact;
  const seen = [
    ...map.holdings.map((it) => placeName(it.server, it.shnum)),
    ...told.map(({ place }) => place),
  ];
  // A server that shows a number beyond N does not count.
  const crowded = seen.map((place) => place.split(':')).filter(([, n]) => Number(n) >= total);
  const isCrowded = (id: string) => crowded.some(([server]) => server === id);
  const accepted = writes.filter((it) => it.status === 'accepted' && !isCrowded(it.server));
  const servers = new Set(accepted.map(({ server }) => server)).size;
  const shnums = new Set(accepted.map(({ shnum }) => shnum)).size;
  if (servers < quorum || shnums < required) return undefined;
  return `${shnums} shares on ${servers} of ${quorum} servers are called ${kind}`;
}

/** What the publish does not call a rival, though a server has shown its signed share. */
function rivalUnnoticed({ told }: ActorFact, { kind, seqnum, version }: PublishOutputFact) {
  const rival = told.find(
    (seen) =>
      seen.isProven &&
      seen.version !== version?.checkstring &&
      (parseVersion(seen.version)?.seqnum ?? 0) >= seqnum,
  );
  return rival && `${rival.version} was in ${rival.place}, and version ${seqnum} is called ${kind}`;
}

/** Where the base has lost shares, or has too few to lose k − 1, k of the new one come first. */
function isBesideBase({ map, base, required, total }: PublishInputFact): boolean {
  if (base === null || required === 1) return false;
  return sharesOfBase(map, base.id) < total || total - (required - 1) < required;
}

/** Distinct good shares of the base. */
function sharesOfBase({ holdings }: MapFact, base: string): number {
  const shnums = holdings.flatMap(({ shnum, verdict }) =>
    verdict.kind === 'good' && verdict.version === base ? [shnum] : [],
  );
  return new Set(shnums).size;
}

/** Servers that the publish knew of; a grid may be smaller for some clients than for others. */
function knownServers({ writes }: PublishOutputFact): number {
  return new Set(writes.map(({ server }) => server)).size;
}
