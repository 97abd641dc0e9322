/**
 * @module found-scenario: a run as a file for `test/scenarios`: a test that fails for as long as
 * the run violates what it violates.
 */
import { writeScenario } from '../../../src/simulation/scenario-write.ts';
import type { WorldOptions } from '../../../src/simulation/world.ts';

export interface FoundRun {
  readonly title: string;
  readonly options: WorldOptions;
  readonly labels: readonly string[];
  readonly violations: readonly { readonly id: string; readonly detail: string }[];
}

/** Ends in what ought to be so, so that playing it fails on what is not. */
export function foundScenario({ title, options, labels, violations }: FoundRun): string {
  const told = violations.map(({ id, detail }) => `${id} is violated: ${detail}`);
  const prose = ['', ...(told.length > 0 ? told : ['Every property holds.'])];
  const wanted =
    violations.length > 0
      ? violations.map(({ id }) => `expect ${id} holds`)
      : ['expect everything holds'];
  return writeScenario(title, prose, options, [...labels, ...wanted]);
}

/** `found-U1.txt` */
export function scenarioName({ violations }: Pick<FoundRun, 'violations'>): string {
  return ['found', ...violations.map(({ id }) => id)].join('-').concat('.txt');
}
