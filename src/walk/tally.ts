/**
 * @module tally: what a deep check has found and done in all, with Tahoe's names of fields.
 */

/** What is counted of one object. JSON. */
export interface ObjectVerdict {
  /** Before and after; of an object without shares, or that could not be looked at, null. */
  readonly wasHealthy: boolean | null;
  /** After a repair, if there was one. */
  readonly isHealthy: boolean | null;
  /** Before and after. */
  readonly corruptShares: readonly [number, number];
  /** What came of it; undefined where none was needed or asked for. */
  readonly repair?: 'successful' | 'unsuccessful' | 'refused' | undefined;
  /** It could not be looked at, or not be given its leases. */
  readonly isFailed?: true | undefined;
  /** Some servers could not be asked to renew its leases. */
  readonly mayLapse?: true | undefined;
}

/** Of all objects that have shares. */
export class Tally {
  readonly #healthy: [number, number] = [0, 0];
  readonly #corrupt: [number, number] = [0, 0];
  readonly #repairs = { successful: 0, unsuccessful: 0, refused: 0 };
  #checked = 0;
  #failed = 0;
  #lapsing = 0;

  /** Counts one object. */
  add({ wasHealthy, isHealthy, corruptShares, repair, isFailed, mayLapse }: ObjectVerdict): void {
    if (mayLapse) this.#lapsing++;
    if (isFailed) this.#failed++;
    if (repair !== undefined) this.#repairs[repair]++;
    if (wasHealthy === null || isHealthy === null) return;
    this.#checked++;
    for (const [i, healthy] of [wasHealthy, isHealthy].entries()) {
      this.#healthy[i as 0 | 1] += healthy ? 1 : 0;
      this.#corrupt[i as 0 | 1] += corruptShares[i] ?? 0;
    }
  }

  /** Objects that could be looked at. */
  get checked(): number {
    return this.#checked;
  }

  /** At last. */
  get unhealthy(): number {
    return this.#checked - this.#healthy[1];
  }

  /** Objects that could not be looked at, or not be given their leases. */
  get failed(): number {
    return this.#failed;
  }

  /** Objects some of whose leases may lapse. */
  get lapsing(): number {
    return this.#lapsing;
  }

  /** How many ended how. */
  get repairs(): Readonly<Record<'successful' | 'unsuccessful' | 'refused', number>> {
    return this.#repairs;
  }

  /** The numbers of `t=start-deep-check`, with or without `repair=true`, and how many failed. */
  fields(isRepairing: boolean): Readonly<Record<string, number>> {
    const { successful, unsuccessful, refused } = this.#repairs;
    const [before, after] = this.#healthy;
    const ours = {
      'count-objects-failed': this.#failed,
      'count-objects-lapsing': this.#lapsing,
    };
    if (!isRepairing) {
      return {
        'count-objects-checked': this.#checked,
        'count-objects-healthy': after,
        'count-objects-unhealthy': this.#checked - after,
        'count-corrupt-shares': this.#corrupt[1],
        ...ours,
      };
    }
    return {
      'count-objects-checked': this.#checked,
      'count-objects-healthy-pre-repair': before,
      'count-objects-unhealthy-pre-repair': this.#checked - before,
      'count-objects-healthy-post-repair': after,
      'count-objects-unhealthy-post-repair': this.#checked - after,
      'count-repairs-attempted': successful + unsuccessful,
      'count-repairs-successful': successful,
      'count-repairs-unsuccessful': unsuccessful,
      'count-corrupt-shares-pre-repair': this.#corrupt[0],
      'count-corrupt-shares-post-repair': this.#corrupt[1],
      ...ours,
      'count-repairs-refused': refused,
    };
  }
}
