/**
 * @module lane-scale: milliseconds as pixels: what part of a run is in view, how it is zoomed and
 * panned, and where its axis has ticks.
 */
export interface View {
  /** Milliseconds of the run at the left edge. */
  readonly from: number;
  /** Milliseconds in a pixel. */
  readonly perPixel: number;
}

/** Right of the whole run: for how it ended, in words. In pixels, and as a part of all there is. */
const [endRoom, endShare] = [130, 0.25];
const finest = 0.005;

export function fitted(from: number, to: number, width: number): View {
  const room = Math.min(endRoom, width * endShare);
  const perPixel = Math.max(finest, (to - from) / (width - room));
  // A little room on the left as well.
  return { from: from - perPixel * width * 0.01, perPixel };
}

/** @param x in pixels from the left edge; what is there stays there */
export function zoomed({ from, perPixel }: View, factor: number, x: number, all: number): View {
  const coarsest = Math.max(finest, all / 100);
  const next = Math.min(coarsest, Math.max(finest, perPixel / factor));
  return { from: from + x * (perPixel - next), perPixel: next };
}

/** @param end of the run: it does not leave the view, nor does its beginning */
export function panned(view: View, pixels: number, width: number, end: number): View {
  const margin = 0.5 * width * view.perPixel;
  const from = Math.min(end - margin, Math.max(-margin, view.from + pixels * view.perPixel));
  return { ...view, from };
}

/** The view with `at` in it: as it is, if it is there already. */
export function keeping(view: View, at: number, width: number): View {
  const x = (at - view.from) / view.perPixel;
  if (x >= 0 && x <= width - 2) return view;
  const share = x < 0 ? 0.3 : 0.85;
  return { ...view, from: at - width * share * view.perPixel };
}

export interface Tick {
  readonly at: number;
  readonly words: string;
}

/** @param room for the words of a tick, in pixels */
export function ticksIn({ from, perPixel }: View, width: number, room: number): readonly Tick[] {
  const step = niceAtLeast(room * perPixel);
  const first = Math.max(0, Math.ceil(from / step));
  const last = Math.floor((from + (width - room / 3) * perPixel) / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const at = (first + i) * step;
    return { at, words: timeWords(at, step) };
  });
}

/** 1, 2 or 5 times a power of ten; from a minute on, what clocks count in. */
function niceAtLeast(ms: number): number {
  const whole = [60, 120, 300, 600, 1800, 3600].map((seconds) => seconds * 1000);
  if (ms > 30_000) return whole.find((step) => step >= ms) ?? Math.ceil(ms / 3_600_000) * 3_600_000;
  if (ms > 20_000) return 30_000;
  const power = 10 ** Math.floor(Math.log10(ms));
  return ([1, 2, 5].find((factor) => factor * power >= ms) ?? 10) * power;
}

/** `250 ms`, `1.25 s`, `2 min 30 s`: as exact as steps of `step` need it. */
export function timeWords(ms: number, step = 1): string {
  if (ms === 0) return '0';
  if (ms < 1000) return `${Number(ms.toFixed(decimalsOf(step)))} ms`;
  const decimals = Math.max(0, Math.min(3 + decimalsOf(step), 3 - Math.floor(Math.log10(step))));
  if (ms < 60_000) return `${(ms / 1000).toFixed(decimals)} s`;
  const minutes = Math.floor(ms / 60_000);
  const rest = (ms - minutes * 60_000) / 1000;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest.toFixed(decimals)} s`;
}

function decimalsOf(step: number): number {
  return step >= 1 ? 0 : Math.ceil(-Math.log10(step));
}
