/**
 * @module prove: the parts of the proof, each of which prints what it counted as it goes.
 */
import type { Rule } from '../../machines/rules.ts';
import { exhaust } from '../support/exhaust.ts';
import { assertCoherent, countedGrid, countedMoves } from '../support/live-moves.ts';
import { liveUpdate } from '../support/live-update.ts';
import { chartEquality } from './chart-equality.ts';
import { counterexample, type Delivery, traceOf } from './counterexample.ts';
import { type EverySize, everySize, spelled } from './every-size.ts';
import { charts, composed, requiredMax, rules } from './plan.ts';
import { say, Table, withBar } from './show.ts';
import { type Model, type Sweep, type SweepResult, sweep } from './sweep.ts';

/** One size under one rule, as `--json` prints it. */
export interface SizeReport extends Omit<Model, 'sharesPerServer'>, Omit<SweepResult, 'nearest'> {
  readonly perServer: 1 | 2;
  readonly seconds: number;
  /** A shortest path to a violation; null without one. */
  readonly counterexample: readonly Delivery[] | null;
}

/** Sweeps one size under one rule. */
export function proveSize(model: Model): { report: SizeReport; found: Sweep } {
  const { servers, required, total, sharesPerServer, rule } = model;
  const name = `${servers} servers, ${required}-of-${total}, ${rule}`;
  const start = performance.now();
  const found = withBar(name, (onProgress) => sweep(model, onProgress));
  const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
  const { nearest: _, ...counts } = found.result;
  const grid = { servers, required, total, perServer: sharesPerServer, rule };
  return { found, report: { ...grid, ...counts, seconds, counterexample: counterexample(found) } };
}

/** Whether a rule does what it is known to do: ours is safe, and no rule ever hangs. */
function isAsExpected({ rule, violations, deadlocks }: SizeReport): boolean {
  return deadlocks === 0 && (rule !== 'ours' || violations === 0);
}

/** @returns whether everything was as it has to be */
export function proveSizes(models: readonly Model[]): boolean {
  say('Every layout, every outcome and every order of delivery at once; each state decided by the');
  say('shipped kernel. A violation is a state that is done while a share is being verified.');
  say();
  const table = new Table([
    ['servers', 7],
    ['k-of-N', 7],
    ['shares/server', 13],
    ['rule', 7],
    ['states', 13],
    ['transitions', 14],
    ['done', 10],
    ['violations', 10],
    ['deadlocks', 9],
    ['seconds', 7],
  ]);
  let isFine = true;
  const nearest = new Map<Rule, Sweep>();
  for (const model of models) {
    const { report, found } = proveSize(model);
    const { servers, required, total, perServer, rule, states, transitions } = report;
    const { done, violations, deadlocks, seconds } = report;
    table.row([
      ...[servers, `${required}-of-${total}`, perServer, rule, states, transitions],
      ...[done, violations, deadlocks, seconds.toFixed(1)],
    ]);
    isFine &&= isAsExpected(report);
    // The smallest grid tells the story best.
    if (violations > 0 && perServer === 1 && required > 1 && !nearest.has(rule)) {
      nearest.set(rule, found);
    }
  }
  for (const found of nearest.values()) {
    say();
    say(traceOf(found, counterexample(found) ?? []));
  }
  return isFine;
}

/** The shipped XState chart beside the kernel. */
export function proveCharts(): void {
  say('The XState chart, by pure transitions of the shipped object: every state and every step is');
  say("the kernel's.");
  say();
  const table = new Table([
    ['servers', 7],
    ['k-of-N', 7],
    ['rule', 7],
    ['states', 9],
    ['transitions', 11],
  ]);
  for (const model of charts) {
    const name = `chart, ${model.servers} servers`;
    const { states, transitions } = withBar(name, () => chartEquality(model));
    const { servers, required, total, rule } = model;
    table.row([servers, `${required}-of-${total}`, rule, states, transitions]);
  }
}

/** Coordinator, children and mailboxes, live. */
export function proveComposed(): void {
  say('The live system: the coordinator, a real child per server, real mailboxes. Every state and');
  say('every step; children and coordinator agree in each.');
  say();
  const table = new Table([
    ['servers', 7],
    ['states', 9],
    ['transitions', 11],
    ['done', 6],
  ]);
  for (const servers of composed) {
    const found = withBar(`live, ${servers} servers`, (onProgress) =>
      exhaust({
        start: () => liveUpdate(countedGrid(servers)),
        movesOf: countedMoves,
        keyOf: (live) => live.record().statuses.join(),
        always: assertCoherent,
        onStep: (steps) => onProgress(steps, servers * 5 ** servers),
      }),
    );
    table.row([servers, found.states, found.transitions, found.ends]);
  }
}

/** @returns whether everything was as it has to be */
export function proveEverySize(only: readonly Rule[] = rules): boolean {
  say(`The done rule as an automaton over rows of servers, for every number of them, k = 1 to`);
  say(`${requiredMax}: the shortest row that is done while something in it is being verified.`);
  say();
  const table = new Table([
    ['shares/server', 13],
    ['rule', 7],
    ['states at k = 32', 16],
    ['shortest bad row, k = 3', 26],
    ['bad left of the boundary', 26],
  ]);
  let isFine = true;
  for (const sharesPerServer of [1, 2] as const) {
    for (const rule of only) {
      const found = Array.from({ length: requiredMax }, (_, i) =>
        everySize(rule, i + 1, sharesPerServer),
      );
      isFine &&= found.every((one) => one.deadWord === null);
      if (rule === 'ours') isFine &&= found.every((one) => one.badWord === null);
      const shown = found[2] as EverySize;
      table.row([
        ...[sharesPerServer, rule, found[requiredMax - 1]?.automatonStates ?? 0],
        ...[shown.badWord, shown.badWordLeft].map((word) => (word ? spelled(word) : 'none, any k')),
      ]);
    }
  }
  return isFine;
}
