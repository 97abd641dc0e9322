/**
 * @module walker: a world that is led along one order after another, and what is to be seen at every
 * stop: the state, what can happen next, what is violated.
 */
import { PropertyWatch } from '../../../src/simulation/properties.ts';
import { type Choice, type TraceRecord, World } from '../../../src/simulation/world.ts';
import type { Stop } from '../model/order-graph.ts';
import { offeredFaults } from '../presets.ts';
import type { Search } from './protocol.ts';
import { faultVerbs, StateKey, serverOf } from './state-key.ts';

/** Whether time may pass while a call is open: without faults, all is answered before it does. */
export function isTimed({ faultsMax, labels }: Search): boolean {
  return faultsMax > 0 || labels.some((label) => faultVerbs.has(label.split(' ', 1)[0] as string));
}

/** Leads worlds of a search. */
export interface Walker {
  /** A new world, through these choices from the search's beginning: what is seen before and after each. */
  walk(search: Search, labels: readonly string[]): Promise<readonly Stop[]>;
  /** One choice further. */
  step(label: string): Promise<Stop>;
}

export class LocalWalker implements Walker {
  #walk: Walk | undefined;

  async walk(search: Search, labels: readonly string[]): Promise<readonly Stop[]> {
    const walk = await Walk.begin(search);
    this.#walk = walk;
    const stops = [walk.stop(null)];
    for (const label of labels) stops.push(await walk.step(label));
    return stops;
  }

  step(label: string): Promise<Stop> {
    return (this.#walk as Walk).step(label);
  }
}

const searched = new Set<string>(offeredFaults);

/** One world on its way. */
class Walk {
  readonly #world: World;
  readonly #search: Search;
  readonly #watch = new PropertyWatch();
  readonly #key = new StateKey();
  #seen = 0;
  #faults = 0;

  private constructor(world: World, search: Search) {
    this.#world = world;
    this.#search = search;
  }

  static async begin(search: Search): Promise<Walk> {
    const world = await World.create(search.options);
    const walk = new Walk(world, search);
    for (const label of search.labels) await world.choose(label);
    walk.#look();
    return walk;
  }

  async step(label: string): Promise<Stop> {
    const choice = this.#choices().find((c) => c.label === label);
    if (choice === undefined) throw new RangeError(`“${label}” is not possible here`);
    if (isFault(choice)) this.#faults++;
    await this.#world.choose(choice);
    return this.stop(footprint(choice, this.#look()));
  }

  stop(local: string | null): Stop {
    const choices = this.#choices().map(({ label }) => label);
    const violated = this.#watch.violations.map(({ id }) => id).sort();
    const more = `${violated} ${this.#faults}`;
    const key = this.#key.of(this.#world, this.#watch.facts, isTimed(this.#search), more);
    return { key, choices, violated, local };
  }

  #look(): readonly TraceRecord[] {
    const records = this.#world.trace.slice(this.#seen);
    this.#seen = this.#world.trace.length;
    this.#watch.see(records);
    this.#key.see(records);
    return records;
  }

  /** Time passes only when nothing else can happen: deadlines are longer than any delivery. */
  #choices(): readonly Choice[] {
    const { plainChoices, operations } = this.#world;
    const moves = plainChoices.filter(({ kind }) => kind !== 'advance');
    const isRunning = operations.some(({ status }) => status === 'running');
    const plain = moves.length > 0 || !isRunning ? moves : plainChoices;
    if (plain.length === 0 || this.#faults >= this.#search.faultsMax) return plain;
    return [...plain, ...this.#world.choices.filter((c) => isFault(c) && searched.has(c.kind))];
  }
}

function isFault({ kind }: Choice): boolean {
  return kind !== 'deliver' && kind !== 'start' && kind !== 'advance';
}

/**
 * The server that a delivery was all about: nothing came of it but messages of that server, steps of
 * its children and of the coordinators above them. Null for everything else.
 */
function footprint({ kind, server }: Choice, records: readonly TraceRecord[]): string | null {
  if (kind !== 'deliver' || server === undefined) return null;
  const isIts = (record: TraceRecord): boolean => {
    switch (record.kind) {
      case 'choice':
        return true;
      case 'event':
      case 'step':
        return [undefined, server].includes(serverOf(record.actor));
      case 'actor':
      case 'end':
        return serverOf(record.actor) === server;
      case 'message':
      case 'place':
      case 'advice':
        return record.server === server;
      default:
        return false;
    }
  };
  return records.every(isIts) ? server : null;
}
