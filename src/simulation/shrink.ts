/**
 * @module shrink: from a run that breaks a property to a short one that breaks it too (Zeller's
 * delta debugging over the labels of its choices).
 */

import { writeScenario } from './scenario-write.ts';
import { type RunOutcome, runLabels } from './simulate.ts';
import type { WorldOptions } from './world.ts';

/** A run that breaks a property, made as short as could be. */
export interface Shrunk {
  /** Of its world. */
  readonly options: WorldOptions;
  /** Its choices. */
  readonly labels: readonly string[];
  /** Why the property is broken. */
  readonly because: string;
  /** How many runs it took. */
  readonly tries: number;
}

/** Enough for a run of some hundred choices; each try is a run. */
const triesMax = 400;

/** Drops choices and operations as long as property `id` stays broken. */
export async function shrink(
  { options, labels, violations }: RunOutcome,
  id: string,
): Promise<Shrunk> {
  let tries = 0;
  let best = {
    options,
    labels,
    because: violations.find((violation) => violation.id === id)?.because ?? '',
  };
  /** Takes the smaller run if it is still broken. */
  const attempt = async (candidate: { options: WorldOptions; labels: readonly string[] }) => {
    if (tries >= triesMax) return false;
    tries++;
    const outcome = await runLabels(candidate.options, candidate.labels);
    const found = outcome.violations.find((violation) => violation.id === id);
    if (found === undefined) return false;
    // What did not apply is gone as well.
    const used = outcome.labels.length <= candidate.labels.length;
    const kept = used ? outcome.labels : candidate.labels;
    best = { options: candidate.options, labels: kept, because: found.because };
    return true;
  };

  for (const { name } of options.operations) {
    const operations = best.options.operations.filter((spec) => spec.name !== name);
    const rest = best.labels.filter((label) => !label.split(' ').includes(name));
    await attempt({ options: { ...best.options, operations }, labels: rest });
  }
  for (let size = Math.ceil(best.labels.length / 2); size >= 1; ) {
    let hasShrunk = false;
    for (let start = 0; start < best.labels.length; ) {
      const rest = [...best.labels.slice(0, start), ...best.labels.slice(start + size)];
      if (await attempt({ options: best.options, labels: rest })) hasShrunk = true;
      else start += size;
    }
    if (!hasShrunk || size > 1) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return { ...best, tries };
}

/** The shrunk run as the text of a scenario. */
export function toScenario(seed: number, id: string, shrunk: Shrunk): string {
  const { options, labels, because } = shrunk;
  const prose = ['', `${id} is violated: ${because}`];
  return writeScenario(`Seed ${seed} breaks ${id}`, prose, options, [...labels]);
}
