/**
 * @module spare-keys: keys of files that nobody has asked for yet. To find two primes takes longer
 * than all the rest of making a small file, so it is begun while no operation is under way.
 *
 * Nothing can stop the search for a key once it is begun: an operation that comes then runs beside
 * it, and a process that ends then ends when it is over. So one key is made at a time, after a pause
 * that keeps no process alive.
 */
import type { Primitives, SigningKey } from '../crypto/primitives.ts';
import { type Clock, platformClock } from './run.ts';

/** A program that works has shorter pauses; one that is about to end has ended by then. */
const pauseMs = 100;

/** The spare keys of one grid. They are secrets: nothing that can be printed holds one. */
export class SpareKeys {
  readonly #make: Primitives['generateKey'];
  readonly #count: number;
  readonly #clock: Clock;
  #ready: SigningKey[] = [];
  #isMaking = false;
  #underWay = 0;
  #pause: ReturnType<Clock['setTimeout']> | undefined;
  /** Changes with every closing: what was begun before is not kept. */
  #term = {};

  /** @param count how many to have at hand; 0 to make each when it is asked for */
  constructor(make: Primitives['generateKey'], count: number, clock: Clock = platformClock) {
    this.#make = make;
    this.#count = count;
    this.#clock = clock;
    this.#rest();
  }

  /** A key for one file: one that is ready, or else a new one, which `signal` may give up. */
  async take(signal?: AbortSignal): Promise<SigningKey> {
    return this.#ready.pop() ?? this.#make(signal);
  }

  /** Runs an operation, during which no spare key is begun. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    this.#endPause();
    try {
      return await work();
    } finally {
      this.#underWay--;
      this.#rest();
    }
  }

  /** Forgets the keys, as far as their memory is ours. More are made after another operation. */
  close(): void {
    this.#endPause();
    this.#term = {};
    for (const key of this.#ready) wipe(key);
    this.#ready = [];
  }

  #rest(): void {
    const isFull = this.#ready.length >= this.#count;
    if (isFull || this.#isMaking || this.#underWay > 0 || this.#pause !== undefined) return;
    this.#pause = this.#clock.setTimeout(() => {
      this.#pause = undefined;
      void this.#makeOne();
    }, pauseMs);
    // Browsers have a number here, and no process to keep alive.
    (this.#pause as { unref?: () => void }).unref?.();
  }

  #endPause(): void {
    if (this.#pause !== undefined) this.#clock.clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  async #makeOne(): Promise<void> {
    const term = this.#term;
    this.#isMaking = true;
    // Whoever needs a key makes one, and hears why that fails; here nobody waits for it.
    const key = await newKey(this.#make).catch(() => undefined);
    this.#isMaking = false;
    if (key === undefined) return;
    if (term !== this.#term) return wipe(key);
    this.#ready.push(key);
    this.#rest();
  }
}

/** Rejects also where `make` throws. */
async function newKey(make: Primitives['generateKey']): Promise<SigningKey> {
  return make();
}

/** What the platform holds of it inside is its own to wipe. */
function wipe(key: SigningKey): void {
  key.pkcs8.fill(0);
}
