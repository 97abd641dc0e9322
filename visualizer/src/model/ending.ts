/**
 * @module ending: what became of a child that was stopped before it was through. Its last state is
 * no answer: to show it as if it still went on would hide that its work was thrown away.
 */
import { shortState } from '../../../src/runtime/state-text.ts';
import { lookOf, type TraceModel, type Track } from './trace-model.ts';

export interface Discard {
  /** Step, or record of a recording, at which it was stopped. */
  readonly column: number;
  /** What it was about. */
  readonly state: string;
  /** `thrown away at step 8: still verifying` */
  readonly words: string;
  /** Whether an answer had come, and what it held was for nobody. */
  readonly isThrownAway: boolean;
}

/**
 * By `position`; nothing of a child that goes on, that is done, or that had told its parent how it
 * ended: that one waits in its last state to be stopped.
 */
export function discardOf(
  track: Track,
  { tracks, byStep }: Pick<TraceModel, 'tracks' | 'byStep'>,
  position: number,
): Discard | undefined {
  const { end, parent, marks } = track;
  const { state } = marks.at(-1) ?? {};
  if (parent === null || end?.status !== 'stopped' || end.position > position) return undefined;
  if (state === undefined || !isAtWork(state)) return undefined;
  const above = tracks.get(parent)?.end ?? null;
  const isParentDone = above?.status === 'done' && above.position < end.position;
  const isThrownAway = isParentDone && lookOf(state).tone === 'judging';
  const verb = isThrownAway ? 'thrown away' : isParentDone ? 'no longer waited for' : 'stopped';
  const words = `${verb} at ${byStep ? 'step' : 'record'} ${end.column}: still ${shortState(state)}`;
  return { column: end.column, state, words, isThrownAway };
}

/** Whether a chart in this state has something left to do. */
export function isAtWork(state: string): boolean {
  const { tone } = lookOf(state);
  return tone === 'busy' || tone === 'judging';
}
