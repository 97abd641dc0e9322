/**
 * @module pace: how long to wait for one server, judged by how long its peers took.
 *
 * A fixed deadline is either too short for a slow grid or too long for a hung server. But an
 * operation makes like calls to many servers, so it can see for itself what "slow" is here: once
 * half of the calls begun have been answered (and two at least), whoever takes longer than four
 * times the slowest answer so far, and longer than a second, is given up. Until then the fixed
 * deadline of the chart stands.
 * When this process itself was held up, so that nobody listened, the time begins anew: the answer
 * may be waiting.
 */
import { followerOf, unlessAborted } from '../abort.ts';
import type { Engine } from './run.ts';

/** Nobody is given up sooner: a pause of that length is nothing unusual on a wire. */
export const patienceMinMs = 1000;
/** Answers of one grid spread less than this, unless something is wrong. */
export const patienceFactor = 4;
/** A timer that is later than this (ms) shows that this process was held up, not a server. */
const latenessMax = 100;
/** Fewer answers than this say nothing about the grid. */
const answersMin = 2;

interface OpenCall {
  /** Or since when this process has been listening. */
  startedAt: number;
  readonly giveUp: () => void;
  timer: unknown;
}

/** The like calls of one operation. */
export class Pace {
  readonly #engine: Pick<Engine, 'clock' | 'now'>;
  readonly #open = new Set<OpenCall>();
  #begun = 0;
  #answered = 0;
  #slowestMs = 0;
  /** How long any call may take, once that is known. */
  #patienceMs: number | undefined;

  constructor(engine: Pick<Engine, 'clock' | 'now'>) {
    this.#engine = engine;
  }

  /**
   * Runs one call with a signal that is aborted with `signal`, or when the call falls too far
   * behind.
   * @throws DOMException `TimeoutError` then
   */
  async run<T>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, now } = this.#engine;
    const { controller, letGo } = followerOf(signal);
    const open: OpenCall = {
      startedAt: now(),
      giveUp: () =>
        controller.abort(new DOMException('far behind the other servers', 'TimeoutError')),
      timer: undefined,
    };
    this.#open.add(open);
    this.#begun++;
    this.#arm(open);
    try {
      const answer = await unlessAborted(call(controller.signal), controller.signal);
      this.#answered++;
      this.#slowestMs = Math.max(this.#slowestMs, now() - open.startedAt);
      return answer;
    } finally {
      letGo();
      clock.clearTimeout(open.timer);
      this.#open.delete(open);
      this.#learn();
    }
  }

  /** Judges anew how long is too long, and tells the open calls if that has changed. */
  #learn(): void {
    if (this.#answered < Math.max(answersMin, this.#begun / 2)) return;
    const patienceMs = Math.max(patienceMinMs, patienceFactor * this.#slowestMs);
    if (patienceMs === this.#patienceMs) return;
    this.#patienceMs = patienceMs;
    for (const open of this.#open) this.#arm(open);
  }

  #arm(open: OpenCall): void {
    if (this.#patienceMs === undefined) return;
    const { clock, now } = this.#engine;
    clock.clearTimeout(open.timer);
    const armedAt = now();
    const dueAt = Math.max(armedAt, open.startedAt + this.#patienceMs);
    open.timer = clock.setTimeout(() => {
      if (now() - dueAt <= latenessMax) return open.giveUp();
      open.startedAt = now();
      this.#arm(open);
    }, dueAt - armedAt);
  }
}
