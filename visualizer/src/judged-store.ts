/**
 * @module judged-store: what must hold of every run, judged of the recording that is open: a file
 * at once, a live run whenever it is at rest or when somebody asks. In the engine's worker: the
 * page neither waits for it nor has the properties from the start.
 */
import { computed, effect, signal } from '@preact/signals';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import { type JudgedWords, judgedWords } from './model/judged-words.ts';
import { engine, recording } from './store.ts';

/** A live run that has told nothing for so long is at rest. */
const restMs = 1000;

interface Judged {
  /** The first record of what was judged, so that nobody takes it for another run's. */
  readonly of: TraceRecord | undefined;
  /** Its last record's number. */
  readonly upTo: number;
  readonly words: JudgedWords;
}

const latest = signal<Judged | null>(null);
export const isJudging = signal(false);

/** Null: nothing has been judged yet. */
export const judged = computed<JudgedWords | null>(() => {
  const { value } = latest;
  return value?.of === recording.value?.model.records[0] ? (value?.words ?? null) : null;
});

/** How many records of the run have come since it was judged. */
export const unjudged = computed<number>(() => {
  const records = recording.value?.model.records ?? [];
  if (judged.value === null) return records.length;
  return records.length - countUpTo(records, latest.value?.upTo ?? -1);
});

function countUpTo(records: readonly TraceRecord[], seq: number): number {
  return records.findLastIndex((record) => record.seq <= seq) + 1;
}

engine.start();
let resting: ReturnType<typeof setTimeout> | undefined;

effect(() => {
  const { value } = recording;
  clearTimeout(resting);
  if (value !== null) resting = setTimeout(judge, value.isLive ? restMs : 0);
});

/** All that has come of it so far; nothing when that is known already. */
export async function judge(): Promise<void> {
  const { records = [] } = recording.value?.model ?? {};
  const [of, last] = [records[0], records.at(-1)];
  if (isJudging.value || last === undefined || unjudged.value === 0) return;
  isJudging.value = true;
  const upTo = last.seq;
  try {
    const answer = await engine.request({ kind: 'judge', records });
    if (answer.kind === 'judged') latest.value = { of, upTo, words: judgedWords(answer.judgement) };
  } catch (error) {
    const { message } = error as Error;
    latest.value = { of, upTo, words: judgedWords({ kind: 'refused', problem: message }) };
  } finally {
    isJudging.value = false;
    // Another recording was opened meanwhile.
    if (judged.value === null) void judge();
  }
}
