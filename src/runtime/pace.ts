/**
 * @module pace: how long to wait for one server, judged by how long its peers took.
 *
 * A fixed deadline is either too short for a slow grid or too long for a hung server. But an
 * operation makes like calls to many servers, so it can see for itself what "slow" is here: once
 * half of the calls begun have been answered (and two at least), whoever takes longer than four
 * times the slowest answer so far is given up. Until then the fixed deadline of the chart stands.
 * A pause on the wire is no reason to do without a server that is needed: it has a second at least.
 * Where some can be done without, that ends when as many others have answered as are needed. Who was
 * given up then, and is asked again, is not waited for at length a second time.
 * When this process itself was held up, so that nobody listened, the time begins anew: the answer
 * may be waiting.
 */
import type { ServerId } from '../../machines/servermap.ts';
import { followerOf, unlessAborted } from '../abort.ts';
import type { Engine } from './run.ts';

/** How long a call may take at least, and how many times as long as the slowest that was answered. */
export interface Patience {
  readonly minMs: number;
  readonly factor: number;
}

/** With a server that is needed: a pause of a second is nothing unusual on a wire. */
export const patienceMinMs = 1000;
export const withNeeded: Patience = { minMs: patienceMinMs, factor: 4 };
/** With one that is not: answers of one grid spread less than this, unless something is wrong. */
export const withSpare: Patience = { minMs: 250, factor: 4 };
/** With one that is not, and was given up before in this operation. */
export const withSilent: Patience = { minMs: 50, factor: 1 };
/** A timer that is later than this (ms) shows that this process was held up, not a server. */
const latenessMax = 100;
/** Fewer answers than this say nothing about the grid. */
const answersMin = 2;

interface OpenCall {
  readonly server: ServerId;
  /** Or since when this process has been listening. */
  startedAt: number;
  readonly giveUp: () => void;
  timer: unknown;
}

/** The like calls of one operation. */
export class Pace {
  readonly #engine: Pick<Engine, 'clock' | 'now'>;
  readonly #needed: () => number;
  readonly #open = new Set<OpenCall>();
  /** Who has given an answer that is needed. */
  readonly #heard = new Set<ServerId>();
  /** Who was given up, and has not answered since. */
  readonly #silent = new Set<ServerId>();
  #begun = 0;
  #answered = 0;
  #slowestMs = 0;
  /** How long any call may take, once that is known. */
  #patienceMs: number | undefined;
  /** The same of one to a server that was given up before. */
  #lastPatienceMs: number | undefined;

  /** @param needed of how many servers answers are needed; by default of all */
  constructor(engine: Pick<Engine, 'clock' | 'now'>, needed = () => Number.POSITIVE_INFINITY) {
    this.#engine = engine;
    this.#needed = needed;
  }

  /**
   * Runs one call to `server`, with a signal that is aborted with `signal`, or when the call falls
   * too far behind.
   * @param isNeeded whether an answer is one of those that are needed
   * @throws DOMException `TimeoutError` then
   */
  async run<T>(
    server: ServerId,
    signal: AbortSignal,
    call: (signal: AbortSignal) => Promise<T>,
    isNeeded: (answer: T) => boolean = () => true,
  ): Promise<T> {
    const { clock, now } = this.#engine;
    const { controller, letGo } = followerOf(signal);
    const open: OpenCall = {
      server,
      startedAt: now(),
      giveUp: () => {
        this.#silent.add(server);
        controller.abort(new DOMException('far behind the other servers', 'TimeoutError'));
      },
      timer: undefined,
    };
    this.#open.add(open);
    this.#begun++;
    this.#arm(open);
    try {
      const answer = await unlessAborted(call(controller.signal), controller.signal);
      this.#answered++;
      if (isNeeded(answer)) this.#heard.add(server);
      this.#silent.delete(server);
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
    const areNeeded = this.#heard.size < this.#needed();
    const patienceMs = this.#patienceOf(areNeeded ? withNeeded : withSpare);
    if (patienceMs === this.#patienceMs) return;
    this.#patienceMs = patienceMs;
    this.#lastPatienceMs = areNeeded ? patienceMs : this.#patienceOf(withSilent);
    for (const open of this.#open) this.#arm(open);
  }

  #patienceOf({ minMs, factor }: Patience): number {
    return Math.max(minMs, factor * this.#slowestMs);
  }

  #arm(open: OpenCall): void {
    const wasSilent = this.#silent.has(open.server);
    const patienceMs = wasSilent ? this.#lastPatienceMs : this.#patienceMs;
    if (patienceMs === undefined) return;
    const { clock, now } = this.#engine;
    clock.clearTimeout(open.timer);
    const armedAt = now();
    const dueAt = Math.max(armedAt, open.startedAt + patienceMs);
    open.timer = clock.setTimeout(() => {
      if (now() - dueAt <= latenessMax) return open.giveUp();
      open.startedAt = now();
      this.#arm(open);
    }, dueAt - armedAt);
  }
}
