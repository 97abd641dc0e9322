/**
 * @module coverage: which states and transitions of a chart some test has taken.
 *
 * A chart's test file makes one record, hands it to every walk and exploration, and ends by
 * asserting that nothing is missing. What is counted is what XState says it did: every microstep
 * names the transitions taken and the states that follow. The record also goes into vitest's own
 * report of the file, where `npm run coverage` finds it (`coverage-report.ts`).
 */
import { afterAll } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import {
  chartLines,
  type Definition,
  lineOf,
  type Node,
  shippedCharts,
  stateLine,
} from './chart-lines.ts';
import type { Microstep } from './walk.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** By the chart's name in `machines/index.ts`: the lines that this file has taken. */
    charts?: Record<string, readonly string[]>;
  }
}

export interface ChartCoverage {
  /** For {@link pureChart}, {@link walk} and {@link explore}. */
  readonly onMicrostep: (step: Microstep) => void;
  /** What was never taken, one line each, in document order. */
  readonly missing: () => readonly string[];
}

/**
 * A record of what is taken of `machine`.
 * @throws Error when two transitions cannot be told apart, and on a step of another chart
 */
export function chartCoverage(machine: AnyStateMachine): ChartCoverage {
  const lines = chartLines(machine);
  if (new Set(lines).size !== lines.length) throw new Error(`${machine.id}: two alike transitions`);
  const taken = new Set<string>();
  const enter = (node: Node): void => {
    taken.add(stateLine(node));
    for (const inner of node.initial?.target ?? []) enter(inner);
  };
  const name = shippedCharts.find(([, chart]) => chart === machine)?.[0];
  if (name !== undefined) {
    // biome-ignore lint/correctness/noEmptyPattern: vitest wants a pattern here
    afterAll(({}, { file }) => {
      file.meta.charts = { ...file.meta.charts, [name]: [...taken] };
    });
  }
  return {
    onMicrostep: ({ _transitions, snapshot }) => {
      // What `provide` makes of a chart is still that chart.
      if (snapshot.machine.config !== machine.config) {
        throw new Error(`a step of another chart than that of the record: ${snapshot.machine.id}`);
      }
      // XState reports no microstep for the first states: every run that goes on has entered them.
      if (taken.size === 0) enter(machine.root as unknown as Node);
      for (const definition of _transitions) taken.add(lineOf(definition as Definition));
      for (const node of snapshot._nodes) taken.add(stateLine(node));
    },
    missing: () => lines.filter((line) => !taken.has(line)),
  };
}
