/**
 * @module clock: time that passes only when the world says so.
 */
import type { Clock } from '../runtime/run.ts';

interface Timer {
  readonly id: number;
  readonly owner: string;
  /** Milliseconds since the beginning. */
  readonly due: number;
  readonly callback: () => void;
}

/** All timers of a world, in the order in which they are due. */
export class VirtualClock {
  #now = 0;
  #count = 0;
  readonly #timers = new Map<number, Timer>();

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** When the next timer is due; nothing when there is none. */
  get nextDue(): number | undefined {
    return this.#next()?.due;
  }

  /** When all timers are due, in order. */
  get dues(): readonly number[] {
    return [...this.#timers.values()].map(({ due }) => due).sort((a, b) => a - b);
  }

  /** A view for one operation, so that its timers can die with it. */
  for(owner: string): Clock {
    return {
      setTimeout: (callback, ms) => {
        const id = ++this.#count;
        this.#timers.set(id, { id, owner, due: this.#now + Math.max(0, ms), callback });
        return id;
      },
      clearTimeout: (id) => {
        this.#timers.delete(id as number);
      },
    };
  }

  /** The timers of `owner` never fire. */
  forget(owner: string): void {
    for (const timer of this.#timers.values()) {
      if (timer.owner === owner) this.#timers.delete(timer.id);
    }
  }

  /** Moves to `time` and fires what is due by then, one by one, with `settle` after each. */
  async advanceTo(time: number, settle: () => Promise<void>, onTick: () => void): Promise<void> {
    const moveTo = (now: number) => {
      if (now <= this.#now) return;
      this.#now = now;
      onTick();
    };
    for (let timer = this.#next(); timer !== undefined && timer.due <= time; timer = this.#next()) {
      moveTo(timer.due);
      this.#timers.delete(timer.id);
      timer.callback();
      await settle();
    }
    moveTo(time);
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (next === undefined || timer.due < next.due) next = timer;
    }
    return next;
  }
}
