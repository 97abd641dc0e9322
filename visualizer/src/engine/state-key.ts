/**
 * @module state-key: one short text for all that can make a difference to what comes next.
 *
 * Two worlds with one key have the same future, and the properties judge it alike. So the key has
 * what every chart is in and what it was told (in whatever order), the messages in flight, what
 * befell each disk in order, the clock, and what the properties remember. Of the order of events it
 * has what cannot be told from the rest: faults, and when operations and their parts began and
 * ended, since properties ask which of two was first.
 */
import type { OperationFact, RunFacts } from '../../../src/simulation/facts.ts';
import { faultKinds } from '../../../src/simulation/faults.ts';
import { mixA, mixB } from '../../../src/simulation/mix.ts';
import type { TraceRecord, World } from '../../../src/simulation/world.ts';

type Of<Kind extends TraceRecord['kind']> = Extract<TraceRecord, { kind: Kind }>;

interface ActorPart {
  /** What it began with. */
  readonly start: number;
  /** The sum over what it was told: in any order. */
  told: number;
  state: string;
  since: number;
  context: number;
  end: string;
  hash: number;
}

/** The first words of the labels of faults. */
export const faultVerbs: ReadonlySet<string> = new Set<string>([...faultKinds, 'mend']);
/** Sums of two such numbers are exact. */
const modulus = 2 ** 52;
const plus = (a: number, b: number) => (a + b) % modulus;

export class StateKey {
  readonly #actors = new Map<string, ActorPart>();
  /** Over all actors. */
  #sum = 0;
  readonly #disks = new Map<string, number>();
  /** By operation and server: what came of its calls. */
  readonly #calls = new Map<string, number>();
  /** Of answers in flight: what the server held when they were made. */
  readonly #answers = new Map<string, number>();
  /** What happened in an order that counts. */
  #course = 0;

  see(records: readonly TraceRecord[]): void {
    for (const record of records) this.#see(record);
  }

  #see(record: TraceRecord): void {
    switch (record.kind) {
      case 'actor':
      case 'event':
      case 'step':
      case 'end':
        this.#chart(record);
        return;
      case 'choice': {
        const { label } = record;
        if (faultVerbs.has(label.split(' ', 1)[0] as string)) this.#follow(label);
        return;
      }
      case 'operation':
        this.#follow(`${record.operation} ${record.event}`);
        return;
      case 'contents':
        this.#follow(JSON.stringify([record.operation, record.seen, record.made]));
        return;
      case 'place': {
        const { server, shnum, before, after, operation } = record;
        this.#disk(server, JSON.stringify([shnum, before, after, operation]));
        return;
      }
      case 'server':
        this.#disk(record.server, `${record.event} ${record.shnum} ${record.field}`);
        return;
      case 'message': {
        const { event, id, operation, server, what } = record;
        const detail = JSON.stringify(record.detail);
        // Who reads twice is further than who has read once, and no chart says so.
        const call = `${operation} ${server}`;
        this.#calls.set(call, hashOf(`${this.#calls.get(call) ?? 0} ${event} ${what} ${detail}`));
        if (event !== 'arrived') return;
        this.#answers.set(id as string, hashOf(`${detail} ${this.#disks.get(server) ?? 0}`));
      }
    }
  }

  #follow(text: string): void {
    this.#course = hashOf(`${this.#course} ${text}`);
  }

  #disk(server: string, text: string): void {
    this.#disks.set(server, hashOf(`${this.#disks.get(server) ?? 0} ${text}`));
  }

  #chart(record: Of<'actor' | 'event' | 'step' | 'end'>): void {
    const { actor: path } = record;
    if (record.kind === 'actor') {
      const start = hashOf(JSON.stringify([path, record.chart, record.parent, record.input]));
      const part: ActorPart = {
        ...{ start, told: 0, state: '', since: record.at, context: 0, end: '', hash: 0 },
      };
      this.#actors.set(path, part);
    }
    if (record.kind !== 'event' && record.kind !== 'step' && serverOf(path) === undefined) {
      this.#follow(`${path} ${record.kind}`);
    }
    const part = this.#actors.get(path);
    if (part === undefined) return;
    if (record.kind === 'event') {
      part.told = plus(part.told, hashOf(JSON.stringify([record.type, record.data])));
    } else if (record.kind === 'step') {
      if (part.state !== record.state) part.since = record.at;
      part.state = record.state;
      part.context = hashOf(JSON.stringify(record.context));
    } else if (record.kind === 'end') part.end = JSON.stringify([record.status, record.output]);
    const { start, told, state, since, context, end } = part;
    const hash = hashOf(`${start} ${told} ${state} ${since} ${context} ${end}`);
    this.#sum = plus(plus(this.#sum, modulus - part.hash), hash);
    part.hash = hash;
  }

  /**
   * @param isTimed whether time may pass while a call is open. How long one is waited for depends on
   * the order in which others were answered; no matter, where each is answered before time passes.
   * @param more what else counts
   */
  of(world: World, facts: RunFacts, isTimed: boolean, more: string): string {
    // Messages of one server and operation keep their order: a crash breaks them off one by one.
    const messages = world.messages
      .map(({ id, operation, server, label, phase, isAbandoned, isDelayed, write }) => ({
        lane: `${server} ${operation}`,
        text: JSON.stringify([
          ...[label, phase, isAbandoned, isDelayed, write, this.#answers.get(id) ?? 0],
        ]),
      }))
      .sort((a, b) => (a.lane < b.lane ? -1 : a.lane > b.lane ? 1 : 0))
      .map(({ text }) => text);
    const servers = world.servers.map(({ id, shares, ...state }) => [
      ...[id, shares, state, this.#disks.get(id) ?? 0],
    ]);
    const time = `${world.now} ${isTimed || messages.length === 0 ? world.dues : ''}`;
    const calls = [...this.#calls].map(String).sort();
    const text = [
      this.#sum,
      ...calls,
      this.#course,
      JSON.stringify(servers),
      ...messages,
      time,
      more,
    ];
    const all = `${text.join('\n')}\n${remembered(facts)}`;
    return `${hashOf(all).toString(36)}-${hashOf(all, 1).toString(36)}`;
  }
}

/** The server or share that an actor is about; nothing for a coordinator. */
export function serverOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.includes(':') ? name.split(':')[1] : undefined;
}

/** What the properties know beside the charts, without the numbers of records. */
function remembered(facts: RunFacts): string {
  // Charts have their part of the key already.
  const { actors: _, active: __, ...others } = facts;
  const { operations, servers: ___, initialPlaces: ____, acknowledged, ...rest } = others;
  const known = [...operations.values()].map(operationPart);
  const writers = [...acknowledged].map(([version, { writer }]) => [version, writer]);
  return JSON.stringify([rest, known, writers], (_key, value) =>
    value instanceof Map || value instanceof Set ? [...value].map(plain).sort() : value,
  );
}

/** Of a map's entry: its values may be sets. */
function plain(entry: unknown): string {
  return JSON.stringify(entry, (_key, value) =>
    value instanceof Set ? [...value].map(String).sort() : value,
  );
}

function operationPart(operation: OperationFact) {
  const { spec, startedSeq: _, endedSeq: __, charts: ___, ...rest } = operation;
  return { name: spec.name, ...rest };
}

/** 52 bits of a text. */
export function hashOf(text: string, seed = 0): number {
  let [a, b] = [seed, ~seed];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = mixA(a, code);
    b = mixB(b, code);
  }
  return (a & 0x3ff_ffff) * 2 ** 26 + (b & 0x3ff_ffff);
}
