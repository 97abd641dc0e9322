/**
 * @module time-lanes: where the lanes of a real run are and what is in them, in milliseconds to the
 * right and pixels down. What lies beside one another in time lies below one another in its lane.
 */
import { shortState } from '../../../src/runtime/state-text.ts';
import { named } from './nicknames.ts';
import { inWords } from './numbers.ts';
import { durationWords, outcomeOf, shortFile, spanOf } from './operation-tree.ts';
import type { Call, Operation } from './run-model.ts';
import { lookOf, type TraceModel, type Track } from './trace-model.ts';
import { waitOf } from './waiting.ts';

export interface LaneRow {
  readonly key: string;
  /** Of a server its nickname, if it has one. */
  readonly name: string;
  readonly title: string;
  readonly kind: 'operation' | 'chart' | 'server';
  readonly y: number;
  readonly height: number;
}

export interface LaneBar {
  readonly key: string;
  readonly y: number;
  readonly height: number;
  readonly from: number;
  /** Null: it goes on. */
  readonly to: number | null;
  /** When the next bar beside it begins; null: there is none. */
  next: number | null;
  readonly tone: string;
  readonly shape: string;
  readonly words: string;
  readonly title: string;
  /** Number of records up to its beginning. */
  readonly position: number;
  readonly operation: string;
  /** Null: the operation itself. */
  readonly actor: string | null;
}

export interface LaneCall {
  readonly key: string;
  /** Of the lane of the operation, and of the place in the server's. */
  readonly fromY: number;
  readonly y: number;
  readonly from: number;
  readonly to: number | null;
  readonly fate: Call['fate'];
  readonly title: string;
  readonly position: number;
  readonly operation: string;
}

/** A server has until `at` to answer what was asked at `from`. */
export interface LaneDeadline {
  readonly key: string;
  readonly y: number;
  readonly height: number;
  readonly from: number;
  /** When the wait was over; null: it goes on. */
  readonly to: number | null;
  readonly at: number;
  readonly title: string;
}

export interface TimeLanes {
  readonly rows: readonly LaneRow[];
  readonly bars: readonly LaneBar[];
  readonly calls: readonly LaneCall[];
  readonly deadlines: readonly LaneDeadline[];
  readonly height: number;
}

export interface LanesAsked {
  /** In the order of their beginning. */
  readonly operations: readonly Operation[];
  /** That one is opened into its charts: there are no others then. */
  readonly isOne: boolean;
  /** Null: all that these operations have had to do with. */
  readonly server: string | null;
  readonly isLive: boolean;
}

export const axisHeight = 20;
const [barHeight, callHeight, padding] = [16, 5, 2];
/** Beyond that they lie over one another: selecting one shows it alone. */
const [operationSlots, barSlots, callSlots] = [8, 4, 3];

export function timeLanes(model: TraceModel, asked: LanesAsked): TimeLanes {
  const { operations, isOne, isLive } = asked;
  const rows: LaneRow[] = [];
  const bars: LaneBar[] = [];
  const calls: LaneCall[] = [];
  const deadlines: LaneDeadline[] = [];
  let y = axisHeight;
  const addRow = (
    kind: LaneRow['kind'],
    key: string,
    name: string,
    title: string,
    rest: number,
  ) => {
    const height = rest + 2 * padding;
    rows.push({ key, name, title, kind, y, height });
    y += height;
    return y - height + padding;
  };

  // Operations: one after the other in a lane, or the only one with a lane for each of its charts.
  const tracks = tracksOf(model, operations);
  const operationY = new Map<string, number>();
  const slots = new Slots(isOne ? 1 : operationSlots);
  const placed = operations.map((operation) => {
    const { from, to } = spanOf({ operation, track: null });
    return [operation, slots.place(from, to)] as const;
  });
  const tops = Array.from({ length: slots.count }, (_, slot) =>
    addRow('operation', `operations ${slot}`, slot === 0 ? firstName(asked) : '', '', barHeight),
  );
  for (const [operation, slot] of placed) {
    const top = tops[slot] as number;
    operationY.set(operation.name, top + barHeight / 2);
    bars.push(barOfOperation(operation, top, isLive));
  }
  if (isOne) {
    for (const track of tracks.filter(({ isOneOfMany }) => !isOneOfMany)) {
      const name = track.actor.slice(track.operation.length + 1) || track.actor;
      const top = addRow('chart', track.actor, name.split('/').at(-1) as string, name, barHeight);
      bars.push(...barsOf(track, top));
    }
  }

  // Servers: charts that talk to them, and below these the calls.
  const children = byServer(tracks, ({ server }) => server);
  const sent = byServer(
    operations.flatMap((operation) => operation.calls),
    ({ server }) => server,
  );
  for (const server of model.servers) {
    const [own, ownCalls] = [children.get(server) ?? [], sent.get(server) ?? []];
    if (own.length + ownCalls.length === 0) continue;
    if (asked.server !== null && asked.server !== server) continue;
    const barSlot = new Slots(barSlots);
    const ownBars = own.map((track) => {
      const { from, to } = spanOf({ operation: operationWith(model, track), track });
      return [track, barSlot.place(from, to)] as const;
    });
    const callSlot = new Slots(callSlots);
    const placedCalls = ownCalls.map(
      (call) => [call, callSlot.place(call.sent.at, call.ended?.at ?? null)] as const,
    );
    const nickname = model.run.nicknames.get(server);
    const height = barSlot.count * barHeight + callSlot.count * callHeight;
    const title = nickname === undefined ? server : `${nickname} (${server})`;
    const top = addRow('server', server, nickname ?? server, title, height);
    for (const [track, slot] of ownBars) {
      const barY = top + slot * barHeight;
      bars.push(...barsOf(track, barY));
      deadlines.push(...deadlinesOf(model, track, barY));
    }
    for (const [call, slot] of placedCalls) {
      const callY = top + barSlot.count * barHeight + slot * callHeight;
      calls.push(laneCall(call, operationY.get(call.operation) ?? callY, callY, title));
    }
  }
  const { nicknames } = model.run;
  const withNames = <Drawn extends { readonly title: string }>(drawn: Drawn): Drawn => ({
    ...drawn,
    title: named(drawn.title, nicknames),
  });
  return {
    ...{ rows, bars: linked(bars).map(withNames), calls, height: y },
    deadlines: deadlines.map(withNames),
  };
}

function firstName({ isOne, operations: [only] }: LanesAsked): string {
  return isOne && only !== undefined ? only.name : 'operations';
}

function tracksOf(model: TraceModel, operations: readonly Operation[]): readonly Track[] {
  const names = new Set(operations.map(({ name }) => name));
  return [...model.tracks.values()].filter(
    ({ operation, marks }) => names.has(operation) && marks.length > 0,
  );
}

function operationWith(model: TraceModel, { operation }: Track): Operation {
  return model.run.operations.get(operation) as Operation;
}

function byServer<T>(
  list: readonly T[],
  serverOf: (value: T) => string | null,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const value of list) {
    const server = serverOf(value);
    if (server === null) continue;
    const group = groups.get(server);
    if (group === undefined) groups.set(server, [value]);
    else group.push(value);
  }
  return groups;
}

/** Places below one another for what overlaps in time. */
class Slots {
  readonly #ends: number[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#ends.length;
  }

  place(from: number, to: number | null): number {
    const free = this.#ends.findIndex((end) => end <= from);
    const slot = free >= 0 ? free : this.count < this.#max ? this.count : this.#earliest();
    this.#ends[slot] = Math.max(this.#ends[slot] ?? 0, to ?? Number.POSITIVE_INFINITY);
    return slot;
  }

  /** Where it lies over the least. */
  #earliest(): number {
    return this.#ends.indexOf(Math.min(...this.#ends));
  }
}

// --- bars ---------------------------------------------------------------------------------------

function barOfOperation(operation: Operation, y: number, isLive: boolean): LaneBar {
  const { name, kind, file, started, error } = operation;
  const { word, shape, tone } = outcomeOf(operation, isLive);
  const span = spanOf({ operation, track: null });
  const about = [kind ?? name, shortFile(file)].filter(Boolean).join(' ');
  const problem = error === null ? '' : `: ${error.name}: ${error.message}`;
  const lasted = span.to === null ? '' : `, ${durationWords(span, span.to)}`;
  return {
    ...{ key: name, y, height: barHeight, ...span, next: null, tone, shape, words: about },
    ...{ title: `${name} ${word}${lasted}${problem}`, position: started.position },
    ...{ operation: name, actor: null },
  };
}

/** A bar from state to state; one as long as the state stays. */
function barsOf({ marks, end, actor, operation }: Track, y: number): LaneBar[] {
  const bars: LaneBar[] = [];
  for (let i = 0; i < marks.length; i++) {
    const mark = marks[i] as Track['marks'][number];
    while (marks[i + 1]?.state === mark.state) i++;
    const { tone, shape } = lookOf(mark.state);
    const to = marks[i + 1]?.at ?? end?.at ?? null;
    const words = shortState(mark.state);
    const lasted = to === null ? '' : `, ${durationWords({ from: mark.at, to }, to)}`;
    bars.push({
      ...{ key: `${actor} ${i}`, y, height: barHeight, from: mark.at, to, next: null },
      ...{ tone, shape, words, title: `${actor}: ${mark.state}${lasted}` },
      ...{ position: mark.position, operation, actor },
    });
  }
  return bars;
}

/** In the order of places and times; each learns where the next one of its place begins. */
function linked(bars: LaneBar[]): readonly LaneBar[] {
  bars.sort((a, b) => a.y - b.y || a.from - b.from || a.position - b.position);
  for (const [i, bar] of bars.entries()) {
    const next = bars[i + 1];
    if (next?.y === bar.y) bar.next = next.from;
  }
  return bars;
}

// --- calls --------------------------------------------------------------------------------------

function laneCall(call: Call, fromY: number, y: number, server: string): LaneCall {
  const { id, sent, ended, fate, operation } = call;
  return {
    ...{ key: id, fromY, y, from: sent.at, to: ended?.at ?? null, fate, operation },
    ...{ title: `${server}: ${callWords(call)}`, position: (ended ?? sent).position },
  };
}

/** `write sh0 sh1: 1,204 bytes sent, 48 received, 35 ms` */
export function callWords(call: Call): string {
  const { what, sent, ended, fate, bytesSent, bytesReceived, error } = call;
  const isLost = fate === 'lost' || fate === 'abandoned';
  const words = [
    bytesSent === null ? '' : `${inWords(bytesSent)} bytes sent`,
    bytesReceived === null ? '' : `${inWords(bytesReceived)} received`,
    ended === null ? 'no answer yet' : durationWords({ from: sent.at, to: ended.at }, ended.at),
    isLost ? [fate, error].filter(Boolean).join(': ') : '',
  ];
  return `${what}: ${words.filter(Boolean).join(', ')}`;
}

// --- deadlines ----------------------------------------------------------------------------------

function deadlinesOf(model: TraceModel, track: Track, y: number): LaneDeadline[] {
  return barsOf(track, y).flatMap(({ key, from, to, words, height }) => {
    const wait = waitOf(model, track, words);
    if (wait === undefined) return [];
    const title = `${track.actor}: the deadline of ${words}, ${inWords(wait.ms)} ms`;
    return [{ key: `${key} deadline`, y, height, from, to, at: from + wait.ms, title }];
  });
}

/** The first of those that are ahead of who waits; null: nobody waits. */
export function nextDeadline({ deadlines }: Pick<TimeLanes, 'deadlines'>, now: number) {
  const ahead = deadlines.filter(({ to, at }) => to === null && at >= now).map(({ at }) => at);
  return ahead.length === 0 ? null : Math.min(...ahead);
}

/** Records of one deadline are a little apart in time. */
const timerSlack = 0.02;

/**
 * Whether a deadline tells something when the run is looked at at `now`: somebody waits, or has
 * waited for so long. Of the others there are too many, and none of them mattered.
 */
export function isTelling({ from, to, at }: LaneDeadline, now: number): boolean {
  return to === null || to >= at - (at - from) * timerSlack || (from <= now && now < to);
}
