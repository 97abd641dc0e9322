/**
 * @module lane-drawing: bars of lanes as pixels: which are worth drawing, how wide, and where their
 * words are.
 */
import type { View } from './lane-scale.ts';
import type { LaneBar, LaneCall } from './time-lanes.ts';

export interface Frame {
  readonly view: View;
  /** Of the lanes with the names, and of the names alone. */
  readonly width: number;
  readonly gutter: number;
  /** What goes on is drawn up to here, in milliseconds. */
  readonly now: number;
  /** In view, in pixels. */
  readonly top: number;
  readonly bottom: number;
}

export interface DrawnBar {
  readonly bar: LaneBar;
  readonly x: number;
  readonly width: number;
  readonly words: string;
  /** Where the words begin. */
  readonly wordsX: number;
  /** Whether the words are right of the bar, where they have no room in it. */
  readonly isBeside: boolean;
}

/** Nothing is too short to be seen. */
const least = 3;
/** Nearer ones are one to the eye; nothing that is bad is left out. */
const nearest = 3;
const letter = 6.7;

export function xIn({ view, gutter }: Pick<Frame, 'view' | 'gutter'>, at: number): number {
  return gutter + (at - view.from) / view.perPixel;
}

export function drawnBars(bars: readonly LaneBar[], frame: Frame): readonly DrawnBar[] {
  const { width, gutter, now, top, bottom } = frame;
  const drawn: DrawnBar[] = [];
  let [place, reached] = [-1, 0];
  for (const bar of bars) {
    if (bar.y + bar.height < top || bar.y > bottom) continue;
    if (bar.y !== place) [place, reached] = [bar.y, Number.NEGATIVE_INFINITY];
    const from = xIn(frame, bar.from);
    const to = Math.max(xIn(frame, bar.to ?? now), from + least);
    if (to < gutter || from > width) continue;
    if (to < reached + nearest && bar.tone !== 'bad') continue;
    reached = to;
    const x = Math.max(gutter, from);
    const next = bar.next === null ? width : Math.min(width, xIn(frame, bar.next));
    drawn.push({ bar, x, width: to - x, ...wordsOf(bar, x, to, next) });
  }
  return drawn;
}

function wordsOf({ shape, words }: LaneBar, x: number, to: number, next: number) {
  const all = `${shape} ${words}`;
  const needed = all.length * letter + 8;
  if (needed <= to - x) return { words: all, wordsX: x + 4, isBeside: false };
  if (needed <= next - to) return { words: all, wordsX: to + 4, isBeside: true };
  return { words: to - x >= 14 ? shape : '', wordsX: x + 3, isBeside: false };
}

export interface DrawnCall {
  readonly call: LaneCall;
  readonly x: number;
  readonly width: number;
}

export function drawnCalls(calls: readonly LaneCall[], frame: Frame): readonly DrawnCall[] {
  const { width, gutter, now } = frame;
  const reached = new Map<number, number>();
  return calls.flatMap((call) => {
    const from = xIn(frame, call.from);
    const to = Math.max(xIn(frame, call.to ?? now), from + least);
    if (to < gutter || from > width) return [];
    const before = reached.get(call.y) ?? Number.NEGATIVE_INFINITY;
    if (to < before + nearest && call.fate !== 'lost') return [];
    reached.set(call.y, to);
    const x = Math.max(gutter, from);
    return [{ call, x, width: to - x }];
  });
}
