/**
 * @module quorum-met: which worlds were met, by their fingerprints.
 *
 * Two worlds may differ in nothing but what those may have heard by now who look (`past`). All that
 * comes of one comes of one with more of that. So of worlds with one print those are kept that may
 * have heard most.
 */
import { mixA } from '../../src/simulation/mix.ts';
import { stirA } from './quorum-fingerprint.ts';
import { none } from './quorum-parts.ts';
import type { World } from './quorum-step.ts';

/** Numbers of 32 bits, as many as come. */
export class Numbers {
  #items = new Int32Array(1 << 16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) {
      const items = new Int32Array(this.#length * 2);
      items.set(this.#items);
      this.#items = items;
    }
    this.#items[this.#length++] = value;
  }

  at(i: number): number {
    return this.#items[i] as number;
  }

  set(i: number, value: number): void {
    this.#items[i] = value;
  }
}

/** In two words each: the higher and the lower one, and where the list of what was heard begins. */
export class Met {
  #slots = new Int32Array(3 << 16);
  #count = 0;
  /** Lists: where the next one is, how many words there are, and these. */
  readonly #pasts = new Numbers();
  #size = 0;

  constructor() {
    // So that 0 is the end of a list.
    this.#pasts.push(0);
  }

  /** How many were added, each of which was new or may have heard more. */
  get size(): number {
    return this.#size;
  }

  /** Whether a world with this print was met in which as much, or more, may have been heard. */
  has(high: number, low: number, past: readonly number[]): boolean {
    for (let at = this.#firstOf(high, low); at !== 0; at = this.#pasts.at(at)) {
      if (this.#isWithin(past, at)) return true;
    }
    return false;
  }

  /** Whether it was added, and nothing since in which more may have been heard. */
  isNewest(high: number, low: number, past: readonly number[]): boolean {
    for (let at = this.#firstOf(high, low); at !== 0; at = this.#pasts.at(at)) {
      if (this.#isWithin(past, at)) return this.#pasts.at(at + 1) === past.length;
    }
    return false;
  }

  /** `past` is not within any that was added; those within it are forgotten. */
  add(high: number, low: number, past: readonly number[]): void {
    const slot = this.#slotOf(high, low);
    const pasts = this.#pasts;
    let next = this.#slots[slot + 2] as number;
    let kept = 0;
    for (let at = next; at !== 0; at = pasts.at(at)) {
      if (!this.#holds(past, at)) kept = at;
      else if (kept === 0) next = pasts.at(at);
      else pasts.set(kept, pasts.at(at));
    }
    this.#slots[slot + 2] = pasts.length;
    pasts.push(next);
    pasts.push(past.length);
    for (let i = 0; i < past.length; i++) pasts.push(past[i] as number);
    this.#size++;
  }

  #firstOf(high: number, low: number): number {
    return this.#slots[this.#placeOf(high, low) + 2] as number;
  }

  // Pairs of words ascend, so the first that is missing is soon found: this is asked most of all.

  /** Whether all of `past` is in the list at `at`. */
  #isWithin(past: readonly number[], at: number): boolean {
    const pasts = this.#pasts;
    const count = pasts.at(at + 1);
    if (count < past.length) return false;
    const end = at + 2 + count;
    let place = at + 2;
    for (let i = 0; i < past.length; i += 2) {
      const [high, low] = [past[i] as number, past[i + 1] as number];
      while (place < end && isBefore(pasts.at(place), pasts.at(place + 1), high, low)) place += 2;
      if (place === end || pasts.at(place) !== high || pasts.at(place + 1) !== low) return false;
      place += 2;
    }
    return true;
  }

  /** Whether all of the list at `at` is in `past`. */
  #holds(past: readonly number[], at: number): boolean {
    const pasts = this.#pasts;
    const count = pasts.at(at + 1);
    if (count > past.length) return false;
    const end = at + 2 + count;
    let i = 0;
    for (let place = at + 2; place < end; place += 2) {
      const [high, low] = [pasts.at(place), pasts.at(place + 1)];
      while (i < past.length && isBefore(past[i] as number, past[i + 1] as number, high, low))
        i += 2;
      if (past[i] !== high || past[i + 1] !== low) return false;
      i += 2;
    }
    return true;
  }

  /** Where a print is, or would be. */
  #placeOf(high: number, low: number): number {
    const slots = this.#slots;
    const count = slots.length / 3;
    for (let i = high & (count - 1); ; i = (i + 1) & (count - 1)) {
      const at = 3 * i;
      if (slots[at + 2] === 0 || (slots[at] === high && slots[at + 1] === low)) return at;
    }
  }

  /** The same, of one that is to be there. */
  #slotOf(high: number, low: number): number {
    if (this.#count * 10 > (this.#slots.length / 3) * 7) this.#grow();
    const at = this.#placeOf(high, low);
    if (this.#slots[at + 2] === 0) {
      this.#slots[at] = high;
      this.#slots[at + 1] = low;
      this.#count++;
    }
    return at;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2);
    for (let i = 0; i < before.length; i += 3) {
      if (before[i + 2] === 0) continue;
      const at = this.#placeOf(before[i] as number, before[i + 1] as number);
      for (let word = 0; word < 3; word++) this.#slots[at + word] = before[i + word] as number;
    }
  }
}

function isBefore(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}

/** The worlds that were met last, as they are: most are met again soon. */
export class Recent {
  readonly #length: number;
  readonly #slots: Int32Array;

  constructor(length: number) {
    this.#length = length;
    this.#slots = new Int32Array(length * recentMax).fill(none);
  }

  /** @returns whether it was not there; now it is */
  add(world: World): boolean {
    const length = this.#length;
    let hash = 0;
    for (let i = 0; i < length; i++) hash = mixA(hash, world[i] as number);
    const from = (stirA(hash) & (recentMax - 1)) * length;
    const slots = this.#slots;
    let isNew = false;
    for (let i = 0; i < length; i++) {
      if (slots[from + i] === world[i]) continue;
      isNew = true;
      slots[from + i] = world[i] as number;
    }
    return isNew;
  }
}

const recentMax = 1 << 20;
