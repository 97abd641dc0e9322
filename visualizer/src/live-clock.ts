/**
 * @module live-clock: the time of a live run, which goes on while nothing is told.
 */
import { computed, effect, signal } from '@preact/signals';
import { connection } from './connection-store.ts';
import { type Arrival, timeAt } from './model/waiting.ts';
import { growth, recording } from './store.ts';

/** Null: nothing live has come yet. */
export const arrival = signal<Arrival | null>(null);
/** What the page's clock has shown last, in milliseconds. */
const clock = signal(0);
const tickMs = 250;

/** Whether something runs, as far as one can know. */
export const isGoingOn = computed(() => {
  void growth.value;
  const { model, isLive } = recording.value ?? {};
  return isLive === true && connection.value?.kind === 'running' && model?.run.running.size !== 0;
});

effect(() => {
  if (!isGoingOn.value) return undefined;
  const timer = setInterval(() => {
    const now = performance.now();
    // What comes shows the time itself; a backlog has no time to lose.
    if (now - (arrival.peek()?.clock ?? 0) >= tickMs) clock.value = now;
  }, tickMs);
  return () => clearInterval(timer);
});

/** How far the time of what is shown has come, in milliseconds: to its last record, or beyond. */
export const endTime = computed(() => {
  void growth.value;
  const told = recording.value?.model.records.at(-1)?.at ?? 0;
  const isLive = recording.value?.isLive === true;
  if (!isLive || arrival.value === null) return told;
  return Math.max(told, timeAt(arrival.value, clock.value));
});
