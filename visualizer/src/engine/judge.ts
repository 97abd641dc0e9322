/**
 * @module judge: the properties of a world after every choice, and where each was violated first.
 */
import { PropertyWatch, properties } from '../../../src/simulation/properties.ts';
import type { World } from '../../../src/simulation/world.ts';
import type { Verdict } from './protocol.ts';

export class Judge {
  readonly #world: World;
  readonly #watch = new PropertyWatch();
  #seen = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** The verdicts as of now. */
  judge(): readonly Verdict[] {
    this.#watch.see(this.#world.trace.slice(this.#seen));
    this.#seen = this.#world.trace.length;
    return properties.map(({ id, name, statement }) => {
      const verdict = this.#watch.verdicts.get(id);
      const violation =
        verdict?.kind === 'violated' ? { step: verdict.step, detail: verdict.because } : null;
      return { id, title: name, statement, violation };
    });
  }
}
