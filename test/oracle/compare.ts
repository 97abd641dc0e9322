/**
 * @module compare: `npm run oracle`: SPIN's counts of `update.pml` beside the sweep's.
 *
 * Two runs per size and rule: see `-DCOUNT` in the model.
 */
import type { Rule } from '../../machines/rules.ts';
import { rules } from '../prove/plan.ts';
import { say, Table } from '../prove/show.ts';
import { type SweepResult, sweep } from '../prove/sweep.ts';
import { type Run, spin } from './spin.ts';

/** Servers and k; N is what is left, so that all of them are asked at once. */
const sizes = [
  [5, 2],
  [7, 2],
  [9, 3],
] as const;

type Counts = Pick<SweepResult, 'states' | 'transitions' | 'done' | 'violations'>;

/** Of one run of SPIN, which has to end without a violation: they are counted, not asserted. */
function counted(servers: number, required: number, rule: Rule, count: 0 | 1): Run {
  const size = [`S=${servers}`, `K=${required}`];
  const run = spin('update', [...size, `RULE=${rules.indexOf(rule)}`, `COUNT=${count}`]);
  if (run.isViolated) throw new Error(`update.pml asserts nothing, and broke at ${size}`);
  return run;
}

function oracle(servers: number, required: number, rule: Rule): Counts {
  const plain = counted(servers, required, rule, 0);
  const more = counted(servers, required, rule, 1);
  const states = more.stored - plain.stored;
  const violations = more.transitions - plain.transitions - states;
  const done = (states - violations) / 2;
  // SPIN counts the start as a step.
  return { states: plain.stored, transitions: plain.transitions - 1, done, violations };
}

function main(): boolean {
  say("SPIN's counts of a model written from the protocol's text, and whether ours are the same.");
  say();
  const table = new Table([
    ['servers', 7],
    ['k-of-N', 7],
    ['rule', 7],
    ['states', 10],
    ['transitions', 11],
    ['done', 7],
    ['violations', 10],
    ['equal', 5],
  ]);
  let isEqual = true;
  for (const [servers, required] of sizes) {
    for (const rule of rules) {
      const total = servers - required;
      const theirs = oracle(servers, required, rule);
      const ours = sweep({ servers, required, total, sharesPerServer: 1, rule }).result;
      const names = Object.keys(theirs) as (keyof Counts)[];
      const isSame = names.every((name) => theirs[name] === ours[name]);
      isEqual &&= isSame;
      table.row([
        ...[servers, `${required}-of-${total}`, rule],
        ...[theirs.states, theirs.transitions, theirs.done, theirs.violations],
        isSame ? 'yes' : 'NO',
      ]);
    }
  }
  return isEqual;
}

process.exitCode = main() ? 0 : 1;
