/**
 * @module properties-lies: what servers that lie cannot bring about (V1–V4).
 *
 * A server may say and show anything. What others have written it can only show, signed by them; of
 * its own doings nobody has a proof, so a plain false yes is believed: a version whose writer was
 * told one is on one server fewer than it seems (Q5 counts them).
 */
import { summaryOf } from '../runtime/summary-of.ts';
import {
  type ActorFact,
  type OperationFact,
  type PublishOutputFact,
  placeName,
  type RunFacts,
} from './facts.ts';
import {
  acknowledged,
  isBuiltOn,
  isConfirmed,
  lastMap,
  lastReadVersion,
  smallestQuorum,
  writersOf,
} from './histories.ts';
import { isKnownTo, justEnded } from './properties-concurrency.ts';
import { lastRequest, type SettledData } from './properties-publish.ts';
import type { PropertyDefinition } from './property.ts';

export const lieProperties: readonly PropertyDefinition[] = [
  {
    id: 'V1',
    name: 'a claim is nothing without a proof',
    statement:
      'What a server shows of another writer counts only when its signature was seen to be good.',
    needs: 'charts',
    judge: () => (record, facts) => {
      if (record.kind !== 'end' || record.chart !== 'publish') return undefined;
      const { told } = facts.actors.get(record.actor) as ActorFact;
      const { surprises = [] } = (record.output ?? {}) as unknown as Partial<PublishOutputFact>;
      const claim = surprises.find(({ server, shnum, found }) =>
        told.every(
          ({ place, version, isProven }) =>
            place !== placeName(server, shnum) || version !== found || !isProven,
        ),
      );
      return claim && `${claim.found} on ${claim.server} counts, and has no proof`;
    },
  },
  {
    id: 'V2',
    name: 'a false yes that shows is none',
    statement:
      'A write counts as done only where the server showed nothing but what the write tested for, ' +
      'or the share itself.',
    needs: 'charts',
    judge: () => (record, facts) => {
      if (record.kind !== 'event' || record.type !== 'write.settled') return undefined;
      const { server, status, seen } = (record.data as unknown as SettledData).report;
      if (status !== 'accepted') return undefined;
      const publish = facts.actors.get(record.actor) as ActorFact;
      const own = summaryOf(publish, 'publish')?.checkstring;
      // A server that was read again shows what is there after the write, others' shares too.
      if (seen.some(({ checkstring }) => checkstring === own)) return undefined;
      const { tests = [] } = lastRequest(record.actor, server, facts) ?? {};
      const other = seen.find(({ shnum, checkstring }) => {
        const test = tests[shnum];
        return !(test?.kind === 'begins' && test.head === checkstring);
      });
      return (
        other &&
        `${other.checkstring} was in ${placeName(server, other.shnum)}, and the write counts as done`
      );
    },
  },
  {
    id: 'V3',
    name: 'honest servers are enough to write',
    statement:
      'A writer who is alone and writes the whole file succeeds when W servers, with which nothing ' +
      'goes wrong, hold nothing but k shares of the one version there is, whatever others say.',
    needs: 'disks',
    judge: () => (record, facts) => {
      const operation = justEnded(record, facts);
      if (operation?.result?.ok !== false || /Abort/.test(operation.result.error)) return undefined;
      const { spec, result } = operation;
      if (!/^(overwrite|modify)$/.test(spec.task.kind) || spec.force) return undefined;
      if (writersOf(facts).length > 1 || facts.spoilt.size > 0) return undefined;
      const [version, ...others] = new Set(facts.initialPlaces.values());
      if (version === undefined || others.length > 0) return undefined;
      const honest = facts.servers.filter(
        (id) => isKnownTo(operation, id) && !operation.troubled.has(id) && !facts.down.has(id),
      );
      const { required, happy, total } = facts.encoding;
      const shnums = [...facts.initialPlaces.keys()]
        .map((place) => place.split(':') as [string, string])
        .filter(([server]) => honest.includes(server))
        .map(([, shnum]) => shnum);
      const isEnough =
        honest.length >= Math.min(happy, total, facts.servers.length) &&
        new Set(shnums).size >= required;
      return isEnough
        ? `${spec.name} failed, and ${honest.join(' ')} were enough: ${result.error}`
        : undefined;
    },
  },
  {
    id: 'V4',
    name: 'honest servers are enough to read',
    statement:
      'What B servers confirm to a reader that have never lied to anybody is no older than what the ' +
      'only writer was acknowledged for, as long as 2W > S and no disk forgets.',
    needs: 'lies',
    judge: () => (record, facts) => {
      const operation = justEnded(record, facts);
      if (operation?.spec.task.kind !== 'read' || !operation.result?.ok) return undefined;
      const version = lastReadVersion(operation);
      if (version === undefined || !isConfirmed(operation)) return undefined;
      const [writer, ...others] = writersOf(facts);
      if (writer?.spec.force || others.length > 0 || facts.forgetful.size > 0) return undefined;
      const quorum = smallestQuorum(facts);
      const { length: servers } = facts.servers;
      if (2 * quorum <= servers) return undefined;
      if (honestFor(operation, version, facts).length < servers - quorum + 1) return undefined;
      const missed = acknowledged(facts).find(
        (early) => early.end < operation.startedSeq && !isBuiltOn(facts, version, early.version),
      );
      return missed && `${version} was confirmed after ${missed.version} was acknowledged`;
    },
  },
];

/** The servers in a reader's map that hold nothing but what `version` contains, and never lied. */
function honestFor(operation: OperationFact, version: string, facts: RunFacts): readonly string[] {
  const map = lastMap(operation);
  if (map === null || map === undefined) return [];
  const liars = new Set([...facts.operations.values()].flatMap(({ lied }) => [...lied]));
  const isClean = (id: string) =>
    map.holdings.every(
      ({ server, verdict }) =>
        server !== id || (verdict.kind === 'good' && isBuiltOn(facts, version, verdict.version)),
    );
  return map.servers
    .filter(({ id, status }) => /^(good|empty)$/.test(status) && isClean(id) && !liars.has(id))
    .map(({ id }) => id);
}
