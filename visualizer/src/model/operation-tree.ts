/**
 * @module operation-tree: the operations of a recording as the rows of a tree, with what each of
 * them has invoked folded under it; and how they went, in words.
 */

import { shortState } from '../../../src/runtime/state-text.ts';
import { inWords } from './numbers.ts';
import type { Moment, Operation } from './run-model.ts';
import { type Gap, lookOf, type TraceModel, type Track } from './trace-model.ts';

export interface TreeRow {
  /** An operation's name, or an actor. Unique in its tree. */
  readonly id: string;
  readonly operation: Operation;
  /** Null: the operation itself. */
  readonly track: Track | null;
  /** From 1. */
  readonly level: number;
  /** Null: it has nothing below it. */
  readonly isOpen: boolean | null;
  /** Among the rows beside it: from 1, of `siblings`. */
  readonly place: number;
  readonly siblings: number;
  /** Not the operation is meant, but what is forgotten before it; or after it, if it is the last. */
  readonly gap: GapRow | null;
}

export interface GapRow {
  readonly records: number;
  /** Of the first record after it. */
  readonly position: number;
}

/** `2,919 records forgotten here` */
export function gapWords({ records }: Pick<Gap, 'records'>): string {
  return `${inWords(records)} ${records === 1 ? 'record' : 'records'} forgotten here`;
}

/** @param open ids of the rows whose children are shown */
export function treeRows(
  model: TraceModel,
  operations: readonly Operation[],
  open: ReadonlySet<string>,
): readonly TreeRow[] {
  const roots = new Map<string, Track[]>();
  for (const root of model.roots) {
    const list = roots.get(root.operation);
    if (list === undefined) roots.set(root.operation, [root]);
    else list.push(root);
  }
  const rows: TreeRow[] = [];
  const add = (operation: Operation, tracks: readonly Track[], level: number) => {
    for (const [i, track] of tracks.entries()) {
      const id = track.actor;
      const isOpen = track.children.length === 0 ? null : open.has(id);
      const [place, siblings] = [i + 1, tracks.length];
      rows.push({ id, operation, track, level, isOpen, place, siblings, gap: null });
      if (isOpen) add(operation, track.children, level + 1);
    }
  };
  // Where only some are looked for, it would not be here that something is left out.
  const gaps = operations.length < model.run.operations.size ? [] : gapRows(model, operations);
  const siblings = operations.length + gaps.filter(Boolean).length;
  let place = 0;
  const addGap = (i: number, operation: Operation) => {
    const gap = gaps[i];
    if (gap === undefined) return;
    const row = { operation, track: null, level: 1, isOpen: null };
    rows.push({ ...row, id: `gap ${gap.position}`, place: ++place, siblings, gap });
  };
  for (const [i, operation] of operations.entries()) {
    const { name: id } = operation;
    const below = belowOf(id, roots.get(id) ?? []);
    const isOpen = below.length === 0 ? null : open.has(id);
    const row = { operation, track: null, level: 1 };
    addGap(i, operation);
    rows.push({ ...row, id, isOpen, place: ++place, siblings, gap: null });
    if (isOpen) add(operation, below, 2);
  }
  const last = operations.at(-1);
  if (last !== undefined) addGap(operations.length, last);
  return rows;
}

/** By the index of the operation that begins next, how much is forgotten before that. */
function gapRows(
  { gaps }: TraceModel,
  operations: readonly Operation[],
): readonly (GapRow | undefined)[] {
  const rows: (GapRow | undefined)[] = [];
  let next = 0;
  for (const { position, records } of gaps) {
    while ((operations[next]?.started.position ?? Number.POSITIVE_INFINITY) <= position) next++;
    const before = rows[next];
    const first = before?.position ?? position + 1;
    rows[next] = { records: records + (before?.records ?? 0), position: first };
  }
  return rows;
}

/** A machine that is an operation by itself is not told twice. */
function belowOf(operation: string, roots: readonly Track[]): readonly Track[] {
  return roots.length === 1 && roots[0]?.actor === operation ? roots[0].children : roots;
}

/** How something went, never by colour alone. */
export interface Outcome {
  readonly word: string;
  readonly shape: string;
  readonly tone: 'good' | 'bad' | 'busy' | 'empty';
}

const outcomes: Readonly<Record<Operation['outcome'], Outcome>> = {
  running: { word: 'running', shape: '◌', tone: 'busy' },
  done: { word: 'done', shape: '✓', tone: 'good' },
  failed: { word: 'failed', shape: '✗', tone: 'bad' },
  cancelled: { word: 'cancelled', shape: '⊘', tone: 'empty' },
  killed: { word: 'killed', shape: '✗', tone: 'bad' },
};

/** In the order in which a person looks for them. */
export const outcomeKinds = ['failed', 'running', 'cancelled', 'killed', 'done'] as const;

/** @param isLive a recording that is over has nothing that still runs: its process was killed */
export function outcomeOf(
  { outcome, isCut = false }: Pick<Operation, 'outcome'> & Partial<Pick<Operation, 'isCut'>>,
  isLive: boolean,
): Outcome {
  if (outcome === 'running' && isCut) return { word: 'cut off', shape: '⋯', tone: 'empty' };
  if (outcome === 'running' && !isLive) return { ...outcomes.running, word: 'no end recorded' };
  return outcomes[outcome];
}

/** What a chart came to; its last state. */
export function outcomeOfTrack({ marks, end }: Track): Outcome {
  const state = marks.at(-1)?.state ?? '';
  const { tone, shape } = lookOf(state);
  const word = shortState(state);
  if (end?.status === 'stopped') return { word: `stopped in ${word}`, shape: '⊘', tone: 'empty' };
  return { word, shape, tone: tone === 'judging' || tone === 'idle' ? 'busy' : tone };
}

export interface Span {
  readonly from: number;
  /** Null: it goes on. */
  readonly to: number | null;
}

/** In milliseconds of the run. */
export function spanOf({ operation, track }: Pick<TreeRow, 'operation' | 'track'>): Span {
  const { started, ended, isCut, last } = operation;
  const cut = isCut ? last.at : null;
  if (track === null) return { from: started.at, to: ended?.at ?? cut };
  const from = (track.marks[0] as Moment | undefined)?.at ?? started.at;
  return { from, to: track.end?.at ?? cut };
}

/** `1,204 ms`; what goes on, up to `now`. */
export function durationWords({ from, to }: Span, now: number): string {
  const ms = Math.max(0, Math.round((to ?? now) - from));
  return `${inWords(ms)} ms${to === null ? ' so far' : ''}`;
}

/** The beginning of a storage index; enough to tell files apart. */
export function shortFile(file: string | null): string {
  return file === null ? '' : file.slice(0, 8);
}
