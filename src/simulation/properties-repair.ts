/**
 * @module properties-repair: what must hold of a repair (G1–G3), beside all that holds of a write.
 */
import { matching } from '../../machines/matching.ts';
import type { RepairWay } from '../../machines/repair-kernel.ts';
import { summaryOf } from '../runtime/summary-of.ts';
import {
  type ActorFact,
  type OperationFact,
  type PublishInputFact,
  parseVersion,
  placeName,
  type RunFacts,
} from './facts.ts';
import { isBuiltOn, lastPublish } from './histories.ts';
import { isKnownTo, justEnded, sharesIn } from './properties-concurrency.ts';
import { planned } from './properties-publish.ts';
import type { PropertyDefinition } from './property.ts';
import type { TraceRecord } from './world-types.ts';

function isRepair(operation: OperationFact | undefined): operation is OperationFact {
  return operation?.spec.task.kind === 'repair' && !operation.spec.force;
}

/** Whether nothing went wrong while it ran, nobody else wrote, and every server was asked. */
function isUndisturbed(operation: OperationFact, { servers }: RunFacts): boolean {
  const { troubled, lied, changed } = operation;
  const isAlone = troubled.size + lied.size + changed.size === 0;
  return isAlone && servers.every((id) => isKnownTo(operation, id));
}

/** The newest version of which k sound shares are there. */
function bestIn(places: RunFacts['places'], required: number): string | undefined {
  const readable = [...sharesIn(places)].filter(([, { size }]) => size >= required);
  return readable
    .map(([version]) => version)
    .sort(inOrder)
    .at(-1);
}

function inOrder(a: string, b: string): number {
  const [one, other] = [parseVersion(a), parseVersion(b)];
  const seqnums = (one?.seqnum ?? 0) - (other?.seqnum ?? 0);
  return seqnums !== 0 ? seqnums : Number(a > b) - Number(a < b);
}

export const repairProperties: readonly PropertyDefinition[] = [
  {
    id: 'G1',
    name: 'repair takes nothing away',
    statement:
      'After each write of a repair in the same version, a version that contains the newest that ' +
      'could be read before it can be read.',
    needs: 'disks',
    judge: () => (record, facts) => {
      if (record.kind !== 'place' || record.operation === null) return undefined;
      const operation = facts.operations.get(record.operation);
      if (!isRepair(operation) || !isAgain(operation)) return undefined;
      const { required } = facts.encoding;
      const places = new Map(facts.places);
      const place = placeName(record.server, record.shnum);
      if (record.before === null) places.delete(place);
      else places.set(place, record.before);
      const best = bestIn(places, required);
      if (best === undefined) return undefined;
      const isThere = [...sharesIn(facts.places)].some(
        ([version, { size }]) => size >= required && isBuiltOn(facts, version, best),
      );
      return isThere ? undefined : `${best} could be read before ${place} was written`;
    },
  },
  {
    id: 'G2',
    name: 'repair heals, or says why not',
    statement:
      'A repair that nothing disturbs leaves no share missing or damaged where it could be placed, ' +
      'calls the file healthy if it is, and refuses only for what is there.',
    needs: 'disks',
    judge: () => (record, facts) => {
      const operation = justEnded(record, facts);
      if (!isRepair(operation) || !isUndisturbed(operation, facts)) return undefined;
      const { result } = operation;
      if (result === null) return undefined;
      return result.ok ? leftBy(result.value, facts) : refusedFor(result.error, facts);
    },
  },
  {
    id: 'G3',
    name: 'repair writes the least',
    statement:
      'A repair writes no share that is good, copies one only to give a server a share of its own, ' +
      'keeps the seqnum where shares are only missing or bad, and writes nothing a second time, but ' +
      'for a new version that the first made possible.',
    needs: 'others',
    judge: () => {
      let lastWay: RepairWay | undefined;
      const ways = new Map<string, RepairWay>();
      return (record, facts) => {
        if (changesDisks(record)) lastWay = undefined;
        if (record.kind === 'operation') {
          const operation = facts.operations.get(record.operation);
          if (!isRepair(operation)) return undefined;
          if (record.event === 'started' && lastWay) ways.set(record.operation, lastWay);
          lastWay = record.event === 'ended' ? wayOf(operation, facts) : undefined;
          return undefined;
        }
        const [publish, input] = planned(record, facts) ?? [];
        const operation = publish && facts.operations.get(publish.operation);
        if (publish === undefined || !isRepair(operation)) return undefined;
        const places = placesIn(publish, 'planned');
        const before = ways.get(publish.operation);
        const isNew = before === 'again' && !isAgain(operation);
        if (before !== undefined && !isNew && isUndisturbed(operation, facts)) {
          return `${places[0]} is written, and nothing has changed`;
        }
        return moreThanNeeded(input as PublishInputFact, places, placesIn(publish, 'accepted'));
      };
    },
  },
];

function isAgain(operation: OperationFact): boolean {
  const input = lastPublish(operation)?.input as unknown as PublishInputFact | undefined;
  return input?.isAgain === true;
}

/** What any server holds may be something else after this. */
function changesDisks(record: TraceRecord): boolean {
  if (record.kind === 'server') return true;
  return record.kind === 'place' || (record.kind === 'message' && record.event === 'abandoned');
}

/** How a repair has left all as it should be; undefined: it failed, or was disturbed. */
function wayOf({ result, ...operation }: OperationFact, facts: RunFacts): RepairWay | undefined {
  if (result?.ok !== true || !isUndisturbed({ ...operation, result }, facts)) return undefined;
  return (result.value as { way?: RepairWay } | null)?.way;
}

/** What is wrong with how a repair has left the disks. */
function leftBy(value: unknown, { places, rotten, keyless, servers, encoding }: RunFacts) {
  const { isHealthy } = value as { isHealthy: boolean };
  const best = bestIn(places, encoding.required);
  if (best === undefined) return 'nothing can be read';
  const onServer = (id: string) => [...places].filter(([place]) => place.startsWith(`${id}:`));
  const isOf = (held: string) => held === best || held === `${best} damaged`;
  const open = servers.filter((id) => onServer(id).every(([, held]) => isOf(held)));
  const hurt = open.flatMap((id) => onServer(id)).find(([, held]) => held !== best);
  if (hurt !== undefined) return `${hurt[0]} holds ${hurt[1]}, and could be written`;
  const shnums = sharesIn(places).get(best)?.size ?? 0;
  if (shnums < encoding.total && open.length > 0) {
    return `${encoding.total - shnums} shares are missing, and ${open[0]} could have one`;
  }
  const isWhole =
    shnums === encoding.total &&
    [...places.values()].every((held) => held === best) &&
    rotten.size === 0;
  // A disk that goes back may bring damage back that does not show.
  if (isWhole === isHealthy || (isWhole && keyless.size > 0)) return undefined;
  return isHealthy ? 'the file is called healthy' : 'the file is healthy, and is not called so';
}

/** Why a repair that refused should not have done so. */
function refusedFor(error: string, facts: RunFacts) {
  const { places, encoding, servers, spoilt } = facts;
  const best = bestIn(places, encoding.required);
  const isOther = (held: string) => held.split(' ')[0] !== best;
  const because = `${error}, and ${best} could be repaired`;
  switch (error) {
    case 'UnrecoverableFileError':
      return best === undefined ? undefined : because;
    case 'NewerVersionSeenError':
      return [...places.values()].some(isOther) ? undefined : because;
    case 'NotEnoughServersError': {
      const isOpen = (id: string) =>
        [...places].every(([place, held]) => !place.startsWith(`${id}:`) || !isOther(held));
      const open = servers.filter(isOpen).length;
      const due = Math.min(encoding.happy, encoding.total, servers.length);
      return best !== undefined && open >= due ? because : undefined;
    }
    case 'MissingPrivateKeyError':
      return spoilt.size === 0 ? because : undefined;
    case 'AbortError':
      return undefined;
    default:
      return because;
  }
}

/** Places of a publish that is about to begin; what is placed already counts as accepted. */
function placesIn(publish: ActorFact, wanted: 'planned' | 'accepted'): readonly string[] {
  const writes = summaryOf(publish, 'publish')?.writes ?? {};
  return Object.entries(writes).flatMap(([place, status]) => (status === wanted ? place : []));
}

/**
 * Which of `planned` need not be written. What is good beside something that is to stay is not
 * among `placed`: its server does not count for the quorum.
 */
function moreThanNeeded(
  { map, base, isAgain = false }: PublishInputFact,
  planned: readonly string[],
  placed: readonly string[],
): string | undefined {
  if (base === null) return undefined;
  const held = new Map(
    map.holdings.map(({ server, shnum, verdict }) => [placeName(server, shnum), verdict]),
  );
  const isGood = (place: string) => {
    const verdict = held.get(place);
    return verdict?.kind === 'good' && verdict.version === base.id;
  };
  if (!isAgain) {
    const isOwn = [...held].every(
      ([place, verdict]) => isGood(place) || (verdict.kind === 'bad' && verdict.head === base.id),
    );
    return isOwn ? `a new version, and only shares of ${base.id} are there` : undefined;
  }
  const again = planned.find(isGood);
  if (again !== undefined) return `${again} is good, and is written`;
  const there = placed;
  const numberOf = (place: string) => Number(place.split(':')[1]);
  const numbers = new Set(there.map(numberOf));
  const copies: string[] = [];
  for (const place of planned) {
    if (!held.has(place) && numbers.has(numberOf(place))) copies.push(place);
    numbers.add(numberOf(place));
  }
  const without = [...there, ...planned].filter((place) => !copies.includes(place));
  const gained = spreadOf([...without, ...copies]) - spreadOf(without);
  return gained < copies.length
    ? `${copies.join(' ')}: copies that give ${gained} servers a share`
    : undefined;
}

/** On how many servers a share of their own can be found. */
function spreadOf(places: readonly string[]): number {
  const shares = new Map<string, string[]>();
  for (const place of places) {
    const [server = '', shnum = ''] = place.split(':');
    shares.set(shnum, [...(shares.get(shnum) ?? []), server]);
  }
  return matching([...shares.values()]).size;
}
