/**
 * @module waiting: for whom charts wait, and how long they still may: the deadlines of a grid, and
 * the time of a run that goes on while nothing is told.
 */
import type { Deadlines } from '../../../machines/io.ts';
import type { Operation } from './run-model.ts';
import type { TraceModel, Track } from './trace-model.ts';

interface Wait {
  /** What it is called in a grid. */
  readonly deadline: keyof Deadlines;
  readonly words: string;
}

/** By chart and state. */
const waits: Readonly<Record<string, Wait>> = {
  'serverQuery querying': { deadline: 'queryMs', words: 'query' },
  'serverQuery verifying': { deadline: 'verifyMs', words: 'verifying' },
  'shareWrite writing': { deadline: 'writeMs', words: 'write' },
  'shareWrite rereading': { deadline: 'readMs', words: 'rereading' },
  'shareWrite checkingClaim': { deadline: 'readMs', words: 'read' },
  'blockRead reading': { deadline: 'readMs', words: 'read' },
};

/** @returns milliseconds that it has in that state, and what for; nothing: as long as it likes */
export function waitOf(
  model: TraceModel,
  track: Track,
  state: string,
): { readonly ms: number; readonly words: string } | undefined {
  const { grids, operations } = model.run;
  const grid = operations.get(track.operation)?.grid;
  const facts = grids.get(grid ?? '') ?? (grids.size === 1 ? [...grids.values()][0] : undefined);
  const name = `${track.marks[0]?.chart} ${state.slice(state.lastIndexOf('.') + 1)}`;
  const wait = Object.hasOwn(waits, name) ? waits[name] : undefined;
  if (facts === undefined || wait === undefined) return undefined;
  const ms = facts.deadlines[wait.deadline];
  return ms === undefined ? undefined : { ms, words: wait.words };
}

/** A chart that waits for a server. */
export interface Waiting {
  readonly track: Track;
  readonly server: string;
  /** What the deadline is of. */
  readonly words: string;
  /** When it is over, in milliseconds of the run. */
  readonly at: number;
}

/** Who waits at the end of what is known of an operation that runs; the next deadline first. */
export function waitingOf(model: TraceModel, operation: Operation): readonly Waiting[] {
  if (operation.ended !== null) return [];
  const all: Waiting[] = [];
  const visit = (track: Track) => {
    for (const child of track.children) visit(child);
    const state = track.marks.at(-1)?.state;
    if (track.end !== null || track.server === null || state === undefined) return;
    const wait = waitOf(model, track, state);
    const began = track.marks.findLastIndex((mark) => mark.state !== state) + 1;
    const from = track.marks[began]?.at;
    if (wait === undefined || from === undefined) return;
    all.push({ track, server: track.server, words: wait.words, at: from + wait.ms });
  };
  for (const root of model.roots) if (root.operation === operation.name) visit(root);
  return all.sort((a, b) => a.at - b.at);
}

/** `the deadline of its query is in 5.2 s` */
export function deadlineWords({ words, at }: Pick<Waiting, 'words' | 'at'>, now: number): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  if (at < now) return `the deadline of its ${words} was ${seconds(now - at)} ago`;
  return `the deadline of its ${words} is in ${seconds(at - now)}`;
}

/** When the last record came, by a clock of the page, and the time that it tells of the run. */
export interface Arrival {
  readonly at: number;
  readonly clock: number;
}

/** The time of a run that goes on, at `clock`; in milliseconds. Silence takes time as well. */
export function timeAt(arrival: Arrival, clock: number): number {
  return arrival.at + Math.max(0, clock - arrival.clock);
}
