/**
 * @module trace-model: a trace folded into tracks, one per chart, so that the state of everything
 * at any record is found by bisection; operations, storage calls and grids are in its `run`. Records are only ever added: a live run grows.
 *
 * A position is a number of records: at position p the first p records have happened.
 */
import { transitionId } from '../../../src/inspector/chart.ts';
import { operationOfActor } from '../../../src/inspector/operation-records.ts';
import { leavesOf } from '../../../src/runtime/state-text.ts';
import { summaryOf } from '../../../src/runtime/summary-of.ts';
import type { Json, TakenTransition } from '../../../src/runtime/trace.ts';
import type { TraceRecord } from '../../../src/simulation/world.ts';
import { type Moment, RunModel } from './run-model.ts';

/** The chart was there from `position` on in this state, until the next mark. */
export interface Mark extends Moment {
  readonly state: string;
  readonly event: string;
  /** Ids of the transitions that were taken. */
  readonly transitions: readonly string[];
  /** Of the machine; its summary is in `context`. */
  readonly chart: string;
  readonly context: Json;
}

export interface Track {
  readonly actor: string;
  /** What picture to draw. */
  chart: string;
  readonly parent: string | null;
  /** Whose operation: the first part of the path. */
  readonly operation: string;
  /** Of a child: `s3`, or `s3:0` for a write. */
  readonly key: string;
  /** Of a child that talks to one server. */
  server: string | null;
  readonly marks: Mark[];
  readonly children: Track[];
  /** Whether it stands for one server or share. */
  readonly isOneOfMany: boolean;
  end: (Moment & { readonly status: string }) | null;
}

/** Something that went from one lane to another. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly start: number;
  end: number | null;
  readonly what: string;
  fate: 'underway' | 'arrived' | 'lost';
  readonly isAnswer: boolean;
}

/** Whether it lets coordinators work, and does nothing meanwhile. */
export function isManager({ children }: Track): boolean {
  return children.some(({ isOneOfMany }) => !isOneOfMany);
}

/** Records that are in no trace any more: their numbers are left out. */
export interface Gap {
  /** How many records are before it. */
  readonly position: number;
  /** Of the records beside it, in milliseconds of the run. */
  readonly from: number;
  readonly to: number;
  readonly records: number;
}

export class TraceModel {
  readonly records: TraceRecord[] = [];
  readonly tracks = new Map<string, Track>();
  /** One per operation, in the order of their beginning. */
  readonly roots: Track[] = [];
  /** Every track but those of single servers and shares, in the order of their beginning. */
  readonly coordinators: Track[] = [];
  readonly operations: string[] = [];
  readonly servers = new Set<string>();
  readonly arrows: Arrow[] = [];
  /** Operations, storage calls, grids and charts, with their milliseconds. */
  readonly run = new RunModel();
  /** Whether columns are choices; otherwise every record has one. */
  readonly byStep: boolean;
  /** Of a real run, in their order. */
  readonly gaps: Gap[] = [];
  #expected = 0;
  readonly #requests = new Map<string, Arrow>();
  readonly #known = new Set<string>();
  #columns = 0;

  constructor(byStep: boolean) {
    this.byStep = byStep;
  }

  /** One more than the last column. */
  get columns(): number {
    return this.#columns;
  }

  /** @param records so many of those that will be left out are of whole operations that had ended */
  expectGaps(records: number): void {
    this.#expected = records;
  }

  /** The charts of an operation that talk to a server, in the order of their beginning. */
  asking(operation: string, server: string): readonly Track[] {
    return [...this.tracks.values()].filter(
      (track) => track.operation === operation && track.server === server,
    );
  }

  add(records: readonly TraceRecord[]): void {
    for (const record of records) this.#add(record);
  }

  #add(record: TraceRecord): void {
    this.#noteGap(record);
    const position = this.records.push(record);
    const column = this.byStep ? record.step : position - 1;
    this.#columns = column + 1;
    const moment: Moment = { position, column, at: record.at };
    this.run.add(record, moment, this.gaps.length > 0);
    switch (record.kind) {
      case 'header':
        this.#addServers(record.about);
        break;
      case 'grid':
        this.#addServers(record);
        break;
      case 'actor':
        this.#addTrack(record.actor, record.chart, record.parent);
        break;
      case 'step':
        this.#addStep(record, moment);
        break;
      case 'end': {
        const track = this.tracks.get(record.actor);
        if (track !== undefined) track.end = { ...moment, status: record.status };
        break;
      }
      case 'event':
        this.#addEvent(record, column);
        break;
      case 'message':
        this.#addMessage(record, column);
        break;
    }
  }

  #noteGap({ seq, at }: TraceRecord): void {
    const before = this.records.at(-1);
    const records = seq - (before?.seq ?? -1) - 1;
    if (records <= 0 || !this.run.isReal) return;
    this.gaps.push({ position: this.records.length, from: before?.at ?? 0, to: at, records });
    if (records > this.#expected) this.run.cut();
    this.#expected = Math.max(0, this.#expected - records);
  }

  #addServers(about: unknown): void {
    const { servers } = (about ?? {}) as { servers?: readonly ({ id?: unknown } | null)[] };
    if (!Array.isArray(servers)) return;
    for (const server of servers) {
      if (typeof server?.id === 'string') this.servers.add(server.id);
    }
  }

  #addTrack(actor: string, chart: string, parent: string | null): void {
    const segments = actor.split('/');
    const last = segments.at(-1) as string;
    const operation = operationOfActor(actor);
    // A root may be called anything.
    const isOneOfMany = segments.length > 1 && last.includes(':');
    const key = isOneOfMany ? last.slice(last.indexOf(':') + 1) : last;
    const track: Track = {
      ...{ actor, chart, parent, operation, key, isOneOfMany },
      ...{ server: null, marks: [], children: [], end: null },
    };
    this.tracks.set(actor, track);
    const above = parent === null ? undefined : this.tracks.get(parent);
    if (above === undefined) this.roots.push(track);
    else above.children.push(track);
    if (!isOneOfMany) this.coordinators.push(track);
    if (!this.#known.has(operation)) {
      this.#known.add(operation);
      this.operations.push(operation);
    }
  }

  #addStep(record: Extract<TraceRecord, { kind: 'step' }>, moment: Moment): void {
    if (!this.tracks.has(record.actor) && this.gaps.length > 0) this.#addHeadless(record);
    const track = this.tracks.get(record.actor);
    if (track === undefined) return;
    if (track.marks.length === 0) this.#name(track, record);
    const { state, event, chart, context } = record;
    const transitions = record.transitions.map(idOf);
    track.marks.push({ ...moment, state, event, transitions, chart, context });
  }

  /** Of an actor whose beginning is forgotten. */
  #addHeadless({ actor, chart }: Extract<TraceRecord, { kind: 'step' }>): void {
    const above = actor.slice(0, Math.max(0, actor.lastIndexOf('/')));
    this.#addTrack(actor, chart, this.tracks.has(above) ? above : null);
  }

  /** What only the first context tells: the server of a child, the rule of an update. */
  #name(track: Track, step: Pick<Mark, 'chart' | 'context'>): void {
    const { rule, statuses } = summaryOf(step, 'servermapUpdate') ?? {};
    const { server } =
      summaryOf(step, 'serverQuery') ??
      summaryOf(step, 'shareWrite') ??
      summaryOf(step, 'blockRead') ??
      {};
    if (rule !== undefined && rule !== 'ours') track.chart = `${track.chart} (old rule)`;
    if (typeof statuses === 'object' && statuses !== null) {
      for (const id of Object.keys(statuses)) this.servers.add(id);
    }
    if (typeof server !== 'string') return;
    track.server = server;
    this.servers.add(server);
  }

  /** A child's report, when no messages were recorded. */
  #addEvent(
    { actor, source, type }: Extract<TraceRecord, { kind: 'event' }>,
    column: number,
  ): void {
    if (this.byStep || source === null) return;
    const [from, to] = [this.tracks.get(source), this.tracks.get(actor)];
    if (from?.server == null || to === undefined) return;
    this.arrows.push({
      ...{ from: from.server, to: to.operation, start: column, end: column },
      ...{ what: type, fate: 'arrived', isAnswer: true },
    });
  }

  #addMessage(
    { event, id, operation, server, what }: Extract<TraceRecord, { kind: 'message' }>,
    column: number,
  ): void {
    const request = this.#requests.get(id ?? '');
    if (event === 'sent' && id !== null) {
      const arrow: Arrow = {
        ...{ from: operation, to: server, start: column, end: null, what },
        ...{ fate: 'underway', isAnswer: false },
      };
      this.#requests.set(id, arrow);
      this.arrows.push(arrow);
    } else if (event === 'arrived' && request !== undefined) {
      Object.assign(request, { end: column, fate: 'arrived' });
      const arrow: Arrow = {
        ...{ from: server, to: operation, start: column, end: null, what },
        ...{ fate: 'underway', isAnswer: true },
      };
      this.#requests.set(id as string, arrow);
      this.arrows.push(arrow);
    } else if (event === 'delivered' && request !== undefined) {
      Object.assign(request, { end: column, fate: 'arrived' });
    } else if (event === 'dropped' || event === 'lost' || event === 'abandoned') {
      if (request?.end === null) Object.assign(request, { end: column, fate: 'lost' });
    }
  }
}

/** The last mark at `position`; nothing when the chart has not begun. */
export function markAt({ marks }: Track, position: number): Mark | undefined {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle] as Mark).position <= position) low = middle + 1;
    else high = middle;
  }
  return marks[low - 1];
}

/** Whether the chart has ended by then. */
export function isEnded({ end }: Track, position: number): boolean {
  return end !== null && end.position <= position;
}

function idOf({ source, event, index }: TakenTransition): string {
  return transitionId(source, event, index);
}

/** What a state means to a person who skims: a word, a shape and a class. */
export interface Look {
  readonly tone: 'idle' | 'busy' | 'judging' | 'good' | 'empty' | 'bad';
  readonly shape: string;
}

const looks: Readonly<Record<string, Look>> = {
  unasked: { tone: 'idle', shape: '·' },
  asked: { tone: 'busy', shape: '◌' },
  querying: { tone: 'busy', shape: '◌' },
  writing: { tone: 'busy', shape: '◌' },
  reading: { tone: 'busy', shape: '◌' },
  rereading: { tone: 'judging', shape: '◐' },
  checkingClaim: { tone: 'judging', shape: '◐' },
  verifying: { tone: 'judging', shape: '◐' },
  weighing: { tone: 'judging', shape: '◐' },
  good: { tone: 'good', shape: '✓' },
  accepted: { tone: 'good', shape: '✓' },
  delivered: { tone: 'good', shape: '✓' },
  held: { tone: 'good', shape: '✓' },
  done: { tone: 'good', shape: '✓' },
  published: { tone: 'good', shape: '✓' },
  unchanged: { tone: 'good', shape: '✓' },
  empty: { tone: 'empty', shape: '○' },
};
const badStates = new Set([
  ...['corrupt', 'failed', 'surprised', 'yielding', 'refused', 'unknown'],
  ...['uncoordinated', 'indeterminate'],
  ...[
    'notEnoughServers',
    'notEnoughShares',
    'undeliverable',
    'newerVersionSeen',
    'unprepared',
    'gaveUp',
    'threw',
  ],
  ...['cancelled'],
]);

/** Of several regions, the first that looks bad, or else the first. */
export function lookOf(state: string): Look {
  const all = leavesOf(state).map(lookOfLeaf);
  return all.find(({ tone }) => tone === 'bad') ?? (all[0] as Look);
}

function lookOfLeaf(leaf: string): Look {
  const last = leaf.slice(leaf.lastIndexOf('.') + 1);
  // In a trace that somebody sent a state may be called anything, `constructor` too.
  const known = Object.hasOwn(looks, last) ? looks[last] : undefined;
  if (known !== undefined) return known;
  return badStates.has(last) ? { tone: 'bad', shape: '✗' } : { tone: 'busy', shape: '◌' };
}
