/**
 * @module recording-store: what of a recording is looked for, which operation is selected, and what
 * part of its time is in view.
 */
import { computed, effect, signal } from '@preact/signals';
import { endTime } from './live-clock.ts';
import { keeping, type View } from './model/lane-scale.ts';
import { named, nameOf } from './model/nicknames.ts';
import type { Operation } from './model/run-model.ts';
import { type Filters, noFilters, SearchIndex } from './model/search.ts';
import type { TraceModel, Track } from './model/trace-model.ts';
import { at, focusedChild, focusedRoot, goTo, growth, isPresent, recording } from './store.ts';

export const filters = signal<Filters>(noFilters);
/** Name of the operation that charts and lanes show; null: all that are found. */
export const selectedName = signal<string | null>(null);
/** Ids of the rows of the tree whose children are shown. */
export const openRows = signal<ReadonlySet<string>>(new Set());
/** What the lanes show, in milliseconds; null: all of it. */
export const view = signal<View | null>(null);
/** Of the lanes without their names, in pixels. */
export const viewWidth = signal(800);
/** What lanes in milliseconds do, once they are loaded. */
export const timeMoves = {
  zoom: (_factor: number): void => {},
  pan: (_share: number): void => {},
};

const model = computed<TraceModel | null>(() => recording.value?.model ?? null);
const index = computed(() => (model.value === null ? null : new SearchIndex(model.value)));

export const found = computed(() => {
  void growth.value;
  return index.value?.find(filters.value) ?? { operations: [], hits: [] };
});

export const selected = computed<Operation | null>(() => {
  void growth.value;
  return model.value?.run.operations.get(selectedName.value ?? '') ?? null;
});

/** The operations that the lanes show. */
export const inLanes = computed<readonly Operation[]>(() => {
  const { operations } = found.value;
  if (selected.value !== null) return [selected.value];
  return operations;
});

/** Whether lanes are in milliseconds. */
export const isTimed = computed(() => {
  void recording.value;
  return model.value?.run.isReal ?? false;
});

/** The time of the record that is looked at, in milliseconds. */
export const now = computed(() => {
  void recording.value;
  return model.value?.records[at.value]?.at ?? 0;
});

/** The same; at the present of a live run its own time, which goes on. */
export const timeNow = computed(() => (isPresent.value ? endTime.value : now.value));

// Another recording, other names. One that is live goes on, even if its process is another one.
let before = recording.peek();
effect(() => {
  const { value } = recording;
  const goesOn = value?.model === before?.model || (value?.isLive && before?.isLive);
  before = value;
  if (goesOn) return;
  filters.value = noFilters;
  selectedName.value = null;
  openRows.value = new Set();
  view.value = null;
});

// What is looked at stays in view.
effect(() => {
  const { value: time } = now;
  const shown = view.peek();
  if (shown !== null) view.value = keeping(shown, time, viewWidth.peek());
});

/** Names of everything that can be chosen in a filter. */
export const choices = computed(() => {
  void growth.value;
  const operations = [...(model.value?.run.operations.values() ?? [])];
  const files = new Set(operations.flatMap(({ file }) => (file === null ? [] : [file])));
  return { files: [...files], servers: [...(model.value?.servers ?? [])] };
});

export function nameOfServer(server: string): string {
  return nameOf(server, nicknames());
}

/** Words with ids of servers in them, as a person says them. */
export function withNames(words: string): string {
  return named(words, nicknames());
}

function nicknames(): ReadonlyMap<string, string> {
  return model.value?.run.nicknames ?? none;
}

const none: ReadonlyMap<string, string> = new Map();

/** Shows an operation alone, at its last record; the same again, or null: all of them. */
export function selectOperation(name: string | null): void {
  const isOff = name === null || name === selectedName.value;
  selectedName.value = isOff ? null : name;
  view.value = null;
  focusedChild.value = null;
  focusedRoot.value = null;
  const operation = selected.value;
  if (operation === null) return;
  focusedRoot.value =
    model.value?.roots.find((root) => root.operation === operation.name)?.actor ?? null;
  // Who looks at the present of what runs goes on with it.
  const isNow = isPresent.value && operation.ended === null;
  if (!isNow) goTo((operation.ended ?? operation.last).position - 1);
}

/** Goes to where something is told, with the chart that it is about. */
export function lookAt(operation: string, position: number, track: Track | null): void {
  if (selectedName.value !== operation) selectOperation(operation);
  goTo(position - 1);
  if (track === null) return;
  focusedRoot.value = track.isOneOfMany ? track.parent : track.actor;
  focusedChild.value = track.isOneOfMany ? track.actor : null;
}

/** To the next record that has the words, or the one before; from the last one to the first. */
export function goToHit(direction: 1 | -1): void {
  const { hits } = found.value;
  const next =
    direction > 0
      ? (hits.find((hit) => hit > at.value) ?? hits[0])
      : (hits.findLast((hit) => hit < at.value) ?? hits.at(-1));
  const record = next === undefined ? undefined : model.value?.records[next];
  if (next === undefined || record === undefined) return;
  const track = 'actor' in record ? (model.value?.tracks.get(record.actor) ?? null) : null;
  const operation = track?.operation ?? ('operation' in record ? record.operation : null);
  if (operation !== null) lookAt(operation, next + 1, track);
}

export function toggleRow(id: string): void {
  const rows = new Set(openRows.value);
  if (!rows.delete(id)) rows.add(id);
  openRows.value = rows;
}
