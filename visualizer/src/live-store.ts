/**
 * @module live-store: a live run, put into what the page shows: once per animation frame, however
 * many records have come.
 */
import { batch, effect } from '@preact/signals';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import { connection, lookAgain, missing } from './connection-store.ts';
import { LiveRun } from './live.ts';
import { arrival } from './live-clock.ts';
import { nothingMissing } from './model/connection.ts';
import { makeRoom, placeIn } from './model/room.ts';
import { addRecords, at, isPresent, last, notice, openRecording, recording } from './store.ts';

let watched: LiveRun | undefined;

/** @param address `127.0.0.1:PORT/TOKEN` */
export function watch(address: string): void {
  watched?.stop();
  const queue = new FrameQueue();
  let runs = 0;
  const open = () =>
    batch(() => {
      arrival.value = null;
      openRecording('a run in Node', [], true);
    });
  open();
  watched = new LiveRun(address, {
    onState: (state) => {
      if (JSON.stringify(state) !== JSON.stringify(connection.value)) connection.value = state;
    },
    onRun: ({ keep, gone }) => {
      queue.clear();
      missing.value = { ...nothingMissing, keep, operations: gone.operations };
      if (++runs > 1) open();
      recording.value?.model.expectGaps(gone.records);
      if (runs === 1) return;
      notice.value = 'Another process has taken the place of the one before: this is its run.';
    },
    onRecords: ({ records, missing: left, isBehind }) => {
      if (left > 0) missing.value = { ...missing.value, records: missing.value.records + left };
      queue.add(records, isBehind);
    },
    onProblem: (problem) => {
      notice.value = problem;
    },
  });
  lookAgain.value = () => watched?.start();
  watched.start();
}

// Something else is opened.
effect(() => {
  if (recording.value?.isLive === true) return;
  watched?.stop();
  watched = undefined;
  connection.value = null;
  arrival.value = null;
  missing.value = nothingMissing;
});

/** A page in the background draws nothing; it listens all the same, in milliseconds. */
const unseenMs = 1000;
/** How much of the time goes into showing what has come: little, since a backlog waits for it. */
const shownShare = 0.1;
/** But so often something is seen to move, in milliseconds, if that leaves most of the time. */
const [restMs, shareMax] = [300, 0.25];
/** The same of what was past when the page connected: there is more to come at once. */
const restBehindMs = 1500;

/** @param ms that it took to show something */
function pauseAfter(ms: number, isBehind: boolean): number {
  const atLeast = ms * (1 / shareMax - 1);
  if (isBehind) return Math.max(restBehindMs, atLeast);
  return Math.min(ms * (1 / shownShare - 1), Math.max(restMs, atLeast));
}

class FrameQueue {
  #records: TraceRecord[] = [];
  /** Something is about to be shown, or was just shown. */
  #isDue = false;
  #isBehind = false;
  #rest: ReturnType<typeof setTimeout> | undefined;

  add(records: readonly TraceRecord[], isBehind: boolean): void {
    for (const record of records) this.#records.push(record);
    const hasCaughtUp = this.#isBehind && !isBehind;
    this.#isBehind = isBehind;
    if (hasCaughtUp && this.#rest !== undefined) this.#endRest();
    else this.#schedule();
  }

  clear(): void {
    this.#records = [];
  }

  #schedule(): void {
    if (this.#isDue || this.#records.length === 0) return;
    this.#isDue = true;
    if (document.hidden) setTimeout(() => this.#apply(), unseenMs);
    else requestAnimationFrame(() => this.#apply());
  }

  #apply(): void {
    const began = performance.now();
    const records = this.#records;
    this.#records = [];
    apply(records);
    // Runs when the page is drawn. A stream that never ends must leave it time to be read.
    setTimeout(() => {
      const pause = pauseAfter(performance.now() - began, this.#isBehind);
      this.#rest = setTimeout(() => this.#endRest(), pause);
    });
  }

  #endRest(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    this.#isDue = false;
    this.#schedule();
  }
}

function apply(records: readonly TraceRecord[]): void {
  const { at: told } = records.at(-1) ?? {};
  if (told === undefined) return;
  batch(() => {
    // With the records: each change draws.
    arrival.value = { at: told, clock: performance.now() };
    addRecords(records);
  });
  const { value } = recording;
  const room = value === null ? null : makeRoom(value.model);
  if (value === null || room === null) return;
  const { droppedRecords, droppedOperations } = missing.value;
  missing.value = {
    ...missing.value,
    droppedRecords: droppedRecords + room.records,
    droppedOperations: droppedOperations + room.operations,
  };
  const seq = isPresent.value ? null : value.model.records[at.value]?.seq;
  recording.value = { ...value, model: room.model };
  at.value = seq == null ? last.value : placeIn(room.model, seq);
}
