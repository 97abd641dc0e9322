/**
 * @module lockstep: writers of shares that go along with the first pass over a long file.
 *
 * The pass keeps the blocks of a few segments, and waits for the writers that are still at an older
 * one. But not for one that half of them have to wait for, nor when nobody gets on at all: it is left
 * behind, and what it writes is encoded once more when it comes to it.
 *
 * What a writer was given is its own until it asks for the next entry of that share, or leaves.
 */
import { type Deferred, deferred } from '../deferred.ts';

/** How one that is left behind is told from one that is slow, as all of them may be. */
export interface Patience {
  readonly now: () => number;
  /** Settles after so many milliseconds, or with `sooner`. */
  readonly wait: (ms: number, sooner: Promise<unknown>) => Promise<unknown>;
}

/** What others wait for one writer, in all. */
export const patienceMs = 250;
/** How long nobody may get on: all may be on slow lines, but some line brings a block. */
export const stallMs = 5_000;

/** What a share stores of a segment, counted from the first one that is encoded. */
export type EntryOf = (index: number, shnum: number) => Promise<Uint8Array>;

interface Walker {
  /** The segment that it was at last. */
  at: number;
  /** Of each share, the segment of which it has an entry, and those of which it has asked for one. */
  readonly inHand: Map<number, number[]>;
  /** How long it has been waited for. */
  waitedMs: number;
}

export class Lockstep {
  /** Segments whose blocks are kept. */
  readonly window: number;
  readonly #patience: Patience;
  /** Those who are waited for. */
  readonly #walkers = new Set<Walker>();
  readonly #leftBehind = new Set<Walker>();
  #entry: EntryOf | undefined;
  #encoded = -1;
  /** Two, since those who wait for a segment are as many as the shares, and so are the moves. */
  readonly #moves = new Happenings();
  readonly #segments = new Happenings();

  constructor(window: number, patience: Patience) {
    this.window = window;
    this.#patience = patience;
  }

  /** A writer that asks for the segments in order, and says when it is done. */
  join(): { entry: EntryOf; leave: () => void } {
    const walker: Walker = { at: -1, inHand: new Map(), waitedMs: 0 };
    this.#walkers.add(walker);
    const leave = () => {
      this.#walkers.delete(walker);
      this.#leftBehind.delete(walker);
      this.#moves.tell();
    };
    const entry: EntryOf = async (index, shnum) => {
      walker.at = index;
      const ofShare = walker.inHand.get(shnum) ?? [];
      walker.inHand.set(shnum, ofShare);
      ofShare.push(index);
      this.#moves.tell();
      while (this.#encoded < index) await this.#segments.next();
      const bytes = await (this.#entry as EntryOf)(index, shnum);
      ofShare.splice(0, ofShare.lastIndexOf(index));
      return bytes;
    };
    return { entry, leave };
  }

  begin(entry: EntryOf): void {
    this.#entry = entry;
  }

  /** Settles when the segment `index` may take the place of an older one. */
  async turnOf(index: number): Promise<void> {
    const { now, wait } = this.#patience;
    for (;;) {
      const all = [...this.#walkers];
      const behind = all.filter(({ at }) => at <= index - this.window);
      if (behind.length === 0) return;
      const waiting = all.filter(({ at }) => at >= index).length;
      const areMost = 2 * waiting >= all.length;
      const least = Math.min(...behind.map(({ waitedMs }) => patienceMs - waitedMs));
      const since = now();
      await wait(areMost ? least : stallMs, this.#moves.next());
      const ms = now() - since;
      for (const walker of behind) {
        if (areMost) walker.waitedMs += ms;
        if (walker.waitedMs < patienceMs && ms < stallMs) continue;
        // It may have left meanwhile.
        if (this.#walkers.delete(walker)) this.#leftBehind.add(walker);
      }
    }
  }

  /** Whether anybody may still be writing an entry of the segment `index`. */
  isInHand(index: number): boolean {
    return [...this.#walkers, ...this.#leftBehind].some(({ inHand }) =>
      [...inHand.values()].some((ofShare) => ofShare.includes(index)),
    );
  }

  encoded(index: number): void {
    this.#encoded = index;
    this.#segments.tell();
  }

  /** The pass has failed: nobody is given anything any more. */
  fail(error: unknown): void {
    this.#entry = () => Promise.reject(error);
    this.encoded(Number.POSITIVE_INFINITY);
  }
}

/** What happens again and again, for those who wait for the next time. */
class Happenings {
  #next: Deferred<void> | undefined;

  next(): Promise<void> {
    this.#next ??= deferred();
    return this.#next.promise;
  }

  tell(): void {
    const { resolve } = this.#next ?? {};
    this.#next = undefined;
    resolve?.();
  }
}
