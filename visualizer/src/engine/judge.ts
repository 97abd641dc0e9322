/**
 * @module judge: the properties of a world after every choice, and where each was violated first.
 */
import { culpritOf } from '../../../src/inspector/operation-records.ts';
import { PropertyWatch, properties } from '../../../src/simulation/properties.ts';
import type { World } from '../../../src/simulation/world.ts';
import type { Verdict } from './protocol.ts';

export class Judge {
  readonly #world: World;
  readonly #watch = new PropertyWatch();
  /** Steps of the scene: a world counts its own choices only. */
  readonly #steps = new Map<string, number>();
  #seen = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * The verdicts as of now.
   * @param step of the scene
   */
  judge(step: number): readonly Verdict[] {
    this.#watch.see(this.#world.trace.slice(this.#seen));
    this.#seen = this.#world.trace.length;
    return properties.map(({ id, name, statement }) => {
      const verdict = this.#watch.verdicts.get(id);
      const title = name;
      if (verdict?.kind !== 'violated') return { id, title, statement, violation: null };
      const first = this.#steps.get(id) ?? step;
      this.#steps.set(id, first);
      const record = this.#world.trace[verdict.seq];
      const actor = record === undefined ? null : culpritOf(record);
      const violation = { step: first, detail: verdict.because, actor };
      return { id, title, statement, violation };
    });
  }
}
