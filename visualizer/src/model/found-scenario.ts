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

/** The list of scenarios is tested: every file is in a row, and bears the row's id in its title. */
function rowOf(id: string, { violations }: FoundRun): string {
  const ids = violations.map((violation) => violation.id).join(', ');
  const what =
    ids === '' ? 'A schedule at which every property holds' : `A schedule that violates ${ids}`;
  return `| ${id} | ${what} | [${id}](${id}.txt) |`;
}

/** Where the file goes, and what else the tests want. */
export function placeWords(run: Pick<FoundRun, 'violations'>): string {
  return (
    `The test goes to test/scenarios/${scenarioName(run)}; the row in its comment goes to ` +
    'README.md there, and its id to the list in test/simulation/scenarios.test.ts.'
  );
}

/** Ends in what ought to be so, so that playing it fails on what is not. */
export function foundScenario(run: FoundRun): string {
  const { title, options, labels, violations } = run;
  const id = scenarioName(run).replace('.txt', '');
  const told = violations.map(({ id, detail }) => `${id} is violated: ${detail}`);
  const prose = ['', ...(told.length > 0 ? told : ['Every property holds.'])];
  const row = ['', 'Its row, to be moved to README.md:', rowOf(id, run)];
  const wanted =
    violations.length > 0
      ? violations.map(({ id }) => `expect ${id} holds`)
      : ['expect everything holds'];
  return writeScenario(`${id}. ${title}`, [...prose, ...row], options, [...labels, ...wanted]);
}

/** `found-U1.txt` */
export function scenarioName({ violations }: Pick<FoundRun, 'violations'>): string {
  return ['found', ...violations.map(({ id }) => id)].join('-').concat('.txt');
}
